"""The scale of place, and the circles that stand for it."""

import pytest
from geopy.distance import geodesic
from shapely import Point

from geo.precision import Precision, circle, from_acled, from_gdelt, from_ucdp

PLACES = [
    (0, 0),
    (44.4, 33.3),
    (-68.2, -54.9),
    (179.95, 10),
    (-179.95, -40),
    (180, 0),
    (-180, 60),
    (20, 89.9),
    (-170, -89.9),
    (0, 90),
    (77, -90),
]


def test_the_scale_is_that_of_the_database(conn):
    (rule,) = conn.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'event'::regclass AND conname = 'event_geo_precision_check'"
    ).fetchone()
    assert all(f"'{precision}'" in rule for precision in Precision)
    assert rule.count("'::text") == len(Precision)


@pytest.mark.parametrize(
    ("code", "precision"),
    [
        (1, Precision.SETTLEMENT),
        (2, Precision.NEAR),
        (3, Precision.ADMIN2),
        (4, Precision.ADMIN1),
        (6, Precision.COUNTRY),
        (7, Precision.SEA_AIR),
    ],
)
def test_a_code_of_ucdp_is_a_class_whatever_the_place_is_called(code, precision):
    assert from_ucdp(code, "border") is precision


@pytest.mark.parametrize(
    "description",
    [
        "Border between Chin state and Magway region",
        "Chad-Sudan Border",
        "Syria/Turkey border Idlib Governorate",
        "Mandalay - Yangon highway",
        "Road between As Salamiyah and Homs",
        "Matupi - Paletwa road",
        "Between Yesagyo and Myaung townships",
        "Chindwin river",
        "Line of Contact",
        "LoC Poonch district",
        "front line in Donetsk",
    ],
)
def test_a_fuzzy_place_with_a_line_in_its_name_is_linear(description):
    assert from_ucdp(5, description) is Precision.LINEAR


@pytest.mark.parametrize(
    "description",
    [
        "",
        "Southern Lebanon",
        "IS enclave",
        "Demoso township",
        "Northern Rivers state",
        "Southern Cross River state",
        "Northern River Nile state",
        "Juba river valley",
        "Area between Al Duwayr, Al Mayadin and the oilfield",
        "Borderlands",
        "Broadway",
    ],
)
def test_any_other_fuzzy_place_is_an_area(description):
    assert from_ucdp(5, description) is Precision.AREA


@pytest.mark.parametrize("code", [0, 8, -1])
def test_there_is_no_other_code(code):
    with pytest.raises(ValueError, match="no where_prec"):
        from_ucdp(code, "")


@pytest.mark.parametrize(
    ("code", "precision"), [(1, Precision.SETTLEMENT), (2, Precision.NEAR), (3, Precision.ADMIN1)]
)
def test_the_larger_region_of_acled_is_a_division_and_no_point(code, precision):
    assert from_acled(code) is precision


@pytest.mark.parametrize(
    ("code", "precision"),
    [
        (0, None),
        (1, Precision.COUNTRY),
        (2, Precision.ADMIN1),
        (3, Precision.SETTLEMENT),
        (4, Precision.SETTLEMENT),
        (5, Precision.ADMIN1),
    ],
)
def test_a_type_of_gdelt_is_as_fine_as_the_name_that_was_found(code, precision):
    assert from_gdelt(code) is precision


@pytest.mark.parametrize(("read", "code"), [(from_acled, 0), (from_acled, 4), (from_gdelt, 6)])
def test_acled_and_gdelt_have_no_other_codes(read, code):
    with pytest.raises(ValueError, match=f"{code} is no "):
        read(code)


@pytest.mark.parametrize("radius_km", [1, 25, 300])
@pytest.mark.parametrize("place", PLACES)
def test_a_circle_is_valid_and_on_the_map_wherever_it_is(place, radius_km):
    ground = circle(Point(place), radius_km)
    west, south, east, north = ground.bounds
    assert ground.is_valid
    assert not ground.is_empty
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90


@pytest.mark.parametrize("radius_km", [1, 25, 300])
@pytest.mark.parametrize("place", PLACES)
def test_a_circle_holds_what_is_within_the_radius_and_nothing_else(place, radius_km):
    ground = circle(Point(place), radius_km)
    for bearing in range(0, 360, 7):
        for share, inside in ((0.5, True), (0.98, True), (1.01, False)):
            there = geodesic(kilometers=share * radius_km).destination(place[::-1], bearing)
            longitude = (there.longitude + 180) % 360 - 180
            assert ground.intersects(Point(longitude, there.latitude)) == inside


@pytest.mark.parametrize("radius_km", [0.1, 25, 3000])
@pytest.mark.parametrize("place", [(0, 0), (44.4, 33.3), (-68.2, -54.9)])
def test_the_rim_is_where_geopy_says(place, radius_km):
    rim = circle(Point(place), radius_km).exterior.coords
    assert len(rim) == 33
    for longitude, latitude in rim:
        distance = geodesic((latitude, longitude), place[::-1])
        assert distance.meters == pytest.approx(1000 * radius_km, abs=0.001)


def test_a_circle_across_the_antimeridian_is_cut_there():
    ground = circle(Point(179.95, 10), 25)
    assert ground.geom_type == "MultiPolygon"
    assert {part.bounds[0] for part in ground.geoms} >= {-180}
    assert {part.bounds[2] for part in ground.geoms} >= {180}


def test_a_circle_over_a_pole_reaches_up_to_it():
    assert circle(Point(20, 89.9), 25).bounds == pytest.approx((-180, 89.676, 180, 90), abs=0.001)
    assert circle(Point(20, -89.9), 25).bounds == pytest.approx(
        (-180, -90, 180, -89.676), abs=0.001
    )


@pytest.mark.parametrize("radius_km", [0, -1, 10_000, float("nan")])
def test_a_radius_that_is_none_is_refused(radius_km):
    with pytest.raises(ValueError, match="radius"):
        circle(Point(0, 0), radius_km)
