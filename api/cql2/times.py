"""Instants and intervals in SQL (OGC 21-065r2, 6.3.2, 7.8).

A day that meets an instant is cast, as 6.3.2 leaves it to us: among the comparisons it is its
midnight, in the relations it is all of it, from midnight to the last microsecond. Days are days of
UTC then. What is cast is a literal wherever there is one, so that an index on the column serves.
"""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import LiteralString

from psycopg.sql import SQL

from api.cql2 import literals
from api.cql2.errors import Cql2Error
from api.cql2.nodes import TEMPORAL_INTERVAL
from api.cql2.terms import INSTANTS, Piece, Term, Type, Values, fill

LAST = time(23, 59, 59, 999999)
#: The relations between [a, b] and [c, d], closed (Tables 4 and 5).
RELATIONS: dict[str, tuple[str, ...]] = {
    "t_after": ("a > d",),
    "t_before": ("b < c",),
    "t_equals": ("a = c", "b = d"),
    "t_intersects": ("a <= d", "b >= c"),
    "t_contains": ("a < c", "b > d"),
    "t_during": ("a > c", "b < d"),
    "t_finishedBy": ("a < c", "b = d"),
    "t_finishes": ("a > c", "b = d"),
    "t_meets": ("b = c",),
    "t_metBy": ("a = d",),
    "t_overlappedBy": ("a > c", "a < d", "b > d"),
    "t_overlaps": ("a < c", "b > c", "b < d"),
    "t_startedBy": ("a = c", "b > d"),
    "t_starts": ("a = c", "b < d"),
}
SIGNS: dict[str, LiteralString] = {
    ">": "{} > {}",
    "<": "{} < {}",
    "=": "{} = {}",
    ">=": "{} >= {}",
    "<=": "{} <= {}",
}
INFINITE: dict[tuple[Type, bool], LiteralString] = {
    (Type.DATE, False): "'-infinity'::date",
    (Type.DATE, True): "'infinity'::date",
    (Type.TIMESTAMP, False): "'-infinity'::timestamptz",
    (Type.TIMESTAMP, True): "'infinity'::timestamptz",
}


def as_instant(term: Term) -> Term:
    """Return `term`, a bare text read as a day or an instant, if it is one (6.3.2)."""
    if term.type is Type.TEXT and term.literal:
        read = literals.loose(term.value, term.at)
        if read is None:
            raise Cql2Error("This text is no day and no instant.", term.at)
        kind = Type.DATE if not isinstance(read.value, datetime) else Type.TIMESTAMP
        return replace(term, type=kind, value=read.value)
    return term


def alike(values: Values, terms: list[Term]) -> list[Piece]:
    """Return the SQL of days and instants as what can be compared (6.3.2).

    Among days and instants a day is its midnight. If the instants are literals and the days
    columns, the instants are made plain timestamps, and the columns stay as they are.
    """
    kinds = {term.type for term in terms}
    if len(kinds) == 1:
        return [values.sql(term) for term in terms]
    if all(term.literal for term in terms if term.type is Type.DATE):
        return [values.sql(midnight(term)) for term in terms]
    return [_plain(values, term) for term in terms]


def midnight(term: Term) -> Term:
    """Return an instant for a literal day."""
    if term.type is Type.DATE and term.literal:
        value = datetime.combine(term.value, time.min, UTC)
        return replace(term, type=Type.TIMESTAMP, value=value)
    return term


def _plain(values: Values, term: Term) -> Piece:
    """Return a day as it is, and an instant as a timestamp without a zone, in UTC."""
    if term.type is Type.DATE:
        return values.sql(term)
    if term.literal:
        return values.bind(term.value.replace(tzinfo=None), "{}::timestamp")
    return fill("({} AT TIME ZONE 'UTC')", values.sql(term))


def related(values: Values, op: str, left: Term, right: Term) -> Piece:
    """Return the SQL of a relation between two instants or intervals."""
    left, right = as_instant(left), as_instant(right)
    for term in (left, right):
        if term.type not in {*INSTANTS, Type.INTERVAL}:
            raise Cql2Error(f"{op.upper()} relates times; this is {term.type.value}.", term.at)
        if op in TEMPORAL_INTERVAL and term.type is not Type.INTERVAL:
            hint = "T_INTERSECTS, T_AFTER and T_BEFORE take an instant too"
            raise Cql2Error(f"{op.upper()} relates intervals alone; {hint}.", term.at)
    if op == "t_disjoint":
        return fill("(NOT {})", related(values, "t_intersects", left, right))
    ends = dict(zip("abcd", [*_ends(left), *_ends(right)], strict=True))
    instants = any(end.type is Type.TIMESTAMP and not end.open for end in ends.values())
    kind = Type.TIMESTAMP if instants else Type.DATE
    tests = [test.split() for test in RELATIONS[op]]
    pieces = [
        fill(
            SIGNS[sign],
            _end(values, ends[one], kind, last=one in "bd"),
            _end(values, ends[other], kind, last=other in "bd"),
        )
        for one, sign, other in tests
    ]
    parts: list[Piece] = [SQL("("), pieces[0]]
    for piece in pieces[1:]:
        parts += [SQL(" AND "), piece]
    return (*parts, SQL(")"))


def _ends(term: Term) -> tuple[Term, Term]:
    return term.ends or (term, term)


def _end(values: Values, term: Term, kind: Type, *, last: bool) -> Piece:
    """Return the first or the last moment of an end, as a date or as a timestamptz."""
    if term.open:
        return SQL(INFINITE[kind, last])
    if kind is term.type:
        return values.sql(term)
    if term.literal:
        value = datetime.combine(term.value, LAST if last else time.min, UTC)
        return values.sql(replace(term, type=Type.TIMESTAMP, value=value))
    widened: LiteralString = (
        "(({}::timestamp + interval '86399.999999 s') AT TIME ZONE 'UTC')"
        if last
        else "({}::timestamp AT TIME ZONE 'UTC')"
    )
    return fill(widened, values.sql(term))


def interval(term: Term, start: Term, end: Term) -> Term:
    """Return the interval between two ends, if they are instants in their order."""
    start, end = as_instant(start), as_instant(end)
    for one in (start, end):
        if not one.open and one.type not in INSTANTS:
            raise Cql2Error(f"An interval is between instants; this is {one.type.value}.", one.at)
    if start.literal and end.literal:
        first, last = midnight(start).value, midnight(end).value
        if first > last and start.type is end.type:
            raise Cql2Error("An interval does not end before it starts.", term.at)
    return replace(term, ends=(start, end))
