"""The jobs in the database, with their files.

Each function has transactions of its own, unless it says otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Json

from api.db import Connection, Pool, queries, read, write
from api.keys import Caller

#: Bytes of a file that are written at once.
PIECE = 1 << 20


@dataclass(frozen=True)
class Job:
    """A job: who sent it, what is to be done, and what has come of it.

    `valid` tells whether the key it was sent with still is one.
    """

    id: UUID
    number: int
    actor: str
    format: str
    options: Mapping[str, Any]
    status: str
    message: str
    progress: int
    tries: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    updated: datetime
    account: Mapping[str, Any] | None
    faults: Sequence[Mapping[str, Any]]
    valid: bool


class File(NamedTuple):
    """A file of a job; its role is `file`, `mapping`, `deleted` or `exceptions`."""

    number: int
    role: str
    name: str
    size: int


@dataclass
class Outcome:
    """What came of a job: the `account` and the first `faults` are for its document."""

    message: str
    account: Mapping[str, Any] | None = None
    faults: list[Mapping[str, Any]] = field(default_factory=list)


class Part:
    """A file that is arriving: bytes are kept as they come, in pieces.

    It is what werkzeug's parser of forms writes to.
    """

    def __init__(self, pool: Pool, job: UUID, number: int, name: str) -> None:
        self._pool = pool
        self._place = {"job": job, "file": number}
        self._held = bytearray()
        self._pieces = 0
        self.name = name
        self.number = number
        self.size = 0
        values = {"job": job, "number": number, "role": "file", "name": name}
        _done(pool, "file", values)

    def write(self, data: bytes) -> int:
        """Keep more bytes."""
        self._held += data
        self.size += len(data)
        while len(self._held) >= PIECE:
            self._keep(PIECE)
        return len(data)

    def seek(self, _: int) -> int:
        """Stay: nobody reads it here."""
        return 0

    def close(self) -> None:
        """Let the rest be: what is not whole has no end."""

    def whole(self, role: str) -> None:
        """Keep the rest: that was all, and this is what it is."""
        if self._held:
            self._keep(len(self._held))
        place = {"job": self._place["job"], "number": self.number}
        _done(self._pool, "whole", place | {"size": self.size, "role": role})

    def _keep(self, size: int) -> None:
        values = {"number": self._pieces, "data": bytes(self._held[:size])}
        _done(self._pool, "piece", self._place | values)
        del self._held[:size]
        self._pieces += 1


def begin(pool: Pool, caller: Caller, kind: str, options: Mapping[str, Any]) -> UUID:
    """Make a job whose files are to come, and return its id; nobody sees it yet."""
    values = {"api_key": caller.key, "format": kind, "options": Json(dict(options))}
    row = write(pool, lambda conn: conn.execute(_query("begin"), values).fetchone())
    if row is None:
        raise LookupError("no job has been made")
    return UUID(str(row[0]))


def accept(pool: Pool, job: UUID) -> None:
    """Let a job be done: all of its files are there."""
    _done(pool, "accept", {"job": job})


def drop(pool: Pool, job: UUID) -> None:
    """Forget a job that does not come about."""
    _done(pool, "drop", {"job": job})


def dismiss(pool: Pool, job: UUID) -> bool:
    """Call a job off, and take its files away; False: it has come to an end already."""

    def act(conn: Connection) -> bool:
        dismissed = conn.execute(_query("dismiss"), {"job": job}).rowcount == 1
        if dismissed:
            conn.execute(_query("drop_pieces"), {"job": job})
        return dismissed

    return write(pool, act)


def one(pool: Pool, job: UUID, caller: Caller) -> tuple[Job, list[File]] | None:
    """Return a job with its files; None: it is not there for this caller."""
    values = {"job": job, "api_key": _whose(caller)}

    def ask(conn: Connection) -> tuple[Job, list[File]] | None:
        found = _jobs(conn, "one", values)
        return (found[0], files(conn, job)) if found else None

    return read(pool, ask)


def some(pool: Pool, caller: Caller, limit: int, before: int | None) -> list[Job]:
    """Return the newest jobs of this caller, of an administrator's those of all.

    They are below the number `before`.
    """
    values = {"api_key": _whose(caller), "limit": limit, "before": before}
    return read(pool, lambda conn: _jobs(conn, "some", values))


def content(pool: Pool, job: UUID, number: int) -> bytes:
    """Return the bytes of a small file."""
    return b"".join(pieces(pool, job, number))


def files(conn: Connection, job: UUID) -> list[File]:
    """Return the files of a job, in the order in which they came."""
    return [File(*row) for row in conn.execute(_query("files"), {"job": job})]


def pieces(pool: Pool, job: UUID, number: int) -> Iterator[bytes]:
    """Yield the bytes of a file, one piece in memory at a time, and no connection between two."""
    for piece in count():
        data = _piece(pool, {"job": job, "file": number, "number": piece})
        if data is None:
            return
        yield data


def take(conn: Connection) -> Job | None:
    """Begin the oldest job that is not done, and return it; None: there is none.

    The caller has the `lock`, so that nobody else is at it.
    """
    row = conn.execute(_query("take")).fetchone()
    return _jobs(conn, "one", {"job": row[0], "api_key": None})[0] if row else None


def lock(conn: Connection) -> str:
    """Wait until this session is the only one that takes jobs of the database; return its name."""
    row = conn.execute(_query("lock")).fetchone()
    if row is None:
        raise LookupError("the database has no epoch")
    return str(row[0])


def progress(conn: Connection, job: Job, share: float, message: str) -> bool:
    """Tell how far a job is, from 0 to 1; False: it has been called off, or another has it."""
    values = {"progress": int(share * 100), "message": message}
    return conn.execute(_query("progress"), values | _as_taken(job)).rowcount == 1


def succeed(conn: Connection, job: Job, outcome: Outcome) -> bool:
    """Tell what came of a job in the transaction of its data; False: another has taken it."""
    return _ended(conn, "succeed", job, outcome)


def fail(conn: Connection, job: Job, outcome: Outcome) -> bool:
    """Tell why nothing came of a job; False: another has taken it."""
    return _ended(conn, "fail", job, outcome)


def forget_exceptions(conn: Connection, job: Job) -> None:
    """Take away the report of a try that has come to nothing."""
    conn.execute(_query("forget_exceptions"), {"job": job.id})


def tidy(conn: Connection) -> None:
    """Take away what nobody needs any more: files of jobs that are done, and old jobs."""
    for name in ("empty", "prune"):
        conn.execute(_query(name))


def _piece(pool: Pool, place: Mapping[str, Any]) -> bytes | None:
    row = read(pool, lambda conn: conn.execute(_query("piece_at"), place).fetchone())
    return row[0] if row else None


def _whose(caller: Caller) -> UUID | None:
    return None if caller.may("admin") else caller.key


def _as_taken(job: Job) -> dict[str, Any]:
    return {"job": job.id, "tries": job.tries}


def _ended(conn: Connection, name: str, job: Job, outcome: Outcome) -> bool:
    told = asdict(outcome)
    told["account"] = Json(told["account"]) if told["account"] is not None else None
    told["faults"] = Json(told["faults"])
    return conn.execute(_query(name), told | _as_taken(job)).rowcount == 1


def _jobs(conn: Connection, name: str, values: Mapping[str, Any]) -> list[Job]:
    with conn.cursor(row_factory=class_row(Job)) as cursor:
        told = _query(name).format(job=_query("job"))
        return cursor.execute(told, values).fetchall()


def _done(pool: Pool, name: str, values: Mapping[str, Any]) -> None:
    write(pool, lambda conn: conn.execute(_query(name), values))


def _query(name: str) -> Any:
    return queries("jobs.sql")[name]
