"""What may be written: the body of a request, and where it is wrong."""

import pytest

import editing
from conftest import ITEMS, assert_problem
from editing import PATCH, feature, get, made, pointers, post

desk = editing.desk  # a fixture


@pytest.mark.requirement("E9")
@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ([], ""),
        ("x", ""),
        ({}, "/type"),
        (feature() | {"type": "feature"}, "/type"),
        (feature() | {"colour": 1}, "/colour"),
        ({"type": "Feature", "properties": {"event_type": "Riots"}}, "/geometry"),
        (feature() | {"geometry": {"type": "Polygon", "coordinates": []}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": ["1", 2]}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": [181, 2]}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": [10**400, 2]}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": []}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": [1, 2], "x": 1}}, "/geometry"),
        (feature(event_type="Party"), "/properties/event_type"),
        (feature(event_type=None), "/properties/event_type"),
        (feature(contry="IRQ"), "/properties/contry"),
        (feature(country="irq"), "/properties/country"),
        (feature(country="IRQ\n"), "/properties/country"),
        (feature(notes=3), "/properties/notes"),
        (feature(notes="a\0b"), "/properties/notes"),
        (feature(notes="\ud800"), "/properties/notes"),
        (feature(place_name="x" * 301), "/properties/place_name"),
        (feature(fatalities_best=-1), "/properties/fatalities_best"),
        (feature(fatalities_best=1.5), "/properties/fatalities_best"),
        (feature(fatalities_best=True), "/properties/fatalities_best"),
        (feature(fatalities_best=2**31), "/properties/fatalities_best"),
        (feature(fatalities_best=10**400), "/properties/fatalities_best"),
        (feature(uncertainty_km=-0.1), "/properties/uncertainty_km"),
        (feature(starts_on="2024-13-01"), "/properties/starts_on"),
        (feature(starts_on="2024-01-31T"), "/properties/starts_on"),
        (feature(starts_on="0001-01-01"), "/properties/starts_on"),
        (feature(starts_on="2024-02-01", ends_on="2024-01-31"), "/properties/ends_on"),
        (feature(tags={"a": 1}), "/properties/tags"),
        (feature(tags=["a", 1]), "/properties/tags/1"),
        (feature(tags=["a", None]), "/properties/tags/1"),
        (feature(actors=[{"name": "x"}]), "/properties/actors/0/role"),
        (feature(actors=[{"name": "x", "role": "party", "y": 1}]), "/properties/actors/0/y"),
        (feature(reports=[{"url": "javascript:x"}]), "/properties/reports/0/url"),
        (feature(reports=["x"]), "/properties/reports/0"),
        (feature(dataset="a b"), "/properties/dataset"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_its_place(desk, sent, where):
    assert where in {at.removesuffix("/_schema") for at in pointers(post(desk, sent))}


@pytest.mark.requirement("E9")
@pytest.mark.parametrize(
    ("text", "media", "status"),
    [
        ("{", "application/json", 400),
        ('{"type": NaN}', "application/json", 400),
        ('{"type": 1e400}', "application/json", 400),
        ('{"type": "Feature", "type": "Feature"}', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("1" * 5000, "application/json", 400),
        ("{}", "text/plain", 415),
        ("a=b", "application/x-www-form-urlencoded", 415),
        ("{}", PATCH, 415),
        (" " * (8 << 20) + "{}", "application/json", 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_body_is_refused(desk, text, media, status):
    answer = desk.client.post(ITEMS, data=text, content_type=media, headers=desk.write)
    assert_problem(answer, status)


def test_all_that_is_wrong_is_told_at_once(desk):
    sent = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [200, 1]},
        "footprint": {"type": "Point", "coordinates": [1, 1]},
        "properties": {"event_typ": "Battles", "starts_on": "2024-13-01"},
    }
    properties = ("event_type", "event_typ", "starts_on")
    told = {"/geometry", "/footprint", *(f"/properties/{name}" for name in properties)}
    assert pointers(post(desk, sent)) == told


def test_a_compressed_body_is_refused(desk):
    assert_problem(post(desk, feature(), Content_Encoding="gzip"), 415)


def test_names_as_long_as_may_be_fit_into_every_index(desk):
    """Four bytes a letter, and none like another, so that nothing can be packed."""
    letters = "".join(chr(0x20000 + 7 * n) for n in range(400))
    actors = [{"name": letters[at : at + 200], "role": "party"} for at in (0, 200)]
    sent = feature(actors=actors, admin1=letters[150:250], dataset="d" * 63, geocoder="none")
    assert post(desk, sent).status_code == 201


@pytest.mark.parametrize("name", ["status", "actor1", "actor2", "version", "updated_at"])
def test_what_the_server_sets_is_ignored(desk, name):
    path = made(desk, feature(**{name: "anything"}))
    assert get(desk, path).json["properties"][name] != "anything"


def test_a_property_that_is_null_is_as_if_it_were_not_there(desk):
    names = get(desk, made(desk)).json["properties"]
    path = made(desk, feature(**{name: None for name in names if name != "event_type"}))
    again = get(desk, path).json["properties"]
    for name in names.keys() - {"source_id", "updated_at"}:
        assert again[name] == names[name]
