"""The grid behind which exact places are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from geo.compass import apart_km
from geo.grid import cell_centre

POINTS = st.builds(Point, st.floats(-180, 180), st.floats(-90, 90))


@given(POINTS, st.floats(0.1, 1000))
def test_the_centre_of_a_cell_is_no_farther_away_than_is_said(point, within_km):
    assert apart_km(point, cell_centre(point, within_km)) <= within_km


@given(POINTS, st.floats(0.1, 1000))
def test_the_centre_of_a_cell_is_its_own_centre(point, within_km):
    centre = cell_centre(point, within_km)
    again = cell_centre(centre, within_km)
    assert (again.x, again.y) == pytest.approx((centre.x, centre.y), abs=1e-9)


@given(POINTS)
def test_what_is_published_is_on_the_earth(point):
    centre = cell_centre(point, 100)
    assert -180 <= centre.x <= 180
    assert -90 <= centre.y <= 90
