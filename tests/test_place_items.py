"""The gazetteer as a collection, and how it is loaded."""

import json

import psycopg
import pytest
import shapely
from shapely.geometry import shape

from api import gazetteer
from api.gazetteer import Names
from conftest import PLACES, assert_problem, links, opened
from geo import index
from geo.fixes import Fixer


@pytest.fixture
def some(visitor):
    """Ask for places; get their features by id."""

    def ask(**query):
        answer = visitor.get(PLACES, query_string=query)
        assert answer.status_code == 200, answer.text
        return {f["id"]: f for f in answer.json["features"]}

    return ask


def test_places_come_the_largest_first_and_follow_in_pages(visitor):
    url, seen = f"{PLACES}?kind=settlement&country=JOR&limit=40", []
    while url:
        page = visitor.get(url).json
        seen += [f["properties"]["population"] or -1 for f in page["features"]]
        url = next((link["href"] for link in links(page, "next")), None)
    assert seen == sorted(seen, reverse=True)
    hits = visitor.get(f"{PLACES}?kind=settlement&country=JOR&resultType=hits").json
    assert hits["numberMatched"] == len(seen) > 100


def test_a_country_is_its_outline_and_a_border_its_line(some):
    found = some(bbox="36,31,39,34", limit=10_000)
    assert found["country-JOR"]["geometry"]["type"].endswith("Polygon")
    border = shape(found["border-JOR-SYR"]["geometry"])
    assert border.geom_type == "LineString"
    outline = shape(found["country-JOR"]["geometry"]).boundary
    assert border.difference(outline.buffer(1e-5)).is_empty
    assert found["site-tower-22"]["geometry"]["type"] == "Point"


def test_an_outline_turns_as_geojson_wants_it(some):
    ground = shape(some(name="Jordan", kind="country")["country-JOR"]["geometry"])
    assert all(part.exterior.is_ccw for part in shapely.get_parts(ground))


def test_neighbours_are_not_within_a_country_but_what_it_shares_is(some):
    found = some(within="Jordan", kind="country")
    assert found.keys() == {"country-JOR"}
    assert "border-JOR-SYR" in some(within="Jordan", kind="border")
    assert "border-IRQ-TUR" not in some(within="Jordan", kind="border")


def test_places_are_found_near_a_place(some):
    found = some(near="Jordan–Syria border", radius_km=5, kind="site")
    assert {"site-tower-22"} <= found.keys()
    assert "site-ain-al-asad" not in found
    far = some(near="44.4,33.3", radius_km=5, kind="settlement")
    assert "settlement-98182" in far


def test_a_radius_that_is_too_small_for_a_continent_is_refused(visitor):
    answer = visitor.get(f"{PLACES}?near=Antarctica&radius_km=0.001")
    assert_problem(answer, 400, parameter="radius_km")


def test_a_place_has_all_its_names(visitor):
    baghdad = visitor.get(f"{PLACES}/settlement-98182").json
    assert baghdad["id"] == "settlement-98182"
    assert baghdad["properties"]["name"] == "Baghdad"
    assert "بغداد" in baghdad["properties"]["names"]
    assert links(baghdad, "self")[0]["href"].endswith("/settlement-98182")


@pytest.mark.parametrize("name", ["country-XYZ", "x'--", "a b", "settlement-1e9", "é"])
def test_an_unknown_place_is_not_found(visitor, name):
    assert_problem(visitor.get(f"{PLACES}/{name}"), 404)


def test_less_of_a_place_can_be_asked_for(some):
    found = some(kind="country", properties="name,country", skipGeometry="true", limit=300)
    jordan = found["country-JOR"]
    assert jordan["properties"] == {"name": "Jordan", "country": "JOR"}
    assert jordan["geometry"] is None


def test_places_have_no_time_and_so_are_in_every_period(some):
    assert some(kind="country", datetime="2024-02-04", name="Jordan").keys() == {"country-JOR"}


def test_an_unchanged_gazetteer_is_not_sent_again(visitor):
    for url in (f"{PLACES}?limit=2", f"{PLACES}/country-JOR", "/collections/places"):
        tag = visitor.get(url).headers["ETag"]
        assert visitor.get(url, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("query", ["sortby=name", "bbox=1,2,3", "cursor=eA", "certainty=possible"])
def test_a_bad_parameter_is_refused(visitor, query):
    assert_problem(visitor.get(f"{PLACES}?{query}"), 400, parameter=query.split("=")[0])


# Loading.


def test_the_gazetteer_is_loaded_once(make_atlas, places):
    with psycopg.connect(make_atlas()) as conn:
        before = conn.execute("SELECT loaded_at FROM gazetteer").fetchone()
        assert not gazetteer.ensure(conn, places)
        assert conn.execute("SELECT loaded_at FROM gazetteer").fetchone() == before


def test_every_place_of_the_index_is_in_the_database(world, places):
    with psycopg.connect(world) as conn:
        counted = dict(conn.execute("SELECT kind, count(*) FROM place GROUP BY kind"))
        assert conn.execute("SELECT version FROM gazetteer").fetchone() == (index.version(),)
        clear = conn.execute(
            "SELECT count(*) FROM place WHERE ground IS NULL AND kind IN"
            " ('country', 'admin1', 'region', 'border')"
        ).fetchone()
    assert counted["settlement"] > 230_000
    assert counted["country"] > 240
    assert counted["border"] > 300
    assert clear == (0,)


def test_a_newer_gazetteer_replaces_the_places_and_leaves_the_grounds(make_atlas, places):
    with psycopg.connect(make_atlas()) as conn:
        conn.execute("UPDATE gazetteer SET version = 'older'")
        before = gazetteer.grounds(conn)
        conn.execute("UPDATE place SET name = 'wrong' WHERE id = 'country-JOR'")
        assert gazetteer.ensure(conn, places)
        assert gazetteer.grounds(conn) == before
        name = conn.execute("SELECT name FROM place WHERE id = 'country-JOR'").fetchone()
        assert name == ("Jordan",)


def test_the_pieces_of_a_ground_are_the_ground(world):
    with psycopg.connect(world) as conn:
        whole, pieces = conn.execute(
            "SELECT ST_Area(g.geom), (SELECT sum(ST_Area(c.geom)) FROM ground_piece c"
            " WHERE c.ground = g.id) FROM ground g JOIN place p ON p.ground = g.id"
            " WHERE p.id = 'country-IRQ'"
        ).fetchone()
    assert pieces == pytest.approx(whole)


def test_without_a_gazetteer_places_are_none_and_names_are_a_problem(make_database, tmp_path):
    with opened(make_database(), gazetteer=str(tmp_path / "none.sqlite")) as client:
        assert client.get(PLACES).json["features"] == []
        assert client.get("/collections/places").json["extent"] == {}
        for url in ("/geocode?q=Baghdad", "/collections/events/items?within=Baghdad"):
            body = assert_problem(client.get(url), 503)
            assert body["type"] == "urn:hudna:problem:no-gazetteer"
            assert "hudna gazetteer load" in body["detail"]
        assert client.get("/collections/events/items?near=44.4,33.3").status_code == 200


def test_a_place_of_the_gazetteer_is_where_the_names_say(world, places):
    fixer = Fixer(Names(places).gazetteer)
    with psycopg.connect(world) as conn:
        for place in ("country-JOR", "admin1-IQ-AN", "border-JOR-SYR", "region-darfur"):
            geojson = conn.execute(
                "SELECT ST_AsGeoJSON(g.geom) FROM place p JOIN ground g ON g.id = p.ground"
                " WHERE p.id = %s",
                [place],
            ).fetchone()[0]
            ground = shape(json.loads(geojson))
            assert ground.hausdorff_distance(fixer.place(place).footprint) < 1e-6
