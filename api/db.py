"""The way to the database: the pool, the named queries of sql/, the migrations."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, Protocol, TypeVar, cast

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from api.settings import Settings

SQL_DIR = Path(__file__).parent.parent / "sql"

#: What every serving session is told. Parallel workers would take from one reader what another
#: needs; each plan is made for its own values, because a box is tiny or the world.
SESSION = {
    "application_name": "hudna",
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_custom_plan",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "work_mem": "32MB",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10s",
    "client_connection_check_interval": "1s",
}

#: And what one that writes is told besides: who waits for another writer waits no longer.
WRITING = {"default_transaction_read_only": "off", "lock_timeout": "5s"}

T = TypeVar("T")
Connection = psycopg.Connection[Any]


class Pool(Protocol):
    """What the service asks of a connection pool."""

    def connection(self) -> AbstractContextManager[Connection]:
        """Lend a connection for a `with` block."""


class Lent:
    """A pool of the one connection that somebody holds, within its transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend the connection."""
        yield self._conn


def open_pool(settings: Settings) -> ConnectionPool[Connection]:
    """Return the pool of one worker, not yet opened: that waits for the first request."""
    return _pool(settings, min_size=1, max_size=settings.pool_size, timeout=1)


def open_writing_pool(settings: Settings) -> ConnectionPool[Connection]:
    """Return the pool for the writes of one worker, not yet opened: reads are not to wait for it.

    Who writes waits for a connection as long as for another writer.
    """
    return _pool(settings, min_size=0, max_size=settings.write_pool_size, timeout=5, **WRITING)


def _pool(
    settings: Settings, *, min_size: int, max_size: int, timeout: int, **session: str
) -> ConnectionPool[Connection]:
    """Return a pool whose sessions are told what `session` says besides what all are.

    There is no `check`: after a restart of the database it would test the dead connections one
    by one, each time waiting longer, and the outage would last many times longer.
    """
    options = _options(statement_timeout=f"{settings.statement_timeout_s}s", **session)
    return ConnectionPool(
        settings.database_url,
        open=False,
        min_size=min_size,
        max_size=max_size,
        timeout=timeout,
        max_waiting=8 * settings.pool_size,
        reconnect_timeout=1,
        max_lifetime=1800,
        kwargs={"autocommit": True, "connect_timeout": 2, "options": options},
    )


def _options(**further: str) -> str:
    """Return what libpq is to tell a session that serves."""
    return " ".join(f"-c {name}={value}" for name, value in (SESSION | further).items())


@contextmanager
def reading(dsn: str) -> Iterator[Connection]:
    """Open a connection that reads as the service does, with all the time it takes."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5, options=_options()) as conn:
        yield conn


def is_connection_loss(error: Exception) -> bool:
    """Tell whether `error` means that the server went away, so that a read may be tried again."""
    if isinstance(error, PoolTimeout | TooManyRequests) or not isinstance(
        error, psycopg.OperationalError
    ):
        return False
    state = error.sqlstate
    return state is None or state.startswith("08") or state in {"57P01", "57P02", "57P03"}


def is_passing(error: Exception) -> bool:
    """Tell whether what failed by `error` may succeed as it is, if it is begun again.

    Besides a connection that was lost that is who met another writer, or found no connection free.
    """
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return is_connection_loss(error) or state in {"40001", "40P01", "53300"}


def retried(pool: Pool, attempt: Callable[[], T]) -> T:
    """Return `attempt()`, a read, tried once more if its connection turns out to be lost."""
    try:
        return attempt()
    except psycopg.OperationalError as error:
        if not is_connection_loss(error):
            raise
    if isinstance(pool, ConnectionPool):
        pool.check()  # throws away what a restart of the server has killed
    return attempt()


def read(pool: Pool, ask: Callable[[Connection], T]) -> T:
    """Return `ask(connection)` of a lent connection, retried as `retried` says."""

    def attempt() -> T:
        with pool.connection() as conn:
            return ask(conn)

    return retried(pool, attempt)


class UnknownOutcomeError(Exception):
    """The server went away while it was asked to commit: what was written is there, or is not."""


def write(pool: Pool, act: Callable[[Connection], T]) -> T:
    """Return `act(connection)` of one transaction, which is never tried again.

    Only a connection that was dead before it is replaced by another.

    Raises:
        UnknownOutcomeError: the connection was lost at the commit.
    """
    with ExitStack() as held:
        conn = retried(pool, lambda: _alive(pool, held))
        acted = False
        try:
            with conn.transaction():
                result = act(conn)
                acted = True
        except psycopg.OperationalError as error:
            if acted and is_connection_loss(error):
                raise UnknownOutcomeError from error
            raise
        return result


def _alive(pool: Pool, held: ExitStack) -> Connection:
    with ExitStack() as stack:
        conn = stack.enter_context(pool.connection())
        conn.execute("")
        held.push(stack.pop_all())
    return conn


@cache
def queries(name: str) -> dict[str, sql.SQL]:
    """Return the queries of the file `name` in sql/, each by the name in its ``-- name:`` line.

    Comments stay behind: queries are put together, and the server need not read them.
    """
    text = (SQL_DIR / name).read_text(encoding="utf-8")
    text = re.sub(r"^--(?! name: ).*\n", "", text, flags=re.MULTILINE)
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {
        key: sql.SQL(cast("LiteralString", body.strip()))
        for key, body in zip(parts[::2], parts[1::2], strict=True)
    }


def migrations() -> list[Path]:
    """Return the migrations in the order in which they run."""
    return sorted((SQL_DIR / "migrations").glob("[0-9]*.sql"))


def pending(conn: Connection) -> list[str]:
    """Return the names of the migrations that this database has not had."""
    there = conn.execute("SELECT to_regclass('schema_version')").fetchone()
    done: set[str] = set()
    if there and there[0]:
        done = {row[0] for row in conn.execute("SELECT name FROM schema_version")}
    return [path.stem for path in migrations() if path.stem not in done]


def migrate(dsn: str, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that ran.

    Each runs in a transaction of its own, under a lock that lets only one process migrate. It
    also starts a new epoch if the database has been restored or promoted since it last served.
    """
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as conn:
        conn.execute("SELECT pg_advisory_lock(730546122)")
        conn.execute("SET lock_timeout = '10s'")
        conn.execute("SET client_min_messages = warning")
        conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_version"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        names = pending(conn)
        for path in migrations():
            if path.stem in names:
                say(f"Migrating: {path.stem}")
                with conn.transaction():
                    conn.execute(path.read_bytes())
                    conn.execute("INSERT INTO schema_version (name) VALUES (%s)", [path.stem])
        check_epoch(conn)
    return names


def check_epoch(conn: Connection) -> None:
    """Start a new epoch if the database has moved to another cluster, or been promoted.

    What was handed out before, cursors, heads and entity tags, is refused then, or taken for what
    it was. A standby stays as it is: its primary decides.
    """
    conn.execute("SELECT feed.check_epoch() WHERE NOT pg_is_in_recovery()")


def begin_epoch(conn: Connection) -> None:
    """Start a new epoch: the caller knows that the database was restored, which nothing shows."""
    conn.execute("UPDATE feed.state SET timeline = 0")  # as that of no cluster
    check_epoch(conn)


@contextmanager
def writing(dsn: str, actor: str) -> Iterator[Connection]:
    """Open a connection for one transaction that writes, in the name of `actor`."""
    with psycopg.connect(dsn, connect_timeout=5) as conn:
        conn.execute("SELECT set_config('hudna.actor', %s, false)", [actor])
        conn.execute("SET timezone = 'UTC'")
        yield conn
