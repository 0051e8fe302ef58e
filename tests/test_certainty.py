"""How sure a place and a time have to be: reported, possible, certain (docs/certainty.md)."""

import json
import os
from datetime import date
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from api.cli import main
from api.gazetteer import Names, grounds
from api.importers.placing import Placing
from api.importers.store import Incoming, Origin
from api.importers.store import load as store
from api.sample import load as load_sample
from conftest import ITEMS, ROOT, assert_problem, opened, walk

SHAN, MYANMAR = (98.0, 22.0), (96.5, 21.0)


def coded(source_id, precision, point=None, **more):
    """An event as an importer has read it."""
    row = {"source_id": source_id, "event_type": "Battles", "geo_precision": precision}
    row |= {"starts_on": date(2021, 3, 1), "ends_on": date(2021, 3, 1)}
    geom = f"POINT({point[0]} {point[1]})" if point else None
    return Incoming(row | {"geom": geom, "country": "MMR"} | more)


#: Two points stand for many things: the centre of the country is the centre of the division.
EVENTS = [
    coded("a town", "settlement", (97.75, 22.93), place_name="Lashio", admin1="Shan state"),
    coded("a town in the box", "settlement", (98.2, 22.2), admin1="Shan state"),
    coded("near the edge", "near", (98.6, 22.0), admin1="Shan state"),
    coded("the division", "admin1", SHAN, admin1="Shan state"),
    coded("the country", "country", SHAN),
    coded("the country, elsewhere", "country", MYANMAR),
    coded("another division", "admin1", SHAN, admin1="Kachin state"),
    coded("a line", "linear", (98.9, 16.5), place_name="Myanmar-Thailand border"),
    coded("unclear", "area", SHAN, place_name="somewhere or other", admin1="Shan state"),
    coded("a site", "exact", (98.1, 22.1), admin1="Shan state"),
    coded("no precision", None, (98.0, 22.1)),
    coded("at sea", "sea_air", (98.0, 22.2), country=None),
    Incoming({"source_id": "nowhere", "event_type": "Battles"}),
    coded("a month", "exact", (98.1, 22.1), starts_on=date(2021, 3, 1), ends_on=date(2021, 3, 31)),
    coded("open", "exact", (98.1, 22.1), starts_on=date(2021, 3, 1), ends_on=None),
]
BOX = "97.5,21.5,98.5,22.5"


@pytest.fixture(scope="module")
def myanmar(make_atlas, places):
    """A client of the service on those events."""
    dsn = make_atlas()
    with psycopg.connect(dsn) as conn:
        placing = Placing(Names(places), grounds(conn))
        store(conn, map(placing.placed, EVENTS), Origin("test", "myanmar"))
    load_sample(dsn, Names(places))
    with opened(dsn, gazetteer=str(places)) as client:
        yield client


@pytest.fixture(scope="module")
def found(myanmar):
    """Ask for events; get their source_ids."""

    def ask(dataset="myanmar", **query):
        query |= {"dataset": dataset, "properties": "source_id"}
        answer = myanmar.get(ITEMS, query_string=query)
        assert answer.status_code == 200, answer.text
        hits = myanmar.get(ITEMS, query_string=query | {"resultType": "hits"}).json
        ids = [f["properties"]["source_id"] for f in answer.json["features"]]
        assert hits["numberMatched"] == len(ids)
        assert len(ids) == len(set(ids))
        return set(ids)

    return ask


def test_reported_is_what_stands_at_a_point_in_the_box(found):
    assert found(bbox=BOX) == {
        *("a town in the box", "the division", "the country", "another division", "unclear"),
        *("a site", "no precision", "at sea", "nowhere", "a month", "open"),
    }
    assert found(bbox=BOX, certainty="reported") == found(bbox=BOX)


def test_possible_is_all_whose_ground_meets_the_box(found):
    gone, new = {"another division"}, {"near the edge", "the country, elsewhere"}
    assert found(bbox=BOX, certainty="possible") == found(bbox=BOX) - gone | new


def test_certain_is_only_what_has_its_ground_in_the_box(found):
    assert found(bbox=BOX, certainty="certain") == {
        "a town in the box",
        "a site",
        "a month",
        "open",
    }
    wide = found(bbox="90,5,105,30", certainty="certain")
    assert {"the division", "the country", "another division", "unclear", "a line"} <= wide
    assert wide & {"no precision", "at sea", "nowhere"} == set()


def test_certain_is_possible(found):
    for box in (BOX, "90,5,105,30", "98.05,22.05,98.15,22.15", "97,22.5,98,23.5"):
        assert found(bbox=box, certainty="certain") <= found(bbox=box, certainty="possible")


def test_neighbours_that_share_a_line_are_not_in_each_other(found):
    thai = found(within="Thailand", certainty="possible")
    assert "the country" not in thai
    assert "a line" in thai
    assert "a line" not in found(within="Thailand", certainty="certain")


def test_a_division_is_certainly_in_its_country(found):
    certain = found(within="Myanmar", certainty="certain")
    assert {"the division", "another division", "the country", "unclear"} <= certain
    assert "the country" not in found(within="Shan State", certainty="certain")
    assert "the division" in found(within="Shan State", certainty="certain")


@pytest.mark.parametrize(
    ("period", "certainty", "expected"),
    [
        ("2021-03-10/2021-03-20", "reported", {"a month", "open", "nowhere"}),
        ("2021-03-10/2021-03-20", "possible", {"a month", "open", "nowhere"}),
        ("2021-03-10/2021-03-20", "certain", set()),
        ("2021-03-01/2021-03-31", "certain", {"a site", "a month"}),
        ("../2021-04-01", "certain", {"a site", "a month"}),
        ("2021-02-01/..", "certain", {"a site", "a month", "open"}),
        ("2021-03-01", "certain", {"a site"}),
    ],
)
@pytest.mark.parametrize("sortby", ["-starts_on", "starts_on", "-fatalities_best"])
def test_the_interval_counts_as_the_footprint_does(found, period, certainty, expected, sortby):
    some = {"a site", "a month", "open", "nowhere"}
    assert found(datetime=period, certainty=certainty, sortby=sortby) & some == expected


# The report of the sample.


def sample(found, **query):
    return found("unannounced-truce", **query)


def test_the_border_attack_is_near_the_border(found):
    assert sample(found, near="Jordan–Syria border", radius_km=10) == {"border-attack"}


def test_the_missile_strike_is_in_baghdad(found):
    assert "baghdad-missile-strike" in sample(found, within="Baghdad")


def test_nothing_claims_that_the_border_attack_was_in_jordan(found):
    assert "border-attack" not in sample(found, within="Jordan", certainty="certain")
    assert "border-attack" in sample(found, within="Jordan", certainty="possible")
    assert "border-attack" in sample(found, within="Syria", certainty="possible")
    assert "border-attack" not in sample(found, within="Lebanon", certainty="possible")


def test_who_asks_for_a_place_by_name_is_not_given_what_has_none(found):
    assert "unannounced-truce" in sample(found, bbox="35,31,42,37")
    assert "unannounced-truce" not in sample(found, within="Jordan")
    assert "unannounced-truce" in sample(found, within="Jordan", certainty="possible")


def test_a_box_and_places_narrow_each_other(found):
    near = {"near": "44.4,33.3", "radius_km": 30}
    assert sample(found, **near) == sample(found, within="Baghdad")
    assert sample(found, **near, bbox="44.3,33.2,44.5,33.4") == sample(found, **near)
    assert sample(found, **near, bbox="30,20,31,21") == set()
    assert sample(found, **near, within="Jordan") == set()


def test_the_answer_links_to_what_was_meant(myanmar):
    answer = myanmar.get(ITEMS, query_string={"near": "Jordan–Syria border", "within": "Syria"})
    meant = [link for link in answer.json["links"] if link["rel"] == "related"]
    assert [link["href"].rpartition("/")[2] for link in meant] == ["border-JOR-SYR", "country-SYR"]
    phrase = myanmar.get(ITEMS, query_string={"within": "southern Syria"}).json
    (link,) = [link for link in phrase["links"] if link["rel"] == "related"]
    assert myanmar.get(link["href"]).json["features"][0]["geometry"]["type"].endswith("Polygon")


def test_an_ambiguous_name_is_refused_with_what_it_may_mean(myanmar):
    answer = myanmar.get(ITEMS, query_string={"within": "Tripoli"})
    body = assert_problem(answer, 400, parameter="within")
    candidates = body["errors"][0]["candidates"]
    assert {"Tripoli, Libya", "Tripoli, North Lebanon, Lebanon"} <= {c["name"] for c in candidates}
    for one in candidates:
        answer = myanmar.get(ITEMS, query_string={"within": f"place:{one['id']}"})
        assert answer.status_code == 200, one


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ({"within": "Xyzzyville"}, "within", "no place called"),
        ({"near": "place:country-XYZ"}, "near", "country-XYZ"),
        ({"within": "Jordan–Syria border"}, "within", "has no area"),
        ({"within": "Lebanon–Cyprus border"}, "within", "no land border"),
        ({"near": "200,10"}, "near", "longitude"),
        ({"near": "10,95"}, "near", "longitude"),
        ({"radius_km": "10"}, "radius_km", "near"),
        ({"near": "10,10", "radius_km": "0"}, "radius_km", "0.001"),
        ({"near": "10,10", "radius_km": "1001"}, "radius_km", "1000"),
        ({"near": ""}, "near", "text"),
        ({"certainty": "sure"}, "certainty", "one of"),
        ({"geometry": "line"}, "geometry", "one of"),
    ],
)
def test_what_is_no_place_is_refused_by_name(myanmar, query, parameter, says):
    body = assert_problem(myanmar.get(ITEMS, query_string=query), 400, parameter=parameter)
    assert says in body["detail"]


def test_a_footprint_is_a_shared_ground_an_own_one_or_the_point(myanmar):
    query = {"geometry": "footprint", "dataset": "myanmar", "limit": 100}
    page = myanmar.get(ITEMS, query_string=query).json
    kinds = {
        f["properties"]["source_id"]: f["geometry"] and f["geometry"]["type"]
        for f in page["features"]
    }
    assert kinds["the division"].endswith("Polygon")
    assert kinds["a line"].endswith("LineString")
    assert (kinds["a site"], kinds["no precision"], kinds["nowhere"]) == ("Polygon", "Point", None)
    for feature in page["features"]:
        alone = myanmar.get(f"{ITEMS}/{feature['id']}?geometry=footprint").json
        assert alone["geometry"] == feature["geometry"]
        assert alone["properties"] == feature["properties"]
        assert alone["geometry"] is None or "Point" in json.dumps(
            myanmar.get(f"{ITEMS}/{feature['id']}").json["geometry"]
        )


def test_a_footprint_and_a_point_have_tags_of_their_own(myanmar):
    (first, *_) = myanmar.get(ITEMS, query_string={"limit": 1, "dataset": "myanmar"}).json[
        "features"
    ]
    url = f"{ITEMS}/{first['id']}"
    tag = myanmar.get(url).headers["ETag"]
    headers = {"If-None-Match": tag}
    assert myanmar.get(url, headers=headers).status_code == 304
    assert myanmar.get(f"{url}?geometry=footprint", headers=headers).status_code == 200


def test_a_tag_of_an_answer_that_rests_on_names_bears_the_gazetteer(myanmar):
    plain = myanmar.get(f"{ITEMS}?near=44.4,33.3").headers["ETag"]
    named = myanmar.get(f"{ITEMS}?near=Baghdad").headers["ETag"]
    assert named.count(".") == plain.count(".") + 1
    again = myanmar.get(f"{ITEMS}?near=Baghdad", headers={"If-None-Match": named})
    assert again.status_code == 304


@pytest.mark.parametrize("certainty", ["reported", "possible", "certain"])
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_walk_over_any_certainty_gives_each_event_once(myanmar, found, certainty, limit):
    for query in (f"bbox={BOX}", "within=Myanmar", "near=98,22&radius_km=100"):
        url = f"{ITEMS}?{query}&certainty={certainty}&dataset=myanmar&limit={limit}"
        pages = list(walk(myanmar, url))
        ids = [f["properties"]["source_id"] for page in pages for f in page["features"]]
        asked = dict(part.split("=") for part in query.split("&"))
        assert sorted(ids) == sorted(found(certainty=certainty, **asked))


# The example of docs/certainty.md.

REAL = os.environ.get("HUDNA_REAL_DATA")
KINDS = ["settlement", "near", "admin2", "admin1", "linear", "area", "country"]


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of UCDP's own files")
def test_the_example_of_a_box_in_myanmar_is_as_it_is_told(make_atlas, places, monkeypatch):
    dsn = make_atlas()
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HUDNA_GAZETTEER", str(places))
    file = Path(REAL) / "ucdp_ged_myanmar_2021.csv"
    told = CliRunner().invoke(main, ["import", "ucdp", str(file)])
    assert told.exit_code == 0, told.output
    rows = []
    with opened(dsn, gazetteer=str(places)) as client:
        for certainty in ("reported", "possible", "certain"):
            query = {"bbox": BOX, "certainty": certainty, "resultType": "hits"}
            asked = [query, *(query | {"geo_precision": kind} for kind in KINDS)]
            counts = [client.get(ITEMS, query_string=q).json["numberMatched"] for q in asked]
            rows.append(f"| `{certainty}` | " + " | ".join(map(str, counts)) + " |")
    assert "\n".join(rows) in (ROOT / "docs/certainty.md").read_text(encoding="utf-8"), rows
