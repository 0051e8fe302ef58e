"""Random filters on the small table."""

from decimal import Decimal

import shapely
from cql2_table import DAYS, MOMENTS, NUMBERS, SHAPES, TAGS, TEXTS
from hypothesis import strategies as st

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
