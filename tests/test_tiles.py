"""Vector tiles: each located event is in one tile of each zoom, by itself or in a cluster."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from math import asinh, floor, pi, radians, tan
from urllib.parse import parse_qsl, urlsplit

import mapbox_vector_tile
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthetic
from api import create_app, tiles
from api.fields import Days
from api.parameters import ItemsQuery, TileQuery, TilesetQuery, load
from api.schemas import PROPERTIES, SCALARS
from api.settings import Settings
from api.tiles import MOST_BYTES, MOST_EVENTS, SINGLE_FROM, in_months
from conftest import CONTRACT, ITEMS, TILESET, assert_problem, links, opened, operation, resolved
from geo.tiles import BITS, LAST_ZOOM, LATITUDE, Tile
from world import SPECIAL, event_id

TILES = "/collections/events/tiles"
MVT = "application/vnd.mapbox-vector-tile"
EVENTS = 5000


def decoded(data) -> list[dict]:
    """Return the features of a tile, each with its place in it; y grows southwards."""
    layers = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})
    assert list(layers) == ["events"]
    assert layers["events"]["extent"] == 4096
    assert layers["events"]["version"] == 2
    return layers["events"]["features"]


def features(client, at, text="") -> list[dict]:
    """Return the features of one tile."""
    answer = client.get(f"{TILESET}/{at.zoom}/{at.row}/{at.column}?{text}")
    if answer.status_code == 204:
        assert answer.data == b""
        assert "Content-Type" not in answer.headers
        return []
    assert answer.status_code == 200, answer.text[:500]
    assert answer.content_type == MVT
    assert len(answer.data) <= MOST_BYTES
    return decoded(answer.data)


def pyramid(client, text, last) -> Iterator[tuple[Tile, list[dict]]]:
    """Give every tile that has anything, and its features, down to the zoom `last`."""
    waiting = [Tile(0, 0, 0)]
    while waiting:
        at = waiting.pop()
        found = features(client, at, text)
        if not found:
            continue
        yield at, found
        if at.zoom < last:
            waiting += [
                Tile(at.zoom + 1, 2 * at.row + south, 2 * at.column + east)
                for south in (0, 1)
                for east in (0, 1)
            ]


def number(feature) -> int:
    """Return how many events a feature stands for."""
    return feature["properties"].get("point_count", 1)


def listed(client, text) -> list[dict]:
    """Return the events that the same query gives as items and that are on the map."""
    answer = client.get(f"{ITEMS}?limit=10000&{text}")
    assert answer.status_code == 200, answer.text[:500]
    assert not links(answer.json, "next")
    return [f for f in answer.json["features"] if f["geometry"] and on_map(f)]


def on_map(feature) -> bool:
    return abs(feature["geometry"]["coordinates"][1]) <= LATITUDE


def place(longitude, latitude) -> tuple[float, float]:
    """Return the place of a point on the map, whose width is 1."""
    return (longitude + 180) / 360, 0.5 - asinh(tan(radians(latitude))) / (2 * pi)


def tile_of(zoom, longitude, latitude) -> Tile:
    """Return the tile of a point, by the formula of the standard."""
    column, row = (min(floor(n * 2**zoom), 2**zoom - 1) for n in place(longitude, latitude))
    return Tile(zoom, row, column)


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


# What a feature tells.


@pytest.mark.requirement("T4")
def test_a_single_event_tells_what_a_map_needs(visitor):
    at = tile_of(12, 38.6, 33.3)
    (found,) = features(visitor, at)
    assert found["geometry"]["type"] == "Point"
    assert found["properties"] == {
        "id": event_id("end of January"),
        "event_type": "Battles",
        "starts_on": "2024-01-15",
        "ends_on": "2024-01-31",
        "country": "JOR",
        "geo_precision": "linear",
        "fatalities_best": 3,
        "status": "unverified",
    }


def test_properties_chooses_what_a_single_event_tells(visitor):
    at = tile_of(12, 38.6, 33.3)
    (found,) = features(visitor, at, f"properties={','.join(PROPERTIES)}")
    told = found["properties"]
    item = visitor.get(f"{ITEMS}/{event_id('end of January')}").json["properties"]
    assert json.loads(told.pop("tags")) == item.pop("tags") == ["drone", "border"]
    for name in ("actors", "reports"):
        assert json.loads(told.pop(name)) == item.pop(name)
    assert told.pop("id") == event_id("end of January")
    assert told == {name: value for name, value in item.items() if value is not None}
    (found,) = features(visitor, at, "properties=date_phrase")
    assert found["properties"].keys() == {"id", "date_phrase"}


def test_a_cluster_counts_its_events_and_their_dead(visitor):
    found = features(visitor, Tile(0, 0, 0), "country=SDN")
    events = listed(visitor, "country=SDN")
    assert all(f["properties"].keys() == {"point_count", "fatalities_best"} for f in found)
    dead = sum(f["properties"]["fatalities_best"] or 0 for f in events)
    assert sum(f["properties"]["fatalities_best"] for f in found) == dead > 0


@pytest.mark.parametrize("zoom", [0, 3, 6, 8])
def test_a_cluster_stands_in_the_middle_of_its_events(visitor, zoom):
    groups: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in listed(visitor, ""):
        x, y = place(*event["geometry"]["coordinates"])
        cell = tuple(min(floor(n * 2 ** (zoom + 5)), 2 ** (zoom + 5) - 1) for n in (x, y))
        groups.setdefault(cell, []).append((x, y))
    expected = sorted(
        (len(g), *(floor(sum(p[i] for p in g) / len(g) * 2**zoom * 4096) for i in (0, 1)))
        for g in groups.values()
    )
    found = sorted(
        (
            number(f),
            at.column * 4096 + f["geometry"]["coordinates"][0],
            at.row * 4096 + f["geometry"]["coordinates"][1],
        )
        for at, made in pyramid(visitor, "", zoom)
        if at.zoom == zoom
        for f in made
    )
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one[0] == other[0]
        assert max(abs(one[1] - other[1]), abs(one[2] - other[2])) <= 1, (
            "the east edge is the map's last"
        )


# Counts that are kept, and events counted on the spot.


@pytest.fixture(scope="module")
def crowd(make_database):
    """A client of the service on many synthetic events."""
    dsn = make_database()
    synthetic.write(dsn, EVENTS)
    with opened(dsn) as client:
        yield client


PERIODS = [
    None,
    "2024-01-01/2024-12-31",
    "2024-01-15/2024-03-10",
    "2024-01-15/2024-01-20",
    "2024-02-01/2024-02-20",
    "2024-02-20/2024-02-29",
    "2022-02-24",
    "../2012-05-05",
    "../2012-05-31",
    "2012-05-05/..",
    "2012-05-01/..",
    "../0001-01-15",
    "9999-12-20/9999-12-30",
]


@pytest.mark.parametrize("period", PERIODS)
def test_what_is_kept_is_what_counting_gives(crowd, period):
    kept = f"datetime={period}" if period else ""
    ways = [kept, f"{kept}&visibility=public"]  # which is true of every event
    assert [tiles.counted(asked(way)) for way in ways] == [True, False]
    some = 0
    for at in [Tile(0, 0, 0), *(tile_of(z, 35.1, 48.4) for z in range(1, 9)), Tile(3, 3, 5)]:
        one, other = (crowd.get(f"{TILESET}/{at.zoom}/{at.row}/{at.column}?{way}") for way in ways)
        assert one.status_code == other.status_code
        assert one.data == other.data
        some += bool(one.data)
    assert some or period in {"../0001-01-15", "9999-12-20/9999-12-30"}


def asked(text):
    return load(TileQuery, text.encode(), parse_qsl(text))


@pytest.mark.parametrize("text", ["", "datetime=2024-01-15/2024-03-10", "country=UKR"])
def test_a_crowd_is_all_in_the_tiles_of_each_zoom(crowd, text):
    hits = crowd.get(f"{ITEMS}?resultType=hits&bbox=-180,-90,180,90&{text}").json["numberMatched"]
    nowhere = sum(
        f["geometry"] is None
        for f in crowd.get(f"{ITEMS}?limit=10000&{text}&filter=geometry IS NULL").json["features"]
    )
    sums = dict.fromkeys(range(10), 0)
    for at, found in pyramid(crowd, text, 9):
        sums[at.zoom] += sum(map(number, found))
    assert sums == dict.fromkeys(range(10), hits - nowhere)


def test_only_a_question_for_a_period_is_answered_by_what_is_kept():
    assert tiles.counted(asked("properties=notes&datetime=2024-01-01"))
    assert tiles.counted(asked("certainty=certain"))
    assert not tiles.counted(asked("certainty=certain&datetime=2024-01-01"))
    assert not tiles.counted(asked("bbox=1,2,3,4"))
    assert not tiles.counted(asked("filter=country = 'IRQ'"))
    for name in SCALARS:
        assert not tiles.counted({"datetime": Days(None, None), name: "x"})


DAYS = st.dates(date(1900, 1, 1), date(1900, 6, 30)) | st.none()


@given(first=DAYS, last=DAYS, day=st.dates(date(1899, 12, 1), date(1900, 8, 1)))
def test_a_period_is_its_whole_months_and_the_days_left_at_its_edges(first, last, day):
    if first and last and first > last:
        first, last = last, first
    start, end, edges = in_months(Days(first, last))
    month = day.replace(day=1)
    after = start == tiles.NEVER or (start != tiles.FOREVER and start <= month)
    before = end == tiles.FOREVER or (end != tiles.NEVER and month <= end)
    times = (after and before) + sum(a <= day <= b for a, b in edges)
    assert times == ((first or day) <= day <= (last or day))
    assert all(b - a < timedelta(days=30) for a, b in edges)


# Tiles that would be too large.


@pytest.fixture
def heap(conn, client):
    """A client of the service on `n` events of one place, written by `heap(n)`."""

    def write(n, notes=""):
        conn.execute(
            "INSERT INTO event (id, dataset, source_id, event_type, geom, starts_on, notes,"
            " fatalities_best) SELECT gen_random_uuid(), 'heap', gen_random_uuid(), 'Riots',"
            " ST_Point(44.4 + i %% 2 * 0.000001, 33.3, 4326), date '2024-01-01',"
            " %s || md5(i::text), 1 FROM generate_series(1, %s) AS i",
            [notes, n],
        )
        return client

    return write


@pytest.mark.parametrize("zoom", [SINGLE_FROM, 14, 22])
def test_a_tile_of_too_many_events_has_clusters(heap, zoom):
    client = heap(MOST_EVENTS)
    at = tile_of(zoom, 44.4, 33.3)
    first = features(client, at)
    assert {number(f) for f in first} == {1}
    assert all("id" in f["properties"] for f in first)
    heap(1)
    found = features(client, at)
    assert all(f["properties"].keys() == {"point_count", "fatalities_best"} for f in found)
    assert len(found) <= 2
    assert sum(map(number, found)) == len(first) + 1


def test_a_tile_of_too_many_bytes_has_clusters(heap):
    at = tile_of(12, 44.4, 33.3)
    client = heap(1000, "x" * 600)
    assert len(features(client, at)) == 1000
    found = features(client, at, "properties=notes")
    assert sum(map(number, found)) == 1000
    assert len(found) <= 2


# What may be asked.


def test_a_tile_takes_the_filters_of_the_items_and_no_more():
    items = {f.data_key or n for n, f in ItemsQuery().fields.items()}
    neither = {"limit", "cursor", "sortby", "crs", "resultType", "skipGeometry", "geometry"}
    for schema in (TileQuery, TilesetQuery):
        assert {f.data_key or n for n, f in schema().fields.items()} == items - neither
    for path in (TILESET, f"{TILESET}/0/0/0"):
        given = [resolved(p) for p in operation("GET", path)["parameters"]]
        assert {p["name"] for p in given if p["in"] == "query"} == items - neither


@pytest.mark.requirement("T7")
@pytest.mark.parametrize(
    "name", ["limit", "cursor", "sortby", "crs", "resultType", "skipGeometry", "geometry", "offset"]
)
@pytest.mark.parametrize("path", [TILESET, f"{TILESET}/0/0/0"])
def test_what_makes_no_sense_of_a_tile_is_unknown(visitor, path, name):
    assert_problem(visitor.get(f"{path}?{name}=1"), 400, parameter=name)


@pytest.mark.parametrize("path", [TILESET, f"{TILESET}/0/0/0"])
@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("bbox=1,2,3", "bbox"),
        ("datetime=never", "datetime"),
        ("filter=country", "filter"),
        ("radius_km=4", "radius_km"),
        ("near=Nowhere at all", "near"),
        ("f=png", "f"),
        ("country=IRQ&country=SYR", "country"),
    ],
)
def test_a_bad_filter_is_refused_by_name(visitor, path, text, parameter):
    assert_problem(visitor.get(f"{path}?{text}"), 400, parameter=parameter)


@pytest.mark.requirement("T3")
@pytest.mark.parametrize(
    "at",
    [
        *("1/0/2", "1/2/0", "0/0/1", "23/0/0", "99/0/0", "22/4194304/0", "-1/0/0", "0/-1/0"),
        *("x/0/0", "0/0/0.5", "00/0/0", "0/0/٠", "1/01/0", "0/0/0.pbf", "9999999999/0/0"),
    ],
)
def test_a_tile_outside_the_matrix_is_not_found(visitor, at):
    assert_problem(visitor.get(f"{TILESET}/{at}"), 404, type="urn:hudna:problem:not-found")


def test_the_last_tile_of_the_last_zoom_is_there(visitor):
    last = 2**LAST_ZOOM - 1
    assert visitor.get(f"{TILESET}/{LAST_ZOOM}/{last}/{last}").status_code == 204


@pytest.mark.parametrize("path", [f"{TILES}/WorldCRS84Quad", f"{TILES}/WorldCRS84Quad/0/0/0"])
def test_another_tile_matrix_set_is_not_found(visitor, path):
    assert_problem(visitor.get(path), 404)


def test_a_tile_can_be_had_as_a_tile_only(visitor):
    assert_problem(visitor.get(f"{TILESET}/0/0/0", headers={"Accept": "image/png"}), 406)
    for accept in ("*/*", MVT, "application/*"):
        assert visitor.get(f"{TILESET}/0/0/0", headers={"Accept": accept}).content_type == MVT
    assert (
        visitor.get(f"{TILESET}/0/0/0?f=mvt", headers={"Accept": "image/png"}).content_type == MVT
    )


# How a tile is sent.


EMPTY = f"{TILESET}/5/0/0"


@pytest.mark.requirement("T4")
def test_a_tile_that_is_empty_is_204(visitor):
    answer = visitor.get(EMPTY)
    assert answer.status_code == 204
    assert answer.data == b""
    assert answer.headers["ETag"]


@pytest.mark.parametrize("path", [f"{TILESET}/0/0/0", f"{TILESET}/12/0/0", EMPTY])
def test_a_tile_that_is_known_is_not_sent_again(visitor, path):
    tag = visitor.get(path).headers["ETag"]
    again = visitor.get(path, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.headers["ETag"] == tag
    assert again.data == b""
    assert visitor.get(path, headers={"If-None-Match": '"x"'}).status_code in {200, 204}


def test_head_answers_as_get_does_but_without_a_body(visitor):
    for path in (f"{TILESET}/0/0/0", EMPTY):
        got, head = visitor.get(path), visitor.head(path)
        assert head.status_code == got.status_code
        assert head.data == b""
        of_the_moment = {"Date": None}
        assert dict(head.headers) | of_the_moment == dict(got.headers) | of_the_moment


def test_a_tile_of_a_named_region_changes_with_the_gazetteer(visitor):
    plain, named = (
        visitor.get(f"{TILESET}/0/0/0?{text}").headers["ETag"] for text in ("", "within=Jordan")
    )
    assert named.count(".") == plain.count(".") + 1


def test_a_write_makes_a_new_entity_tag(make_event, client):
    path = f"{TILESET}/3/3/4"
    make_event(place=(10, 10))
    first = client.get(path)
    assert [number(f) for f in decoded(first.data)] == [1]
    make_event(place=(10, 10))
    second = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    assert [number(f) for f in decoded(second.data)] == [2]


class Counting:
    """A pool of one connection that counts the statements."""

    def __init__(self, conn) -> None:
        self.conn, self.asked = conn, []

    def connection(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def execute(self, statement, *args, **kwargs):
        self.asked.append(statement)
        return self.conn.execute(statement, *args, **kwargs)


def test_what_is_unchanged_costs_one_statement(conn, make_event):
    make_event(place=(10, 10))
    pool = Counting(conn)
    client = create_app(Settings(database_url="unused"), pool=pool).test_client()
    tag = client.get(f"{TILESET}/3/3/4").headers["ETag"]
    pool.asked.clear()
    assert client.get(f"{TILESET}/3/3/4", headers={"If-None-Match": tag}).status_code == 304
    assert len(pool.asked) == 1


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_large_tile_is_compressed(crowd, coding):
    plain = crowd.get(f"{TILESET}/2/1/2")
    packed = crowd.get(f"{TILESET}/2/1/2", headers={"Accept-Encoding": coding})
    assert packed.content_encoding == coding
    assert len(packed.data) < len(plain.data)


def test_a_page_of_another_origin_may_read_tiles(visitor):
    for path in (f"{TILESET}/0/0/0", EMPTY):
        answer = visitor.get(path, headers={"Origin": "https://map.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_tile_that_takes_too_long_is_given_up(make_database):
    dsn = make_database()
    with (
        psycopg.connect(dsn, autocommit=True) as conn,
        opened(dsn, statement_timeout_s=1) as client,
    ):
        assert client.get(f"{TILESET}/0/0/0").status_code == 204
        with conn.transaction():
            conn.execute("LOCK TABLE event_cell")
            assert_problem(client.get(f"{TILESET}/0/0/0"), 503, type="urn:hudna:problem:too-slow")


@pytest.mark.requirement("T4")
def test_gdal_reads_a_tile(visitor, tmp_path):
    at = tile_of(10, 31, 16)
    answer = visitor.get(f"{TILESET}/{at.zoom}/{at.row}/{at.column}")
    file = tmp_path / "tile.mvt"
    file.write_bytes(answer.data)
    options = {"X": at.column, "Y": at.row, "Z": at.zoom}
    given = [word for name, value in options.items() for word in ("-oo", f"{name}={value}")]
    command = ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", file, *given, "-t_srs", "EPSG:4326"]
    read = subprocess.run(command, check=True, capture_output=True, timeout=60)
    found = json.loads(read.stdout)["features"]
    assert len(found) == len(decoded(answer.data)) > 10
    known = {f["id"]: f for f in listed(visitor, "country=SDN")}
    for feature in found:
        event = known[feature["properties"]["id"]]
        for one, other in zip(
            feature["geometry"]["coordinates"], event["geometry"]["coordinates"], strict=True
        ):
            assert one == pytest.approx(other, abs=360 / 2**at.zoom / 4096)
        assert feature["properties"]["starts_on"] == event["properties"]["starts_on"]


# What the tiles are tiles of.


@pytest.mark.requirement("T6")
def test_the_tile_matrix_set_is_the_one_that_ogc_registered(visitor):
    body = visitor.get("/tileMatrixSets/WebMercatorQuad").json
    assert body["uri"] == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    assert [m["id"] for m in body["tileMatrices"]] == [str(n) for n in range(25)]
    # as OGC registered them (17-083r4)
    for zoom, scale, cell in [
        (0, 559082264.028717, 156543.033928041),
        (1, 279541132.014358, 78271.5169640204),
        (17, 4265.45916769957, 1.19432856695587),
        (24, 33.3238997476529, 0.0093306919293427),
    ]:
        matrix = body["tileMatrices"][zoom]
        assert matrix["scaleDenominator"] == pytest.approx(scale, rel=1e-12)
        assert matrix["cellSize"] == pytest.approx(cell, rel=1e-12)
        assert matrix["matrixWidth"] == matrix["matrixHeight"] == 2**zoom
        assert matrix["pointOfOrigin"] == [-20037508.342789244, 20037508.342789244]


@pytest.mark.requirement("T1")
def test_tilesets_are_found_from_the_landing_page_and_from_the_collection(visitor):
    tilings = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
    (schemes,) = links(visitor.get("/").json, tilings)
    assert visitor.get(schemes["href"]).json["tileMatrixSets"][0]["id"] == "WebMercatorQuad"
    listing = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
    (sets,) = links(visitor.get("/collections/events").json, listing)
    (tileset,) = visitor.get(sets["href"]).json["tilesets"]
    assert tileset["dataType"] == "vector"
    (link,) = links(tileset, "self")
    body = visitor.get(link["href"]).json
    (scheme,) = links(body, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme")
    assert visitor.get(scheme["href"]).json["uri"] == body["tileMatrixSetURI"]


@pytest.mark.requirement("T2")
def test_the_template_of_a_tileset_leads_to_its_tiles(visitor):
    (item,) = links(visitor.get(f"{TILESET}?country=JOR&datetime=2024-01-20/..").json, "item")
    assert item["templated"] is True
    assert item["type"] == MVT
    values = {"tileMatrix": "0", "tileRow": "0", "tileCol": "0"}
    answer = visitor.get(re.sub(r"\{(\w+)\}", lambda m: values[m[1]], item["href"]))
    assert sum(map(number, decoded(answer.data))) == 1


@pytest.mark.requirement("T3")
def test_the_limits_of_a_tileset_hold_all_tiles(visitor):
    limits = {x["tileMatrix"]: x for x in visitor.get(TILESET).json["tileMatrixSetLimits"]}
    assert limits.keys() == {str(n) for n in range(LAST_ZOOM + 1)}
    for at, _ in pyramid(visitor, "", 9):
        found = limits[str(at.zoom)]
        assert found["minTileRow"] <= at.row <= found["maxTileRow"]
        assert found["minTileCol"] <= at.column <= found["maxTileCol"]


def test_tilejson_carries_the_filters_over(visitor):
    asked = {"country": "JOR", "datetime": "2024-01-20/..", "filter": "notes LIKE '%{&=+ü%'"}
    body = visitor.get(TILESET, query_string={"f": "tilejson"} | asked).json
    (template,) = body["tiles"]
    assert dict(parse_qsl(urlsplit(template).query)) == asked
    path = urlsplit(template).path
    assert path == f"{TILESET}/{{z}}/{{y}}/{{x}}"
    filled = re.sub(r"\{[zxy]\}", "0", template)
    assert visitor.get(filled).status_code == 204
    assert (body["minzoom"], body["maxzoom"]) == (0, LAST_ZOOM)
    (layer,) = body["vector_layers"]
    assert layer["id"] == "events"
    assert {"id", "point_count", "fatalities_best", "event_type"} <= layer["fields"].keys()
    body = visitor.get(f"{TILESET}?f=tilejson&properties=notes").json
    fields = body["vector_layers"][0]["fields"]
    assert fields.keys() == {"id", "notes", "point_count", "fatalities_best"}


def test_tilejson_can_be_had_by_its_media_type(visitor):
    media = "application/vnd.mapbox.tile+json"
    answer = visitor.get(TILESET, headers={"Accept": media})
    assert answer.content_type == media
    assert answer.json["tilejson"] == "3.0.0"
    west, south, east, north = answer.json["bounds"]
    assert (west, east) == (-180, 180)
    assert (south, north) == (-LATITUDE, LATITUDE)


def test_what_conformance_declares_of_tiles(visitor):
    declared = set(visitor.get("/conformance").json["conformsTo"])
    tiles_ = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
    names = ["core", "tileset", "tilesets-list", "geodata-tilesets", "mvt"]
    assert {f"{tiles_}/{name}" for name in names} <= declared
    matrix = "http://www.opengis.net/spec/tms/2.0/conf"
    assert {f"{matrix}/{name}" for name in ("tilematrixset", "json-tilematrixset")} <= declared
    assert (
        "/collections/events/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}"
        in CONTRACT["paths"]
    )


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
