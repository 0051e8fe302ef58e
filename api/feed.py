"""The feed of changes: everything that has changed, in the order of the commits.

Why nothing is missed stands in docs/decisions/0002-commit-ordered-head.md: a page and the head that
it is complete up to come from one snapshot, and whatever is not in it gets a higher number.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg.sql import Composed, Identifier

from api import conditions, geometries, sight
from api import page as statements
from api.cursors import Bookmark
from api.db import Pool, queries, read, retried
from api.stream import State, opened
from api.watching import Heads

Query = Mapping[str, Any]

#: What does not change what is asked, but only how it is answered.
_NO_FILTERS = {"cursor", "limit", "wait", "f"}


#: The columns by which the feed goes for the public, and for those who may see what is restricted:
#: the transaction of an event's last change, and how many events are left as one made them.
_PUBLIC, _ALL = ("public_tx", "live_public"), ("tx_id", "live")


def heads(pool: Pool) -> Heads:
    """Return how far everything has come."""
    row: Any = read(pool, lambda conn: conn.execute(queries("changes.sql")["heads"]).fetchone())
    return Heads(*row)


@dataclass
class Changes:
    """A page of the feed; `close` gives back what it holds, and may be called twice.

    `gone` tells that its cursor is too old, so that changes may be missing.
    """

    state: State
    following: Bookmark
    more: bool
    gone: bool
    changes: Iterator[bytes]
    held: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Stop reading and give the connection back."""
        self.held.close()


def filters(query: Query, pairs: Mapping[str, str]) -> str:
    """Return a digest of what is asked for, and by whose eyes: a cursor is good for that alone.

    >>> filters({}, {"country": "IRQ", "limit": "1"}) == filters({}, {"country": "IRQ"})
    True
    """
    asked = sorted((n, v) for n, v in pairs.items() if n not in _NO_FILTERS)
    return sha256(repr((sight.of(query).restricted, asked)).encode()).hexdigest()[:12]


def epoch(state: State, basis: str) -> str:
    """Return what a bookmark is good for: the numbers of a database, and what names mean."""
    return f"{state.epoch[:8]}{basis}"


def at(state: State, basis: str, asked: str) -> Bookmark:
    """Return the bookmark of whoever has all there is at the head `state`."""
    return Bookmark(epoch(state, basis), state.head, None, 0, asked)


def changes(pool: Pool, query: Query, asked: str, basis: str = "") -> Changes:
    """Open the page of the feed behind the cursor of `query`, or the first.

    `asked` are its filters as a digest, `basis` what names of places mean.
    """
    here: Bookmark | None = query.get("cursor")
    asking, bound = statement(query), values(query)

    def attempt() -> Changes:
        with ExitStack() as held:
            header, rows = opened(held.enter_context(pool.connection()), [asking], bound, held)
            told = (header[name] for name in ("epoch", "head", "total", "gazetteer", "mark"))
            state = State(*told)
            following = _following(header, epoch(state, basis), asked)
            return Changes(
                state=state,
                following=following,
                more=header["more"],
                gone=here is not None and _is_gone(here, following.epoch, header["min_seq"]),
                changes=rows,
                held=held.pop_all(),
            )

    return retried(pool, attempt)


def _is_gone(here: Bookmark, present: str, min_seq: int) -> bool:
    return here.epoch != present or max(here.base, here.completed) < min_seq


def _following(header: Mapping[str, Any], present: str, asked: str) -> Bookmark:
    if not header["more"]:
        return Bookmark(present, header["head"], None, 0, asked)
    seq, last = header["last"]
    following = Bookmark(present, seq, UUID(last), header["base"], asked)
    if following.completed < header["base"]:
        return following
    return Bookmark(present, seq, following.after, 0, asked)


def statement(query: Query) -> Composed:
    """Return the statement that gives the page of the feed that `query` asks for."""
    tx, live = _ALL if sight.of(query).restricted else _PUBLIC
    return queries("changes.sql")["page"].format(
        touched=conditions.touched(query),
        tx=Identifier(tx),
        live=Identifier(live),
        seen=sight.seen(query),
        where=conditions.conjoined(conditions.met(query)),
        feature=statements.feature(query),
        **sight.told(query),
    )


def values(query: Query) -> dict[str, Any]:
    """Return what it binds, by name."""
    place: dict[str, Any] = {"limit": query["limit"], "seq": 0, "after": None, "base": None}
    if "cursor" in query:
        here: Bookmark = query["cursor"]
        place |= {"seq": here.seq, "after": here.after, "base": here.base}
    return conditions.values(query) | geometries.values(query) | place
