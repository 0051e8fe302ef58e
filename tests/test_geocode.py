"""Geocoding over HTTP: names, phrases, points, and many at once."""

import json

import pytest
from geopy.exc import GeocoderServiceError

from api import create_app, geocoders
from api.settings import Settings
from conftest import OnePool, StrictClient, assert_problem
from test_contract import validate


@pytest.fixture
def ask(visitor):
    """Ask for a place; get the features."""

    def ask(**query):
        answer = visitor.get("/geocode", query_string=query)
        assert answer.status_code == 200, answer.text
        validate(answer.json, "Geocoded")
        return answer.json["features"]

    return ask


@pytest.fixture
def ask_many(visitor):
    """Ask many questions at once; get the features."""

    def ask(**body):
        answer = visitor.post("/geocode", json=body)
        assert answer.status_code == 200, answer.text
        validate(answer.json, "Geocoded")
        return answer.json["features"]

    return ask


def test_a_name_gives_the_place_and_what_else_it_may_mean(ask):
    best, *others = ask(q="Tripoli")
    assert (best["id"], best["properties"]["country"]) == ("settlement-2210247", "LBY")
    assert best["properties"]["verdict"] == "ambiguous"
    assert "LBN" in {one["properties"]["country"] for one in others}
    assert len(ask(q="Tripoli", limit=2)) == 2
    (first, *_) = ask(q="Tripoli", country="LBN")
    assert first["properties"]["country"] == "LBN"
    (first, *_) = ask(q="Tripoli", focus="36,34")
    assert first["properties"]["country"] == "LBN"


def test_a_phrase_gives_one_place_and_how_it_was_reached(ask):
    (place,) = ask(q="40 km north-west of Deir ez-Zor")
    assert "id" not in place
    assert place["properties"]["geo_precision"] == "near"
    assert place["properties"]["chain"][-1] == "40 km north-west of it"
    assert place["properties"]["geocoder"] == "hudna"
    (ground,) = ask(q="40 km north-west of Deir ez-Zor", geometry="footprint")
    assert (place["geometry"]["type"], ground["geometry"]["type"]) == ("Point", "Polygon")


def test_a_border_is_a_line_with_its_uncertainty(ask):
    (border,) = ask(q="the Jordan–Syria border", geometry="footprint")
    assert border["id"] == "border-JOR-SYR"
    assert border["geometry"]["type"] == "LineString"
    assert border["properties"]["geo_precision"] == "linear"
    assert 150 < border["properties"]["uncertainty_km"] < 200


def test_an_unchanged_gazetteer_answers_a_question_once(visitor):
    for url in ("/geocode?q=Baghdad", "/geocode?lat=33.3&lon=44.4", "/geocode?q=Xyzzyville"):
        tag = visitor.get(url).headers["ETag"]
        assert visitor.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_what_is_nowhere_has_a_reason(visitor):
    answer = visitor.get("/geocode?q=Xyzzyville")
    assert answer.json["features"] == []
    assert "no place called" in answer.json["detail"]


def test_a_point_is_named_by_its_division_and_the_nearest_town(ask):
    (found,) = ask(lat=33.25, lon=44.4)
    properties = found["properties"]
    assert found["geometry"] == {"type": "Point", "coordinates": [44.4, 33.25]}
    assert (properties["country"], properties["admin1"]) == ("IRQ", "Baghdad")
    assert properties["settlement"]["direction"]
    assert 0 < properties["settlement"]["distance_km"] < 20
    (sea,) = ask(lat=0, lon=0)
    assert (sea["properties"]["country"], sea["properties"]["admin1"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "q"),
        ("q=Baghdad&lat=1&lon=2", "q"),
        ("lat=1", "q"),
        ("lat=91&lon=0", "lat"),
        ("lat=0&lon=181", "lon"),
        ("q=", "q"),
        ("q=x&country=iq", "country"),
        ("q=x&country=AAA", "country"),
        ("q=x&focus=1", "focus"),
        ("q=x&focus=1,99", "focus"),
        ("q=x&limit=0", "limit"),
        ("q=x&geometry=line", "geometry"),
        ("q=" + "x" * 301, "q"),
    ],
)
def test_a_question_that_is_none_is_refused(visitor, query, parameter):
    assert_problem(visitor.get(f"/geocode?{query}"), 400, parameter=parameter)


def test_many_names_are_answered_in_their_order(ask_many):
    names = ["Baghdad", "Xyzzyville", "southern Lebanon", "Baghdad", "الحديدة"]
    found = ask_many(q=names)
    assert [f["properties"]["q"] for f in found] == names
    assert found[1]["geometry"] is None
    assert found[1]["properties"]["verdict"] == "unknown"
    assert found[0] == found[3]
    assert found[4]["properties"]["country"] == "YEM"
    (ground,) = ask_many(q=["southern Lebanon"], geometry="footprint")
    assert ground["geometry"]["type"].endswith("Polygon")


def test_mistyped_names_are_looked_for_if_that_is_wanted(ask_many):
    (missed,) = ask_many(q=["Bagdhad city"[:7]])
    (found,) = ask_many(q=["Bagdhad"], typos=True)
    assert missed["geometry"] is None
    assert found["id"] == "settlement-98182"


def test_many_points_are_named_as_one_by_one(ask_many, ask):
    points = [[44.4, 33.3], [0, 0], [98, 22], [179.99, -16.5]]
    for (lon, lat), found in zip(points, ask_many(points=points), strict=True):
        assert [found] == ask(lat=lat, lon=lon)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"q": ["a"], "points": [[1, 2]]}, ""),
        ({"q": []}, "/q"),
        ({"q": ["a", ""]}, "/q/1"),
        ({"q": ["a", 7]}, "/q/1"),
        ({"q": "Baghdad"}, "/q"),
        ({"q": ["a"] * 10_001}, "/q"),
        ({"points": [[1, 2], [1, 91]]}, "/points/1/1"),
        ({"points": [[1]]}, "/points/0"),
        ({"q": ["a"], "cuontry": "IRQ"}, "/cuontry"),
        ({"q": ["a"], "country": "Iraq"}, "/country"),
        ([], ""),
        (7, ""),
    ],
)
def test_a_bad_body_is_refused_with_a_pointer_to_the_fault(visitor, body, pointer):
    problem = assert_problem(visitor.post("/geocode", json=body), 400)
    assert problem["type"] == "urn:hudna:problem:invalid-body"
    assert pointer in {error["pointer"] for error in problem["errors"]}


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(visitor, text):
    answer = visitor.post("/geocode", data=text, content_type="application/json")
    assert_problem(answer, 400)


def test_a_body_of_another_kind_or_too_large_is_refused(visitor):
    assert_problem(visitor.post("/geocode", data=b"q=Baghdad"), 415)
    large = json.dumps({"q": ["x" * 300] * 20_000}).encode()
    answer = visitor.post("/geocode", data=large, content_type="application/json")
    assert_problem(answer, 413)


# Geocoders on other machines.


@pytest.fixture
def asking(conn, stub, places):
    """A client of a service that asks the geocoder of the test, at some path."""

    def make(path=""):
        settings = Settings(
            database_url="unused",
            gazetteer=str(places),
            geocoders=f"nominatim={stub.url}{path}",
            geocoder_pause_s=0,
        )
        app = create_app(settings, pool=OnePool(conn))
        app.test_client_class = StrictClient
        return app.test_client()

    return make


def test_another_geocoder_is_asked_once_and_only_for_what_is_not_known(asking, stub):
    client = asking()
    assert client.get("/geocode?q=Baghdad").json["features"]
    assert stub.asked == []
    for _ in range(3):
        (found,) = client.get("/geocode?q=Nowhereville").json["features"]
        assert found["geometry"]["coordinates"] == [1.5, 2.5]
        assert found["properties"]["geocoder"] == "nominatim"
        assert found["properties"]["geo_precision"] is None
    assert len(stub.asked) == 1


def test_that_nobody_knows_a_place_is_remembered_too(asking, stub):
    client = asking()
    for _ in range(2):
        assert client.get("/geocode?q=Xyzzyville").json["features"] == []
    assert len(stub.asked) == 1


def test_a_failure_is_told_and_not_remembered(asking, stub):
    client = asking("/broken")
    for _ in range(2):
        assert_problem(client.get("/geocode?q=Nowhereville"), 502)
    assert len(stub.asked) == 2


def test_a_geocoder_that_cannot_be_is_refused_at_the_start(conn):
    for text in ("guess=https://a.example", "nominatim", "nominatim=ftp://a.example"):
        with pytest.raises(ValueError, match=r"none of|http"):
            geocoders.cascade(OnePool(conn), text, "hudna-test", 0)
    assert geocoders.cascade(OnePool(conn), "", "hudna-test", 0) is None


def test_the_cascade_speaks_geopy(conn, stub):
    asked = geocoders.cascade(OnePool(conn), f"nominatim={stub.url}", "hudna-test", 0)
    assert asked.geocode("Nowhereville").latitude == 2.5
    assert asked.reverse((2.5, 1.5)).address == "There"
    broken = geocoders.cascade(OnePool(conn), f"photon={stub.url}/broken", "hudna-test", 0)
    with pytest.raises(GeocoderServiceError):
        broken.geocode("Nowhereville")
