"""Events from any source into the database: compared as sets, written where they differ.

The caller owns the transaction. Imports come one after another: a second one waits until the
transaction of the first has ended.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import shapely
from psycopg.sql import SQL, Composable, Composed, Identifier

from api.db import Connection, queries
from api.identity import event_id

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
_GEOMETRIES = {"geom", "footprint"}
_GIVEN = {"source_id", "source_release", *CONTENT}
_STAGED = ["id", "dataset", "source_id", "source_release", *CONTENT, "file", "line", "row"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as it comes in: its columns, and the row of its source if there is one.

    A column that is missing is empty. Geometries are shapely's, WKT or WKB in hexadecimal, in
    longitude and latitude; the rest are plain Python values.
    """

    event: Mapping[str, Any]
    file: str = ""
    line: int = 0
    row: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Origin:
    """Where the events of an import come from; `release` is None where there are several."""

    format: str
    dataset: str
    files: Sequence[str] = ()
    release: str | None = None


class Clash(NamedTuple):
    """A row that says something else of its event than another row of the same import."""

    source_id: str
    file: str
    line: int
    other_file: str
    other_line: int


class Change(NamedTuple):
    """One field of one event that an import changed."""

    source_id: str
    field: str
    before: Any
    after: Any


@dataclass
class Account:
    """What came of an import, in rows; `fields` counts how often each was changed.

    `repeated` are the rows which only said again what an earlier row had said.
    """

    import_id: UUID = field(default_factory=uuid4)
    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    examples: list[Change] = field(default_factory=list)


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
    return apply(conn, origin, read=read)


def had(conn: Connection, origin: Origin) -> bool:
    """Tell whether something of this format, data set and release has been imported before."""
    row = conn.execute(_query("had"), asdict(origin)).fetchone()
    return bool(row and row[0])


def stage(conn: Connection, events: Iterable[Incoming], dataset: str) -> int:
    """Put `events` aside in tables of this transaction and return how many they were.

    Raises:
        ValueError: an event has a property that a source cannot decide.
    """
    conn.execute(_query("begin"))
    conn.execute(_query("stage", content=_names(CONTENT)))
    count = 0
    with conn.cursor() as cursor, cursor.copy(_query("fill", staged=_names(_STAGED))) as copy:
        for incoming in events:
            copy.write_row(_cells(dataset, incoming))
            count += 1
    conn.execute(_query("repeats"))
    conn.execute(_query("measure"))
    return count


def clashes(conn: Connection) -> Iterator[Clash]:
    """Yield the staged rows that another contradicts; nobody can tell which of them is right."""
    with conn.cursor(name="clashes") as cursor:
        cursor.execute(_query("clashes", same=_said("s"), other=_said("o")))
        yield from (Clash(*row) for row in cursor)


def apply(conn: Connection, origin: Origin, *, read: int, rejected: int = 0) -> Account:
    """Make the database say what is staged, but for the rows that clash; return the account.

    `read` and `rejected` are for the record: how many rows there were, and how many too bad to be
    staged, or in a clash.
    """
    account = Account(read=read, rejected=rejected)
    conn.execute(_query("name_import"), [str(account.import_id)])
    conn.execute(_query("drop_clashing", same=_said("s"), other=_said("o")))
    account.repeated = conn.execute(_query("drop_repeats")).rowcount
    conn.execute(_compare())
    account.fields = dict(conn.execute(_query("changed_fields")))
    account.examples = [
        _example(conn, *row) for row in conn.execute(_query("changed_examples")).fetchall()
    ]
    account.changed = conn.execute(_query("change", assignments=_assignments())).rowcount
    account.created = conn.execute(_query("create", content=_names(CONTENT))).rowcount
    account.unchanged = read - rejected - account.repeated - account.created - account.changed
    conn.execute(_query("replace_rows"), {"id": account.import_id})
    conn.execute(_query("keep_rows"), {"id": account.import_id})
    record = asdict(origin) | asdict(account) | {"id": account.import_id}
    conn.execute(_query("record"), record | {"files": list(origin.files)})
    conn.execute(_query("clear"))
    return account


def _cells(dataset: str, incoming: Incoming) -> list[Any]:
    """Return the staged row of an event."""
    event = incoming.event
    if not event.keys() <= _GIVEN:
        raise ValueError(f"no source decides {', '.join(sorted(event.keys() - _GIVEN))}")
    cells: dict[str, Any] = {"source_release": None, **CONTENT, **event}
    for name in _JSON:
        cells[name] = _as_json(cells[name])
    for name in _GEOMETRIES:
        if isinstance(cells[name], shapely.Geometry):
            cells[name] = shapely.to_wkb(cells[name], hex=True)  # the column knows the system
    cells["id"] = event_id(dataset, cells["source_id"])
    cells["dataset"] = dataset
    cells["file"] = incoming.file
    cells["line"] = incoming.line
    cells["row"] = None if incoming.row is None else _as_json(incoming.row)
    return [cells[name] for name in _STAGED]


def _example(conn: Connection, source_id: str, name: str, before: Any, after: Any) -> Change:
    if name == "ground":
        before, after = (_place_on(conn, value) for value in (before, after))
    if name in _GEOMETRIES:
        before, after = (
            shapely.from_wkb(bytes.fromhex(value[2:])).wkt if value else None
            for value in (before, after)
        )
    return Change(source_id, name, before, after)


def _place_on(conn: Connection, ground: int | None) -> str | None:
    """Return the id of a place whose outline or line is that shared ground."""
    row = conn.execute(_query("place_on"), [ground]).fetchone()
    return row[0] if row else None


def _query(name: str, **holes: Composable) -> Composed:
    return queries("imports.sql")[name].format(**holes)


def _names(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _said(table: str) -> Composed:
    """Return all that a staged row says of its event, in whatever release."""
    return SQL(", ").join(_exactly(name, Identifier(table, name)) for name in (*CONTENT, "row"))


def _exactly(name: str, value: Composable) -> Composable:
    """Return `value` for comparing: geometries byte by byte."""
    return SQL("{}::bytea").format(value) if name in _GEOMETRIES else value


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
