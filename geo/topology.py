"""The admin-1 units of the world as one topology: what two units share is the same arc."""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import MultiPolygon, Polygon

#: A corner of the grid to which the shapes are rounded is this far from the next, at most.
GRID_KM = 0.4

#: A ring of a polygon, as numbers of arcs; a negative number is the arc `~number` backwards.
Ring = list[int]


@dataclass(frozen=True, slots=True)
class Unit:
    """A first-level division of a country, or the whole of a country that has none.

    `code` is ISO 3166-2 where it has one; it ends in `~` where it has none. Two units may have
    the same code (Natural Earth cuts some in parts), so `key` is what identifies.
    """

    key: int
    country: str
    code: str
    name: str
    arabic: str
    alternatives: tuple[str, ...]
    kind: str
    geonames: str


class Topology:
    """Arcs, and the units as rings of arcs; ground is built when it is asked for, and kept."""

    def __init__(self, document: dict[str, Any]) -> None:
        arcs = document["arcs"]
        lengths = np.fromiter(map(len, arcs), dtype=np.int64, count=len(arcs))
        steps = np.fromiter(
            chain.from_iterable(chain.from_iterable(arcs)), dtype=np.int64, count=2 * lengths.sum()
        ).reshape(-1, 2)
        scale, shift = (np.array(document["transform"][key]) for key in ("scale", "translate"))
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        # One running sum over all arcs, from which each arc takes off what came before it.
        sums = np.cumsum(steps, axis=0)
        before = sums[starts] - steps[starts]
        corners = (sums - np.repeat(before, lengths, axis=0)) * scale + shift
        self._arcs = np.split(corners, starts[1:])
        least, most = (
            ufunc.reduceat(corners, starts, axis=0) for ufunc in (np.minimum, np.maximum)
        )
        geometries = document["objects"]["admin1"]["geometries"]
        self.units = tuple(_unit(key, row["properties"]) for key, row in enumerate(geometries))
        self._shapes: list[list[list[Ring]]] = [_polygons(row) for row in geometries]
        outlines = [np.array(self.arcs_of(unit.key), dtype=np.int64) for unit in self.units]
        self.boxes = np.array(
            [
                (*least[arcs].min(axis=0), *most[arcs].max(axis=0)) if len(arcs) else [np.nan] * 4
                for arcs in outlines
            ]
        )
        self._grounds: dict[int, Polygon | MultiPolygon] = {}

    def arcs_of(self, key: int) -> list[int]:
        """Return the numbers of the arcs around a unit, without their direction."""
        rings = chain.from_iterable(self._shapes[key])
        return [max(number, ~number) for number in chain.from_iterable(rings)]

    def corners(self, arc: int) -> npt.NDArray[np.float64]:
        """Return the corners of an arc, as rows of longitude and latitude."""
        return self._arcs[arc]

    def ground(self, key: int) -> Polygon | MultiPolygon:
        """Return the ground of a unit; it is empty for islets below the grid."""
        if key not in self._grounds:
            self._grounds[key] = self._build(key)
        return self._grounds[key]

    def _build(self, key: int) -> Polygon | MultiPolygon:
        parts = []
        for rings in self._shapes[key]:
            outline, *holes = [self._ring(ring) for ring in rings]
            if len(outline) >= 4:
                parts.append(Polygon(outline, [hole for hole in holes if len(hole) >= 4]))
        whole = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        if not shapely.is_valid(whole):  # rounding makes a few narrow places touch themselves
            mended = shapely.get_parts(shapely.make_valid(whole, method="structure"))
            whole = MultiPolygon([part for part in mended if isinstance(part, Polygon)])
        whole = counter_clockwise(whole)
        shapely.prepare(whole)
        return whole

    def _ring(self, ring: Ring) -> npt.NDArray[np.float64]:
        arcs = [self._arcs[n] if n >= 0 else self._arcs[~n][::-1] for n in ring]
        return np.concatenate([arcs[0], *(arc[1:] for arc in arcs[1:])])


def counter_clockwise(ground: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """Return ground with its outlines counter-clockwise and its holes clockwise, as in RFC 7946."""
    turned = shapely.orient_polygons(ground)
    if not isinstance(turned, Polygon | MultiPolygon):
        raise TypeError(turned.geom_type)
    return turned


@cache
def world() -> Topology:
    """Read the topology; once per process, in about half a second."""
    packed = files("geo").joinpath("data", "admin1.topojson.gz").read_bytes()
    return Topology(json.loads(gzip.decompress(packed)))


def _unit(key: int, known: dict[str, str]) -> Unit:
    return Unit(
        key=key,
        country=known["country"],
        code=known["code"],
        name=known["name"],
        arabic=known["ar"],
        alternatives=tuple(name for name in known["alt"].split("|") if name),
        kind=known["type"],
        geonames=known["geonames"],
    )


def _polygons(row: dict[str, Any]) -> list[list[Ring]]:
    arcs: list[Any] = row.get("arcs", [])
    return [arcs] if row["type"] == "Polygon" else arcs
