import pytest
import shapely
from geopy.distance import geodesic
from shapely import Point

from geo.footprints import Footprints
from geo.precision import Precision

#: UCDP has this point for the centre of Myanmar and for that of Shan state.
SHAN = Point(98.0, 22.0)


@pytest.fixture(scope="module")
def footprints(gazetteer):
    return Footprints(gazetteer)


def far_km(point, ground):
    corners = shapely.get_coordinates(ground)
    return max(geodesic((point.y, point.x), (y, x)).km for x, y in corners)


def test_a_country_is_its_ground_wherever_the_point_lies(footprints, fixer):
    found = footprints.of(Precision.COUNTRY, point=SHAN, country="MMR")
    assert (found.place, found.shape) == ("country-MMR", None)
    real = far_km(SHAN, fixer.place("country-MMR").footprint)
    assert found.uncertainty_km == pytest.approx(real, rel=0.01)


@pytest.mark.parametrize("country", [None, "XXX"])
def test_a_country_without_a_known_code_is_the_one_at_the_point(footprints, country):
    found = footprints.of(Precision.COUNTRY, point=SHAN, country=country)
    assert (found.place, found.why) == ("country-MMR", "the country at the point")
    assert footprints.of(Precision.COUNTRY, country=country) is None
    assert footprints.of(Precision.COUNTRY, point=Point(0, 0), country=country) is None


@pytest.mark.parametrize(
    ("country", "name", "place"),
    [
        ("MMR", "Shan state", "admin1-MM-17"),
        ("SYR", "Aleppo governorate", "admin1-SY-HL"),
        ("SYR", "Muhafazat Halab", "admin1-SY-HL"),
        ("UKR", "Donetsk oblast", "admin1-UA-14"),
        ("MLI", "région de Gao", "admin1-ML-7"),
        ("NGA", "Borno", "admin1-NG-BO"),
        ("YEM", "محافظة الحديدة", "admin1-YE-HU"),
    ],
)
def test_a_division_is_found_by_its_name_and_not_by_its_point(footprints, country, name, place):
    for point in (SHAN, None):
        found = footprints.of(Precision.ADMIN1, point=point, country=country, admin1=name)
        assert (found.place, found.shape, found.why) == (place, None, "the division of that name")
        assert (found.uncertainty_km is None) == (point is None)


@pytest.mark.parametrize("name", ["Ménaka region", None, ""])
def test_a_division_that_nobody_knows_is_the_one_at_the_point(footprints, name):
    found = footprints.of(Precision.ADMIN1, point=Point(2.4, 15.9), country="MLI", admin1=name)
    assert (found.place, found.why) == ("admin1-ML-7", "the division at the point")
    assert footprints.of(Precision.ADMIN1, country="MLI", admin1=name) is None


def test_a_division_of_a_state_that_was_parted_is_the_one_at_the_point(footprints):
    found = footprints.of(
        Precision.ADMIN1, point=Point(29.8, 9.2), country="SDN", admin1="Unity state"
    )
    assert found.place == "admin1-SS-UY"


def test_of_two_divisions_of_one_name_the_one_at_the_point_is_taken(footprints):
    for place, point in (("admin1-IRL-cork", (-8.9, 52.0)), ("admin1-IRL-cork-2", (-8.47, 51.9))):
        found = footprints.of(Precision.ADMIN1, point=Point(point), country="IRL", admin1="Cork")
        assert (found.place, found.why) == (place, "the division of that name")


@pytest.mark.parametrize(
    ("precision", "radius_km"),
    [(Precision.EXACT, 1.0), (Precision.NEAR, 25.0), (Precision.ADMIN2, 40.0)],
)
def test_a_point_is_a_circle_as_wide_as_it_is_exact(footprints, precision, radius_km):
    point = Point(40.0, 34.0)
    found = footprints.of(precision, point=point, country="SYR", admin1="x", place_name="y")
    assert (found.place, found.uncertainty_km) == (None, radius_km)
    assert far_km(point, found.shape) == pytest.approx(radius_km, rel=0.001)
    assert footprints.of(precision) is None


def test_a_town_is_as_wide_as_its_population_lets_it_be(footprints):
    baghdad = footprints.of(Precision.SETTLEMENT, point=Point(44.4, 33.34))
    assert baghdad.uncertainty_km == 20.0
    desert = footprints.of(Precision.SETTLEMENT, point=Point(39.0, 32.5))
    assert desert.uncertainty_km == 2.0


@pytest.mark.parametrize(
    ("precision", "country", "name", "point", "place"),
    [
        ("linear", "SYR", "Syria/Turkey border", (38, 36.8), "border-SYR-TUR"),
        ("linear", "UGA", "Border between Uganda and South Sudan", (32, 3.7), "border-SSD-UGA"),
        ("linear", "SYR", "Road between As Salamiyah and Homs", (36.9, 34.85), None),
        ("area", "LBN", "Southern Lebanon", (35.4, 33.3), None),
        ("area", "SDN", "Darfur", (25, 13), "region-darfur"),
    ],
)
def test_lines_and_areas_are_what_their_name_describes(  # noqa: PLR0917 - a table
    footprints, precision, country, name, point, place
):
    found = footprints.of(
        Precision(precision), point=Point(point), country=country, place_name=name
    )
    assert found.place == place
    assert (found.shape is None) == (place is not None)
    assert found.uncertainty_km > 0


@pytest.mark.parametrize(
    ("precision", "name", "point"),
    [
        ("linear", "between Tripoli and Alexandria", (13, 32)),
        ("area", "IS enclave", (40, 35)),
        ("area", None, (40, 35)),
        ("sea_air", "Red Sea", (38, 20)),
    ],
)
def test_no_ground_is_given_that_is_a_guess(footprints, precision, name, point):
    found = footprints.of(Precision(precision), point=Point(point), country="SDN", place_name=name)
    assert found is None


@pytest.mark.parametrize(
    ("precision", "name", "point"),
    [
        ("area", "Darfur", (35, 13)),  # too far from the point
        ("linear", "Southern Darfur", (25, 11)),  # an area
        ("area", "IS enclave", (25, 13)),
        ("area", "Nyala", (24.9, 12.05)),  # a town is no area
        ("area", None, (25, 13)),
    ],
)
def test_what_cannot_be_read_is_somewhere_in_what_is_stated(footprints, precision, name, point):
    where = {"point": Point(point), "country": "SDN", "place_name": name}
    assert footprints.of(Precision(precision), **where).place == "country-SDN"
    found = footprints.of(Precision(precision), **where, admin1="South Darfur")
    assert found is None or found.place == "admin1-SD-DS"
    assert (found is None) == (point == (35, 13))  # the point does not bear the division out
    assert footprints.of(Precision(precision), **where, admin1="Nowhere state") is None


def test_every_shape_is_valid_and_every_place_has_an_id(footprints, fixer):
    for precision in Precision:
        for point in (Point(179.99, -16.5), Point(44.4, 33.3), Point(0, 0), Point()):
            found = footprints.of(
                precision, point=point, country="IRQ", admin1="Anbar", place_name="western Iraq"
            )
            if found and found.shape:
                assert found.place is None
                assert found.shape.is_valid
            elif found:
                assert fixer.place(found.place).id == found.place
