"""Parameters of the items: as the contract has them, unknown, twice, bad, and together."""

from datetime import date
from itertools import product

import pytest

import oracle
from conftest import CONTRACT, ITEMS, RESOURCES, assert_problem, links, operation, resolved
from oracle import MAXIMUM, selected, sources
from world import SPECIAL

ask = oracle.ask  # a fixture


# What the contract says of the parameters.


def parameter(name) -> dict:
    """Return what the contract says of a parameter of the items."""
    (found,) = [
        p for p in map(resolved, operation("GET", ITEMS)["parameters"]) if p["name"] == name
    ]
    return found


@pytest.mark.requirement("I6", "I10", "I16")
@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("limit", {"type": "integer", "minimum": 1, "maximum": MAXIMUM, "default": 100}),
        ("bbox", {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        ("datetime", {"type": "string"}),
    ],
    ids=["limit", "bbox", "datetime"],
)
def test_the_contract_has_the_standard_parameters_as_the_standard_has_them(name, schema):
    found = parameter(name)
    assert found["in"] == "query"
    assert not found.get("required")
    assert (found["style"], found["explode"]) == ("form", False)
    assert found["schema"] == schema


@pytest.mark.requirement("I6")
def test_the_limit_is_a_component_of_that_name_for_the_clients_that_look_for_it():
    paths = CONTRACT["paths"][ITEMS]["get"]["parameters"]
    assert {"$ref": "#/components/parameters/limit"} in paths


# Parameters that are not known, come twice, or have a bad value.


@pytest.mark.requirement("I23", "I24")
@pytest.mark.parametrize(
    ("name", "path"),
    [
        *product(["unknownQueryParameter12345", "BBOX", "offset", "id", "__class__"], RESOURCES),
        # What is a parameter of the items is none of anything else.
        *product(
            ["bbox", "limit", "cursor", "country"],
            [p for p in RESOURCES if not p.endswith(("/items", "Quad", "/history", "/changes"))],
        ),
    ],
)
def test_an_unknown_parameter_is_refused_everywhere(visitor, path, name):
    assert_problem(visitor.get(path, query_string={name: "1"}), 400, parameter=name)


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize("values", ["f=json&f=json", "f=json&f=geojson", "f=&f=json"])
def test_a_parameter_given_twice_is_refused_everywhere(visitor, path, values):
    assert_problem(visitor.get(f"{path}?{values}"), 400, parameter="f")


@pytest.mark.parametrize(
    "name", [p["name"] for p in map(resolved, operation("GET", ITEMS)["parameters"])]
)
def test_no_parameter_of_the_items_may_be_given_twice(visitor, name):
    assert_problem(visitor.get(f"{ITEMS}?{name}=1&{name}=1"), 400, parameter=name)


#: Values that do not fit a parameter, by the type and format of its schema.
BAD = {
    "choice": ["", "nothing of that", "--", "1"],
    "array": ["", "nothing of that", ",", "1,"],
    "date": ["", "2024-02-30", "yesterday", "2024-1-1", "0000-01-01", "1"],
    "date-time": ["", "2024-01-01", "yesterday", "2024-01-01T00:00:00", "2024-02-30T00:00:00Z"],
    "integer": ["", "x", "1.5", "1_0", "NaN", "--1", "١", "0x1", "1e2"],
    "number": ["", "x", "1,5", "1_0", "NaN", "Infinity", "--1", "١", "0x1", "1e999"],
    "boolean": ["", "maybe", "1", "TRUE", "yes"],
    "string": ["", "\0", "a\0b"],
}


def bad(schema) -> list[str]:
    """Return values that do not fit the schema of a parameter."""
    choice = "enum" in schema or "pattern" in schema
    kind = schema.get("format") if schema.get("format") in BAD else schema["type"]
    return BAD["choice" if choice else kind]


@pytest.mark.requirement("I25")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(found["name"], value, id=f"{found['name']}-{value!a}")
        for found in map(resolved, operation("GET", ITEMS)["parameters"])
        for value in bad(found["schema"])
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_parameter(visitor, name, value):
    assert_problem(visitor.get(ITEMS, query_string={name: value}), 400, parameter=name)


@pytest.mark.requirement("I25")
def test_all_that_is_wrong_is_said_at_once(visitor):
    query = {"limit": "0", "bbox": "1", "contry": "IRQ", "datetime": "never"}
    body = assert_problem(visitor.get(ITEMS, query_string=query), 400)
    assert {error["parameter"] for error in body["errors"]} == query.keys()
    assert all(error["detail"] for error in body["errors"])


@pytest.mark.requirement("I25")
def test_a_cursor_belongs_to_its_order(visitor):
    first = visitor.get(ITEMS, query_string={"limit": 1, "sortby": "fatalities_best"}).json
    cursor = links(first, "next")[0]["href"].partition("cursor=")[2]
    for sortby in ["-fatalities_best", "starts_on", "-starts_on"]:
        answer = visitor.get(ITEMS, query_string={"cursor": cursor, "sortby": sortby})
        assert_problem(answer, 400, parameter="cursor")
    assert_problem(visitor.get(ITEMS, query_string={"cursor": cursor}), 400, parameter="cursor")


def test_filters_of_all_kinds_hold_together(ask):
    query = {
        "bbox": "29,14,31,18",
        "datetime": "2020-01-10/2020-01-20",
        "country": "SDN",
        "event_type": "Riots",
    }
    expected = selected(
        box=(29, 14, 31, 18),
        period=(date(2020, 1, 10), date(2020, 1, 20)),
        country="SDN",
        event_type="Riots",
    )
    assert 0 < len(expected) < len(selected(country="SDN", event_type="Riots"))
    assert ask(**query) == expected


@pytest.mark.parametrize("event", SPECIAL, ids=lambda e: e["source_id"])
def test_any_text_finds_its_event(visitor, event):
    for name in {"source_id", "place_name", "admin1", "notes"} & event.keys():
        body = visitor.get(ITEMS, query_string={name: event[name]}).json
        assert event["source_id"] in sources(body["features"])
        (self_link,) = links(body, "self")
        assert visitor.get(self_link["href"]).json["features"] == body["features"]
