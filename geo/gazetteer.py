"""Names to places: every place that a name may mean, ranked, with the reasons for its rank."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from geopy import point
from geopy.geocoders.base import Geocoder
from geopy.location import Location

from geo.candidates import SAME_KM, Candidate, Kind, apart_km, candidate, nearer, town_first
from geo.countries import country_named
from geo.names import fold, romanised
from geo.reverse import Towns
from geo.spelling import distance, grams

#: Shorter names are one letter from too many others: Laiza from Taiz.
SHORTEST = 6

_BY_KEY = """SELECT p.id, p.kind, p.name, p.country, p.unit, p.longitude, p.latitude, p.population,
    p.precision, p.uncertainty_km, p.reference, u.name, n.main, n.key
    FROM name n JOIN place p ON p.number = n.place
    LEFT JOIN unit u ON u.key = p.unit WHERE n.key = ?"""

_BY_ID = """SELECT p.id, p.kind, p.name, p.country, p.unit, p.longitude, p.latitude, p.population,
    p.precision, p.uncertainty_km, p.reference, u.name, 0, ''
    FROM place p LEFT JOIN unit u ON u.key = p.unit WHERE p.id = ?"""

_BY_GRAMS = "SELECT key FROM gram WHERE gram MATCH ? LIMIT 5000"

_COMMA = re.compile(r"\s*[,،]\s*")


class Gazetteer(Geocoder):  # type: ignore[misc]
    """A geopy geocoder over an index file (`geo.index.build`) that never uses the network.

    `Gazetteer(path).candidates("Tripoli")` has the one of Libya first and the one of Lebanon
    second, and `verdict` says that they are ambiguous.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(scheme="https")
        self.path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []

    def geocode(  # noqa: PLR0913 - geopy's signature, and ours beside it
        self,
        query: str,
        *,
        exactly_one: bool = False,
        timeout: object = None,  # noqa: ARG002 - geopy hands it to every geocoder
        country: str | None = None,
        focus: tuple[float, float] | None = None,
        limit: int = 10,
        typos: bool = True,
    ) -> Location | list[Location] | None:
        """Return the places that `query` may mean, best first; None: there is none.

        `exactly_one` returns the best even where it is not clear: ask `verdict` first.
        """
        found = self.candidates(query, country=country, focus=focus, limit=limit, typos=typos)
        places = [
            Location(one.label, (one.latitude, one.longitude), {"candidate": one}) for one in found
        ]
        if not places:
            return None
        return places[0] if exactly_one else places

    def reverse(
        self,
        query: Any,
        *,
        exactly_one: bool = True,
        timeout: object = None,  # noqa: ARG002 - geopy hands it to every geocoder
    ) -> Location | list[Location]:
        """Return the nearest town of a point (latitude, longitude), as "12 km north of X"."""
        where = point.Point(query)
        found = self.towns.whereabouts(where.longitude, where.latitude)
        place = Location(found.phrase, where, {"whereabouts": found})
        return place if exactly_one else [place]

    @cached_property
    def towns(self) -> Towns:
        """The towns of the index, to find where a point lies."""
        return Towns(self.path)

    def candidates(  # noqa: PLR0913 - each is a choice of the caller
        self,
        query: str,
        *,
        country: str | None = None,
        focus: tuple[float, float] | None = None,
        kinds: Iterable[Kind] | None = None,
        limit: int = 10,
        typos: bool = True,
    ) -> list[Candidate]:
        """Return the places that `query` may mean, best first.

        `query` is a name, or a name and what contains it: "Rutba, Anbar, Iraq". `country` is an
        alpha-3 code; `focus` (longitude, latitude) lets nearer places lead.
        """
        whole = self._named(query, typos=False)
        name, *containers = [part for part in _COMMA.split(query) if part] or [""]
        found = whole if whole or not containers else self._named(name, typos=False)
        fits = self._fitting(country, kinds, () if whole else containers)
        kept = [one for one in found if fits(one)]
        if typos and not kept:
            kept = [one for one in self._named(name, typos=True) if fits(one)]
        if not whole and containers:
            kept = [
                replace(one, reasons=(*one.reasons, "in " + ", ".join(containers))) for one in kept
            ]
        if focus:
            kept = [nearer(one, focus) for one in kept]
        kept.sort(key=lambda one: (-one.score, one.kind, one.reference))
        return town_first(kept)[:limit]

    def place(self, place_id: str) -> Candidate:
        """Return the place of an id (geo/ids.py); borders are no part of the index.

        Raises:
            LookupError: no place has that id.
        """
        row = self._index.execute(_BY_ID, [place_id]).fetchone()
        if row is None:
            raise LookupError(f"no place has the id {place_id!r}")
        return candidate(row, "by its id", 0.0)

    def close(self) -> None:
        """Close the connections of all threads; nobody may be asking any more."""
        while self._open:
            self._open.pop().close()
        self._local = threading.local()
        if "towns" in vars(self):
            self.towns.close()

    def _fitting(
        self, country: str | None, kinds: Iterable[Kind] | None, containers: Sequence[str]
    ) -> Callable[[Candidate], bool]:
        wanted = frozenset(kinds or Kind)
        tests = [self.inside(container) for container in containers]

        def fits(one: Candidate) -> bool:
            return (
                one.kind in wanted
                and (country is None or one.country == country)
                and all(test(one) for test in tests)
            )

        return fits

    def inside(self, container: str) -> Callable[[Candidate], bool]:
        """Return a test for lying in a country, a division, a region or near a town."""
        alpha3 = country_named(container)
        around = [one for one in self._named(container, typos=False) if one.kind != Kind.COUNTRY]
        keys = {one.unit for one in around if one.kind is Kind.ADMIN1}
        keys |= {int(k) for one in around if one.kind is Kind.REGION for k in one.reference.split()}
        towns = [one for one in around if one.kind is Kind.SETTLEMENT][:20]

        def holds(one: Candidate) -> bool:
            if (alpha3 and one.country == alpha3) or (one.unit is not None and one.unit in keys):
                return True
            return any(apart_km(one, town) <= SAME_KM for town in towns)

        return holds

    def _named(self, name: str, *, typos: bool) -> list[Candidate]:
        key = fold(name)
        if typos:
            return self._misspelt(key)
        found = self._rows(key, "")
        if roman := romanised(name):
            known = {one.id for one in found}
            others = self._rows(roman, "romanised")
            found += [one for one in others if one.id not in known]
        return found

    def _rows(self, key: str, how: str, penalty: float = 0.0) -> list[Candidate]:
        return [candidate(row, how, penalty) for row in self._index.execute(_BY_KEY, [key])]

    def _misspelt(self, key: str) -> list[Candidate]:
        if len(key) < SHORTEST:
            return []
        allowed = 1 if len(key) < 9 else 2
        letters = frozenset(key)
        near: dict[str, int] = {}
        for pattern in grams(key, allowed):
            for (other,) in self._index.execute(_BY_GRAMS, [pattern]):
                if (
                    abs(len(other) - len(key)) <= allowed
                    and other not in near
                    and len(letters.symmetric_difference(other)) <= 2 * allowed
                ):
                    near[other] = distance(key, other, allowed)
        best: dict[str, Candidate] = {}
        for other, errors in sorted(near.items(), key=lambda pair: (pair[1], pair[0])):
            if errors <= allowed:
                how = f"{errors} letter(s) off"
                for right in self._rows(other, how, 0.2 * errors + 0.1):
                    one = replace(right, errors=errors)
                    known = best.setdefault(one.id, one)
                    if one.score > known.score:
                        best[one.id] = one
        return list(best.values())

    @property
    def _index(self) -> sqlite3.Connection:
        """One connection a thread: sqlite3 wants that, and the pages are shared all the same."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"file:{self.path}?mode=ro&immutable=1"
            # Only close() reaches over to another thread's connection.
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._local.connection = connection
            self._open.append(connection)
        return connection
