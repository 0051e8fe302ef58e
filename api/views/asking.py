"""What the routes have in common: the question that a request asks, and whom to ask it."""

import json
from collections.abc import Collection
from typing import Any, NoReturn

from flask import current_app, request
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge

from api import access, sight
from api.db import Pool
from api.gazetteer import Names
from api.parameters import load
from api.problems import Problem

#: The scope of a key whose holder sees what is restricted.
RESTRICTED = "read:restricted"


def asked(schema: type[Schema]) -> dict[str, Any]:
    """Return the query of the present request, as `schema` reads it."""
    return load(schema, request.query_string, request.args.items(multi=True))


def events_asked(schema: type[Schema]) -> dict[str, Any]:
    """Return the same of a query about events, with whose eyes it has, and as of when.

    Raises:
        ValidationError, LostHeadError: it asks for a moment that has not been, or is lost.
        Problem: 401, 403: it asks for exact places, without a key for that.
    """
    query = asked(schema)
    if query.get("geometry") == "exact":
        access.require(RESTRICTED)
    return sight.resolved(pool(), query, restricted=sees_all())


def sees_all() -> bool:
    """Tell whether who asks may see what is restricted."""
    return access.caller().may(RESTRICTED)


def content(largest: int) -> bytes:
    """Return the body of the present request.

    Raises:
        Problem: it is of more than `largest` bytes.
    """
    request.max_content_length = largest
    try:
        text = request.get_data()
    except RequestEntityTooLarge:
        text = bytes(largest + 1)
    if len(text) > largest:
        raise Problem("too-large", f"The body must be of at most {largest:,} bytes.")
    return text


def body(media: Collection[str], largest: int) -> Any:
    """Return the JSON in the body of the present request, of one of the `media` types.

    Raises:
        Problem: it is of another type, compressed, of more than `largest` bytes, or no JSON.
    """
    if request.mimetype not in media:
        raise Problem("unsupported-media-type", f"The body must be {' or '.join(media)}.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported-media-type", "The body must not be compressed.")
    text = content(largest)
    try:
        return json.loads(text, parse_constant=_refused, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Problem("invalid-body", "The body is not JSON.") from None


def _refused(name: str) -> NoReturn:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; of two members of one name nobody knows which is meant."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name comes twice")
    return made


def pool() -> Pool:
    """Return the pool of the present application."""
    found: Pool = current_app.extensions["hudna"].pool
    return found


def names() -> Names:
    """Return the names of places that the present application knows."""
    found: Names = current_app.extensions["hudna"].names
    return found
