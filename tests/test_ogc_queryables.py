"""What can be filtered by, and that it filters: rows Q1 to Q4 of Part 3."""

from datetime import date

import jsonschema
import pytest

from api.schemas import PROPERTIES, SCALARS
from conftest import CONTRACT, ITEMS, assert_problem, links, operation, resolved
from world import WORLD

SCHEMA = "application/schema+json"
PATH = "/collections/events/queryables"
REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
PARAMETERS = {p["name"]: p for p in map(resolved, operation("GET", ITEMS)["parameters"])}


@pytest.fixture(scope="module")
def queryables(visitor):
    """The queryables of the events, by name."""
    return visitor.get(PATH).json["properties"]


@pytest.mark.requirement("Q1")
@pytest.mark.parametrize("rel", [REL, "queryables"])
def test_the_collection_links_to_its_queryables(visitor, rel):
    (link,) = links(visitor.get("/collections/events").json, rel)
    assert link["type"] == SCHEMA
    assert link["href"] == f"http://localhost{PATH}"


@pytest.mark.requirement("Q2")
def test_the_queryables_are_a_json_schema_named_after_their_address(visitor):
    answer = visitor.get(f"{PATH}?", headers={"Accept": SCHEMA})
    assert answer.content_type == SCHEMA
    schema = answer.json
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"http://localhost{PATH}"
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.requirement("Q2")
def test_a_queryable_has_a_type_unless_it_is_a_geometry(queryables):
    for name, described in queryables.items():
        assert "$ref" not in described
        assert described["title"]
        if name == "geometry":
            assert "type" not in described
            assert described["format"] == "geometry-point"
        else:
            lists = {"tags", "during"}
            assert described["type"] in (
                {"array"} if name in lists else {"string", "integer", "number"}
            )
            assert described["description"]


@pytest.mark.requirement("Q2")
@pytest.mark.parametrize(
    ("name", "format_"),
    [("starts_on", "date"), ("ends_on", "date"), ("updated_at", "date-time")],
)
def test_a_queryable_of_time_is_text_of_a_format(queryables, name, format_):
    assert queryables[name]["type"] == "string"
    assert queryables[name]["format"] == format_


@pytest.mark.requirement("Q2")
def test_the_queryables_are_all_properties_of_one_value_and_some_that_filters_can_name(queryables):
    further = ["tags", "during", "geometry"]
    assert list(queryables) == [*SCALARS, *further]
    described = CONTRACT["components"]["schemas"]["EventProperties"]["properties"]
    single = [name for name, schema in described.items() if schema["type"] != "array"]
    assert list(queryables) == [*single, *further]


@pytest.mark.requirement("Q2")
def test_the_values_of_every_event_fit_the_queryables(visitor, queryables):
    page = visitor.get(ITEMS, query_string={"limit": 10_000}).json
    checks = {
        name: jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
        for name, schema in queryables.items()
    }
    for feature in page["features"]:
        for name, value in feature["properties"].items():
            if value is not None and name in checks:
                checks[name].validate(value)


@pytest.mark.requirement("Q3")
@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("application/geo+json, application/json", "application/json"),
        ("application/json", "application/json"),
        ("application/schema+json", SCHEMA),
        ("application/schema+json, application/json", SCHEMA),
        ("*/*", SCHEMA),
    ],
)
def test_the_queryables_are_given_as_clients_ask_for_them(visitor, accept, given):
    answer = visitor.get(PATH, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.content_type == given
    assert answer.json["properties"]


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize("name", SCALARS)
def test_every_queryable_is_a_parameter_of_the_items_with_the_same_schema(queryables, name):
    found = PARAMETERS[name]
    assert (found["in"], found["style"], found["explode"]) == ("query", "form", False)
    assert not found.get("required")
    told = {k: v for k, v in queryables[name].items() if k not in {"title", "description"}}
    assert {k: v for k, v in found["schema"].items() if k != "example"} == told


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize("name", SCALARS)
def test_a_queryable_selects_the_events_that_have_the_value_and_no_others(visitor, name):
    page = visitor.get(ITEMS, query_string={"limit": 10_000}).json
    held = [(f["id"], f["properties"][name]) for f in page["features"]]
    for value in sorted({v for _, v in held if v is not None}, key=str)[:12]:
        query = {name: value, "limit": 10_000}
        found = visitor.get(ITEMS, query_string=query).json["features"]
        assert [f["id"] for f in found] == [event for event, v in held if v == value]


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize(
    ("name", "value", "equal"),
    [
        ("uncertainty_km", "2.5", 2.5),
        ("uncertainty_km", "25e-1", 2.5),
        ("fatalities_best", "+007", 7),
        ("fatalities_best", "-0", 0),
        ("starts_on", "2024-02-29", date(2024, 2, 29)),
        ("source_release", "25.1", "25.1"),
        ("admin2", "100%, _ and 'all'", "100%, _ and 'all'"),
    ],
)
def test_a_value_is_compared_as_what_it_is(client, make_event, name, value, equal):
    event = make_event(**{name: equal})
    make_event(**{name: None})
    found = client.get(ITEMS, query_string={name: value}).json["features"]
    assert [f["id"] for f in found] == [event]


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize(
    "value", ["9" * 18, "9" * 19, "-" + "9" * 30, "9" * 400], ids=lambda value: f"{len(value)}"
)
@pytest.mark.parametrize("name", ["fatalities_best", "version"])
def test_a_number_that_no_event_can_have_selects_none(visitor, name, value):
    assert visitor.get(ITEMS, query_string={name: value}).json["features"] == []


@pytest.mark.requirement("Q4")
def test_unknown_is_equal_to_nothing(visitor):
    known = [e for e in WORLD if e.get("fatalities_best") is not None]
    found = 0
    for number in range(10):
        query = {"fatalities_best": number, "resultType": "hits"}
        found += visitor.get(ITEMS, query_string=query).json["numberMatched"]
    assert found == len(known) < len(WORLD)


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize("name", [n for n in PROPERTIES if n not in SCALARS])
def test_a_property_of_many_values_is_no_parameter(visitor, name):
    assert_problem(visitor.get(ITEMS, query_string={name: "x"}), 400, parameter=name)


def test_what_the_public_may_not_see_is_not_found_by_any_filter(client, make_event):
    make_event(visibility="restricted", notes="secret", country="IRQ", place=(44, 33))
    for query in ({"visibility": "restricted"}, {"notes": "secret"}, {"bbox": "43,32,45,34"}):
        assert client.get(ITEMS, query_string=query).json["features"] == []
        hits = client.get(ITEMS, query_string=query | {"resultType": "hits"}).json
        assert hits["numberMatched"] == 0
