"""The ground within a distance of a point, a line or an area, measured on the ellipsoid."""

from math import sqrt

import numpy as np
import numpy.typing as npt
import shapely
from geopy.distance import ELLIPSOIDS
from shapely import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.precision import circle, cut
from geo.topology import counter_clockwise

#: The widest ground: farther out, the planes below bend more than is promised.
WIDEST_KM = 1000

#: A circle around a point has four times as many corners: it is off by less than 1/10,000.
_QUARTER = 64

#: The same for the round corners of a strip, which are flat by half a percent: the radius is
#: stretched by half of that.
_STRIP_QUARTER = 8
_STRETCH = 1.0024

#: An outline is simplified by this part of the radius at most, and mostly by far less.
_COARSE = 1 / 150

#: How long a piece of a line may be that has a plane of its own. GEOS takes longer for longer
#: pieces, as a strip then crosses itself more, and for more of them.
_PIECE_KM = 100.0

#: The most pieces of one shape, straight ones and circles; to put more together takes too long.
_MOST_STEPS, _MOST_CIRCLES = 300_000, 10_000

#: A degree of latitude, nearly.
_DEGREE_KM = 111.2

#: Ground that reaches beyond is made of circles: a plane would soon have the pole inside.
_POLAR = 86.0

#: All meridians meet here; what is a line in degrees is a point.
_AT_POLE = 89.95

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def around(shape: BaseGeometry, radius_km: float) -> Polygon | MultiPolygon:
    """Return the ground within `radius_km` of a shape (longitude, latitude), itself included.

    The edge is as far off as it says to 1 % in latitudes below 75, for a point to 1/10,000. Edges
    of the shape are straight in degrees, as RFC 7946 has them. What crosses the antimeridian is cut
    there, and the outline is counter-clockwise.

    >>> from shapely import LineString
    >>> [round(x, 2) for x in around(LineString([(44, 33), (45, 33)]), 25).bounds]
    [43.73, 32.77, 45.27, 33.23]

    Raises:
        ValueError: the radius is not above 0 and up to 1,000 km, or too small for a shape that is
            so long, or the shape is empty.
    """
    if not 0 < radius_km <= WIDEST_KM:
        raise ValueError(f"a radius of {radius_km} km is not between 0 and {WIDEST_KM}")
    parts = _parts(shape)
    if not parts:
        raise ValueError("nothing lies around an empty shape")
    if len(parts) == 1 and isinstance(parts[0], Point):
        return circle(parts[0], radius_km, _QUARTER)
    grounds: list[BaseGeometry] = []
    lines: list[BaseGeometry] = []
    coarse = radius_km * _COARSE / _DEGREE_KM
    for part in parts:
        if isinstance(part, Point):
            grounds.append(circle(part, radius_km, _QUARTER))
        elif isinstance(part, Polygon):
            area = shapely.simplify(part, coarse)
            grounds.append(area)
            lines += [area.exterior, *area.interiors]
        elif part.length > 0:
            thin = shapely.simplify(part, coarse)
            lines.append(thin if thin.length > 0 else part)
        else:
            grounds.append(circle(Point(part.coords[0]), radius_km, _QUARTER))
    grounds += _strips(lines, radius_km) if lines else []
    return _whole(grounds)


def _parts(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the points, lines and polygons of which a shape is made."""
    if hasattr(shape, "geoms"):
        return [part for one in shape.geoms for part in _parts(one)]
    return [] if shape.is_empty else [shape]


def _strips(lines: list[BaseGeometry], radius_km: float) -> list[BaseGeometry]:
    """Return the ground on both sides of lines, each piece of them in a plane of its own."""
    # Straight in degrees and straight in the plane differ by the square of the length.
    step = 6.4 * sqrt(radius_km) / _DEGREE_KM
    _bounded(sum(line.length for line in lines) / step, _MOST_STEPS)
    corners, owner = _pieces(shapely.segmentize(lines, step))
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    middle = (
        np.minimum.reduceat(corners, starts, axis=0) + np.maximum.reduceat(corners, starts, axis=0)
    ) / 2
    high = np.maximum.reduceat(abs(corners[:, 1]), starts) + radius_km / _DEGREE_KM
    polar = high > _POLAR
    there = polar[owner]
    found = _about(corners[there], owner[there], radius_km)
    corners, owner = corners[~there], owner[~there]
    if len(corners):
        middle = middle[~polar]
        _, owner = np.unique(owner, return_inverse=True)
        flat = shapely.linestrings(_projected(corners, middle[owner]), indices=owner)
        wide = shapely.buffer(flat, _STRETCH * radius_km, quad_segs=_STRIP_QUARTER)
        rim, piece = shapely.get_coordinates(wide, return_index=True)
        found += shapely.get_parts(
            shapely.set_coordinates(wide, _unprojected(rim, middle[piece]))
        ).tolist()
    return found


def _about(corners: Floats, owner: Integers, radius_km: float) -> list[BaseGeometry]:
    """Return circles so close along lines that their rim is nearly straight; for the poles."""
    ends = np.flatnonzero(owner[1:] == owner[:-1])
    at_pole = abs(corners[:, 1]) > _AT_POLE
    places = [(0.0, float(np.sign(y)) * 90) for y in corners[at_pole, 1]]
    step = radius_km / 5 / _DEGREE_KM
    ends = ends[~at_pole[ends] & ~at_pole[ends + 1]]
    counts = (abs(corners[ends + 1] - corners[ends]).max(axis=1) / step).astype(np.int64) + 2
    _bounded(counts.sum(), _MOST_CIRCLES)
    for one, count in zip(ends, counts, strict=True):
        places += map(tuple, np.linspace(corners[one], corners[one + 1], count))
    return [circle(Point(place), radius_km, _STRIP_QUARTER) for place in dict.fromkeys(places)]


def _bounded(number: float, most: int) -> None:
    if number > most:
        raise ValueError("the radius is too small for a shape that is so long")


def _pieces(lines: npt.NDArray[np.object_]) -> tuple[Floats, Integers]:
    """Return the corners of lines, cut into pieces, and the number of each corner's piece.

    A piece ends with the corner with which the next begins.
    """
    corners, line = shapely.get_coordinates(lines, return_index=True)
    steps = np.diff(corners, axis=0, prepend=corners[:1])
    steps[:, 0] *= np.cos(np.radians(corners[:, 1]))
    far_km = np.cumsum(np.hypot(steps[:, 0], steps[:, 1])) * _DEGREE_KM
    first = np.flatnonzero(np.diff(line, prepend=-1))
    along = far_km - np.repeat(far_km[first], np.diff(first, append=len(line)))
    whole = (along // _PIECE_KM).astype(np.int64)
    same = line[1:] == line[:-1]
    new = np.concatenate([[True], ~same | (whole[1:] != whole[:-1])])
    owner = np.cumsum(new) - 1
    shared = np.flatnonzero(new[1:] & same) + 1
    corners = np.insert(corners, shared, corners[shared], axis=0)
    owner = np.insert(owner, shared, owner[shared - 1])
    # A piece of one corner only is the end of a line, which the piece before it has as well.
    kept = np.bincount(owner)[owner] > 1
    _, owner = np.unique(owner[kept], return_inverse=True)
    return corners[kept], owner


def _projected(corners: Floats, middle: Floats) -> Floats:
    """Return corners in kilometres east and north of the middle of their piece.

    Azimuthal and equidistant on a sphere, with the ellipsoid's own scales in the middle.
    """
    turn, north, start = (
        np.radians(axis) for axis in (corners[:, 0] - middle[:, 0], corners[:, 1], middle[:, 1])
    )
    sideways = np.sin(turn / 2) ** 2
    chord = np.sin((north - start) / 2) ** 2 + np.cos(start) * np.cos(north) * sideways
    angle = 2 * np.arcsin(np.sqrt(np.minimum(1, chord)))
    stretch = np.where(angle > 0, angle / np.where(angle > 0, np.sin(angle), 1), 1)
    across, upright = _scales(start)
    east = stretch * np.cos(north) * np.sin(turn) * across
    up = stretch * (np.sin(north - start) + 2 * np.sin(start) * np.cos(north) * sideways) * upright
    return np.column_stack([east, up])


def _unprojected(flat: Floats, middle: Floats) -> Floats:
    """Return longitude and latitude; the longitude may leave -180..180."""
    start = np.radians(middle[:, 1])
    across, upright = _scales(start)
    east, up = flat[:, 0] / across, flat[:, 1] / upright
    angle = np.hypot(east, up)
    share = np.sinc(angle / np.pi)  # sin(angle) / angle
    north = np.arcsin(np.clip(np.cos(angle) * np.sin(start) + up * share * np.cos(start), -1, 1))
    turn = np.arctan2(east * share, np.cos(start) * np.cos(angle) - up * share * np.sin(start))
    return np.column_stack([middle[:, 0] + np.degrees(turn), np.degrees(north)])


def _scales(latitudes: Floats) -> tuple[Floats, Floats]:
    """Return the radii of curvature to the east and to the north, in kilometres."""
    major, _, flattening = ELLIPSOIDS["WGS-84"]
    square = flattening * (2 - flattening)
    bend = 1 - square * np.sin(latitudes) ** 2
    return major / np.sqrt(bend), major * (1 - square) / bend**1.5


def _whole(grounds: list[BaseGeometry]) -> Polygon | MultiPolygon:
    array = np.array(grounds, dtype=object)
    broken = ~shapely.is_valid(array)
    array[broken] = shapely.make_valid(array[broken], method="structure", keep_collapsed=False)
    bounds = shapely.bounds(array)
    out = (bounds[:, 0] < -180) | (bounds[:, 2] > 180)
    array[out] = [cut(one) for one in array[out]]
    whole = shapely.union_all(array)
    if isinstance(whole, Polygon | MultiPolygon):
        return counter_clockwise(whole)
    return MultiPolygon([part for part in shapely.get_parts(whole) if isinstance(part, Polygon)])
