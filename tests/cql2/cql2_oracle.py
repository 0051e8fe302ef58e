"""What a filter is of each row of the small table, told in plain Python.

`value` knows nothing of the package but its nodes. It is the standard read a second time: a filter
is of a row True, False, or None.
"""

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time
from fractions import Fraction

import shapely
from cql2_table import QUERYABLES

from api.cql2 import Type
from api.cql2.nodes import (
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
