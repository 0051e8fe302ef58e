"""Answers of geocoding as GeoJSON features."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import shapely
from geopy.distance import geodesic
from shapely import Point
from shapely.geometry.base import BaseGeometry

from api.geocoders import Found
from geo.candidates import Candidate
from geo.expressions import Unplaced
from geo.fixes import Fixer
from geo.lookup import Fix, ground_of
from geo.reverse import Whereabouts

Feature = dict[str, Any]

#: Under this name the service's own answers are known.
GEOCODER = "hudna"


def fixed(fix: Fix, *, footprint: bool) -> Feature:
    """Return the place of a phrase as a feature."""
    properties: Feature = {
        "name": fix.name,
        "label": fix.candidates[0].label if fix.id and fix.candidates else fix.name,
        "kind": fix.kind,
        "country": fix.country,
        "admin1": fix.admin1,
        "geo_precision": fix.precision.value,
        "uncertainty_km": fix.uncertainty_km,
        "verdict": fix.verdict.value,
        "chain": list(fix.chain),
        "geocoder": GEOCODER,
    }
    if fix.id is None and fix.ambiguous:
        others = [{"id": one.id, "name": one.label} for one in fix.candidates]
        properties["candidates"] = others
    return _feature(fix.footprint if footprint else fix.point, properties, fix.id)


def candidate(place: Candidate, *, footprint: bool) -> Feature:
    """Return a place that a name may mean as a feature."""
    properties = {
        "name": place.name,
        "label": place.label,
        "kind": place.kind.value,
        "country": place.country,
        "admin1": place.admin1,
        "geo_precision": place.precision.value,
        "uncertainty_km": place.uncertainty_km,
        "score": place.score,
        "chain": list(place.reasons),
        "geocoder": GEOCODER,
    }
    shape = ground_of(place) if footprint else Point(place.longitude, place.latitude)
    return _feature(shape, properties, place.id)


def remote(place: Found, *, footprint: bool) -> Feature:
    """Return what a geocoder on another machine has found as a feature."""
    point = Point(place.longitude, place.latitude)
    properties = {
        "name": place.name,
        "kind": None,
        "country": None,
        "admin1": None,
        "geo_precision": None,
        "uncertainty_km": uncertainty_km(place),
        "verdict": "clear",
        "chain": [f"as {place.geocoder} has it"],
        "geocoder": place.geocoder,
    }
    return _feature(shapely.box(*place.bounds) if footprint and place.bounds else point, properties)


def uncertainty_km(place: Found) -> float | None:
    """Return how far the box of a place reaches from its point; None: it has none."""
    if place.bounds is None:
        return None
    west, south, east, north = place.bounds
    here = (place.latitude, place.longitude)
    corners = [(y, x) for x in (west, east) for y in (south, north)]
    return round(max(float(geodesic(here, corner).km) for corner in corners), 1)


def named(longitude: float, latitude: float, where: Whereabouts) -> Feature:
    """Return a point as a feature that says where it lies."""
    properties = {
        "name": where.phrase,
        "kind": "coordinates",
        "country": where.country,
        "admin1": where.unit.name if where.unit else None,
        "settlement": {
            "id": where.town_id,
            "name": where.town,
            "country": where.town_country,
            "distance_km": round(where.distance_km, 1),
            "bearing": round(where.bearing),
            "direction": where.wind,
        },
        "geocoder": GEOCODER,
    }
    return _feature(Point(longitude, latitude), properties)


def batch(
    fixer: Fixer,
    phrases: Iterable[str],
    *,
    country: str | None,
    focus: tuple[float, float] | None,
    footprint: bool,
) -> Iterator[Feature]:
    """Yield a feature for each phrase, in order; without a geometry where there is no place."""
    for phrase in phrases:
        try:
            made = fixed(fixer.fix(phrase, country=country, focus=focus), footprint=footprint)
        except Unplaced as error:
            made = _feature(None, {"verdict": "unknown", "detail": str(error)})
        made["properties"]["q"] = phrase
        yield made


def text(feature: Feature) -> bytes:
    """Return a feature as JSON."""
    return json.dumps(feature, ensure_ascii=False, separators=(",", ":")).encode()


def _feature(shape: BaseGeometry | None, properties: Feature, place: str | None = None) -> Feature:
    made: Feature = {"type": "Feature"}
    if place:
        made["id"] = place
    return made | {"geometry": _geometry(shape), "properties": properties}


def _geometry(shape: BaseGeometry | None) -> Feature | None:
    """Return a shape as RFC 7946 wants it: six digits, outlines counter-clockwise."""
    if shape is None:
        return None
    if isinstance(shape, Point):  # thousands at once, and mostly
        return {"type": "Point", "coordinates": [round(shape.x, 6), round(shape.y, 6)]}
    rounded = shapely.transform(shapely.orient_polygons(shape), lambda xy: xy.round(6))
    geometry: Feature = json.loads(shapely.to_geojson(rounded))
    return geometry
