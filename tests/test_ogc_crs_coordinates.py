"""Coordinates in the reference system that is asked for: row R3 of Part 2 (OGC 18-058r1)."""

import json

import pytest
import shapely

from conftest import ITEMS, PLACES
from crs import CRS84, EPSG, FIJI, JORDAN, authority, coordinates, each_system, features, is_in
from geo.systems import SYSTEMS
from world import WORLD, event_id

# Coordinates.


@pytest.mark.requirement("R3")
@each_system
def test_events_have_the_coordinates_of_the_authority_in_its_order(visitor, system):
    found = {feature["id"]: feature for feature in features(visitor, crs=system.uri)}
    assert len(found) == len(WORLD), "no page fails, wherever its events are"
    for event in WORLD:
        feature, place = found[str(event["id"])], event.get("place")
        if place is None:
            assert feature["geometry"] is None
            assert "outside_crs" not in feature
        elif is_in(place, system.domain):
            assert feature["geometry"]["type"] == "Point"
            wanted = coordinates(system.uri, place)
            unit = 5.1e-7 if system.degrees else 0.0051
            assert feature["geometry"]["coordinates"] == pytest.approx(wanted, abs=unit, rel=0)
            assert "outside_crs" not in feature
        else:
            assert feature["geometry"] is None
            assert feature["outside_crs"] == "wholly"


@pytest.mark.requirement("R3")
def test_latitude_comes_first_where_the_authority_has_it_first(visitor):
    def at(uri) -> list[float]:
        return visitor.get(FIJI, query_string={"crs": uri}).json["geometry"]["coordinates"]

    assert at(CRS84) == [178.4, -18.1]
    assert at(f"{EPSG}4326") == [-18.1, 178.4]
    east, north = at(f"{EPSG}3857")
    assert (east, north) == pytest.approx((19_859_397.2, -2_050_000), abs=60_000)


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("code", ["4326", "3857", "32637", "3035"])
@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/{{}}"], ids=["items", "item"])
def test_digits_fit_the_unit(visitor, code, path):
    event = event_id("end of January")
    answer = visitor.get(path.format(event), query_string={"crs": EPSG + code})
    body = json.loads(answer.text, parse_float=str)
    found = body.get("features", [body])
    geometry = next(f["geometry"] for f in found if f["id"] == event)
    decimals = [len(str(x).partition(".")[2]) for x in geometry["coordinates"]]
    assert max(decimals) <= (6 if code == "4326" else 2)
    assert max(decimals) >= 1


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("code", ["4326", "3857", "6933", "32637", "32638", "3035"])
def test_a_footprint_is_transformed_corner_by_corner(visitor, code):
    plain = visitor.get(f"{ITEMS}/{event_id('end of January')}?geometry=footprint").json
    query = {"geometry": "footprint", "crs": EPSG + code}
    found = visitor.get(f"{ITEMS}/{event_id('end of January')}", query_string=query).json
    assert found["geometry"]["type"] == "LineString"
    line, corners = found["geometry"]["coordinates"], plain["geometry"]["coordinates"]
    ends = [coordinates(EPSG + code, corner) for corner in (corners[0], corners[-1])]
    assert [line[0], line[-1]] == [pytest.approx(end, abs=0.01) for end in ends]
    upright = SYSTEMS[EPSG + code].upright
    assert (len(line) == len(corners)) == upright, "an edge of 3 degrees is not straight elsewhere"


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("code", ["4326", "3857", "32637", "3035"])
def test_an_outline_lies_on_the_outline(visitor, code):
    plain = shapely.from_geojson(json.dumps(visitor.get(JORDAN).json["geometry"]))
    found = visitor.get(JORDAN, query_string={"crs": EPSG + code}).json
    assert "outside_crs" not in found
    shape = shapely.from_geojson(json.dumps(found["geometry"]))
    assert shape.geom_type == plain.geom_type
    there = authority(EPSG + code)
    corners = [
        there.transform(x, y, direction="INVERSE") for x, y in shapely.get_coordinates(shape)
    ]
    assert len(corners) >= len(shapely.get_coordinates(plain))
    assert shapely.distance(plain.boundary, shapely.points(corners)).max() < 2e-6


# Where a system is not defined.


@pytest.mark.parametrize("name", ["north pole", "south pole"])
def test_a_pole_has_no_place_in_mercators_projection_and_the_feature_says_so(visitor, name):
    answer = visitor.get(f"{ITEMS}/{event_id(name)}", query_string={"crs": f"{EPSG}3857"})
    assert answer.status_code == 200
    assert answer.json["geometry"] is None
    assert answer.json["outside_crs"] == "wholly"
    assert answer.json["properties"]["source_id"] == name
    polar = visitor.get(f"{ITEMS}/{event_id(name)}", query_string={"crs": f"{EPSG}4326"}).json
    assert abs(polar["geometry"]["coordinates"][0]) == 90


@pytest.mark.parametrize(
    ("place", "code", "outside"),
    [
        ("country-RUS", "3035", "partly"),
        ("country-ATA", "3857", "partly"),
        ("country-RUS", "32637", "partly"),
        ("country-JOR", "2039", "partly"),
        ("country-MMR", "6372", "wholly"),
        ("country-FJI", "3857", None),
        ("country-UKR", "3035", None),
    ],
)
def test_an_outline_is_cut_where_the_system_ends(visitor, place, code, outside):
    system = SYSTEMS[EPSG + code]
    plain = visitor.get(f"{PLACES}/{place}").json
    found = visitor.get(f"{PLACES}/{place}", query_string={"crs": system.uri}).json
    assert found.get("outside_crs") == outside
    if outside == "wholly":
        assert found["geometry"] is None
        return
    shape = shapely.from_geojson(json.dumps(found["geometry"]))
    assert shape.geom_type in {"Polygon", "MultiPolygon"}
    assert shapely.is_valid(shape)
    back = authority(system.uri)
    corners = [back.transform(x, y, direction="INVERSE") for x, y in shapely.get_coordinates(shape)]
    points = shapely.points(corners)
    assert shapely.distance(shapely.box(*system.domain), points).max() < 1e-6
    whole = shapely.make_valid(shapely.from_geojson(json.dumps(plain["geometry"])))
    cut = shapely.intersection(whole, shapely.box(*system.domain))
    assert shapely.distance(cut.boundary, points).max() < 1e-5, "a rim may be met at a small angle"


def test_a_footprint_that_is_no_valid_area_fails_no_page(client, make_event):
    bow = "SRID=4326;POLYGON((36 32,60 32,36 34,60 34,36 32))"
    event = make_event(place=(38, 33), footprint=bow)
    for system in SYSTEMS.values():
        (found,) = features(client, crs=system.uri, geometry="footprint")
        assert found["id"] == event


@pytest.mark.parametrize("path", [ITEMS, PLACES])
def test_what_is_not_asked_for_is_not_said_to_be_outside(visitor, path):
    query = {"crs": f"{EPSG}2039", "skipGeometry": "true", "limit": 50}
    for feature in visitor.get(path, query_string=query).json["features"]:
        assert feature["geometry"] is None
        assert "outside_crs" not in feature


def test_chosen_properties_come_with_transformed_geometries(visitor):
    query = {"crs": f"{EPSG}4326", "properties": "country", "country": "FJI"}
    (feature,) = visitor.get(ITEMS, query_string=query).json["features"]
    assert feature["properties"] == {"country": "FJI"}
    assert feature["geometry"]["coordinates"] == [-18.1, 178.4]
