"""Vector tiles as a client reads them, and the events that should be in them."""

from collections.abc import Iterator
from math import asinh, floor, pi, radians, tan

import mapbox_vector_tile

from api.tiles import MOST_BYTES
from conftest import ITEMS, TILESET, links
from geo.tiles import LATITUDE, Tile

MVT = "application/vnd.mapbox-vector-tile"


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
