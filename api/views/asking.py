"""What the routes have in common: the question that a request asks, and whom to ask it."""

from typing import Any

from flask import current_app, request
from marshmallow import Schema

from api import access, sight
from api.db import Pool
from api.gazetteer import Names
from api.parameters import load

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


def pool() -> Pool:
    """Return the pool of the present application."""
    found: Pool = current_app.extensions["hudna"].pool
    return found


def names() -> Names:
    """Return the names of places that the present application knows."""
    found: Names = current_app.extensions["hudna"].names
    return found
