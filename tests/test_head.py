"""The head, versions, tombstones and history: what the database itself promises."""

import json
import threading
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.types.json import Jsonb

from api.cli import main
from api.db import migrate, migrations, pending, queries
from conftest import insert, settle


def state(conn):
    return conn.execute("SELECT head, public_head, total FROM feed.state").fetchone()


def row(conn, event, columns):
    return conn.execute(f"SELECT {columns} FROM event WHERE id = %s", [event]).fetchone()  # noqa: S608


@pytest.fixture
def fresh(make_database):
    """A database whose commits are real."""
    return make_database()


def test_a_commit_draws_the_next_number_and_counts_what_the_public_sees(fresh):
    with psycopg.connect(fresh) as conn:
        insert(conn)
        insert(conn)
        conn.commit()
        assert state(conn) == (1, 1, 2)
        insert(conn)
        conn.rollback()
        assert state(conn) == (1, 1, 2)
        insert(conn, visibility="restricted")
        conn.commit()
        assert state(conn) == (2, 1, 2), (
            "the public head stands still for what the public cannot see"
        )


def test_two_writers_are_numbered_in_the_order_in_which_they_become_visible(fresh):
    with psycopg.connect(fresh) as early, psycopg.connect(fresh) as late:
        first = insert(early)
        second = insert(late)
        late.commit()
        early.commit()
        order = early.execute(
            "SELECT e.id FROM event e JOIN feed.tx USING (tx_id) ORDER BY seq"
        ).fetchall()
    assert order == [(second,), (first,)]


def test_nobody_sees_a_number_before_every_smaller_one(fresh):
    stop = threading.Event()
    broken = []

    def watch():
        with psycopg.connect(fresh, autocommit=True) as conn:
            seen = 0
            while not stop.is_set():
                head, rows = conn.execute(
                    "SELECT head, (SELECT count(*) FROM feed.tx WHERE seq > 0) FROM feed.state"
                ).fetchone()
                # Each transaction writes one event and none fails, so a gap would show.
                if head != rows or head < seen:
                    broken.append((head, rows, seen))
                seen = head

    def write():
        with psycopg.connect(fresh) as conn:
            for _ in range(40):
                insert(conn)
                conn.commit()

    watcher = threading.Thread(target=watch)
    watcher.start()
    writers = [threading.Thread(target=write) for _ in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    watcher.join()
    with psycopg.connect(fresh) as conn:
        assert state(conn) == (160, 160, 160)
    assert broken == []


def test_a_change_makes_a_version_and_keeps_the_old_one(conn):
    event = insert(conn, notes="first", place=(44.4, 33.3))
    settle(conn)
    conn.execute("UPDATE event SET notes = 'second' WHERE id = %s", [event])
    settle(conn)
    assert row(conn, event, "version, notes") == (2, "second")
    kept = conn.execute(
        "SELECT h.version, h.notes, h.feature::json #>> '{properties,notes}', a.seq < b.seq"
        "  FROM event_history h JOIN feed.tx a ON a.tx_id = h.tx_id"
        "  JOIN feed.tx b ON b.tx_id = h.superseded_by WHERE h.id = %s",
        [event],
    ).fetchall()
    assert kept == [(1, "first", "first", True)]
    assert state(conn)[2] == 1


@pytest.mark.parametrize(
    "repetition",
    [
        "notes = notes",
        "actors = actors, reports = reports, tags = tags",
        "geom = ST_SetSRID(ST_MakePoint(44.4, 33.3), 4326)",
        "source_release = '25.1'",
    ],
)
def test_a_repetition_is_no_change(conn, repetition):
    event = insert(conn, notes="same", place=(44.4, 33.3), actors=[{"name": "A", "role": "party"}])
    settle(conn)
    before = state(conn)
    conn.execute(f"UPDATE event SET {repetition} WHERE id = %s", [event])  # noqa: S608 - the table above
    settle(conn)
    assert row(conn, event, "version") == (1,)
    assert state(conn) == before


def test_what_is_derived_cannot_be_written(conn):
    event = insert(
        conn,
        status="confirmed",
        version=7,
        actor1="Nobody",
        actors=[{"name": "A", "role": "initiator"}, {"name": "B", "role": "target"}],
        reports=[{"stance": "claims"}],
    )
    assert row(conn, event, "status, version, actor1, actor2") == ("claimed", 1, "A", "B")


@pytest.mark.parametrize(
    ("stances", "status"),
    [
        ([], "unverified"),
        ([None], "unverified"),
        (["claims"], "claimed"),
        (["claims", "confirms"], "confirmed"),
        (["denies"], "denied"),
        (["denies", "claims"], "disputed"),
        (["confirms", "denies"], "disputed"),
        (["confirms", "disputes"], "disputed"),
    ],
)
def test_the_status_is_what_the_reports_make_of_it(conn, stances, status):
    reports = Jsonb([{"stance": stance} for stance in stances])
    assert conn.execute("SELECT status_of(%s)", [reports]).fetchone() == (status,)


def test_a_deletion_leaves_a_tombstone_without_content(conn):
    event = insert(conn, notes="secret", place=(1, 2), country="IRQ", fatalities_best=3)
    settle(conn)
    assert conn.execute("SELECT event_delete(%s)", [event]).fetchone() == (2,)
    settle(conn)
    assert row(conn, event, "deleted, notes, geom, country, fatalities_best, feature, public") == (
        True, None, None, None, None, None, False,
    )  # fmt: skip
    assert state(conn)[2] == 0
    assert conn.execute("SELECT event_delete(%s)", [event]).fetchone() == (None,)


def test_a_deletion_of_another_version_does_nothing(conn):
    event = insert(conn)
    assert conn.execute("SELECT event_delete(%s, 2)", [event]).fetchone() == (None,)
    assert row(conn, event, "deleted") == (False,)


def some(conn) -> list[UUID]:
    """Write events of every kind, each with a source's row and an exact place."""
    made = [
        insert(conn, notes="secret", place=(1, 2), visibility=visibility)
        for visibility in ("public", "public", "restricted", "public")
    ]
    conn.execute(
        "INSERT INTO source_row (event_id, import_id, file, line, row)"
        " SELECT id, gen_random_uuid(), 'a.csv', 2, '{}' FROM unnest(%s) AS id",
        [made],
    )
    conn.execute(
        "INSERT INTO event_exact (event_id, geom)"
        " SELECT id, 'SRID=4326;POINT(1 2)' FROM unnest(%s) AS id",
        [made],
    )
    settle(conn)
    conn.execute("UPDATE event SET visibility = 'restricted' WHERE id = %s", [made[1]])
    settle(conn)
    conn.execute("SELECT event_delete(%s)", [made[3]])
    settle(conn)
    return made


def left(conn, events) -> list:
    """Return all that is left of events, but for which they are."""
    return conn.execute(
        "SELECT array_position(%(ids)s, v.id) AS place, v.version, v.deleted, v.notes, v.geom,"
        "       v.public, v.hidden, v.withheld, v.ever_public, v.feature IS NULL,"
        "       v.superseded_by = (SELECT tx_id FROM event AS e WHERE e.id = v.id),"
        "       (SELECT (public, delta, withholds) FROM feed.tx AS t WHERE t.tx_id = v.tx_id),"
        "       (SELECT count(*) FROM source_row WHERE event_id = v.id),"
        "       (SELECT count(*) FROM event_exact WHERE event_id = v.id)"
        "  FROM event_version AS v WHERE v.id = ANY (%(ids)s) ORDER BY place, v.version",
        {"ids": events},
    ).fetchall()


def test_many_are_deleted_at_once_as_they_are_one_by_one(conn):
    one_by_one, at_once = some(conn), some(conn)
    start = state(conn)
    for event in one_by_one:
        conn.execute("SELECT event_delete(%s)", [event])
    settle(conn)
    middle = state(conn)
    asked = [*at_once, at_once[0], uuid4()]
    deleted = conn.execute("SELECT * FROM events_delete(%s)", [asked]).fetchall()
    settle(conn)
    assert sorted(deleted) == sorted([(at_once[0], 2), (at_once[1], 3), (at_once[2], 2)])
    assert left(conn, at_once) == left(conn, one_by_one)
    assert len(left(conn, at_once)) == 9
    assert state(conn)[2] - middle[2] == middle[2] - start[2] == -1


def test_of_many_those_alone_are_deleted_that_are_in_a_version(conn):
    events = [insert(conn) for _ in range(3)]
    conn.execute("UPDATE event SET notes = 'x' WHERE id = %s", [events[1]])
    deleted = conn.execute("SELECT * FROM events_delete(%s, 2)", [events]).fetchall()
    assert deleted == [(events[1], 3)]
    assert [row(conn, event, "deleted") for event in events] == [(False,), (True,), (False,)]


@pytest.mark.parametrize("many", [1, 50])
def test_an_import_that_deletes_much_accounts_for_it_once(conn, many):
    """Each account is a version of the transaction's row, which every later one has to pass."""
    events = [insert(conn) for _ in range(many)]
    settle(conn)
    named = queries("imports.sql")
    conn.execute(named["absent"])
    conn.execute("INSERT INTO absent SELECT unnest(%s)", [events])
    written = "SELECT n_tup_upd FROM pg_stat_xact_user_tables WHERE relid = 'feed.tx'::regclass"
    (before,) = conn.execute(written).fetchone()
    assert conn.execute(named["bury"]).fetchone() == (many,)
    assert conn.execute(written).fetchone() == (before + 1,)


@pytest.mark.parametrize("statement", ["DELETE FROM event", "TRUNCATE event"])
def test_events_cannot_be_removed_without_a_trace(conn, statement):
    insert(conn)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        conn.execute(statement)


def test_hiding_and_showing_keep_the_count(conn):
    event = insert(conn)
    settle(conn)
    for visibility, total in [("restricted", 0), ("public", 1)]:
        conn.execute("UPDATE event SET visibility = %s WHERE id = %s", [visibility, event])
        settle(conn)
        assert state(conn)[2] == total
    assert row(conn, event, "ever_public, version") == (True, 3)


def test_a_savepoint_that_is_undone_takes_its_changes_out_of_the_count(conn):
    insert(conn)
    conn.execute("SAVEPOINT here")
    insert(conn)
    conn.execute("ROLLBACK TO here")
    insert(conn)
    settle(conn)
    assert state(conn)[2] == 2


def test_the_feature_text_is_what_the_columns_say_in_any_time_zone(conn):
    conn.execute("SET timezone = 'Asia/Baghdad'")
    event = insert(conn, notes='a "quote", a \\ and بغداد', place=(44.366, 33.315), tags=["x"])
    feature = json.loads(row(conn, event, "feature")[0])
    assert feature["geometry"] == {"type": "Point", "coordinates": [44.366, 33.315]}
    assert feature["id"] == str(event)
    assert feature["properties"]["notes"] == 'a "quote", a \\ and بغداد'
    assert feature["properties"]["updated_at"].endswith("Z")
    assert feature["properties"]["fatalities_best"] is None


def test_a_migrated_database_is_left_alone(fresh):
    assert migrate(fresh) == []
    with psycopg.connect(fresh) as conn:
        assert pending(conn) == []
        count = conn.execute("SELECT count(*) FROM schema_version").fetchone()[0]
    assert count == len(migrations())


def test_a_restored_database_starts_a_new_epoch(fresh):
    with psycopg.connect(fresh, autocommit=True) as conn:
        before = conn.execute("SELECT epoch FROM feed.state").fetchone()
        migrate(fresh)
        assert conn.execute("SELECT epoch FROM feed.state").fetchone() == before
        conn.execute("UPDATE feed.state SET timeline = timeline - 1")
        migrate(fresh)
        assert conn.execute("SELECT epoch FROM feed.state").fetchone() != before


def test_who_restores_a_database_can_say_so(fresh, monkeypatch):
    """A copy that was put back in its place looks as if nothing had happened."""
    monkeypatch.setenv("DATABASE_URL", fresh)
    with psycopg.connect(fresh, autocommit=True) as conn:
        before, head = conn.execute("SELECT epoch, head FROM feed.state").fetchone()
        done = CliRunner().invoke(main, ["db", "restored"])
        assert done.exit_code == 0, done.output
        assert conn.execute("SELECT epoch FROM feed.state").fetchone()[0] != before
        assert conn.execute("SELECT epoch, until FROM feed.epoch").fetchall() == [(before, head)]
        now = conn.execute("SELECT epoch FROM feed.state").fetchone()
        migrate(fresh)
        assert conn.execute("SELECT epoch FROM feed.state").fetchone() == now
