"""The collection of events."""

import re
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from api import collections, events, history, regions, sight
from api.answers import at_head, document, form, negotiate, unchanged
from api.formats import BY_MEDIA
from api.links import DOCUMENT, GEOJSON, JSON, cited, here, link, selves
from api.parameters import EventQuery, FormatQuery, ItemsQuery, ListQuery
from api.problems import Problem, not_found
from api.versions import Version
from api.views import changes, files, paging
from api.views.asking import asked, events_asked, names, pool, sees_all

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
    query = events_asked(ItemsQuery)
    media = negotiate(paging.LISTED, query.get("f"))
    basis = regions.basis(query, names())
    if request.if_none_match:
        answer = unchanged(events.state(pool(), query), media, basis, query["crs"])
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
            further=partial(changes.monitors, query=query, basis=basis),
        )
    page = events.page(pool(), query)
    further = [*regions.links(meant), link("collection", PATH, JSON, "The collection")]
    further += changes.monitors(page.state, query, basis)
    return paging.features(page, query, media, further, basis=basis)


@blueprint.get(f"{PATH}/items/<event_id>")
def item(event_id: str) -> Response:
    """Return one event."""
    query = events_asked(EventQuery)
    media = negotiate(paging.OFFERED, query.get("f"))
    uuid = _uuid(event_id)
    found = _found(uuid, query)
    made = selves(media, paging.OFFERED, "This event", f"{PATH}/items/{uuid}")
    made.append(link("collection", PATH, JSON, "The collection"))
    made.append(link("version-history", f"{PATH}/items/{uuid}/history", JSON, "Its versions"))
    if sight.has_past(query):
        # Cited at the head that made it what it is: as long as its tag is the same, so is that.
        made.append(cited(f"{found.version.epoch[:8]}.{found.head}", media))
    answer = paging.one(found.feature, made, media, query["crs"])
    answer.set_etag(etag(found.version, query["geometry"], query["crs"], media))
    return answer


@blueprint.get(f"{PATH}/items/<event_id>/history")
def item_history(event_id: str) -> Response:
    """Tell who changed what of one event."""
    query = asked(ListQuery)
    media = negotiate(DOCUMENT, query.get("f"))
    uuid = _uuid(event_id)
    found = history.of(pool(), uuid, query["limit"], query.get("cursor"), restricted=sees_all())
    if found is None:
        raise not_found(f"There is no event {uuid}.")
    versions, following = found
    item = f"{PATH}/items/{uuid}"
    made = selves(media, DOCUMENT, "These versions", f"{item}/history")
    made.append(link("item", item, GEOJSON, "The event"))
    if following:
        made.append(here("next", media, "Earlier versions", cursor=str(following)))
    return document({"id": str(uuid), "versions": versions, "links": made}, media)


def _uuid(event_id: str) -> UUID:
    if not ID.fullmatch(event_id):  # UUID() reads many other spellings
        raise not_found(f"There is no event {event_id}: an id is a UUID.")
    return UUID(event_id)


def etag(version: Version, geometry: str, crs: str, media: str) -> str:
    """Return the strong entity tag of an event: its version, and how that is written."""
    return ".".join((str(version), geometry, crs.rpartition("/")[2], form(media)))


def _found(uuid: UUID, query: dict[str, Any]) -> events.One:
    found = events.one(pool(), uuid, query)
    if found:
        return found
    if sight.of(query).past is None:
        if events.is_gone(pool(), uuid):
            raise Problem("gone", f"The event {uuid} has been deleted.")
        raise not_found(f"There is no event {uuid}.")
    if events.is_withheld(pool(), uuid, query):
        raise Problem("withheld", f"The event {uuid} has been restricted or erased since.")
    raise not_found(f"There was no event {uuid} then.")
