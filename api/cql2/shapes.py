"""Literal geometries as the store has them (OGC 21-065r2, 7.5, 7.6; OGC 19-079r2, filter-crs)."""

from dataclasses import replace

import shapely
from shapely.geometry import GeometryCollection, LineString, MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry

from api.cql2.errors import Cql2Error, Position, within
from api.cql2.nodes import Box, Geometry
from api.cql2.terms import Reading, Term

#: The relations that PostGIS has for collections.
COLLECTIONS = {"s_intersects", "s_disjoint"}
#: So many positions are united at once; the time goes with their square.
UNITED = 200


def shape(node: Geometry | Box, reading: Reading) -> BaseGeometry:
    """Return a literal geometry in the plane of those that are stored, without heights.

    Raises:
        Cql2Error: it cannot be transformed, or it is not valid: then relations have no meaning.
    """
    if isinstance(node, Box):
        return _box(node, reading)
    value = _transformed(shapely.force_2d(node.value), reading, node.at)
    if not value.is_valid:
        reason = shapely.is_valid_reason(value)
        raise Cql2Error(f"This geometry is not valid: {reason}.", node.at)
    return value


def spread(op: str, term: Term) -> Term:
    """Return `term`; a literal collection as the one geometry that its parts make together.

    Raises:
        Cql2Error: they make none, and PostGIS has no such relation for what is mixed.
    """
    value = term.value
    if op in COLLECTIONS or not isinstance(value, GeometryCollection):
        return term
    most = f"positions in a collection for {op.upper()}"
    within(most, int(shapely.get_num_coordinates(value)), UNITED, term.at)
    together = shapely.unary_union(value)
    if isinstance(together, GeometryCollection):
        raise Cql2Error(
            f"{op.upper()} takes no collection of points, lines and areas apart; join them by OR.",
            term.at,
        )
    return replace(term, value=together)


def _box(node: Box, reading: Reading) -> BaseGeometry:
    """Return a box, be it but a line or a point; west of the antimeridian and east of it, two.

    In an upright system the corners are transformed, and are the corners again: so axes can be
    swapped. In another the area is.
    """
    half = len(node.corners) // 2
    corners: list[BaseGeometry] = [Point(node.corners[i : i + 2]) for i in (0, half)]
    if reading.upright:
        corners = [_transformed(corner, reading, node.at) for corner in corners]
    (west, south), (east, north) = (corner.coords[0] for corner in corners)
    if south > north or (west > east and not reading.upright):
        raise Cql2Error("A BBOX begins with its lower corner.", node.at)
    if west > east:
        return MultiPolygon([box(west, south, 180, north), box(-180, south, east, north)])
    if (west, south) == (east, north):
        area = corners[0]
    elif west == east or south == north:
        area = LineString([(west, south), (east, north)])
    else:
        area = box(west, south, east, north)
    return area if reading.upright else _transformed(area, reading, node.at)


def _transformed(value: BaseGeometry, reading: Reading, at: Position) -> BaseGeometry:
    if reading.transform is None:
        return value
    try:
        moved = reading.transform(value)
        finite = bool(moved.is_empty is False and all(map(_finite, moved.bounds)))
    except (ValueError, ArithmeticError, shapely.errors.ShapelyError) as error:
        raise Cql2Error(f"This geometry cannot be read: {error}.", at) from None
    if not finite:
        raise Cql2Error("This geometry cannot be read: it is out of reach.", at)
    return moved


def _finite(number: float) -> bool:
    return abs(number) < float("inf")
