"""A small table, random filters on it, and what each is of each row: told in plain Python.

`value` knows nothing of the package but its nodes. It is the standard read a second time.
"""

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction

import shapely
from hypothesis import strategies as st
from psycopg.sql import Identifier

from api.cql2 import Queryable, Type
from api.cql2.nodes import (
    ARRAY,
    COMPARISONS,
    SPATIAL,
    TEMPORAL,
    TEMPORAL_INTERVAL,
    And,
    Arithmetic,
    Array,
    Between,
    Boolean,
    Box,
    Compare,
    Date,
    Geometry,
    In,
    Insensitive,
    Interval,
    IsNull,
    Like,
    Not,
    Number,
    Open,
    Or,
    Property,
    Relation,
    Text,
    Timestamp,
)

TABLE = """CREATE TEMP TABLE thing (
    id int PRIMARY KEY, name text, word text, low int, high bigint, share float8, good boolean,
    born date, died date, began timestamptz, ended timestamptz,
    place geometry(Geometry, 4326), tags text[], marks int[])"""
QUERYABLES = {
    "name": Queryable(Type.TEXT, Identifier("name")),
    "word": Queryable(Type.TEXT, Identifier("word")),
    "low": Queryable(Type.INTEGER, Identifier("low")),
    "high": Queryable(Type.INTEGER, Identifier("high")),
    "share": Queryable(Type.NUMBER, Identifier("share")),
    "good": Queryable(Type.BOOLEAN, Identifier("good")),
    "born": Queryable(Type.DATE, Identifier("born")),
    "died": Queryable(Type.DATE, Identifier("died")),
    "began": Queryable(Type.TIMESTAMP, Identifier("began")),
    "ended": Queryable(Type.TIMESTAMP, Identifier("ended")),
    "life": Queryable(Type.INTERVAL, Identifier("born"), Type.DATE, Identifier("died")),
    "span": Queryable(Type.INTERVAL, Identifier("began"), Type.TIMESTAMP, Identifier("ended")),
    "place": Queryable(Type.GEOMETRY, Identifier("place")),
    "tags": Queryable(Type.ARRAY, Identifier("tags"), Type.TEXT),
    "marks": Queryable(Type.ARRAY, Identifier("marks"), Type.INTEGER),
}
TEXTS = ["", "a", "A", "Straße", "STRASSE", "ΟΔΟΣ", "οδος", "café", "CAFE\u0301", "naïve", "Łódź"]
TEXTS += ["a%b", "a_b", "a\\b", "it's", "%(x)s", "ab"]
NUMBERS = [-7, -1, 0, 1, 2, 3, 5, 1000]
SHARES = [-2.5, 0.0, 0.25, 1.0, 2.0, 1000.5]
DAYS = [date(2022, 1, 1), date(2022, 1, 2), date(2022, 1, 31), date(2024, 2, 29)]
MOMENTS = [
    datetime(2022, 1, 1, tzinfo=UTC),
    datetime(2022, 1, 1, 12, tzinfo=UTC),
    datetime(2022, 1, 1, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2022, 1, 31, tzinfo=UTC),
    datetime(2024, 2, 29, 6, 30, tzinfo=UTC),
]
SHAPES = [
    "POINT(5 5)",
    "POINT(0 0)",
    "LINESTRING(0 0, 10 10)",
    "LINESTRING(-5 5, 5 5)",
    "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))",
    "POLYGON((5 5, 15 5, 15 15, 5 15, 5 5), (7 7, 9 7, 9 9, 7 9, 7 7))",
    "POLYGON((10 0, 20 0, 20 10, 10 10, 10 0))",
    "MULTIPOINT((5 5), (25 25))",
    "MULTILINESTRING((0 0, 5 5), (20 20, 30 30))",
    "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 1, 0 0)), ((178 0, 180 0, 180 2, 178 2, 178 0)))",
    "POINT(-179 1)",
]
TAGS = ["x", "y", "z"]


def rows() -> list[dict]:
    """Return the rows: every value, in combinations that no pattern lines up, and nulls."""

    def of(values, i, step):
        return None if (i * step) % 11 == 5 else values[(i * step) % len(values)]

    made = []
    for i in range(44):
        born, died = of(DAYS, i, 1), of(DAYS, i, 3)
        began, ended = of(MOMENTS, i, 1), of(MOMENTS, i, 2)
        made.append(
            {
                "id": i,
                "name": of(TEXTS, i, 1),
                "word": of(TEXTS, i, 5),
                "low": of(NUMBERS, i, 1),
                "high": of(NUMBERS, i, 3),
                "share": of(SHARES, i, 1),
                "good": of([True, False, True], i, 2),
                "born": min(born, died) if born and died else born,
                "died": max(born, died) if born and died else died,
                "began": min(began, ended) if began and ended else began,
                "ended": max(began, ended) if began and ended else ended,
                "place": of(SHAPES, i, 1),
                "tags": None if i % 9 == 4 else TAGS[: i % 4],
                "marks": None if i % 7 == 4 else [1, 2, 3][: i % 4],
            }
        )
    return made


# Random filters.


def properties(*names):
    return st.sampled_from([Property(name) for name in names])


def several(filters):
    return st.lists(filters, min_size=2, max_size=3).map(tuple)


texts = st.one_of(properties("name", "word"), st.sampled_from(TEXTS).map(Text))
texts = st.one_of(texts, st.builds(Insensitive, st.sampled_from(["casei", "accenti"]), texts))
patterns = st.lists(st.sampled_from(["%", "_", "a", "é", "S", "\\%", "\\\\", "ß"]), max_size=4)
patterns = patterns.map(lambda parts: Text("".join(parts)))
likes = st.builds(Like, texts, patterns)
likes |= st.builds(
    lambda op, value, pattern: Like(Insensitive(op, value), Insensitive(op, pattern)),
    st.sampled_from(["accenti"]),
    texts,
    patterns,
)
literal_numbers = st.sampled_from([*NUMBERS, Decimal("2.5"), Decimal("-0.25")]).map(Number)
numbers = st.one_of(properties("low", "high", "share"), literal_numbers)
sums = st.recursive(
    numbers
    | st.builds(Arithmetic, st.just("^"), numbers, st.sampled_from([0, 1, 2, 3]).map(Number)),
    lambda inner: st.one_of(
        st.builds(Arithmetic, st.sampled_from("+-*"), inner, inner),
        st.builds(
            Arithmetic,
            st.sampled_from(["/", "%", "div"]),
            inner,
            st.sampled_from([0, 2, 4, -8]).map(Number),
        ),
    ),
    max_leaves=4,
)
days = st.one_of(properties("born", "died"), st.sampled_from(DAYS).map(Date))
moments = st.one_of(properties("began", "ended"), st.sampled_from(MOMENTS).map(Timestamp))
instants = st.one_of(days, moments)
conditions = st.one_of(properties("good"), st.booleans().map(Boolean))


def _ordered(ends):
    start, end = ends
    same = type(start) is type(end) and isinstance(start, Date | Timestamp)
    return Interval(end, start) if same and start.value > end.value else Interval(start, end)


intervals = st.one_of(
    properties("life", "span"), st.tuples(instants | st.builds(Open), instants).map(_ordered)
)
intervals |= st.builds(Interval, instants, st.builds(Open))
shapes = st.one_of(
    properties("place"),
    st.sampled_from(SHAPES).map(lambda wkt: Geometry(shapely.from_wkt(wkt))),
    st.sampled_from([(0.0, 0.0, 10.0, 10.0), (170.0, -5.0, -170.0, 5.0), (5.0, 5.0, 5.0, 9.0)]).map(
        Box
    ),
)
tags = st.one_of(
    properties("tags"),
    st.lists(texts.filter(lambda n: not isinstance(n, Property)), max_size=3).map(
        lambda items: Array(tuple(items))
    ),
    st.lists(st.sampled_from(TAGS).map(Text), max_size=3).map(lambda items: Array(tuple(items))),
)
marks = st.one_of(
    properties("marks"),
    st.lists(st.sampled_from([1, 2, 3, Decimal("2.5")]).map(Number), max_size=3).map(
        lambda items: Array(tuple(items))
    ),
)


def compared(operands):
    items = st.lists(operands, min_size=1, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Compare, st.sampled_from(COMPARISONS), operands, operands),
        st.builds(Between, operands, operands, operands),
        st.builds(In, operands, items),
        st.builds(IsNull, operands),
    )


def related(ops, operands):
    return st.builds(Relation, st.sampled_from(ops), operands, operands)


predicates = st.one_of(
    *map(compared, (texts, sums, days, moments, instants, conditions)),
    likes,
    related(SPATIAL, shapes),
    related(TEMPORAL, instants | intervals),
    related(TEMPORAL_INTERVAL, intervals),
    related(ARRAY, tags),
    related(ARRAY, marks),
    st.builds(IsNull, st.one_of(shapes, intervals, properties("tags"))),
    conditions,
)
filters = st.recursive(
    predicates,
    lambda inner: st.one_of(
        inner.map(Not),
        several(inner).map(And),
        several(inner).map(Or),
        inner.map(IsNull),
        st.builds(Compare, st.sampled_from(["=", "<>"]), inner, conditions),
    ),
    max_leaves=6,
)


# What they are, of a row: True, False, or None.


def all_of(values):
    values = list(values)
    return False if False in values else None if None in values else True


def any_of(values):
    values = list(values)
    return True if True in values else None if None in values else False


def negated(value):
    return None if value is None else not value


SIGNS = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def sign(op, a, b):
    if a is None or b is None:
        return None
    if isinstance(a, datetime) != isinstance(b, datetime) and isinstance(a, date):
        a, b = (v if isinstance(v, datetime) else datetime.combine(v, time(), UTC) for v in (a, b))
    return SIGNS[op](a, b)


def calculated(op, a, b):
    if a is None or b is None or (op in {"/", "%", "div"} and b == 0):
        return None
    whole = math.trunc(a / b) if op in {"%", "div"} else 0
    return {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: a / b,
        "div": lambda: Fraction(whole),
        "%": lambda: a - b * whole,
        "^": lambda: a ** int(b),
    }[op]()


def folded(op, text):
    if text is None:
        return None
    if op == "casei":
        return text.casefold()
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return bare.translate(str.maketrans("Łł", "Ll"))


def matches(text, pattern):
    if text is None:
        return None
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    regex = "".join(
        {"%": ".*", "_": "."}.get(part, re.escape(part[-1:] if len(part) > 1 else part))
        for part in parts
    )
    return re.fullmatch(regex, text, re.DOTALL) is not None


def has_moments(node):
    """Tell whether a time is of instants. Its type says so, for an instant may be unknown."""
    if isinstance(node, Property):
        return Type.TIMESTAMP in (QUERYABLES[node.name].type, QUERYABLES[node.name].of)
    if isinstance(node, Interval):
        return has_moments(node.start) or has_moments(node.end)
    return isinstance(node, Timestamp)


def temporal(op, left, right, *, fine):
    """Tell a relation from Allen's thirteen, on the ends as points of one axis.

    Its points are microseconds if it is `fine`, and days if not.
    """

    def point(end, last):
        if end in (None, -math.inf, math.inf):
            return end
        if fine:
            if not isinstance(end, datetime):
                end = datetime.combine(end, time.max if last else time.min, UTC)
            return (end - datetime(2000, 1, 1, tzinfo=UTC)) // datetime.resolution
        return end.toordinal()

    a, b, c, d = point(left[0], 0), point(left[1], 1), point(right[0], 0), point(right[1], 1)
    return {
        "t_after": lambda: sign("<", d, a),
        "t_before": lambda: sign("<", b, c),
        "t_disjoint": lambda: any_of([sign("<", b, c), sign("<", d, a)]),
        "t_intersects": lambda: negated(any_of([sign("<", b, c), sign("<", d, a)])),
        "t_equals": lambda: all_of([sign("=", a, c), sign("=", b, d)]),
        "t_contains": lambda: all_of([sign("<", a, c), sign("<", d, b)]),
        "t_during": lambda: all_of([sign("<", c, a), sign("<", b, d)]),
        "t_finishedBy": lambda: all_of([sign("<", a, c), sign("=", b, d)]),
        "t_finishes": lambda: all_of([sign("<", c, a), sign("=", b, d)]),
        "t_meets": lambda: sign("=", b, c),
        "t_metBy": lambda: sign("=", a, d),
        "t_overlaps": lambda: all_of([sign("<", a, c), sign("<", c, b), sign("<", b, d)]),
        "t_overlappedBy": lambda: all_of([sign("<", c, a), sign("<", a, d), sign("<", d, b)]),
        "t_starts": lambda: all_of([sign("=", a, c), sign("<", b, d)]),
        "t_startedBy": lambda: all_of([sign("=", a, c), sign("<", d, b)]),
    }[op]()


def sets(op, left, right):
    if left is None or right is None or None in left or None in right:
        return None
    left, right = set(left), set(right)
    return {
        "a_equals": left == right,
        "a_contains": left >= right,
        "a_containedBy": left <= right,
        "a_overlaps": bool(left & right),
    }[op]


def relation(node, row):
    op, left, right = node.op, value(node.left, row), value(node.right, row)
    if op.startswith("t_"):
        pairs = [v if isinstance(v, tuple) else (v, v) for v in (left, right)]
        return temporal(op, *pairs, fine=has_moments(node.left) or has_moments(node.right))
    if op.startswith("a_"):
        return sets(op, left, right)
    if left is None or right is None:
        return None
    return bool(getattr(shapely, op.removeprefix("s_"))(left, right))


def found(name, row):
    """Return what a property is of a row."""
    if name in {"life", "span"}:
        start, end = ("born", "died") if name == "life" else ("began", "ended")
        return row[start], row[end]
    if name == "place":
        return row[name] and shapely.from_wkt(row[name])
    number = isinstance(row[name], int | float) and not isinstance(row[name], bool)
    return Fraction(row[name]) if number else row[name]


def box(west, south, east, north):
    if west == east:
        return shapely.LineString([(west, south), (east, north)])
    if west > east:
        return shapely.union(box(west, south, 180, north), box(-180, south, east, north))
    return shapely.box(west, south, east, north)


def interval(node, row):
    return (
        -math.inf if isinstance(node.start, Open) else value(node.start, row),
        math.inf if isinstance(node.end, Open) else value(node.end, row),
    )


def between(node, row):
    middle = value(node.value, row)
    low, high = value(node.low, row), value(node.high, row)
    return all_of([sign(">=", middle, low), sign("<=", middle, high)])


def member(node, row):
    one = value(node.value, row)
    return any_of([sign("=", one, value(item, row)) for item in node.items])


def pair(function):
    return lambda node, row: function(node.op, value(node.left, row), value(node.right, row))


VALUES = {
    Property: lambda node, row: found(node.name, row),
    Number: lambda node, _: Fraction(node.value),
    **dict.fromkeys([Text, Boolean, Date, Timestamp, Geometry], lambda node, _: node.value),
    Box: lambda node, _: box(*node.corners),
    Interval: interval,
    Array: lambda node, row: [value(item, row) for item in node.items],
    Insensitive: lambda node, row: folded(node.op, value(node.argument, row)),
    Arithmetic: pair(calculated),
    Compare: pair(sign),
    Relation: relation,
    And: lambda node, row: all_of(value(operand, row) for operand in node.operands),
    Or: lambda node, row: any_of(value(operand, row) for operand in node.operands),
    Not: lambda node, row: negated(value(node.operand, row)),
    Between: between,
    In: member,
    Like: lambda node, row: matches(value(node.value, row), value(node.pattern, row)),
    IsNull: lambda node, row: value(node.value, row) in (None, (None, None)),
}


def value(node, row):
    """Return what a part of a filter, or all of it, is of a row: None if that is not known."""
    return VALUES[type(node)](node, row)
