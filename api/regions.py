"""Regions that are asked for by the name of a place: `near` and `within`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from shapely import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from api.gazetteer import Names
from api.links import GEOJSON, Link, link
from api.parameters import RADIUS_KM
from api.problems import ambiguous, invalid
from geo.around import around
from geo.expressions import Unplaced
from geo.lookup import Fix
from geo.region import Region

Query = Mapping[str, Any]
#: The places that `near` and `within` were taken to mean.
Meant = dict[str, Fix]

_PAIR = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*,\s*([+-]?\d+(?:\.\d+)?)\s*", re.ASCII)

#: The places from whose point one measures; from all others it is their edge or line.
_POINTS = {"settlement", "site", "coordinates"}


def basis(query: Query, names: Names) -> str:
    """Return what the answer to `query` rests on besides the events; nothing, mostly."""
    named = [query[name] for name in ("near", "within") if name in query]
    if all(_PAIR.fullmatch(text) for text in named):
        return ""
    return str(names.known.version)[:8]


def narrowed(query: Query, names: Names) -> tuple[dict[str, Any], Meant]:
    """Return `query` with the region that all of its parameters leave, and what names in it mean.

    Raises:
        Problem: a place is not known, or is ambiguous, or has no area to be within.
    """
    regions = [query["region"]] if "region" in query else []
    meant: Meant = {}
    if "near" in query:
        region, found = _near(query["near"], query.get("radius_km", RADIUS_KM), names)
        regions.append(region)
        meant |= {"near": found} if found else {}
    if "within" in query:
        meant["within"] = _fixed("within", query["within"], names)
        regions.append(_within(meant["within"]))
    if not regions:
        return dict(query), {}
    whole, *others = regions
    for other in others:
        whole &= other
    return {**query, "region": whole}, meant


def links(meant: Meant) -> list[Link]:
    """Return links to the places that parameters were taken to mean."""
    return [_link(parameter, found) for parameter, found in meant.items()]


def _near(text: str, radius_km: float, names: Names) -> tuple[Region, Fix | None]:
    pair = _PAIR.fullmatch(text)
    if pair is None:
        found = _fixed("near", text, names)
        shape = found.point if found.kind in _POINTS else found.footprint
        return _around(shape, radius_km), found
    longitude, latitude = float(pair[1]), float(pair[2])
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise invalid({"near": [f"has no such point as {text!r}: longitude comes first."]})
    return _around(Point(longitude, latitude), radius_km), None


@lru_cache(maxsize=256)
def _around(shape: BaseGeometry, radius_km: float) -> Region:
    try:
        return Region.of_ground(around(shape, radius_km))
    except ValueError as error:
        raise invalid({"radius_km": [f"cannot be taken: {error}."]}) from None


def _within(found: Fix) -> Region:
    if not isinstance(found.footprint, Polygon | MultiPolygon):
        raise invalid(
            {"within": [f"has no area: {found.name} is a line. Ask for what is near it."]}
        )
    return _ground(found.footprint)


@lru_cache(maxsize=256)
def _ground(shape: BaseGeometry) -> Region:
    return Region.of_ground(shape)


def _fixed(parameter: str, text: str, names: Names) -> Fix:
    """Return the place that a text means, if it can mean but one."""
    try:
        found = names.known.fixed(text)
    except Unplaced as error:
        raise invalid({parameter: [f"{error}."]}) from None
    if found.ambiguous:
        raise ambiguous(parameter, text, found.candidates)
    return found


def _link(parameter: str, found: Fix) -> Link:
    path = f"/collections/places/items/{found.id}"
    if found.id is None:
        path = f"/geocode?q={quote(found.phrase)}&geometry=footprint"
    return link("related", path, GEOJSON, f"What {parameter} means here: {found.name}")
