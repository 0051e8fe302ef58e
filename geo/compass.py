"""Directions and distances: winds, bearings, sectors, strips, and parts of areas."""

from math import atan2, cos, degrees, radians, sin

import shapely
from geopy.distance import geodesic
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon
from shapely.affinity import scale
from shapely.geometry.base import BaseGeometry

Ground = Polygon | MultiPolygon

WINDS = (
    *("north", "north-north-east", "north-east", "east-north-east"),
    *("east", "east-south-east", "south-east", "south-south-east"),
    *("south", "south-south-west", "south-west", "west-south-west"),
    *("west", "west-north-west", "north-west", "north-north-west"),
)

#: A ring is cut off here at most; the corners of a long line are set this far apart.
_STEP_KM = 50.0


def bearing_degrees(start: Point, end: Point) -> float:
    """Return the direction of the great circle from one point to another, clockwise from north.

    >>> round(bearing_degrees(Point(44.4, 33.3), Point(44.4, 34.0)))
    0
    """
    from_latitude, to_latitude = radians(start.y), radians(end.y)
    east = radians(end.x - start.x)
    across = sin(east) * cos(to_latitude)
    along = cos(from_latitude) * sin(to_latitude) - sin(from_latitude) * cos(to_latitude) * cos(
        east
    )
    return degrees(atan2(across, along)) % 360


def wind(bearing: float) -> str:
    """Return the nearest of the 16 winds.

    >>> wind(0), wind(44), wind(350)
    ('north', 'north-east', 'north')
    """
    return WINDS[round(bearing / 22.5) % 16]


def apart_km(one: Point, other: Point) -> float:
    """Return the geodesic distance.

    >>> round(apart_km(Point(0, 0), Point(0, 1)), 1)
    110.6
    """
    return float(geodesic((one.y, one.x), (other.y, other.x)).km)


def ahead(start: Point, bearing: float, distance_km: float) -> Point:
    """Return the point that lies so far away in that direction."""
    end = geodesic(kilometers=distance_km).destination((start.y, start.x), bearing)
    return Point(end.longitude, end.latitude)


def sector(  # noqa: PLR0913, PLR0917 - a sector has that many sides
    centre: Point, bearing: float, half_angle: float, near_km: float, far_km: float, step: float = 5
) -> Polygon:
    """Return the ground seen from `centre` between two bearings and two distances.

    Not for the poles and the antimeridian, where it would have to be cut.

    >>> sector(Point(40, 35), 0, 22.5, 30, 50).contains(ahead(Point(40, 35), 10, 40))
    True
    """
    count = max(2, round(2 * half_angle / step))
    bearings = [bearing - half_angle + 2 * half_angle * i / count for i in range(count + 1)]
    outer = [ahead(centre, angle, far_km) for angle in bearings]
    inner = [ahead(centre, angle, near_km) for angle in bearings] if near_km > 0 else [centre]
    return Polygon([*outer, *reversed(inner)])


def strip(line: LineString | MultiLineString, width_km: float) -> Ground:
    """Return the ground within about `width_km` of a line (to some percent, in latitudes below 70).

    Each short piece of the line is widened in a plane of its own, where a degree of longitude is
    as long as a degree of latitude; one plane for a long line would bend it.
    """
    wide = width_km / 110.9
    pieces = []
    for part in shapely.get_parts(shapely.segmentize(line, _STEP_KM / 110.9)):
        corners = shapely.get_coordinates(part)
        for start in range(0, max(1, len(corners) - 1), 8):
            piece = LineString(corners[start : start + 9])
            squeeze = cos(radians((piece.bounds[1] + piece.bounds[3]) / 2))
            flat = scale(piece, xfact=squeeze, yfact=1, origin=(0, 0))
            pieces.append(scale(flat.buffer(wide, quad_segs=4), 1 / squeeze, 1, origin=(0, 0)))
    return _ground(shapely.union_all(pieces))


#: The part of an area in a direction: the bearing in which it lies.
_BEARINGS = {name: 22.5 * place for place, name in enumerate(WINDS)}


def part(ground: Ground, direction: str) -> Ground:
    """Return the part of an area that lies in one direction, or its centre.

    `north`, `east` and so on: the six tenths of the area that lie farthest in that direction. Not
    the half, because people mean more: Gao is in northern Mali, and south of the line that halves
    it. `north-east` and the like: four tenths. `centre`: the four tenths nearest to the centroid.

    >>> south = part(shapely.box(30, 10, 34, 20), "south")
    >>> [round(edge) for edge in south.bounds]
    [30, 10, 34, 16]
    """
    if direction == "centre":
        return _centre(ground)
    bearing = radians(_BEARINGS[direction])
    share = 0.6 if _BEARINGS[direction] % 90 == 0 else 0.4
    middle = (ground.bounds[1] + ground.bounds[3]) / 2
    # Areas are compared on a plane with true proportions in the middle of the area.
    flat = scale(ground, xfact=cos(radians(middle)), yfact=1, origin=(0, 0))
    kept = _beyond(flat, (sin(bearing), cos(bearing)), share)
    return _ground(scale(kept, xfact=1 / cos(radians(middle)), yfact=1, origin=(0, 0)))


def _beyond(flat: Ground, towards: tuple[float, float], share: float) -> Ground:
    """Return the `share` of a plane area that lies farthest in one direction."""
    along, up = towards
    west, south, east, north = flat.bounds
    reach = east - west + north - south + 1
    centre = ((west + east) / 2, (south + north) / 2)
    nearest, farthest = -reach, reach
    kept: BaseGeometry = flat
    for _ in range(24):
        cut = (nearest + farthest) / 2
        x, y = centre[0] + along * cut, centre[1] + up * cut
        side = Polygon(
            [
                (x - up * reach, y + along * reach),
                (x + up * reach, y - along * reach),
                (x + up * reach + along * 2 * reach, y - along * reach + up * 2 * reach),
                (x - up * reach + along * 2 * reach, y + along * reach + up * 2 * reach),
            ]
        )
        kept = shapely.intersection(flat, side)
        if abs(kept.area - share * flat.area) < 0.001 * flat.area:
            break
        if kept.area > share * flat.area:
            nearest = cut
        else:
            farthest = cut
    return _ground(kept)


def _centre(ground: Ground) -> Ground:
    """Return the four tenths of an area that lie nearest to its centroid."""
    squeeze = cos(radians((ground.bounds[1] + ground.bounds[3]) / 2))
    flat = scale(ground, xfact=squeeze, yfact=1, origin=(0, 0))
    least, most = 0.0, flat.length
    kept: BaseGeometry = flat
    for _ in range(40):
        radius = (least + most) / 2
        kept = shapely.intersection(flat, flat.centroid.buffer(radius))
        if abs(kept.area - 0.4 * flat.area) < 0.001 * flat.area:
            break
        least, most = (least, radius) if kept.area > 0.4 * flat.area else (radius, most)
    return _ground(scale(kept, xfact=1 / squeeze, yfact=1, origin=(0, 0)))


def _ground(shape: BaseGeometry) -> Ground:
    """Return the areas of a shape, without the lines and points that a cut leaves."""
    parts = [one for one in shapely.get_parts(shape) if isinstance(one, Polygon)]
    parts += [
        inner
        for one in shapely.get_parts(shape)
        for inner in shapely.get_parts(one)
        if isinstance(inner, Polygon) and not isinstance(one, Polygon)
    ]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
