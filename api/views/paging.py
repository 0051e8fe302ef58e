"""Pages of features as answers: streamed, with the links that lead on."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from flask import Response

from api import geojson, html, sight
from api.answers import at_head, linked
from api.cursors import cursor
from api.formats import BY_MEDIA
from api.links import GEOJSON, HTML, JSON, Link, cited, here, selves
from api.problems import invalid
from api.stream import Page, Store
from api.views.asking import pool
from geo.systems import CRS84

#: The media types of a feature, and of a list of features.
OFFERED = [GEOJSON, JSON, HTML]
LISTED = [*OFFERED, *BY_MEDIA]


def feature(body: bytes | Iterator[bytes], media: str, crs: str = CRS84) -> Response:
    """Return features, finished, as an answer; `crs` is the URI of their reference system."""
    answer = Response(body)
    answer.content_type = media
    answer.headers["Content-Crs"] = f"<{crs}>"
    return answer


def hits(store: Store, query: dict[str, Any], media: str, *, basis: str = "") -> Response:
    """Return the answer that has only the number of features.

    Raises:
        Problem: a file is asked for.
    """
    if media in BY_MEDIA:
        raise invalid({"resultType": ["asks for no features, of which a file is made."]})
    state, number = store.count(pool(), query)
    past = sight.of(query).past
    nothing = Page(
        state,
        first=True,
        more=False,
        last=None,
        matched=number,
        features=iter(()),
        at=past.at if past else None,
    )
    return features(nothing, query, media, [], basis=basis)


def features(
    page: Page, query: dict[str, Any], media: str, further: list[Link], *, basis: str = ""
) -> Response:
    """Return a page as an answer with its links, and `further` ones; the page is closed with it."""
    try:
        made = [*selves(media, LISTED), *onwards(page, query, media), *further]
        body, rest = geojson.begin(written(page, made, media))
    except BaseException:
        page.close()
        raise
    answer = feature(chained(body, rest) if rest else body, media, query["crs"])
    answer.call_on_close(page.close)
    return linked(at_head(answer, page.state, media, basis), made)


def onwards(page: Page, query: Mapping[str, Any], media: str) -> list[Link]:
    """Return the link to the next page, if there is one, and that by which this page is cited.

    A page of exact places has none: they have no past.
    """
    state, made = page.state, []
    if page.more and page.last:
        position = cursor(query["sortby"], *page.last)
        made.append(here("next", media, "The next page", cursor=position))
    if state.head and sight.has_past(query):
        made.append(cited(f"{state.epoch[:8]}.{state.head}", media))
    return made


def bounded(query: dict[str, Any], media: str) -> dict[str, Any]:
    """Return `query` for a page that is no longer than the format `media` allows."""
    return query | {"limit": min(query["limit"], html.LONGEST)} if media == HTML else query


def written(
    page: Page, links: list[Link], media: str, further: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[bytes]:
    """Return a page in the format `media`, in pieces; it is closed behind the last."""
    write = html.features if media == HTML else geojson.collection
    return write(page, links, further)


def one(text: bytes, links: list[Link], media: str, crs: str) -> Response:
    """Return a feature, finished GeoJSON text, as an answer with its links."""
    write = html.feature if media == HTML else geojson.feature
    return linked(feature(write(text, links), media, crs), links)


def chained(body: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what has been made, and then the rest."""
    yield body
    yield from rest
