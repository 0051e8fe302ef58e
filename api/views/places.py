"""The collection of places: the gazetteer as features."""

from flask import Blueprint, Response, request

from api import collections, places, regions
from api.answers import at_head, document, negotiate, unchanged
from api.formats import BY_MEDIA
from api.links import DOCUMENT, JSON, link, selves
from api.parameters import PLACE_ID, FeatureQuery, FormatQuery, PlacesQuery
from api.problems import not_found
from api.views import files, paging
from api.views.asking import asked, names, pool

PATH = "/collections/places"

blueprint = Blueprint("places", __name__)


@blueprint.get(PATH)
def collection() -> Response:
    """Describe the collection of places."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    state = places.state(pool())
    answer = unchanged(state, media)
    if answer:
        return answer
    body = collections.places(places.summary(pool()), selves(media, DOCUMENT, "This collection"))
    return at_head(document(body, media, template="collection.html"), state, media)


@blueprint.get(f"{PATH}/items")
def items() -> Response:
    """Stream the places that the query asks for, as GeoJSON."""
    query = asked(PlacesQuery)
    media = negotiate(paging.LISTED, query.get("f"))
    if request.if_none_match:
        answer = unchanged(places.state(pool()), media, crs=query["crs"])
        if answer:
            return answer
    query, meant = regions.narrowed(paging.bounded(query, media), names())
    if query["resultType"] == "hits":
        return paging.hits(places, query, media)
    if media in BY_MEDIA:
        return files.answer(places, "places", query, media)
    further = [*regions.links(meant), link("collection", PATH, JSON, "The collection")]
    return paging.features(places.page(pool(), query), query, media, further)


@blueprint.get(f"{PATH}/items/<place_id>")
def item(place_id: str) -> Response:
    """Return one place."""
    query = asked(FeatureQuery)
    media = negotiate(paging.OFFERED, query.get("f"))
    found = places.one(pool(), place_id, query) if PLACE_ID.fullmatch(place_id) else None
    if found is None:
        raise not_found(f"There is no place {place_id}.")
    state, text = found
    made = selves(media, paging.OFFERED, "This place", f"{PATH}/items/{place_id}")
    made.append(link("collection", PATH, JSON, "The collection"))
    answer = paging.one(text, made, media, query["crs"])
    return at_head(answer, state, media)  # which is 304 in the end, with these headers
