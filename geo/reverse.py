"""Points to places: the country, the division and the nearest town of a point."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import shapely
from geopy.distance import EARTH_RADIUS
from shapely import STRtree

from geo.areas import NOWHERE, keys_at, units
from geo.compass import wind
from geo.topology import Unit

_ALL = "SELECT number, longitude, latitude FROM place WHERE kind = 'settlement' ORDER BY number"
_POPULATION = "SELECT population FROM place WHERE number = ?"
_ONE = "SELECT name, country, id FROM place WHERE number = ?"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a point lies; the bearing goes from the town to the point: "12 km north of it"."""

    country: str | None
    unit: Unit | None
    town: str
    town_country: str | None
    town_id: str
    distance_km: float
    bearing: float
    wind: str

    @property
    def phrase(self) -> str:
        """The place in words, as a report would put it."""
        if self.distance_km < 1:
            return self.town
        return f"{self.distance_km:,.0f} km {self.wind} of {self.town}"


class Towns:
    """The settlements of an index file as points, in memory from the first question on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()

    def close(self) -> None:
        """Close the file; the next question for a name opens it again."""
        with self._lock:
            if "_index" in vars(self):
                self._index.close()
                del self._index

    def whereabouts(self, longitude: float, latitude: float) -> Whereabouts:
        """Return where a point lies."""
        return self.whereabouts_of([longitude], [latitude])[0]

    def whereabouts_of(
        self, longitudes: Iterable[float], latitudes: Iterable[float]
    ) -> list[Whereabouts]:
        """Return where many points lie: some ten times as fast as one by one."""
        east, north = (np.array(list(axis), dtype=float) for axis in (longitudes, latitudes))
        keys = keys_at(east, north)
        nearest, far_km = self._nearest(east, north)
        ids, town_east, town_north = self._points
        ids = ids[nearest]
        bearings = _bearings(town_east[nearest], town_north[nearest], east, north)
        named = self._names({int(town) for town in ids})
        return [
            Whereabouts(
                country=units()[int(key)].country if key != NOWHERE else None,
                unit=units()[int(key)] if key != NOWHERE else None,
                town=named[int(town)][0],
                town_country=named[int(town)][1],
                town_id=named[int(town)][2],
                distance_km=round(float(far), 1),
                bearing=round(float(bearing), 1),
                wind=wind(float(bearing)),
            )
            for key, town, far, bearing in zip(keys, ids, far_km, bearings, strict=True)
        ]

    def population_at(self, longitude: float, latitude: float, within_km: float) -> int | None:
        """Return the population of the nearest town; 0: unknown; None: no town is that near."""
        (town,), (far_km,) = self._nearest(np.array([longitude]), np.array([latitude]))
        if far_km > within_km:
            return None
        with self._lock:
            row = self._index.execute(_POPULATION, [int(self._points[0][town])]).fetchone()
        return int(row[0])

    def _nearest(self, east: Floats, north: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return index and distance of the nearest town of each point.

        The nearest in degrees gives a distance that the nearest in kilometres can't exceed; all
        towns within it are then measured.
        """
        ids, town_east, town_north = self._points
        guess = self._tree.nearest(shapely.points(east, north))
        bound = _apart_km(east, north, town_east[guess], town_north[guess]) + 0.01
        high = np.degrees(bound / EARTH_RADIUS)
        wide = high / np.maximum(0.01, np.cos(np.radians(np.minimum(89.9, abs(north) + high))))
        # Each box once more to the east and to the west: it may reach over the antimeridian.
        boxes = [
            shapely.box(east + turn - wide, north - high, east + turn + wide, north + high)
            for turn in (0, 360, -360)
        ]
        asked, towns = self._tree.query(np.concatenate(boxes))
        asked %= len(east)
        far = _apart_km(east[asked], north[asked], town_east[towns], town_north[towns])
        order = np.lexsort((ids[towns], far, asked))
        _, first = np.unique(asked[order], return_index=True)
        best = order[first]
        return towns[best], far[best]

    def _names(self, ids: Iterable[int]) -> dict[int, tuple[str, str | None, str]]:
        """Return name and country of towns: read when asked for, not held in memory."""
        with self._lock:
            return {town: self._index.execute(_ONE, [town]).fetchone() for town in ids}

    @cached_property
    def _index(self) -> sqlite3.Connection:
        uri = f"file:{self.path}?mode=ro&immutable=1"
        return sqlite3.connect(uri, uri=True, check_same_thread=False)

    @cached_property
    def _points(self) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        with self._lock:
            rows = np.array(self._index.execute(_ALL).fetchall())
        return rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2]

    @cached_property
    def _tree(self) -> STRtree:
        _, east, north = self._points
        return STRtree(np.array(shapely.points(east, north)))


def _apart_km(east: Floats, north: Floats, other_east: Floats, other_north: Floats) -> Floats:
    one, other = np.radians(north), np.radians(other_north)
    across = np.sin(np.radians(other_east - east) / 2) ** 2
    chord = np.sin((other - one) / 2) ** 2 + np.cos(one) * np.cos(other) * across
    return np.asarray(2 * EARTH_RADIUS * np.arcsin(np.sqrt(chord)))


def _bearings(east: Floats, north: Floats, to_east: Floats, to_north: Floats) -> Floats:
    start, end, turn = np.radians(north), np.radians(to_north), np.radians(to_east - east)
    across = np.sin(turn) * np.cos(end)
    along = np.cos(start) * np.sin(end) - np.sin(start) * np.cos(end) * np.cos(turn)
    return np.asarray(np.degrees(np.arctan2(across, along)) % 360)
