"""Places of events that are written: looked up, exact, and in other reference systems."""

import pytest
import shapely
from shapely import Point

import editing
from conftest import ITEMS, assert_problem, opened
from crs import EPSG
from editing import feature, footprint, get, made, patch, path_of, pointers, post, put
from geo.compass import apart_km

desk, rows = editing.desk, editing.rows  # fixtures


# Places.


def test_a_place_without_a_point_is_looked_up_by_its_name(desk):
    answer = post(desk, feature(place_name="Rutba, Anbar"))
    assert answer.json["events"][0]["remarks"] == ["placed by name"]
    found = get(desk, path_of(answer)).json
    assert found["geometry"]["coordinates"] == pytest.approx([40.28, 33.04], abs=0.1)
    assert (found["properties"]["country"], found["properties"]["geocoder"]) == ("IRQ", "hudna")


def test_a_name_that_may_mean_several_places_is_refused_with_them(desk):
    sent = {"type": "FeatureCollection", "features": [feature(), feature(place_name="Tripoli")]}
    body = assert_problem(post(desk, sent), 400)
    (error,) = body["errors"]
    assert error["pointer"] == "/features/1/properties/place_name"
    first = error["candidates"][0]["name"]
    assert post(desk, feature(place_name=first)).status_code == 201
    unplaced = get(desk, made(desk, feature(place_name="Tripoli", geocoder="none"))).json
    assert unplaced["geometry"] is None


def test_without_a_gazetteer_an_event_stays_without_a_point(desk, tmp_path):
    with opened(desk.dsn, gazetteer=str(tmp_path / "none.sqlite")) as client:
        answer = client.post(ITEMS, json=feature(place_name="Rutba, Anbar"), headers=desk.write)
    assert answer.json["events"][0]["remarks"] == ["no gazetteer"]
    assert get(desk, path_of(answer)).json["geometry"] is None


def test_the_ground_follows_the_place(desk):
    path = made(desk, feature((44.4, 33.3), geo_precision="near"))
    first = footprint(desk, path)
    assert first.contains(Point(44.4, 33.3))
    patch(desk, path, properties={"notes": "x"})
    assert footprint(desk, path).equals(first)
    patch(desk, path, geometry={"type": "Point", "coordinates": [40, 30]})
    assert footprint(desk, path).contains(Point(40, 30))
    assert not footprint(desk, path).intersects(first)


def test_another_name_is_looked_up_anew_if_the_point_was_found_by_the_name(desk):
    path = made(desk, feature(place_name="Rutba, Anbar"))
    patch(desk, path, properties={"place_name": "Palmyra, Syria"})
    assert get(desk, path).json["properties"]["country"] == "SYR"
    given = made(desk, feature((40, 30), place_name="Rutba, Anbar"))
    patch(desk, given, properties={"place_name": "Palmyra, Syria"})
    assert get(desk, given).json["geometry"]["coordinates"] == [40, 30]


def test_a_footprint_of_its_own_is_kept(desk):
    ground = shapely.box(40, 30, 41, 31)
    sent = feature((40.5, 30.5)) | {"footprint": shapely.geometry.mapping(ground)}
    path = made(desk, sent)
    assert footprint(desk, path).equals(ground)
    put(desk, path, get(desk, path).json)
    assert footprint(desk, path).equals(ground)


@pytest.mark.parametrize("place_name", [None, "Rutba, Anbar"])
@pytest.mark.parametrize(
    "said",
    [
        {"admin2": "Rutbah"},
        {"geo_precision": "exact", "uncertainty_km": 3},
        {"admin1": None},
        {"place_name": "Rutba"},
    ],
    ids=lambda said: next(iter(said)),
)
def test_a_footprint_that_was_drawn_stays_until_the_point_is_moved(desk, place_name, said):
    """Whether the point was given or found by a name."""
    path = made(desk, feature(None if place_name else (40.28, 33.04), place_name=place_name))
    before = get(desk, path).json["geometry"]
    ground = shapely.box(40, 32.8, 41, 33.8)
    patch(desk, path, footprint=shapely.geometry.mapping(ground))
    assert patch(desk, path, properties=said).status_code == 200
    assert get(desk, path).json["geometry"] == before
    assert footprint(desk, path).equals(ground)
    sent = get(desk, path).json
    sent["properties"]["admin2"] = "another"
    assert put(desk, path, sent).status_code == 200
    assert footprint(desk, path).equals(ground)
    patch(desk, path, geometry={"type": "Point", "coordinates": [44, 33]})
    assert not footprint(desk, path).intersects(ground)


def test_a_footprint_that_was_drawn_goes_with_the_name_that_moves_the_point(desk):
    path = made(desk, feature(place_name="Rutba, Anbar"))
    ground = shapely.box(40, 32.8, 41, 33.8)
    patch(desk, path, footprint=shapely.geometry.mapping(ground))
    patch(desk, path, properties={"place_name": "Palmyra, Syria"})
    assert footprint(desk, path).contains(Point(38.28, 34.56))


def test_a_footprint_that_comes_with_another_name_is_the_one(desk):
    path = made(desk, feature(place_name="Rutba, Anbar"))
    ground = shapely.box(36, 33, 38, 35)
    sent = {"properties": {"place_name": "Syria"}, "footprint": shapely.geometry.mapping(ground)}
    assert patch(desk, path, **sent).status_code == 200
    assert get(desk, path).json["properties"]["country"] == "SYR"
    assert footprint(desk, path).equals(ground)


def test_a_footprint_that_was_drawn_stays_without_a_gazetteer(desk, tmp_path):
    ground = shapely.box(40, 30, 41, 31)
    sent = feature((40.5, 30.5), geo_precision="near")
    path = made(desk, sent | {"footprint": shapely.geometry.mapping(ground)})
    with opened(desk.dsn, gazetteer=str(tmp_path / "none.sqlite")) as client:
        answer = client.patch(
            path,
            json={"properties": {"geo_precision": "exact"}},
            content_type=editing.PATCH,
            headers=desk.write,
        )
    assert answer.status_code == 200
    assert footprint(desk, path).equals(ground)


def test_ground_that_was_worked_out_is_so_anew_when_what_it_was_made_of_changes(desk):
    path = made(desk, feature((44.4, 33.3), geo_precision="near"))
    wide = footprint(desk, path)
    patch(desk, path, properties={"admin2": "x", "uncertainty_km": 7})
    assert footprint(desk, path).equals(wide)
    patch(desk, path, properties={"geo_precision": "exact"})
    assert footprint(desk, path).area < wide.area / 100
    patch(desk, path, properties={"geo_precision": "country"})
    assert footprint(desk, path).contains(Point(40.28, 33.04)), "all of Iraq"
    patch(desk, path, properties={"country": "SYR"})
    assert footprint(desk, path).contains(Point(38.28, 34.56)), "all of Syria"


def test_a_name_is_not_looked_up_anew_for_what_does_not_tell_where_it_is(desk):
    """Its country would be forgotten with what was found, and the name may mean several places."""
    path = made(desk, feature(place_name="Tripoli", country="LBY"))
    before = get(desk, path).json["geometry"], footprint(desk, path)
    said = {"admin2": "x", "geo_precision": "near", "uncertainty_km": 3}
    assert patch(desk, path, properties=said).status_code == 200
    assert (get(desk, path).json["geometry"], footprint(desk, path)) == before
    found = get(desk, path).json["properties"]
    assert {name: found[name] for name in said} == said


@pytest.mark.parametrize(
    "corners",
    [
        [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]],
        [[0, 0], [1, 1], [1, 0]],
        [[n / 1e4, (n % 2) / 10] for n in range(10_001)] + [[0, 0]],
        [[170, 0], [190, 0], [190, 1], [170, 0]],
    ],
    ids=["bow", "open", "long", "wound"],
)
def test_a_footprint_that_is_none_is_refused(desk, corners):
    sent = feature((0, 0)) | {"footprint": {"type": "Polygon", "coordinates": [corners]}}
    assert pointers(post(desk, sent)) == {"/footprint"}


# Exact places.


def test_of_an_exact_place_only_the_cell_is_published(desk, rows):
    published = []
    for shift in (0, 0.001, 0.002):
        sent = feature(uncertainty_km=20, geo_precision="exact", place_name="Damascus")
        exact = Point(36.3 + shift, 33.51)
        path = made(desk, sent | {"exact_geometry": shapely.geometry.mapping(exact)})
        found = get(desk, path).json
        point = shapely.geometry.shape(found["geometry"])
        assert 0.1 < apart_km(point, exact) <= 20
        assert found["properties"]["geo_precision"] == "near"
        assert footprint(desk, path).contains(exact)
        published.append(found["geometry"])
        ((kept,),) = rows(
            "SELECT ST_AsText(geom) FROM event_exact WHERE event_id = %s", found["id"]
        )
        assert kept == exact.wkt.replace("POINT (", "POINT(")
    assert published == 3 * published[:1]


def test_an_exact_place_needs_to_be_told_how_far_off(desk):
    sent = feature() | {"exact_geometry": {"type": "Point", "coordinates": [36, 33]}}
    assert pointers(post(desk, sent)) == {"/properties/uncertainty_km"}


def test_an_exact_place_stays_until_the_point_is_moved(desk, rows):
    sent = feature(uncertainty_km=20) | {
        "exact_geometry": {"type": "Point", "coordinates": [36, 33]}
    }
    path = made(desk, sent)
    put(desk, path, get(desk, path).json)
    patch(desk, path, properties={"notes": "x", "uncertainty_km": 1})
    kept = "SELECT count(*) FROM event_exact WHERE event_id = %s"
    assert rows(kept, path.rpartition("/")[2]) == [(1,)]
    assert apart_km(shapely.geometry.shape(get(desk, path).json["geometry"]), Point(36, 33)) > 1
    patch(desk, path, geometry={"type": "Point", "coordinates": [30, 30]})
    assert rows(kept, path.rpartition("/")[2]) == [(0,)]


def test_the_ground_around_a_blurred_point_may_grow_and_does_not_shrink(desk):
    exact = Point(36.55, 33.76)
    sent = feature(uncertainty_km=50) | {"exact_geometry": shapely.geometry.mapping(exact)}
    path = made(desk, sent)
    before = get(desk, path).json
    ground = footprint(desk, path)
    centre = shapely.geometry.shape(before["geometry"])
    assert apart_km(centre, exact) > 25, "outside of what is near"
    for said in ({"admin2": "x"}, {"geo_precision": "exact"}, {"place_name": "Palmyra, Syria"}):
        assert patch(desk, path, properties=said).status_code == 200
        assert footprint(desk, path).equals(ground)
    patch(desk, path, footprint=None)
    assert footprint(desk, path).equals(ground)
    patch(desk, path, properties={"uncertainty_km": 70})
    wider = footprint(desk, path)
    assert wider.contains(ground)
    assert wider.area > 1.9 * ground.area
    country = get(desk, path).json["properties"]["country"]
    assert country is None, "the centre of a cell does not tell it"

    other = made(desk, sent)
    for said in ({"uncertainty_km": 1}, {"geo_precision": "settlement"}):
        patch(desk, other, properties=said)
        assert footprint(desk, other).equals(ground)


def test_a_footprint_that_was_drawn_around_a_blurred_point_stays(desk):
    ground = shapely.box(35, 32, 38, 35)
    sent = feature(uncertainty_km=50, geo_precision="near")
    sent |= {"exact_geometry": {"type": "Point", "coordinates": [36.3, 33.51]}}
    path = made(desk, sent | {"footprint": shapely.geometry.mapping(ground)})
    patch(desk, path, properties={"admin2": "x", "uncertainty_km": 70})
    assert footprint(desk, path).equals(ground)
    smaller = shapely.box(35, 32, 37, 35)
    patch(desk, path, properties={"admin2": "y"}, footprint=shapely.geometry.mapping(smaller))
    assert footprint(desk, path).equals(smaller)


# Reference systems.


@pytest.mark.requirement("E6")
@pytest.mark.parametrize("wrapped", ["<{}>", "{}"])
@pytest.mark.parametrize(
    ("code", "point"), [("4326", (33.2, 36.1)), ("3857", (4018633.6, 3921880.8))]
)
def test_coordinates_are_read_in_the_system_that_is_named(desk, wrapped, code, point):
    answer = post(desk, feature(point), Content_Crs=wrapped.format(EPSG + code))
    assert answer.status_code == 201, answer.text
    found = get(desk, path_of(answer)).json["geometry"]["coordinates"]
    assert found == pytest.approx([36.1, 33.2], abs=1e-3)


@pytest.mark.requirement("E6")
def test_an_unknown_system_is_refused(desk):
    for named in ("<http://www.opengis.net/def/crs/EPSG/0/1>", "4326", "<>", ""):
        assert_problem(post(desk, feature((1, 2)), Content_Crs=named), 400)
    answer = post(desk, feature((95, 2)), Content_Crs=f"<{EPSG}4326>")
    assert pointers(answer) == {"/geometry"}
