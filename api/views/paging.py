"""Pages of features as answers: streamed, with the links that lead on."""

from collections.abc import Iterator
from typing import Any

from flask import Response

from api import geojson
from api.answers import at_head, linked
from api.cursors import cursor
from api.links import Link, here
from api.stream import Page, State
from geo.systems import CRS84


def feature(body: bytes | Iterator[bytes], media: str, crs: str = CRS84) -> Response:
    """Return features, finished, as an answer; `crs` is the URI of their reference system."""
    answer = Response(body)
    answer.content_type = media
    answer.headers["Content-Crs"] = f"<{crs}>"
    return answer


def hits(
    state: State, number: int, query: dict[str, Any], media: str, *, basis: str = ""
) -> Response:
    """Return the answer that has only the number of features."""
    made = [here("self", media)]
    answer = feature(geojson.hits(number, made), media, query["crs"])
    return linked(at_head(answer, state, media, basis), made)


def features(
    page: Page, query: dict[str, Any], media: str, further: list[Link], *, basis: str = ""
) -> Response:
    """Return a page as an answer with its links, and `further` ones; the page is closed with it."""
    try:
        made = [here("self", media, "This page")]
        if page.more and page.last:
            position = cursor(query["sortby"], *page.last)
            made.append(here("next", media, "The next page", cursor=position))
        made += further
        body, rest = geojson.begin(geojson.collection(page, made))
    except BaseException:
        page.close()
        raise
    answer = feature(chained(body, rest) if rest else body, media, query["crs"])
    answer.call_on_close(page.close)
    return linked(at_head(answer, page.state, media, basis), made)


def chained(body: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what has been made, and then the rest."""
    yield body
    yield from rest
