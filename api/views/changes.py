"""The feed of changes: by it, a copy of the events follows the original (docs/changes.md)."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, request

from api import events, feed, geojson, regions, sight
from api.answers import at_head, document, linked, negotiate, unchanged
from api.cursors import Bookmark
from api.feed import Changes
from api.links import DOCUMENT, HTML, JSON, Link, here, link, question, selves
from api.parameters import ChangesQuery
from api.problems import Problem, invalid
from api.stream import State
from api.views import paging
from api.views.asking import events_asked, names, pool
from api.watching import Heads

COLLECTION = "/collections/events"
PATH = f"{COLLECTION}/changes"
#: The most changes on a page for people.
LONGEST = 100

blueprint = Blueprint("changes", __name__)


@blueprint.get(PATH)
def changes() -> Response:
    """Stream what has changed behind the cursor, or from the beginning; wait for it if asked to."""
    query = events_asked(ChangesQuery)
    media = negotiate(DOCUMENT, query.get("f"))
    basis, meant = regions.basis(query, names()), feed.filters(query, request.args)
    if "cursor" in query and query["cursor"].filters != meant:
        raise invalid({"cursor": ["belongs to other filters: keep them as they were."]})
    if query["wait"] or request.if_none_match:
        state = _awaited(query, basis)
        answer = unchanged(state, media, basis, query["crs"])
        if answer:
            return answer
    query, _ = regions.narrowed(query, names())
    if media == HTML:
        query["limit"] = min(query["limit"], LONGEST)
    return _answer(feed.changes(pool(), query, meant, basis), query, media, basis)


def monitors(state: State, query: Mapping[str, Any], basis: str) -> list[Link]:
    """Return the link from a page of events, as of `state`, to what changes after it."""
    if query["geometry"] == "exact":
        return []
    shown = {"limit", "cursor", "sortby", "f", "skipGeometry", "resultType", "as_of"}
    asked_for = {name: value for name, value in request.args.items() if name not in shown}
    there = str(feed.at(state, basis, feed.filters(query, asked_for)))
    made = PATH + question(*shown, cursor=there)
    return [link("monitor", made, JSON, "What has changed since")]


def _awaited(query: dict[str, Any], basis: str) -> State:
    """Return the head; if there is nothing behind the cursor, once there is, or time is up."""
    state = events.state(pool(), query)
    place: Bookmark = query.get("cursor", Bookmark(feed.epoch(state, basis), 0, None, 0, ""))
    restricted = sight.of(query).restricted

    def has_come(now: Heads) -> bool:
        head = now.whole if restricted else now.public
        return (now.epoch, head) != (state.epoch, place.seq)

    here = (place.epoch, place.seq, place.after)
    if not query["wait"] or here != (feed.epoch(state, basis), state.head, None):
        return state
    if current_app.extensions["hudna"].watch.wait(query["wait"], has_come):
        return events.state(pool(), query)
    return state


def _answer(page: Changes, query: dict[str, Any], media: str, basis: str) -> Response:
    made = [
        *selves(media, DOCUMENT, "This page"),
        here("next", media, "What comes next", cursor=str(page.following)),
        link("collection", COLLECTION, JSON, "The collection"),
    ]
    try:
        body, rest = geojson.begin(geojson.changes(_held(page), made))
    except BaseException:
        page.close()
        raise
    if media == HTML:
        answer = document(json.loads(b"".join([body, *(rest or ())])), media, made)
    else:
        answer = linked(Response(paging.chained(body, rest) if rest else body), made)
        answer.content_type = JSON
    answer.headers["Content-Crs"] = f"<{query['crs']}>"
    answer.call_on_close(page.close)
    return at_head(answer, page.state, media, basis)


def _held(page: Changes) -> Changes:
    """Return a page whose cursor still holds."""
    if page.gone:
        raise Problem(
            "cursor-gone",
            "Changes may be missing behind this cursor: start again without one, and take away"
            " what the new beginning does not bring.",
        )
    return page
