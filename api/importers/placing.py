"""Events on the ground: what their sources leave open, out of the gazetteer.

What a source says is never changed: a place is looked up where it gives no coordinates, a country
where it names none, a footprint by the precision it has coded. What contradicts itself is reported.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import shapely
from geopy.exc import GeopyError
from shapely import Point
from shapely.geometry.base import BaseGeometry

from api import geocoders
from api.db import Connection, Lent, reading
from api.gazetteer import Names, NoGazetteerError, grounds, version
from api.geocoding import GEOCODER, uncertainty_km
from api.importers.store import Incoming
from api.settings import Settings
from geo import index
from geo.areas import country_ground, unit_at
from geo.candidates import Candidate, Verdict
from geo.compass import apart_km
from geo.countries import countries
from geo.expressions import Unplaced
from geo.geocoders import Cascade
from geo.lookup import Fix
from geo.precision import Precision
from geo.topology import Unit

#: A point this far outside the country that is stated contradicts it: borders are 2 km off here,
#: and towns that lie on one are coded on either side.
ASTRAY_KM = 10.0
EXAMPLES = 5

#: The precisions at which a point tells the division it lies in, and those at which the country.
_IN_DIVISION = {None, Precision.EXACT, Precision.SETTLEMENT, Precision.NEAR, Precision.ADMIN2}
_IN_COUNTRY = {*_IN_DIVISION, Precision.ADMIN1, Precision.COUNTRY, Precision.AREA}

Event = dict[str, Any]


@dataclass
class Remarks:
    """What there is to say of the places of an import: how often, with the first examples."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: The last name that may mean several places, with these.
    doubt: tuple[str, list[Candidate]] | None = None

    def add(self, kind: str, source_id: str, text: str = "") -> None:
        """Take down one remark on an event."""
        self.counts[kind] += 1
        shown = self.examples.setdefault(kind, [])
        if text and len(shown) < EXAMPLES:
            shown.append((source_id, text))


class Placing:
    """Completes the places of events; `grounds` are the shared shapes that the database has."""

    def __init__(
        self, names: Names, grounds: Mapping[str, int], cascade: Cascade | None = None
    ) -> None:
        self.remarks = Remarks()
        self._names = names
        self._grounds = grounds
        self._cascade = cascade
        self._fixed = lru_cache(20_000)(self._fix)
        self._stray = lru_cache(50_000)(_astray)

    @classmethod
    @contextmanager
    def of(cls, conn: Connection, path: Path, settings: Settings) -> Iterator[Self]:
        """Give what completes places out of the gazetteer whose names are in the file `path`.

        The geocoders of the settings are asked as well. What they say is remembered whatever
        becomes of the transaction of `conn`, which can be busy with the rows meanwhile.

        Raises:
            NoGazetteerError: the file or the database has none, or that of another version.
        """
        names = Names(path).known
        if version(conn) != index.version():
            raise NoGazetteerError("No places are known here: run `hudna gazetteer load`.")
        with _others(settings) as asked:
            yield cls(names, grounds(conn), asked)

    def placed(self, incoming: Incoming) -> Incoming:
        """Return an event with what can be known of its place."""
        event = dict(incoming.event)
        if event.get("geom") is None:
            self._look_up(event)
        else:
            event["geom"] = point = _point(event["geom"])
            self._surround(event, point)
            self._compare(event, point)
        if event.get("footprint") is None and event.get("ground") is None:
            self._stand(event)
        return Incoming(event, incoming.file, incoming.line, incoming.row)

    def _look_up(self, event: Event) -> None:
        """Give an event without coordinates those of the place that its source names."""
        text = described(event)
        if text is None:
            return
        found = self._fixed(text, event.get("country"))
        if isinstance(found, str):
            self._ask_others(event, text, found)
            return
        if found.ambiguous:
            others = ", ".join(one.label for one in found.candidates[:3])
            self.remarks.add("ambiguous", event["source_id"], f"{text}: {others}")
            self.remarks.doubt = (text, list(found.candidates))
            return
        self.remarks.add("placed by name", event["source_id"])
        event |= {
            "geom": found.point,
            "geo_precision": event.get("geo_precision") or found.precision.value,
            "uncertainty_km": found.uncertainty_km,
            "geocoder": GEOCODER,
            "country": event.get("country") or found.country,
            "admin1": event.get("admin1") or found.admin1,
        }
        if found.id and found.id in self._grounds:
            event["ground"] = self._grounds[found.id]
        else:
            event["footprint"] = found.footprint

    def _ask_others(self, event: Event, text: str, why: str) -> None:
        found = []
        if self._cascade is not None:
            try:
                found = geocoders.places(self._cascade, text)
            except GeopyError as error:
                why = f"{why}; {error}"
        if not found:
            self.remarks.add("not found", event["source_id"], why)
            return
        best = found[0]
        self.remarks.add(f"placed by {best.geocoder}", event["source_id"])
        event |= {
            "geom": Point(best.longitude, best.latitude),
            "uncertainty_km": uncertainty_km(best),
            "geocoder": best.geocoder,
        }
        if best.bounds:
            event["footprint"] = shapely.box(*best.bounds)

    def _surround(self, event: Event, point: Point) -> None:
        """Name the country and the division of a point, where its source does not."""
        precision = event.get("geo_precision")
        if event.get("country") and event.get("admin1"):
            return
        unit = _unit(point.x, point.y)
        if unit is None:
            return
        if not event.get("country") and precision in _IN_COUNTRY:
            event["country"] = unit.country
            self.remarks.add("given a country", event["source_id"])
        mine = event.get("country") == unit.country
        if not event.get("admin1") and mine and unit.name and precision in _IN_DIVISION:
            event["admin1"] = unit.name
            self.remarks.add("given a division", event["source_id"])

    def _compare(self, event: Event, point: Point) -> None:
        """Report a point that lies outside the country that its source states."""
        country = event.get("country")
        if country and event.get("geo_precision") in _IN_COUNTRY:
            why = self._stray(point.x, point.y, country)
            if why:
                self.remarks.add("outside their country", event["source_id"], why)

    def _stand(self, event: Event) -> None:
        """Give an event the ground that its precision stands for."""
        precision = event.get("geo_precision")
        if precision is None:
            return
        found = self._names.footprints.of(
            Precision(precision),
            point=event.get("geom"),
            country=event.get("country"),
            admin1=event.get("admin1"),
            place_name=event.get("place_name"),
        )
        if found is None:
            return
        if found.place is None:
            event["footprint"] = found.shape
        elif found.place in self._grounds:
            event["ground"] = self._grounds[found.place]
        if event.get("uncertainty_km") is None:
            event["uncertainty_km"] = found.uncertainty_km

    def _fix(self, text: str, country: str | None) -> Fix | str:
        """Return where a text is, or why it is nowhere."""
        try:
            found = self._names.quick_fixer.fix(text, country=country)
        except Unplaced as error:
            return str(error)
        return found if found.verdict is not Verdict.UNKNOWN else f"no place called {text!r}"


@contextmanager
def _others(settings: Settings) -> Iterator[Cascade | None]:
    """Give the geocoders of the settings, if there are any, over a connection of their own.

    Places are asked for while that of the import is in the middle of a COPY: there it takes no
    other statement, and who sends one waits for ever.
    """
    if not settings.geocoders:
        yield None
        return
    with reading(settings.database_url) as conn:
        yield geocoders.cascade(
            Lent(conn), settings.geocoders, settings.user_agent, settings.geocoder_pause_s
        )


def described(event: Event) -> str | None:
    """Return the place of an event in words, as far as its source has any."""
    if event.get("place_name"):
        return str(event["place_name"])
    land = countries().get(event.get("country") or "")
    division = event.get("admin2") or event.get("admin1")
    parts = [division, event.get("admin1"), land.name if land else None]
    return ", ".join(dict.fromkeys(filter(None, parts))) or None


def _point(geometry: BaseGeometry | str) -> Point:
    """Return the point of an event, which may come as WKT."""
    found = shapely.from_wkt(geometry) if isinstance(geometry, str) else geometry
    if not isinstance(found, Point):
        raise TypeError(found.geom_type)
    return found


@lru_cache(50_000)
def _unit(longitude: float, latitude: float) -> Unit | None:
    return unit_at(longitude, latitude)


def _astray(longitude: float, latitude: float, country: str) -> str:
    """Return how far a point lies outside a country, in words; nothing if it does not."""
    unit = _unit(longitude, latitude)
    if unit is None or unit.country == country or country not in countries():
        return ""
    ground, point = country_ground(country), Point(longitude, latitude)
    if ground.is_empty:
        return ""
    shore = Point(shapely.get_coordinates(shapely.shortest_line(ground, point))[0])
    far_km = apart_km(shore, point)
    if far_km <= ASTRAY_KM:
        return ""
    here, there = countries()[unit.country].name, countries()[country].name
    return f"{latitude:g}, {longitude:g} lies in {here}, {far_km:,.0f} km from {there}"
