"""Imports by the real command, into databases of their own."""

import csv
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from api.cluster import Cluster
from ged import ged, row
from importing import HUDNA, ask, create, imported, loaded

REAL = os.environ.get("HUDNA_REAL_DATA")


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


PROSE = "Shelling went on in the whole of the province. " * 130


def test_prose_in_the_column_of_a_name_is_told_like_any_other_bad_row(database):
    path = file("ged.csv", row(), row(id="900002", adm_1=PROSE), row(id="900003", side_b=PROSE))
    result = run(path, code=1)
    assert "Nothing was loaded: 2 of 3 rows are bad." in result.stderr
    with Path("ged.csv.rejected.csv").open(encoding="utf-8", newline="") as report:
        told = [(each["line"], each["column"], each["message"]) for each in csv.DictReader(report)]
    assert told == [
        ("3", "adm_1", "has 6,109 characters, where at most 100 are allowed"),
        ("4", "side_b", "has 6,109 characters, where at most 500 are allowed"),
    ]
    assert "1 created" in run(path, "--lenient").stdout


def test_texts_of_the_greatest_lengths_are_loaded(database):
    """Of characters that take most room, and cannot be packed."""
    signs = random.Random(7)  # noqa: S311 -- the same every time
    most = {"adm_1": 100, "side_a": 500, "side_b": 500, "where_coordinates": 300}
    most |= {"source_headline": 90_000, "source_original": 90_000, "source_office": 90_000}
    cells = {
        column: "".join(chr(signs.randrange(0x20000, 0x2A6DF)) for _ in range(number))
        for column, number in most.items()
    }
    assert "1 created" in run(file("ged.csv", row(**cells))).stdout


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
