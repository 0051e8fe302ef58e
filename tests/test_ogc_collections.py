"""The collections and what they say of themselves: rows K1 to K7."""

import random
from datetime import date

import pytest

from conftest import assert_problem, links
from world import WORLD

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EVENTS = "/collections/events"


@pytest.fixture
def extent(client):
    """Return what the collection says of its extent."""
    return lambda: client.get(EVENTS).json["extent"]


@pytest.mark.requirement("K1")
def test_the_list_of_collections_links_to_itself(visitor):
    answer = visitor.get("/collections")
    body = answer.json
    (self_link,) = links(body, "self")
    assert self_link["type"] == answer.content_type
    assert self_link["href"] == "http://localhost/collections"
    assert all({"href", "rel", "type"} <= link.keys() for link in body["links"])
    assert [c["id"] for c in body["collections"]] == ["events", "places"]


@pytest.mark.requirement("K2")
def test_a_collection_is_of_features_and_leads_to_them_as_geojson(visitor):
    for collection in visitor.get("/collections").json["collections"]:
        assert collection["itemType"] == "feature"
        (items,) = links(collection, "items")
        assert items["type"] == "application/geo+json"
        assert items["href"] == f"http://localhost/collections/{collection['id']}/items"
        assert all({"href", "rel", "type"} <= link.keys() for link in collection["links"])


@pytest.mark.requirement("K3")
def test_the_extent_bounds_all_events_in_space_and_time(visitor):
    extent = visitor.get(EVENTS).json["extent"]
    assert extent["spatial"] == {"bbox": [[-180, -90, 180, 90]], "crs": CRS84}
    first = min(e["starts_on"] for e in WORLD if e.get("starts_on"))
    last = max(e["ends_on"] for e in WORLD if e.get("ends_on"))
    assert extent["temporal"] == {
        "interval": [[f"{first}T00:00:00Z", f"{last}T23:59:59Z"]],
        "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
    }


@pytest.mark.requirement("K3")
def test_the_extent_of_nothing_claims_nothing(extent):
    assert "spatial" not in extent()
    assert extent()["temporal"]["interval"] == [[None, None]]


@pytest.mark.requirement("K3")
def test_the_extent_is_rounded_outwards(make_event, extent):
    make_event(place=(12.1234561, -33.9876541))
    make_event(place=(-1.1000002, 0.3000003))
    ((west, south, east, north),) = extent()["spatial"]["bbox"]
    assert (west, south, east, north) == (-1.100001, -33.987655, 12.123457, 0.300001)


@pytest.mark.requirement("K3")
def test_the_extent_is_exact_wherever_the_outermost_events_lie(make_event, extent):
    draw = random.Random(7)  # noqa: S311 - places, not secrets
    places = [(draw.randint(-1800, 1800) / 10, draw.randint(-900, 900) / 10) for _ in range(60)]
    for n in range(1, len(places) + 1):
        make_event(place=places[n - 1])
        ((west, south, east, north),) = extent()["spatial"]["bbox"]
        xs, ys = zip(*places[:n], strict=True)
        exact = (min(xs), min(ys), max(xs), max(ys))
        assert (west, south, east, north) == pytest.approx(exact, abs=2e-6)
        assert (west <= exact[0], south <= exact[1]) == (True, True)
        assert (east >= exact[2], north >= exact[3]) == (True, True)


@pytest.mark.requirement("K3")
def test_what_the_public_may_not_see_is_not_in_the_extent(make_event, extent):
    make_event(place=(10, 10), starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 2))
    make_event(
        place=(50, 50),
        starts_on=date(1990, 1, 1),
        ends_on=date(2030, 1, 1),
        visibility="restricted",
    )
    found = extent()
    assert found["spatial"]["bbox"] == [[10, 10, 10, 10]]
    assert found["temporal"]["interval"] == [["2020-01-01T00:00:00Z", "2020-01-02T23:59:59Z"]]


def test_the_items_are_counted(visitor, client, make_event):
    assert visitor.get(EVENTS).json["itemCount"] == len(WORLD)
    make_event()
    make_event(visibility="restricted")
    assert client.get(EVENTS).json["itemCount"] == 1


@pytest.mark.requirement("K4")
def test_a_collection_is_described_alike_in_the_list_and_by_itself(visitor):
    for listed in visitor.get("/collections").json["collections"]:
        answer = visitor.get(f"/collections/{listed['id']}")
        assert answer.json == listed
        assert {"id", "title", "description", "extent"} <= listed.keys()
        (self_link,) = links(listed, "self")
        assert self_link == {
            "href": f"http://localhost/collections/{listed['id']}",
            "rel": "self",
            "type": answer.content_type,
            "title": self_link["title"],
        }


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("name", ["nothing", "event", "EVENTS", "events%20", "..", "a%2Fb", "é"])
@pytest.mark.parametrize("below", ["", "/items", "/queryables", "/items/1"])
def test_an_unknown_collection_is_not_found(visitor, name, below):
    assert_problem(visitor.get(f"/collections/{name}{below}"), 404)


@pytest.mark.requirement("K6", "K7")
def test_the_coordinate_reference_systems_are_listed_with_the_default_first(visitor):
    listed = visitor.get("/collections").json
    assert listed.get("crs", [CRS84])[0] == CRS84
    for collection in listed["collections"]:
        assert collection["crs"][0] == CRS84
        assert len(set(collection["crs"])) == len(collection["crs"]) > 10
        assert collection["storageCrs"] in collection["crs"]
        assert "storageCrsCoordinateEpoch" not in collection
