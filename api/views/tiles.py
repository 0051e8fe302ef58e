"""Vector tiles of events, and what they are tiles of (OGC API - Tiles, 20-057)."""

import re

from flask import Blueprint, Response, request

from api import events, regions, tiles, tilesets
from api.answers import at_head, document, negotiate, unchanged
from api.links import DOCUMENT, MVT, TILEJSON, selves
from api.parameters import FormatQuery, TileQuery, TilesetQuery
from api.problems import not_found
from api.tilesets import QUAD, SET, TILES
from api.views.asking import asked, events_asked, names, pool
from geo.tiles import Tile

#: The media types of a tileset's description.
OFFERED = [*DOCUMENT, TILEJSON]
NUMBER = re.compile(r"0|[1-9]\d{0,6}", re.ASCII)

blueprint = Blueprint("tiles", __name__)


@blueprint.get("/tileMatrixSets")
def matrix_sets() -> Response:
    """List the ways in which the map is cut into tiles."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    return document(tilesets.matrix_sets(selves(media, DOCUMENT)), media)


@blueprint.get(SET)
def matrix_set() -> Response:
    """Define the square map of Web Mercator."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    return document(tilesets.matrix_set(selves(media, DOCUMENT)), media)


@blueprint.get(TILES)
def all_tilesets() -> Response:
    """List the tilesets of events."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    return document(tilesets.tilesets(selves(media, DOCUMENT)), media)


@blueprint.get(f"{TILES}/{QUAD}")
def tileset() -> Response:
    """Describe the tiles of the events that the query asks for."""
    query = events_asked(TilesetQuery)
    media = negotiate(OFFERED, query.get("f"))
    state = events.state(pool(), query)
    answer = unchanged(state, media)
    if answer:
        return answer
    regions.narrowed(query, names())  # what the tiles would refuse is refused here
    extent = events.extent(pool())
    if media == TILEJSON:
        made = document(tilesets.tilejson(query, extent), media)
    else:
        links = selves(media, OFFERED, "This tileset")
        made = document(tilesets.tileset(query, extent, links), media)
    return at_head(made, state, media)


@blueprint.get(f"{TILES}/{QUAD}/<zoom>/<row>/<column>")
def tile(zoom: str, row: str, column: str) -> Response:
    """Return one tile of the events that the query asks for; 204 if it is empty."""
    query = events_asked(TileQuery)
    media = negotiate([MVT], query.get("f"))
    at = _tile(zoom, row, column)
    basis = regions.basis(query, names())
    if request.if_none_match:
        known = unchanged(events.state(pool(), query), media, basis)
        if known:
            return known
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
