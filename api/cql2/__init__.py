"""CQL2 1.0 (OGC 21-065r2): filters in text and JSON, and their conditions for PostGIS.

    >>> from psycopg.sql import Identifier
    >>> made = compile(parse("deaths > 5 AND NOT country = 'IRQ'"), {
    ...     "deaths": Queryable(Type.INTEGER, Identifier("e", "deaths")),
    ...     "country": Queryable(Type.TEXT, Identifier("e", "country")),
    ... })
    >>> made.sql.as_string()
    '(("e"."deaths" > %(filter_0)s) AND (NOT ("e"."country" = %(filter_1)s::text)))'
    >>> made.values
    {'filter_0': 5, 'filter_1': 'IRQ'}

What is wrong with a filter is a Cql2Error, which knows where. docs/cql2.md says what can be asked;
this package needs nothing of the service around it.
"""

from typing import Any, Literal, get_args

from api.cql2 import cql2json, cql2text, writer
from api.cql2.compiler import Compiled, compile  # noqa: A004 - it is cql2.compile
from api.cql2.conjuncts import equalities
from api.cql2.errors import LIMITS, Cql2Error, Limits, Position
from api.cql2.functions import FUNCTIONS
from api.cql2.nodes import Node as Expression
from api.cql2.terms import Function, Queryable, Reading, Type

__all__ = [
    "CONFORMANCE",
    "DIALECTS",
    "FUNCTIONS",
    "LIMITS",
    "Compiled",
    "Cql2Error",
    "Dialect",
    "Expression",
    "Function",
    "Limits",
    "Position",
    "Queryable",
    "Reading",
    "Type",
    "compile",
    "equalities",
    "parse",
    "to_json",
    "to_text",
]

#: cql-text is what GDAL speaks: it has ILIKE, and no IN.
Dialect = Literal["cql2-text", "cql2-json", "cql-text"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
#: The classes that are held, to be declared (Annex A).
CONFORMANCE = [
    f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
    for name in (
        "cql2-text",
        "cql2-json",
        "basic-cql2",
        "advanced-comparison-operators",
        "case-insensitive-comparison",
        "accent-insensitive-comparison",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "spatial-functions",
        "temporal-functions",
        "array-functions",
        "property-property",
        "functions",
        "arithmetic",
    )
]


def parse(text: str, dialect: Dialect = "cql2-text", limits: Limits = LIMITS) -> Expression:
    """Return what `text` says in `dialect`.

    Raises:
        Cql2Error: it is not of that dialect, or is larger than `limits`.
    """
    if dialect == "cql2-json":
        return cql2json.read(text, limits)
    return cql2text.read(text, dialect, limits)


def to_text(expression: Expression) -> str:
    """Return `expression` as CQL2 text: parse(to_text(x)) == x."""
    return writer.write(expression)


def to_json(expression: Expression) -> Any:
    """Return `expression` as a value of CQL2 JSON: parse(json.dumps(to_json(x))) == x."""
    return cql2json.write(expression)
