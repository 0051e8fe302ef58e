"""More than a thousand filters that mean harm: each is answered in order, and soon."""

import contextlib
import itertools
import json
import random
import time

import psycopg
import pytest
from cql2_table import QUERYABLES, TABLE
from psycopg.sql import SQL

from api import cql2
from api.cql2 import Cql2Error
from api.cql2.errors import LIMITS

#: The largest filter that is let in: as many words as there may be.
LARGEST = "low = 1" + " AND low = 1" * ((LIMITS.nodes - 3) // 4)
EVIL = [
    "'", "''", "\\", "\\'", "\0", "%", "%s", "%(x)s", "%%", "{}", "{0}", "$1", ";", "--", "/*",
    "*/", "'; DROP TABLE thing; --", "' OR '1'='1", "\\'; SELECT pg_sleep(10); --", "E'\\\\", "$$",
    "U&'\\0061'", "\u2018", "\u2019", "\uff07", "\u02bc", "\u202e", "\ufeff", "\ud800", "\udfff",
    "\U0010ffff", "\r\n", "nаme", "ｎａｍｅ", "ctid", "xmin", "tableoid", "oid", "pg_sleep(10)",
    "pg_read_file('/etc/passwd')", "current_setting('port')", "(SELECT 1)", "thing.*", "thing",
    "*", "public.thing", "version()", "NULL", "NaN", "Infinity", "-Infinity", "1e999", "1e-999",
    "1e309", "0x10", "1_000", "٣", "１", "9" * 400, "1." + "1" * 400, "1e" + "9" * 400, ".", "+",
    "-", "1e", "1.e5.", "++1", "--1", "- -1",
]  # fmt: skip
LITERALS = [
    "DATE('0000-01-01')", "DATE('9999-12-31')", "DATE('10000-01-01')", "DATE('2023-02-29')",
    "DATE('2024-02-29')", "DATE('1900-02-29')", "DATE('2024-13-01')", "DATE('2024-00-00')",
    "DATE('-001-01-01')", "DATE('infinity')", "DATE('now')", "DATE('today')", "DATE('')",
    "DATE('٢٠٢٤-01-01')", "TIMESTAMP('0000-01-01T00:00:00Z')", "TIMESTAMP('9999-12-31T23:59:59Z')",
    "TIMESTAMP('0001-01-01T00:00:00+14:00')", "TIMESTAMP('9999-12-31T23:59:59-14:00')",
    "TIMESTAMP('2024-01-01T24:00:00Z')", "TIMESTAMP('2024-01-01T00:60:00Z')",
    "TIMESTAMP('2016-12-31T23:59:60Z')", "TIMESTAMP('2024-01-01T00:00:00+99:99')",
    "TIMESTAMP('2024-01-01T00:00:00." + "9" * 1000 + "Z')", "TIMESTAMP('now')",
    "TIMESTAMP('epoch')", "INTERVAL('..', '..')", "INTERVAL('2024-01-02', '2024-01-01')",
    "INTERVAL('', '')", "INTERVAL(born, name)", "INTERVAL('infinity', '..')", "INTERVAL('..')",
    "INTERVAL('..', '..', '..')", "POINT(NaN NaN)", "POINT(Infinity 0)", "POINT(1e999 1)",
    "POINT(1e308 -1e308)", "POINT(1e-320 0)", "POINT EMPTY", "POINT()", "POINT(1)",
    "POINT(1 2 3 4)", "POINT(1,2)", "POINT(1 2", "LINESTRING(1 1,1 1)", "LINESTRING(1 2)",
    "LINESTRING(0 0,1e308 1e308,-1e308 1e308)", "POLYGON((0 0,1 0,1 1))",
    "POLYGON((0 0,1 1,1 0,0 1,0 0))", "POLYGON((0 0,0 0,0 0,0 0))", "POLYGON((0 0,1 0,2 0,0 0))",
    "POLYGON(())", "POLYGON((0 0,4 0,4 4,0 4,0 0),(9 9,8 9,8 8,9 9))",
    "POLYGON((1e308 0,0 1e308,-1e308 0,1e308 0))", "MULTIPOINT()", "MULTIPOINT((1 1),(1 1))",
    "MULTIPOLYGON(((0 0,4 0,4 4,0 0)),((0 0,4 0,4 4,0 0)))", "GEOMETRYCOLLECTION()",
    "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 1)))", "CIRCULARSTRING(0 0,1 1,2 0)",
    "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(1 1,2 2))", "SRID=4326;POINT(1 1)",
    "TRIANGLE((0 0,1 0,1 1,0 0))", "BBOX(1,2,3)", "BBOX(1,2,3,4,5)", "BBOX(1,2,3,4,5,6)",
    "BBOX(10,0,-10,5)", "BBOX(0,5,1,-5)", "BBOX(-1e308,-1e308,1e308,1e308)",
    "BBOX(1e308,0,-1e308,1)", "BBOX(0,0,0,0)", "BBOX(NaN,0,1,1)", "BBOX()", "()", "(())",
    "(1,'x')", "('x')", "((('x')))", "CASEI(1)", "CASEI()", "ACCENTI(name,name)", "f()", "TRUE",
]  # fmt: skip
PLACES = [
    "name = {}", "{} = name", "low > {}", "low + {} > 1", "born = {}", "began <= {}", "good = {}",
    "name LIKE {}", "name IN ({})", "low BETWEEN {} AND 2", "S_INTERSECTS(place, {})",
    "S_TOUCHES({}, place)", "S_EQUALS({}, place)", "S_CROSSES(place, {})",
    "T_INTERSECTS(born, {})", "T_DURING(life, {})", "T_MEETS({}, span)", "A_CONTAINS(tags, {})",
    "A_EQUALS({}, marks)", "{} IS NULL", "NOT {}", "lower({}) = 'x'", "name = '{}'",
    "name LIKE '{}'", "CASEI(name) LIKE ACCENTI('{}')", '"{}" = 1', "{}(name) = 1", "{}",
    "A_OVERLAPS(tags, ('{}'))",
]  # fmt: skip
HUGE = 10**5


def in_text():
    """Yield texts: what is evil in every place, what is huge, and what is cut or mixed up."""
    for place, evil in itertools.product(PLACES, [*EVIL, *LITERALS]):
        yield place.replace("{}", evil)
    for sign in ("(", ")", "-", "NOT ", "CASEI(", "f(", "POLYGON(", "'", '"', "1 ^ ", "a.", "((a)"):
        yield sign * HUGE
        yield f"low = {sign * HUGE}"
    yield "(" * HUGE + "low = 1" + ")" * HUGE
    yield "low = 1" + " AND low = 1" * HUGE
    yield "low = 1" + " OR low = 1" * HUGE
    yield "low = 1" + " + 1" * HUGE
    yield f"low IN ({','.join(map(str, range(HUGE)))})"
    yield f"name IN ({','.join(['name'] * 900)})"
    yield "low = 1" + " IN (good, good)" * 99
    yield "(" * 99 + "good" + " IN (good, good))" * 99
    yield "A_EQUALS((" * 60 + "good" + "), (good))" * 60
    for size in (4_999, 10**6):
        line = ",".join("1 2" if i % 2 else "3 4" for i in range(size))
        yield f"S_INTERSECTS(place, LINESTRING({line}))"
        yield f"S_INTERSECTS(place, MULTIPOINT({line}))"
        yield f"S_INTERSECTS(place, POLYGON(({line},{line},3 4)))"
        yield f"S_EQUALS(place, GEOMETRYCOLLECTION(LINESTRING({line})))"
    yield "name LIKE '" + "%_" * 15_000 + "'"
    yield "name LIKE '" + "\\" * 30_001 + "'"
    yield LARGEST
    yield LARGEST + " AND"
    yield LARGEST[:-1] + "'"
    whole = "low = 1 AND S_WITHIN(place, POLYGON((0 0,1 0,1 1,0 0)))"
    whole += " OR T_DURING(life, INTERVAL('..', born))"
    for end in range(len(whole)):
        yield whole[:end]
    chance = random.Random(7)  # noqa: S311 - for tests, and the same each time
    words = [*EVIL, *LITERALS, *whole.split(" "), "(", ")", ",", "AND", "LIKE", "IN", "IS NOT NULL"]
    for _ in range(500):
        yield " ".join(chance.choices(words, k=chance.randint(1, 12)))
    for _ in range(300):
        yield "".join(chance.choices("'\"\\%()[],.;:-+*/^<>=aZ09 \0é\u0301😀", k=40))


def in_json():
    """Yield texts that should be JSON."""
    yield from ("[" * HUGE, '{"op":"not","args":[' * HUGE, "1" * HUGE, '"' + "x" * HUGE, "{" * 50)
    yield from (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "null",
        "",
        "[]",
        "{}",
        '""',
        "\0",
        "\ufeff{}",
    )
    for depth in (150, 190, 300, 5000):
        yield '{"op":"not","args":[' * depth + "true" + "]}" * depth
        yield "[" * depth + "]" * depth
        yield '{"type":"GeometryCollection","geometries":[' * depth + "]}" * depth
    values = [None, True, 0, -1.5, 1e308, "x", "\0", "\ud800", "%(x)s", [], [[]], {}, {"op": "and"}]
    values += [{"property": "name"}, {"property": 1}, {"property": "ctid"}, {"bbox": [0, 0, 1, 1]}]
    values += [
        {"type": "Point", "coordinates": c} for c in ([], [1], [1, 2], ["x", 1], [[1, 2]], {})
    ]
    values += [{"date": v} for v in ("0000-01-01", "2024-02-29", 1)] + [{"interval": ["..", ".."]}]
    names = [
        "and",
        "or",
        "not",
        "=",
        "<",
        "like",
        "between",
        "in",
        "isNull",
        "casei",
        "+",
        "^",
        "div",
    ]
    names += ["s_intersects", "s_touches", "t_after", "t_during", "a_equals", "pg_sleep", "", "\0"]
    for name, value in itertools.product(names, values):
        yield json.dumps({"op": name, "args": [value]})
        yield json.dumps({"op": name, "args": [{"property": "low"}, value]})
        yield json.dumps({"op": name, "args": [value, [value, value]]})
        yield json.dumps({"op": name, "args": value})


def answered(conn, text, dialect):
    """Tell how `text` is answered: refused by the package, or a condition that PostGIS can test."""
    try:
        made = cql2.compile(cql2.parse(text, dialect), QUERYABLES)
    except Cql2Error as error:
        return "refused" if error.message and len(str(error)) < 5000 else "refused at length"
    with conn.transaction(force_rollback=True):
        conn.execute(SQL("SELECT {} FROM thing").format(made.sql), made.values)
    return "asked"


@pytest.fixture
def table(conn):
    conn.execute(TABLE)
    conn.execute("INSERT INTO thing (id) VALUES (0)")
    conn.execute(
        "INSERT INTO thing VALUES (1, 'name', '%', 1, 2, 1e308, true, '0001-01-01', 'infinity',"
        " '-infinity', 'infinity', 'SRID=4326;POINT(1 1)', '{x}', '{1}')"
    )
    return conn


@pytest.mark.parametrize("dialect", cql2.DIALECTS)
def test_whatever_is_asked_is_refused_or_answered(table, dialect):
    counts = {"refused": 0, "asked": 0}
    for text in in_json() if dialect == "cql2-json" else in_text():
        try:
            counts[answered(table, text, dialect)] += 1
        except psycopg.Error as error:
            pytest.fail(f"PostgreSQL refused what was let through: {text[:300]!r}: {error}")
    print(f"\n{dialect}: {counts}")  # noqa: T201 - the figure is wanted
    assert sum(counts.values()) > 1000
    assert min(counts.values()) > 20


def seconds(text, dialect):
    start = time.perf_counter()
    with contextlib.suppress(Cql2Error):
        cql2.compile(cql2.parse(text, dialect), QUERYABLES)
    return time.perf_counter() - start


@pytest.mark.parametrize("dialect", ["cql2-text", "cql2-json"])
def test_nothing_takes_much_longer_than_the_largest_filter(dialect):
    seconds("low = 1", "cql2-text")  # the grammar is loaded
    largest = min(seconds(LARGEST, "cql2-text") for _ in range(3))
    texts = list(in_json() if dialect == "cql2-json" else in_text())
    longest, text = max((seconds(text, dialect), text) for text in texts)
    if longest > 5 * largest:  # something else may have had the processor
        longest = min(seconds(text, dialect) for _ in range(3))
    print(f"\nlargest {largest * 1000:.0f} ms; longest {longest * 1000:.0f} ms: {text[:60]!r}")  # noqa: T201
    assert longest < 5 * largest, text[:300]


def nested(before, after, times, inside="good"):
    return before * times + inside + after * times


#: Each operator in itself, as deeply as the limits allow.
DEEP = {
    "CASEI": nested("CASEI(", ")", 199, "name") + " = 'x'",
    "ACCENTI": nested("ACCENTI(", ")", 199, "name") + " = 'x'",
    "a fold of a fold": nested("ACCENTI(CASEI(", "))", 99, "name") + " = 'x'",
    "a pattern": "name LIKE " + nested("CASEI(", ")", 199, "'x'"),
    "NOT": nested("NOT (", ")", 199),
    "OR": nested("(", " OR low = 1)", 199),
    "IS NULL": nested("(", " IS NULL)", 199),
    "a comparison": nested("(", " = true)", 199),
    "BETWEEN": nested("(", " BETWEEN false AND true)", 199),
    "BETWEEN on the right": nested("(good BETWEEN false AND ", ")", 199),
    "IN": nested("(", " IN (true))", 199),
    "IN with columns": nested("(", " IN (good, true))", 190),
    "a relation of arrays": nested("A_EQUALS((", "), (good))", 99),
    "an array in an array": nested("A_OVERLAPS((", "), (good))", 99),
    "a sum": nested("(share + ", ")", 99, "share") + " = 2",
    "a power of a power": nested("(", " ^ 1)", 99, "share") + " = 2",
    "a power to a power": "share ^ " + nested("(1 ^ ", ")", 98, "1") + " = 2",
    "a remainder": nested("(", " % 7)", 99, "low") + " = 2",
    "a function": nested("lower(", ")", 199, "name") + " = 'x'",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_an_operator_in_itself_does_not_grow_without_end(table, text):
    """PostgreSQL may repeat what it is given: what doubles at each step would end it."""
    table.execute("SET LOCAL statement_timeout = '20s'")
    made = cql2.compile(cql2.parse(text), QUERYABLES)
    assert len(made.sql.as_string()) < 20 * len(text) + 50_000
    assert len(table.execute(SQL("SELECT {} FROM thing").format(made.sql), made.values).fetchall())
