"""What the schema of a body takes, the server takes, and the other way about."""

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from api import bodies
from api.jsonschema import DRAFT, receivable
from api.schemas import PROPERTIES

SCHEMA = "/collections/events/schema"


@pytest.fixture(scope="module")
def schema(visitor):
    return visitor.get(f"{SCHEMA}?type=create").json


@pytest.mark.requirement("E10")
@pytest.mark.parametrize("how", ["create", "replace"])
def test_the_schema_of_a_body_is_served(visitor, how):
    answer = visitor.get(f"{SCHEMA}?type={how}")
    assert answer.content_type == "application/schema+json"
    assert answer.json["$schema"] == DRAFT
    assert visitor.get(answer.json["$id"]).json == answer.json
    jsonschema.Draft202012Validator.check_schema(answer.json)
    properties = answer.json["properties"]["properties"]["properties"]
    assert properties.keys() == PROPERTIES.keys()
    assert {n for n, told in properties.items() if told.get("readOnly")} == bodies.READ_ONLY


def test_an_unknown_kind_of_schema_is_refused(visitor):
    assert visitor.get(f"{SCHEMA}?type=delete").status_code == 400
    assert visitor.get("/collections/places/schema?type=create").status_code == 400


def taken(document) -> bool:
    """Tell whether the server takes a body."""
    try:
        bodies.event(document)
    except ValidationError:
        return False
    return True


@pytest.mark.requirement("E10")
def test_every_event_as_it_is_served_may_be_sent(visitor, schema):
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for feature in visitor.get("/collections/events/items?limit=50").json["features"]:
        assert taken(feature)
        assert list(check.iter_errors(feature)) == []


@pytest.fixture(scope="module")
def described(visitor):
    """The schema of one property, by its name; and those that are sent."""
    with visitor.application.test_request_context():
        whole = receivable("create")["properties"]["properties"]["properties"]
    return {name: told for name, told in whole.items() if not told.get("readOnly")}


def values(told) -> st.SearchStrategy:
    """Give what a schema takes, as far as these schemas go."""
    if "enum" in told:
        return st.sampled_from(told["enum"])
    if isinstance(told["type"], list):
        return st.one_of(values(told | {"type": kind}) for kind in told["type"])
    if told["type"] == "null":
        return st.none()
    return KINDS[told["type"]](told)


def texts(told) -> st.SearchStrategy:
    if "pattern" in told:
        return st.from_regex(told["pattern"].replace("$", r"\Z"))
    letters = st.characters(codec="utf-8", exclude_characters="\0")
    least, most = told.get("minLength", 0), min(told["maxLength"], 300)
    return st.text(letters, min_size=least, max_size=most)


def whole_numbers(told) -> st.SearchStrategy:
    whole = st.integers(told["minimum"], told["maximum"])
    return whole | whole.map(float)


def objects(told) -> st.SearchStrategy:
    parts = {name: values(inner) for name, inner in told["properties"].items()}
    needed = {name: parts.pop(name) for name in told.get("required", [])}
    return st.fixed_dictionaries(needed, optional=parts)


KINDS = {
    "string": texts,
    "integer": whole_numbers,
    "number": lambda told: st.floats(told["minimum"], told["maximum"]),
    "array": lambda told: st.lists(values(told["items"]), max_size=3),
    "object": objects,
}

#: What JSON Schema cannot say: which days and addresses there are, and which letters.
UNSAID = {"starts_on", "ends_on", "reports"}


@pytest.mark.requirement("E10")
@pytest.mark.parametrize("name", sorted(bodies.WRITABLE.keys() - UNSAID))
def test_a_value_that_the_schema_takes_is_taken(described, name):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(values(described[name]))
    def holds(value):
        sent = {"event_type": "Riots", name: value}
        assert taken({"type": "Feature", "geometry": None, "properties": sent}), value

    holds()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
    | st.sampled_from(["IRQ", "IRQ\n", "Riots", "day", "public", "2024-01-31", "near", "local"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@pytest.mark.requirement("E10")
@pytest.mark.parametrize("name", sorted(bodies.WRITABLE))
def test_a_value_that_is_taken_is_one_that_the_schema_takes(described, name):
    check = jsonschema.Draft202012Validator(
        described[name], format_checker=jsonschema.FormatChecker(["date"])
    )

    @settings(max_examples=60, deadline=None)
    @given(JSON)
    def holds(value):
        sent = {"event_type": "Riots", name: value}
        if taken({"type": "Feature", "geometry": None, "properties": sent}):
            assert list(check.iter_errors(value)) == []

    holds()
