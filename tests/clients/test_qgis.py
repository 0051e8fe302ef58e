"""QGIS: the distribution's, without a screen, and what newer ones are known to ask."""

import base64
import json
import os
import socket
import subprocess
from http.client import HTTPConnection

import psycopg
import pytest
from questions import BOX, IN_SUDAN, Question, answer, both, in_box, of

from api import keys
from api.schemas import PROPERTIES
from conftest import ITEMS, serving
from listening import hold_to, told
from world import WORLD

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#: Python as the distribution's QGIS is made for it.
PYTHON = "/usr/bin/python3"


def not_over(feature) -> bool:
    """Whether an event goes on, or may, on the first day of 2024 or later."""
    last = feature["properties"]["ends_on"]
    return last is None or last >= "2024-01-01"


#: What QGIS is made to do: its one argument is the address, a collection, a box, an expression.
PROGRAM = """
import json
import sys

from qgis.core import Qgis, QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer

url, collection, box, expression = json.loads(sys.argv[1])
application = QgsApplication([], False)
application.initQgis()
source = f"restrictToRequestBBOX='1' typename='{collection}' url='{url}/'"
layer = QgsVectorLayer(source, collection, "OAPIF")
seen = {
    "version": Qgis.QGIS_VERSION.partition("-")[0],
    "valid": layer.isValid(),
    "filtered": not expression or layer.setSubsetString(expression),
    "fields": {field.name(): field.typeName() for field in layer.fields()},
}
request = QgsFeatureRequest()
if box:
    request.setFilterRect(QgsRectangle(*box))
name = "source_id" if collection == "events" else "id"
seen["names"] = sorted(feature[name] for feature in layer.getFeatures(request))
seen["count"] = None if box else layer.featureCount()  # it may read all, to count
print(json.dumps(seen))
del layer
application.exitQgis()
"""
QUESTIONS = [
    Question("everything", lambda _: True),
    Question("a box", in_box, box=BOX),
    Question("a country", IN_SUDAN, "\"country\" = 'SDN'"),
    # It asks for `datetime`, which is of the whole interval, and of what has none.
    Question("from a day on", not_over, "starts_on >= '2024-01-01'"),
    Question(
        "a country and a number",
        both(IN_SUDAN, of("fatalities_best", lambda n: n > 3)),
        "country = 'SDN' AND fatalities_best > 3",
    ),
]
BY_NAME = {question.name: question for question in QUESTIONS}


@pytest.fixture
def qgis(tmp_path):
    """Let QGIS read the events of a service, with settings and a cache of its own."""

    def ask(url, question, collection="events") -> dict:
        asked = json.dumps([url, collection, question.box, question.where])
        done = subprocess.run(
            [PYTHON, "-P", "-c", PROGRAM, asked],
            env={
                "HOME": str(tmp_path),
                "LANG": "C.UTF-8",
                "PATH": os.environ["PATH"],
                "QT_QPA_PLATFORM": "offscreen",
                "XDG_RUNTIME_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        missing = "No module named 'qgis'" in done.stderr
        assert not missing, "QGIS is missing: `make test` installs python3-qgis."
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize("name", BY_NAME)
def test_qgis_finds_what_is_there(proxy, qgis, walked, name):
    question = BY_NAME[name]
    expected = answer(question, walked)
    assert len(expected) > 0
    seen = qgis(proxy.url, question)
    assert (seen["valid"], seen["filtered"]) == (True, True)
    assert seen["names"] == expected
    assert {status for _, status in proxy.heard} == {200}
    assert all(("bbox" in query) == bool(question.box) for query in proxy.queries()[1:])
    if name == "everything":
        assert seen["count"] == len(expected)
        assert {seen["fields"][n] for n in ("starts_on", "ends_on")} == {"Date"}
        assert {seen["fields"][n] for n in ("version", "fatalities_best")} == {"Integer"}
    hold_to("qgis", seen["version"], name, proxy.lines())


def test_qgis_has_the_server_look_for_a_box_in_what_is_large(proxy, qgis, visitor):
    question = Question("a box of places", in_box, box=BOX)
    seen = qgis(proxy.url, question, "places")
    there = visitor.get("/collections/places/items?bbox=29,14,31,16&limit=10000").json["features"]
    assert seen["names"] == sorted(feature["id"] for feature in there)
    boxes = {query.get("bbox") for query in proxy.queries("/collections/places/items")}
    assert boxes == {None, "29,14,31,16"}
    hold_to("qgis", seen["version"], question.name, proxy.lines())


def test_the_documents_tell_of_these_questions_and_no_others():
    assert list(told("qgis")) == [*BY_NAME, "a box of places"]


# QGIS 3.40 and newer, which is not here: what it is known to ask, in its order.


@pytest.mark.parametrize(
    ("method", "target", "accept", "media"),
    [
        ("GET", "/", "application/json", "application/json"),
        (
            "GET",
            "/api",
            "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0",
            "application/vnd.oai.openapi+json;version=3.0",
        ),
        ("GET", "/conformance", "application/json", "application/json"),
        ("GET", "/collections", "application/json", "application/json"),
        ("GET", "/collections/events", "application/json", "application/json"),
        (
            "GET",
            "/collections/events/queryables",
            "application/schema+json",
            "application/schema+json",
        ),
        *(
            (
                "GET",
                f"{ITEMS}?{query}",
                "application/geo+json, application/json",
                "application/geo+json",
            )
            for query in (
                "limit=10",
                "limit=1",
                "limit=1000&bbox=29,14,31,16",
                f"limit=1000&bbox=29,14,31,16&bbox-crs={CRS84}&crs={CRS84}",
                "limit=1000&datetime=2020-01-05T00:00:00Z%2F9999-12-31T00:00:00Z",
                "limit=1000&datetime=0000-01-01T00:00:00Z%2F2020-01-05T00:00:00Z",
                "limit=1000&country=SDN",
            )
        ),
        ("OPTIONS", ITEMS, "", None),
        ("OPTIONS", f"{ITEMS}/unknown_id", "", None),
    ],
    ids=str,
)
def test_what_qgis_asks_is_answered(visitor, method, target, accept, media):
    answer = visitor.open(target, method=method, headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    assert method == "OPTIONS" or answer.content_type == media
    if target == f"{ITEMS}?limit=1":
        assert answer.json["numberMatched"] == len(WORLD)
    if target == "/api":
        limit = answer.json["components"]["parameters"]["limit"]["schema"]
        assert (limit["maximum"], limit["default"]) == (10_000, 100)
    if method == "OPTIONS":
        assert "POST" not in answer.headers["Allow"], "nothing can be edited without a key"


def qgis_asks(visitor, condition) -> list[dict]:
    """Ask as the newer QGIS does, with a filter in CQL2; return the features."""
    query = {"limit": "1000", "filter": condition, "filter-lang": "cql2-text"}
    if "S_INTERSECTS" in condition:
        query["filter-crs"] = CRS84
    accept = {"Accept": "application/geo+json, application/json"}
    answered = visitor.get(ITEMS, query_string=query, headers=accept)
    assert answered.status_code == 200, answered.text
    return answered.json["features"]


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ("(\"country\" = 'SDN')", IN_SUDAN),
        ("(\"starts_on\" >= DATE('2024-01-01'))", of("starts_on", "2024-01-01".__le__)),
        ("(\"updated_at\" >= TIMESTAMP('2001-01-01T00:00:00.000Z'))", lambda _: True),
        ("(NOT (\"country\" = 'SDN'))", of("country", "SDN".__ne__)),
        ('("country" IS NULL)', lambda f: f["properties"]["country"] is None),
        ('(NOT ("country" IS NULL))', of("country", lambda _: True)),
        (
            "(((\"country\" = 'SDN') AND (\"fatalities_best\" > 3)) AND (\"notes\" LIKE '%1%'))",
            both(IN_SUDAN, of("fatalities_best", lambda n: n > 3), of("notes", lambda t: "1" in t)),
        ),
        ("CASEI(\"country\") LIKE CASEI('sd%')", IN_SUDAN),
        ("(\"country\" IN ('FJI','WSM'))", of("country", {"FJI", "WSM"}.__contains__)),
        ('"fatalities_best" BETWEEN 4 AND 5', of("fatalities_best", {4, 5}.__contains__)),
        ('S_INTERSECTS("geometry",BBOX(29,14,31,16))', in_box),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)  # fmt: skip
def test_what_the_newer_qgis_pushes_down_selects_what_it_means(visitor, walked, condition, matches):
    found = qgis_asks(visitor, condition)
    expected = answer(Question("", matches), walked)
    assert sorted(f["properties"]["source_id"] for f in found) == expected
    assert expected


def test_conditions_as_deep_as_qgis_nests_them_are_answered(visitor, walked):
    condition = "(\"country\" = 'SDN')"
    for _ in range(50):
        condition = f'({condition} AND ("fatalities_best" > 3))'
    wanted = both(IN_SUDAN, of("fatalities_best", lambda n: n > 3))
    assert len(qgis_asks(visitor, condition)) == len(answer(Question("", wanted), walked))


def test_the_newest_qgis_is_told_of_the_schema(visitor):
    """It asks for it if the class is declared, and reads only one name of a type for each field."""
    declared = visitor.get("/conformance").json["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas" in declared
    (link,) = (
        link["href"]
        for link in visitor.get("/collections/events").json["links"]
        if link["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/schema"
    )
    answered = visitor.get(link, headers={"Accept": "application/schema+json"})
    assert answered.content_type == "application/schema+json"
    for name, described in answered.json["properties"].items():
        assert name == "geometry" or isinstance(described["type"], str)
        assert isinstance(described["x-ogc-propertySeq"], int)


# Editing with QGIS 3.40: its requests in their order, and no more than it looks at.


@pytest.fixture(scope="module")
def editable(make_database):
    """The real server on a database of its own, and the headers of a QGIS with its key."""
    dsn = make_database()
    with psycopg.connect(dsn) as conn:
        _, key = keys.make(conn, "qgis", ["write"])
    password = base64.b64encode(f"qgis:{key}".encode()).decode()
    with serving(dsn) as url:
        yield url.removeprefix("http://"), {"Authorization": f"Basic {password}"}


def test_an_editing_session_of_the_newer_qgis_does_what_it_means(editable):
    host, signed = editable
    axes = {"Content-Crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}  # bare, latitude first
    geojson, patch = "application/geo+json", "application/merge-patch+json"

    def ask(method, path, sent=None, media=geojson):
        connection = HTTPConnection(host, timeout=20)
        headers = signed | ({"Content-Type": media} | axes if sent else {})
        connection.request(method, path, json.dumps(sent) if sent else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, json.loads(text) if text else None

    answer, _ = ask("OPTIONS", ITEMS)
    assert (answer.status, "POST" in answer.headers["Allow"]) == (200, True)
    answer, _ = ask("OPTIONS", f"{ITEMS}/unknown_id")
    assert answer.status == 200
    assert {"PUT", "PATCH", "DELETE"} <= set(answer.headers["Allow"].split(", "))

    attributes = dict.fromkeys(PROPERTIES) | {"event_type": "Battles", "notes": "drawn"}
    point = {"type": "Point", "coordinates": [33.2, 36.1]}
    sent = {"type": "Feature", "geometry": point, "properties": attributes}
    answer, _ = ask("POST", ITEMS, sent)
    assert answer.status == 201
    (location,) = (value for name, value in answer.getheaders() if name.lower() == "location")
    assert "/items/" in location
    path = "/" + location.split("/", 3)[3]
    answer, found = ask("GET", path)
    assert answer.status == 200
    assert found["geometry"]["coordinates"] == [36.1, 33.2]

    moved = {"type": "Point", "coordinates": [33.5, 36.3]}
    assert ask("PATCH", path, {"geometry": moved}, patch)[0].status == 200
    assert ask("PATCH", path, {"properties": {"notes": "moved"}}, patch)[0].status == 200
    _, found = ask("GET", path)
    assert found["geometry"]["coordinates"] == [36.3, 33.5]
    assert found["properties"]["notes"] == "moved"

    sent = {"type": "Feature", "id": found["id"], "geometry": moved}
    sent["properties"] = found["properties"] | {"notes": "replaced"}
    assert ask("PUT", path, sent)[0].status == 200
    assert ask("GET", path)[1]["properties"]["notes"] == "replaced"
    assert ask("DELETE", path)[0].status == 204
    assert ask("GET", path)[0].status == 410


@pytest.mark.xfail(
    strict=True, reason="granian writes the names of headers in lower case, and has no choice"
)
def test_the_header_location_is_spelled_as_qgis_looks_for_it(editable):
    """It compares the name letter by letter (qgsoapifcreatefeaturerequest.cpp)."""
    host, signed = editable
    body = b'{"type": "Feature", "geometry": null, "properties": {"event_type": "Riots"}}'
    name, _, port = host.partition(":")
    head = [
        f"POST {ITEMS} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {signed['Authorization']}",
        "Content-Type: application/geo+json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    with socket.create_connection((name, int(port)), timeout=20) as wire:
        wire.sendall("\r\n".join([*head, "", ""]).encode() + body)
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 201")
    assert b"\r\nLocation: http" in answer
