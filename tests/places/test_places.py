import re
from itertools import islice, pairwise

import pytest
import shapely
from geopy.distance import geodesic
from shapely import MultiPolygon, Polygon

from geo import borders
from geo.places import all_borders, all_places, all_spots


@pytest.fixture(scope="module")
def everything(places):
    return {place.id: place for place in all_places(places)}


def test_every_place_is_there_once(everything, places):
    kinds = [place.kind for place in everything.values()]
    assert sum(1 for _ in all_places(places)) == len(kinds)
    assert set(kinds) == {"settlement", "site", "admin1", "region", "country", "border"}
    assert kinds.count("settlement") > 230_000
    assert kinds.count("border") > 300


def test_a_settlement_has_its_names_and_no_shape(everything):
    baghdad = everything["settlement-98182"]
    assert (baghdad.kind, baghdad.name) == ("settlement", "Baghdad")
    assert {"بغداد", "Bağdat"} <= set(baghdad.names)
    assert (baghdad.country, baghdad.countries, baghdad.admin1) == ("IRQ", ("IRQ",), "Baghdad")
    assert baghdad.population > 5_000_000
    assert (baghdad.precision, baghdad.uncertainty_km) == ("settlement", 20.0)
    assert baghdad.point.coords[0] == pytest.approx((44.4, 33.34), abs=0.01)
    assert baghdad.shape is None


def test_only_settlements_have_a_population_and_none_has_nought(everything):
    assert {p.kind for p in everything.values() if p.population is not None} == {"settlement"}
    assert 0 not in {p.population for p in everything.values()}


def test_names_are_few_short_and_each_once(everything):
    for place in everything.values():
        assert len({place.name, *place.names}) == 1 + len(place.names) <= 51
        assert all(0 < len(name) <= 200 and "\n" not in name for name in place.names)
    # Of the 90 names that GeoNames has, the Arabic one is kept.
    assert any("\u0600" <= name[0] <= "\u06ff" for name in everything["settlement-524901"].names)


def test_areas_and_borders_have_a_shape_and_points_have_none(everything):
    for place in everything.values():
        assert (place.shape is None) == (place.kind in {"settlement", "site"})


def test_shapes_are_valid_and_turn_as_geojson_wants(everything):
    shapes = [place.shape for place in everything.values() if place.shape is not None]
    assert all(shapely.is_valid(shapes))
    assert not any(shapely.is_empty(shapes))
    areas = [shape for shape in shapes if isinstance(shape, Polygon | MultiPolygon)]
    for polygon in shapely.get_parts(areas):
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)


def test_a_border_is_between_two_countries(everything):
    border = everything["border-JOR-SYR"]
    assert (border.name, border.names) == ("Jordan–Syria border", ("Syria–Jordan border",))
    assert (border.country, border.countries, border.precision) == (None, ("JOR", "SYR"), "linear")
    assert border.shape.equals(borders.border("SYR", "JOR").line)
    assert border.shape.dwithin(border.point, 1e-6)


def test_a_region_in_two_countries_belongs_to_both(everything):
    kashmir = everything["region-kashmir"]
    assert (kashmir.country, kashmir.countries) == (None, ("IND", "PAK"))


def test_the_ground_is_within_the_uncertainty(everything):
    areas = [place for place in everything.values() if place.shape is not None]
    for place in areas[:: len(areas) // 60]:
        corners = shapely.get_coordinates(place.shape)
        far = [
            geodesic((place.point.y, place.point.x), (y, x)).km
            for x, y in corners[:: max(1, len(corners) // 40)]
        ]
        assert max(far) <= 1.01 * place.uncertainty_km + 2


def test_progress_is_told_and_nothing_is_read_that_is_not_asked_for(places):
    told = []
    first = list(islice(all_spots(places, lambda stage, share: told.append((stage, share))), 3))
    assert len(first) == 3
    assert told == [("places", 0.0)]


def test_ids_of_borders_are_in_alphabetical_order():
    for border in all_borders():
        assert re.fullmatch(r"border-[A-Z]{3}-[A-Z]{3}", border.id)
        assert border.countries == tuple(sorted(border.countries))


@pytest.mark.parametrize(("one", "other"), [("RUS", "KAZ"), ("CAN", "USA"), ("ARG", "CHL")])
def test_lengths_are_those_of_geopy(one, other):
    line = borders.border(one, other).line
    exact = sum(
        geodesic(south[::-1], north[::-1]).km
        for part in borders.parts(line)
        for south, north in pairwise(part.coords)
    )
    assert borders.length_km(line) == pytest.approx(exact, rel=1e-5)
