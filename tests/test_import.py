"""Imports: into the real database, and by the real command."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
import shapely
from psycopg.sql import SQL

from api.cluster import Cluster
from api.identity import event_id
from api.importers import store
from api.importers.store import CONTENT, Incoming, Origin
from conftest import settle
from ged import ged, row
from importing import ask, create, imported, loaded

REAL = os.environ.get("HUDNA_REAL_DATA")
HUDNA = Path(sys.executable).parent / "hudna"
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


# By the command, into databases of their own.


def run(*words, **options):
    return imported("ucdp", *words, **options)


def file(name, *rows, **options):
    path = Path(name)
    path.write_bytes(ged(*rows, **options))
    return path


def test_a_file_is_loaded_once_however_often_it_comes(database):
    path = file("ged251.csv", row(), row(id="900002"))
    assert "2 created" in run(path).stdout
    assert loaded(database) == (2, 1)
    again = run(path).stdout
    assert "2 unchanged" in again
    assert "Nothing has changed." in again
    assert loaded(database) == (2, 1)
    assert ask(database, "SELECT count(*), min(release) FROM import") == (2, "25.1")
    kept = ask(database, "SELECT row, line FROM source_row ORDER BY line")
    assert kept == (row() | dict.fromkeys(kept[0].keys() - row().keys(), ""), 2)


def test_a_newer_release_says_what_it_changed(database):
    run(file("ged251.csv", row(), row(id="900002"), row(id="900003")))
    long = "A long story " * 20
    told = run(
        file(
            "ged261.csv",
            row(best="5"),
            row(id="900002", best="9", source_headline=long, source_original=long),
            row(id="900003"),
            row(id="900004"),
        )
    ).stdout
    for line in (
        "4 rows read",
        "1 created",
        "2 changed",
        "1 unchanged",
        "2 fatalities_best",
        "900001  fatalities_best: 3 -> 5",
        "900002  notes: ",
    ):
        assert line in told
    assert max(map(len, told.splitlines())) < 160
    assert ask(database, "SELECT array_agg(source_release ORDER BY source_id) FROM event") == (
        ["26.1", "26.1", "25.1", "26.1"],
    )


def test_one_bad_row_and_nothing_is_loaded(database):
    path = file("ged251.csv", row(), row(id="900002", latitude="95"), row(id="x", best="=1+1"))
    result = run(path, code=1)
    assert "Nothing was loaded: 2 of 3 rows are bad." in result.stderr
    assert 'ged251.csv:3  id 900002: latitude "95" is not between -90 and 90' in result.stderr
    assert loaded(database) == (0, 0)
    assert ask(database, "SELECT count(*) FROM import") == (0,)
    with Path("ged251.csv.rejected.csv").open(encoding="utf-8", newline="") as report:
        rows = list(csv.reader(report))
    assert rows == [
        ["file", "line", "source_id", "column", "value", "message"],
        ["ged251.csv", "3", "900002", "latitude", "95", "is not between -90 and 90"],
        ["ged251.csv", "4", "x", "best", "'=1+1", "is not a whole number"],
        ["ged251.csv", "4", "x", "id", "x", "is not a whole number"],
    ]


def test_the_screen_shows_twenty_problems_and_the_report_all(database):
    bad = [row(id=str(n), latitude="95") for n in range(1, 31)]
    result = run(file("ged.csv", *bad), code=1)
    assert result.stderr.count("is not between") == 20
    assert len(Path("ged.csv.rejected.csv").read_text().splitlines()) == 31


def test_lenient_loads_the_good_rows_and_lists_the_bad_ones(database):
    path = file("ged251.csv", row(), row(id="900002", latitude="95"))
    result = run(path, "--lenient", "--report", "bad.jsonl")
    assert "1 created" in result.stdout
    assert "1 rejected" in result.stdout
    assert "listed in bad.jsonl" in result.stdout
    assert loaded(database) == (1, 1)
    assert [json.loads(line) for line in Path("bad.jsonl").read_text().splitlines()] == [
        {
            "file": "ged251.csv",
            "line": 3,
            "source_id": "900002",
            "column": "latitude",
            "value": "95",
            "message": "is not between -90 and 90",
        }
    ]


def test_several_files_are_one_import(database):
    good, bad = file("ged251.csv"), file("GEDEvent_v25_0_9.csv", row(id="900002", best="x"))
    run(good, bad, code=1)
    assert loaded(database) == (0, 0)
    file("GEDEvent_v25_0_9.csv", row(id="900002"), header=False)
    run(good, bad)
    assert loaded(database) == (2, 1)
    assert ask(database, "SELECT files, release, read FROM import") == (
        [good.name, bad.name],
        None,
        2,
    )
    releases = ask(database, "SELECT array_agg(source_release ORDER BY source_id) FROM event")
    assert releases == (["25.1", "25.0.9"],)


def test_files_that_contradict_each_other_are_refused_with_both_lines(database):
    one_, other = file("a.csv", row(id="900002"), row()), file("b.csv", row(best="9"))
    result = run(one_, other, code=1)
    assert (
        "a.csv:3  id 900001: says something else of this event than line 2 of b.csv"
        in result.stderr
    )
    assert (
        "b.csv:2  id 900001: says something else of this event than line 3 of a.csv"
        in result.stderr
    )
    assert loaded(database) == (0, 0)
    assert "2 rejected" in run(one_, other, "--lenient").stdout
    assert loaded(database) == (1, 1)


def test_a_row_that_is_there_twice_is_no_contradiction(database):
    told = run(file("a.csv", row(), row())).stdout
    assert "1 created" in told
    assert "1 repeated" in told


def test_two_releases_may_say_the_same(database):
    told = run(file("ged251.csv"), file("ged261.csv")).stdout
    assert "1 repeated" in told
    assert ask(database, "SELECT source_release FROM event") == ("25.1",)


def test_the_release_can_be_given_and_the_file_be_stdin(database):
    run("-", "--release", "99.1", input=ged())
    assert ask(database, "SELECT files, release FROM import") == (["stdin"], "99.1")
    assert ask(database, "SELECT source_release FROM event") == ("99.1",)


def test_a_file_that_is_something_else_is_refused_by_name(database):
    Path("some.csv").write_text("when,where\n1,2\n")
    assert "Error: some.csv has no column id, type_of_violence" in run("some.csv", code=1).stderr


def test_a_database_without_the_schema_is_told(cluster, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", create(cluster, "template1"))
    monkeypatch.chdir(tmp_path)
    assert "run `hudna migrate`" in run(file("ged.csv"), code=1).stderr


def test_a_report_that_cannot_be_written_is_told(database):
    result = run(file("ged.csv", row(best="x")), "--report", "no/such/folder.csv", code=1)
    assert "no/such/folder.csv" in result.stderr


def test_on_a_terminal_there_is_a_bar(database, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    rows = [row(id=str(n)) for n in range(1, 1200)]
    assert "1,199 rows" in run(file("ged.csv", *rows)).stderr


def test_an_import_that_is_killed_leaves_nothing(database):
    path = file("ged.csv", *(row(id=str(n)) for n in range(1, 20_001)))
    command = [HUDNA, "import", "ucdp", "--no-places", path]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with process:
        for line in process.stderr:
            if line.startswith("Comparing"):
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert loaded(database) == (0, 0)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    end = time.monotonic() + 10
    while ask(database, others) != (1,):  # the server has noticed, and the lock is free
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "20,000 created" in run(path).stdout


def test_two_imports_at_once_come_one_after_the_other(database):
    path = file("ged.csv", *(row(id=str(n)) for n in range(1, 2001)))
    command = [HUDNA, "import", "ucdp", "--no-places", path]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("2,000 created" in one for one in told) == [False, True]
    assert sorted("2,000 unchanged" in one for one in told) == [False, True]
    assert loaded(database) == (2000, 1)


def test_without_an_address_the_private_database_is_started_and_stopped(monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    path = file("ged251.csv")
    assert "1 created" in run(path, "--data", "data").stdout
    assert Cluster(tmp_path / "data").pid is None
    with Cluster(tmp_path / "data") as running:  # as `hudna up` does
        assert "1 unchanged" in run(path, "--data", "data").stdout
        assert running.pid is not None
        assert loaded(running.dsn) == (1, 1)


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of UCDP's own files")
def test_the_real_files_are_loaded_and_again_change_nothing(database):
    for path in sorted(Path(REAL).glob("ucdp_ged_*.csv")):
        run(path)
        before = loaded(database)
        assert "Nothing has changed." in run(path).stdout
        assert loaded(database) == before
