"""Files of features as answers: all that is asked for, unless `limit` asks for a page of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from threading import BoundedSemaphore
from typing import Any

from flask import Response, current_app, request

from api.answers import at_head, linked
from api.formats import BY_MEDIA
from api.formats.table import table
from api.links import Link, here
from api.problems import Problem
from api.stream import Page, State, Store
from api.views import paging
from api.views.asking import pool

Query = Mapping[str, Any]


def answer(  # noqa: PLR0913 -- as a page is put together
    store: Store,
    collection: str,
    query: Query,
    media: str,
    *,
    basis: str = "",
    further: Callable[[State], list[Link]] = lambda _: [],
) -> Response:
    """Return what `query` asks for as a file, with the links that are `further` at its head.

    How many features it has stands in `OGC-NumberReturned`, where that is known, so that a file can
    be checked.

    Raises:
        Problem: other files take all the room there is for them.
    """
    service = current_app.extensions["hudna"]
    form = BY_MEDIA[media]
    with ExitStack() as held:
        _take_turn(service.files, held)
        if "limit" in request.args:
            page = store.page(pool(), query)
        else:
            page = store.whole(pool(), query, service.settings.export_timeout_s)
        held.callback(page.close)
        end = held.pop_all()
    body = _ended(form.written(_all(page), table(collection, query)), end)
    made = paging.feature(body, media, query["crs"])
    made.call_on_close(end.close)  # nobody may take the body, as with HEAD
    name = f"hudna-{collection}{form.suffix}"
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if page.number is not None:
        made.headers["OGC-NumberReturned"] = str(page.number)
    if page.matched is not None:
        made.headers["OGC-NumberMatched"] = str(page.matched)
    links = [here("self", media, "This file"), *paging.onwards(page, query, media)]
    links += further(page.state)
    return linked(at_head(made, page.state, media, basis), links)


def _take_turn(room: BoundedSemaphore, held: ExitStack) -> None:
    """Leave connections for others: who reads slowly keeps one for long."""
    if not room.acquire(blocking=False):
        raise Problem("unavailable", "This server is making as many files as it can: try again.")
    held.callback(room.release)


def _ended(pieces: Iterator[bytes], end: ExitStack) -> Iterator[bytes]:
    with end:
        yield from pieces


def _all(page: Page) -> Iterator[bytes]:
    """Yield the features of a page, and give its connection back before the file is sent."""
    try:
        yield from page.features
    finally:
        page.close()
