"""Every route: what a request is turned into, and what it is answered with."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, request

from api import collections, events, geojson, openapi
from api.answers import at_head, document, linked, negotiate, unchanged
from api.db import Pool
from api.fields import CRS84, cursor
from api.links import GEOJSON, JSON, OPENAPI, SCHEMA, here, link
from api.problems import Problem, not_found
from api.schemas import FeatureQuery, FormatQuery, ItemsQuery, load

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

features = Blueprint("features", __name__)


def asked(schema: Any) -> dict[str, Any]:
    """Return the query of the present request, as `schema` reads it."""
    return load(schema, request.query_string, request.args.items(multi=True))


def pool() -> Pool:
    """Return the pool of the present application."""
    found: Pool = current_app.extensions["hudna"].pool
    return found


@features.get("/")
def landing() -> Response:
    """Say what this is, and where to go on."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document(collections.landing())


@features.get("/conformance")
def conformance() -> Response:
    """List the conformance classes of the standards that this server meets."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document({"conformsTo": collections.CONFORMS_TO})


@features.get("/api")
def api() -> Response:
    """Describe the interface, in OpenAPI 3.0."""
    media = negotiate(
        [OPENAPI, "application/openapi+json;version=3.0", JSON], asked(FormatQuery).get("f")
    )
    return document(openapi.served(link("", "", "")["href"]), media)


@features.get("/collections")
def all_collections() -> Response:
    """Describe the collections."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    state = events.state(pool())
    return unchanged(state, JSON) or at_head(
        document(collections.collections(events.extent(pool()), state)), state, JSON
    )


@features.get("/collections/events")
def collection() -> Response:
    """Describe the collection of events."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    state = events.state(pool())
    return unchanged(state, JSON) or at_head(
        document(collections.events(events.extent(pool()), state)), state, JSON
    )


@features.get("/collections/events/queryables")
def queryables() -> Response:
    """Describe what events can be filtered by, in JSON Schema."""
    media = negotiate([SCHEMA, JSON], asked(FormatQuery).get("f"))
    return document(collections.queryables(), media)


@features.get("/collections/events/items")
def items() -> Response:
    """Stream the events that the query asks for, as GeoJSON."""
    query = asked(ItemsQuery)
    media = negotiate([GEOJSON, JSON], query.get("f"))
    if request.if_none_match:
        answer = unchanged(events.state(pool()), media)
        if answer:
            return answer
    if query["resultType"] == "hits":
        state, number = events.count(pool(), query)
        made = [here("self", media)]
        return linked(at_head(_feature(geojson.hits(number, made), media), state, media), made)
    page = events.page(pool(), query)
    try:
        made = [here("self", media, "This page")]
        if page.more and page.last:
            place = cursor(query["sortby"], *page.last)
            made.append(here("next", media, "The next page", cursor=place))
        made.append(link("collection", "/collections/events", JSON, "The collection"))
        body, rest = geojson.begin(geojson.collection(page, made))
    except BaseException:
        page.close()
        raise
    answer = _feature(_chained(body, rest) if rest else body, media)
    answer.call_on_close(page.close)
    return linked(at_head(answer, page.state, media), made)


@features.get("/collections/events/items/<event_id>")
def item(event_id: str) -> Response:
    """Return one event."""
    query = asked(FeatureQuery)
    media = negotiate([GEOJSON, JSON], query.get("f"))
    if not ID.fullmatch(event_id):  # UUID() reads many other spellings
        raise not_found(f"There is no event {event_id}: an id is a UUID.")
    uuid = UUID(event_id)
    found = events.one(pool(), uuid, query)
    if found is None:
        if events.is_gone(pool(), uuid):
            raise Problem("gone", f"The event {uuid} has been deleted.")
        raise not_found(f"There is no event {uuid}.")
    tx_id, version, text = found
    made = [
        link("self", f"/collections/events/items/{uuid}", media, "This event"),
        link("collection", "/collections/events", JSON, "The collection"),
    ]
    answer = linked(_feature(geojson.feature(text, made), media), made)
    answer.set_etag(f"{tx_id}.{version}.{media.split('/')[1]}")
    return answer


def _feature(body: bytes | Iterator[bytes], media: str) -> Response:
    answer = Response(body)
    answer.content_type = media
    answer.headers["Content-Crs"] = f"<{CRS84}>"
    return answer


def _chained(body: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield body
    yield from rest
