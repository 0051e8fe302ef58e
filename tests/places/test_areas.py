import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point

from geo import areas, borders
from geo.compass import WINDS, ahead, apart_km, bearing_degrees, part, sector, strip, wind
from geo.countries import countries
from geo.reverse import Towns

#: Tower 22 and Al-Tanf, Ain al-Asad, Deir ez-Zor, Gaza, Sevastopol, Hargeisa, Timbuktu.
POINTS = [
    (38.70, 33.31, "JOR", "JO-MA"),
    (38.62, 33.50, "SYR", "SY-HI"),
    (42.44, 33.80, "IRQ", "IQ-AN"),
    (40.14, 35.33, "SYR", "SY-DY"),
    (34.46, 31.50, "PSE", "PS-GZZ"),
    (33.52, 44.60, "UKR", "UA-40"),
    (44.06, 9.56, "SOM", "-99-X11~"),
    (-3.00, 16.77, "MLI", "ML-6"),
    (42.93, 14.84, "YEM", "YE-HU"),
]


@pytest.mark.parametrize(("longitude", "latitude", "country", "code"), POINTS)
def test_points_lie_in_the_units_in_which_they_lie(longitude, latitude, country, code):
    unit = areas.unit_at(longitude, latitude)
    assert (unit.country, unit.code) == (country, code)


def test_the_open_sea_is_nowhere():
    assert areas.unit_at(0, 0) is None
    assert areas.unit_at(-150, -40) is None


def test_every_country_of_the_table_has_ground_and_every_ground_a_country():
    assert {unit.country for unit in areas.units()} == set(countries())


def test_all_ground_is_valid():
    # The Vatican is smaller than the grid.
    grounds = {code: areas.country_ground(code) for code in countries()}
    assert [code for code, ground in grounds.items() if ground.is_empty] == ["VAT"]
    assert [code for code, ground in grounds.items() if not ground.is_valid] == []


def test_an_unknown_country_is_an_error():
    with pytest.raises(LookupError):
        areas.country_ground("XXX")


@given(st.sampled_from(sorted(countries())), st.sampled_from(sorted(countries())))
@settings(max_examples=60, deadline=None)
def test_borders_are_symmetric(one, other):
    assert borders.border(one, other) == borders.border(other, one)
    assert (other in borders.neighbours(one)) == (one in borders.neighbours(other))


def test_neighbours_and_borders_agree():
    for one, other in itertools.combinations(("SYR", "IRQ", "JOR", "LBN", "TUR", "CYP", "EGY"), 2):
        assert (borders.border(one, other) is not None) == (other in borders.neighbours(one))


@pytest.mark.parametrize(
    ("one", "other", "factbook_km"),
    [
        ("JOR", "SYR", 379),
        ("IRQ", "SYR", 599),
        ("LBN", "SYR", 403),
        ("LBN", "ISR", 81),
        ("MLI", "NER", 838),
        ("TCD", "SDN", 1403),
        ("UKR", "RUS", 1944),
        ("MMR", "THA", 2416),
        ("USA", "MEX", 3111),
        ("PSE", "EGY", 13),
        ("SDN", "SSD", 2158),
    ],
)
def test_lengths_are_those_of_the_factbook_but_short_of_bends(one, other, factbook_km):
    # Ukraine and Russia: Crimea has no land border with Russia. Rivers take most off.
    assert 0.7 * factbook_km < borders.border(one, other).length_km < 1.25 * factbook_km


def test_a_border_of_several_parts_is_one_answer():
    line = borders.border("PSE", "ISR").line
    assert line.geom_type == "MultiLineString"
    assert [one.length for one in line.geoms] == sorted([o.length for o in line.geoms])[::-1]


def test_tower_22_is_as_near_to_the_border_as_natural_earth_has_it():
    line = borders.border("JOR", "SYR").line
    near = shapely.shortest_line(line, Point(38.70, 33.31))
    assert apart_km(Point(near.coords[0]), Point(38.70, 33.31)) == pytest.approx(2.2, abs=0.1)


def test_a_border_is_on_the_outline_of_both_sides():
    line = borders.border("JOR", "SYR").line
    for code in ("JOR", "SYR"):
        edge = areas.country_ground(code).boundary
        assert shapely.difference(line, edge.buffer(1e-9)).is_empty


LAND = st.tuples(st.floats(-160, 160), st.floats(-70, 70)).map(Point)


@given(LAND, st.floats(0, 359), st.floats(2, 90), st.floats(5, 500))
def test_a_sector_holds_the_point_in_its_middle(centre, bearing, half_angle, distance_km):
    ground = sector(centre, bearing, half_angle, 0.8 * distance_km, 1.2 * distance_km)
    if ground.bounds[2] - ground.bounds[0] < 180:
        assert ground.buffer(1e-9).contains(ahead(centre, bearing, distance_km))
        assert apart_km(centre, ahead(centre, bearing, distance_km)) == pytest.approx(distance_km)


@given(LAND, st.floats(0, 359.9), st.floats(1, 300))
def test_bearings_undo_steps(start, bearing, distance_km):
    turn = abs(bearing_degrees(start, ahead(start, bearing, distance_km)) - bearing)
    assert min(turn, 360 - turn) < 1.0


@given(st.floats(0, 360))
def test_the_wind_is_the_nearest(bearing):
    away = abs(WINDS.index(wind(bearing)) * 22.5 - bearing)
    assert min(away, 360 - away) <= 11.25 + 1e-9


@pytest.mark.parametrize("country", ["LBN", "MLI", "SYR", "UKR", "MMR"])
@pytest.mark.parametrize("direction", [*WINDS, "centre"])
def test_a_part_is_part_of_the_whole(country, direction):
    whole = areas.country_ground(country)
    share = part(whole, direction)
    assert share.is_valid
    assert 0.2 < share.area / whole.area < 0.75
    assert shapely.difference(share, whole.buffer(1e-6)).area < 1e-6


def test_northern_mali_has_gao_and_southern_lebanon_has_tyre():
    assert part(areas.country_ground("MLI"), "north").contains(Point(-0.05, 16.27))
    assert part(areas.country_ground("LBN"), "south").contains(Point(35.22, 33.27))
    assert not part(areas.country_ground("LBN"), "south").contains(Point(35.85, 34.44))


def test_a_strip_is_as_wide_as_it_says():
    line = borders.border("JOR", "SYR").line
    ground = strip(line, 10)
    rim = shapely.get_coordinates(ground.exterior)
    far = [
        apart_km(Point(corner), Point(shapely.shortest_line(line, Point(corner)).coords[0]))
        for corner in rim
    ]
    assert max(far) < 11.5
    assert np.median(far) == pytest.approx(10, rel=0.1)


@pytest.fixture(scope="module")
def towns(places):
    towns = Towns(places)
    yield towns
    towns.close()


def test_points_are_told_from_the_nearest_town(towns):
    where = towns.whereabouts(38.703, 33.310)
    assert (where.country, where.unit.code, where.town) == ("JOR", "JO-MA", "Rukban")
    assert where.phrase == "Rukban"
    north = ahead(Point(38.70342, 33.31405), 0, 5)
    assert towns.whereabouts(north.x, north.y).phrase == "5 km north of Rukban"


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-89, 89)), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_no_town_is_nearer_than_the_nearest(towns, points):
    _, east, north = towns._points  # noqa: SLF001 - against all of them, one by one
    answers = towns.whereabouts_of(*zip(*points, strict=True))
    for (longitude, latitude), found in zip(points, answers, strict=True):
        one, other = np.radians(latitude), np.radians(north)
        cosine = np.sin(one) * np.sin(other) + np.cos(one) * np.cos(other) * np.cos(
            np.radians(east - longitude)
        )
        assert found.distance_km == pytest.approx(6371.009 * np.arccos(cosine.max()), abs=0.2)


def test_many_points_at_once_are_the_same_as_one_by_one(towns):
    points = [(44.4, 33.3), (38.7, 33.3), (179.99, -16.5), (-179.99, -16.5)]
    together = towns.whereabouts_of(*zip(*points, strict=True))
    assert together == [towns.whereabouts(*point) for point in points]
    assert together[2].town == together[3].town
