"""Countries and their first-level divisions as ground: what lies where."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
from geopy.distance import geodesic
from shapely import MultiPolygon, Point, Polygon, STRtree

from geo.topology import Unit, counter_clockwise, world

Ground = Polygon | MultiPolygon

#: A point this close to land counts as on it: the coast is a line of 1:10,000,000, rounded.
COAST_KM = 5.0

#: The key of no unit.
NOWHERE = -1


def units() -> tuple[Unit, ...]:
    """Return all units, in the order of their keys."""
    return world().units


def units_of(country: str) -> tuple[Unit, ...]:
    """Return the units of a country, by ISO 3166-1 alpha-3; none for a code without ground.

    >>> sorted(unit.code for unit in units_of("LBN"))
    ['LB-AS', 'LB-BA', 'LB-BI', 'LB-JA', 'LB-JL', 'LB-NA']
    """
    return tuple(units()[key] for key in _keys().get(country, ()))


def unit_ground(key: int) -> Ground:
    """Return the ground of one unit."""
    return world().ground(key)


@cache
def country_ground(country: str) -> Ground:
    """Return the ground of a country, its units dissolved.

    >>> country_ground("JOR").contains(Point(35.93, 31.95))
    True

    Raises:
        LookupError: no ground is known under that code.
    """
    keys = _keys().get(country)
    if keys is None:
        raise LookupError(f"no ground is known for {country!r}")
    return dissolved([unit_ground(key) for key in keys])


@cache
def region_ground(keys: str) -> Ground:
    """Return the ground of several units together, by their keys with blanks between them."""
    return dissolved([unit_ground(int(key)) for key in keys.split()])


def dissolved(grounds: Sequence[Ground]) -> Ground:
    """Return the union of grounds that may share outlines; its outline is counter-clockwise."""
    try:
        whole = shapely.coverage_union_all(grounds)
    except shapely.GEOSException:  # where Natural Earth's outlines cross, the slow way
        whole = shapely.union_all(grounds)
    if not shapely.is_valid(whole):
        whole = shapely.union_all(grounds)
    if not isinstance(whole, Polygon | MultiPolygon):
        raise TypeError(whole.geom_type)
    return counter_clockwise(whole)


def unit_at(longitude: float, latitude: float) -> Unit | None:
    """Return the unit in which a point lies; None at sea, more than `COAST_KM` off.

    >>> unit_at(42.44, 33.80).code, unit_at(0.0, 0.0)
    ('IQ-AN', None)
    """
    (key,) = keys_at([longitude], [latitude])
    return None if key == NOWHERE else units()[int(key)]


def keys_at(longitudes: Iterable[float], latitudes: Iterable[float]) -> npt.NDArray[np.int64]:
    """Return for each point the key of the unit in which it lies, or `NOWHERE`."""
    points = np.array(shapely.points(_floats(longitudes), _floats(latitudes)))
    found = np.full(len(points), NOWHERE, dtype=np.int64)
    indices, keys = _tree().query(points)
    if len(keys):
        near = np.array([unit_ground(int(key)) for key in keys], dtype=object)
        inside = shapely.intersects(near, points[indices])
        # The last of several wins the assignment: turned round, so that the first key does.
        found[indices[inside][::-1]] = keys[inside][::-1]
    for index in np.flatnonzero(found == NOWHERE):
        found[index] = _by_the_coast(points[index])
    return found


def _floats(numbers: Iterable[float]) -> npt.NDArray[np.float64]:
    return np.array(list(numbers), dtype=float)


def _by_the_coast(point: Point) -> int:
    height = COAST_KM / 110.6
    width = height / max(0.01, np.cos(np.radians(point.y)))
    reach = shapely.box(point.x - width, point.y - height, point.x + width, point.y + height)
    best, nearest_km = NOWHERE, COAST_KM
    for key in sorted(_tree().query(reach)):
        shore = _nearest(unit_ground(int(key)), point)
        far_km = geodesic((point.y, point.x), (shore.y, shore.x)).km
        if far_km < nearest_km:
            best, nearest_km = int(key), far_km
    return best


def _nearest(ground: Ground, point: Point) -> Point:
    if ground.is_empty:
        return Point(point.x + 180 if point.x < 0 else point.x - 180, 0)
    return Point(shapely.get_coordinates(shapely.shortest_line(ground, point))[0])


@cache
def _keys() -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for unit in units():
        keys.setdefault(unit.country, []).append(unit.key)
    return keys


@cache
def _tree() -> STRtree:
    """Index the boxes, so that ground is built only where somebody asks."""
    boxes = world().boxes
    return STRtree(shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]))
