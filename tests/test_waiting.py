"""Waiting for a change: who waits takes nothing from others, and is told at once."""

import json
import signal
import statistics
import subprocess
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from api.turns import Turns
from api.watching import Heads, Watch
from conftest import CHANGES, insert, serving

ROOM = 6
#: The sessions of the service on the present database.
SERVING = "application_name = 'hudna' AND datname = current_database()"


def fetch(url) -> dict:
    with urllib.request.urlopen(url, timeout=90) as answer:  # noqa: S310 -- the test's own server
        return json.load(answer)


def until(told, seconds=30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it does not come to pass"
        time.sleep(0.02)


class Head:
    """A head to look at, which the test moves."""

    def __init__(self) -> None:
        self.now, self.looks, self.error = 0, 0, False

    def look(self) -> Heads:
        self.looks += 1
        if self.error:
            raise psycopg.OperationalError("away")
        return Heads("epoch", self.now, self.now)


def beyond(number):
    return lambda heads: heads.public > number


@contextmanager
def waiting(watch, number, enough, seconds=60):
    """Let so many wait; give their answers to come."""
    with ThreadPoolExecutor(number) as pool:
        yield [pool.submit(watch.wait, seconds, enough) for _ in range(number)]


def test_everybody_who_waits_is_told():
    head = Head()
    watch = Watch(head.look, Turns(1), 5)
    with waiting(watch, 5, beyond(0)) as answers:
        until(lambda: head.looks > 2)
        assert not any(answer.done() for answer in answers)
        head.now = 7
        assert [answer.result(30).public for answer in answers] == [7] * 5


def test_nobody_looks_while_nobody_waits():
    head = Head()
    watch = Watch(head.look, Turns(1), 1)
    assert watch.wait(0.01, beyond(0)) is None
    until(lambda: not any(thread.name == "watch" for thread in threading.enumerate()))
    looked = head.looks
    head.now = 1
    assert watch.wait(60, beyond(0)).public == 1
    assert head.looks > looked


def test_who_finds_no_room_goes_on_at_once():
    head = Head()
    watch = Watch(head.look, Turns(1), 1)
    with waiting(watch, 1, beyond(0)) as (answer,):
        until(lambda: head.looks)
        assert watch.wait(60, beyond(0)) is None
        head.now = 1
        assert answer.result(30)
    assert Watch(head.look, Turns(1), 0).wait(60, beyond(0)) is None


def test_who_waits_goes_on_when_the_database_is_away_and_may_wait_again():
    head = Head()
    watch = Watch(head.look, Turns(1), 2)
    with waiting(watch, 2, beyond(0)) as answers:
        until(lambda: head.looks)
        head.error = True
        assert [answer.result(30) for answer in answers] == [None, None]
    head.error, head.now = False, 3
    assert watch.wait(60, beyond(0)).public == 3


def test_who_waits_goes_on_when_the_service_stops():
    head = Head()
    watch = Watch(head.look, Turns(1), 3)
    with waiting(watch, 3, beyond(0)) as answers:
        until(lambda: head.looks)
        watch.stop()
        assert [answer.result(30) for answer in answers] == [None] * 3
    assert watch.wait(60, beyond(0)) is None


def test_who_waits_gives_his_turn_back_and_takes_one_to_go_on():
    turns, log, begun, go_on = Turns(1), [], threading.Event(), threading.Event()

    def waiter(environ, start):
        with turns.given_back():
            begun.set()
            assert go_on.wait(30)
        log.append("waiter")
        return [b"x"]

    def other(environ, start):
        log.append("other")
        return [b"y"]

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: turns.taken(waiter)({}, None))
        assert begun.wait(30)
        second = turns.taken(other)({}, None)
        go_on.set()
        assert log == ["other"], "there is but one turn, and its body has not been sent"
        assert b"".join(second) == b"y"
        second.close()
        first.result(30).close()
    assert log == ["other", "waiter"]


def test_a_turn_is_over_when_its_body_is_dropped_or_fails():
    turns = Turns(1)

    def fails(environ, start):
        raise ValueError

    def answers(environ, start):
        return [b"never read"]

    for _ in range(3):
        with pytest.raises(ValueError):  # noqa: PT011 -- the one above
            turns.taken(fails)({}, None)
        turns.taken(answers)({}, None)
    turns.taken(answers)({}, None).close()


# The real server.


def asleep(conn) -> bool:
    """Tell whether somebody waits: the watcher looks again and again, and nobody else asks."""
    looks = f"SELECT max(query_start) FROM pg_stat_activity WHERE {SERVING}"  # noqa: S608
    before, seen = conn.execute(looks).fetchone(), 0
    for _ in range(40):
        time.sleep(0.05)
        now = conn.execute(looks).fetchone()
        seen += now != before
        before = now
    return seen > 2


@pytest.fixture
def busy(make_database):
    """A server of one worker with one connection, and who may write to its database."""
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        insert(conn)
        with serving(dsn, HUDNA_POOL_SIZE="1", HUDNA_WAITERS=str(ROOM)) as url:
            yield url, conn


@contextmanager
def polling(url, conn, number):
    """Let clients wait for a change at the server; give their answers to come."""
    cursor = fetch(url + CHANGES)["next"]
    with ThreadPoolExecutor(number) as pool:
        asked = f"{url}{CHANGES}?cursor={cursor}&wait=60"
        answers = [pool.submit(fetch, asked) for _ in range(number)]
        until(lambda: asleep(conn))
        yield answers


def test_a_change_is_told_to_all_who_wait_and_others_are_served_meanwhile(busy):
    url, conn = busy
    with polling(url, conn, ROOM) as answers:
        count = f"SELECT count(*) FROM pg_stat_activity WHERE {SERVING}"  # noqa: S608
        assert conn.execute(count).fetchone() == (1,)
        for _ in range(10):
            assert fetch(f"{url}{CHANGES}?limit=1")["changes"]
        assert not any(answer.done() for answer in answers)
        event = str(insert(conn))
        for answer in answers:
            assert [change["id"] for change in answer.result(60)["changes"]] == [event]


def test_who_waits_has_a_whole_answer_when_the_server_stops(make_database):
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        insert(conn)
        with serving(dsn) as url, ThreadPoolExecutor(1) as pool:
            cursor = fetch(url + CHANGES)["next"]
            answer = pool.submit(fetch, f"{url}{CHANGES}?cursor={cursor}&wait=60")
            until(lambda: asleep(conn))
            begun = time.monotonic()
            url.process.send_signal(signal.SIGTERM)
            body = answer.result(60)
            assert (body["changes"], body["upToDate"]) == ([], True)
            assert time.monotonic() - begun < 50, "not by the end of its time"
            assert url.process.wait(60) == 0


def test_a_server_stops_in_order_when_who_waited_has_gone(make_database, capfd):
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        insert(conn)
        with serving(dsn) as url:
            asked = f"{url}{CHANGES}?cursor={fetch(url + CHANGES)['next']}&wait=60"
            for _ in range(3):
                with subprocess.Popen(["curl", "-s", asked]) as client:
                    until(lambda: asleep(conn))
                    client.kill()
        assert url.process.returncode == 0
    assert "panic" not in capfd.readouterr().err


def test_who_waits_does_not_slow_others_down(busy):
    """As a ratio of medians, far above what is measured: 1.0 (docs/performance.md)."""
    url, conn = busy

    def taken() -> float:
        times = []
        for _ in range(150):
            begun = time.perf_counter()
            fetch(f"{url}{CHANGES}?limit=1")
            times.append(time.perf_counter() - begun)
        return statistics.median(times)

    taken()
    alone = taken()
    with polling(url, conn, ROOM):
        beside = taken()
        insert(conn)
    print(f"ratio {beside / alone:.2f}")  # noqa: T201 -- for docs/performance.md
    assert beside < 3 * alone
