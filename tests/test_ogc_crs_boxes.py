"""Boxes in a reference system: rows R5 to R7 and R9 of Part 2 (OGC 18-058r1)."""

import pytest
import shapely

from conftest import ITEMS, PLACES, assert_problem
from crs import (
    CRS84,
    EPSG,
    FIJI,
    JORDAN,
    UNKNOWN,
    authority,
    coordinates,
    each_system,
    ids,
    is_in,
    lists,
    text,
)
from world import WORLD


@pytest.mark.requirement("R6")
@lists
@pytest.mark.parametrize("bbox", ["29,14,34,18", "177,-20,-171,11", "-180,-90,180,90"])
def test_a_box_may_name_the_reference_system_that_it_has_anyway(visitor, path, bbox):
    query = {"bbox": bbox, "limit": 1000}
    named = visitor.get(path, query_string=query | {"bbox-crs": CRS84}).json
    assert named["features"] == visitor.get(path, query_string=query).json["features"]


def extent(system) -> tuple[float, ...]:
    """Return the box around the whole domain, in the authority's order of axes."""
    edge = shapely.segmentize(shapely.box(*system.domain).exterior, 0.5)
    x, y = authority(system.uri).transform(*shapely.get_coordinates(edge).T)
    return x.min(), y.min(), x.max(), y.max()


@pytest.mark.requirement("R5")
@each_system
def test_the_box_around_a_whole_system_has_all_that_it_is_defined_for(visitor, system):
    found = ids(visitor, bbox=text(extent(system)), bbox_crs=system.uri)
    assert set(found) <= set(ids(visitor))
    assert set(found) == {
        str(event["id"])
        for event in WORLD
        if "place" not in event or is_in(event["place"], system.domain)
    }
    assert ids(visitor, PLACES, bbox=text(extent(system)), bbox_crs=system.uri, limit=5)


@pytest.mark.requirement("R5")
@each_system
def test_a_box_has_the_events_whose_coordinates_are_in_it(visitor, system):
    places = {str(e["id"]): e["place"] for e in WORLD if "place" in e}
    for west, south, east, north in [(30.2, 15.2, 32.2, 16.7), (-20, -10, 60, 60), (8, 48, 12, 52)]:
        if not is_in((west, south), system.domain) or not is_in((east, north), system.domain):
            continue
        corners = [coordinates(system.uri, p) for p in ((west, south), (east, north))]
        box = [min(pair) for pair in zip(*corners, strict=True)]
        box += [max(pair) for pair in zip(*corners, strict=True)]
        wanted = {
            event
            for event, place in places.items()
            if is_in(place, system.domain) and is_in(coordinates(system.uri, place), box)
        }
        found = ids(visitor, bbox=text(box), bbox_crs=system.uri)
        assert set(found) & places.keys() == wanted
        heights = [*box[:2], -5, *box[2:], 5]
        assert ids(visitor, bbox=text(heights), bbox_crs=system.uri) == found


@pytest.mark.requirement("R5")
@lists
@pytest.mark.parametrize(
    ("plain", "turned"),
    [
        ("29,14,34,18", "14,29,18,34"),
        ("177,-20,-171,11", "-20,177,11,-171"),
        ("170,-20,190,11", "-20,170,11,190"),
        ("-180,-90,180,90", "-90,-180,90,180"),
    ],
)
def test_a_box_of_latitude_and_longitude_is_turned_and_still_crosses_the_antimeridian(
    visitor, path, plain, turned
):
    query = {"limit": 1000}
    found = ids(visitor, path, bbox=turned, bbox_crs=f"{EPSG}4326", **query)
    assert found == ids(visitor, path, bbox=plain, **query)


@pytest.mark.requirement("R5")
@pytest.mark.parametrize("code", ["3857", "6933"])
@pytest.mark.parametrize(
    "box", [(177, -20, -171, 11), (170, -20, 190, 11), (-190, -20, -170, 11), (-180, -80, 180, 80)]
)
def test_a_map_of_the_web_may_be_scrolled_past_the_antimeridian(visitor, code, box):
    west, south, east, north = box
    whole, _ = coordinates(EPSG + code, (180, 0))
    low, high = (coordinates(EPSG + code, (0, latitude))[1] for latitude in (south, north))
    there = text((west / 180 * whole, low, east / 180 * whole, high))
    assert ids(visitor, bbox=there, bbox_crs=EPSG + code) == ids(visitor, bbox=text(box))


@pytest.mark.requirement("R5")
def test_the_edges_of_a_box_are_bent_on_the_earth(client, make_event):
    """A box around the corners would have 44.5° N on the meridian in the middle, and not 49.5°."""
    wanted = {make_event(place=(39, 45.3)), make_event(place=(39, 49.5))}
    others = {make_event(place=(39, 44.5)), make_event(place=(39, 49.8))}
    query = {"bbox": "-1000000,5000000,2000000,5500000", "bbox_crs": f"{EPSG}32637"}
    for certainty in ("reported", "possible"):
        found = set(ids(client, **query, certainty=certainty))
        assert found == wanted
        assert not found & others


@pytest.mark.parametrize("certainty", ["reported", "possible", "certain"])
def test_a_box_asks_the_same_with_every_certainty(visitor, certainty):
    plain = {"bbox": "30,15,32,17", "certainty": certainty}
    turned = {"bbox": "15,30,17,32", "bbox_crs": f"{EPSG}4326", "certainty": certainty}
    assert ids(visitor, **turned) == ids(visitor, **plain)


def test_a_box_and_a_place_have_in_common_what_both_have(visitor):
    near = {"near": "31,16", "radius_km": 100}
    box = [*coordinates(f"{EPSG}32636", (30.4, 15.9)), *coordinates(f"{EPSG}32636", (31.1, 17))]
    answer = visitor.get(
        ITEMS,
        query_string=near | {"limit": 1000, "bbox": text(box), "bbox-crs": f"{EPSG}32636"},
    )
    found = {feature["id"] for feature in answer.json["features"]}
    around = {
        f["id"] for f in visitor.get(ITEMS, query_string=near | {"limit": 1000}).json["features"]
    }
    assert found
    assert found < around, "longitude and latitude, whatever else is asked for"
    assert found == around & set(ids(visitor, bbox=text(box), bbox_crs=f"{EPSG}32636"))


@pytest.mark.parametrize("code", ["3857", "32637", "3035"])
def test_a_box_beyond_a_system_has_only_what_has_no_place(visitor, code):
    found = (
        ids(visitor, bbox="50000000,50000000,60000000,60000000", bbox_crs=EPSG + code)
        if (code != "3857")
        else ids(visitor, bbox="0,50000000,10,60000000", bbox_crs=EPSG + code)
    )
    assert set(found) == {str(event["id"]) for event in WORLD if "place" not in event}


# What is refused.


@pytest.mark.requirement("R7")
@lists
@pytest.mark.parametrize("crs", UNKNOWN)
@pytest.mark.parametrize("bbox", ["29,14,34,18", "500000,0,600000,9000000"])
def test_a_box_of_another_reference_system_is_refused(visitor, path, crs, bbox):
    query = {"bbox": bbox, "bbox-crs": crs}
    assert_problem(visitor.get(path, query_string=query), 400, parameter="bbox-crs")


@pytest.mark.requirement("R7")
@lists
def test_the_reference_system_of_no_box_is_ignored(visitor, path):
    plain = visitor.get(path).json
    for crs in (CRS84, f"{EPSG}3857"):
        answer = visitor.get(path, query_string={"bbox-crs": crs})
        assert answer.json["features"] == plain["features"]


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    ("code", "bbox"),
    [
        ("4326", "29,0,91,1"),
        ("4326", "91,0,92,1"),
        ("4326", "18,29,14,34"),
        ("4326", "0,541,1,542"),
        ("3857", "0,1,1,0"),
        ("3857", "1e9,0,2e9,1"),
        ("32637", "0,1,1,0"),
        ("32637", "1,0,0,1"),
        ("3035", "1,0,0,1"),
        ("3035", "0,1,1,0"),
        ("32637", "0,0,1"),
        ("32637", "0,0,1,inf"),
        ("32637", "0,0,nan,1"),
        ("32637", "0,0,1,1e400"),
    ],
)
def test_a_box_that_is_none_in_its_reference_system_is_refused(visitor, code, bbox):
    query = {"bbox": bbox, "bbox-crs": EPSG + code}
    assert_problem(visitor.get(ITEMS, query_string=query), 400, parameter="bbox")


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("path", [FIJI, JORDAN])
@pytest.mark.parametrize("name", ["bbox-crs", "bbox", "filter-crs"])
def test_one_feature_takes_no_box(visitor, path, name):
    answer = visitor.get(path, query_string={name: CRS84})
    assert_problem(answer, 400, parameter=name)
