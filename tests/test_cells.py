"""Counts by cell and month: at every committed head exactly what counting would give."""

import threading
from datetime import date
from math import asinh, floor, pi, radians, tan
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

import synthetic
from api.db import migrate, migrations
from conftest import insert, settle

LEVELS = [5, 7, 9, 11, 13]


@pytest.fixture
def fresh(make_database):
    """A database whose commits are real."""
    return make_database()


def kept(conn) -> dict:
    """Return events, dead and mean place on the map by level, cell and month (None: all)."""
    return {
        (level, cell, month): (events, dead, x / events / 2**34, y / events / 2**34)
        for level, cell, month, events, dead, x, y in conn.execute(
            "SELECT level, cell, nullif(month, '-infinity'), events, fatalities_best, x, y"
            " FROM event_cell"
        )
    }


def counted(conn) -> dict:
    """Return the same, counted here, by the formulas of the map."""
    found: dict = {}
    for longitude, latitude, day, dead in conn.execute(
        "SELECT ST_X(geom), ST_Y(geom), coalesce(starts_on, '0001-01-01'), fatalities_best"
        "  FROM event WHERE visibility = 'public' AND NOT deleted AND abs(ST_Y(geom)) < 85.05"
    ):
        x, y = (longitude + 180) / 360, 0.5 - asinh(tan(radians(latitude))) / (2 * pi)
        for level in LEVELS:
            column, row = (min(floor(n * 2**level), 2**level - 1) for n in (x, y))
            cell = int(f"{column:b}", 4) + 2 * int(f"{row:b}", 4)
            for month in (day.replace(day=1), None):
                found.setdefault((level, cell, month), []).append((dead or 0, x, y))
    sums = {key: [sum(column) for column in zip(*rows, strict=True)] for key, rows in found.items()}
    return {
        key: (len(found[key]), dead, x / len(found[key]), y / len(found[key]))
        for key, (dead, x, y) in sums.items()
    }


def sums(conn) -> set[int]:
    """Return how many events there are by each level, of all months and month by month."""
    found: dict = {}
    for (level, _, month), row in kept(conn).items():
        way = level, month is None
        found[way] = found.get(way, 0) + row[0]
    assert len(found) in {0, 2 * len(LEVELS)}
    return set(found.values())


def assert_exact(conn):
    """What is kept is what is counted."""
    one, other = kept(conn), counted(conn)
    assert one.keys() == other.keys()
    for key, values in other.items():
        assert one[key] == pytest.approx(values, abs=1e-9), key


# One transaction.


def test_an_event_is_counted_once_in_each_level(conn):
    insert(conn, place=(44.4, 33.3), starts_on=date(2024, 2, 29), fatalities_best=3)
    settle(conn)
    rows = kept(conn)
    assert sorted(key[0] for key in rows) == sorted(2 * LEVELS)
    assert {key[2] for key in rows} == {date(2024, 2, 1), None}
    assert {row[:2] for row in rows.values()} == {(1, 3)}
    assert_exact(conn)


@pytest.mark.parametrize(
    "change",
    [
        "geom = 'SRID=4326;POINT(-70.5 -34.2)'",
        "geom = 'SRID=4326;POINT(44.40001 33.3)'",
        "geom = NULL",
        "geom = 'SRID=4326;POINT(0 90)'",
        "starts_on = '2023-01-31'",
        "starts_on = '2024-02-02'",
        "starts_on = NULL",
        "fatalities_best = 70",
        "fatalities_best = NULL",
        "visibility = 'restricted'",
        "notes = 'other'",
    ],
)
def test_a_change_is_followed(conn, change):
    for n in (1, 2):
        insert(
            conn,
            source_id=str(n),
            place=(44.4, 33.3),
            starts_on=date(2024, 2, 20),
            ends_on=date(2024, 2, 29),
            fatalities_best=3,
        )
    settle(conn)
    for n in (1, 2):
        conn.execute(f"UPDATE event SET {change} WHERE source_id = %s", [str(n)])  # noqa: S608
        settle(conn)
        assert_exact(conn)


def test_what_is_deleted_leaves_no_row(conn):
    event = insert(conn, place=(44.4, 33.3), starts_on=date(2024, 2, 20))
    settle(conn)
    assert len(kept(conn)) == 2 * len(LEVELS)
    conn.execute("SELECT event_delete(%s)", [event])
    settle(conn)
    assert conn.execute("SELECT count(*) FROM event_cell").fetchone() == (0,)


@pytest.mark.parametrize(
    "columns",
    [{"visibility": "restricted", "place": (1, 2)}, {"place": None}, {"place": (45, -90)}],
)
def test_what_is_on_no_public_map_is_not_counted(conn, columns):
    insert(conn, **columns)
    settle(conn)
    assert kept(conn) == {}


def test_an_event_that_changes_several_times_in_a_transaction_counts_once(conn):
    event = insert(conn, place=(44.4, 33.3))
    settle(conn)
    for longitude in (10, 20, 30):
        place = f"SRID=4326;POINT({longitude} 5)"
        conn.execute("UPDATE event SET geom = %s WHERE id = %s", [place, event])
    other = insert(conn, place=(1, 1))
    conn.execute("UPDATE event SET geom = 'SRID=4326;POINT(2 2)' WHERE id = %s", [other])
    gone = insert(conn, place=(3, 3))
    conn.execute("SELECT event_delete(%s)", [gone])
    settle(conn)
    assert sums(conn) == {2}
    assert_exact(conn)


def test_what_a_savepoint_undoes_is_not_counted(fresh):
    with psycopg.connect(fresh) as conn:
        conn.execute("SAVEPOINT first")
        insert(conn, place=(44.4, 33.3))
        conn.execute("ROLLBACK TO first")
        event = insert(conn, place=(10, 20))
        conn.execute("SAVEPOINT second")
        insert(conn, place=(10, 20))
        conn.execute("UPDATE event SET geom = 'SRID=4326;POINT(5 5)' WHERE id = %s", [event])
        conn.execute("ROLLBACK TO second")
        conn.commit()
        assert sums(conn) == {1}
        assert_exact(conn)
        insert(conn, place=(1, 1))
        conn.rollback()
        assert sums(conn) == {1}


PLACES = [None, (180.0, 0.0), (-180.0, 10.5), (0.0, 0.0), (44.4, 33.3), (44.5, 33.3), (0.0, 90.0)]
OPERATIONS = st.one_of(
    st.tuples(st.just("insert"), st.sampled_from(PLACES), st.booleans()),
    st.tuples(st.just("move"), st.integers(0, 9), st.sampled_from(PLACES)),
    st.tuples(
        st.just("date"),
        st.integers(0, 9),
        st.none() | st.dates(date(2023, 12, 25), date(2024, 2, 5)),
    ),
    st.tuples(st.just("toll"), st.integers(0, 9), st.none() | st.integers(0, 2**31 - 1)),
    st.tuples(st.just("show"), st.integers(0, 9), st.sampled_from(["public", "restricted"])),
    st.tuples(st.just("delete"), st.integers(0, 9), st.none()),
    st.tuples(st.just("all"), st.integers(-20, 20), st.none()),
    st.sampled_from([("savepoint",), ("undo",), ("commit",)]),
)


@given(operations=st.lists(OPERATIONS, max_size=25))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_written_the_counts_are_exact_at_every_head(conn, operations):
    with conn.transaction(force_rollback=True):
        events: list[UUID] = []
        saved: list[int] | None = None
        for name, *what in operations:
            if name == "insert":
                shown = "public" if what[1] else "restricted"
                events.append(insert(conn, place=what[0], visibility=shown))
            elif name == "commit":
                saved = None
                settle(conn)
                assert_exact(conn)
            elif name == "savepoint":
                saved = len(events)
                conn.execute("SAVEPOINT here")
            elif name == "undo":
                if saved is not None:
                    conn.execute("ROLLBACK TO here")
                    del events[saved:]
            elif name == "all":
                conn.execute(
                    "UPDATE event SET geom = ST_Translate(geom, 0, %s) WHERE abs(ST_Y(geom)) < 60",
                    [what[0]],
                )
            elif events:
                change(conn, events[what[0] % len(events)], name, what[1])
        settle(conn)
        assert_exact(conn)


def change(conn, event, name, value):
    """Write one change of one event."""
    if name == "delete":
        conn.execute("SELECT event_delete(%s)", [event])
        return
    column = {"move": "geom", "date": "starts_on", "toll": "fatalities_best", "show": "visibility"}
    if name == "move" and value:
        value = f"SRID=4326;POINT({value[0]} {value[1]})"
    conn.execute(
        SQL("UPDATE event SET {} = %s WHERE id = %s").format(Identifier(column[name])),
        [value, event],
    )


# Many.


def test_a_bulk_of_events_and_of_changes_is_counted(fresh):
    synthetic.write(fresh, 3000)  # which deletes some, too
    with psycopg.connect(fresh) as conn:
        assert min(sums(conn)) > 2900
        assert_exact(conn)
        conn.execute(
            "UPDATE event SET geom = ST_Point(ST_X(geom) / 2, ST_Y(geom), 4326),"
            " starts_on = starts_on - 20 WHERE NOT deleted AND country IN ('IRQ', 'UKR')"
        )
        conn.commit()
        assert_exact(conn)


def test_open_transactions_do_not_wait_for_one_another(fresh):
    with psycopg.connect(fresh) as one, psycopg.connect(fresh) as other:
        for conn in (one, other):
            conn.execute("SET lock_timeout = '5s'")
            conn.commit()
        for n in range(3):
            insert(one, place=(44.4, 33.3), fatalities_best=n)
            insert(other, place=(44.4, 33.3), fatalities_best=n)
        other.commit()
        insert(one, place=(44.4, 33.3))
        one.commit()
        assert sums(one) == {7}
        assert_exact(one)


def scribble(dsn, n):
    """Write, change, delete and undo, a transaction each."""
    with psycopg.connect(dsn) as conn:
        mine: list[UUID] = []
        for i in range(30):
            made = insert(conn, place=(n + i % 3, i % 5), starts_on=date(2024, 1 + n, 1))
            if mine:
                place = f"SRID=4326;POINT(7 {n})"
                conn.execute("UPDATE event SET geom = %s WHERE id = %s", [place, mine[0]])
            if i % 5 == 4:
                conn.execute("SELECT event_delete(%s)", [mine[-1]])
            if i % 7 == 6:
                conn.rollback()
            else:
                conn.commit()
                mine.append(made)


def test_every_reader_sees_the_counts_of_its_head_while_many_write(fresh):
    stop, seen = threading.Event(), set()

    def watch():
        with psycopg.connect(fresh, autocommit=True) as conn:
            while not stop.is_set():
                row = conn.execute(
                    "SELECT total, array(SELECT sum(events)::bigint FROM event_cell"
                    " GROUP BY level, month = '-infinity') FROM feed.state"
                ).fetchone()
                seen.add((row[0], *row[1]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    writers = [threading.Thread(target=scribble, args=[fresh, n]) for n in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    watcher.join()
    assert len(seen) > 2
    assert {len(set(row)) for row in seen} == {1}, "the total, and the sum of each level"
    with psycopg.connect(fresh) as conn:
        assert conn.execute("SELECT total FROM feed.state").fetchone()[0] > 50
        assert_exact(conn)


def test_events_that_were_there_before_are_counted_when_the_table_is_made(cluster):
    with psycopg.connect(cluster.dsn, autocommit=True) as conn:
        conn.execute("CREATE DATABASE before_cells")
    dsn = psycopg.conninfo.make_conninfo(cluster.dsn, dbname="before_cells")
    earlier = [path for path in migrations() if path.stem < "0005"]
    with psycopg.connect(dsn) as conn:
        conn.execute("CREATE TABLE schema_version (name text PRIMARY KEY, applied_at timestamptz)")
        for path in earlier:
            conn.execute(path.read_bytes())
            conn.execute("INSERT INTO schema_version VALUES (%s, now())", [path.stem])
        conn.commit()
        for n in range(40):
            insert(conn, place=(n % 7 * 10, n), starts_on=date(2024, 1 + n % 3, 9))
        insert(conn, visibility="restricted", place=(1, 1))
        insert(conn)
    assert migrate(dsn)
    with psycopg.connect(dsn) as conn:
        assert_exact(conn)
        assert sums(conn) == {40}
        insert(conn, place=(0, 0), starts_on=date(2024, 1, 9))
        conn.commit()
        assert_exact(conn)


def test_what_was_written_past_the_triggers_is_not_taken_away_in_silence(conn):
    event = insert(conn, place=(1, 1))
    settle(conn)
    conn.execute("TRUNCATE event_cell")
    conn.execute("SELECT event_delete(%s)", [event])
    with pytest.raises(psycopg.errors.RaiseException, match="past their triggers"):
        settle(conn)
