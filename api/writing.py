"""Events written one by one: created, replaced, changed, deleted, erased.

The caller owns the transaction. What is not as it must be is an error before anything is written.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import shapely
from marshmallow import ValidationError
from psycopg.sql import SQL, Composable, Composed, Identifier
from psycopg.types.json import Jsonb

from api.bodies import Given
from api.db import Connection, queries
from api.identity import event_id
from api.importers.store import CONTENT
from api.keys import Caller
from api.siting import AmbiguousError, Row, Siting, alike
from api.versions import Version

DATASET = "local"
COLUMNS = ["source_release", *CONTENT]
_EMPTY: Row = {"source_release": None, **CONTENT}
_GEOMETRIES = ("geom", "footprint")
_IDENTITY = ("dataset", "source_id")

#: Whether a version is the one that a writer has seen.
Expected = Callable[[Version], bool]


class MissingError(Exception):
    """There is no such event for this caller; `gone`: the public knows that there was."""

    def __init__(self, *, gone: bool) -> None:
        super().__init__()
        self.gone = gone


class StaleError(Exception):
    """The event is not what the writer has seen."""


class TakenError(Exception):
    """There is such an event already, or it has been erased, which is for good."""

    def __init__(self, dataset: str, source_id: str) -> None:
        super().__init__(f"{dataset}/{source_id}")
        self.source_id = source_id
        self.dataset = dataset


class UnclearError(Exception):
    """Names that may mean several places, by the pointer to each."""

    def __init__(self, doubts: Mapping[str, AmbiguousError]) -> None:
        super().__init__(", ".join(doubts))
        self.doubts = doubts


@dataclass(frozen=True)
class Written:
    """The version of an event that there is now, and what there is to remark on its place."""

    id: UUID
    version: Version
    remarks: list[str]


@dataclass(frozen=True)
class Target:
    """Who means to write which event, and what version of it he has seen."""

    caller: Caller
    id: UUID
    expected: Expected


@dataclass(frozen=True)
class Event:
    """An event as it stands in the database."""

    id: UUID
    version: Version
    identity: Mapping[str, str]
    row: Row


def sign(conn: Connection, caller: Caller) -> None:
    """Let the history of what this transaction writes name the caller as its author."""
    conn.execute(queries("writes.sql")["name_actor"], {"actor": caller.actor})


def create(
    conn: Connection, siting: Siting, caller: Caller, given: list[Given], *, many: bool
) -> list[Written]:
    """Write new events, all or none, and return them in their order.

    An event that had been deleted, but not erased, is back, as its next version; had it been
    restricted before, it still is, unless who may see that says that it is public. `many` says that
    the body was a collection, for the pointers of errors.

    Raises:
        ValidationError, UnclearError, TakenError
    """
    ats = [f"/features/{n}" if many else "" for n in range(len(given))]
    rows = [_new(caller, one) for one in given]
    _unlike(rows, many=many)
    remarks = _sited(conn, siting, zip(ats, rows, given, strict=True))
    ids = [row["id"] for row in rows]
    there = _coming_back(conn, caller, rows, given)
    try:
        _write(conn, "create", [row for row in rows if row["id"] not in there])
    except psycopg.errors.UniqueViolation as error:
        raise TakenError(DATASET, "") from error
    _write(conn, "change", [row for row in rows if row["id"] in there])
    for row, one in zip(rows, given, strict=True):
        if one.get("exact_geometry") is not None:
            _keep_exact(conn, row["id"], one["exact_geometry"])
    return _written(conn, ids, remarks)


def replace(conn: Connection, siting: Siting, target: Target, given: Given) -> Written:
    """Let an event be what `given` says; what may see it, and what it is, stays unless it is said.

    Raises:
        MissingError, StaleError, ValidationError, UnclearError
    """
    there = _locked(conn, target)
    row = _EMPTY | {"visibility": there.row["visibility"]} | given["properties"]
    return _rewritten(conn, siting, there, row, given)


def change(conn: Connection, siting: Siting, target: Target, given: Given) -> Written:
    """Let an event be otherwise in what `given` says.

    Raises:
        MissingError, StaleError, ValidationError, UnclearError
    """
    there = _locked(conn, target)
    cleared = {name: _EMPTY.get(name, there.identity.get(name)) for name in given["cleared"]}
    row = there.row | cleared | given.get("properties", {})
    return _rewritten(conn, siting, there, row, given)


def delete(conn: Connection, target: Target) -> None:
    """Leave a tombstone of an event.

    Raises:
        MissingError, StaleError
    """
    _locked(conn, target)
    conn.execute(queries("writes.sql")["delete"], {"id": target.id})


def erase(conn: Connection, target: Target) -> None:
    """Leave a tombstone of an event and of all that it was, also of one that is deleted; audited.

    Raises:
        MissingError, StaleError
    """
    there = _locked(conn, target, deleted_too=True)
    row = conn.execute(queries("writes.sql")["erase"], {"id": target.id}).fetchone()
    values = {"id": target.id, "old": there.version.number, "new": row[0] if row else None}
    conn.execute(queries("writes.sql")["audit"], values)
    conn.execute(queries("writes.sql")["forget_accounts"])


def feature(conn: Connection, which: UUID, tx_id: int, version: int) -> bytes | None:
    """Return a version as a GeoJSON feature; None: its content is no longer there."""
    values = {"id": which, "tx_id": tx_id, "version": version}
    row = conn.execute(queries("writes.sql")["feature"], values).fetchone()
    return row[0].encode() if row and row[0] else None


def _new(caller: Caller, given: Given) -> Row:
    """Return the row of a new event."""
    row: Row = _EMPTY | {"dataset": DATASET} | given["properties"]
    row.setdefault("source_id", str(uuid4()))
    row["id"] = event_id(row["dataset"], row["source_id"])
    row["geom"] = given["geometry"]
    may_choose = any(map(caller.may, ("import", "read:restricted")))
    if "source_id" in given["properties"] and not may_choose:
        text = "is given by the server: to choose it takes a key for import or read:restricted."
        row["error"] = {"source_id": [text]}
    return row


def _coming_back(
    conn: Connection, caller: Caller, rows: list[Row], given: list[Given]
) -> set[UUID]:
    """Return which of these events have been deleted, kept from others; restricted ones stay so.

    Raises:
        TakenError
    """
    found = conn.execute(queries("writes.sql")["taken"], {"ids": [row["id"] for row in rows]})
    there = {each: told for each, *told in found}
    for row, one in zip(rows, given, strict=True):
        if row["id"] not in there:
            continue
        may_be_back, visibility = there[row["id"]]
        if not may_be_back:
            raise TakenError(row["dataset"], row["source_id"])
        if not (caller.may("read:restricted") and "visibility" in one["properties"]):
            row["visibility"] = max(row["visibility"], visibility)  # "public" < "restricted"
    return set(there)


def _unlike(rows: list[Row], *, many: bool) -> None:
    """Raise ValidationError if a row may not be, or two are of the same event."""
    seen: set[UUID] = set()
    errors: dict[int, Any] = {}
    for n, row in enumerate(rows):
        wrong = row.pop("error", {}) | _inconsistent(row)
        if row["id"] in seen:
            wrong["source_id"] = ["is that of an earlier feature too."]
        seen.add(row["id"])
        if wrong:
            errors[n] = {"properties": wrong}
    if errors:
        raise ValidationError({"features": errors} if many else errors[0])


def _inconsistent(row: Row) -> dict[str, list[str]]:
    """Return what in a row contradicts itself, by property."""
    start, end = row["starts_on"], row["ends_on"]
    if start and end and start > end:  # both are written as ISO 8601
        return {"ends_on": ["must not be before starts_on."]}
    return {}


def _locked(conn: Connection, target: Target, *, deleted_too: bool = False) -> Event:
    """Return an event that its writer may see, kept from others until the end."""
    row = conn.execute(_query("lock", content=_as_text()), {"id": target.id}).fetchone()
    if row is None:
        raise MissingError(gone=False)
    epoch, tx_id, number, hidden, deleted, ever_public, *identity, content = row
    if (hidden and not target.caller.may("read:restricted")) or (deleted and not deleted_too):
        raise MissingError(gone=ever_public)
    version = Version(epoch, tx_id, number, _exact_tx(conn, target))
    if not target.expected(version):
        raise StaleError
    for name in _GEOMETRIES:
        content[name] = shapely.from_wkb(content[name]) if content[name] else None
    named = dict(zip(_IDENTITY, identity, strict=True))
    return Event(target.id, version, named, content)


def _exact_tx(conn: Connection, target: Target) -> int | None:
    """Return what wrote the exact place of an event that is locked, if its writer may see that."""
    if not target.caller.may("read:restricted"):
        return None
    row = conn.execute(queries("writes.sql")["exact_tx"], {"id": target.id}).fetchone()
    return row[0] if row else None


def _rewritten(conn: Connection, siting: Siting, there: Event, row: Row, given: Given) -> Written:
    wrong = _inconsistent(row)
    for name, value in there.identity.items():
        if row.setdefault(name, value) != value:
            wrong[name] = ["cannot be changed: it is what the event is."]
    if wrong:
        raise ValidationError({"properties": wrong})
    before = there.row
    point = given["geometry"] if "geometry" in given else before["geom"]
    row["id"] = there.id
    row["geom"] = before["geom"] if alike(point, before["geom"]) else point
    row |= {name: before[name] for name in ("footprint", "ground")}
    remarks = _sited(conn, siting, [("", row, given)], before)
    _write(conn, "change", [row])
    # Asked behind the siting: another name may have moved the point, too.
    moved = not alike(row["geom"], before["geom"])
    if moved or "exact_geometry" in given:
        _keep_exact(conn, there.id, given.get("exact_geometry"))
    return _written(conn, [there.id], remarks)[0]


def _sited(
    conn: Connection,
    siting: Siting,
    rows: Iterable[tuple[str, Row, Given]],
    before: Row | None = None,
) -> list[list[str]]:
    """Complete the places of `rows` and return the remarks on each."""
    remarks: list[list[str]] = []
    doubts: dict[str, AmbiguousError] = {}
    for at, row, given in rows:
        try:
            remarks.append(siting.sited(conn, row, before, given))
        except AmbiguousError as error:
            doubts[f"{at}/properties/place_name"] = error
    if doubts:
        raise UnclearError(doubts)
    return remarks


def _write(conn: Connection, how: str, rows: list[Row]) -> None:
    if not rows:
        return
    holes = {
        "create": {"content": _names(""), "new": _names("n")},
        "change": {"assignments": _assignments()},
    }
    conn.execute(_query(how, **holes[how]), {"rows": Jsonb([_as_json(row) for row in rows])})


def _as_json(row: Row) -> Row:
    made = row | {"id": str(row["id"])}
    for name in _GEOMETRIES:
        if row[name] is not None:
            placed = shapely.set_srid(row[name], 4326)
            made[name] = shapely.to_wkb(placed, hex=True, include_srid=True)
    return made


def _keep_exact(conn: Connection, which: UUID, point: shapely.Point | None) -> None:
    named = queries("writes.sql")
    if point is None:
        conn.execute(named["drop_exact"], {"id": which})
        return
    values = {"id": which, "geom": shapely.to_wkb(point, hex=True)}
    conn.execute(named["change_exact"], values)
    conn.execute(named["keep_exact"], values)


def _written(conn: Connection, ids: list[UUID], remarks: list[list[str]]) -> list[Written]:
    rows = conn.execute(queries("writes.sql")["written"], {"ids": ids}).fetchall()
    found = {each: Version(*version) for each, *version in rows}
    return [Written(each, found[each], told) for each, told in zip(ids, remarks, strict=True)]


def _query(name: str, **holes: Composable) -> Composed:
    return queries("writes.sql")[name].format(**holes)


def _names(table: str) -> Composed:
    names = ((table, name) if table else (name,) for name in COLUMNS)
    return SQL(", ").join(Identifier(*name) for name in names)


def _as_text() -> Composed:
    """Return the columns of an event as JSON is to have them: geometries in hexadecimal."""
    columns = (
        SQL("{}::text AS {}").format(Identifier("e", name), Identifier(name))
        if name in _GEOMETRIES
        else Identifier("e", name)
        for name in COLUMNS
    )
    return SQL(", ").join(columns)


def _assignments() -> Composed:
    named = (SQL("{} = {}").format(Identifier(n), Identifier("n", n)) for n in COLUMNS)
    return SQL(", ").join(named)
