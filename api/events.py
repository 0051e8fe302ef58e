"""The store of events: what the rest of the service may ask of the database."""

import json
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from psycopg import Cursor
from psycopg.adapt import Loader
from psycopg.sql import SQL, Composed

from api import page as statements
from api.db import Connection, Pool, queries, read, retried

#: Rows that cross from the database at a time: large enough to be cheap, small enough to be little.
CHUNK = 200


class _Bytes(Loader):
    """Text as the bytes in which it came: a feature is passed on, never looked into."""

    def load(self, data: Any) -> bytes:
        return bytes(data)


@dataclass(frozen=True)
class State:
    """The head that the public sees: equal head, equal answer."""

    epoch: str
    head: int
    total: int


@dataclass
class Page:
    """A page of events; `close` gives back what it holds, and may be called twice.

    `matched` is how many events the query asks for on all its pages, if that is known at no cost.
    """

    state: State
    first: bool
    more: bool
    last: tuple[str | int, str] | None
    matched: int | None
    features: Iterator[bytes]
    held: ExitStack

    def close(self) -> None:
        """Stop reading and give the connection back."""
        self.held.close()


@dataclass(frozen=True)
class Extent:
    """The bounds of the public events: west, south, east, north; the first and the last day."""

    bbox: tuple[float, float, float, float] | None
    first: date | None
    last: date | None


def state(pool: Pool) -> State:
    """Return the head that the public sees."""
    row = read(pool, lambda conn: conn.execute(queries("events.sql")["state"]).fetchone())
    epoch, head, total = row or ("", 0, 0)
    return State(epoch, head, total)


def page(pool: Pool, query: Mapping[str, Any]) -> Page:
    """Open the page that `query` asks for; its features are read as they are taken."""

    def attempt() -> Page:
        with ExitStack() as held:
            found = _answer(held.enter_context(pool.connection()), query, held)
            found.held = held.pop_all()
            return found

    return retried(pool, attempt)


def _answer(conn: Connection, query: Mapping[str, Any], held: ExitStack) -> Page:
    values = statements.parameters(query)
    for statement in statements.statements(query):
        cursor = held.enter_context(conn.cursor())
        cursor.adapters.register_loader("text", _Bytes)
        rows = _texts(cursor, statement, values)
        held.callback(rows.close)
        header = json.loads(next(rows))
        if header["enough"]:
            break
        deque(rows, maxlen=0)  # there are no more; to close the stream would send a cancellation
    first = "cursor" not in query
    everything = not statements.narrows(query)
    return Page(
        state=State(header["epoch"], header["head"], header["total"]),
        first=first,
        more=header["more"],
        last=header["last"],
        matched=header["total"] if everything else header.get("matched") if first else None,
        features=rows,
        held=ExitStack(),
    )


def _texts(cursor: Cursor[Any], statement: Composed, values: Mapping[str, Any]) -> Generator[bytes]:
    """Yield the one column of an answer: a short one at once, a long one as it comes."""
    if values["limit"] <= CHUNK:
        yield from (row[0] for row in cursor.execute(statement, values))
        return
    stream = cast("Generator[Any]", cursor.stream(statement, values, size=CHUNK))
    with closing(stream) as rows:
        yield from (row[0] for row in rows)


def count(pool: Pool, query: Mapping[str, Any]) -> tuple[State, int]:
    """Return how many events `query` asks for, exactly, and the head at which it was counted."""
    epoch, head, number = _row(pool, statements.count(query), statements.parameters(query))
    return State(epoch, head, number), number


def one(pool: Pool, event: UUID, query: Mapping[str, Any]) -> tuple[int, int, bytes] | None:
    """Return the transaction, the version and the feature of an event that the public sees."""
    statement = queries("events.sql")["one"].format(feature=statements.feature(query))
    row = _row(pool, statement, {"id": event})
    return (row[0], row[1], row[2].encode()) if row else None


def is_gone(pool: Pool, event: UUID) -> bool:
    """Tell whether the public has seen this event, and it has been taken away."""
    return _row(pool, queries("events.sql")["tombstone"], {"id": event}) is not None


def extent(pool: Pool) -> Extent:
    """Return the bounds of the public events, exactly."""
    west, south, east, north, first, last = _row(pool, queries("events.sql")["extent"], {})
    return Extent(None if west is None else (west, south, east, north), first, last)


def _row(pool: Pool, statement: SQL | Composed, values: Mapping[str, Any]) -> Any:
    return read(pool, lambda conn: conn.execute(statement, values).fetchone())
