"""Answers of many features: one statement each, read from the database as they are taken."""

import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from psycopg import Cursor
from psycopg.adapt import Loader
from psycopg.sql import Composed

from api.db import Connection, Pool, queries

#: Rows that cross from the database at a time: large enough to be cheap, small enough to be little.
CHUNK = 200


class _Bytes(Loader):
    """Text as the bytes in which it came: a feature is passed on, never looked into."""

    def load(self, data: Any) -> bytes:
        return bytes(data)


@dataclass(frozen=True)
class State:
    """What an answer is a function of, besides its address: equal state, equal answer.

    `mark` tells apart what different callers see at one head, and what is left of a past one, of
    which `withheld` events are missing. `total` is how many events there are, where that is known.
    """

    epoch: str
    head: int
    total: int | None
    gazetteer: str = ""
    mark: str = ""
    withheld: int = 0


@dataclass
class Page:
    """A page of features; `close` gives back what it holds, and may be called twice.

    `matched` is how many features the query asks for on all its pages, if that is known at no cost;
    `number` is how many this one has, if that is known before they are read. `at` is the instant of
    a page of the past.
    """

    state: State
    first: bool
    more: bool
    last: tuple[str | int, str] | None
    matched: int | None
    features: Iterator[bytes]
    number: int | None = None
    at: str | None = None
    held: ExitStack = field(default_factory=ExitStack)

    def counted(self, returned: int) -> int | None:
        """Return `matched`, which the `returned` features of a page that is alone tell too."""
        alone = self.first and not self.more
        return returned if self.matched is None and alone else self.matched

    def close(self) -> None:
        """Stop reading and give the connection back."""
        self.held.close()


class Store(Protocol):
    """What gives features: the store of events, or of places."""

    def page(self, pool: Pool, query: Mapping[str, Any], /) -> Page:
        """Open a page."""

    def whole(self, pool: Pool, query: Mapping[str, Any], patience_s: int, /) -> Page:
        """Open everything."""

    def count(self, pool: Pool, query: Mapping[str, Any], /) -> tuple[State, int]:
        """Count."""


#: The header of an answer, and its features.
Opened = tuple[dict[str, Any], Iterator[bytes]]
Opening = Callable[[Connection, ExitStack], Opened]


def opened(
    conn: Connection, statements: Iterable[Composed], values: Mapping[str, Any], held: ExitStack
) -> Opened:
    """Return the header and the features of the first statement that says it is enough.

    Each statement gives a JSON header first and then the finished text of each feature. `held` has
    what must be closed behind them.
    """
    for statement in statements:
        cursor = held.enter_context(conn.cursor())
        cursor.adapters.register_loader("text", _Bytes)
        rows = _texts(cursor, statement, values)
        held.callback(rows.close)
        header: dict[str, Any] = json.loads(next(rows))
        if header.get("enough", True):
            break
        deque(rows, maxlen=0)  # there are no more; to close the stream would send a cancellation
    return header, rows


def patient(
    conn: Connection,
    statement: Composed,
    values: Mapping[str, Any],
    patience_s: int,
    held: ExitStack,
) -> Opened:
    """Return the same of a statement that gives everything, and may take `patience_s` seconds."""
    held.enter_context(conn.transaction())
    conn.execute(queries("events.sql")["patience"], {"patience": f"{patience_s}s"})
    return opened(conn, [statement], {**values, "limit": None}, held)


def _texts(cursor: Cursor[Any], statement: Composed, values: Mapping[str, Any]) -> Generator[bytes]:
    """Yield the one column of an answer: a short one at once, a long one as it comes."""
    if values["limit"] is not None and values["limit"] <= CHUNK:
        yield from (row[0] for row in cursor.execute(statement, values))
        return
    stream = cast("Generator[Any]", cursor.stream(statement, values, size=CHUNK))
    with closing(stream) as rows:
        yield from (row[0] for row in rows)
