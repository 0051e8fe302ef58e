"""Synthetic events, as many as wanted, with everything that makes real ones hard to search.

Places and dates depend on one another, dates lean to the recent, towns differ in size a
hundredfold, whole provinces stand on one point, and what is not known exactly lasts. A seed decides
everything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

NAMESPACE = UUID("51c0ffee-0000-4000-8000-000000000000")
LAST_DAY = date(2025, 6, 30)
#: Nothing ever happens here.
EMPTY_BOX = (70.0, -42.0, 95.0, -15.0)
TYPES = ["Battles", "Explosions/Remote violence", "Violence against civilians", "Protests", "Riots"]
STANCES = ["confirms"] * 12 + ["claims"] * 5 + ["denies", "disputes", None]
# fmt: off
WORDS = [
    "the", "a", "of", "in", "near", "by", "and", "at", "on", "from", "after", "before",
    "about", "several", "some", "two", "three", "eleven", "forty", "unnamed", "armed", "men",
    "fighters", "soldiers", "villagers", "residents", "police", "convoy", "checkpoint",
    "outpost", "road", "bridge", "market", "school", "clinic", "river", "border", "district",
    "province", "mortar", "rocket", "drone", "artillery", "ambush", "raid", "patrol", "clash",
    "exchange", "fire", "shelling", "attack", "killed", "wounded", "abducted", "released",
    "displaced", "destroyed", "damaged", "reported", "said", "according", "to", "local",
    "media", "sources", "officials", "spokesman", "confirmed", "denied", "claimed", "later",
    "morning", "evening", "night", "Friday", "Monday", "during", "following",
]
# fmt: on


@dataclass(frozen=True)
class Theatre:
    """A country with a share of the events, between two days."""

    country: str
    box: tuple[float, float, float, float]
    share: float
    first: date
    last: date = LAST_DAY
    protests: float = 0.05

    @property
    def centre(self) -> tuple[float, float]:
        """The point on which the events are put that are known to no province."""
        west, south, east, north = self.box
        return round((west + east) / 2, 6), round((south + north) / 2, 6)


UKRAINE = Theatre("UKR", (22.1, 44.4, 40.2, 52.3), 20, date(2014, 2, 20), protests=0.001)
SRI_LANKA = Theatre("LKA", (79.6, 5.9, 81.9, 9.8), 4, date(1989, 1, 3), date(2009, 5, 18))
IRAQ = Theatre("IRQ", (38.8, 29.1, 48.5, 37.3), 12, date(2003, 3, 20))
LEBANON = Theatre("LBN", (35.1, 33.1, 36.6, 34.6), 1, date(1989, 1, 2), protests=0.4)
ICELAND = Theatre("ISL", (-24.0, 63.4, -13.6, 66.5), 0.02, date(2018, 1, 6), protests=1)
THEATRES = [
    UKRAINE,
    Theatre("SYR", (35.7, 32.4, 42.3, 37.2), 17, date(2011, 3, 15)),
    IRAQ,
    Theatre("AFG", (60.6, 29.5, 74.8, 38.4), 12, date(1989, 1, 1)),
    Theatre("SDN", (22.0, 9.6, 38.4, 21.9), 6, date(2003, 2, 26)),
    Theatre("YEM", (43.0, 12.7, 53.0, 18.9), 6, date(2009, 8, 11)),
    Theatre("NGA", (2.8, 4.4, 14.5, 13.8), 6, date(2009, 7, 26), protests=0.2),
    Theatre("IND", (68.3, 8.2, 97.2, 35.4), 6, date(1989, 1, 1), protests=0.7),
    SRI_LANKA,
    Theatre("COD", (12.3, -13.3, 31.2, 5.3), 4, date(1996, 10, 18)),
    Theatre("COL", (-78.9, -4.1, -67.0, 12.3), 3, date(1989, 1, 4)),
    LEBANON,
    Theatre("PER", (-81.2, -18.2, -68.8, -0.2), 1, date(1989, 1, 1), date(2000, 12, 4)),
    Theatre("FJI", (177.3, -18.2, 179.9, -16.2), 0.2, date(2000, 5, 19), protests=0.8),
    ICELAND,
]
#: A day of thousands of events in one country.
INVASION = date(2022, 2, 24)


@dataclass
class World:
    """The places and the names that the events of one seed are drawn from.

    `grounds` are the shapes that events share, as WKT; an event has the number of one, from 1.
    """

    random: Random
    towns: dict[str, list[dict[str, Any]]] = field(init=False)
    countries: dict[str, int] = field(init=False)
    grounds: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.grounds = [_border(UKRAINE)]
        self.countries = {t.country: self._ground(_ring(*t.box)) for t in THEATRES}
        self.towns = {t.country: self._towns(t) for t in THEATRES}

    def _ground(self, shape: str) -> int:
        self.grounds.append(shape)
        return len(self.grounds)

    def _towns(self, theatre: Theatre) -> list[dict[str, Any]]:
        """Return the towns of a country, around the centres of its provinces."""
        west, south, east, north = theatre.box
        provinces = []
        for n in range(8):
            x, y = self.random.uniform(west, east), self.random.uniform(south, north)
            provinces.append((f"{theatre.country} Province {n}", round(x, 6), round(y, 6)))
        towns = []
        for n in range(30 + int(40 * theatre.share)):
            admin1, x, y = provinces[int(8 * self.random.random() ** 1.5)]
            x = min(max(self.random.gauss(x, (east - west) / 20), west), east)
            y = min(max(self.random.gauss(y, (north - south) / 20), south), north)
            district = f"{admin1}, district {self.random.randrange(6)}"
            town = {
                "place_name": f"{theatre.country} town {n}",
                "admin1": admin1,
                "admin2": district,
            }
            point = f"SRID=4326;POINT({x:.6f} {y:.6f})"
            around = _ring(x - 0.05, y - 0.05, x + 0.05, y + 0.05) if n % 3 else None
            town |= {"geo_precision": "settlement", "footprint": around, "ground": None}
            towns.append(town | {"geom": point})
        for admin1, x, y in provinces:
            wide, high = (east - west) / 6, (north - south) / 6
            town = {
                "place_name": admin1,
                "admin1": admin1,
                "admin2": None,
                "geo_precision": "admin1",
                "footprint": None,
                "ground": self._ground(_ring(x - wide, y - high, x + wide, y + high)),
            }
            towns.append(town | {"geom": f"SRID=4326;POINT({x} {y})"})
        return towns


def _ring(west: float, south: float, east: float, north: float) -> str:
    """Return an area with eight corners, without the corners of its box, as WKT."""
    x, y = (east - west) / 4, (north - south) / 4
    corners = [(west + x, south), (east - x, south), (east, south + y), (east, north - y)]
    corners += [(east - x, north), (west + x, north), (west, north - y), (west, south + y)]
    text = ",".join(f"{x:.6f} {y:.6f}" for x, y in [*corners, corners[0]])
    return f"SRID=4326;POLYGON(({text}))"


def _border(theatre: Theatre) -> str:
    """Return the western edge of a country, as WKT."""
    west, south, _, north = theatre.box
    middle = (south + north) / 2
    return f"SRID=4326;LINESTRING({west} {south},{west - 0.2} {middle},{west} {north})"


def events(
    number: int, seed: int = 1, world: World | None = None, coarse: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Yield `number` events, in no order of place or time.

    The share `coarse` of them is known to no more than a country, beside those of any such world.
    """
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    world = world or World(random)
    shares = [t.share for t in THEATRES]
    for n, theatre in enumerate(random.choices(THEATRES, shares, k=number)):
        yield {
            "id": uuid5(NAMESPACE, str(n)),
            "source_id": str(n),
            "source_release": "25.1",
            **_what(random, theatre),
            **_when(random, theatre),
            **_where(random, theatre, world, coarse),
            **_toll(random),
            "visibility": "restricted" if random.random() < 0.01 else "public",
            "doomed": random.random() < 0.005,
        }


def _what(random: Random, theatre: Theatre) -> dict[str, Any]:
    protest = random.random() < theatre.protests
    kind = random.choices(TYPES[:3], [5, 3, 2])[0] if not protest else random.choice(TYPES[3:])
    sides = [_actor(random, theatre) for _ in range(1 if random.random() < 0.2 else 2)]
    day = theatre.last.isoformat()
    return {
        "dataset": "acled" if kind in TYPES[3:] else "ucdp-ged",
        "event_type": kind,
        "sub_event_type": f"{kind}, kind {random.randrange(5)}",
        "notes": " ".join(random.choices(WORDS, k=48)).capitalize() + ".",
        "actors": Jsonb([{"name": n, "role": "party"} for n in sides]),
        "reports": Jsonb(
            [
                {
                    "publisher": f"Paper {int(200 * random.random() ** 3)}",
                    "published_on": day,
                    "stance": random.choice(STANCES),
                }
                for _ in range(1 + int(3 * random.random() ** 3))
            ]
        ),
    }


def _actor(random: Random, theatre: Theatre) -> str:
    """Return a name: of an army, a movement in many countries, or one of thousands of groups."""
    draw = random.random()
    if draw < 0.4:
        return f"Military Forces of {theatre.country}"
    if draw < 0.5 and theatre.country not in {"UKR", "COL", "PER", "LKA"}:
        return "IS"
    return f"Group {int(6000 ** random.random())}"


def _when(random: Random, theatre: Theatre) -> dict[str, Any]:
    span = (theatre.last - theatre.first).days
    starts = theatre.last - timedelta(days=int((span + 1) * random.random() ** 1.5))
    if theatre is UKRAINE and random.random() < 0.05:
        starts = INVASION
    draw = random.random()
    if draw < 0.84:
        return _dates(starts, starts, "day")
    if draw < 0.985:
        return _dates(starts, starts + timedelta(days=random.randint(2, 30)), "days")
    if draw < 0.995:
        return _dates(date(starts.year, 1, 1), date(starts.year, 12, 31), "year")
    return _dates(starts if draw < 0.999 else None, None, "open")


def _dates(starts: date | None, ends: date | None, precision: str) -> dict[str, Any]:
    return {"starts_on": starts, "ends_on": ends, "date_precision": precision}


def _where(random: Random, theatre: Theatre, world: World, coarse: float) -> dict[str, Any]:
    draw, towns = random.random(), world.towns[theatre.country]
    nowhere = {"place_name": None, "admin1": None, "admin2": None, "footprint": None}
    if draw < 0.004:
        place = {**nowhere, "geo_precision": None, "ground": None, "geom": None}
    elif theatre is UKRAINE and draw < 0.01:
        west, south, _, north = theatre.box
        point = f"SRID=4326;POINT({west - 0.2} {(south + north) / 2})"
        place = {**nowhere, "geo_precision": "linear", "ground": 1, "geom": point}
    elif draw < 0.03 or random.random() < coarse:
        x, y = theatre.centre
        ground = world.countries[theatre.country]
        place = {**nowhere, "place_name": theatre.country, "geo_precision": "country"}
        place |= {"ground": ground, "geom": f"SRID=4326;POINT({x} {y})"}
    elif draw < 0.12:
        place = towns[-1 - int(8 * random.random() ** 2)]  # a province, on one point
    else:
        place = towns[int((len(towns) - 8) * random.random() ** 2.5)]
    return {"country": theatre.country, **place}


def _toll(random: Random) -> dict[str, Any]:
    if random.random() < 0.25:
        return {"fatalities_low": None, "fatalities_best": None, "fatalities_high": None}
    best = int(random.paretovariate(1.1)) - 1
    return {
        "fatalities_low": best // 2,
        "fatalities_best": best,
        "fatalities_high": best + int(best * random.random()),
    }


def write(dsn: str, number: int, seed: int = 1, coarse: float = 0.0) -> float:
    """Write `number` synthetic events into a migrated database; return the seconds of the insert.

    They are staged first and go in by one statement, as an import's do. Some are then deleted.
    """
    with psycopg.connect(dsn) as conn:
        insert = stage(conn, number, seed, coarse)
        before = monotonic()
        conn.execute(insert)
        conn.commit()
        seconds = monotonic() - before
        conn.execute("SELECT events_delete(ARRAY(SELECT id FROM staged WHERE doomed))")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE) event, ground, ground_piece")
    return seconds


def stage(conn: psycopg.Connection, number: int, seed: int = 1, coarse: float = 0.0) -> Composed:
    """Put events into a temporary table, `staged`; return the statement that inserts them."""
    columns = [c for c in next(events(1)) if c != "doomed"]
    names = SQL(", ").join(map(Identifier, columns))
    world = World(Random(seed))  # noqa: S311 - repeatable, not secret
    conn.execute("SET timezone = 'UTC'")
    write_grounds(conn, world.grounds)
    conn.execute(SQL("CREATE TEMP TABLE staged AS SELECT {} FROM event").format(names))
    conn.execute("ALTER TABLE staged ADD doomed boolean")
    copying = SQL("COPY staged ({}, doomed) FROM STDIN").format(names)
    with conn.cursor().copy(copying) as copy:
        for event in events(number, seed, world, coarse):
            copy.write_row([event[c] for c in (*columns, "doomed")])
    return SQL("INSERT INTO event ({0}) SELECT {0} FROM staged").format(names)


def write_grounds(conn: psycopg.Connection, shapes: list[str]) -> None:
    """Write shared grounds into a database that has none, numbered from 1."""
    for shape in shapes:
        conn.execute(
            "INSERT INTO ground (digest, geom) VALUES (sha256(%(wkt)s::text::bytea), %(wkt)s)",
            {"wkt": shape},
        )
    conn.execute("INSERT INTO ground_piece SELECT id, is_line, ST_Subdivide(geom, 64) FROM ground")
