"""ACLED's exports, as CSV and as JSON of its API. The mapping: docs/guides/acled.md."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import IO, Any

from api.importers.acled_codes import (
    INTER,
    disorder_types,
    event_type,
    inter_code,
)
from api.importers.cells import Cells, latest_day, pieces, read_day
from api.importers.objects import Objects, cells
from api.importers.rejections import Rejections
from api.importers.store import Incoming
from api.importers.table import Row, rows
from geo.countries import alpha3_of_numeric, countries, country_named
from geo.precision import from_acled

DATASET = "acled"

#: A file without these says too little of its events; every other column may be missing.
REQUIRED = ("event_id_cnty", "event_date", "event_type", "latitude", "longitude")
#: A row without these is no event.
NEEDED = ("event_id_cnty", "event_date", "event_type")

EARLIEST = date(1997, 1, 1)  # where ACLED begins
#: By time_precision: what it is called, and how many days before and after it may have been.
DATE_PRECISIONS = {1: ("day", 0), 2: ("week", 6), 3: ("month", 15)}

#: What differs between the rows in which a monadic export has an event, once for each actor.
SIDES = ("actor{}", "assoc_actor_{}", "inter{}")
NUMBERS_OF_ROWS = {"data_id"}

_DAY_FIRST = re.compile(r"(\d{1,2})[-/ ](\d{1,2}|[A-Za-z]+)[-/ ](\d{4})", re.ASCII)


def read(
    stream: IO[bytes], file: str, release: str | None, rejections: Rejections
) -> Iterator[Incoming]:
    """Yield the events of an export; the rows that are bad go to `rejections`.

    Raises:
        FormatError: it is no such export.
    """
    latest = latest_day()
    seen: set[bytes] = set()
    for row in _rows(stream, REQUIRED):
        event = {} if row.faults else _event(row, release, latest)
        if row.faults:
            rejections.add(file, row.line, row.cells.get("event_id_cnty", ""), row.faults)
        elif (sides := _whoever(row)) in seen:
            rejections.passed["of an event that a row before it has told of"] += 1
        else:
            seen.add(sides)
            yield Incoming(event, file, row.line, row.cells)


def withdrawn(stream: IO[bytes], file: str, rejections: Rejections) -> Iterator[str]:
    """Yield the ids that ACLED's list of deletions has.

    Raises:
        FormatError: it is no such list.
    """
    for row in _rows(stream, ("event_id_cnty",)):
        source_id = row.cells.get("event_id_cnty", "").strip()
        if not source_id:
            Cells(row.cells, row.faults).blame("event_id_cnty", "is empty")
        if row.faults:
            rejections.add(file, row.line, source_id, row.faults)
        else:
            yield source_id


def _rows(stream: IO[bytes], required: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of CSV, or of JSON: what the API answers, or a bare list."""
    start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    stream.seek(0)
    if start[:1] not in {b"{", b"["}:
        yield from rows(stream, required=required)
        return
    for line, found in Objects(stream, "data", verbatim=True):
        yield cells(line, found)


def _event(row: Row, release: str | None, latest: date) -> dict[str, Any]:
    """Return the event of a row; what is wrong with it is added to the row's faults."""
    cells = Cells(row.cells, row.faults)
    for column in NEEDED:
        if cells.text(column) is None:
            cells.blame(column, "is empty")
    kind = event_type(cells.text("event_type") or "", cells.text("sub_event_type") or "")
    if kind is None and cells.text("event_type"):
        cells.blame("event_type", "is no type of event that ACLED has or had")
    inter = [_inter(cells, column) for column in ("inter1", "inter2")]
    dead = cells.whole("fatalities")
    return {
        "source_id": cells.text("event_id_cnty"),
        "source_release": release,
        "event_type": kind,
        "sub_event_type": cells.text("sub_event_type"),
        "notes": cells.text("notes"),
        "tags": _tags(cells, inter),
        "actors": _actors(cells, inter, attack=kind == "Violence against civilians"),
        **_when(cells, latest),
        **_where(cells),
        "fatalities_best": dead or None,
        "reports": [_report(name) for name in pieces(cells.text("source"))],
    }


def _inter(cells: Cells, column: str) -> int | None:
    """Return what kind an actor is of, as a code; 0 is nobody."""
    text = cells.text(column)
    if text is None:
        return None
    code = inter_code(text)
    if code is None:
        cells.blame(column, "is no kind of actor: they are 0 to 8, or their names")
    return code


def _tags(cells: Cells, inter: list[int | None]) -> list[str]:
    """Return the codes by which events are looked for, and ACLED's own tags."""
    first, second = inter
    found: list[tuple[str, Any]] = [
        ("disorder_type", name) for name in disorder_types(cells.text("disorder_type"))
    ]
    found += [("inter1", first or None), ("inter2", second or None)]
    if first:
        low, high = sorted([first, second]) if second else (first, 0)
        found.append(("interaction", f"{low}{high}"))
    for column in ("assoc_actor_1", "assoc_actor_2"):
        found += [(column, name) for name in pieces(cells.text(column))]
    columns = ("geo_precision", "time_precision", "source_scale")
    found += [(column, cells.text(column)) for column in columns]
    if cells.text("fatalities") == "0":
        found.append(("fatalities", "0"))
    tags = [f"acled:{key}={value}" for key, value in found if value is not None]
    if cells.text("civilian_targeting"):
        tags.append("acled:civilian_targeting")
    tags += [f"acled:{tag}" for tag in pieces(cells.text("tags"))]
    return list(dict.fromkeys(tags))


def _actors(cells: Cells, inter: list[int | None], *, attack: bool) -> list[dict[str, str]]:
    """Return the two sides; ACLED says who began only where civilians were attacked."""
    roles = ("initiator", "target") if attack else ("party", "party")
    return [
        {"name": name, "role": "civilians" if INTER.get(code or 0) == "Civilians" else role}
        for column, code, role in zip(("actor1", "actor2"), inter, roles, strict=True)
        if (name := cells.text(column))
    ]


def _when(cells: Cells, latest: date) -> dict[str, Any]:
    """Return the days between which it happened, made of the one day that ACLED gives."""
    like = "2018-03-09, 09 March 2018 or 09-03-2018"
    day = cells.day("event_date", EARLIEST, latest, read=_read_day, like=like)
    code = cells.whole("time_precision", 1, 3)
    precision, days = DATE_PRECISIONS[code] if code else (None, 0)
    around = timedelta(days=days)
    return {
        "starts_on": day and day - around,
        "ends_on": day and day + around,
        "date_precision": precision,
    }


@lru_cache(maxsize=4096)
def _read_day(text: str) -> date | None:
    """Return a day in any of the spellings that ACLED's exports have had.

    >>> _read_day("2018-03-09") == _read_day("09 March 2018") == _read_day("09-03-2018")
    True
    """
    match = _DAY_FIRST.fullmatch(text)
    if match is None:
        return read_day(text)
    for month in ("%m", "%B", "%b"):
        try:
            return datetime.strptime("-".join(match.groups()), f"%d-{month}-%Y").date()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _where(cells: Cells) -> dict[str, Any]:
    point = cells.point("latitude", "longitude")
    code = cells.whole("geo_precision", 1, 3)
    return {
        "geom": f"POINT({point[0]} {point[1]})" if point else None,
        "place_name": cells.text("location"),
        "country": _country(cells),
        "admin1": cells.text("admin1"),
        "admin2": cells.text("admin2"),
        "geo_precision": code and from_acled(code),
        "geocoder": "acled" if point else None,
    }


def _country(cells: Cells) -> str | None:
    """Return the country by its number, its code or its name; ACLED has 0 where ISO has none."""
    code = alpha3_of_numeric(cells.whole("iso") or 0)
    old = (cells.text("iso3") or "").upper()
    if code is None and old in countries():
        code = old
    return code or country_named(cells.text("country") or "")


def _report(publisher: str) -> dict[str, str | None]:
    """Return a report; whether its source saw it or was told of it, ACLED does not say."""
    return {
        "publisher": publisher,
        "url": None,
        "published_on": None,
        "said_by": None,
        "stance": None,
        "quote": None,
    }


def _whoever(row: Row) -> bytes:
    """Return what a row says, whichever of the two sides it names first."""
    said = row.cells
    names = {pattern.format(side) for pattern in SIDES for side in "12"} | NUMBERS_OF_ROWS
    sides = sorted(str([said.get(name.format(side), "") for name in SIDES]) for side in "12")
    rest = [item for item in said.items() if item[0] not in names]
    return blake2b(repr((sides, rest)).encode(), digest_size=16).digest()
