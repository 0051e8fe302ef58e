"""Every failure has the one shape, and says nothing of the inside."""

import json
import time

import psycopg
import pytest

from api import create_app, geojson
from api.settings import Settings
from conftest import ITEMS, PLACES, assert_problem, insert


@pytest.fixture
def service(make_database):
    """Make an application with a pool of its own on a fresh database; its client and address."""
    pools = []

    def make(**settings):
        dsn = make_database()
        app = create_app(Settings(database_url=dsn, **settings))
        pools.append(app.extensions["hudna"].pool)
        return app.test_client(), dsn

    yield make
    for pool in pools:
        pool.close()


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/nothing", 404, "not-found"),
        ("/collections/nothing", 404, "not-found"),
        (f"{ITEMS}/00000000-0000-0000-0000-000000000000", 404, "not-found"),
        (f"{ITEMS}/nothing", 404, "not-found"),
        (f"{ITEMS}?limit=0", 400, "invalid-parameter"),
    ],
)
def test_a_problem_names_its_kind(client, path, status, kind):
    assert_problem(client.get(path), status, type=f"urn:hudna:problem:{kind}")


def test_every_bad_parameter_is_named_at_once(client):
    answer = client.get(f"{ITEMS}?contry=IRQ&limit=0&bbox=1,2,3&country=IRQ")
    body = assert_problem(answer, 400, parameter="bbox")
    assert [error["parameter"] for error in body["errors"]] == ["bbox", "contry", "limit"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_method_that_is_not_taken_is_refused_with_those_that_are(client, method):
    answer = getattr(client, method)(PLACES)
    assert_problem(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_a_format_that_is_not_there_is_refused(client):
    assert_problem(client.get(ITEMS, headers={"Accept": "image/png"}), 406)


def test_a_deleted_event_is_gone(client, conn, make_event):
    event = make_event()
    conn.execute("SELECT event_delete(%s)", [event])
    assert_problem(client.get(f"{ITEMS}/{event}"), 410)


def test_an_event_that_was_never_public_is_not_even_gone(client, make_event):
    event = make_event(visibility="restricted")
    assert_problem(client.get(f"{ITEMS}/{event}"), 404)


def test_a_question_that_takes_too_long_is_given_up(service):
    client, dsn = service(statement_timeout_s=1)
    client.get(ITEMS)
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        answer = client.get(ITEMS)
    assert_problem(answer, 503, type="urn:hudna:problem:too-slow")
    assert answer.headers["Retry-After"]
    assert client.get(ITEMS).status_code == 200


def test_a_lost_connection_is_replaced_unnoticed(service):
    client, dsn = service()
    assert client.get(ITEMS).status_code == 200
    with psycopg.connect(dsn, autocommit=True) as other:
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'hudna' AND datname = current_database()"
        )
        assert other.execute(others).fetchall()
        while other.execute(others).fetchall():
            time.sleep(0.01)
    assert client.get(ITEMS).status_code == 200


def test_without_a_database_the_answer_is_quick_and_says_when_to_come_back(tmp_path):
    app = create_app(Settings(database_url=f"postgresql://nobody@/nothing?host={tmp_path}"))
    try:
        answer = app.test_client().get(ITEMS)
    finally:
        app.extensions["hudna"].pool.close()
    assert_problem(answer, 503, type="urn:hudna:problem:unavailable")
    assert answer.headers["Retry-After"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_busy_pool_is_not_waited_for(service):
    client, _ = service(pool_size=1)
    client.get(ITEMS)
    pool = client.application.extensions["hudna"].pool
    with pool.connection():
        assert_problem(client.get(ITEMS), 503, type="urn:hudna:problem:unavailable")
    assert client.get(ITEMS).status_code == 200


def test_a_fault_is_logged_and_not_shown(caplog):
    class Broken:
        def connection(self):
            raise RuntimeError("the secret of /usr/lib")

    app = create_app(Settings(database_url="unused"), pool=Broken())
    answer = app.test_client().get(ITEMS)
    body = assert_problem(answer, 500)
    assert "secret" not in json.dumps(body)
    assert "the secret of /usr/lib" in caplog.text


def test_a_page_that_breaks_off_gives_its_connection_back(service):
    client, dsn = service(pool_size=1)
    with psycopg.connect(dsn) as conn:
        for _ in range(3):
            insert(conn, notes="x" * 1_500_000)
    answer = client.get(ITEMS, buffered=False)
    next(answer.iter_encoded())
    answer.close()
    assert client.get(f"{ITEMS}?limit=1").status_code == 200


def test_a_page_that_fails_halfway_does_not_look_complete():
    closed = []

    class Failing:
        first, more, matched = True, False, None

        @property
        def features(self):
            yield b'{"type":"Feature"}'
            raise psycopg.OperationalError("halfway")

        def close(self):
            closed.append(True)

    sent = []
    with pytest.raises(psycopg.OperationalError):
        sent.extend(geojson.collection(Failing(), []))
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(sent))
    assert closed
