"""Filters in CQL2 over HTTP: Part 3 of the standard, rows Q5 to Q15."""

import json
from datetime import date

import pytest

from api import cql2, page
from api.filtering import QUERYABLES
from api.parameters import ItemsQuery, load
from api.schemas import SCALARS
from conftest import CONTRACT, ITEMS, PLACES, RESOURCES, assert_problem, operation, resolved, walk
from test_contract import validate
from world import WORLD, event_id

CRS = "http://www.opengis.net/def/crs/"
PARAMETERS = {p["name"]: p for p in map(resolved, operation("GET", ITEMS)["parameters"])}


@pytest.fixture
def found(visitor):
    """Ask for events by a filter; get their source_ids."""

    def ask(text, **query):
        query = {"filter": text, "limit": 10_000} | query
        query = {name.replace("_", "-"): value for name, value in query.items()}
        answer = visitor.get(ITEMS, query_string=query)
        assert answer.status_code == 200, answer.text
        hits = visitor.get(ITEMS, query_string=query | {"resultType": "hits"}).json
        names = {f["properties"]["source_id"] for f in answer.json["features"]}
        assert hits["numberMatched"] == len(names)
        return names

    return ask


def named(test):
    """The source_ids of the events of which `test` is true."""
    return {e["source_id"] for e in WORLD if test(e)}


@pytest.mark.requirement("Q5")
def test_the_languages_are_declared_and_the_first_is_taken_by_default(found, visitor):
    schema = PARAMETERS["filter-lang"]["schema"]
    assert schema["enum"] == ["cql2-text", "cql2-json", "cql-text"]
    assert schema["default"] == "cql2-text"
    assert found("country = 'SDN'") == found("country = 'SDN'", filter_lang="cql2-text")
    answer = visitor.get(f"{ITEMS}?filter=a&filter-lang=cql")
    assert_problem(answer, 400, parameter="filter-lang")


@pytest.mark.requirement("Q6")
def test_geometries_are_read_in_a_system_that_is_declared(found, visitor):
    crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    box = "S_INTERSECTS(geometry, BBOX(29, 14, 34, 18))"
    assert found(box, filter_crs=crs84) == found(box) != set()
    epsg = "http://www.opengis.net/def/crs/EPSG/0/"
    turned = "S_INTERSECTS(geometry, BBOX(14, 29, 18, 34))"  # latitude first
    assert found(turned, filter_crs=f"{epsg}4326") == found(box)
    shape = "S_WITHIN(geometry, POLYGON((29 14,34 14,34 18,29 18,29 14)))"
    axes = shape.replace("29 14", "14 29").replace("34 14", "14 34")
    axes = axes.replace("34 18", "18 34").replace("29 18", "18 29")
    assert found(axes, filter_crs=f"{epsg}4326") == found(shape) != set()
    metres = "S_INTERSECTS(geometry, BBOX(470000, 1600000, 700000, 1800000))"
    inside = found("S_INTERSECTS(geometry, BBOX(32.8, 14.47, 34.85, 16.28))")
    assert found(metres, filter_crs=f"{epsg}32636") == inside != set()
    assert crs84 in PARAMETERS["filter-crs"]["schema"]["enum"]
    query = {"filter": box, "filter-crs": "http://www.opengis.net/def/crs/0/unsupported"}
    assert_problem(visitor.get(ITEMS, query_string=query), 400, parameter="filter-crs")
    assert visitor.get(f"{ITEMS}?filter-crs={crs84}").status_code == 200


@pytest.mark.requirement("Q6")
@pytest.mark.parametrize(
    ("crs", "shape", "named"),
    [
        ("OGC/1.3/CRS84", "POINT(31 91)", "WGS 84 (CRS84)"),
        ("OGC/1.3/CRS84", "POLYGON((170 -20,190 -20,190 0,170 0,170 -20))", "in two parts"),
        ("EPSG/0/4326", "POINT(100 20)", "latitudes from -90 to 90"),
        ("EPSG/0/3857", "POINT(0 30000000)", "latitudes from -85.06 to 85.06"),
        ("EPSG/0/3857", "LINESTRING(19000000 0, 21000000 0)", "in two parts"),
        ("EPSG/0/3857", "BBOX(19000000, 0, 21000000, 10)", "in two parts"),
        ("EPSG/0/32637", "POINT(1e8 1e8)", "WGS 84 / UTM zone 37N"),
        ("EPSG/0/32637", "BBOX(0, 0, 1e7, 1e7)", "WGS 84 / UTM zone 37N"),
        ("EPSG/0/3035", "POINT(32 36)", "longitudes from -35.58 to 44.83"),
    ],
)
def test_a_geometry_that_leaves_its_reference_system_is_refused(visitor, crs, shape, named):
    query = {"filter": f"S_INTERSECTS(geometry, {shape})", "filter-crs": f"{CRS}{crs}"}
    body = assert_problem(visitor.get(ITEMS, query_string=query), 400, parameter="filter")
    assert "leaves the part of the earth" in body["detail"]
    assert named in body["detail"]
    assert body["errors"][0]["offset"] == len("S_INTERSECTS(geometry, ")


@pytest.mark.requirement("Q6")
def test_a_map_of_the_web_asks_across_the_antimeridian_by_a_box_or_by_two_parts(found):
    mercator = f"{CRS}EPSG/0/3857"
    wanted = found("S_INTERSECTS(geometry, BBOX(170, -30, -170, 0))")
    metres = (18924313.43, -3503549.84, -18924313.43, 0)
    box = f"S_INTERSECTS(geometry, BBOX({','.join(map(str, metres))}))"
    assert found(box, filter_crs=mercator) == wanted >= {"fiji"}
    west, south, east, north = metres
    parts = [(west, 20037508.34), (-20037508.34, east)]
    rings = [f"(({w} {south},{e} {south},{e} {north},{w} {north},{w} {south}))" for w, e in parts]
    areas = f"S_INTERSECTS(geometry, MULTIPOLYGON({','.join(rings)}))"
    assert found(areas, filter_crs=mercator) == wanted


@pytest.mark.requirement("Q7")
@pytest.mark.parametrize("collection", [ITEMS, PLACES])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("country =", "line 1, column 10"),
        ("cuontry = 'IRQ'", "cuontry"),
        ("ctid = 'x'", "ctid"),
        ("country > 5", ""),
        ("pg_sleep(10) = 1", "pg_sleep"),
        ("country LIKE country ESCAPE 'x'", ""),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 1)))", ""),
        ("((((((country = 'IRQ'", ""),
    ],
)
def test_a_filter_that_cannot_be_is_refused_and_told_where(visitor, collection, text, says):
    body = assert_problem(
        visitor.get(collection, query_string={"filter": text}), 400, parameter="filter"
    )
    assert says in body["detail"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("country =", {"offset": 9, "line": 1, "column": 10}),
        ("country = 'IRQ'\n  AND cuontry = 'x'", {"offset": 22, "line": 2, "column": 7}),
        ("notes LIKE 'ü' AND '💥' = 1", {"offset": 25, "line": 1, "column": 26}),
        ("S_WITHIN(geometry, POINT(1 99))", {"offset": 19, "line": 1, "column": 20}),
    ],
)
def test_a_problem_has_the_place_in_a_text_as_numbers(visitor, text, place):
    """Characters are Unicode's, and no bytes: Python, and JavaScript's Array.from, count so."""
    body = assert_problem(visitor.get(ITEMS, query_string={"filter": text}), 400)
    (error,) = body["errors"]
    assert {name: error.get(name) for name in place} == place
    assert f"line {place['line']}, column {place['column']}" in error["detail"]
    assert "pointer" not in error
    validate(body, "Problem")


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"op": "=", "args": [{"property": "cuontry"}, "IRQ"]}, "/args/0"),
        ({"op": "and", "args": [True, {"op": ">", "args": [1, None]}]}, "/args/1/args/1"),
        ([], ""),
    ],
)
def test_a_problem_points_into_a_filter_in_json(visitor, value, pointer):
    query = {"filter": json.dumps(value), "filter-lang": "cql2-json"}
    body = assert_problem(visitor.get(ITEMS, query_string=query), 400)
    (error,) = body["errors"]
    assert (error["parameter"], error["pointer"]) == ("filter", pointer)
    assert not {"offset", "line", "column"} & error.keys()
    validate(body, "Problem")


def test_what_is_no_json_has_a_place_in_its_text(visitor):
    query = {"filter": '{"op": "=",\n "args": [1, 1}', "filter-lang": "cql2-json"}
    (error,) = assert_problem(visitor.get(ITEMS, query_string=query), 400)["errors"]
    assert (error["offset"], error["line"], error["column"]) == (26, 2, 15)


@pytest.mark.requirement("Q8")
def test_what_is_unknown_is_neither_true_nor_its_contrary(found):
    assert found("fatalities_best > 0") == named(lambda e: (e.get("fatalities_best") or 0) > 0)
    assert found("NOT (fatalities_best > 0)") == named(lambda e: e.get("fatalities_best") == 0)
    known = found("fatalities_best > 0 OR NOT fatalities_best > 0")
    assert known == named(lambda e: e.get("fatalities_best") is not None)


@pytest.mark.requirement("Q9", "I24")
@pytest.mark.parametrize("path", [p for p in RESOURCES if not p.endswith(("/items", "Quad"))])
def test_a_filter_is_for_lists_of_features_and_tiles_only(visitor, path):
    assert_problem(visitor.get(path, query_string={"filter": "a = 1"}), 400, parameter="filter")


@pytest.mark.requirement("Q11")
def test_every_queryable_is_there_or_not_there(found):
    for name, queryable in QUERYABLES["events"].items():
        if queryable.type in {cql2.Type.ARRAY, cql2.Type.INTERVAL}:
            continue
        there, not_there = found(f"{name} IS NOT NULL"), found(f"{name} IS NULL")
        assert there | not_there == named(lambda _: True), name
        assert there & not_there == set(), name


@pytest.mark.requirement("Q11")
@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("country IN ('JOR', 'FJI')", lambda e: e.get("country") in {"JOR", "FJI"}),
        ("country = 'SDN' AND fatalities_best BETWEEN 2 AND 4",
         lambda e: e.get("country") == "SDN" and 2 <= (e.get("fatalities_best") or 0) <= 4),
        ("starts_on >= DATE('2024-01-01') AND country <> 'JOR'",
         lambda e: e.get("starts_on") and e["starts_on"] >= date(2024, 1, 1)
         and e.get("country", "JOR") != "JOR"),
        ("notes LIKE 'Number 1_.'",
         lambda e: len(e.get("notes", "")) == 10 and e["notes"][:8] == "Number 1"),
        ("CASEI(country) = CASEI('jor')", lambda e: e.get("country") == "JOR"),
        ("A_CONTAINS(tags, ('drone'))", lambda e: "drone" in e.get("tags", ())),
        ("fatalities_best * 2 = fatalities_best + 5", lambda e: e.get("fatalities_best") == 5),
        ("T_DURING(during, INTERVAL('2024-01-14', '2024-02-01'))",
         lambda e: e["source_id"] == "end of January"),
        ("S_WITHIN(geometry, POLYGON((177 -20,179 -20,179 -17,177 -17,177 -20)))",
         lambda e: e["source_id"] == "fiji"),
        ("year(starts_on) = 2022", lambda e: e.get("starts_on") and e["starts_on"].year == 2022),
    ],
)  # fmt: skip
def test_a_filter_is_true_of_the_events_of_which_it_is_true(found, text, test):
    assert found(text) == named(lambda e: bool(test(e)))


@pytest.mark.requirement("Q13")
@pytest.mark.parametrize(
    "text",
    [
        "country = 'SDN' AND NOT fatalities_best > 3",
        "S_INTERSECTS(geometry, BBOX(170,-30,-170,0)) OR notes IS NULL",
        "T_INTERSECTS(during, INTERVAL('2024-01-20','..'))",
    ],
)
def test_the_same_in_json_gives_the_same(found, text):
    encoded = json.dumps(cql2.to_json(cql2.parse(text)))
    assert found(encoded, filter_lang="cql2-json") == found(text)


@pytest.mark.requirement("Q14")
def test_what_gdal_and_qgis_write_is_read(found):
    gdal = "(country ILIKE 'sd%') AND (starts_on >= '2020-01-05')"
    assert found(gdal, filter_lang="cql-text") == found(
        "country = 'SDN' AND starts_on >= DATE('2020-01-05')"
    )
    qgis = "((\"starts_on\" >= DATE('2020-01-05')) AND (CASEI(\"country\") LIKE CASEI('sd%')))"
    assert found("(" * 40 + qgis + ")" * 40) == found(gdal, filter_lang="cql-text")
    assert found('(NOT ("country" IS NULL)) AND S_INTERSECTS("geometry",BBOX(29,14,34,18))')


@pytest.mark.requirement("Q15")
def test_the_functions_are_listed_with_what_they_take(visitor):
    body = visitor.get("/functions").json
    validate(body, "Functions")
    assert {f["name"] for f in body["functions"]} == cql2.FUNCTIONS.keys()
    assert all(f["returns"] and f["arguments"] for f in body["functions"])


@pytest.mark.requirement("Q2")
@pytest.mark.parametrize("collection", ["events", "places"])
def test_the_queryables_are_what_a_filter_may_name(visitor, collection):
    listed = visitor.get(f"/collections/{collection}/queryables").json["properties"]
    assert listed.keys() == QUERYABLES[collection].keys()


def test_the_classes_of_cql2_are_declared(visitor):
    declared = set(visitor.get("/conformance").json["conformsTo"])
    assert set(cql2.CONFORMANCE) <= declared
    assert "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter" in declared


@pytest.mark.parametrize("sortby", ["-starts_on", "starts_on", "-fatalities_best"])
@pytest.mark.parametrize(
    "others",
    ["", "&bbox=29,14,34,18", "&datetime=2020-01-05/..", "&country=SDN&bbox=29,14,34,18",
     "&certainty=possible&bbox=29,14,34,18", "&event_type=Riots"],
)  # fmt: skip
def test_a_filter_narrows_whatever_else_is_asked_and_a_walk_keeps_it(visitor, sortby, others):
    text = "(actor1 = 'Group 1' OR actor1 = 'Group 2') AND fatalities_best IS NOT NULL"
    url = f"{ITEMS}?sortby={sortby}{others}"
    plain = [f for page in walk(visitor, f"{url}&limit=10000") for f in page["features"]]
    wanted = [
        f["id"]
        for f in plain
        if f["properties"]["actor1"] in {"Group 1", "Group 2"}
        and f["properties"]["fatalities_best"] is not None
    ]
    pages = walk(visitor, f"{url}&limit=7&filter={text}")
    assert [f["id"] for page in pages for f in page["features"]] == wanted


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("country = 'SDN'", {"country": "SDN"}),
        ("'SDN' = country", {"country": "SDN"}),
        ("(country = 'SDN') AND (event_type = 'Riots')", {"country": "SDN", "event_type": "Riots"}),
        (
            "(country = 'SDN' AND (event_type = 'Riots' AND fatalities_best > 3)) AND actor1 = 'A'",
            {
                "country": "SDN",
                "event_type": "Riots",
                "actor1": "A",
                "filter": "fatalities_best > 3",
            },
        ),
        ("country = 'SDN' AND country = 'IRQ'", {"country": "SDN", "filter": "country = 'IRQ'"}),
        ("place_name = 'O''Higgins %'", {"place_name": "O'Higgins %"}),
    ],
)
@pytest.mark.parametrize("language", ["cql2-text", "cql-text"])
def test_a_filter_that_asks_for_a_text_is_answered_as_the_parameter_is(text, query, language):
    """With its plans and its indexes: the statements are the same, and so is what they bind."""
    filtered = load(ItemsQuery, b"", [("filter", text), ("filter-lang", language)])
    plain = load(ItemsQuery, b"", query.items())
    assert list(page.statements(filtered)) == list(page.statements(plain))
    assert page.count(filtered) == page.count(plain)
    assert page.parameters(filtered) == page.parameters(plain)


@pytest.mark.parametrize(
    "text",
    [
        "NOT country = 'SDN'",
        "country = 'SDN' OR event_type = 'Riots'",
        "country <> 'SDN'",
        "country = event_type",
        "CASEI(country) = 'sdn'",
        "fatalities_best = 3",
    ],
)
def test_what_is_no_text_that_must_be_equal_stays_a_condition(text):
    asked = load(ItemsQuery, b"", [("filter", text)])
    assert "condition" in asked
    assert not set(SCALARS) & asked.keys()


@pytest.mark.parametrize(
    ("text", "query", "test"),
    [
        ("country = 'SDN'", {"country": "FJI"}, lambda _: False),
        ("country = 'SDN' AND country = 'FJI'", {}, lambda _: False),
        ("country = 'FJI'", {"country": "FJI"}, lambda e: e.get("country") == "FJI"),
        ("country = ''", {}, lambda _: False),
        ("country = 'SDN' AND country <> 'SDN'", {}, lambda _: False),
        (
            "country = 'SDN' AND (fatalities_best = 5 OR country = 'FJI')",
            {},
            lambda e: e.get("country") == "SDN" and e["fatalities_best"] == 5,
        ),
    ],
)
def test_a_text_asked_for_twice_must_be_both(found, text, query, test):
    assert found(text, **query) == named(test)


def test_places_are_filtered_by_their_outlines_and_names(visitor):
    text = "kind = 'country' AND S_INTERSECTS(geometry, POINT(36 31))"
    query = {"filter": text, "skipGeometry": "true"}
    assert [f["id"] for f in visitor.get(PLACES, query_string=query).json["features"]] == [
        "country-JOR"
    ]
    query["filter"] = "A_CONTAINS(names, ('بغداد')) AND population > 1000000"
    assert [f["id"] for f in visitor.get(PLACES, query_string=query).json["features"]] == [
        "settlement-98182"
    ]


def test_a_next_link_bears_the_filter(visitor):
    query = {"filter": "country = 'SDN'", "filter-lang": "cql2-text", "limit": 3}
    page = visitor.get(ITEMS, query_string=query).json
    (following,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
    assert "filter=country" in following
    assert len(list(walk(visitor, following))) == (400 - 3 + 2) // 3


def test_an_event_can_be_asked_for_by_its_own_id_only(visitor):
    """Part 3 wants every queryable as a parameter, and `id` is the path of the item."""
    assert_problem(visitor.get(f"{ITEMS}?filter=id='{event_id('fiji')}'"), 400, parameter="filter")


def test_the_parameters_of_filters_are_in_the_contract_of_both_collections():
    for path in (ITEMS, PLACES):
        names = {resolved(p)["name"] for p in CONTRACT["paths"][path]["get"]["parameters"]}
        assert {"filter", "filter-lang", "filter-crs"} <= names
