"""The collection of events."""

import re
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from api import collections, events, regions
from api.answers import at_head, document, form, negotiate, unchanged
from api.formats import BY_MEDIA
from api.links import DOCUMENT, JSON, link, selves
from api.parameters import EventQuery, FormatQuery, ItemsQuery
from api.problems import Problem, not_found
from api.views import changes, files, paging
from api.views.asking import asked, names, pool

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
PATH = "/collections/events"

blueprint = Blueprint("events", __name__)


@blueprint.get(PATH)
def collection() -> Response:
    """Describe the collection of events."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    state = events.state(pool())
    answer = unchanged(state, media)
    if answer:
        return answer
    body = collections.events(
        events.extent(pool()), state, selves(media, DOCUMENT, "This collection")
    )
    return at_head(document(body, media, template="collection.html"), state, media)


@blueprint.get(f"{PATH}/items")
def items() -> Response:
    """Stream the events that the query asks for, as GeoJSON."""
    query = asked(ItemsQuery)
    media = negotiate(paging.LISTED, query.get("f"))
    basis = regions.basis(query, names())
    if request.if_none_match:
        answer = unchanged(events.state(pool()), media, basis, query["crs"])
        if answer:
            return answer
    query, meant = regions.narrowed(paging.bounded(query, media), names())
    if query["resultType"] == "hits":
        return paging.hits(events, query, media, basis=basis)
    if media in BY_MEDIA:
        return files.answer(
            events,
            "events",
            query,
            media,
            basis=basis,
            further=partial(changes.monitors, basis=basis),
        )
    page = events.page(pool(), query)
    further = [*regions.links(meant), link("collection", PATH, JSON, "The collection")]
    further += changes.monitors(page.state, basis)
    return paging.features(page, query, media, further, basis=basis)


@blueprint.get(f"{PATH}/items/<event_id>")
def item(event_id: str) -> Response:
    """Return one event."""
    query = asked(EventQuery)
    media = negotiate(paging.OFFERED, query.get("f"))
    if not ID.fullmatch(event_id):  # UUID() reads many other spellings
        raise not_found(f"There is no event {event_id}: an id is a UUID.")
    uuid = UUID(event_id)
    tx_id, version, text = _found(uuid, query)
    made = selves(media, paging.OFFERED, "This event", f"{PATH}/items/{uuid}")
    made.append(link("collection", PATH, JSON, "The collection"))
    answer = paging.one(text, made, media, query["crs"])
    looks = (query["geometry"], query["crs"].rpartition("/")[2], form(media))
    answer.set_etag(f"{tx_id}.{version}.{'.'.join(looks)}")
    return answer


def _found(uuid: UUID, query: dict[str, Any]) -> tuple[int, int, bytes]:
    found = events.one(pool(), uuid, query)
    if found is None:
        if events.is_gone(pool(), uuid):
            raise Problem("gone", f"The event {uuid} has been deleted.")
        raise not_found(f"There is no event {uuid}.")
    return found
