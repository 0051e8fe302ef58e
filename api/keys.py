"""API keys: made, listed, revoked, and recognised; what is done to them is audited.

A key is `hudna_PREFIX_SECRET`. The prefix finds its row; the secret is 32 random bytes, of which
the database has only a digest. It is shown once, when it is made.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from api.db import Connection, Pool, queries, read

#: What a key may be for, and what that lets its holder do; `admin` may do everything.
SCOPES = {
    "read:restricted": "read events that are not public",
    "write": "write events",
    "import": "import files",
    "admin": "everything, and erase events for good",
}

_KEY = re.compile(r"hudna_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Key:
    """What is known of a key: everything but the key."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """Whether it is `valid`, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= datetime.now(self.expires_at.tzinfo):
            return "expired"
        return "valid"


@dataclass(frozen=True)
class Caller:
    """Who asks: the name and the id of the key, and what it is for; without a key, nobody."""

    actor: str = ""
    key: UUID | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    def may(self, scope: str) -> bool:
        """Tell whether the caller's key is for `scope`, or for everything."""
        if scope not in SCOPES:
            raise ValueError(f"{scope} is no scope")
        return bool(self.scopes & {scope, "admin"})


NOBODY = Caller()


def make(
    conn: Connection, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[Key, str]:
    """Make a key in the transaction of `conn`; return what is known of it, and the key itself.

    Raises:
        ValueError: it has no usable name, or no scope, or one that there is not.
    """
    if not (name.strip() and name.isprintable() and len(name) <= _LONGEST_NAME):
        raise ValueError(f"a name has 1 to {_LONGEST_NAME} characters that can be printed")
    wanted = [scope for scope in SCOPES if scope in {*scopes}]
    if not wanted or {*scopes} - SCOPES.keys():
        raise ValueError(f"a key is for one or more of {', '.join(SCOPES)}")
    prefix = secrets.token_hex(6)
    text = f"hudna_{prefix}_{secrets.token_urlsafe(32)}"
    values = {"name": name, "prefix": prefix, "hash": _digest(text), "scopes": wanted}
    made = Key(*_one(conn, "create", values | {"expires_at": expires_at}))
    _audit(conn, "key made", None, made)
    return made, text


def listed(conn: Connection) -> list[Key]:
    """Return what is known of all keys, the newest first."""
    return [Key(*row) for row in conn.execute(queries("keys.sql")["all"])]


def revoke(conn: Connection, which: str) -> Key:
    """End a key, by its name or its prefix, in the transaction of `conn`.

    Raises:
        LookupError: there is no such key, or there are several of that name.
    """
    found = [Key(*row) for row in conn.execute(queries("keys.sql")["named"], {"which": which})]
    if not found:
        raise LookupError(f"There is no key {which!r} to revoke.")
    if len(found) > 1:
        prefixes = ", ".join(key.prefix for key in found)
        raise LookupError(f"There are several keys {which!r}: name one of {prefixes}.")
    ended = Key(*_one(conn, "revoke", {"id": found[0].id}))
    _audit(conn, "key revoked", found[0], ended)
    return ended


def caller(pool: Pool, text: str) -> Caller | None:
    """Return whose key `text` is; None: nobody's, or it has expired or been revoked."""
    found = _KEY.fullmatch(text)
    if not found:
        return None
    statement, values = queries("keys.sql")["owner"], {"prefix": found[1]}
    row = read(pool, lambda conn: conn.execute(statement, values).fetchone())
    if row is None or not hmac.compare_digest(bytes(row[2]), _digest(text)):
        return None
    return Caller(row[1], row[0], frozenset(row[3]))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()


def _one(conn: Connection, name: str, values: dict[str, Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = conn.execute(queries("keys.sql")[name], values).fetchone()
    if row is None:
        raise LookupError(name)
    return row


def _audit(conn: Connection, action: str, old: Key | None, new: Key) -> None:
    values = {"action": action, "subject": new.prefix, "old": _told(old), "new": _told(new)}
    conn.execute(queries("keys.sql")["audit"], values)


def _told(key: Key | None) -> Jsonb | None:
    if key is None:
        return None
    ends = key.expires_at.isoformat() if key.expires_at else None
    return Jsonb({"name": key.name, "scopes": key.scopes, "expires_at": ends, "state": key.state})
