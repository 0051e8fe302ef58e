"""A copy that is made while eight write is the original: nothing missing, stale or left over."""

import os
import time
from contextlib import contextmanager

import psycopg
import pytest
from race import NOTHING, ByDate, Copying, InMemory, differences, head, truth, writers

from api.mirror import Origin
from api.mirror.geopackage import GeoPackage
from conftest import serving
from mirroring import geopackage

#: How often: `make faults` sets more.
ROUNDS = int(os.environ.get("HUDNA_ROUNDS", "2"))
#: Commits in one round, of all writers together.
COMMITS = int(os.environ.get("HUDNA_COMMITS", "150"))
LIMITS = [7, 1000, 2, 1]


@contextmanager
def racing(dsn):
    """Let the writers write so many commits; then give how many there were."""
    with writers(dsn) as all_:
        yield all_
        end = time.monotonic() + 240
        while sum(writer.commits for writer in all_) < COMMITS:
            assert time.monotonic() < end
            assert not any(writer.error for writer in all_), [w.error for w in all_]
            time.sleep(0.05)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_copy_is_the_original_after_a_race(make_database, tmp_path, number):
    dsn = make_database()
    limit = LIMITS[number % len(LIMITS)]
    by_date = ByDate(dsn)
    filtered = [("country", "IRQ")]
    with serving(dsn) as url:
        copies = [Copying(url, InMemory, [], limit), Copying(url, InMemory, filtered, limit)]
        path, origin = tmp_path / "events.gpkg", Origin(copies[0].feed.url, "")
        copies.append(Copying(url, lambda: GeoPackage(path, origin, []), [], 1000))
        with racing(dsn) as all_:
            by_date.start()
            for copy in copies:
                copy.start()
        by_date.stopped.set()
        by_date.join(60)
        with psycopg.connect(dsn) as conn:
            last = head(conn)
            public = conn.execute("SELECT public_head FROM feed.state").fetchone()[0]
        for copy in copies:
            copy.finish(public)
    whole = truth(dsn)
    assert differences(copies[0].target.rows, whole) == NOTHING
    assert differences(copies[1].target.rows, truth(dsn, "IRQ")) == NOTHING
    assert differences(geopackage(path), whole) == NOTHING
    lost = differences(by_date.rows, whole)
    assert sum(lost.values()), "the race would not find a feed that loses events"
    print(  # noqa: T201 -- what `make faults` is run for
        f"\nround {number}: {last} commits of {len(all_)} writers,"
        f" {sum(w.broken_off for w in all_)} broken off, {len(whole)} events;"
        f" pages of {limit}: {copies[0].applied} changes in {copies[0].rounds} goes;"
        f" all copies {NOTHING}; by updated_at {lost}"
    )
