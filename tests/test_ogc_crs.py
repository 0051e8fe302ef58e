"""Coordinate reference systems, by request: rows R1 to R9 of Part 2 (OGC 18-058r1).

What coordinates there should be, pyproj says, in the order of axes that the authority has.
"""

import json
from functools import cache
from uuid import UUID

import pytest
import shapely
from pyproj import Transformer

from conftest import ITEMS, PLACES, assert_problem, links
from geo.systems import SYSTEMS
from world import WORLD, event_id

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
FIJI = f"{ITEMS}/{event_id('fiji')}"
JORDAN = f"{PLACES}/country-JOR"
UNKNOWN = [
    "http://www.opengis.net/def/crs/0/unsupported",
    "http://www.opengis.net/def/crs/EPSG/0/4327",
    "http://www.opengis.net/def/crs/EPSG/9.9.1/4326",
    "http://www.opengis.net/def/crs/EPSG/0/4326/",
    "https://www.opengis.net/def/crs/EPSG/0/3857",
    f"{CRS84}h",
    f"<{CRS84}>",
    CRS84.lower(),
    "4326",
    "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4326",
    "CRS84",
    "",
]

everywhere = pytest.mark.parametrize("path", [ITEMS, FIJI, PLACES, JORDAN])
lists = pytest.mark.parametrize("path", [ITEMS, PLACES])
each_system = pytest.mark.parametrize(
    "system", SYSTEMS.values(), ids=lambda s: s.uri.split("/")[-1]
)


@cache
def authority(uri) -> Transformer:
    """Return what takes longitude and latitude to a system, in the authority's order of axes."""
    code = uri.removeprefix(EPSG)
    return Transformer.from_crs("OGC:CRS84", f"EPSG:{code}" if code != uri else "OGC:CRS84")


def coordinates(uri, place) -> list[float]:
    """Return the coordinates of a longitude and a latitude."""
    return list(authority(uri).transform(*place))


def is_in(place, domain) -> bool:
    west, south, east, north = domain
    return west <= place[0] <= east and south <= place[1] <= north


def features(client, path=ITEMS, **query) -> list[dict]:
    """Return the features of a page, by the parameters that are given."""
    asked = {"limit": 10_000} | {name.replace("_", "-"): value for name, value in query.items()}
    answer = client.get(path, query_string=asked)
    assert answer.status_code == 200, answer.text[:500]
    return json.loads(answer.text)["features"]


def ids(client, path=ITEMS, **query) -> list[str]:
    return [feature["id"] for feature in features(client, path, **query)]


def text(box) -> str:
    return ",".join(map(repr, map(float, box)))


# What an answer is in.


@pytest.mark.requirement("R1")
@everywhere
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_features_name_their_reference_system(visitor, path, method):
    answer = visitor.open(path, method=method)
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"


@pytest.mark.requirement("R1", "R2")
@lists
@each_system
def test_a_count_names_it_too(visitor, path, system):
    plain = visitor.get(path, query_string={"resultType": "hits"})
    assert plain.headers["Content-Crs"] == f"<{CRS84}>"
    answer = visitor.get(path, query_string={"resultType": "hits", "crs": system.uri})
    assert answer.headers["Content-Crs"] == f"<{system.uri}>"
    assert answer.json["numberMatched"] == plain.json["numberMatched"]


@pytest.mark.requirement("R2")
@everywhere
def test_the_default_may_be_asked_for(visitor, path):
    plain = visitor.get(path).json
    answer = visitor.get(path, query_string={"crs": CRS84})
    assert answer.status_code == 200
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"
    assert answer.json.get("features") == plain.get("features")
    assert answer.json.get("geometry") == plain.get("geometry")


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("collection", ["events", "places"])
def test_every_reference_system_that_a_collection_lists_can_be_had(visitor, collection):
    described = visitor.get(f"/collections/{collection}").json
    assert described["crs"] == list(SYSTEMS)
    assert len(described["crs"]) >= 10
    item = FIJI if collection == "events" else JORDAN
    for crs in described["crs"]:
        for path in (f"/collections/{collection}/items", item):
            answer = visitor.get(
                path, query_string={"crs": crs, "limit": 3} if path != item else {"crs": crs}
            )
            assert answer.status_code == 200
            assert answer.headers["Content-Crs"] == f"<{crs}>"


@pytest.mark.requirement("R2")
def test_only_the_geometries_are_others(visitor):
    plain = features(visitor)
    for uri in (f"{EPSG}4326", f"{EPSG}32637", f"{EPSG}2039"):
        found = features(visitor, crs=uri)
        for one, other in zip(plain, found, strict=True):
            assert [k for k in other if k != "outside_crs"] == list(one)
            assert other["id"] == one["id"]
            assert list(other["properties"].items()) == list(one["properties"].items())


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


# What is refused.


@pytest.mark.requirement("R4")
@everywhere
@pytest.mark.parametrize("crs", UNKNOWN)
def test_another_reference_system_is_refused(visitor, path, crs):
    body = assert_problem(visitor.get(path, query_string={"crs": crs}), 400, parameter="crs")
    assert CRS84 in body["detail"]


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


# Boxes.


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


# Links, pages and tags.


@pytest.mark.requirement("R8")
@lists
@pytest.mark.parametrize(("crs", "box"), [(CRS84, "29,14,34,18"), (f"{EPSG}4326", "14,29,18,34")])
def test_the_links_of_a_page_keep_the_reference_systems(visitor, path, crs, box):
    query = {"limit": 5, "bbox": box, "bbox-crs": crs, "crs": crs}
    body = visitor.get(path, query_string=query).json
    for rel in ("self", "next"):
        (link,) = links(body, rel)
        assert f"crs={crs}" in link["href"]
        assert f"bbox-crs={crs}" in link["href"]
        answer = visitor.get(link["href"])
        assert answer.status_code == 200
        assert answer.headers["Content-Crs"] == f"<{crs}>"


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("path", [FIJI, JORDAN])
def test_the_self_link_of_one_feature_keeps_it_too(visitor, path):
    answer = visitor.get(path, query_string={"crs": f"{EPSG}4326"})
    (link,) = links(answer.json, "self")
    again = visitor.get(link["href"])
    assert again.data == answer.data
    assert again.headers["Content-Crs"] == f"<{EPSG}4326>"


@pytest.mark.parametrize("path", [FIJI])
def test_an_event_in_two_systems_has_two_entity_tags(visitor, path):
    tags = {
        visitor.get(path, query_string={"crs": crs}).headers["ETag"]
        for crs in (CRS84, f"{EPSG}4326", f"{EPSG}3857")
    }
    assert len(tags) == 3


def test_every_page_of_a_walk_is_in_the_system_that_was_asked_for(visitor):
    places = {UUID(str(e["id"])): e.get("place") for e in WORLD}
    url, seen = f"{ITEMS}?limit=90&crs={EPSG}4326", 0
    while url:
        answer = visitor.get(url)
        assert answer.headers["Content-Crs"] == f"<{EPSG}4326>"
        for feature in answer.json["features"]:
            place = places[UUID(feature["id"])]
            if place:
                assert feature["geometry"]["coordinates"] == list(reversed(place))
            seen += 1
        url = next((link["href"] for link in links(answer.json, "next")), None)
    assert seen == len(WORLD)
