"""Real PostGIS for every test: one cluster a run, one database, and a rollback after each test."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier, Placeholder
from psycopg.types.json import Jsonb

from api import create_app, openapi, page
from api.cluster import Cluster
from api.db import migrate
from api.gazetteer import ensure as load_gazetteer
from api.settings import Settings
from browser import chromium  # noqa: F401 - a fixture
from geo import index
from geo.fixes import Fixer
from geo.gazetteer import Gazetteer
from geocoder import stub
from importing import blank, database  # noqa: F401 - fixtures
from listening import listening
from world import WORLD, event_id

ROOT = Path(__file__).parent.parent
ITEMS = "/collections/events/items"
PLACES = "/collections/places/items"
CHANGES = "/collections/events/changes"
TILESET = "/collections/events/tiles/WebMercatorQuad"
CONTRACT = openapi.served("")

#: Everything there is to GET in the world, and the media type it has when none is asked for.
RESOURCES = {
    "/": "application/json",
    "/conformance": "application/json",
    "/functions": "application/json",
    "/api": "application/vnd.oai.openapi+json;version=3.0",
    "/collections": "application/json",
    "/collections/events": "application/json",
    "/collections/events/queryables": "application/schema+json",
    "/collections/events/sortables": "application/schema+json",
    "/collections/events/schema": "application/schema+json",
    "/collections/events/schema/feature": "application/schema+json",
    "/collections/places": "application/json",
    "/collections/places/queryables": "application/schema+json",
    "/collections/places/sortables": "application/schema+json",
    "/collections/places/schema": "application/schema+json",
    "/collections/places/schema/feature": "application/schema+json",
    "/tileMatrixSets": "application/json",
    "/tileMatrixSets/WebMercatorQuad": "application/json",
    "/collections/events/tiles": "application/json",
    TILESET: "application/json",
    CHANGES: "application/json",
    PLACES: "application/geo+json",
    f"{PLACES}/country-JOR": "application/geo+json",
    ITEMS: "application/geo+json",
    f"{ITEMS}/{event_id('fiji')}": "application/geo+json",
    f"{ITEMS}/{event_id('fiji')}/history": "application/json",
}


@pytest.fixture(scope="session")
def cluster():
    """A PostGIS of the test run's own."""
    # Not pytest's own folder: only the user who runs the tests may enter that.
    with TemporaryDirectory(prefix="hudna-test-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data", durable=False) as running:
            yield running


@pytest.fixture(scope="session")
def make_database(cluster):
    """Make fresh databases with the schema; they go with the cluster."""
    number = iter(range(1000))

    def make(template="template1") -> str:
        name = f"test{next(number)}"
        with psycopg.connect(cluster.dsn, autocommit=True) as conn:
            conn.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
            )
        dsn = psycopg.conninfo.make_conninfo(cluster.dsn, dbname=name)
        migrate(dsn)
        return dsn

    return make


@pytest.fixture(scope="session")
def make_atlas(make_database, places):
    """Make fresh databases with the schema and the whole gazetteer."""
    dsn = make_database()
    with psycopg.connect(dsn) as conn:
        assert load_gazetteer(conn, places)
    template = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    return lambda: make_database(template)


@pytest.fixture(scope="session")
def dsn(make_database):
    """The database of the tests that roll back: it stays empty."""
    return make_database()


@pytest.fixture
def conn(dsn):
    """A connection in a transaction that is rolled back behind the test."""
    with psycopg.connect(dsn) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET timezone = 'UTC'")
        yield connection


def insert(conn, *, place=None, **columns) -> UUID:
    """Write one event; `place` is (longitude, latitude)."""
    event = columns.setdefault("id", uuid4())
    columns.setdefault("dataset", "test")
    columns.setdefault("source_id", str(event))
    columns.setdefault("event_type", "Battles")
    if place:
        columns["geom"] = f"SRID=4326;POINT({place[0]} {place[1]})"
    values = {k: Jsonb(v) if k in {"actors", "reports"} else v for k, v in columns.items()}
    conn.execute(
        SQL("INSERT INTO event ({}) VALUES ({})").format(
            SQL(", ").join(map(Identifier, values)), SQL(", ").join(map(Placeholder, values))
        ),
        values,
    )
    return event


def settle(conn) -> None:
    """Draw the number that a commit would draw, inside a transaction that will be rolled back."""
    conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    conn.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def make_event(conn):
    """Write an event as if it had been committed; return its id as text."""

    def make(**columns) -> str:
        event = insert(conn, **columns)
        settle(conn)
        return str(event)

    return make


class OnePool:
    """A pool that lends the test's own connection."""

    def __init__(self, conn) -> None:
        self.conn = conn

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        with self.conn.transaction():
            yield self.conn


class StrictClient(FlaskClient):
    """A client that takes no answer which the contract, openapi.yaml, does not declare."""

    def open(self, *args, **kwargs):
        answer = super().open(*args, **kwargs)
        if not 300 < answer.status_code < 304:  # the redirect of a missing or a spare slash
            assert_declared(answer)
        return answer


def resolved(part) -> dict:
    """Return a part of the contract, or what it refers to."""
    while "$ref" in part:
        found = CONTRACT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def operation(method, path) -> dict | None:
    """Return what the contract says of `method` on `path`, or None if it does not know it."""
    for template, item in CONTRACT["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path):
            return item.get("get" if method == "HEAD" else method.lower())
    return None


def assert_declared(answer):
    """The contract declares the status of `answer` and its media type."""
    request = answer.request
    known = operation(request.method, request.path)
    if known is None:
        return
    status = str(answer.status_code)
    assert status in known["responses"], f"{request.method} {request.path}: {status} is undeclared"
    content = resolved(known["responses"][status]).get("content")
    if content:
        media = answer.content_type.removesuffix("; charset=utf-8")
        assert media in content, f"{request.path}: {answer.content_type}, {status}"


@pytest.fixture
def client(conn):
    """The service, on the test's connection."""
    app = create_app(Settings(database_url="unused"), pool=OnePool(conn))
    app.testing = True
    app.test_client_class = StrictClient
    return app.test_client()


@pytest.fixture
def get(client):
    """Ask for a page of events and return its ids, in order."""

    def ask(**query) -> list[str]:
        answer = client.get(
            ITEMS, query_string={k.replace("_crs", "-crs"): v for k, v in query.items()}
        )
        assert answer.status_code == 200, answer.text[:500]
        return [feature["id"] for feature in json.loads(answer.text)["features"]]

    return ask


def assert_problem(answer, status, **members):
    """The answer is a problem document with this status and these members."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.content_type == "application/problem+json"
    body = json.loads(answer.text)
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    for name, value in members.items():
        assert body[name] == value, body
    return body


def links(body, rel) -> list[dict]:
    """Return the links of `body` with the relation `rel`."""
    return [link for link in body["links"] if link["rel"] == rel]


def walk(client, url) -> Iterator[dict]:
    """Give the page at `url`, and all that follow along the `next` links."""
    seen = set()
    while url:
        assert url not in seen, "the links lead in a circle"
        seen.add(url)
        answer = client.get(url)
        assert answer.status_code == 200, answer.text[:500]
        body = json.loads(answer.text)
        yield body
        url = next((link["href"] for link in links(body, "next")), None)


@contextmanager
def looking_ahead(reach) -> Iterator[None]:
    """Let the walk of a statement see `reach` events only, so that every plan gets its turn."""
    real = page.parameters
    change = {"reach": reach} if reach else {}
    with mock.patch.object(page, "parameters", lambda query: real(query) | change):
        yield


@contextmanager
def opened(dsn, **settings) -> Iterator[FlaskClient]:
    """Give a client of the service on `dsn`, with a pool of its own."""
    app = create_app(Settings(database_url=dsn, **settings))
    app.test_client_class = StrictClient
    try:
        yield app.test_client()
    finally:
        app.extensions["hudna"].pool.close()
        app.extensions["hudna"].writing.close()


@contextmanager
def serving(dsn, *, workers=1, **environment):
    """Run the real server against `dsn` on a free port; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        Path(sys.executable).parent / "hudna",
        "serve",
        "--port",
        str(port),
        "--workers",
        str(workers),
    ]
    process = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": dsn} | environment)
    try:
        url = Served(f"http://127.0.0.1:{port}")
        url.process = process
        wait_for(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Served(str):  # noqa: SLOT000 -- what slots would save is nothing
    """The address of a server, with its process."""

    process: subprocess.Popen


def wait_for(url, process, seconds=120):
    """Wait until the server answers; that it has ended is seen at once.

    It starts in seconds, but with six busy processes beside it on two cores not even in twenty.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - the server just started
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)
        else:
            return


def peopled(dsn) -> str:
    """Write the events of tests/world.py into a database; return its address."""
    with psycopg.connect(dsn) as conn:
        for event in WORLD:
            insert(conn, **event)
    return dsn


@pytest.fixture(scope="session")
def world(make_atlas):
    """A database with the gazetteer and the world's events, committed."""
    return peopled(make_atlas())


@pytest.fixture
def living(make_atlas):
    """A database of the world's events that may change; each commit is real."""
    return peopled(make_atlas())


@pytest.fixture(scope="session")
def visitor(world, places):
    """A client of the service on the world's events."""
    with opened(world, gazetteer=str(places)) as client:
        yield client


@pytest.fixture(scope="session")
def server(world, places):
    """The real server on the world's events; its address."""
    with serving(world, HUDNA_GAZETTEER=str(places)) as url:
        yield url


@pytest.fixture(scope="session")
def walked(visitor):
    """Every event of the world, as a walk through all pages finds it."""
    pages = walk(visitor, f"http://localhost{ITEMS}?limit=100")
    return [feature for page in pages for feature in page["features"]]


@pytest.fixture
def proxy(server):
    """A proxy in front of the real server that hears what is asked."""
    with listening(server) as between:
        yield between


@pytest.fixture(name="stub")
def stub_():
    """A geocoder that speaks as those on other machines do."""
    with stub() as server:
        yield server


@pytest.fixture(scope="session")
def places(pytestconfig):
    """The index of names, built once and kept for the next run unless its sources change."""
    folder = pytestconfig.cache.mkdir("geo")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of the processes of this run, one builds
        return index.ensure(folder / "places.sqlite")


@pytest.fixture(scope="session")
def gazetteer(places):
    """The names of the world."""
    gazetteer = Gazetteer(places)
    yield gazetteer
    gazetteer.close()


@pytest.fixture(scope="session")
def fixer(gazetteer):
    """What finds phrases on the ground."""
    return Fixer(gazetteer)


@pytest.fixture(scope="session")
def fix(fixer):
    """Find a phrase on the ground."""
    return fixer.fix
