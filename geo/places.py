"""All places of an index, with their ground: what a database of places is loaded from."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import shapely
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

from geo import borders, ids
from geo.areas import country_ground, region_ground, unit_ground, units
from geo.candidates import Kind
from geo.countries import countries
from geo.lines import whole_border
from geo.precision import Precision

#: What is told how far a long work has come: the stage, and the share that is done.
Progress = Callable[[str, float], None]

Shape = Polygon | MultiPolygon | LineString | MultiLineString

#: How many places are read at once.
_STRIDE = 5_000

_ROWS = """SELECT p.longitude, p.latitude, p.id, p.kind, p.name, a.names, p.country, u.name,
    p.population, p.precision, p.uncertainty_km, p.reference
    FROM place p JOIN alias a ON a.place = p.number
    LEFT JOIN unit u ON u.key = p.unit
    WHERE (p.kind IN ('settlement', 'site')) = ? ORDER BY p.number"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a database would keep it.

    `id` is explained in geo/ids.py. `kind` is one of `Kind`, or "border". `names` are the other
    names: at most 50, of at most 200 characters. `country` is an alpha-3 code, None for what lies
    in several or in none; `countries` are all that it lies in, or the two that a border parts.
    `admin1` is the name of the division, for a division its own. `population` is None where
    GeoNames knows none, and for anything but a settlement.

    `point` is (longitude, latitude); no part of the ground is farther from it than
    `uncertainty_km`. `shape` is the ground of an area, valid and counter-clockwise, or the line
    of a border; None for settlements and sites: theirs is the circle of `uncertainty_km`.
    """

    id: str
    kind: str
    name: str
    names: tuple[str, ...]
    country: str | None
    countries: tuple[str, ...]
    admin1: str | None
    population: int | None
    precision: Precision
    uncertainty_km: float
    point: Point
    shape: Shape | None


def all_places(index: Path, progress: Progress = lambda _stage, _share: None) -> Iterator[Place]:
    """Yield every place of an index file, and every land border: the areas and lines first.

    The order is the same each time, and few are in memory at once.
    """
    yield from all_areas(index)
    yield from all_spots(index, progress)


def all_areas(index: Path) -> Iterator[Place]:
    """Yield the places that have a shape: countries, divisions and regions, then the borders."""
    for some in _read(index, spots=False):
        yield from some
    yield from all_borders()


def all_spots(index: Path, progress: Progress = lambda _stage, _share: None) -> Iterator[Place]:
    """Yield the places that are a point and what lies around it: settlements and sites."""
    with closing(sqlite3.connect(f"file:{index}?mode=ro&immutable=1", uri=True)) as rows:
        (total,) = rows.execute("SELECT count(*) FROM place").fetchone()
    done = 0
    for some in _read(index, spots=True):
        progress("places", done / total)
        yield from some
        done += len(some)
    progress("done", 1.0)


def _read(index: Path, *, spots: bool) -> Iterator[list[Place]]:
    with closing(sqlite3.connect(f"file:{index}?mode=ro&immutable=1", uri=True)) as rows:
        found = rows.execute(_ROWS, [spots])
        while some := found.fetchmany(_STRIDE):
            # One by one, the points would take half of the time.
            points = shapely.points([row[:2] for row in some])
            yield [_place(row, point) for row, point in zip(some, points, strict=True)]


def all_outlines() -> Iterator[Shape]:
    """Yield the grounds of the divisions and of the countries, without an index of names."""
    grounds = chain(
        (unit_ground(unit.key) for unit in units() if unit.name), map(country_ground, countries())
    )
    yield from (ground for ground in grounds if not ground.is_empty)


def all_borders() -> Iterator[Place]:
    """Yield the land border of every two countries that share one, by their codes."""
    for one in sorted(countries()):
        for other in borders.neighbours(one):
            if one < other:
                yield _border(one, other)


def _place(row: tuple[Any, ...], point: Point) -> Place:
    _, _, place_id, kind, name, names, country, admin1, population, precision, far, known = row
    return Place(
        id=place_id,
        kind=kind,
        name=name,
        names=tuple(names.split("\n")) if names else (),
        country=country,
        countries=_nations(known) if kind == Kind.REGION else (country,) if country else (),
        admin1=admin1,
        population=population or None,
        precision=Precision(precision),
        uncertainty_km=far,
        point=point,
        shape=_shape(kind, known),
    )


def _shape(kind: str, reference: str) -> Shape | None:
    match kind:
        case Kind.COUNTRY:
            return country_ground(reference)
        case Kind.ADMIN1:
            return unit_ground(int(reference))
        case Kind.REGION:
            return region_ground(reference)
    return None


def _nations(reference: str) -> tuple[str, ...]:
    return tuple(sorted({units()[int(key)].country for key in reference.split()}))


def _border(one: str, other: str) -> Place:
    fix = whole_border(one, other)
    names = [countries()[code].name for code in (one, other)]
    line = fix.footprint
    if not isinstance(line, LineString | MultiLineString):
        raise TypeError(line.geom_type)
    return Place(
        id=ids.border_id(one, other),
        kind="border",
        name=f"{names[0]}–{names[1]} border",
        names=(f"{names[1]}–{names[0]} border",),
        country=None,
        countries=(one, other),
        admin1=None,
        population=None,
        precision=fix.precision,
        uncertainty_km=fix.uncertainty_km,
        point=fix.point,
        shape=line,
    )
