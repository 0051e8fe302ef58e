"""The store of events: what the rest of the service may ask of the database."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Composed

from api import conditions, geometries, sight
from api import page as statements
from api.db import Pool, queries, read, retried
from api.stream import Opening, Page, State, opened, patient
from api.versions import Version

Query = Mapping[str, Any]
EVERYTHING: Query = {}


@dataclass(frozen=True)
class Extent:
    """The bounds of the public events: west, south, east, north; the first and the last day."""

    bbox: tuple[float, float, float, float] | None
    first: date | None
    last: date | None


class One(NamedTuple):
    """A version of an event, and the head that it made."""

    version: Version
    head: int
    feature: bytes


def state(pool: Pool, query: Query = EVERYTHING) -> State:
    """Return the head that `query` sees, and which gazetteer there is."""
    statement = queries("sight.sql")["state"].format(**sight.told(query))
    return State(*_row(pool, statement, sight.values(query)))


def page(pool: Pool, query: Query) -> Page:
    """Open the page that `query` asks for; its features are read as they are taken."""
    plans, values = statements.statements, statements.parameters(query)
    return _page(pool, query, lambda conn, held: opened(conn, plans(query), values, held))


def whole(pool: Pool, query: Query, patience_s: int) -> Page:
    """Open all that `query` asks for from its cursor on, as one page, which may take so long."""
    statement, values = statements.whole(query), statements.parameters(query)
    return _page(pool, query, lambda conn, held: patient(conn, statement, values, patience_s, held))


def _page(pool: Pool, query: Query, begin: Opening) -> Page:
    def attempt() -> Page:
        with ExitStack() as held:
            header, rows = begin(held.enter_context(pool.connection()), held)
            first, past = "cursor" not in query, sight.of(query).past
            free = header["total"] if not conditions.narrows(query) else None
            return Page(
                state=_state(header),
                at=past.at if past else None,
                first=first,
                more=header["more"],
                last=header["last"],
                matched=header.get("matched") if first and free is None else free,
                features=rows,
                number=header.get("number"),
                held=held.pop_all(),
            )

    return retried(pool, attempt)


def count(pool: Pool, query: Query) -> tuple[State, int]:
    """Return how many events `query` asks for, exactly, and the head at which it was counted."""
    counted = _row(pool, statements.count(query), statements.parameters(query))
    epoch, head, mark, withheld, number = counted
    return State(epoch, head, number, mark=mark, withheld=withheld), number


def one(pool: Pool, event: UUID, query: Query) -> One | None:
    """Return an event that `query` sees."""
    values = {"id": event} | geometries.values(query) | sight.values(query)
    row = _row(pool, statements.one(query), values)
    if row is None:
        return None
    *version, head, text = row
    return One(Version(*version), head, text.encode())


def is_gone(pool: Pool, event: UUID) -> bool:
    """Tell whether the public has seen this event, and it has been taken away."""
    return _row(pool, queries("events.sql")["tombstone"], {"id": event}) is not None


def is_withheld(pool: Pool, event: UUID, query: Query) -> bool:
    """Tell whether an event was there in the past that `query` asks for, and may not be shown."""
    then = SQL(" AND ").join(sight.moment(query))
    statement = queries("events.sql")["taken"].format(then=then)
    return _row(pool, statement, {"id": event} | sight.values(query)) is not None


def _state(header: Mapping[str, Any]) -> State:
    known = ("epoch", "head", "total", "mark", "withheld")
    return State(**{name: header[name] for name in known})


def extent(pool: Pool) -> Extent:
    """Return the bounds of the public events, exactly."""
    west, south, east, north, first, last = _row(pool, queries("events.sql")["extent"], {})
    return Extent(None if west is None else (west, south, east, north), first, last)


def _row(pool: Pool, statement: SQL | Composed, values: Mapping[str, Any]) -> Any:
    return read(pool, lambda conn: conn.execute(statement, values).fetchone())
