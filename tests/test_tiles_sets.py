"""What the tiles are tiles of: the tile matrix set, the tileset, TileJSON."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from conftest import CONTRACT, TILESET, links
from geo.tiles import LAST_ZOOM, LATITUDE
from mvt import MVT, decoded, number, pyramid


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
