"""Tables: what each operator, relation and function is in SQL (OGC 21-065r2, clause 7).

Nothing in them can fail while a statement runs, whatever a row holds: what is not defined is NULL.
"""

from typing import LiteralString

from api.cql2.terms import Function, Type

SPATIAL: dict[str, LiteralString] = {
    "s_intersects": "ST_Intersects({}, {})",
    "s_equals": "ST_Equals({}, {})",
    "s_disjoint": "(NOT ST_Intersects({}, {}))",
    "s_touches": "ST_Touches({}, {})",
    "s_within": "ST_Within({}, {})",
    "s_overlaps": "ST_Overlaps({}, {})",
    "s_crosses": "ST_Crosses({}, {})",
    "s_contains": "ST_Contains({}, {})",
}

ARRAY: dict[str, LiteralString] = {
    "a_contains": "({} @> {})",
    "a_containedBy": "({} <@ {})",
    "a_overlaps": "({} && {})",
}

COMPARISON: dict[str, LiteralString] = {
    "=": "({} = {})",
    "<>": "({} <> {})",
    "<": "({} < {})",
    ">": "({} > {})",
    "<=": "({} <= {})",
    ">=": "({} >= {})",
}

#: PostgreSQL reads BETWEEN as two comparisons, each with the value in it: one in another, in
#: another, would grow until the server dies. So what is no column is worked out before, once.
BETWEEN: LiteralString = (
    "(SELECT v >= {} AND v <= {} FROM (SELECT {} AS v OFFSET 0) AS between_value)"
)

#: Between numerics. A power is worked out in doubles, and only where it is one: the bound on its
#: logarithm keeps it, and so a product of a hundred of them, far from the end of a numeric.
ARITHMETIC: dict[str, LiteralString] = {
    "+": "({} + {})",
    "-": "({} - {})",
    "*": "({} * {})",
    "/": "({} / nullif({}, 0))",
    "%": "mod({}, nullif({}, 0))",
    "div": "div({}, nullif({}, 0))",
    "^": """(SELECT CASE
        WHEN x IS NULL OR y IS NULL OR abs(y) > 1e6 OR abs(x) > 1e300 THEN NULL
        WHEN y = 0 THEN 1
        WHEN x = 0 THEN CASE WHEN y > 0 THEN 0 END
        WHEN abs(x) < 1e-300 OR x < 0 AND y <> trunc(y) THEN NULL
        WHEN abs(y::float8 * ln(abs(x)::float8)) < 690
        THEN power(x::float8, y::float8)::text::numeric
        END FROM (SELECT {} AS x, {} AS y OFFSET 0) AS operands)""",
}

#: Full case folding, by ICU's root locale. Lower first: it knows the signs for kelvin, angstrom and
#: ohm, and the capital sharp s. Then upper, which writes out what is one letter in lower case only:
#: sharp s and the ligatures. The dotless i, which upper would make an I, waits as a letter of
#: private use. The last sigma of a word becomes like any other, or a pattern could not have one
#: before a wildcard. What comes out is ordered as other texts are.
CASEI: LiteralString = """(translate(lower(upper(lower(translate({}, '\u0131', '\ue131')
    COLLATE "und-x-icu"))), '\u03c2\ue131', '\u03c3\u0131') COLLATE "default")"""

#: Letters without the marks that Unicode can take from them, and without strokes, which it cannot.
ACCENTI: LiteralString = "translate(regexp_replace(normalize({}, NFD), {}, '', 'g'), {}, {})"
#: The marks of Latin, Greek, Cyrillic, Hebrew and Arabic; those of other scripts are vowels or make
#: another letter (OGC 21-065r2, recommendation on the marks of Japanese).
MARKS = (
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
STROKED, PLAIN = "ıØøŁłĐđĦħŦŧƗɨƵƶɃƀǤǥɈɉɌɍɎɏȺⱥȻȼɆɇ", "iOoLlDdHhTtIiZzBbGgJjRrYyAaCcEe"

LIKE: LiteralString = r"({} LIKE {} ESCAPE '\')"

_TEXT, _NUMBER = frozenset({Type.TEXT}), frozenset({Type.INTEGER, Type.NUMBER})
_TIME, _GEOMETRY = frozenset({Type.DATE, Type.TIMESTAMP}), frozenset({Type.GEOMETRY})

#: The functions that this package has of its own; a caller may hand in others (7.11).
FUNCTIONS = {
    "lower": Function((_TEXT,), Type.TEXT, "lower({})"),
    "upper": Function((_TEXT,), Type.TEXT, "upper({})"),
    "length": Function((_TEXT,), Type.INTEGER, "length({})"),
    "abs": Function((_NUMBER,), Type.NUMBER, "abs({}::numeric)"),
    "floor": Function((_NUMBER,), Type.NUMBER, "floor({}::numeric)"),
    "ceil": Function((_NUMBER,), Type.NUMBER, "ceil({}::numeric)"),
    "year": Function((_TIME,), Type.NUMBER, "extract(year FROM {})"),
    "month": Function((_TIME,), Type.NUMBER, "extract(month FROM {})"),
    "day": Function((_TIME,), Type.NUMBER, "extract(day FROM {})"),
}
