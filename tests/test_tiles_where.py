"""Each located event is in one tile of each zoom, where the standard has it."""

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ITEMS
from geo.tiles import BITS, LAST_ZOOM, LATITUDE, Tile
from mvt import features, listed, number, place, pyramid, tile_of
from world import SPECIAL

# Where an event is.


QUERIES = [
    "",
    "datetime=2023-06-01/2023-06-05",
    "datetime=2020-01-10/2024-01-03",
    "datetime=../2020-02-01",
    "datetime=2024-01-20/..",
    "country=SDN&event_type=Riots",
    "bbox=170,-30,-170,30",
    "bbox=0,0,5000000,4000000&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857",
    "filter=fatalities_best > 2&datetime=2020-01-05/2020-01-20",
    "near=31,16&radius_km=90",
    "within=Syria",
    "within=Jordan&certainty=possible",
    "bbox=35,32,40,34&datetime=2024-01-20/2024-02-20&certainty=possible",
    "bbox=35,32,40,34&datetime=2024-01-01/2024-02-20&certainty=certain",
    "datetime=2020-01-05/2020-01-20&certainty=certain",
]


@pytest.mark.requirement("T5")
@pytest.mark.parametrize("text", QUERIES)
def test_every_tile_of_a_zoom_together_has_each_located_event_once(visitor, text):
    expected = len(listed(visitor, text))
    sums = dict.fromkeys(range(12), 0)
    for at, found in pyramid(visitor, text, 11):
        sums[at.zoom] += sum(map(number, found))
    assert sums == dict.fromkeys(range(12), expected)


@pytest.mark.requirement("T5")
@pytest.mark.parametrize("zoom", range(LAST_ZOOM + 1))
def test_an_event_is_in_its_tile_and_in_none_beside_it(visitor, zoom):
    for event in SPECIAL:
        if event.get("place") is None or abs(event["place"][1]) > LATITUDE:
            continue
        text = f"filter=source_id = '{event['source_id'].replace(chr(39), chr(39) * 2)}'"
        at = tile_of(zoom, *event["place"])
        assert sum(map(number, features(visitor, at, text))) == 1, event["source_id"]
        width = 1 << zoom
        for south, east in [(0, 1), (1, 0), (1, 1), (0, -1), (-1, 0), (-1, -1)]:
            beside = (at.row + south) % width, (at.column + east) % width
            if beside != (at.row, at.column):
                assert features(visitor, Tile(zoom, *beside), text) == [], event["source_id"]


@pytest.mark.parametrize("zoom", [0, 1, 5, 8, 9, 15, 22])
def test_the_antimeridian_is_the_first_column_from_the_east_and_the_last_from_the_west(
    visitor, zoom
):
    for name, (longitude, latitude), column in [
        ("west edge", (-180, 10), 0),
        ("east edge", (180, 10.5), 2**zoom - 1),
    ]:
        at = tile_of(zoom, longitude, latitude)
        assert at.column == column
        (found,) = features(visitor, at, f"source_id={name}")
        assert found["geometry"]["coordinates"][0] == (
            0 if column == 0 and name[0] == "w" else 4095
        )


@pytest.mark.parametrize("name", ["north pole", "south pole"])
def test_what_lies_beyond_the_map_is_in_no_tile(visitor, name):
    assert features(visitor, Tile(0, 0, 0), f"source_id={name}") == []
    assert visitor.get(f"{ITEMS}?source_id={name}").json["numberReturned"] == 1


def test_a_feature_stands_where_its_event_is(visitor):
    text = "country=SDN&limit=10000"
    where = {
        f["id"]: place(*f["geometry"]["coordinates"])
        for f in visitor.get(f"{ITEMS}?{text}").json["features"]
    }
    zoom = 11
    seen = set()
    for at, found in pyramid(visitor, "country=SDN", zoom):
        for feature in found if at.zoom == zoom else []:
            x, y = feature["geometry"]["coordinates"]
            left, top = (
                (n % 1)
                for n in (
                    where[feature["properties"]["id"]][0] * 2**zoom,
                    where[feature["properties"]["id"]][1] * 2**zoom,
                )
            )
            assert (x, y) == (floor(left * 4096), floor(top * 4096))
            seen.add(feature["properties"]["id"])
    assert seen == where.keys()


# The arithmetic.


@given(
    zoom=st.integers(0, LAST_ZOOM),
    longitude=st.floats(-180, 180),
    latitude=st.floats(-85, 85),
)
def test_a_point_lies_within_the_bounds_of_its_tile(zoom, longitude, latitude):
    west, south, east, north = Tile.at(zoom, longitude, latitude).bounds
    assert west - 1e-9 <= longitude <= east + 1e-9
    assert south - 1e-9 <= latitude <= north + 1e-9


@pytest.mark.requirement("T6")
def test_the_database_cuts_the_map_as_the_standard_does(conn):
    points = [(-180, 0), (180, 0), (0, 0), (44.4, 33.3), (-70.7, -34.2), (179.999999, 85.05)]
    for longitude, latitude in points:
        x, y = conn.execute(
            "SELECT map_x(p), map_y(p) FROM ST_Point(%s, %s, 4326) AS p", [longitude, latitude]
        ).fetchone()
        expected = [min(floor(n * 2**BITS), 2**BITS - 1) for n in place(longitude, latitude)]
        assert abs(x - expected[0]) <= 1
        assert abs(y - expected[1]) <= 1


def test_the_numbers_of_cells_are_the_same_in_the_database(conn):
    for zoom, level in [(0, 5), (3, 9), (8, 13), (13, 13)]:
        for at in {Tile(zoom, 0, 0), Tile(zoom, 2**zoom - 1, 2**zoom // 3)}:
            cells = at.cells(level)
            assert len(cells) == 4 ** (level - zoom)
            corner = at.column << (level - zoom), at.row << (level - zoom)
            (low,) = conn.execute("SELECT map_cell(%s::bigint, %s::bigint)", corner).fetchone()
            assert low == cells[0]
