"""Releases that follow each other: what is replaced, told, skipped and taken up again."""

import csv
import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from api.identity import event_id
from conftest import insert
from ged import ged, row
from importing import HUDNA, ask, imported, loaded

REAL = os.environ.get("HUDNA_REAL_DATA")


def run(*words, **options):
    return imported("ucdp", *words, **options)


def file(name, *rows):
    path = Path(name)
    path.write_bytes(ged(*rows))
    return path


def rows(*numbers, **cells):
    """Rows with these ids."""
    return [row(id=str(number), **cells) for number in numbers]


def living(dsn):
    """The ids of the source's that are there."""
    query = "SELECT array_agg(source_id ORDER BY source_id::int) FROM event WHERE NOT deleted"
    return ask(dsn, query)[0]


def section(told, beginning):
    """The lines that belong to the one that begins so, with that one."""
    lines = told.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(beginning))
    after = [n for n, line in enumerate(lines) if n > at and not line.startswith("  ")]
    return lines[at : after[0] if after else None]


# What a release changed.


def test_two_releases_differ_in_exactly_what_is_told(database):
    run(file("ged251.csv", *rows(1, 2, 3, 4, 5)))
    told = run(
        file(
            "ged261.csv",
            row(id="1", latitude="34.6", where_prec="3"),
            row(id="2", date_start="2018-03-08", date_prec="2"),
            row(id="3", best="5", deaths_b="4"),
            row(id="4", best="6", date_start="2018-03-07", date_prec="2"),
            row(id="5"),
            row(id="6", where_coordinates="Hentzau"),
        )
    ).stdout
    assert section(told, "What changed") == [
        "What changed, and how often:",
        "        2 date_precision",
        "        2 fatalities_best",
        "        2 starts_on",
        "        1 geo_precision",
        "        1 geom",
        "        1 tags",
    ]
    assert section(told, "Events moved") == [
        "Events moved (place): 1",
        '  1  geo_precision: "settlement" -> "admin2"',
        '  1  geom: "POINT (40.9 34.5)" -> "POINT (40.9 34.6)"',
    ]
    assert section(told, "Events re-dated") == [
        "Events re-dated: 2",
        '  2  date_precision: "day" -> "days"',
        '  2  starts_on: "2018-03-09" -> "2018-03-08"',
        '  4  date_precision: "day" -> "days"',
        '  4  starts_on: "2018-03-09" -> "2018-03-07"',
    ]
    recoded = section(told, "Events re-coded")
    assert recoded[:3] == [
        "Events re-coded (the rest): 3",
        "  3  fatalities_best: 3 -> 5",
        recoded[2],
    ]
    assert recoded[2].startswith("  1  tags: ")
    assert recoded[3] == "  4  fatalities_best: 3 -> 6"
    assert section(told, "Events new") == [
        "Events new: 1",
        "  6  Battles, 2018-03-09, Hentzau, SYR",
    ]


def test_of_what_is_all_new_no_examples_are_given(database):
    assert "Events" not in run(file("ged251.csv", *rows(1, 2))).stdout


# What is not there any more.


def test_what_a_whole_file_lacks_is_deleted_in_the_same_transaction(database):
    run(file("ged251.csv", *rows(*range(1, 11))))
    told = run(file("ged261.csv", *rows(*range(2, 11)), row(id="11")), "--replace").stdout
    assert living(database) == [str(n) for n in range(2, 12)]
    assert loaded(database) == (11, 2)
    assert section(told, "Events gone") == [
        "Events gone: 1",
        "  1  Battles, 2018-03-09, Zenda town, SYR",
    ]
    assert ask(database, "SELECT created, gone FROM import ORDER BY at DESC") == (1, 1)
    assert ask(database, "SELECT count(*) FROM source_row WHERE row ->> 'id' = '1'") == (0,)


def test_the_same_whole_file_again_changes_nothing(database):
    path = file("ged251.csv", *rows(1, 2, 3, 4, 5))
    run(path)
    smaller = file("ged261.csv", *rows(1, 2, 3, 4))
    run(smaller, "--replace")
    before = loaded(database)
    assert "Nothing has changed." in run(smaller, "--replace").stdout
    assert loaded(database) == before


def test_without_the_word_nothing_is_deleted(database):
    run(file("ged251.csv", *rows(1, 2)))
    run(file("ged261.csv", *rows(2, 3)))
    assert living(database) == ["1", "2", "3"]


def test_more_than_a_fifth_does_not_vanish_unless_it_is_forced(database):
    run(file("ged251.csv", *rows(*range(1, 11))))
    new = file("ged261.csv", *rows(*range(4, 41), best="9"))
    result = run(new, "--replace", code=1)
    assert "Nothing was loaded: 3 of 10 events would vanish." in result.stderr
    assert "  1  Battles, 2018-03-09, Zenda town, SYR" in result.stderr
    assert loaded(database) == (10, 1)
    assert ask(database, "SELECT count(*) FROM import") == (1,)
    run(new, "--replace", "--force")
    assert living(database) == [str(n) for n in range(4, 41)]


def test_a_fifth_may_vanish(database):
    run(file("ged251.csv", *rows(*range(1, 11))))
    run(file("ged261.csv", *rows(*range(3, 11))), "--replace")
    assert living(database) == [str(n) for n in range(3, 11)]


def test_several_files_together_are_the_whole(database):
    run(file("ged251.csv", *rows(1, 2, 3, 4)))
    run(file("a.csv", *rows(1, 2)), file("b.csv", *rows(3, 4)), "--replace")
    assert living(database) == ["1", "2", "3", "4"]


def test_other_data_sets_are_not_touched_and_what_is_restricted_stays_so(database):
    with psycopg.connect(database) as conn:
        insert(conn, dataset="other", source_id="7")
    run(file("ged251.csv", *rows(1, 2, 3, 4, 5)))
    with psycopg.connect(database) as conn:
        conn.execute("UPDATE event SET visibility = 'restricted' WHERE source_id IN ('1', '2')")
    run(file("ged261.csv", *rows(2, 3, 4, 5)), "--replace")
    assert living(database) == ["2", "3", "4", "5", "7"]
    found = (
        "SELECT array_agg(visibility ORDER BY source_id) FROM event WHERE source_id IN ('1','2')"
    )
    assert ask(database, found) == (["restricted", "restricted"],)


def test_an_event_whose_row_is_bad_is_not_taken_for_gone(database):
    run(file("ged251.csv", *rows(1, 2, 3, 4, 5)))
    bad = file("ged261.csv", row(id="1", latitude="95"), *rows(2, 3, 4, 5))
    assert "Nothing was loaded: 1 of 5" in run(bad, "--replace", code=1).stderr
    assert "--replace excludes lenient" in run(bad, "--replace", "--lenient", code=2).stderr
    assert living(database) == ["1", "2", "3", "4", "5"]


# Files one by one.


def test_each_file_is_loaded_for_itself_and_not_again(database):
    a, b = file("ged251.csv", *rows(1)), file("GEDEvent_v25_0_9.csv", *rows(2))
    told = run("--each", a, b).stdout
    assert told.count("1 created") == 2
    assert loaded(database) == (2, 2)
    told = run("--each", a, b, file("c.csv", *rows(3))).stdout
    assert told.splitlines()[:2] == [
        "ged251.csv: skipped, it has been imported before.",
        "GEDEvent_v25_0_9.csv: skipped, it has been imported before.",
    ]
    assert told.count("1 created") == 1
    assert loaded(database) == (3, 3)


def test_a_file_is_known_by_its_bytes_and_not_by_its_name(database):
    run("--each", file("a.csv", *rows(1)))
    Path("a.csv").rename("b.csv")
    assert "b.csv: skipped" in run("--each", "b.csv").stdout
    assert "1 created" in run("--each", file("b.csv", *rows(2))).stdout


def test_the_same_file_with_other_options_is_not_skipped(database):
    path = file("a.csv", *rows(1))
    run("--each", path)
    assert "1 unchanged" in run("--each", path, "--release", "25.1").stdout
    assert "1 changed" in run("--each", path, "--visibility", "restricted").stdout
    assert "skipped" in run("--each", path, "--visibility", "restricted").stdout


def test_what_was_loaded_together_is_known_one_by_one(database):
    a, b = file("a.csv", *rows(1)), file("b.csv", *rows(2))
    run(a, b)
    assert run("--each", a, b).stdout.count("skipped") == 2


def test_a_bad_file_leaves_those_before_it(database):
    good, bad = file("a.csv", *rows(1)), file("b.csv", row(id="2", latitude="95"))
    assert "Nothing was loaded" in run("--each", good, bad, code=1).stderr
    assert Path("b.csv.rejected.csv").exists()
    assert living(database) == ["1"]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_an_import_that_is_stopped_leaves_no_half_file_and_goes_on_when_it_is_run_again(
    database, sign
):
    files = [file(f"{n}.csv", *rows(*range(n, n + 50))) for n in (100, 200, 300)]
    command = [HUDNA, "import", "ucdp", "--no-places", "--each", *files]
    with psycopg.connect(database) as other:
        # Somebody is writing an event of the last file, and has not said yet whether he means it.
        insert(other, id=event_id("ucdp-ged", "320"), dataset="ucdp-ged", source_id="320")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        end = time.monotonic() + 60
        while ask(database, waiting) != (1,):
            assert time.monotonic() < end
            assert process.poll() is None, process.communicate()
        process.send_signal(sign)
        process.communicate(timeout=30)
        assert process.returncode != 0
        other.rollback()
    assert loaded(database) == (100, 2)
    told = run("--each", *files).stdout
    assert told.count("skipped") == 2
    assert "50 created" in told
    assert loaded(database) == (150, 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument 'FILE...'"),
        (["a.csv", "--force"], "--force is only for what is to replace."),
        (["a.csv", "--each", "--replace"], "--each has no place beside --replace"),
        (["--each", "-"], "--each needs files that can be read twice."),
        (["a.csv", "--deleted", "a.csv"], "--deleted is not for ucdp"),
        (["a.csv", "--dataset", "x"], "--dataset is not for ucdp, which is a data set."),
        (["a.csv", "--roots", "18"], "ucdp has no roots."),
    ],
)
def test_options_that_do_not_go_together_are_told(database, words, said):
    file("a.csv", *rows(1))
    assert said in run(*words, code=2).stderr


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of UCDP's own files")
def test_of_a_real_file_exactly_what_was_taken_away_and_changed_is_told(database):
    real = Path(REAL) / "ucdp_ged_world_1000.csv"
    run(real)
    with real.open(encoding="utf-8", newline="") as table:
        header, gone, changed, *rest = csv.reader(table)
    changed[header.index("best")] = "77777"
    with Path("new.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows([header, changed, *rest])
    told = run("new.csv", "--replace").stdout
    assert section(told, "What changed")[1:] == ["        1 fatalities_best"]
    (change,) = section(told, "Events re-coded (the rest): 1")[1:]
    assert change.endswith(" -> 77777")
    assert change.startswith(f"  {changed[0]}  fatalities_best: ")
    (lost,) = section(told, "Events gone: 1")[1:]
    assert lost.startswith(f"  {gone[0]}  ")
