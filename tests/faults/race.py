"""Eight who write in every way there is, and copies that are made meanwhile."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from time import monotonic, sleep

import psycopg

from api.importers.store import Incoming, Origin, load
from api.mirror import Progress, mirror
from api.mirror.client import Feed
from conftest import insert

WRITERS = 8
BULK = 200
COUNTRIES = ["IRQ", "SYR", "JOR"]
#: How long a transaction stays open at most for others to commit before it.
LATE_S = 0.3
CHANGES = {
    "edit": "UPDATE event SET notes = gen_random_uuid()::text WHERE id = ANY (%s) AND NOT deleted",
    "move": "UPDATE event SET country = CASE country WHEN 'IRQ' THEN 'SYR' ELSE 'IRQ' END"
    " WHERE id = ANY (%s) AND NOT deleted",
    "restrict": "UPDATE event SET visibility = 'restricted' WHERE id = ANY (%s) AND NOT deleted",
    "publish": "UPDATE event SET visibility = 'public' WHERE id = ANY (%s) AND NOT deleted",
    "revive": "UPDATE event SET deleted = false, notes = 'again' WHERE id = ANY (%s) AND deleted",
    "delete": "SELECT event_delete(id) FROM unnest(%s::uuid[]) AS id",
    "erase": "SELECT event_erase(id) FROM unnest(%s::uuid[]) AS id",
}


def anything(chance) -> dict:
    day = date(2024, 1, 1) + timedelta(days=chance.randrange(300))
    return {
        "notes": str(chance.random()),
        "country": chance.choice(COUNTRIES),
        "starts_on": day,
        "ends_on": day,
        "visibility": chance.choice(["public", "public", "public", "restricted"]),
        "place": (chance.uniform(30, 50), chance.uniform(20, 40)),
        "fatalities_best": chance.choice([None, 0, 7]),
    }


class Writer(threading.Thread):
    """One who writes until told to stop, a transaction after the other."""

    def __init__(self, dsn, number, stopped, shared) -> None:
        super().__init__(daemon=True)
        self.dsn, self.number, self.stopped = dsn, number, stopped
        self.chance = random.Random(f"{dsn} {number}")  # noqa: S311 -- events, not secrets
        #: The events of all, so that they get in each other's way.
        self.shared = shared
        self.commits = self.broken_off = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn) as conn:
                while not self.stopped.is_set():
                    self.transact(conn)
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            self.error = error

    def transact(self, conn) -> None:
        act = self.chance.choice(
            [
                *[self.one, self.change, self.late] * 2,
                *[self.bulk, self.savepoints, self.imports, self.breaks_off],
            ]
        )
        try:
            made = act(conn)
            conn.commit()
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable, Given):
            conn.rollback()
            self.broken_off += 1
        else:
            self.commits += 1
            self.shared.extend(made or [])

    def some(self, most=5) -> list:
        known = self.shared[-2000:]
        return self.chance.sample(known, min(len(known), self.chance.randrange(1, most + 1)))

    def one(self, conn) -> list:
        return [insert(conn, **anything(self.chance))]

    def bulk(self, conn) -> list:
        return [
            row[0]
            for row in conn.execute(
                "INSERT INTO event (id, dataset, source_id, event_type, country, notes)"
                " SELECT u, 'bulk', u::text, 'Riots', (%s::text[])[n %% 3 + 1], n::text"
                " FROM (SELECT gen_random_uuid() AS u, n FROM generate_series(1, %s) AS n) AS made"
                " RETURNING id",
                [COUNTRIES, BULK],
            )
        ]

    def change(self, conn) -> None:
        name = self.chance.choice([*CHANGES])
        conn.execute(CHANGES[name], [sorted(self.some())])

    def late(self, conn) -> list:
        """Write, and commit when others that began later have committed."""
        made = self.one(conn)
        self.change(conn)
        with psycopg.connect(self.dsn, autocommit=True) as other:
            begun, end = head(other), monotonic() + LATE_S
            while head(other) < begun + 3 and monotonic() < end and not self.stopped.is_set():
                sleep(0.01)
        return made

    def savepoints(self, conn) -> list:
        kept = self.one(conn)
        with conn.transaction(force_rollback=True):
            self.one(conn)
            self.change(conn)
        with conn.transaction():
            kept += self.one(conn)
        return kept

    def imports(self, conn) -> None:
        """Import the same source again, some of it changed."""
        events = [
            Incoming(
                {
                    "source_id": str(n),
                    "event_type": "Protests",
                    "country": self.chance.choice(COUNTRIES[:2]),
                    "notes": self.chance.choice(["as before", "as before", "otherwise"]),
                }
            )
            for n in range(40)
        ]
        load(conn, events, Origin("race", f"import {self.number}"))

    def breaks_off(self, conn) -> list:
        self.bulk(conn)
        self.change(conn)
        raise Given


class Given(Exception):  # noqa: N818 -- up
    """A transaction is given up."""


def head(conn) -> int:
    return conn.execute("SELECT head FROM feed.state").fetchone()[0]


@contextmanager
def writers(dsn, number=WRITERS) -> Iterator[list[Writer]]:
    """Let them write, and stop them behind the block."""
    stopped, shared = threading.Event(), []
    with psycopg.connect(dsn) as conn:
        shared += [insert(conn, notes="first", country="IRQ") for _ in range(50)]
    all_ = [Writer(dsn, n, stopped, shared) for n in range(number)]
    for writer in all_:
        writer.start()
    try:
        yield all_
    finally:
        stopped.set()
        for writer in all_:
            writer.join(60)
    for writer in all_:
        assert writer.error is None, writer.error
        assert not writer.is_alive()


class InMemory:
    """A copy in memory."""

    def __init__(self) -> None:
        self.cursor = None
        self.rows: dict[str, dict] = {}

    def apply(self, upserts, deletes, cursor, *, up_to_date) -> None:  # noqa: ARG002 -- as a target
        self.rows |= {feature["id"]: feature for feature in upserts}
        for gone in deletes:
            self.rows.pop(gone, None)
        self.cursor = cursor

    def restart(self) -> None:
        raise AssertionError("no cursor may be gone here")


class Copying(threading.Thread):
    """One who follows the feed all the time, until it has come to a head."""

    def __init__(self, url, make, filters, limit) -> None:
        super().__init__(daemon=True)
        self.make, self.target, self.head = make, None, 0
        self.feed = Feed(url, filters, limit=limit, patience_s=60)
        self.goal: int | None = None
        self.applied = self.rounds = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.target = self.make()
            while True:
                last = self.goal  # what is set after the question may be missed by the answer
                self.applied += mirror(self.feed, self.target, follow=False, tell=self.tell)
                self.rounds += 1
                if last is not None and self.head >= last:
                    return
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            self.error = error

    def tell(self, progress: Progress) -> None:
        self.head = progress.head

    def finish(self, goal, seconds=240) -> None:
        self.goal = goal
        self.join(seconds)
        assert self.error is None, repr(self.error)
        assert not self.is_alive(), "the copy does not come to an end"


class ByDate(threading.Thread):
    """One who copies as many do: what was changed after the latest change that he has seen."""

    QUERY = (
        "SELECT id, feature::json, public, updated_at FROM event"
        " WHERE updated_at > %s ORDER BY updated_at, id LIMIT 1000"
    )

    def __init__(self, dsn) -> None:
        super().__init__(daemon=True)
        self.dsn = dsn
        self.rows: dict[str, dict] = {}
        self.stopped = threading.Event()

    def run(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            latest, found = "-infinity", True
            while found or not self.stopped.is_set():
                found = conn.execute(self.QUERY, [latest]).fetchall()
                for event, feature, public, latest in found:  # noqa: B007 -- the last one stays
                    if public:
                        self.rows[str(event)] = feature
                    else:
                        self.rows.pop(str(event), None)


def truth(dsn, country=None) -> dict[str, dict]:
    """Return what the public sees, from the table itself."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT id, feature FROM event WHERE public").fetchall()
    features = {str(event): json.loads(text) for event, text in rows}
    return {
        event: each
        for event, each in features.items()
        if country is None or each["properties"]["country"] == country
    }


def differences(copy, original) -> dict[str, int]:
    """Return how many events are missing, stale and left over."""
    return {
        "missing": len(original.keys() - copy.keys()),
        "stale": sum(copy[event] != original[event] for event in copy.keys() & original.keys()),
        "ghosts": len(copy.keys() - original.keys()),
    }


#: What there is to be of that.
NOTHING = {"missing": 0, "stale": 0, "ghosts": 0}
