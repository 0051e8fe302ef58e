"""What every resource keeps to, the landing page, conformance and the contract: rows G1 to G13."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from conftest import CONTRACT, ITEMS, RESOURCES, TILESET, assert_problem, links
from world import event_id

JSON = "application/json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
CORE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"

every_resource = pytest.mark.parametrize("path", RESOURCES)


@pytest.mark.requirement("G1")
@every_resource
def test_every_resource_has_its_media_type_and_varies_by_accept(visitor, path):
    answer = visitor.get(path, headers={"Accept": RESOURCES[path]})
    assert answer.status_code == 200
    assert answer.content_type == RESOURCES[path]
    assert "Accept" in answer.vary
    assert json.loads(answer.data.decode("utf-8"))


@pytest.mark.requirement("G1")
def test_the_server_speaks_http_1_1(server):
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
    connection.request("GET", "/conformance")
    answer = connection.getresponse()
    assert (answer.version, answer.status) == (11, 200)
    connection.close()


@pytest.mark.requirement("G2")
def test_the_landing_page_leads_to_the_contract_the_conformance_and_the_data(visitor):
    body = visitor.get("/", headers={"Accept": JSON}).json
    assert {"service-desc", "conformance", "data", "self"} <= {x["rel"] for x in body["links"]}
    assert body["title"]


@pytest.mark.requirement("G3", "G4")
def test_the_contract_is_linked_by_its_exact_type_and_is_openapi_3_0(visitor):
    (link,) = links(visitor.get("/").json, "service-desc")
    assert link["type"] == OPENAPI
    assert link["href"].startswith("http://localhost/")
    answer = visitor.get(link["href"], headers={"Accept": link["type"]})
    assert answer.status_code == 200
    assert answer.content_type == OPENAPI
    assert answer.json["openapi"].startswith("3.0.")
    OpenAPIV30SpecValidator(answer.json).validate()


@pytest.mark.parametrize(
    "accept",
    [
        "application/vnd.oai.openapi+json;version=3.0",
        "application/vnd.oai.openapi+json; version=3.0",
        "application/vnd.oai.openapi+json;version=3.0, application/json;q=0.5",
        "application/openapi+json;version=3.0",
        "application/json",
        "*/*",
    ],
)
def test_the_contract_is_given_to_whatever_clients_call_it(visitor, accept):
    answer = visitor.get("/api", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.json["servers"] == [{"url": "http://localhost"}]


@pytest.mark.requirement("G5")
def test_the_contract_has_a_concrete_path_for_every_resource(visitor):
    assert set(visitor.get("/api").json["paths"]) == {
        "/",
        "/conformance",
        "/functions",
        "/api",
        "/api.html",
        "/collections",
        "/collections/events",
        "/collections/events/queryables",
        "/collections/events/sortables",
        "/collections/events/schema",
        "/collections/events/schema/feature",
        "/collections/events/changes",
        "/collections/events/imports",
        "/collections/events/imports/{importId}",
        "/collections/events/imports/{importId}/exceptions",
        "/collections/events/items",
        "/collections/events/items/{eventId}",
        "/collections/events/items/{eventId}/history",
        "/collections/places",
        "/collections/places/queryables",
        "/collections/places/sortables",
        "/collections/places/schema",
        "/collections/places/schema/feature",
        "/collections/places/items",
        "/collections/places/items/{placeId}",
        "/geocode",
        "/tileMatrixSets",
        "/tileMatrixSets/WebMercatorQuad",
        "/collections/events/tiles",
        TILESET,
        f"{TILESET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}",
    }


@pytest.mark.requirement("G6")
@pytest.mark.parametrize("path", CONTRACT["paths"])
def test_every_operation_declares_what_may_go_wrong(path):
    statuses = set(CONTRACT["paths"][path]["get"]["responses"])
    assert {"200", "304", "400", "406", "500", "503"} <= statuses


@pytest.mark.requirement("G7")
def test_the_conformance_classes_are_listed(visitor):
    classes = visitor.get("/conformance").json["conformsTo"]
    assert CORE in classes
    assert all(isinstance(name, str) for name in classes)
    assert len(classes) == len(set(classes))


@pytest.mark.requirement("G8")
@every_resource
def test_head_answers_as_get_does_but_without_a_body(visitor, path):
    got = visitor.get(path)
    head = visitor.head(path)
    assert head.status_code == 200
    assert head.data == b""
    kept = [(k, v) for k, v in got.headers if k != "Date"]
    assert [(k, v) for k, v in head.headers if k != "Date"] == kept


@pytest.mark.requirement("G8")
@pytest.mark.parametrize("path", [*RESOURCES, f"{ITEMS}/{event_id('there is no such event')}"])
def test_options_lists_the_methods(visitor, path):
    answer = visitor.options(path)
    assert answer.status_code == 200
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


@pytest.mark.requirement("G9")
@pytest.mark.parametrize("path", [*RESOURCES, "/nowhere", f"{ITEMS}?limit=x"])
def test_a_page_of_another_origin_may_read_answers_and_their_headers(visitor, path):
    answer = visitor.get(path, headers={"Origin": "https://map.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"Link", "Location", "ETag", "Content-Crs"} <= exposed


@pytest.mark.requirement("G9")
def test_a_preflight_is_granted(visitor):
    asked = {
        "Origin": "https://map.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "If-None-Match, X-Trace",
    }
    answer = visitor.options(ITEMS, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert answer.headers["Access-Control-Allow-Headers"] == "If-None-Match, X-Trace"
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.requirement("G10")
@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/collections/nothing", 404, "not-found"),
        ("GET", "/collections/nothing/items", 404, "not-found"),
        ("GET", f"{ITEMS}/none", 404, "not-found"),
        ("GET", f"{ITEMS}?limit=0", 400, "invalid-parameter"),
        ("GET", f"{ITEMS}?contry=IRQ", 400, "invalid-parameter"),
        ("DELETE", "/collections", 405, "method-not-allowed"),
        ("POST", ITEMS, 401, "unauthorized"),
    ],
    ids=str,
)
def test_every_error_is_a_problem_document(visitor, method, path, status, kind):
    answer = visitor.open(path, method=method)
    body = assert_problem(answer, status, type=f"urn:hudna:problem:{kind}")
    assert body["title"]
    assert body["detail"]
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 405:
        assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


@pytest.mark.requirement("G11")
@every_resource
@pytest.mark.parametrize("accept", [None, "*/*", "application/*;q=0.5, text/html;q=0.1"])
def test_who_asks_for_nothing_special_gets_json(visitor, path, accept):
    answer = visitor.get(path, headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    assert answer.content_type == RESOURCES[path]


@pytest.mark.requirement("G11")
@every_resource
def test_json_is_given_to_who_asks_for_json(visitor, path):
    answer = visitor.get(path, headers={"Accept": JSON})
    assert answer.status_code == 200
    assert answer.content_type == JSON


@pytest.mark.requirement("G11")
@every_resource
def test_the_parameter_f_wins_over_accept(visitor, path):
    answer = visitor.get(path, query_string={"f": "json"}, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.json


@pytest.mark.requirement("G11")
@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/{event_id('fiji')}"])
def test_f_tells_geojson_from_json(visitor, path):
    accept = {"Accept": "application/json"}
    answer = visitor.get(path, query_string={"f": "geojson"}, headers=accept)
    assert answer.content_type == "application/geo+json"
    accept = {"Accept": "application/geo+json"}
    answer = visitor.get(path, query_string={"f": "json"}, headers=accept)
    assert answer.content_type in {"application/json", "application/geo+json"}


@pytest.mark.requirement("G11")
@every_resource
@pytest.mark.parametrize("accept", ["image/png", "text/css, image/*;q=0.9", "application/xml"])
def test_a_format_that_cannot_be_given_is_not_acceptable(visitor, path, accept):
    body = assert_problem(visitor.get(path, headers={"Accept": accept}), 406)
    assert RESOURCES[path] in body["detail"]


@pytest.mark.requirement("G11")
@every_resource
@pytest.mark.parametrize("f", ["htm", "JSON", "xml", "", "application/json"])
def test_a_format_that_is_not_known_is_refused_by_name(visitor, path, f):
    assert_problem(visitor.get(path, query_string={"f": f}), 400, parameter="f")


@pytest.mark.parametrize("path", [p for p, media in RESOURCES.items() if "geo" not in media])
def test_geojson_cannot_be_had_of_what_has_no_features(visitor, path):
    assert_problem(visitor.get(path, query_string={"f": "geojson"}), 400, parameter="f")
