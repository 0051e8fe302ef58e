"""Geometries from positions and back: the common part of WKT and GeoJSON (OGC 21-065r2, 7.5, 7.6).

What is built here is well formed: rings are closed, lines have two ends, and all positions of a
geometry have the same two or three coordinates.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import shapely
from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from shapely.geometry.base import BaseGeometry

from api.cql2.errors import Cql2Error, Position

Positions = Sequence[Sequence[float]]
#: The kinds by their name in GeoJSON, and how deep their positions are nested.
DEPTHS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "Polygon": 2,
    "MultiLineString": 2,
    "MultiPolygon": 3,
}
NAMES = {name.upper(): name for name in [*DEPTHS, "GeometryCollection"]}


def _polygon(rings: Sequence[Positions]) -> Polygon:
    return Polygon(rings[0], rings[1:])


MAKERS: dict[str, Callable[[Any], BaseGeometry]] = {
    "Point": Point,
    "MultiPoint": MultiPoint,
    "LineString": LineString,
    "Polygon": _polygon,
    "MultiLineString": MultiLineString,
    "MultiPolygon": lambda parts: MultiPolygon([_polygon(rings) for rings in parts]),
    "GeometryCollection": GeometryCollection,
}


def made(kind: str, nested: Any, at: Position) -> BaseGeometry:
    """Return the geometry of a `kind` of DEPTHS with these positions, nested as in GeoJSON.

    Raises:
        Cql2Error: such positions make no such geometry.
    """
    lines = _lines(kind, nested)
    dimensions = {len(position) for line in lines for position in line}
    if not lines or not all(lines) or not dimensions:
        raise Cql2Error(f"A {kind} without positions matches nothing.", at)
    if len(dimensions) > 1 or not dimensions <= {2, 3}:
        raise Cql2Error("Positions have two coordinates, or all of them three.", at)
    if kind.endswith("LineString") and min(map(len, lines)) < 2:
        raise Cql2Error("A line has two positions or more.", at)
    if kind.endswith("Polygon"):
        if any(line[0] != line[-1] for line in lines):
            raise Cql2Error("A ring ends where it begins.", at)
        if min(map(len, lines)) < 4:
            raise Cql2Error("A ring has four positions or more.", at)
    return built(kind, nested, at)


def built(kind: str, nested: Any, at: Position) -> BaseGeometry:
    """Return the geometry that shapely makes, its errors turned into this package's."""
    try:
        return MAKERS[kind](nested)
    except (shapely.errors.ShapelyError, ValueError, TypeError, IndexError) as error:
        raise Cql2Error(f"This makes no {kind}: {error}", at) from None


def _lines(kind: str, nested: Any) -> list[Positions]:
    """Return the positions in lists of one level."""
    match DEPTHS[kind]:
        case 0:
            return [[nested]]
        case 1:
            return [nested]
        case 2:
            return list(nested)
        case _:
            return [line for part in nested for line in part] if all(nested) else []


def box(corners: Sequence[float], at: Position) -> tuple[float, ...]:
    """Return the corners of a box, 4 or 6 numbers (7.5.1).

    Which axis may decrease, where the box crosses the antimeridian, its reference system knows.
    """
    if len(corners) not in {4, 6}:
        raise Cql2Error("A BBOX has 4 numbers, or 6 with heights.", at)
    if len(corners) == 6 and corners[2] > corners[5]:
        raise Cql2Error("A BBOX begins with its lower corner.", at)
    return tuple(corners)


def geojson(value: BaseGeometry) -> dict[str, Any]:
    """Return `value` as GeoJSON."""
    return cast("dict[str, Any]", _listed(shapely.geometry.mapping(value)))


def _listed(value: Any) -> Any:
    """Return `value` with lists for tuples, as JSON has it; its depth is that of a geometry."""
    if isinstance(value, dict):
        return {name: _listed(inner) for name, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, tuple | list) else value


def wkt(value: BaseGeometry) -> str:
    """Return `value` as WKT, with all the digits of its coordinates."""
    kind, z = value.geom_type, " Z " if value.has_z else ""
    if isinstance(value, GeometryCollection):
        return f"{kind.upper()}{z}({','.join(map(wkt, value.geoms))})"
    nested = geojson(value)["coordinates"]
    depth = DEPTHS[kind]
    if kind == "MultiPoint":
        nested, depth = [[position] for position in nested], 2
    return f"{kind.upper()}{z}{_written(nested, max(depth, 1) if depth else 0)}"


def _written(nested: Any, depth: int) -> str:
    if depth == 0:
        return f"({' '.join(map(repr, nested))})"
    if depth == 1:
        return "(" + ",".join(" ".join(map(repr, position)) for position in nested) + ")"
    return "(" + ",".join(_written(inner, depth - 1) for inner in nested) + ")"
