"""Requests that may come twice, because their answer was lost: the second one does nothing.

What was answered is kept in the transaction of what was done, so that there is the one if and only
if there is the other; without what was written, which may have to be erased. An error is not
kept: the same request may succeed another time. (draft-ietf-httpapi-idempotency-key-header-07)
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from api.db import Connection, queries

LONGEST = 255


class InFlightError(Exception):
    """A request under the same key is at work, and takes long."""


class ReusedError(Exception):
    """The key was that of another request."""


@dataclass(frozen=True)
class Request:
    """A request that its client has named: whose, by what name, and the SHA-256 of what it asks."""

    api_key: UUID
    key: str
    digest: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered: a status, and the ids and versions of what was written."""

    status: int
    written: list[dict[str, Any]]


def recalled(conn: Connection, request: Request) -> Answer | None:
    """Return what was answered to this request before; None: this is the first time.

    Raises:
        InFlightError: it is being answered just now.
        ReusedError: another request came under its key.
    """
    named = queries("writes.sql")
    values = {"api_key": request.api_key, "key": request.key, "request": request.digest}
    conn.execute(named["forget"])
    try:
        if conn.execute(named["begin"], values).rowcount:
            return None
    except psycopg.errors.LockNotAvailable as error:
        raise InFlightError from error
    row = conn.execute(named["recall"], values).fetchone()
    if row is None or bytes(row[0]) != request.digest:
        raise ReusedError
    return Answer(row[1], row[2])


def keep(conn: Connection, request: Request, answer: Answer) -> None:
    """Keep what is answered to `request`, for 7 days."""
    values = {"api_key": request.api_key, "key": request.key}
    values |= {"status": answer.status, "answer": Jsonb(answer.written)}
    conn.execute(queries("writes.sql")["answer"], values)
