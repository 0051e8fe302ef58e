"""The database, the service and the copy are killed with `kill -9`: nothing acknowledged is lost.

Nor is anything done twice, because those who write name what they ask and send it again until it is
answered. That the machine loses its power is another matter, which this does not try: the disk
stays.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from keeper import PATIENCE_S, Keeper, Known, doubles, losses
from race import NOTHING, differences, truth

from api import keys
from api.cluster import Cluster
from api.db import migrate
from conftest import insert, serving
from mirroring import HUDNA, geopackage

#: How often something is killed: `make faults` sets more.
CYCLES = int(os.environ.get("HUDNA_CYCLES", "3"))
#: Writers, and how many acknowledged writes lie between two kills.
WRITERS, BETWEEN = 4, 40


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

    return eventually(
        lambda: path.exists() and is_in(path, event),
        "what was written after the kill does not arrive",
    )


def is_in(path, event) -> bool:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        return conn.execute("SELECT 1 FROM events WHERE id = ?", [event]).fetchone() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the children of a process are read from /proc")
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_or_done_twice_and_the_copy_is_the_original(tmp_path):
    with TemporaryDirectory(prefix="hudna-test-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data", durable=True) as cluster:
            migrate(cluster.dsn)
            with serving(cluster.dsn, workers=2) as url:
                _kill_and_look(cluster, url, tmp_path / "events.gpkg")


def _kill_and_look(cluster, url, path) -> None:
    stopped, key = threading.Event(), made_key(cluster.dsn)
    keepers = [Keeper(url, key, number, stopped) for number in range(WRITERS)]
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
            before = acknowledged(keepers)
            eventually(
                lambda b=before: acknowledged(keepers) > b + BETWEEN,
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
            keeper.join(PATIENCE_S)
        if sys.exc_info()[0]:
            copy.kill()
    arrives(cluster.dsn, path)
    assert copy.stop() == 0
    assert [keeper.error for keeper in keepers] == [None] * WRITERS
    assert not any(keeper.is_alive() for keeper in keepers)
    ledger = {event: known for keeper in keepers for event, known in keeper.ledger.items()}
    words = [word for keeper in keepers for word in keeper.words]
    assert losses(cluster.dsn, ledger, words) == []
    assert doubles(cluster.dsn, ledger, words) == []
    whole = truth(cluster.dsn)
    assert differences(geopackage(path), whole) == NOTHING
    again = sum((keeper.again for keeper in keepers), Counter())
    print(  # noqa: T201 -- what `make faults` is run for
        f"\n{CYCLES} kills: {acknowledged(keepers)} writes acknowledged, 0 lost, 0 done twice,"
        f" requests sent again {again.total()} times ({told(again)}); {len(whole)} events, the copy"
        f" {NOTHING}; seconds until a new event is in the copy, at most: "
        + ", ".join(f"{kind} {max(times):.1f}" for kind, times in took.items() if times)
    )


def made_key(dsn) -> str:
    with psycopg.connect(dsn) as conn:
        return keys.make(conn, "keeper", ["write"])[1]


def acknowledged(keepers) -> int:
    """Return how many writes were acknowledged so far; somebody must not have been refused."""
    assert [keeper.error for keeper in keepers] == [None] * len(keepers)
    return sum(keeper.acknowledged for keeper in keepers)


def told(reasons) -> str:
    return ", ".join(f"{why} {number}" for why, number in reasons.most_common())


def test_the_ledger_would_find_what_is_lost(make_database):
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        event = str(insert(conn, notes="kept"))
    assert losses(dsn, {event: Known(1, "kept", deleted=False)}, ["kept"]) == []
    assert losses(dsn, {event: Known(1, "other", deleted=False)})
    assert losses(dsn, {event: Known(2, "kept", deleted=False)})
    assert losses(dsn, {str(uuid4()): Known(1, "kept", deleted=False)})
    assert losses(dsn, {}, ["other"])


def test_the_ledger_would_find_what_is_done_twice(make_database):
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        event = str(insert(conn, notes="once"))
        assert doubles(dsn, {event: Known(1, "once", deleted=False)}, ["once"]) == []
        insert(conn, notes="once")
        assert doubles(dsn, {event: Known(1, "once", deleted=False)}, ["once"]) == [("once", 2)]
        conn.execute("UPDATE event SET notes = 'later' WHERE id = %s", [event])
    assert doubles(dsn, {event: Known(1, "once", deleted=False)}, [])


def test_who_forgets_the_names_of_requests_that_he_sends_again_writes_twice(make_database):
    dsn = make_database()
    with serving(dsn, workers=2) as url:
        forgetful = Keeper(url, made_key(dsn), 0, threading.Event())
        forgetful.impatience, forgetful.forgets = 1, True
        with forgetful.session:
            eventually(lambda: writes_twice(forgetful, dsn), "what is done twice is not found")


def writes_twice(keeper, dsn) -> bool:
    keeper.create()
    return bool(doubles(dsn, keeper.ledger, keeper.words))
