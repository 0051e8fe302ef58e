"""Vector tiles of events, and what they are tiles of (OGC API - Tiles, 20-057)."""

import re

from flask import Blueprint, Response

from api import events, regions, tiles, tilesets
from api.answers import at_head, document, negotiate, unchanged
from api.links import JSON, MVT, TILEJSON
from api.parameters import FormatQuery, TileQuery, TilesetQuery
from api.problems import not_found
from api.tilesets import QUAD, SET, TILES
from api.views.asking import asked, names, pool
from geo.tiles import Tile

NUMBER = re.compile(r"0|[1-9]\d{0,6}", re.ASCII)

blueprint = Blueprint("tiles", __name__)


@blueprint.get("/tileMatrixSets")
def matrix_sets() -> Response:
    """List the ways in which the map is cut into tiles."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document(tilesets.matrix_sets())


@blueprint.get(SET)
def matrix_set() -> Response:
    """Define the square map of Web Mercator."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document(tilesets.matrix_set())


@blueprint.get(TILES)
def all_tilesets() -> Response:
    """List the tilesets of events."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document(tilesets.tilesets())


@blueprint.get(f"{TILES}/{QUAD}")
def tileset() -> Response:
    """Describe the tiles of the events that the query asks for."""
    query = asked(TilesetQuery)
    media = negotiate([JSON, TILEJSON], query.get("f"))
    state = events.state(pool())
    answer = unchanged(state, media)
    if answer:
        return answer
    regions.narrowed(query, names())  # what the tiles would refuse is refused here
    described = tilesets.tilejson if media == TILEJSON else tilesets.tileset
    return at_head(document(described(query, events.extent(pool())), media), state, media)


@blueprint.get(f"{TILES}/{QUAD}/<zoom>/<row>/<column>")
def tile(zoom: str, row: str, column: str) -> Response:
    """Return one tile of the events that the query asks for; 204 if it is empty."""
    query = asked(TileQuery)
    media = negotiate([MVT], query.get("f"))
    at = _tile(zoom, row, column)
    basis = regions.basis(query, names())
    answer = unchanged(events.state(pool()), media, basis)
    if answer:
        return answer
    query, _ = regions.narrowed(query, names())
    state, made = tiles.tile(pool(), query, at)
    answer = Response(made, status=200 if made else 204)
    answer.content_type = media
    if not made:
        del answer.headers["Content-Type"]
    return at_head(answer, state, media, basis)


def _tile(zoom: str, row: str, column: str) -> Tile:
    numbers = (zoom, row, column)
    try:
        if all(map(NUMBER.fullmatch, numbers)):
            return Tile(*map(int, numbers))
    except ValueError:
        pass
    raise not_found(f"There is no tile {zoom}/{row}/{column}: zoom, row and column.")
