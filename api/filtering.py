"""Filters in CQL2: what they may name, and what they become (docs/cql2.md)."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields
from psycopg.sql import SQL, Identifier

from api import cql2
from api.cql2 import Cql2Error, Queryable, Reading, Type
from api.fields import Day, Instant, Number, Text, Whole
from api.schemas import PLACE_PROPERTIES, PROPERTIES
from geo.systems import SYSTEMS

_TYPES: Mapping[type, Type] = {
    Text: Type.TEXT,
    Whole: Type.INTEGER,
    Number: Type.NUMBER,
    Day: Type.DATE,
    Instant: Type.TIMESTAMP,
}


def _queryables(table: str, properties: Mapping[str, fields.Field[Any]]) -> dict[str, Queryable]:
    return {
        name: Queryable(_TYPES[type(field)], Identifier(table, name))
        for name, field in properties.items()
        if type(field) in _TYPES
    }


def _texts(table: str, name: str) -> dict[str, Queryable]:
    return {name: Queryable(Type.ARRAY, Identifier(table, name), Type.TEXT)}


#: Of each collection: the properties by which it can be filtered, as SQL. An event's `during` has
#: open ends where they are not known (docs/decisions/0005-nulls-match.md).
QUERYABLES: Mapping[str, Mapping[str, Queryable]] = {
    "events": _queryables("e", PROPERTIES)
    | _texts("e", "tags")
    | {
        "during": Queryable(
            Type.INTERVAL,
            SQL("coalesce(e.starts_on, '-infinity')"),
            Type.DATE,
            SQL("coalesce(e.ends_on, 'infinity')"),
        ),
        "geometry": Queryable(Type.GEOMETRY, Identifier("e", "geom")),
    },
    "places": _queryables("p", PLACE_PROPERTIES)
    | _texts("p", "names")
    | {
        "geometry": Queryable(
            Type.GEOMETRY,
            SQL(
                "CASE WHEN p.ground IS NULL THEN p.geom"
                " ELSE (SELECT g.geom FROM ground AS g WHERE g.id = p.ground) END"
            ),
        )
    },
}


class FilterError(ValidationError):
    """A filter cannot be taken; `place` says where, in the members that the error has then."""

    def __init__(self, error: Cql2Error) -> None:
        super().__init__({"filter": [f"cannot be taken: {error}"]})
        named = error.position._asdict()
        self.place = {name: value for name, value in named.items() if value is not None}


def narrowed(query: Mapping[str, Any], collection: str) -> dict[str, Any]:
    """Return `query` with what its `filter` asks of the rows of a collection.

    What it asks of a text alone becomes that property's value, as if its parameter had been given,
    and so has the plans of the parameter; what is left becomes the `condition`. Its geometries
    are in the system `filter_crs`.

    Raises:
        FilterError: it cannot be read, or asks what cannot be asked; it says where.
    """
    queryables = QUERYABLES[collection]
    system = SYSTEMS[query["filter_crs"]]
    reading = Reading(transform=system.on_earth, upright=system.upright)
    texts = {n for n, queryable in queryables.items() if queryable.type is Type.TEXT}
    try:
        whole = cql2.parse(query["filter"], query["filter_lang"])
        made = cql2.compile(whole, queryables, reading=reading)
        values, rest = cql2.equalities(whole, texts - query.keys())
        if rest is None:
            return {**query, **values}
        if values:
            made = cql2.compile(rest, queryables, reading=reading)
    except Cql2Error as error:
        raise FilterError(error) from None
    return {**query, **values, "condition": made}
