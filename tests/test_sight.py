"""What the public is told, and what is kept from it: what the database itself promises."""

import random

import psycopg
import pytest

from acts import ACTS, act
from api.db import migrate, migrations, pending
from conftest import insert, settle


def state(conn):
    return conn.execute("SELECT head, public_head, total, withheld_head FROM feed.state").fetchone()


def column(conn, event, name):
    return conn.execute(f"SELECT {name} FROM event WHERE id = %s", [event]).fetchone()[0]  # noqa: S608


def test_a_change_that_the_public_cannot_see_is_not_told(conn):
    event = insert(conn, notes="seen")
    settle(conn)
    act(conn, "restrict", event)
    told, head, before = column(conn, event, "public_tx"), column(conn, event, "tx_id"), state(conn)
    assert told == head
    act(conn, "edit", event)
    assert column(conn, event, "public_tx") == told != column(conn, event, "tx_id")
    after = state(conn)
    assert after[0] > before[0]
    assert after[1:] == before[1:]


def test_what_was_never_public_is_never_told(conn):
    event = insert(conn, visibility="restricted")
    settle(conn)
    act(conn, "edit", event)
    act(conn, "delete", event)
    assert column(conn, event, "public_tx") is None
    assert state(conn)[1:] == (0, 0, 0)


@pytest.mark.parametrize("name", ["restrict", "erase"])
def test_what_is_taken_from_the_past_moves_the_head_of_what_is_withheld(conn, name):
    event = insert(conn)
    settle(conn)
    assert state(conn)[3] == 0
    act(conn, name, event)
    assert state(conn)[3] == state(conn)[0]


def test_an_event_that_is_deleted_leaves_its_past(conn):
    event = insert(conn, notes="past")
    settle(conn)
    act(conn, "delete", event)
    assert state(conn)[3] == 0
    assert conn.execute("SELECT notes FROM event_history").fetchall() == [("past",)]


def test_an_event_that_is_erased_leaves_no_word(conn):
    event = insert(
        conn, notes="word one", place=(44.4, 33.3), actors=[{"name": "word two", "role": "party"}]
    )
    settle(conn)
    conn.execute("UPDATE event SET notes = 'word three' WHERE id = %s", [event])
    conn.execute(
        "INSERT INTO event_exact (event_id, geom) VALUES (%s, 'SRID=4326;POINT(1 2)')", [event]
    )
    settle(conn)
    act(conn, "erase", event)
    tables = ("event", "event_history", "event_exact")
    text = " ".join(str(row) for t in tables for row in conn.execute(f"SELECT t::text FROM {t} t"))  # noqa: S608
    assert str(event) in text
    assert "word" not in text
    points = "SELECT count(geom) FROM event_version"
    assert conn.execute(points).fetchone() == (0,)
    assert conn.execute(
        "SELECT erased, version FROM event_history ORDER BY version"
    ).fetchall() == [
        (True, 1),
        (True, 2),
        (True, 3),
    ]


def test_an_exact_place_moves_the_head_but_not_the_publics(conn):
    event = insert(conn)
    settle(conn)
    before = state(conn)
    for statement in (
        "INSERT INTO event_exact (event_id, geom) VALUES (%s, 'SRID=4326;POINT(1 2)')",
        "UPDATE event_exact SET geom = 'SRID=4326;POINT(1 3)' WHERE event_id = %s",
        "DELETE FROM event_exact WHERE event_id = %s",
    ):
        conn.execute(statement, [event])
        settle(conn)
    after = state(conn)
    assert after[0] > before[0]
    assert after[1:] == before[1:]


def test_each_transaction_knows_how_many_events_are_left_as_it_made_them(conn):
    chance = random.Random(6)  # noqa: S311 -- a test is to be repeatable
    events = [insert(conn, visibility=chance.choice(["public", "restricted"])) for _ in range(20)]
    settle(conn)
    for _ in range(150):
        for event in chance.sample(events, chance.choice([1, 1, 5])):
            conn.execute(ACTS[chance.choice([*ACTS])], [event])
        settle(conn)
    wrong = conn.execute(
        "SELECT tx_id, live, live_public FROM feed.tx AS t"
        " WHERE live <> (SELECT count(*) FROM event WHERE tx_id = t.tx_id)"
        "    OR live_public <> (SELECT count(*) FROM event WHERE public_tx = t.tx_id)"
    ).fetchall()
    assert wrong == []
    head, public_head, total, _ = state(conn)
    assert total == conn.execute("SELECT count(*) FROM event WHERE public").fetchone()[0]
    assert conn.execute("SELECT total FROM feed.tx WHERE seq = %s", [head]).fetchone() == (total,)
    assert public_head <= head


def test_what_was_written_before_is_counted_by_the_migration(make_database, cluster):
    name = "before_sight"
    with psycopg.connect(cluster.dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    dsn = psycopg.conninfo.make_conninfo(cluster.dsn, dbname=name)
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "CREATE TABLE schema_version"
            " (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
        )
        for path in migrations():
            if path.stem < "0006":
                conn.execute(path.read_bytes())
                conn.execute("INSERT INTO schema_version (name) VALUES (%s)", [path.stem])
        conn.commit()
        seen, gone, never = (insert(conn, visibility=v) for v in ("public", "public", "restricted"))
        conn.commit()
        conn.execute("SELECT event_delete(%s)", [gone])
        conn.commit()
        conn.execute(ACTS["edit"], [never])
        conn.commit()
        assert "0006_sight" in pending(conn)
    migrate(dsn)
    with psycopg.connect(dsn) as conn:
        told = dict(
            conn.execute("SELECT id, t.seq FROM event LEFT JOIN feed.tx t ON t.tx_id = public_tx")
        )
        assert told == {seen: 1, gone: 2, never: None}
        counts = conn.execute(
            "SELECT seq, total, live, live_public FROM feed.tx ORDER BY seq"
        ).fetchall()
        assert counts == [(1, 2, 1, 1), (2, 1, 1, 1), (3, 1, 1, 0)]
        assert conn.execute(
            "SELECT count(*), bool_and(hidden) FROM event_history WHERE visibility = 'restricted'"
        ).fetchone() == (1, True)


def test_a_new_epoch_says_up_to_where_the_old_one_holds(conn):
    insert(conn)
    settle(conn)
    (epoch,) = conn.execute("SELECT epoch FROM feed.state").fetchone()
    conn.execute("UPDATE feed.state SET timeline = 0")  # as if restored from another's backup
    (new,) = conn.execute("SELECT feed.check_epoch()").fetchone()
    head = state(conn)[0]
    assert new != epoch
    assert conn.execute("SELECT epoch, until FROM feed.epoch").fetchall() == [(epoch, head)]
    assert conn.execute("SELECT feed.check_epoch()").fetchone() == (new,)
