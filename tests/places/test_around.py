import numpy as np
import pytest
import shapely
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPoint, Point, Polygon

from geo.areas import country_ground
from geo.around import around
from geo.borders import border


def off_km(shape, place):
    """The geodesic distance of a place from a shape: to the nearest of many points of its edge."""
    edge = shape.boundary if shape.area else shape
    dense = shapely.get_coordinates(shapely.segmentize(edge, 0.005))
    one, other = np.radians(dense), np.radians(place)
    across = np.cos(other[1]) * np.cos(one[:, 1]) * np.sin((one[:, 0] - other[0]) / 2) ** 2
    near = np.argsort(np.sin((one[:, 1] - other[1]) / 2) ** 2 + across)[:200:10]
    return min(geodesic(place[::-1], dense[at][::-1]).km for at in near)


def rim(ground, count=60):
    corners = shapely.get_coordinates(ground)
    inner = corners[abs(corners[:, 0]) < 179.99]
    return inner[:: max(1, len(inner) // count)]


@pytest.mark.parametrize("radius_km", [5, 50, 400, 1000])
@pytest.mark.parametrize("place", [(0, 0), (44.4, 33.3), (25, 74), (-70, -54)])
def test_around_a_point_is_a_circle_of_256_corners(place, radius_km):
    ground = around(Point(place), radius_km)
    assert len(ground.exterior.coords) == 257
    for one, other in zip(ground.exterior.coords, ground.exterior.coords[1:], strict=False):
        middle = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
        assert geodesic(place[::-1], one[::-1]).km == pytest.approx(radius_km, rel=1e-6)
        if radius_km <= 50:  # on a map, the edges of wider circles are not straight on the ground
            assert geodesic(place[::-1], middle[::-1]).km == pytest.approx(radius_km, rel=2e-4)


SHAPES = {
    "Jordan": country_ground("JOR"),
    "Iceland": country_ground("ISL"),
    "Jordan and Syria": border("JOR", "SYR").line,
    "Canada and the United States": border("CAN", "USA").line,
    "a parallel": LineString([(-120, 60), (-60, 60)]),
    "a box": shapely.box(20, 70, 30, 74),
}


@pytest.mark.parametrize("radius_km", [5, 50, 300, 1000])
@pytest.mark.parametrize("name", SHAPES)
def test_the_edge_is_as_far_off_as_it_says(name, radius_km):
    shape = SHAPES[name]
    ground = around(shape, radius_km)
    assert ground.is_valid
    assert ground.buffer(1e-9).covers(shape)
    far = [off_km(shape, tuple(corner)) for corner in rim(ground)]
    # A stretch of the rim inside a bay is near to two shores, and no farther from either.
    assert max(far) <= 1.01 * radius_km + 0.02
    assert min(far) >= 0.99 * radius_km - 0.02


@pytest.mark.parametrize("name", SHAPES)
def test_edges_between_corners_are_as_far_off(name):
    shape = SHAPES[name]
    ground = around(shape, 100)
    middles = [
        ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
        for part in shapely.get_parts(ground)
        for one, other in zip(part.exterior.coords, part.exterior.coords[1:], strict=False)
    ]
    for middle in middles[:: max(1, len(middles) // 40)]:
        assert off_km(shape, middle) == pytest.approx(100, rel=0.011)


def test_an_area_with_a_hole_has_the_rest_of_the_hole():
    ring = Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(3, 3), (3, 7), (7, 7), (7, 3)]])
    ground = around(ring, 50)
    assert ground.contains(Point(3.2, 5))
    assert not ground.contains(Point(5, 5))
    assert around(ring, 300).contains(Point(5, 5))


def test_many_shapes_are_one_ground():
    shapes = GeometryCollection(
        [Point(0, 0), LineString([(1, 0), (2, 0)]), shapely.box(3, 0, 4, 1), MultiPoint([(9, 9)])]
    )
    assert len(shapely.get_parts(around(shapes, 10))) == 4
    assert around(shapes, 80).geom_type == "MultiPolygon"
    assert around(shapes, 900).geom_type == "Polygon"


@pytest.mark.parametrize("country", ["FJI", "RUS", "USA", "KIR", "ATA"])
@pytest.mark.parametrize("radius_km", [20, 1000])
def test_ground_across_the_antimeridian_and_at_the_poles_is_cut(country, radius_km):
    shape = country_ground(country)
    ground = around(shape, radius_km)
    west, south, east, north = ground.bounds
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    assert ground.is_valid
    assert ground.buffer(1e-9).covers(shape)
    assert all(part.exterior.is_ccw for part in shapely.get_parts(ground))


def test_the_far_side_of_the_antimeridian_is_reached():
    ground = around(LineString([(179.5, 10), (179.8, 10)]), 100)
    assert ground.contains(Point(-179.5, 10))
    assert not ground.contains(Point(-179.0, 10))


def test_over_a_pole_all_meridians_are_near():
    ground = around(LineString([(0, 85), (10, 85)]), 800)
    assert ground.contains(Point(-175, 88))
    assert not ground.contains(Point(-175, 86))


def lines(north):
    """Give lines from anywhere to anywhere, no farther north or south than that."""
    corner = st.tuples(st.floats(-180, 180), st.floats(-north, north))
    return st.lists(corner, min_size=2, max_size=5).map(LineString)


#: Near a pole the ground of a long line is of circles, of which there may not be too many.
LINES = st.one_of(
    st.tuples(lines(85), st.floats(0.1, 1000)), st.tuples(lines(90), st.floats(100, 1000))
)


@given(LINES)
@settings(deadline=None, max_examples=60)
def test_any_line_has_valid_ground_around_it(asked):
    ground = around(*asked)
    assert ground.is_valid
    assert not ground.is_empty
    assert -180 <= ground.bounds[0] <= ground.bounds[2] <= 180


@pytest.mark.parametrize("country", ["ATA", "CAN"])
def test_what_would_be_of_too_many_pieces_is_refused(country):
    with pytest.raises(ValueError, match="too small"):
        around(country_ground(country), 0.001)


@pytest.mark.parametrize("radius_km", [0, -1, 1000.1, float("nan")])
def test_a_radius_out_of_bounds_is_refused(radius_km):
    with pytest.raises(ValueError, match="radius"):
        around(Point(0, 0), radius_km)


def test_an_empty_shape_is_refused():
    with pytest.raises(ValueError, match="empty"):
        around(Polygon(), 10)
