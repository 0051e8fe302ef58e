"""Regions in which something is looked for: a box, the surroundings of a place, a country."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import shapely
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

#: Neighbours share a line, on which nothing can be told apart: an area has to reach this far into
#: another to be in it. 50 m, below what any border of the gazetteer is good for.
SLACK_DEGREES = 0.0005

#: A region is cut for an index into pieces, until their boxes are half full or they are so many.
MOST_PIECES = 16
FULL = 0.5

_DIMENSIONS = ((Polygon, MultiPolygon), (LineString, MultiLineString), (Point, MultiPoint))


@dataclass(frozen=True)
class Region:
    """A part of the earth's surface in longitude and latitude, closed, of any dimension.

    `parts` make it up: a geometry for areas, one for lines, one for points, as far as there are
    such (a box may be no more than a point). `named` tells that somebody asked for a place, and
    not just for a window of a map.
    """

    parts: tuple[BaseGeometry, ...]
    named: bool = False
    rectangle: bool = field(default=False, compare=False)

    @classmethod
    def of_boxes(cls, boxes: Iterable[tuple[float, float, float, float]]) -> "Region":
        """Return the union of boxes (west, south, east, north), which may be lines or points."""
        made = [_box(*box) for box in boxes]
        areas = [one for one in made if isinstance(one, Polygon)]
        return cls(tuple(_parts(made)), rectangle=len(areas) == len(made) == 1)

    @classmethod
    def of_ground(cls, ground: BaseGeometry) -> "Region":
        """Return the region that a geometry covers."""
        return cls(tuple(_parts([ground])), named=True)

    @classmethod
    def of_window(cls, ground: BaseGeometry) -> "Region":
        """Return the region that a geometry covers, as a window of a map; it may be nothing."""
        return cls(tuple(_parts([ground])))

    def __and__(self, other: "Region") -> "Region":
        """Return what two regions have in common; it may be nothing."""
        common = [shapely.intersection(one, two) for one in self.parts for two in other.parts]
        return Region(tuple(_parts(common)), named=self.named or other.named)

    @cached_property
    def area(self) -> BaseGeometry:
        """The areas of the region, in which things can lie wholly; empty if it has none."""
        return next((p for p in self.parts if isinstance(p, Polygon | MultiPolygon)), Polygon())

    @cached_property
    def inner(self) -> BaseGeometry:
        """The region without a rim of `SLACK_DEGREES`; all of it where it is too thin for that."""
        inner = shapely.buffer(self.area, -SLACK_DEGREES, join_style="mitre")
        return inner if not inner.is_empty else self.whole

    @cached_property
    def outer(self) -> BaseGeometry:
        """The region with a rim of `SLACK_DEGREES`."""
        return shapely.buffer(self.whole, SLACK_DEGREES, quad_segs=1, join_style="mitre")

    @cached_property
    def whole(self) -> BaseGeometry:
        """The region as one geometry."""
        return self.parts[0] if len(self.parts) == 1 else shapely.union_all(self.parts)

    @cached_property
    def pieces(self) -> tuple[BaseGeometry, ...]:
        """The region in pieces with boxes that fit closely; they may share their edges."""
        pieces = [piece for part in self.parts for piece in shapely.get_parts(part)]
        if len(pieces) > MOST_PIECES:
            pieces = list(self.parts)
        while len(pieces) < MOST_PIECES:
            loose = max(pieces, key=_waste, default=None)
            if loose is None or _waste(loose) <= 0:
                break
            pieces.remove(loose)
            pieces += _halves(loose)
        return tuple(pieces)


def _box(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Return a box, as a line or a point where it has no extent: in such an area nothing lies."""
    if west == east and south == north:
        return Point(west, south)
    if west == east or south == north:
        return LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def _parts(geometries: Sequence[BaseGeometry]) -> Iterable[BaseGeometry]:
    """Yield the union of the areas, of the lines and of the points of some geometries."""
    simple = [
        one
        for geometry in geometries
        for part in shapely.get_parts(geometry)
        for one in shapely.get_parts(part)  # a collection may hold multi-geometries
        if not one.is_empty
    ]
    for kinds in _DIMENSIONS:
        alike = [one for one in simple if isinstance(one, kinds)]
        if alike:
            yield alike[0] if len(alike) == 1 else shapely.union_all(alike)


def _waste(piece: BaseGeometry) -> float:
    """Return the area of a piece's box that is not in it; nothing if the box is full enough."""
    box = shapely.box(*piece.bounds).area
    return 0.0 if box == 0 or piece.area == 0 or piece.area > FULL * box else box - piece.area


def _halves(piece: BaseGeometry) -> list[BaseGeometry]:
    """Cut a piece across the longer side of its box."""
    west, south, east, north = piece.bounds
    if east - west > north - south:
        middle = (west + east) / 2
        boxes = [(west, south, middle, north), (middle, south, east, north)]
    else:
        middle = (south + north) / 2
        boxes = [(west, south, east, middle), (west, middle, east, north)]
    cut = [shapely.intersection(piece, shapely.box(*box)) for box in boxes]
    return [one for half in cut for one in _parts([half]) if one.area]
