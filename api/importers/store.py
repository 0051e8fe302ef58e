"""Events from any source into the database: compared as sets, written where they differ.

The caller owns the transaction. Imports come one after another: a second one waits until the
transaction of the first has ended.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import shapely
from psycopg.sql import SQL, Composable, Composed, Identifier
from psycopg.types.json import Jsonb

from api.db import Connection, queries
from api.identity import event_id
from api.importers.account import GEOMETRIES, Account, tell_absent, tell_changes

#: The share of a data set that may vanish because a file that is said to be whole lacks it.
VANISHING = 0.2

#: The columns of an event that its source decides, each with what it is if the source is silent.
#: They and `deleted` are what the database compares, too (event_content).
CONTENT: dict[str, Any] = {
    "event_type": None,
    "sub_event_type": None,
    "notes": None,
    "tags": [],
    "actors": [],
    "starts_on": None,
    "ends_on": None,
    "date_precision": None,
    "date_phrase": None,
    "place_name": None,
    "country": None,
    "admin1": None,
    "admin2": None,
    "geo_precision": None,
    "uncertainty_km": None,
    "geocoder": None,
    "geom": None,
    "footprint": None,
    "ground": None,
    "fatalities_low": None,
    "fatalities_best": None,
    "fatalities_high": None,
    "fatalities_civilians": None,
    "reports": [],
    "visibility": "public",
}
_JSON = {"actors", "reports"}
_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_GIVEN = {"dataset", "source_id", "source_release", *CONTENT}
_STAGED = ["id", "dataset", "source_id", "source_release", *CONTENT, "file", "line", "row"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as it comes in: its columns, and the row of its source if there is one.

    `dataset` is one of the columns only where a file has events of several data sets. A column that
    is missing is empty. Geometries are shapely's, WKT or WKB in hexadecimal, in longitude and
    latitude; the rest are plain Python values.
    """

    event: Mapping[str, Any]
    file: str = ""
    line: int = 0
    row: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Origin:
    """Where the events of an import come from.

    `dataset` is that of events which name none; `release` is None where there are several, `sha256`
    are the digests of the files. `options` are what else decides what becomes of them.
    """

    format: str
    dataset: str | None
    files: Sequence[str] = ()
    release: str | None = None
    sha256: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


class VanishingError(Exception):
    """So many events would vanish that the file is hardly the whole of its data set."""

    def __init__(self, account: Account, living: int) -> None:
        super().__init__(f"{account.gone:,} of {living:,} events would vanish")
        self.account = account
        self.living = living


class Clash(NamedTuple):
    """A row that says something else of its event than another row of the same import."""

    source_id: str
    file: str
    line: int
    other_file: str
    other_line: int


def load(conn: Connection, events: Iterable[Incoming], origin: Origin) -> Account:
    """Make the database say what `events` say, and return what that came to.

    An event that is there and says the same is not touched; if that is all of them, neither is the
    head. Events which `events` do not mention stay as they are.

    Raises:
        ValueError: one event comes twice, with different contents.
    """
    read = stage(conn, events, origin.dataset)
    clash = next(clashes(conn), None)
    if clash:
        raise ValueError(f"{clash.source_id} comes more than once, with different contents")
    account = apply(conn, read=read)
    record(conn, origin, account)
    clear(conn)
    return account


def had(conn: Connection, origin: Origin) -> bool:
    """Tell whether something of this format, data set and release has been imported before."""
    row = conn.execute(_query("had"), asdict(origin)).fetchone()
    return bool(row and row[0])


def known(conn: Connection, origin: Origin) -> bool:
    """Tell whether the only file of `origin` has been imported before, with the same options."""
    values = {"format": origin.format, "sha256": origin.sha256[0], "options": _told(origin.options)}
    row = conn.execute(_query("known"), values).fetchone()
    return bool(row and row[0])


def stage(conn: Connection, events: Iterable[Incoming], dataset: str | None) -> int:
    """Put `events` aside in tables of this transaction and return how many they were.

    Raises:
        ValueError: an event has a property that a source cannot decide, or no data set.
    """
    conn.execute(_query("begin"))
    conn.execute(_query("stage", content=_names(CONTENT)))
    count = 0
    with conn.cursor() as cursor, cursor.copy(_query("fill", staged=_names(_STAGED))) as copy:
        for incoming in events:
            copy.write_row(_cells(dataset, incoming))
            count += 1
    conn.execute(_query("repeats"))
    conn.execute(_query("contradictions", same=_said("s"), first=_said("f")))
    conn.execute(_query("measure"))
    return count


def clashes(conn: Connection) -> Iterator[Clash]:
    """Yield the staged rows that another contradicts; nobody can tell which of them is right.

    Of an event whose rows do not all say the same that is every row, each with the first that says
    something else.
    """
    with conn.cursor(name="clashes") as cursor:
        cursor.execute(_query("clashes", same=_said("s"), first=_said("f")))
        yield from (Clash(*row) for row in cursor)


def apply(
    conn: Connection,
    *,
    read: int,
    rejected: int = 0,
    passed: Mapping[str, int] | None = None,
) -> Account:
    """Make the database say what is staged, but for the rows that clash; return the account.

    `read`, `rejected` and `passed` are for the record: how many rows there were, and how many of
    them too bad to be staged or in a clash, or left out on purpose.
    """
    account = Account(read=read, rejected=rejected, passed=dict(passed or {}))
    conn.execute(_query("name_import"), [str(account.import_id)])
    conn.execute(_query("drop_clashing"))
    account.repeated = conn.execute(_query("drop_repeats")).rowcount
    conn.execute(_compare())
    tell_changes(conn, account)
    account.changed = conn.execute(_query("change", assignments=_assignments())).rowcount
    conn.execute(_query("forget_exact"))
    account.created = conn.execute(_query("create", content=_names(CONTENT))).rowcount
    account.unchanged = read - rejected - account.repeated - account.created - account.changed
    account.unchanged -= sum(account.passed.values())
    conn.execute(_query("replace_rows"), {"id": account.import_id})
    conn.execute(_query("keep_rows"), {"id": account.import_id})
    return account


def replace(conn: Connection, account: Account, dataset: str | None, *, force: bool) -> None:
    """Delete what the data sets of the staged events have besides them, and add it to `account`.

    `dataset` is one of them, even if nothing of it was read.

    Raises:
        VanishingError: that is more than a fifth of them, and not forced.
    """
    datasets = [row[0] for row in conn.execute(_query("datasets"))]
    datasets = sorted({*datasets, *([dataset] if dataset else [])})
    conn.execute(_query("absent"))
    conn.execute(_query("unread"), {"datasets": datasets})
    tell_absent(conn, account)
    row = conn.execute(_query("living"), {"datasets": datasets}).fetchone()
    # What is new does not count: a file of another part of the world is no new release of this one.
    living = row[0] - account.created - account.back if row else 0
    if account.gone > VANISHING * living and not force:
        raise VanishingError(account, living)
    conn.execute(_query("bury"))
    conn.execute(_query("no_more_absent"))


def withdraw(conn: Connection, account: Account, ids: Sequence[UUID]) -> None:
    """Delete those of the events `ids` that are there, and add them to `account`."""
    conn.execute(_query("absent"))
    conn.execute(_query("withdrawn"), {"ids": list(ids)})
    tell_absent(conn, account)
    conn.execute(_query("bury"))
    conn.execute(_query("no_more_absent"))


def record(conn: Connection, origin: Origin, account: Account) -> None:
    """Write down the import, in the transaction of its data."""
    told = asdict(origin) | asdict(account) | {"id": account.import_id}
    told |= {"files": list(origin.files), "sha256": list(origin.sha256)}
    conn.execute(_query("record"), told | {"options": _told(origin.options)})


def clear(conn: Connection) -> None:
    """Drop the tables of an import, for another one in the same transaction."""
    conn.execute(_query("clear"))


def _told(options: Mapping[str, Any]) -> Jsonb:
    return Jsonb({name: value for name, value in options.items() if value not in (None, False)})


def _cells(dataset: str | None, incoming: Incoming) -> list[Any]:
    """Return the staged row of an event."""
    event = incoming.event
    if not event.keys() <= _GIVEN:
        raise ValueError(f"no source decides {', '.join(sorted(event.keys() - _GIVEN))}")
    cells: dict[str, Any] = {"source_release": None, **CONTENT, "dataset": dataset, **event}
    if cells["dataset"] is None:
        raise ValueError(f"{cells['source_id']} is of no data set")
    for name in _JSON:
        cells[name] = _as_json(cells[name])
    for name in GEOMETRIES:
        if isinstance(cells[name], shapely.Geometry):
            cells[name] = shapely.to_wkb(cells[name], hex=True)  # the column knows the system
    cells["id"] = event_id(cells["dataset"], cells["source_id"])
    cells["file"] = incoming.file
    cells["line"] = incoming.line
    cells["row"] = None if incoming.row is None else _as_json(incoming.row)
    return [cells[name] for name in _STAGED]


def _query(name: str, **holes: Composable) -> Composed:
    return queries("imports.sql")[name].format(**holes)


def _names(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _said(table: str) -> Composed:
    """Return all that a staged row says of its event, in whatever release."""
    return SQL(", ").join(_exactly(name, Identifier(table, name)) for name in (*CONTENT, "row"))


def _exactly(name: str, value: Composable) -> Composable:
    """Return `value` for comparing: geometries byte by byte."""
    return SQL("{}::bytea").format(value) if name in GEOMETRIES else value


def _to_be(name: str) -> Composable:
    """Return what a column is to become: no import publishes what somebody has restricted."""
    if name == "visibility":
        return SQL("greatest(e.visibility, s.visibility)")
    return Identifier("s", name)


def _assignments() -> Composed:
    return SQL(", ").join(SQL("{} = {}").format(Identifier(c), _to_be(c)) for c in CONTENT)


def _compare() -> Composed:
    before = {name: _exactly(name, Identifier("e", name)) for name in CONTENT}
    after = {name: _exactly(name, _to_be(name)) for name in CONTENT}
    before["deleted"], after["deleted"] = SQL("e.deleted"), SQL("false")
    named = {
        f"{key}_named": SQL(", ").join(
            SQL("{} AS {}").format(value, Identifier(name)) for name, value in values.items()
        )
        for key, values in (("before", before), ("after", after))
    }
    plain = {
        key: SQL(", ").join(values.values())
        for key, values in (("before", before), ("after", after))
    }
    return _query("compare", **named, **plain)
