"""The database, the service and the copy are killed with `kill -9`: nothing acknowledged is lost.

That the machine loses its power is another matter, which this does not try: the disk stays.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from race import NOTHING, differences, truth

from api.cluster import Cluster
from api.db import migrate
from conftest import insert, serving
from test_mirror import HUDNA, geopackage

#: How often something is killed: `make faults` sets more.
CYCLES = int(os.environ.get("HUDNA_CYCLES", "3"))
#: Writers, and how many acknowledged writes lie between two kills.
WRITERS, BETWEEN = 4, 40
PATIENCE_S = 120


class Keeper(threading.Thread):
    """One who writes, and keeps a ledger of what has been acknowledged."""

    def __init__(self, dsn, number, stopped) -> None:
        super().__init__(daemon=True)
        self.dsn, self.stopped = dsn, stopped
        self.chance = random.Random(number)  # noqa: S311 -- events, not secrets
        #: The version, the notes and whether it is there, of each event as it was acknowledged.
        self.ledger: dict[str, tuple[int, str | None, bool]] = {}
        self.acknowledged = self.unknown = 0
        self.error: Exception | None = None

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                with psycopg.connect(self.dsn, autocommit=True, connect_timeout=2) as conn:
                    while not self.stopped.is_set():
                        self.write(conn)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self.unknown += 1  # perhaps it was written
                time.sleep(0.05)
            except Exception as error:  # noqa: BLE001 -- the test looks at it
                self.error = error
                return

    def write(self, conn) -> None:
        there = [event for event, (_, _, deleted) in self.ledger.items() if not deleted]
        word = str(uuid4())
        if not there or self.chance.random() < 0.5:
            event = str(uuid4())
            with conn.transaction():
                insert(conn, id=event, notes=word, place=(self.chance.uniform(30, 50), 33))
                version = self.version(conn, event)
            self.ledger[event] = (version, word, False)
        else:
            event = self.chance.choice(there[-200:])
            deletes = self.chance.random() < 0.2
            with conn.transaction():
                if deletes:
                    conn.execute("SELECT event_delete(%s)", [event])
                else:
                    conn.execute("UPDATE event SET notes = %s WHERE id = %s", [word, event])
                version = self.version(conn, event)
            self.ledger[event] = (version, None if deletes else word, deletes)
        self.acknowledged += 1

    @staticmethod
    def version(conn, event) -> int:
        return conn.execute("SELECT version FROM event WHERE id = %s", [event]).fetchone()[0]


class Mirror:
    """The command, as a process that can be killed and started again."""

    def __init__(self, url, path) -> None:
        self.url, self.path = str(url), path
        self.process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        words = [HUDNA, "mirror", self.url, str(self.path), "--follow"]
        self.process = subprocess.Popen(words, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


def children(pid) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def kill_database(cluster) -> None:
    """Kill the server and all that belongs to it, and start it again."""
    pid = cluster.pid
    for each in [pid, *children(pid)]:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    cluster.stop()
    cluster.start()


def kill_worker(server) -> None:
    workers = [
        pid
        for pid in children(server.process.pid)
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(random.choice(workers), signal.SIGKILL)  # noqa: S311 -- whichever


def eventually(told, what) -> float:
    """Wait until something is so; return how long that took."""
    begun = time.monotonic()
    while not told():
        assert time.monotonic() < begun + PATIENCE_S, what
        time.sleep(0.05)
    return time.monotonic() - begun


def arrives(dsn, path) -> float:
    """Write one more event, and wait until it is in the copy; return how long that took."""
    event = str(uuid4())
    with psycopg.connect(dsn, autocommit=True) as conn:
        insert(conn, id=event, notes="a mark")

    def is_there() -> bool:
        return path.exists() and event in geopackage(path)

    return eventually(is_there, "what was written after the kill does not arrive")


@pytest.mark.skipif(sys.platform != "linux", reason="the children of a process are read from /proc")
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_and_the_copy_is_the_original(tmp_path):
    with TemporaryDirectory(prefix="hudna-test-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data", durable=True) as cluster:
            migrate(cluster.dsn)
            with serving(cluster.dsn, workers=2) as url:
                _kill_and_look(cluster, url, tmp_path / "events.gpkg")


def _kill_and_look(cluster, url, path) -> None:
    stopped = threading.Event()
    keepers = [Keeper(cluster.dsn, number, stopped) for number in range(WRITERS)]
    copy = Mirror(url, path)
    kinds = {
        "database": lambda: kill_database(cluster),
        "worker": lambda: kill_worker(url),
        "mirror": copy.kill,
    }
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    try:
        for keeper in keepers:
            keeper.start()
        for cycle in range(CYCLES):
            kind = [*kinds][cycle % len(kinds)]
            before = sum(keeper.acknowledged for keeper in keepers)
            eventually(
                lambda b=before: sum(k.acknowledged for k in keepers) > b + BETWEEN,
                "nothing is acknowledged any more",
            )
            kinds[kind]()
            if kind == "mirror":
                copy.start()
            took[kind].append(arrives(cluster.dsn, path))
            assert copy.process.poll() is None, "the copy has given up"
            assert url.process.poll() is None, "the service has given up"
    finally:
        stopped.set()
        for keeper in keepers:
            keeper.join(60)
        if sys.exc_info()[0]:
            copy.kill()
    arrives(cluster.dsn, path)
    assert copy.stop() == 0
    assert [keeper.error for keeper in keepers] == [None] * WRITERS
    lost = [loss for keeper in keepers for loss in losses(cluster.dsn, keeper.ledger)]
    assert lost == []
    whole = truth(cluster.dsn)
    assert differences(geopackage(path), whole) == NOTHING
    print(  # noqa: T201 -- what `make faults` is run for
        f"\n{CYCLES} kills: {sum(k.acknowledged for k in keepers)} writes acknowledged, 0 lost,"
        f" {sum(k.unknown for k in keepers)} broken off; {len(whole)} events, the copy {NOTHING};"
        " seconds until a new event is in the copy, at most: "
        + ", ".join(f"{kind} {max(times):.1f}" for kind, times in took.items() if times)
    )


def losses(dsn, ledger) -> list[tuple]:
    """Return what was acknowledged and is not there, unless something later is."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT id, version, notes, deleted FROM event").fetchall()
    there = {str(event): (version, notes, deleted) for event, version, notes, deleted in rows}
    return [
        (event, known, there.get(event))
        for event, known in ledger.items()
        if event not in there
        or there[event][0] < known[0]
        or (there[event][0] == known[0] and there[event] != known)
    ]


def test_the_ledger_would_find_what_is_lost(make_database):
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        event = str(insert(conn, notes="kept"))
    assert losses(dsn, {event: (1, "kept", False)}) == []
    assert losses(dsn, {event: (1, "other", False)})
    assert losses(dsn, {event: (2, "kept", False)})
    assert losses(dsn, {str(uuid4()): (1, "kept", False)})
