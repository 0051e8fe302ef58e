"""The schemas of the collections (OGC 23-058, Part 5, a draft)."""

import copy
import json
import re
import shutil
import subprocess
import sys

import jsonschema
import pytest

from api.schemas import PLACE_PROPERTIES, PLACE_SORTABLES, PROPERTIES, SORTABLES
from conftest import ITEMS, PLACES, assert_problem, links

SCHEMA = "application/schema+json"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
COLLECTIONS = {"events": PROPERTIES, "places": PLACE_PROPERTIES}
ITEMS_OF = {"events": ITEMS, "places": PLACES}
ORDERS = {"events": SORTABLES, "places": PLACE_SORTABLES}
PARTS = ["queryables", "sortables", "schema", "schema/feature"]

every_collection = pytest.mark.parametrize("collection", COLLECTIONS)
every_part = pytest.mark.parametrize("part", PARTS)


@pytest.fixture(scope="module")
def schema(visitor):
    """Return one schema of a collection."""
    return lambda collection, part: visitor.get(f"/collections/{collection}/{part}").json


@pytest.fixture(scope="module")
def features(visitor):
    """Return items of a collection in every form there is."""
    forms = {
        "events": ["", "geometry=footprint", "skipGeometry=true", "properties=notes,tags"],
        "places": ["", "kind=country", "kind=border", "country=SYR&sortby=population"],
    }

    def read(collection) -> list[dict]:
        pages = [
            visitor.get(f"{ITEMS_OF[collection]}?limit=500&{form}").json["features"]
            for form in forms[collection]
        ]
        return [feature for page in pages for feature in page]

    return read


def checker(schema) -> jsonschema.Draft202012Validator:
    """Return what validates by a schema, formats included."""
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def told(feature) -> dict:
    """Return a feature without the properties that have no value."""
    properties = {k: v for k, v in feature["properties"].items() if v is not None}
    return feature | {"properties": properties}


def flat(feature) -> dict:
    """Return a feature as the logical schema sees it."""
    return {"id": feature["id"]} | told(feature)["properties"]


# What Part 5 demands of every schema.


@pytest.mark.requirement("D1")
@every_collection
@pytest.mark.parametrize(
    ("rel", "part"),
    [
        (f"{REL}schema", "schema"),
        (f"{REL}sortables", "sortables"),
        ("describedby", "schema/feature"),
        ("describedBy", "schema/feature"),
    ],
)
def test_a_collection_links_to_its_schemas(visitor, collection, rel, part):
    for body in (
        visitor.get(f"/collections/{collection}").json,
        *(c for c in visitor.get("/collections").json["collections"] if c["id"] == collection),
    ):
        (link,) = links(body, rel)
        assert link["type"] == SCHEMA
        assert link["href"] == f"http://localhost/collections/{collection}/{part}"


@pytest.mark.requirement("D2")
@every_collection
@every_part
def test_a_schema_is_valid_and_named_after_its_address(visitor, collection, part):
    path = f"/collections/{collection}/{part}"
    answer = visitor.get(f"{path}?", headers={"Accept": SCHEMA})
    assert answer.content_type == SCHEMA
    made = answer.json
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["$id"] == f"http://localhost{path}"
    assert made["type"] == "object"
    assert made["title"]
    jsonschema.Draft202012Validator.check_schema(made)
    again = visitor.get(made["$id"], headers={"Accept": SCHEMA})
    assert again.json == made
    plain = visitor.get(path, headers={"Accept": "application/geo+json, application/json"})
    assert (plain.content_type, plain.json) == ("application/json", made)


@every_collection
@every_part
def test_a_schema_takes_no_parameters_but_the_format(visitor, collection, part):
    answer = visitor.get(f"/collections/{collection}/{part}?version=1")
    assert_problem(answer, 400, parameter="version")


@pytest.mark.requirement("D2")
@every_collection
def test_a_property_has_one_type_unless_it_is_a_geometry(schema, collection):
    properties = schema(collection, "schema")["properties"]
    for name, described in properties.items():
        assert "$ref" not in described
        assert described["title"]
        if name == "geometry":
            assert "type" not in described
            wanted = {"events": "geometry-point", "places": "geometry-any"}[collection]
            assert described["format"] == wanted
        else:
            # Not a list with "null": GDAL and QGIS would take all for text.
            assert described["type"] in {"string", "integer", "number", "array"}
            assert described["description"]


@pytest.mark.requirement("D2")
@every_collection
def test_a_keyword_that_json_schema_does_not_have_begins_as_the_standard_says(schema, collection):
    known = {"title", "description", "type", "format", "enum", "pattern", "minimum", "items"}
    for described in schema(collection, "schema")["properties"].values():
        assert all(k.startswith("x-ogc-") for k in described.keys() - known - {"readOnly"})


@pytest.mark.requirement("D3")
@every_collection
def test_the_schema_has_the_id_every_property_and_the_geometry_in_their_order(schema, collection):
    made = schema(collection, "schema")
    properties = made["properties"]
    assert list(properties) == ["id", *COLLECTIONS[collection], "geometry"]
    places = [described["x-ogc-propertySeq"] for described in properties.values()]
    assert places == list(range(1, len(properties) + 1))
    roles = {
        described["x-ogc-role"]: name
        for name, described in properties.items()
        if "x-ogc-role" in described
    }
    interval = {"primary-interval-start": "starts_on", "primary-interval-end": "ends_on"}
    expected = {"id": "id", "primary-geometry": "geometry"}
    assert roles == expected | (interval if collection == "events" else {})
    assert made["additionalProperties"] is False


@pytest.mark.requirement("D5")
def test_the_schema_tells_what_the_server_sets_itself(schema):
    properties = schema("events", "schema")["properties"]
    set_here = {name for name, described in properties.items() if described.get("readOnly")}
    assert set_here == {"id", "actor1", "actor2", "status", "version", "updated_at"}
    assert schema("events", "schema")["required"] == ["dataset", "source_id", "event_type"]


def test_the_schema_tells_bounds_units_and_what_lists_hold(schema):
    properties = schema("events", "schema")["properties"]
    assert properties["starts_on"]["format"] == properties["ends_on"]["format"] == "date"
    assert properties["updated_at"]["format"] == "date-time"
    assert properties["fatalities_best"]["minimum"] == 0
    assert properties["uncertainty_km"]["x-ogc-unit"] == "km"
    assert properties["country"]["pattern"] == "^[A-Z]{3}$"
    assert "Battles" in properties["event_type"]["enum"]
    assert properties["tags"]["items"] == {"type": "string"}
    assert properties["actors"]["items"]["required"] == ["name", "role"]
    report = properties["reports"]["items"]["properties"]
    assert report["url"]["format"] == "uri"
    assert None in report["stance"]["enum"]


# What items are, against what the schemas say.


@pytest.mark.requirement("D4")
@every_collection
def test_every_item_fits_the_schemas_in_every_form(schema, features, collection):
    feature, values = (checker(schema(collection, part)) for part in ("schema/feature", "schema"))
    found = features(collection)
    assert len(found) > 500
    for item in found:
        feature.validate(told(item))
        if len(item["properties"]) == len(COLLECTIONS[collection]):
            values.validate(flat(item))


def test_one_item_alone_fits_the_schema(visitor, schema):
    link = visitor.get(f"{PLACES}/country-JOR").json
    checker(schema("places", "schema/feature")).validate(told(link))


def test_what_is_null_has_no_value_and_only_that_does_not_fit(schema, features):
    """The one difference between what is sent and what the schemas tell, as they say themselves."""
    made = schema("events", "schema/feature")
    assert "null" in made["description"]
    check = checker(made)
    odd = {
        error.json_path: error.instance
        for feature in features("events")
        for error in check.iter_errors(feature)
    }
    assert odd
    assert set(odd.values()) == {None}
    assert all(re.fullmatch(r"\$\.properties\.\w+", path) for path in odd)


BROKEN = [
    ("starts_on", "2024-02-30"),
    ("starts_on", 20240203),
    ("updated_at", "yesterday"),
    ("fatalities_best", "3"),
    ("fatalities_best", 2.5),
    ("fatalities_best", -1),
    ("uncertainty_km", "near"),
    ("country", "Iraq"),
    ("event_type", "Picnics"),
    ("tags", "drone"),
    ("tags", [1]),
    ("actors", [{"name": "A"}]),
    ("actors", [{"name": "A", "role": "friend"}]),
    ("reports", [{"published_on": "2024-02-30"}]),
    ("reports", [{"publisher": "A", "mood": "bad"}]),
    ("contry", "IRQ"),
]


@pytest.mark.requirement("D4")
@pytest.mark.parametrize(("name", "value"), BROKEN, ids=str)
def test_a_broken_event_does_not_fit(schema, features, name, value):
    event = told(features("events")[0])
    event["properties"] = event["properties"] | {name: value}
    assert list(checker(schema("events", "schema/feature")).iter_errors(event))
    assert list(checker(schema("events", "schema")).iter_errors(flat(event)))


@pytest.mark.requirement("D4")
@pytest.mark.parametrize(
    "change",
    [
        {"type": "Event"},
        {"id": 7},
        {"id": "fiji"},
        {"geometry": {"type": "Circle", "coordinates": [0, 0]}},
        {"geometry": {"type": "Point"}},
        {"properties": None},
    ],
    ids=str,
)
def test_a_broken_feature_does_not_fit(schema, features, change):
    check = checker(schema("events", "schema/feature"))
    event = told(features("events")[0])
    check.validate(event)
    assert list(check.iter_errors(copy.deepcopy(event) | change))
    assert list(check.iter_errors({k: v for k, v in event.items() if k not in change}))


def test_an_event_lacks_nothing_that_is_required(schema, features):
    check = checker(schema("events", "schema"))
    event = flat(features("events")[0])
    for name in schema("events", "schema")["required"]:
        assert list(check.iter_errors({k: v for k, v in event.items() if k != name}))


# What can be sorted by.


@pytest.mark.requirement("D6")
@every_collection
def test_the_sortables_are_what_can_be_sorted_by_and_nothing_else(visitor, schema, collection):
    made = schema(collection, "sortables")
    assert list(made["properties"]) == list(ORDERS[collection])
    assert made["additionalProperties"] is False
    whole = schema(collection, "schema")["properties"]
    for name, described in made["properties"].items():
        assert described["type"] in {"string", "integer", "number"}
        assert described.items() <= whole[name].items()
        for sign in ("", "-", "%2B"):
            answer = visitor.get(f"{ITEMS_OF[collection]}?limit=2&sortby={sign}{name}")
            assert answer.status_code == 200
    for name in COLLECTIONS[collection].keys() - made["properties"].keys():
        assert_problem(
            visitor.get(f"{ITEMS_OF[collection]}?sortby={name}"), 400, parameter="sortby"
        )


# What GDAL makes of it.

#: What is to be seen of a property, for each kind of value.
EVENT_FIELDS = {
    "id": "String",
    "source_id": "String",
    "tags": "StringList",
    "actors": "String",
    "starts_on": "Date",
    "ends_on": "Date",
    "uncertainty_km": "Real",
    "fatalities_low": "Integer",
    "fatalities_civilians": "Integer",
    "version": "Integer",
    "updated_at": "DateTime",
}
PLACE_FIELDS = {"names": "StringList", "population": "Integer", "uncertainty_km": "Real"}


def by_ogrinfo(source, layer) -> dict[str, str]:
    """Return the fields of a layer as the distribution's GDAL sees them."""
    if not shutil.which("ogrinfo"):
        pytest.fail("ogrinfo is missing: `make test` installs gdal-bin, of which it is.")
    command = ["ogrinfo", "-so", source, layer]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return dict(re.findall(r"^(\w+): (\w+) \(", text, flags=re.MULTILINE))


def by_pyogrio(source, layer) -> dict[str, str]:
    """Return the fields of a layer as the newer GDAL sees them that is in pyogrio."""
    code = (
        "import json, sys, pyogrio\n"
        "seen = pyogrio.read_info(sys.argv[1], layer=sys.argv[2])\n"
        "print(json.dumps(dict(zip(seen['fields'], seen['ogr_types']))))"
    )
    command = [sys.executable, "-c", code, source, layer]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return {name: kind.removeprefix("OFT") for name, kind in json.loads(text).items()}


@pytest.mark.requirement("D7")
@pytest.mark.parametrize("read", [by_ogrinfo, by_pyogrio])
@pytest.mark.parametrize(
    ("layer", "expected"), [("events", EVENT_FIELDS), ("places", PLACE_FIELDS)]
)
def test_gdal_takes_the_types_of_fields_from_the_schema(server, visitor, read, layer, expected):
    first = visitor.get(f"{ITEMS_OF[layer]}?limit=20").json["features"]
    unknown = {n for n in expected if all(f["properties"].get(n) is None for f in first)}
    if layer == "events":
        assert {"uncertainty_km", "fatalities_civilians"} <= unknown, "or GDAL might guess"
    seen = read(f"OAPIF:{server}", layer)
    assert {name: seen[name] for name in expected} == expected
    assert list(seen) == ["id", *COLLECTIONS[layer]]
