"""Geocoding: names and phrases to places, points to names, one by one or many at once."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, current_app, request
from geopy.exc import GeopyError
from marshmallow import ValidationError

from api import geocoders, geocoding, geojson
from api.answers import at_head, linked, negotiate, unchanged
from api.geocode_parameters import GeocodeBatch, GeocodeQuery
from api.links import GEOJSON, HTML, JSON, Link, here, selves
from api.parameters import DataQuery, made
from api.problems import Problem, body_invalid, log
from api.stream import Page, State
from api.views import paging
from api.views.asking import asked, body, names
from geo.candidates import Verdict
from geo.expressions import Unplaced
from geo.systems import CRS84

LARGEST_BODY = 4 << 20

blueprint = Blueprint("geocode", __name__)


@blueprint.get("/geocode")
def geocode() -> Response:
    """Find a name or a phrase, or say where a point lies."""
    query = asked(GeocodeQuery)
    media = negotiate(paging.OFFERED, query.get("f"))
    state = State(names().version, 0, 0)
    point = {name for name in ("lat", "lon") if name in query}
    if "q" in query and not point:
        features, detail = _forward(query)
    elif len(point) == 2 and "q" not in query:
        features, detail = _reverse(query["lon"], query["lat"]), None
    elif media == HTML and not request.args.keys() - {"f"}:
        return _form()
    else:
        raise ValidationError({"q": ["is needed, or else lat and lon together."]})
    answer = _answer(map(geocoding.text, features), media, detail)
    if any(one["properties"]["geocoder"] != geocoding.GEOCODER for one in features):
        return answer  # what others say may change
    return unchanged(state, media, crs=CRS84) or at_head(answer, state, media)


@blueprint.post("/geocode")
def geocode_many() -> Response:
    """Find many names and phrases, or say where many points lie."""
    media = negotiate([GEOJSON, JSON], asked(DataQuery).get("f"))
    wanted = _body()
    known = names().known
    if "points" in wanted:
        east, north = zip(*wanted["points"], strict=True)
        where = known.gazetteer.towns.whereabouts_of(east, north)
        features: Iterable[Any] = map(geocoding.named, east, north, where)
    else:
        features = geocoding.batch(
            known.fixer if wanted["typos"] else known.quick_fixer,
            wanted["q"],
            country=wanted.get("country"),
            focus=wanted.get("focus"),
            footprint=wanted["geometry"] == "footprint",
        )
    return _answer(map(geocoding.text, features), media, None)


def _form() -> Response:
    """Return the page that has nothing to show yet: it asks for something to look for."""
    made = [here("self", HTML)]
    page = Page(State("", 0, 0), first=True, more=False, last=None, matched=0, features=iter(()))
    return linked(paging.feature(b"".join(paging.written(page, made, HTML)), HTML), made)


def _forward(query: dict[str, Any]) -> tuple[list[geocoding.Feature], str | None]:
    """Return the places that a phrase may mean, or why there is none."""
    footprint = query["geometry"] == "footprint"
    try:
        found = names().known.fixer.fix(
            query["q"], country=query.get("country"), focus=query.get("focus")
        )
    except Unplaced as error:
        return _elsewhere(query["q"], footprint=footprint), f"{error}."
    others = found.candidates[1 : query["limit"]] if found.id else ()
    features = [geocoding.fixed(found, footprint=footprint)]
    features += [geocoding.candidate(one, footprint=footprint) for one in others]
    doubt = found.verdict is Verdict.AMBIGUOUS
    return features, "This may as well mean another place." if doubt else None


def _elsewhere(text: str, *, footprint: bool) -> list[geocoding.Feature]:
    """Return what other geocoders know, if the operator has named any."""
    cascade = current_app.extensions["hudna"].geocoders
    if cascade is None:
        return []
    try:
        found = geocoders.places(cascade, text)
    except GeopyError as error:
        log.warning("geocoders: %s", error)
        raise Problem(
            "bad-gateway", "The geocoders that this server asks do not answer."
        ) from error
    return [geocoding.remote(one, footprint=footprint) for one in found]


def _reverse(longitude: float, latitude: float) -> list[geocoding.Feature]:
    where = names().known.gazetteer.towns.whereabouts(longitude, latitude)
    return [geocoding.named(longitude, latitude, where)]


def _body() -> dict[str, Any]:
    """Return the body of the request, as its schema reads it."""
    document = body([JSON], LARGEST_BODY)
    try:
        wanted: dict[str, Any] = made(GeocodeBatch).load(document)
    except ValidationError as error:
        raise body_invalid(error.messages) from None
    return wanted


def _answer(features: Iterator[bytes], media: str, detail: str | None) -> Response:
    """Return features as a collection."""
    links: list[Link] = selves(media, paging.OFFERED) if request.method == "GET" else []
    state = State(names().version, 0, 0)
    page = Page(state, first=True, more=False, last=None, matched=None, features=features)
    pieces = paging.written(page, links, media, {"detail": detail} if detail else {})
    body, rest = geojson.begin(pieces)
    whole = paging.feature(paging.chained(body, rest) if rest else body, media)
    return linked(whole, links)
