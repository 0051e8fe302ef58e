"""What becomes of files that were sent: they are listed, called off, and done by the attendant."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

import import_desk
from api.db import queries
from api.jobs import doing, kept
from conftest import assert_problem, links
from ged import ged
from import_desk import BAD, IMPORTS, some

desk = import_desk.desk  # a fixture


# Calling off.


def test_an_import_that_waits_is_called_off_and_leaves_no_files(desk):
    address = desk.send(ged(), format="ucdp").headers["Location"]
    assert_problem(desk.client.delete(address, headers=desk.other), 404)
    assert_problem(desk.client.delete(f"{address}?a=1", headers=desk.key), 400)
    for key in (desk.key, desk.key, desk.admin):
        answer = desk.client.delete(address, headers=key)
        assert (answer.status_code, answer.json["status"]) == (200, "dismissed")
    assert desk.ask("SELECT count(*) FROM import_piece") == 0
    assert desk.do() == 0
    told = desk.client.get(address, headers=desk.key).json
    assert told["status"] == "dismissed"
    assert {"finished", "files"} <= told.keys()
    assert "started" not in told
    assert desk.ask("SELECT count(*) FROM event") == 0


def test_what_is_called_off_while_it_is_about_to_begin_is_not_begun(desk):
    """Who takes it waits for the end of the calling off, and looks again."""
    job = desk.send(ged(), format="ucdp").json["jobID"]
    with psycopg.connect(desk.dsn) as calling, ThreadPoolExecutor(1) as attendant:
        calling.execute(queries("jobs.sql")["dismiss"], {"job": job})
        done = attendant.submit(desk.do)
        desk.wait_for_a_lock()
        calling.commit()
        assert done.result(30) == 0
    assert desk.ask("SELECT status FROM import_job") == "dismissed"


@pytest.mark.parametrize("status", ["successful", "failed"])
def test_an_import_that_has_ended_cannot_be_called_off(desk, status):
    sent = desk.send(BAD if status == "failed" else ged(), format="ucdp")
    assert desk.told(sent)["status"] == status
    answer = desk.client.delete(sent.headers["Location"], headers=desk.key)
    body = assert_problem(answer, 409, type="urn:hudna:problem:finished")
    assert status in body["detail"]


@pytest.mark.parametrize(
    ("when", "last"),
    [("progress", "Reading upload"), ("forget_exceptions", "Comparing")],
)
def test_an_import_that_runs_is_called_off(desk, monkeypatch, when, last):
    """While it reads it stops there; while it writes, at the end. Nothing is loaded."""
    address = desk.send(ged(), format="ucdp").headers["Location"]
    told, real = [], {name: getattr(kept, name) for name in ("progress", when)}

    def progress(*given):
        told.append(given[-1])
        return real["progress"](*given)

    def called_off(*given):
        assert desk.client.delete(address, headers=desk.key).json["status"] == "dismissed"
        return progress(*given) if when == "progress" else real[when](*given)

    monkeypatch.setattr(doing, "TOLD_EVERY_S", 0)
    monkeypatch.setattr(kept, "progress", progress)
    monkeypatch.setattr(kept, when, called_off)
    assert desk.do() == 1
    assert told[-1].startswith(last), told
    assert desk.client.get(address, headers=desk.key).json["status"] == "dismissed"
    assert desk.ask("SELECT count(*) FROM event") == 0
    assert desk.ask("SELECT count(*) FROM import_piece") == 0


# The list.


def test_the_list_has_the_newest_first_and_goes_on(desk):
    sent = [desk.send(ged(), format="ucdp").json["jobID"] for _ in range(5)]
    found, url = [], f"{IMPORTS}?limit=2"
    while url:
        page = desk.client.get(url, headers=desk.key).json
        found.append([job["jobID"] for job in page["jobs"]])
        url = next((link["href"] for link in links(page, "next")), None)
    assert found == [sent[:2:-1], sent[2:0:-1], sent[:1]]


@pytest.mark.parametrize("which", ["list", "job"])
def test_people_can_read_it(desk, which):
    sent = desk.send(BAD, format="ucdp", name="bad.csv")
    desk.do()
    address = IMPORTS if which == "list" else sent.headers["Location"]
    answer = desk.client.get(address, headers=desk.key | {"Accept": "text/html"})
    assert answer.content_type.startswith("text/html")
    assert "2 of 3 rows are bad" in answer.text


# The attendant.


def test_the_attendant_is_in_nobodys_way(desk):
    """It holds its lock as long as the service runs: a gazetteer is loaded meanwhile."""
    with psycopg.connect(desk.dsn, autocommit=True) as attending, psycopg.connect(desk.dsn) as conn:
        kept.lock(attending)
        conn.execute("SET lock_timeout = '2s'")
        for file in ("places.sql", "imports.sql"):
            conn.execute(queries(file)["begin"])


def test_jobs_are_done_in_the_order_in_which_they_came_and_leave_no_files(desk):
    for best in ("4", "5", "6"):
        desk.send(some({"best": best, "high": "9"}), format="ucdp")
    assert desk.do() == 3
    assert desk.ask("SELECT fatalities_best FROM event") == 6
    assert desk.ask("SELECT count(*) FROM import_piece") == 0
    assert desk.do() == 0


def test_a_job_that_was_broken_off_is_done_by_the_next_attendant(desk):
    sent = desk.send(ged(), format="ucdp")
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        assert kept.take(conn).tries == 1
    told = desk.told(sent)
    assert told["status"] == "successful"
    assert desk.ask("SELECT tries FROM import_job") == 2


def test_a_job_that_ends_every_attendant_is_given_up(desk):
    sent = desk.send(ged(), format="ucdp")
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        for _ in range(doing.TRIES):
            kept.take(conn)
    told = desk.told(sent)
    assert told["status"] == "failed"
    assert "begun 3 times" in told["message"]


def test_who_has_lost_a_job_to_another_writes_nothing(desk):
    desk.send(ged(), format="ucdp")
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        mine = kept.take(conn)
        theirs = kept.take(conn)
        outcome = kept.Outcome("done")
        assert not kept.succeed(conn, mine, outcome)
        assert not kept.fail(conn, mine, outcome)
        assert kept.succeed(conn, theirs, outcome)


def test_a_fault_of_our_own_is_logged_and_told_without_its_words(desk, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(doing, "load", fail)
    told = desk.told(desk.send(ged(), format="ucdp"))
    assert told["status"] == "failed"
    assert "division" not in json.dumps(told)
    assert "division by zero" in caplog.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.ProgramLimitExceeded, "too large"),
        (errors.DiskFull, "no room"),
        (errors.QueryCanceled, "told to stop"),
        (errors.LockNotAvailable, "somebody else"),
    ],
)
def test_what_the_database_would_refuse_again_is_told_at_once(
    desk, monkeypatch, caplog, error, said
):
    def fail(*_args, **_kwargs):
        raise error("the words of the database")

    monkeypatch.setattr(doing, "load", fail)
    told = desk.told(desk.send(ged(), format="ucdp"))
    assert (told["status"], desk.ask("SELECT tries FROM import_job")) == ("failed", 1)
    assert said in told["message"]
    assert "the words of the database" not in json.dumps(told)
    assert "the words of the database" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError,  # the connection is lost
        errors.AdminShutdown,
        errors.CannotConnectNow,
        errors.SerializationFailure,
        errors.DeadlockDetected,
        errors.TooManyConnections,
    ],
)
def test_what_passes_is_begun_again(desk, monkeypatch, error):
    def fail(*_args, **_kwargs):
        raise error("some words")

    sent = desk.send(ged(), format="ucdp")
    with monkeypatch.context() as patched:
        patched.setattr(doing, "load", fail)
        with pytest.raises(error):
            desk.do()
    assert desk.ask("SELECT status FROM import_job") == "running"
    assert desk.told(sent)["status"] == "successful"


def test_without_a_gazetteer_places_cannot_be_completed(desk):
    told = desk.told(desk.send(ged(), format="ucdp", places="true"))
    assert (told["status"], desk.ask("SELECT count(*) FROM event")) == ("failed", 0)
    assert "hudna gazetteer load" in told["message"]


def test_old_jobs_and_those_whose_files_never_came_are_taken_away(desk):
    for _ in range(3):
        desk.send(ged(), format="ucdp")
    desk.do()
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        conn.execute(
            "UPDATE import_job SET finished = finished - interval '31 days' WHERE number = 1"
        )
        conn.execute(
            "UPDATE import_job SET status = 'arriving', finished = NULL,"
            " created = created - interval '2 days' WHERE number = 2"
        )
        kept.tidy(conn)
    assert desk.ask("SELECT array_agg(number) FROM import_job") == [3]
