"""Reference systems against two others who know them: the register of EPSG, and PostGIS."""

import re
from functools import cache

import numpy as np
import pytest
import shapely
from pyproj import CRS, Transformer

from conftest import ROOT
from geo.region import Region
from geo.systems import CRS84, EPSG, SYSTEMS

METRIC = [system for system in SYSTEMS.values() if not system.degrees]
BENT = [system for system in METRIC if not system.upright]

#: A box is drawn on the earth that exactly, in metres.
BOX_IS_OFF = 10


def named(systems):
    return pytest.mark.parametrize("system", systems, ids=lambda system: system.srid)


def grid(west, south, east, north, steps=25):
    """Return points all over a box, its rim included: a row of longitudes, a row of latitudes."""
    points = np.meshgrid(np.linspace(west, east, steps), np.linspace(south, north, steps))
    return points[0].ravel(), points[1].ravel()


@cache
def transformer(srid) -> Transformer:
    return Transformer.from_crs("OGC:CRS84", f"EPSG:{srid}", always_xy=True)


def projected(system, east, north):
    """Return longitudes and latitudes in a system, east first."""
    return transformer(system.srid).transform(east, north)


def test_there_is_what_the_regions_of_the_data_need():
    zones = {s.srid for s in SYSTEMS.values() if s.name.startswith("WGS 84 / UTM")}
    assert {*range(32635, 32641), 32646, 32647, *range(32628, 32634), 32614, 32733} <= zones
    assert {EPSG + code for code in ("4326", "3857", "3035", "6372", "2039")} <= SYSTEMS.keys()
    assert next(iter(SYSTEMS)) == CRS84


@named([system for system in SYSTEMS.values() if system.uri != CRS84])
def test_a_system_is_what_the_register_says(system):
    known = CRS.from_epsg(system.srid)
    first, second = (axis.direction for axis in known.axis_info)
    assert system.uri == EPSG + str(system.srid)
    assert system.name == known.name
    assert (first, second) == (("north", "east") if system.north_first else ("east", "north"))
    unit = "degree" if system.degrees else "metre"
    assert {axis.unit_name for axis in known.axis_info} == {unit}
    if "UTM" not in system.name:
        assert system.domain == known.area_of_use.bounds
    else:
        west, _, east, _ = known.area_of_use.bounds
        assert system.domain[0] < west < east < system.domain[2]


@named(METRIC)
def test_a_place_comes_back_from_everywhere_in_the_domain(system):
    east, north = grid(*system.domain)
    there = Transformer.from_crs("OGC:CRS84", f"EPSG:{system.srid}", always_xy=True)
    back = there.transform(*there.transform(east, north), direction="INVERSE")
    off = np.hypot((back[0] - east) * np.cos(np.radians(north)), back[1] - north) * 111_195
    assert off.max() < 0.005, "metres, half of the last digit"


@named(METRIC)
def test_the_database_and_the_service_agree_about_every_place_of_the_domain(system, conn):
    """A grid of a datum's shift that only one of them has, or another choice of shifts, shows."""
    east, north = grid(*system.domain)
    rows = conn.execute(
        "SELECT ST_X(t.geom), ST_Y(t.geom) FROM unnest(%s::float8[], %s::float8[])"
        " WITH ORDINALITY AS p (x, y, n), ST_Transform(ST_Point(p.x, p.y, 4326), %s::int)"
        " AS t (geom) ORDER BY p.n",
        (east.tolist(), north.tolist(), system.srid),
    ).fetchall()
    assert np.abs(np.array(rows).T - projected(system, east, north)).max() < 0.001, "metres"


@pytest.mark.parametrize(
    ("code", "place", "coordinates"),
    [
        ("3857", (-(100 + 20 / 60), 24 + 22 / 60 + 54.433 / 3600), (-11169055.58, 2800000.00)),
        ("3035", (5, 50), (3962799.45, 2999718.85)),
    ],
)
def test_the_examples_of_the_registers_guidance_note_come_out(code, place, coordinates):
    """IOGP 373-7-2, the examples of Popular Visualisation Pseudo-Mercator and of LAEA Europe."""
    assert projected(SYSTEMS[EPSG + code], *place) == pytest.approx(coordinates, abs=0.01)


# Boxes.


def random_boxes(system, number):
    """Yield boxes of all sizes in the coordinates of a system; some reach beyond its domain."""
    chance = np.random.default_rng(system.srid)
    x, y = projected(system, *grid(*system.domain, steps=9))
    sides = np.ptp(x), np.ptp(y)
    for _ in range(number):
        at = chance.integers(len(x))
        half = [side * 10 ** chance.uniform(-3, 0) / 2 for side in sides]
        yield x[at] - half[0], y[at] - half[1], x[at] + half[0], y[at] + half[1]


@named(BENT)
def test_a_box_holds_what_has_its_coordinates_in_it_and_no_more(system):
    chance = np.random.default_rng(2024)
    west, south, east, north = system.domain
    for box in random_boxes(system, 8):
        region = system.region(box)
        bounds = np.array(region.whole.bounds)
        longitudes = np.clip(chance.uniform(bounds[0] - 1, bounds[2] + 1, 500), west, east)
        latitudes = np.clip(chance.uniform(bounds[1] - 1, bounds[3] + 1, 500), south, north)
        points = shapely.points(*projected(system, longitudes, latitudes))
        wanted = shapely.intersects(shapely.box(*box), points)
        near = shapely.distance(shapely.box(*box).boundary, points) < BOX_IS_OFF
        found = shapely.intersects(region.whole, shapely.points(longitudes, latitudes))
        assert ((found == wanted) | near).all()


@named(BENT)
def test_the_rim_of_the_domain_belongs_to_it(system):
    whole = system.region((-1e9, -1e9, 1e9, 1e9)).whole
    rim = shapely.segmentize(shapely.box(*system.domain).exterior, 0.1)
    assert shapely.intersects(whole, shapely.points(rim.coords)).all()
    assert whole.area == pytest.approx(shapely.box(*system.domain).area, rel=1e-12)


def test_an_edge_is_bent_on_the_earth_as_it_is_straight_on_the_plane():
    box = (-1_000_000, 5_000_000, 2_000_000, 5_500_000)
    region = SYSTEMS[f"{EPSG}32637"].region(box)
    on_the_meridian = [shapely.Point(39, latitude) for latitude in (44.5, 45.3, 49.5, 49.8)]
    assert [region.whole.intersects(point) for point in on_the_meridian] == [0, 1, 1, 0]
    corners = Transformer.from_crs("EPSG:32637", "OGC:CRS84", always_xy=True)
    low, high = (corners.transform(box[0], y)[1] for y in (box[1], box[3]))
    assert low < 44.5, "a box around the corners would have the first"
    assert high < 49.5, "and not the third"


@named(BENT)
@pytest.mark.parametrize("number", [1e9, 1e308])
def test_a_box_of_any_size_is_cut_to_the_domain(system, number):
    region = system.region((-number, -number, number, number))
    whole = shapely.box(*system.domain)
    assert shapely.covers(whole.buffer(1e-9), region.whole)
    assert region.area.area == pytest.approx(whole.area, rel=1e-12)
    assert not region.named, "it is a window of a map"


@named(BENT)
def test_a_box_outside_the_domain_is_nothing(system):
    assert system.region((1e8, 1e8, 2e8, 2e8)) == Region(())


def test_a_box_at_a_corner_that_the_outline_leaves_out_is_nothing():
    system = SYSTEMS[f"{EPSG}32637"]
    x, y = projected(system, *grid(*system.domain))
    assert system.region((x.min(), y.min(), x.min() + 1, y.min() + 1)) == Region(())


@named(BENT)
def test_a_line_and_a_point_stay_what_they_are(system):
    middle = [np.mean(system.domain[::2]), np.mean(system.domain[1::2])]
    x, y = projected(system, *middle)
    (point,) = system.region((x, y, x, y)).parts
    assert point.coords[0] == pytest.approx(middle, abs=1e-7)
    (line,) = system.region((x, y, x + 1000, y)).parts
    assert line.geom_type == "LineString"


@named([system for system in METRIC if system.upright])
def test_a_box_of_an_upright_system_is_a_box_of_degrees(system):
    east, north = grid(*system.domain, steps=7)
    x, y = projected(system, east, north)
    there = system.in_degrees((x[8], y[8], x[-9], y[-9]))
    assert there == pytest.approx((east[8], north[8], east[-9], north[-9]), abs=1e-7)
    _, south, _, north = system.in_degrees((0, 3e7, 1, 4e7))
    assert south > north, "it is beyond the domain"
    wound = system.in_degrees((x.max(), 0, x.max() * 1.5, 1))
    assert (wound[0], wound[2]) == pytest.approx((180, 270))


# Geometries.


def turned(system, geometry):
    """Return a geometry with its axes in the order of the authority."""
    if not system.north_first:
        return geometry
    return shapely.transform(geometry, lambda corners: corners[:, ::-1])


@named(SYSTEMS.values())
def test_a_geometry_of_the_whole_domain_is_the_domain_on_the_earth(system):
    rim = shapely.segmentize(shapely.box(*system.domain), 0.1)
    there = rim
    if not system.degrees:
        there = shapely.transform(rim, lambda c: np.column_stack(projected(system, *c.T)))
    back = system.on_earth(turned(system, there))
    assert back.is_valid
    assert back.bounds == pytest.approx(system.domain, abs=1e-3)
    assert back.area == pytest.approx(rim.area, rel=1e-6)


@named(SYSTEMS.values())
def test_a_geometry_that_leaves_the_domain_is_refused_and_the_domain_named(system):
    west, south, east, north = system.domain
    points = [(west - 1, south), (east + 1, north), (east, north + 0.5), (west, south - 0.5)]
    points += [(1e9, 1e9), (-1e9, 0), (0, 1e308)]
    for point in points:
        there = point
        if not system.degrees and abs(point[1]) <= 90:
            if system.upright and abs(point[0]) > 180:
                there = (point[0] / 180 * projected(system, 180, 0)[0], 0)
            else:
                there = projected(system, *point)
        for shape in (shapely.Point(there), shapely.LineString([there, np.add(there, 1)])):
            with pytest.raises(ValueError, match=re.escape(f"which {system.name} is used")) as said:
                system.on_earth(turned(system, shape))
            assert f"from {west:g} to {east:g}" in str(said.value)


@named(BENT)
def test_coordinates_that_mean_nothing_are_refused_though_they_come_out_somewhere(system):
    """They are within the box around the domain, and undone they are no place of it."""
    (x0, y0), (x1, y1) = np.array(system._outline.bounds).reshape(2, 2)  # noqa: SLF001 - to draw from
    chance = np.random.default_rng(7)
    points = np.column_stack([chance.uniform(x0, x1, 300), chance.uniform(y0, y1, 300)])
    inside = shapely.intersects_xy(system._outline, points)  # noqa: SLF001 - the same
    assert not inside.all()
    good = system.on_earth(turned(system, shapely.MultiPoint(points[inside])))
    again = np.column_stack(projected(system, *shapely.get_coordinates(good).T))
    assert np.abs(again - points[inside]).max() < 0.01, "metres"
    for point in points[~inside][:20]:
        with pytest.raises(ValueError, match="leaves the part"):
            system.on_earth(turned(system, shapely.Point(point)))


def test_the_edge_of_the_world_may_be_written_with_its_digits_rounded():
    system = SYSTEMS[f"{EPSG}3857"]
    line = shapely.LineString([(20037508.35, 0), (20037508.34, 1), (-20037508.35, 1)])
    east = shapely.get_coordinates(system.on_earth(line))[:, 0]
    assert (east[0], east[-1]) == (180, -180)
    assert (np.diff(east) <= 0).all(), "it does not come round"
    third = shapely.Point(3 * 60.00000000000001, 0)
    assert third.x > 180
    assert SYSTEMS[CRS84].on_earth(third).x == pytest.approx(180)


def test_an_edge_of_metres_is_straight_on_its_plane():
    for code in ("3857", "32637"):
        system = SYSTEMS[EPSG + code]
        ends = np.column_stack(projected(system, np.array([20.0, 60.0]), np.array([10.0, 60.0])))
        line = system.on_earth(shapely.LineString(ends))
        middle = shapely.Point(
            *projected(system, *line.interpolate(0.3, normalized=True).coords[0])
        )
        assert shapely.distance(shapely.LineString(ends), middle) < BOX_IS_OFF


def test_what_is_too_long_to_be_bent_is_refused():
    system = SYSTEMS[f"{EPSG}3857"]
    zigzag = shapely.LineString([(2e7 * (-1) ** i, i) for i in range(40)])
    with pytest.raises(ValueError, match="1,000,000 km"):
        system.on_earth(zigzag)


# The document.


def test_the_table_of_the_documentation_is_the_table_of_the_service():
    text = (ROOT / "docs/reference-systems.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", text, flags=re.MULTILINE
    )
    assert rows == [
        (
            system.uri.removeprefix("http://www.opengis.net/def/crs/"),
            system.name,
            f"{'north, east' if system.north_first else 'east, north'}",
            ", ".join(f"{x:g}" for x in system.domain),
        )
        for system in SYSTEMS.values()
    ]
