"""What the service says of its tiles: tile matrix sets, tilesets, TileJSON."""

from typing import Any

from api.collections import ATTRIBUTION, DESCRIPTION
from api.events import Extent
from api.links import (
    JSON,
    MVT,
    TILING_SCHEME,
    Link,
    base,
    link,
    question,
)
from api.schemas import PROPERTIES
from api.tiles import SINGLE_FROM, TOLD
from geo.tiles import HALF_M, LAST_ZOOM, LATITUDE, Tile

QUAD = "WebMercatorQuad"
TITLE = "Conflict events"
URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{QUAD}"
CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
TILES = "/collections/events/tiles"
SET = f"/tileMatrixSets/{QUAD}"
#: OGC defines the set to this zoom; the tileset ends before (17-083r4).
DEFINED_TO = 24
#: The standard's pixel is so wide, in metres (17-083r4).
PIXEL_M = 0.00028
#: What a feature tells that stands for several events.
CLUSTER = {
    "point_count": "How many events it stands for.",
    "fatalities_best": "The sum of those that are known.",
}


def matrix_sets(selves: list[Link]) -> dict[str, Any]:
    """Return the list of tile matrix sets (OGC 20-057)."""
    return {
        "links": selves,
        "tileMatrixSets": [
            {
                "id": QUAD,
                "title": "The square map of Web Mercator",
                "uri": URI,
                "crs": CRS,
                "links": [link("self", SET, JSON, "Its definition")],
            }
        ],
    }


def matrix_set(selves: list[Link]) -> dict[str, Any]:
    """Return the tile matrix set (OGC 17-083r4)."""
    return {
        "id": QUAD,
        "title": "The square map of Web Mercator",
        "uri": URI,
        "crs": CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [_matrix(zoom) for zoom in range(DEFINED_TO + 1)],
        "links": selves,
    }


def _matrix(zoom: int) -> dict[str, Any]:
    width = 1 << zoom
    cell = 2 * HALF_M / (256 * width)
    return {
        "id": str(zoom),
        "scaleDenominator": cell / PIXEL_M,
        "cellSize": cell,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-HALF_M, HALF_M],
        "tileWidth": 256,
        "tileHeight": 256,
        "matrixWidth": width,
        "matrixHeight": width,
    }


def tilesets(selves: list[Link]) -> dict[str, Any]:
    """Return the list of the tilesets of events (OGC 20-057)."""
    return {
        "links": [
            *selves,
            link("collection", "/collections/events", JSON, "The collection"),
        ],
        "tilesets": [
            {
                "title": TITLE,
                "dataType": "vector",
                "crs": CRS,
                "tileMatrixSetURI": URI,
                "links": [
                    link("self", f"{TILES}/{QUAD}", JSON, "The tileset"),
                    link(TILING_SCHEME, SET, JSON, "How the map is cut into tiles"),
                ],
            }
        ],
    }


def tileset(query: dict[str, Any], extent: Extent, selves: list[Link]) -> dict[str, Any]:
    """Return the description of the tileset with the filters of the present address.

    (OGC 17-083r4)
    """
    box = _bounds(extent)
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        "attribution": ATTRIBUTION,
        "dataType": "vector",
        "crs": CRS,
        "tileMatrixSetURI": URI,
        "tileMatrixSetLimits": [_limits(zoom, box) for zoom in range(LAST_ZOOM + 1)],
        "boundingBox": {"lowerLeft": box[:2], "upperRight": box[2:], "crs": CRS84},
        "layers": [
            {
                "id": "events",
                "title": TITLE,
                "dataType": "vector",
                "geometryDimension": 0,
                "minTileMatrix": "0",
                "maxTileMatrix": str(LAST_ZOOM),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {
                        name: {"description": text} for name, text in _fields(query).items()
                    },
                },
            }
        ],
        "links": [
            *selves,
            link(TILING_SCHEME, SET, JSON, "How the map is cut into tiles"),
            link("collection", "/collections/events", JSON, "The collection"),
            _item(),
        ],
    }


def tilejson(query: dict[str, Any], extent: Extent) -> dict[str, Any]:
    """Return the same as TileJSON 3.0.0, whose `tiles` carry the filters of the present address."""
    return {
        "tilejson": "3.0.0",
        "name": TITLE,
        "description": DESCRIPTION,
        "attribution": ATTRIBUTION,
        "scheme": "xyz",
        "tiles": [f"{base()}{TILES}/{QUAD}/{{z}}/{{y}}/{{x}}{question('f')}"],
        "minzoom": 0,
        "maxzoom": LAST_ZOOM,
        "bounds": _bounds(extent),
        "vector_layers": [
            {
                "id": "events",
                "description": TITLE,
                "minzoom": 0,
                "maxzoom": LAST_ZOOM,
                "fields": _fields(query),
            }
        ],
    }


def _item() -> Link:
    path = f"{TILES}/{QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}{question('f')}"
    return link("item", path, MVT, "A tile") | {"templated": True}


def _fields(query: dict[str, Any]) -> dict[str, str]:
    """Return what the features of the tiles tell, described."""
    single = {"id": f"The id of the event, from zoom {SINGLE_FROM} on."}
    names = [name for name in PROPERTIES if name in query.get("properties", TOLD)]
    single |= {name: PROPERTIES[name].metadata["description"] for name in names}
    summed = f"{single.get('fatalities_best', '')} Of a cluster: {CLUSTER['fatalities_best']}"
    return single | CLUSTER | {"fatalities_best": summed.strip()}


def _bounds(extent: Extent) -> list[float]:
    """Return the box around all events that are on the map: west, south, east, north."""
    west, south, east, north = extent.bbox or (-180.0, -LATITUDE, 180.0, LATITUDE)
    low, high = (min(max(y, -LATITUDE), LATITUDE) for y in (south, north))
    return [west, low, east, high]


def _limits(zoom: int, box: list[float]) -> dict[str, Any]:
    west, south, east, north = box
    first, last = Tile.at(zoom, west, north), Tile.at(zoom, east, south)
    return {
        "tileMatrix": str(zoom),
        "minTileRow": first.row,
        "maxTileRow": last.row,
        "minTileCol": first.column,
        "maxTileCol": last.column,
    }
