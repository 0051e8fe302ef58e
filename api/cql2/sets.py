"""Arrays as sets, and lists of values, in SQL (OGC 21-065r2, 7.2, 7.9)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, LiteralString

from psycopg.sql import SQL

from api.cql2 import times
from api.cql2.errors import Cql2Error
from api.cql2.functions import ARRAY
from api.cql2.terms import INSTANTS, NUMERIC, Piece, Term, Type, Values, fill, joined

#: The array that literals of a type are bound as.
CASTS: dict[Type, LiteralString] = {
    Type.TEXT: "{}::text[]",
    Type.INTEGER: "{}::numeric[]",
    Type.NUMBER: "{}::numeric[]",
    Type.BOOLEAN: "{}::boolean[]",
    Type.DATE: "{}::date[]",
    Type.TIMESTAMP: "{}::timestamptz[]",
}
BIGINT = 2**63
#: A set of what is in a row is not known if one of its items is not; for PostgreSQL it would be,
#: and NOT would make true of what is false there.
KNOWN: LiteralString = (
    "(SELECT CASE WHEN array_position(s, NULL) IS NULL THEN s END"
    " FROM (SELECT {} AS s OFFSET 0) AS items)"
)


def bound(values: Values, kind: Type, listed: Sequence[Any]) -> Piece:
    """Return literals as one value that is bound; whole numbers as such, for the index's sake."""
    if kind in NUMERIC:
        if all(isinstance(value, int) and abs(value) < BIGINT for value in listed):
            return values.bind(list(listed), "{}::bigint[]")
        listed = [Decimal(value) for value in listed]
    return values.bind(list(listed), CASTS[kind])


def listed(pieces: list[Piece]) -> Piece:
    """Return an array of whatever is in a row."""
    parts: list[Piece] = [SQL("ARRAY["), pieces[0]]
    for piece in pieces[1:]:
        parts += [SQL(", "), piece]
    return (*parts, SQL("]"))


def related(values: Values, op: str, left: Term, right: Term) -> Piece:
    """Return the SQL of a relation between two sets."""
    kind = _kind(left, right)
    pieces = [_set(values, term, kind) for term in (left, right)]
    if op != "a_equals":
        return fill(ARRAY[op], *pieces)
    if _plain(left) and _plain(right):
        both = [fill(ARRAY[name], *pieces) for name in ("a_contains", "a_containedBy")]
        return joined(" AND ", both)
    # Written out twice, what contains such a set that contains such a set would grow without end.
    return fill("(SELECT a @> b AND a <@ b FROM (SELECT {} AS a, {} AS b OFFSET 0) AS s)", *pieces)


def _plain(term: Term) -> bool:
    return all(item.literal for item in term.items or ())


def _kind(left: Term, right: Term) -> Type:
    """Return the type of the items on both sides; of two empty sets it does not matter."""
    kinds: dict[Type, Term] = {}
    for term in (left, right):
        items = [(item.type, item) for item in term.items or ()]
        for kind, where in [(term.of, term)] if term.of else items:
            kinds.setdefault(Type.NUMBER if kind in NUMERIC else kind, where)
    if kinds.keys() == INSTANTS:
        del kinds[Type.DATE]
    for kind, where in kinds.items():
        if kind not in CASTS:
            raise Cql2Error(f"No relation of arrays takes {kind.value} as an item.", where.at)
    first, *others = kinds or {Type.TEXT: left}
    if others:
        wrong = f"{first.value} and {others[0].value} are not in one set."
        raise Cql2Error(wrong.capitalize(), kinds[others[0]].at)
    return first


def _set(values: Values, term: Term, kind: Type) -> Piece:
    """Return the SQL of one set; arrays of numbers have to be of one type for PostgreSQL."""
    if term.items is None:
        sql = values.sql(term)
        return fill("{}::text[]::numeric[]", sql) if kind is Type.NUMBER else sql
    items = [times.midnight(item) if kind is Type.TIMESTAMP else item for item in term.items]
    if all(item.literal for item in items):
        numbers = kind is Type.NUMBER
        return values.bind(
            [Decimal(item.value) if numbers else item.value for item in items], CASTS[kind]
        )
    if kind is Type.TIMESTAMP and any(item.type is Type.DATE for item in items):
        raise Cql2Error("A day and an instant are not in one set.", term.at)
    return fill(KNOWN, fill(CASTS[kind], listed([values.sql(item) for item in items])))
