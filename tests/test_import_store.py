"""Imports into the real database: what is new, what has changed, and what is left alone."""

import json
from uuid import UUID

import pytest
import shapely
from psycopg.sql import SQL

from api.identity import event_id
from api.importers import store
from api.importers.store import CONTENT, Incoming, Origin
from conftest import settle

SOME = Origin("test", "some")


def incoming(source_id="1", line=1, raw=None, **columns):
    columns = {"source_id": source_id, "event_type": "Battles"} | columns
    return Incoming(columns, "some.csv", line, raw)


def load(conn, *events, origin=SOME):
    """Import events as one import, and draw the number that its commit would draw."""
    account = store.load(conn, events, origin)
    settle(conn)
    return account


def counts(account):
    return account.created, account.changed, account.unchanged


def one(conn, columns, source_id="1"):
    """The columns of an event."""
    query = SQL("SELECT {} FROM event WHERE source_id = %s").format(SQL(columns))
    return conn.execute(query, [source_id]).fetchone()


def head(conn):
    return conn.execute("SELECT head, public_head, total FROM feed.state").fetchone()


def test_an_id_is_the_same_for_ever():
    assert event_id("ucdp-ged", "300380") == UUID("44eeb9d0-b32d-5223-ba7b-3110f16988ef")
    assert event_id("acled", "UGA7752") == UUID("2dc0910c-e8f6-5015-aff4-18166e34f526")


def test_the_content_of_an_event_is_what_the_database_compares(conn):
    load(conn, incoming())
    (content,) = conn.execute("SELECT event_content(e) FROM event AS e").fetchone()
    assert content.keys() == {*CONTENT, "deleted", "erased"}


def test_an_event_is_written_as_it_comes(conn):
    ground = shapely.box(40, 34, 41, 35)
    report = {"publisher": "Courier", "url": None, "stance": "claims"}
    load(
        conn,
        incoming(
            source_release="25.1",
            tags=["a", 'b "c", {d}'],
            actors=[{"name": "Blue Column", "role": "party"}],
            reports=[report],
            geom=shapely.Point(40.9, 34.5),
            footprint=ground,
            starts_on="2018-03-09",
            fatalities_best=3,
            uncertainty_km=0.5,
        ),
        incoming("2", geom="POINT(1 2)", footprint=shapely.Point(1, 2).wkb_hex),
    )
    found = one(
        conn,
        "id, dataset, source_release, tags, actors, actor1, reports, status, starts_on::text,"
        " fatalities_best, fatalities_low, uncertainty_km, visibility",
    )
    assert found == (
        event_id("some", "1"),
        "some",
        "25.1",
        ["a", 'b "c", {d}'],
        [{"name": "Blue Column", "role": "party"}],
        "Blue Column",
        [report],
        "claimed",
        "2018-03-09",
        3,
        None,
        0.5,
        "public",
    )
    places = "ST_AsEWKT(geom), ST_AsEWKT(footprint)"
    assert one(conn, places) == ("SRID=4326;POINT(40.9 34.5)", f"SRID=4326;{plain(ground)}")
    assert one(conn, places, "2") == ("SRID=4326;POINT(1 2)", "SRID=4326;POINT(1 2)")


def plain(ground):
    return ground.wkt.replace(" (", "(").replace(", ", ",")


def test_a_property_that_no_source_decides_is_refused(conn):
    with pytest.raises(ValueError, match="no source decides status, version"):
        load(conn, incoming(status="confirmed", version=7))


def test_the_same_again_changes_nothing(conn):
    events = [incoming(str(n), geom=f"POINT({n} 1)", tags=["a"]) for n in range(1, 4)]
    assert counts(load(conn, *events)) == (3, 0, 0)
    before = head(conn)
    assert counts(load(conn, *events)) == (0, 0, 3)
    assert head(conn) == before
    assert one(conn, "version") == (1,)


def test_only_what_differs_is_changed_and_told(conn):
    events = [incoming(str(n), fatalities_best=n, geom="POINT(1 2)") for n in range(1, 5)]
    load(conn, *events)
    account = load(
        conn,
        events[0],
        incoming("2", fatalities_best=7, geom="POINT(1 2)"),
        incoming("3", fatalities_best=8, geom="POINT(3 4)"),
        incoming("5"),
    )
    assert counts(account) == (1, 2, 1)
    assert account.fields == {"fatalities_best": 2, "geom": 1}
    assert (account.moved, account.redated, account.recoded) == (1, 0, 2)
    assert account.examples == {
        "moved": [("3", "geom", "POINT (1 2)", "POINT (3 4)")],
        "recoded": [("2", "fatalities_best", 2, 7), ("3", "fatalities_best", 3, 8)],
    }
    assert account.new == [("5", "Battles")]
    versions = dict(conn.execute("SELECT source_id, version FROM event"))
    assert versions == {"1": 1, "2": 2, "3": 2, "4": 1, "5": 1}


def test_no_more_than_five_examples_of_a_kind_are_given_the_most_frequent_first(conn):
    load(conn, *(incoming(str(n)) for n in range(9)))
    changed = {"notes": "x", "country": "IRQ", "admin1": "y", "starts_on": "2024-01-01"}
    changed |= {"fatalities_low": 1, "fatalities_high": 2, "tags": ["a"]}
    account = load(conn, incoming("0", **changed), *(incoming(str(n), notes="x") for n in (1, 2)))
    assert {kind: [one.field for one in some] for kind, some in account.examples.items()} == {
        "moved": ["admin1", "country"],
        "redated": ["starts_on"],
        "recoded": ["notes", "fatalities_high", "fatalities_low", "tags", "notes"],
    }
    assert (account.moved, account.redated, account.recoded) == (1, 1, 3)


def test_a_new_release_of_the_same_is_no_change(conn):
    load(conn, incoming(source_release="25.1"))
    before = head(conn)
    assert counts(load(conn, incoming(source_release="26.1"))) == (0, 0, 1)
    assert head(conn) == before
    assert one(conn, "source_release") == ("25.1",)


def test_a_change_brings_its_release(conn):
    load(conn, incoming(source_release="25.1"))
    load(conn, incoming(source_release="26.1", notes="more"))
    assert one(conn, "source_release, version") == ("26.1", 2)


def test_an_event_that_was_deleted_comes_back(conn):
    load(conn, incoming(notes="a"))
    conn.execute("SELECT event_delete(id) FROM event")
    account = load(conn, incoming(notes="a"))
    assert counts(account) == (0, 1, 0)
    assert account.fields == {"deleted": 1, "notes": 1}
    assert (account.back, account.recoded) == (1, 0)
    assert account.examples == {"back": [("1", "deleted", True, False)]}
    assert one(conn, "deleted, notes, version") == (False, "a", 3)


def test_an_event_that_was_erased_does_not_come_back(conn):
    load(conn, incoming(notes="a"))
    conn.execute("SELECT event_erase(id) FROM event")
    again = incoming(notes="b", raw={"n": "b"})
    assert counts(load(conn, again)) == (0, 0, 1)
    assert one(conn, "erased, notes, version") == (True, None, 3)
    assert conn.execute("SELECT count(*) FROM source_row").fetchone() == (0,)


def test_what_somebody_has_restricted_no_import_publishes(conn):
    load(conn, incoming(), incoming("2", visibility="restricted"))
    conn.execute("UPDATE event SET visibility = 'restricted' WHERE source_id = '1'")
    assert counts(load(conn, incoming(), incoming("2", notes="more"))) == (0, 1, 1)
    assert one(conn, "visibility") == ("restricted",)
    assert one(conn, "visibility, notes", "2") == ("restricted", "more")


def test_an_import_can_restrict_what_was_public(conn):
    load(conn, incoming())
    assert counts(load(conn, incoming(visibility="restricted"))) == (0, 1, 0)
    assert one(conn, "visibility") == ("restricted",)


def test_an_event_that_comes_twice_in_the_same_words_is_loaded_once(conn):
    account = load(conn, incoming(line=1), incoming("2"), incoming(line=3))
    assert counts(account) == (2, 0, 0)
    assert (account.read, account.repeated) == (3, 1)


def test_an_event_that_comes_twice_in_different_words_is_refused(conn):
    with pytest.raises(ValueError, match="1 comes more than once"):
        load(conn, incoming(), incoming(notes="else"))


def test_rows_that_contradict_each_other_are_left_out_and_the_others_stay(conn):
    events = [incoming(line=1), incoming("2"), incoming(line=3, notes="else"), incoming(line=4)]
    store.stage(conn, events, "some")
    clashes = list(store.clashes(conn))
    assert [(clash.line, clash.other_line) for clash in clashes] == [(1, 3), (3, 1), (4, 3)]
    account = store.apply(conn, read=4, rejected=len(clashes))
    assert counts(account) == (1, 0, 0)
    assert one(conn, "count(*)") == (0,)


def test_each_row_is_told_with_the_first_that_contradicts_it(conn):
    said = ["a", "a", "b", "a", "c", "b"]
    store.stage(conn, [incoming(line=n, notes=text) for n, text in enumerate(said)], "some")
    expected = [(n, next(m for m, other in enumerate(said) if other != said[n])) for n in range(6)]
    assert [(each.line, each.other_line) for each in store.clashes(conn)] == expected


def rows_of(plan):
    """How many rows the nodes of a plan have given away or thrown away."""
    names = ("Actual Rows", *(name for name in plan if name.startswith("Rows Removed")))
    own = sum(plan[name] for name in names) * plan["Actual Loops"]
    return own + sum(map(rows_of, plan.get("Plans", ())))


@pytest.mark.parametrize("contents", [1, 2, 2000])
def test_an_id_that_is_none_is_found_out_without_comparing_all_with_all(conn, contents):
    """A column of a table that was taken for the id: each has thousands of rows."""
    number = 4000
    events = [
        incoming(str(n % 2), line=n, notes=str(n // 2 % contents), geom="POINT(1 2)")
        for n in range(number)
    ]
    conn.execute("LOAD 'auto_explain'")
    for name, value in {
        "min_duration": 0,
        "analyze": 1,
        "format": "json",
        "level": "notice",
    }.items():
        conn.execute(SQL("SET LOCAL {} = {}").format(SQL(f"auto_explain.log_{name}"), value))
    plans = []
    conn.add_notice_handler(lambda told: plans.append(told.message_primary))
    read = store.stage(conn, events, "some")
    clashes = list(store.clashes(conn))
    account = store.apply(conn, read=read, rejected=len(clashes))
    clashing = 0 if contents == 1 else number
    assert (len(clashes), account.repeated) == (clashing, number - clashing - 2 * (contents == 1))
    found = [json.loads(text[text.index("{") :]) for text in plans if "plan:" in text]
    assert len(found) > 5
    for each in found:
        assert rows_of(each["Plan"]) < 12 * number, each["Query Text"]


def test_the_row_of_the_source_is_kept_as_it_was_read(conn):
    raw = {"id": "1", "text": " \n\té\u2028\\u0000 "}
    first = load(conn, incoming(raw=raw, line=7))
    kept = "SELECT import_id, file, line, row FROM source_row"
    assert conn.execute(kept).fetchone() == (first.import_id, "some.csv", 7, raw)
    load(conn, incoming(raw=raw, line=8))
    assert conn.execute(kept).fetchone() == (first.import_id, "some.csv", 7, raw)
    third = load(conn, incoming(raw={"id": "1"}, line=9))
    assert counts(third) == (0, 0, 1)
    assert conn.execute(kept).fetchone() == (third.import_id, "some.csv", 9, {"id": "1"})


def test_a_deletion_takes_the_row_of_the_source_with_it(conn):
    load(conn, incoming(raw={"id": "1", "text": "secret"}))
    conn.execute("SELECT event_delete(id) FROM event")
    assert conn.execute("SELECT count(*) FROM source_row").fetchone() == (0,)


def test_an_import_is_recorded_and_its_transaction_bears_its_name(conn):
    origin = Origin("test", "some", ["a.csv", "b.csv"], "25.1")
    account = load(conn, incoming(), incoming(), incoming("2"), origin=origin)
    record = conn.execute(
        "SELECT id, format, dataset, files, release, read, created, changed, unchanged, rejected"
        " FROM import"
    ).fetchone()
    assert record[1:] == ("test", "some", ["a.csv", "b.csv"], "25.1", 3, 2, 0, 0, 0)
    assert record[0] == account.import_id
    assert conn.execute("SELECT import_id FROM feed.tx").fetchone() == (account.import_id,)


@pytest.mark.parametrize(
    ("change", "known"), [({"notes": "more"}, True), ({"geom": "POINT(41 35)"}, False)]
)
def test_where_an_event_really_was_is_forgotten_when_its_source_moves_it(conn, change, known):
    before = {"geom": "POINT(40 34)", "uncertainty_km": 20}
    load(conn, incoming(**before))
    conn.execute(
        "INSERT INTO event_exact (event_id, geom)"
        " SELECT id, ST_SetSRID(ST_Point(40.1, 34.1), 4326) FROM event"
    )
    load(conn, incoming(**before | change))
    assert conn.execute("SELECT count(*) FROM event_exact").fetchone()[0] == known
