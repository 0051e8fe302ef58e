"""What the routes have in common: the question that a request asks, and whom to ask it."""

from typing import Any

from flask import current_app, request
from marshmallow import Schema

from api import sight
from api.db import Pool
from api.gazetteer import Names
from api.parameters import load


def asked(schema: type[Schema]) -> dict[str, Any]:
    """Return the query of the present request, as `schema` reads it."""
    return load(schema, request.query_string, request.args.items(multi=True))


def events_asked(schema: type[Schema]) -> dict[str, Any]:
    """Return the same of a query about events, with whose eyes it has, and as of when.

    Raises:
        ValidationError, LostHeadError: it asks for a moment that has not been, or is lost.
    """
    return sight.resolved(pool(), asked(schema))


def pool() -> Pool:
    """Return the pool of the present application."""
    found: Pool = current_app.extensions["hudna"].pool
    return found


def names() -> Names:
    """Return the names of places that the present application knows."""
    found: Names = current_app.extensions["hudna"].names
    return found
