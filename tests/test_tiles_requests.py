"""What may be asked of tiles, and how they are sent."""

import json
import subprocess

import psycopg
import pytest

from api import create_app
from api.parameters import ItemsQuery, TileQuery, TilesetQuery
from api.settings import Settings
from conftest import TILESET, assert_problem, opened, operation, resolved
from geo.tiles import LAST_ZOOM
from mvt import MVT, decoded, listed, number, tile_of

TILES = "/collections/events/tiles"


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
