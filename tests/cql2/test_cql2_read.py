"""What a filter says: every construct, in text and in JSON."""

import ast
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import shapely
from cql2_json import RING, YES, op, point, prop
from psycopg.sql import Identifier

from api import cql2
from api.cql2 import Cql2Error, Limits, Queryable, Type
from api.cql2.nodes import (
    And,
    Array,
    Between,
    Boolean,
    Box,
    Call,
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
from conftest import ROOT

A, B, C, D = map(Property, "abcd")
ONE, TWO = Number(1), Number(2)
NOON = Timestamp(datetime(2024, 2, 29, 12, tzinfo=UTC))
LEAP = Date(date(2024, 2, 29))


def geometry(wkt):
    return Geometry(shapely.from_wkt(wkt))


#: What is written in text, in JSON, and what both mean.
SAME = [
    # 6.2: the connectives, and how tightly they bind
    ("true", YES, Boolean(YES)),
    ("FaLsE", not YES, Boolean(not YES)),
    ("a = 1 AND b = 2", op("and", op("=", prop("a"), 1), op("=", prop("b"), 2)), None),
    (
        "a OR b AND NOT c OR d",
        op("or", prop("a"), op("and", prop("b"), op("not", prop("c"))), prop("d")),
        Or((A, And((B, Not(C))), D)),
    ),
    ("(a OR b) AND c", op("and", op("or", prop("a"), prop("b")), prop("c")), And((Or((A, B)), C))),
    ("a AND (b AND c)", op("and", prop("a"), op("and", prop("b"), prop("c"))), None),
    ("NOT (a = 1)", op("not", op("=", prop("a"), 1)), Not(Compare("=", A, ONE))),
    ("NOT a = 1", op("not", op("=", prop("a"), 1)), Not(Compare("=", A, ONE))),
    # 6.3: values
    ("a = 'it''s'", op("=", prop("a"), "it's"), Compare("=", A, Text("it's"))),
    (r"a = 'it\'s'", op("=", prop("a"), "it's"), Compare("=", A, Text("it's"))),
    (r"a = 'C:\\x\n\t'", op("=", prop("a"), "C:\\x\n\t"), Compare("=", A, Text("C:\\x\n\t"))),
    ("a = ''", op("=", prop("a"), ""), Compare("=", A, Text(""))),
    ("a = -1", op("=", prop("a"), -1), Compare("=", A, Number(-1))),
    ("a = +1", op("=", prop("a"), 1), Compare("=", A, ONE)),
    ("a = 1.50", op("=", prop("a"), 1.5), Compare("=", A, Number(Decimal("1.5")))),
    ("a = .5E-2", op("=", prop("a"), 0.005), Compare("=", A, Number(Decimal("0.005")))),
    ("a = 9007199254740993", op("=", prop("a"), 9007199254740993), None),
    ("a = DATE('2024-02-29')", op("=", prop("a"), {"date": "2024-02-29"}), Compare("=", A, LEAP)),
    (
        "a = timestamp('2024-02-29T12:00:00Z')",
        op("=", prop("a"), {"timestamp": "2024-02-29T12:00:00Z"}),
        Compare("=", A, NOON),
    ),
    (
        "a = TIMESTAMP('2024-02-29T14:00:00.0000001+02:00')",
        op("=", prop("a"), {"timestamp": "2024-02-29T14:00:00+02:00"}),
        Compare("=", A, NOON),
    ),
    # 6.4: properties
    ('"a" = 1', op("=", prop("a"), 1), Compare("=", A, ONE)),
    ('"and" = 1', op("=", prop("and"), 1), Compare("=", Property("and"), ONE)),
    ("date = 1", op("=", prop("date"), 1), Compare("=", Property("date"), ONE)),
    ("eo:cloud.cover_2 = 1", op("=", prop("eo:cloud.cover_2"), 1), None),
    ("größe = 1", op("=", prop("größe"), 1), None),
    # 6.5: comparisons
    *[(f"a {sign} 1", op(sign, prop("a"), 1), Compare(sign, A, ONE)) for sign in ("=", "<>")],
    *[(f"a{sign}1", op(sign, prop("a"), 1), Compare(sign, A, ONE)) for sign in ("<", ">", "<=")],
    ("a is null", op("isNull", prop("a")), IsNull(A)),
    ("a IS NOT NULL", op("not", op("isNull", prop("a"))), Not(IsNull(A))),
    ("(a = 1) IS NULL", op("isNull", op("=", prop("a"), 1)), IsNull(Compare("=", A, ONE))),
    # 7.2: LIKE, BETWEEN, IN
    ("a LIKE 'x%_'", op("like", prop("a"), "x%_"), Like(A, Text("x%_"))),
    (r"a LIKE '100\%'", op("like", prop("a"), r"100\%"), Like(A, Text(r"100\%"))),
    ("a NOT LIKE 'x'", op("not", op("like", prop("a"), "x")), Not(Like(A, Text("x")))),
    (
        "a BETWEEN 1 AND 2 AND b",
        op("and", op("between", prop("a"), 1, 2), prop("b")),
        And((Between(A, ONE, TWO), B)),
    ),
    ("a NOT BETWEEN 1 AND 2", op("not", op("between", prop("a"), 1, 2)), None),
    ("a IN (1, 2)", op("in", prop("a"), [1, 2]), In(A, (ONE, TWO))),
    ("a NOT IN ('x')", op("not", op("in", prop("a"), ["x"])), Not(In(A, (Text("x"),)))),
    # 7.3, 7.4: folds
    (
        "CASEI(a) = casei('É')",
        op("=", op("casei", prop("a")), op("casei", "É")),
        Compare("=", Insensitive("casei", A), Insensitive("casei", Text("É"))),
    ),
    (
        "ACCENTI(CASEI(a)) LIKE ACCENTI(CASEI('é%'))",
        op("like", op("accenti", op("casei", prop("a"))), op("accenti", op("casei", "é%"))),
        None,
    ),
    # 7.5 to 7.7: geometries
    (
        "S_INTERSECTS(a, POINT(1 -2.5))",
        op("s_intersects", prop("a"), point(1, -2.5)),
        Relation("s_intersects", A, geometry("POINT(1 -2.5)")),
    ),
    ("s_within(a, POINT Z(1 2 3))", op("s_within", prop("a"), point(1, 2, 3)), None),
    (
        "S_EQUALS(a, BBOX(170, -5, -170, 5))",
        op("s_equals", prop("a"), {"bbox": [170, -5, -170, 5]}),
        Relation("s_equals", A, Box((170.0, -5.0, -170.0, 5.0))),
    ),
    (
        "S_TOUCHES(a, BBOX(0,0,0,1,1,9))",
        op("s_touches", prop("a"), {"bbox": [0, 0, 0, 1, 1, 9]}),
        None,
    ),
    (
        "S_CROSSES(a, LINESTRING(0 0, 4 4))",
        op("s_crosses", prop("a"), {"type": "LineString", "coordinates": [[0, 0], [4, 4]]}),
        Relation("s_crosses", A, geometry("LINESTRING(0 0, 4 4)")),
    ),
    (
        "S_OVERLAPS(a, POLYGON((0 0, 4 0, 4 4, 0 0)))",
        op("s_overlaps", prop("a"), {"type": "Polygon", "coordinates": [RING]}),
        Relation("s_overlaps", A, geometry("POLYGON((0 0, 4 0, 4 4, 0 0))")),
    ),
    (
        "S_CONTAINS(a, MULTIPOINT((0 0), (1 1)))",
        op("s_contains", prop("a"), {"type": "MultiPoint", "coordinates": [[0, 0], [1, 1]]}),
        Relation("s_contains", A, geometry("MULTIPOINT(0 0, 1 1)")),
    ),
    (
        "S_DISJOINT(a, MULTILINESTRING((0 0, 1 1), (2 2, 3 3)))",
        op(
            "s_disjoint",
            prop("a"),
            {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]},
        ),
        None,
    ),
    (
        "S_INTERSECTS(a, MULTIPOLYGON(((0 0, 4 0, 4 4, 0 0)), ((0 0, 4 0, 4 4, 0 0))))",
        op("s_intersects", prop("a"), {"type": "MultiPolygon", "coordinates": [[RING], [RING]]}),
        None,
    ),
    (
        "S_INTERSECTS(a, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 4 4)))",
        op(
            "s_intersects",
            prop("a"),
            {
                "type": "GeometryCollection",
                "geometries": [
                    point(1, 2),
                    {"type": "LineString", "coordinates": [[0, 0], [4, 4]]},
                ],
            },
        ),
        None,
    ),
    # 7.8: times
    (
        "T_AFTER(a, INTERVAL('2024-02-29', '..'))",
        op("t_after", prop("a"), {"interval": ["2024-02-29", ".."]}),
        Relation("t_after", A, Interval(LEAP, Open())),
    ),
    (
        "t_finishedby(INTERVAL(a, b), INTERVAL('..', '2024-02-29T12:00:00Z'))",
        op(
            "t_finishedBy",
            {"interval": [prop("a"), prop("b")]},
            {"interval": ["..", "2024-02-29T12:00:00Z"]},
        ),
        Relation("t_finishedBy", Interval(A, B), Interval(Open(), NOON)),
    ),
    *[
        (f"{name.upper()}(a, b)", op(name, prop("a"), prop("b")), Relation(name, A, B))
        for name in ("t_before", "t_disjoint", "t_equals", "t_intersects", "t_contains")
    ],
    *[
        (f"{name.lower()}(a, b)", op(name, prop("a"), prop("b")), Relation(name, A, B))
        for name in ("t_during", "t_finishes", "t_meets", "t_metBy", "t_overlappedBy")
    ],
    *[
        (f"{name.upper()}(a, b)", op(name, prop("a"), prop("b")), Relation(name, A, B))
        for name in ("t_overlaps", "t_startedBy", "t_starts")
    ],
    # 7.9: arrays
    (
        "A_CONTAINS(a, ('x', 'y'))",
        op("a_contains", prop("a"), ["x", "y"]),
        Relation("a_contains", A, Array((Text("x"), Text("y")))),
    ),
    ("A_EQUALS(a, (1))", op("a_equals", prop("a"), [1]), Relation("a_equals", A, Array((ONE,)))),
    ("A_OVERLAPS((), a)", op("a_overlaps", [], prop("a")), Relation("a_overlaps", Array(()), A)),
    ("a_containedby(a, b)", op("a_containedBy", prop("a"), prop("b")), None),
    # 7.10, 7.11: two properties, two literals, functions
    ("1 = a", op("=", 1, prop("a")), Compare("=", ONE, A)),
    ("S_WITHIN(POINT(1 2), POINT(1 2))", op("s_within", point(1, 2), point(1, 2)), None),
    ("f()", op("f"), Call("f", ())),
    ("f(a, 'x', 1) = g(b)", op("=", op("f", prop("a"), "x", 1), op("g", prop("b"))), None),
    # 7.12: arithmetic
    (
        "a + b * c ^ 2 - d > 1",
        op(
            ">",
            op("-", op("+", prop("a"), op("*", prop("b"), op("^", prop("c"), 2))), prop("d")),
            1,
        ),
        None,
    ),
    (
        "(a + b) * -c = a div 2 % 3",
        op(
            "=",
            op("*", op("+", prop("a"), prop("b")), op("*", -1, prop("c"))),
            op("%", op("div", prop("a"), 2), 3),
        ),
        None,
    ),
    ("-2 ^ 2 = a / 2", op("=", op("^", -2, 2), op("/", prop("a"), 2)), None),
    ("a - -1 = a - (b - c)", None, None),
    (
        "a BETWEEN b - 1 AND b + 1",
        op("between", prop("a"), op("-", prop("b"), 1), op("+", prop("b"), 1)),
        None,
    ),
]


@pytest.mark.requirement("Q12", "Q13", "Q14")
@pytest.mark.parametrize(("text", "value", "meaning"), SAME)
def test_text_and_json_mean_the_same(text, value, meaning):
    read = cql2.parse(text)
    if value is not None:
        assert cql2.parse(json.dumps(value), "cql2-json") == read
    if meaning is not None:
        assert read == meaning


@pytest.mark.requirement("Q12")
@pytest.mark.parametrize("text", [text for text, _, _ in SAME])
def test_what_is_written_is_read_again(text):
    read = cql2.parse(text)
    assert cql2.parse(cql2.to_text(read)) == read
    assert cql2.parse(json.dumps(cql2.to_json(read)), "cql2-json") == read


@pytest.mark.requirement("Q14")
def test_keywords_and_blanks_may_be_written_in_any_way():
    assert cql2.parse("a\tBeTwEeN\n1 aNd 2") == cql2.parse("a between 1 AND 2")
    assert cql2.parse("S_Intersects ( a,Point( 1   2 ) )") == cql2.parse(
        "S_INTERSECTS(a,POINT(1 2))"
    )


@pytest.mark.parametrize("depth", [50, 199])
def test_parentheses_may_nest_deeply(depth):
    assert cql2.parse("(" * depth + "a = 1" + ")" * depth) == Compare("=", A, ONE)
    nested = "a = 1"
    for _ in range(depth):
        nested = f"(({nested}) AND b = 2)" if depth < 100 else f"({nested} AND b = 2)"
    assert cql2.parse(cql2.to_text(cql2.parse(nested))) == cql2.parse(nested)


def test_no_depth_overflows_a_stack():
    limits = Limits(size=10**7, nodes=10**7, depth=10**6)
    assert cql2.parse("(" * 20_000 + "a" + ")" * 20_000, limits=limits) == A
    deep = A
    for _ in range(2_000):
        deep = Not(deep)
    assert cql2.to_text(deep).count("NOT") == 2_000
    condition = {"a": Queryable(Type.BOOLEAN, Identifier("a"))}
    assert cql2.compile(deep, condition).sql.as_string().count("NOT") == 2_000


# The dialect before CQL2, as GDAL writes it.


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("(a > 3) AND (b = 'x')", "a > 3 AND b = 'x'"),
        ("a ILIKE 'x%'", "CASEI(a) LIKE CASEI('x%')"),
        ("a NOT ILIKE 'x%'", "CASEI(a) NOT LIKE CASEI('x%')"),
        ("NOT (a IS NULL)", "NOT (a IS NULL)"),
        ("a >= '2020-01-05T00:00:00Z'", "a >= '2020-01-05T00:00:00Z'"),
    ],
)
def test_the_dialect_before_is_read_into_the_same(text, meaning):
    assert cql2.parse(text, "cql-text") == cql2.parse(meaning)


@pytest.mark.parametrize(
    ("text", "dialect", "word", "offset"),
    [("a IN (1)", "cql-text", "IN", 2), ("a ILIKE 'x'", "cql2-text", "ILIKE", 2)],
)
def test_a_dialect_has_its_own_words(text, dialect, word, offset):
    with pytest.raises(Cql2Error, match=f"no {word} in {dialect}") as caught:
        cql2.parse(text, dialect)
    assert caught.value.position.offset == offset


def test_what_is_a_word_elsewhere_is_a_name_where_a_name_stands():
    assert cql2.parse("ilike = 1 AND timestamp = 2").operands[0].left == Property("ilike")


# A library of its own.


@pytest.mark.parametrize("path", sorted(ROOT.glob("api/cql2/*.py")), ids=lambda path: path.name)
def test_the_package_needs_nothing_of_the_service(path):
    known = {"lark", "shapely", "api.cql2", "psycopg.sql"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [alias.name for alias in node.names]
            names = [node.module] if isinstance(node, ast.ImportFrom) else names
            for name in names:
                ours = name.startswith(("api", "psycopg", "lark", "shapely", "flask"))
                assert not ours or any(f"{name}.".startswith(f"{k}.") for k in known), name
