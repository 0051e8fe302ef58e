"""What is wrong with a filter, and where: in text, and in JSON."""

import json
import re

import pytest
from cql2_json import RING, YES, op, point, prop

from api import cql2
from api.cql2 import Cql2Error, Limits


@pytest.mark.requirement("Q7")
@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "the filter ends; expected a value, NOT or '('"),
        ("a = ", 4, "the filter ends; expected a value"),
        ("a = = 1", 4, "'=' stands; expected a value"),
        ("a = 1 AND", 9, "the filter ends; expected a value"),
        ("(a = 1", 6, "the filter ends; expected arithmetic, AND, OR, ')' or ','"),
        ("a = 1)", 5, "')' stands; expected arithmetic, AND, OR or the end"),
        ("a IN (1,)", 8, "')' stands; expected a value"),
        ("a IN ()", 6, "')' stands"),
        ("a = 'x", 4, "a quote opens that is not closed"),
        ('"a = 1', 0, "a quote opens that is not closed"),
        ("a ; b", 2, "';' stands"),
        ("a = 1\n  OR b ? 2", 13, "'?' stands"),
        ("1a = 1", 1, "'a' stands"),
        ("a divb", 2, "'divb' stands"),
        ("a = NULL", 4, "'NULL' stands; expected a value"),
        ("f(a", 3, "the filter ends; expected"),
        ("a ^ b ^ c = 1", 6, "'^' stands"),
        ("NOT NOT a", 4, "'NOT' stands"),
        ("S_INTERSECTS(a, POINT(1))", 22, "'1' stands; expected positions"),
        ("S_INTERSECTS(a, POINT(1 2 3 4))", 28, "'4' stands"),
        ("S_INTERSECTS(a, LINESTRING(1 2, 3 x))", 30, "',' stands"),
        ("S_INTERSECTS(a, LINESTRING(1 2))", 16, "A line has two positions"),
        ("S_INTERSECTS(a, POLYGON((0 0, 1 0, 1 1)))", 16, "A ring ends where it begins"),
        ("S_INTERSECTS(a, POLYGON((0 0, 1 0, 0 0)))", 16, "A ring has four positions"),
        (
            "S_INTERSECTS(a, MULTIPOINT((0 0), (1 1 1)))",
            16,
            "two coordinates, or all of them three",
        ),
        ("S_INTERSECTS(a, POINT Z(0 0))", 24, "After Z"),
        ("S_INTERSECTS(a, POINT(1e999 0))", 22, "finite"),
        ("S_INTERSECTS(a, BBOX(1, 2, 3))", 16, "4 numbers"),
        ("S_INTERSECTS(a, BBOX(1, 2, 3, 4, 5, 2))", 16, "lower corner"),
        ("S_INTERSECTS(a, POINT EMPTY)", 22, "'EMPTY' stands"),
        ("a = DATE('2023-02-29')", 9, "There is no day"),
        ("a = DATE('0000-01-01')", 9, "There is no day"),
        ("a = DATE('2023-02-28T00:00:00Z')", 9, "is no day"),
        ("a = TIMESTAMP('2023-02-28')", 14, "is no instant"),
        ("a = TIMESTAMP('2023-02-28T25:00:00Z')", 14, "There is no instant"),
        ("a = TIMESTAMP('9999-12-31T23:59:59-01:00')", 14, "There is no instant"),
        ("T_AFTER(a, INTERVAL('x', '..'))", 20, "is no instant"),
        ("a = 1e999", 4, "between"),
        ("a = 1e-999", 4, "between"),
        ("a = 1e9999999999999999999", 4, "finite"),
        (f"a = {'1' * 41}", 4, "40 digits"),
    ],
)
def test_an_error_says_what_and_where(text, offset, message):
    with pytest.raises(Cql2Error, match=re.escape(message)) as caught:
        cql2.parse(text)
    position = caught.value.position
    assert position.offset == offset, caught.value
    assert position.line == text[:offset].count("\n") + 1
    assert position.column == offset - (text.rfind("\n", 0, offset) + 1) + 1
    assert f"line {position.line}, column {position.column}" in str(caught.value)


@pytest.mark.requirement("Q7")
@pytest.mark.parametrize(
    ("value", "pointer", "message"),
    [
        (op("and", YES), "", "two arguments or more"),
        (op("not", YES, YES), "", "1 arguments, not 2"),
        (op("=", 1), "", "2 arguments, not 1"),
        ({"op": "="}, "", "'args' is a list"),
        ({"op": 5}, "", "no operation"),
        (op("and", YES, op("=", None, 1)), "/args/1/args/0", "null is no value"),
        (op("in", 1, []), "/args/1", "one item or more"),
        (op("in", 1, 2), "/args/1", "one item or more"),
        (op("t_after", {"interval": ["2024-01-01", 5]}, 1), "/args/0/interval/1", "two ends"),
        (op("t_after", {"interval": ["2024-01-01"]}, 1), "/args/0", "two ends"),
        (op("t_after", {"interval": "x"}, 1), "/args/0", "is a list"),
        ({"date": "2023-02-29"}, "", "There is no day"),
        ({"timestamp": "2023"}, "", "is no instant"),
        (point(1), "", "two coordinates"),
        (point(YES, 1), "", "is a number"),
        (point([1, 2]), "", "is a number"),
        ({"type": "Point", "coordinates": []}, "", "two coordinates"),
        ({"type": "Polygon", "coordinates": [RING[:3]]}, "", "ends where it begins"),
        ({"type": "Polygon", "coordinates": []}, "", "without positions"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "", "without positions"),
        ({"type": "Circle", "coordinates": [1, 2]}, "", "no geometry of GeoJSON"),
        ({"type": "GeometryCollection", "geometries": []}, "", "no geometry of GeoJSON"),
        ({"bbox": [1, 2, "x", 4]}, "", "is a number"),
        ({"bbox": [1, 2]}, "", "4 numbers"),
        (op("=", prop("a"), "\0"), "/args/1", "NUL"),
        (op("=", prop("a"), "\ud800"), "/args/1", "surrogate"),
        (prop("\0"), "", "NUL"),
        ({}, "", "no operation"),
    ],
)
def test_an_error_in_json_says_what_and_where(value, pointer, message):
    with pytest.raises(Cql2Error, match=message) as caught:
        cql2.parse(json.dumps(value), "cql2-json")
    assert caught.value.position.pointer == pointer


def test_broken_json_says_where_it_breaks():
    with pytest.raises(Cql2Error, match="This is no JSON") as caught:
        cql2.parse('{"op": "and",\n "args"', "cql2-json")
    assert (caught.value.position.line, caught.value.position.column) == (2, 8)


@pytest.mark.parametrize(
    ("limits", "text", "message"),
    [
        (Limits(size=5), "a = 1 ", "5 characters"),
        (Limits(size=6), "a='é'é", "6 bytes"),
        (Limits(nodes=2), "a = 1", "2 words and signs"),
        (Limits(depth=2), "(((a)))", "2 parentheses"),
        (Limits(vertices=2), "S_WITHIN(a, LINESTRING(1 2, 3 4, 5 6))", "2 positions"),
        (Limits(items=2), "a IN (1, 2, 3)", "2 items"),
        (Limits(arithmetic=1), "a + 1 + 1 = 2", "1 signs"),
    ],
)
def test_each_limit_is_named(limits, text, message):
    with pytest.raises(Cql2Error, match=f"more than {message}"):
        cql2.parse(text, limits=limits)


@pytest.mark.parametrize(
    ("limits", "value", "message"),
    [
        (Limits(nodes=2), op("and", YES, YES), "2 values"),
        (Limits(depth=2), op("not", op("not", op("not", YES))), "2 operators"),
        (Limits(vertices=2), {"type": "LineString", "coordinates": [[1, 2]] * 3}, "2 positions"),
        (Limits(items=2), op("in", 1, [1, 2, 3]), "2 items"),
        (Limits(arithmetic=1), op("+", op("+", 1, 1), 1), "1 operators of arithmetic"),
    ],
)
def test_each_limit_is_named_in_json(limits, value, message):
    with pytest.raises(Cql2Error, match=f"more than {message}"):
        cql2.parse(json.dumps(value), "cql2-json", limits)
