"""Writing in the tests: a service with a key for everybody, and what is sent to it."""

import json
from types import SimpleNamespace

import psycopg
import pytest
import shapely

from api import keys
from api.keys import SCOPES
from conftest import ITEMS, assert_problem, opened

PATCH = "application/merge-patch+json"


@pytest.fixture(scope="module")
def desk(make_atlas, places):
    """A service of these tests' own, with a key for each scope and some together."""
    dsn = make_atlas()
    with psycopg.connect(dsn) as conn:
        made = {scope: keys.make(conn, scope, [scope])[1] for scope in SCOPES}
        made["reader"] = keys.make(conn, "reader", ["write", "read:restricted"])[1]
        made["importer"] = keys.make(conn, "importer", ["write", "import"])[1]
        made["other"] = keys.make(conn, "other", ["write"])[1]
    signed = {name: {"Authorization": f"Bearer {text}"} for name, text in made.items()}
    with opened(dsn, gazetteer=str(places)) as client:
        yield SimpleNamespace(dsn=dsn, client=client, keys=made, **signed)


@pytest.fixture
def rows(desk):
    """Ask the database."""
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        yield lambda statement, *values: conn.execute(statement, values).fetchall()


def feature(point=None, **properties):
    geometry = {"type": "Point", "coordinates": list(point)} if point else None
    properties = {"event_type": "Battles"} | properties
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def post(desk, sent, who=None, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    headers = (who or desk.write) | headers
    text = json.dumps(sent)  # halves of surrogate pairs are escaped
    return desk.client.post(ITEMS, data=text, content_type="application/geo+json", headers=headers)


def made(desk, sent=None, who=None):
    """Create an event; return its path."""
    answer = post(desk, sent or feature(), who)
    assert answer.status_code == 201, answer.text
    return path_of(answer)


def path_of(answer):
    return answer.headers["Location"].removeprefix("http://localhost")


def patch(desk, path, who=None, headers=(), **sent):
    return desk.client.patch(
        path,
        data=json.dumps(sent),
        content_type=PATCH,
        headers=(who or desk.write) | dict(headers),
    )


def put(desk, path, sent, who=None, headers=()):
    return desk.client.put(path, json=sent, headers=(who or desk.write) | dict(headers))


def get(desk, path):
    answer = desk.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer


def pointers(answer):
    return {each["pointer"] for each in assert_problem(answer, 400)["errors"]}


def version(desk, path):
    return get(desk, path).json["properties"]["version"]


def footprint(desk, path):
    return shapely.geometry.shape(get(desk, f"{path}?geometry=footprint").json["geometry"])
