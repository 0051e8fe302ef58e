"""Land borders, as the arcs that the topology gives to both sides: exact by construction.

What is exact is the topology, not the ground: Natural Earth's lines are up to about 2 km off, and
about 10 % shorter than surveyed ones, because bends are missing. Jordan and Syria share 342 km
here and 379 km in the World Factbook.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
from geopy.distance import ELLIPSOIDS
from shapely import LineString, MultiLineString

from geo.areas import country_ground, units_of
from geo.topology import world

#: How far a border may lie from the true one.
ERROR_KM = 2.0

Line = LineString | MultiLineString


@dataclass(frozen=True, slots=True)
class Border:
    """The line between two grounds; its length is geodesic, and about 10 % short."""

    line: Line
    length_km: float
    error_km: float = ERROR_KM


@cache
def border(one: str, other: str) -> Border | None:
    """Return the land border of two countries (ISO 3166-1 alpha-3); None: they share none.

    Neighbours across a strait or a river mouth share none. Several parts are possible.

    >>> jordan_syria = border("JOR", "SYR")
    >>> jordan_syria.line.geom_type, round(jordan_syria.length_km, -1)
    ('LineString', 340.0)
    >>> border("CYP", "LBN") is None
    True

    Raises:
        LookupError: no ground is known for one of the codes.
    """
    for code in (one, other):
        country_ground(code)
    if one > other:  # one line, whichever is named first
        return border(other, one)
    return between(_keys(one), _keys(other))


def neighbours(country: str) -> tuple[str, ...]:
    """Return the countries that share a land border with `country`, sorted.

    >>> neighbours("JOR")
    ('IRQ', 'ISR', 'PSE', 'SAU', 'SYR')
    """
    country_ground(country)
    return _neighbours().get(country, ())


def between(one: Iterable[int], other: Iterable[int]) -> Border | None:
    """Return the line between two sets of units; None where they do not touch along one."""
    ours = {arc for key in one for arc in world().arcs_of(key)}
    theirs = {arc for key in other for arc in world().arcs_of(key)}
    arcs = sorted(ours & theirs)
    if not arcs:
        return None
    line = joined([LineString(world().corners(arc)) for arc in arcs])
    return Border(line=line, length_km=length_km(line))


def parts(line: Line) -> list[LineString]:
    """Return the lines of which a line is made."""
    return [line] if isinstance(line, LineString) else list(line.geoms)


def length_km(line: Line) -> float:
    """Return the geodesic length of a line.

    >>> round(length_km(LineString([(36, 32), (36, 33)])), 1)
    110.9
    """
    return float(sum(_steps_km(shapely.get_coordinates(part)).sum() for part in parts(line)))


def _steps_km(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the distances of neighbouring corners, by Lambert's formula: some metres off in all.

    Many at once: geopy's own measure would take seconds for the borders of the world.
    """
    major, _, flattening = ELLIPSOIDS["WGS-84"]
    east, north = np.radians(corners).T
    reduced = np.arctan((1 - flattening) * np.tan(north))
    middle, half = (reduced[1:] + reduced[:-1]) / 2, (reduced[1:] - reduced[:-1]) / 2
    across = np.cos(reduced[1:]) * np.cos(reduced[:-1]) * np.sin(np.diff(east) / 2) ** 2
    square = np.sin(half) ** 2 + across
    angle = 2 * np.arcsin(np.sqrt(square))
    along = (angle - np.sin(angle)) * (np.sin(middle) * np.cos(half)) ** 2 / (1 - square)
    upright = (angle + np.sin(angle)) * (np.cos(middle) * np.sin(half)) ** 2 / square
    return np.asarray(major * (angle - flattening / 2 * (along + upright)))


def joined(lines: Iterable[LineString]) -> Line:
    """Return lines joined where they meet; the parts longest first, as GEOS promises no order."""
    merged = shapely.line_merge(MultiLineString(list(lines)))
    if isinstance(merged, LineString):
        return merged
    found: list[LineString] = [part for part in merged.geoms if isinstance(part, LineString)]
    found.sort(key=lambda part: (-part.length, part.bounds))
    return MultiLineString(found)


def _keys(country: str) -> list[int]:
    return [unit.key for unit in units_of(country)]


@cache
def _neighbours() -> dict[str, tuple[str, ...]]:
    owners: dict[int, set[str]] = {}
    for unit in world().units:
        for arc in world().arcs_of(unit.key):
            owners.setdefault(arc, set()).add(unit.country)
    found: dict[str, set[str]] = {}
    for countries in owners.values():
        for country in countries:
            found.setdefault(country, set()).update(countries - {country})
    return {country: tuple(sorted(others)) for country, others in found.items()}
