"""The condition that a filter becomes: its types, its values, and what PostGIS makes of it."""

import re
import unicodedata
from datetime import UTC, date, datetime

import psycopg
import pytest
import shapely
from cql2_filters import QUERYABLES, TABLE
from psycopg.sql import SQL, Identifier

from api import cql2
from api.cql2 import Cql2Error, Function, Queryable, Reading, Type

OPEN_LIFE = Queryable(
    Type.INTERVAL,
    SQL("coalesce(born, '-infinity')"),
    Type.DATE,
    SQL("coalesce(died, 'infinity')"),
)


@pytest.fixture
def ask(conn):
    """Put rows into the table, and tell which a filter leaves, by their numbers."""
    conn.execute(TABLE)

    def asked(text, *rows, **options):
        conn.execute("TRUNCATE thing")
        for number, row in enumerate(rows):
            columns = {"id": number, **row}
            conn.execute(
                SQL("INSERT INTO thing ({}) VALUES ({})").format(
                    SQL(", ").join(map(Identifier, columns)),
                    SQL(", ").join(SQL("{}").format(value) for value in columns.values()),
                )
            )
        made = cql2.compile(cql2.parse(text), options.pop("queryables", QUERYABLES), **options)
        statement = SQL("SELECT id FROM thing WHERE {} ORDER BY id").format(made.sql)
        return [row[0] for row in conn.execute(statement, made.values)]

    return asked


def names(*values):
    return [{"name": value} for value in values]


# Texts.


@pytest.mark.requirement("Q14")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("STRASSE", "straße"),
        ("ẞ", "ss"),
        ("ΟΔΟΣ", "οδος"),
        ("ﬁn", "FIN"),
        ("\N{KELVIN SIGN}", "k"),
        ("\N{ANGSTROM SIGN}", "å"),
        ("ДОНЕЦК", "донецк"),
        ("ՀԱՅ", "հայ"),
    ],
)
def test_casei_is_full_case_folding(ask, one, other):
    text = f"CASEI(name) = CASEI('{other}')"
    assert ask(text, *names(one, other, "x", None)) == [0, 1]


def test_casei_leaves_what_is_another_letter(ask):
    assert ask("CASEI(name) = CASEI('i')", *names("I", "i", "ı")) == [0, 1]
    assert ask("CASEI(name) = CASEI('e')", *names("é")) == []


@pytest.mark.requirement("Q14")
def test_casei_folds_every_letter_as_unicode_says(conn):
    """Those of Unicode 3.2: PostgreSQL's ICU and this Python may know different later ones."""
    kind = unicodedata.ucd_3_2_0.category
    letters = [chr(c) for c in range(1, 0x110000) if kind(chr(c))[0] in "LMNS"]
    name = Queryable(Type.TEXT, SQL("letter"))
    made = cql2.compile(
        cql2.parse("CASEI(a) = CASEI(b)"), {"a": name, "b": Queryable(Type.TEXT, SQL("folded"))}
    )
    statement = (
        "SELECT letter FROM unnest(%(a)s::text[], %(b)s::text[]) AS t(letter, folded) WHERE NOT {}"
    )
    values = {"a": letters, "b": [letter.casefold() for letter in letters]}
    rows = conn.execute(SQL(statement).format(made.sql), values | made.values).fetchall()
    assert len(letters) > 50_000
    assert rows == []


@pytest.mark.requirement("Q14")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café", "cafe"),
        ("cafe\u0301", "café"),
        ("Łódź", "Lodz"),
        ("Diyarbakır", "Diyarbakir"),
        ("أَلْقَائِم", "القايم"),
        ("Чёрный", "Черный"),
        ("Ngoại", "Ngoai"),
    ],
)
def test_accenti_takes_marks_and_strokes_away(ask, one, other):
    assert ask(f"ACCENTI(name) = ACCENTI('{other}')", *names(one, other, "x")) == [0, 1]


def test_accenti_leaves_the_vowels_of_other_scripts(ask):
    assert ask("ACCENTI(name) = ACCENTI('क')", *names("की", "क")) == [1]


@pytest.mark.requirement("Q14")
@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("100%", [0, 1, 2]),
        (r"100\%", [0]),
        (r"100\_", [1]),
        ("100_", [0, 1, 2]),
        (r"\1\0\0%", [0, 1, 2]),
        (r"a\\b", [3]),
        ("", [4]),
        ("%", [0, 1, 2, 3, 4]),
    ],
)
def test_a_pattern_has_wildcards_and_escapes(ask, pattern, left):
    text = "name LIKE '" + pattern.replace("\\", "\\\\") + "'"
    assert ask(text, *names("100%", "100_", "1000", r"a\b", "", None)) == left


def test_a_fold_moves_no_escape(ask):
    """The accent would go, and the backslash before it would stand before the wildcard."""
    text = "ACCENTI(name) LIKE ACCENTI('a\\\\\u0301%')"
    assert ask(text, *names("ab", "a%", "a")) == [0, 1, 2]


# Numbers.


def test_whole_numbers_keep_all_their_digits(ask):
    rows = [{"high": 9007199254740993}, {"high": 9007199254740992}]
    assert ask("high = 9007199254740993", *rows) == [0]
    assert ask("high IN (9007199254740993)", *rows) == [0]
    assert ask("high + 0 = 9007199254740993", *rows) == [0]
    assert ask("high < 1e30 AND high <> 123456789012345678901234567890", *rows) == [0, 1]


def test_a_double_keeps_all_its_digits_in_arithmetic(ask):
    assert ask(
        "share * 1 = share AND share = 0.1234567890123456", {"share": 0.1234567890123456}
    ) == [0]


@pytest.mark.requirement("Q14")
@pytest.mark.parametrize(
    "text",
    [
        "low / 0 = 1",
        "low % 0 = 1",
        "low div 0 = 1",
        "0 ^ (low - 5) = 1",
        "(low - 5) ^ 0.5 = 1",
        "low ^ 1e300 = 1",
        "1e300 ^ low = 1",
        "(share ^ 2) / (low - 4) = 1",
    ],
)
def test_what_arithmetic_cannot_tell_is_not_known(ask, text):
    row = {"low": 4, "share": 1e308}
    assert ask(text, row) == []
    assert ask(f"NOT ({text})", row) == []
    assert ask(f"({text}) IS NULL", row) == [0]


def test_no_product_is_too_large_to_be_worked_out(ask):
    row = {"low": 2**31 - 1, "high": 2**63 - 1, "share": 1.7e308}
    assert ask("low + low > 0 AND high * high > high AND -high - high < 0", row) == [0]
    assert ask("share" + " * share" * 99 + " > share", row) == [0]
    assert ask("1e-307" + " / share" * 99 + " < 1", row) == [0]
    assert ask("share" + " / 1e-307" * 99 + " > share", row) == [0]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_do_no_harm(ask, number):
    row = {"share": float(number)}
    for sign in ("+", "-", "*", "/", "%", "div", "^"):
        ask(f"share {sign} share > 1 OR 2 {sign} share > 1 OR share {sign} 2 > 1", row)


# Times.

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.mark.requirement("Q14")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("born = DATE('2024-02-29')", [0]),
        ("born >= TIMESTAMP('2024-02-29T00:00:00Z')", [0]),
        ("born > TIMESTAMP('2024-02-28T23:59:59Z')", [0]),
        ("born > TIMESTAMP('2024-02-29T00:00:00Z')", []),
        ("born = '2024-02-29'", [0]),
        ("born < '2024-03-01T00:00:00Z'", [0]),
        ("born IN ('2024-02-29', DATE('2020-01-01'))", [0]),
        ("born BETWEEN '2024-02-01' AND '2024-02-29T12:00:00Z'", [0]),
        ("began > DATE('2024-02-29')", [0]),
        ("began <= '2024-02-29'", []),
        ("began = '2024/02/29 12:00:00'", [0]),
        ("born < began", [0]),
        ("T_INTERSECTS(began, DATE('2024-02-29'))", [0]),
        ("T_INTERSECTS(began, INTERVAL('2024-02-01', '2024-02-29'))", [0]),
        ("T_INTERSECTS(born, began)", [0]),
        ("T_AFTER(began, born)", []),
        ("T_DURING(INTERVAL(began, began), INTERVAL(born, born))", [0]),
        ("T_INTERSECTS(INTERVAL('..', '..'), born)", [0]),
        ("T_EQUALS(INTERVAL('..', '..'), INTERVAL('..', '..'))", [0, 1]),
        ("T_AFTER(born, '2024-02-28')", [0]),
        ("born > DATE('0001-01-01') AND born < DATE('9999-12-31')", [0]),
        ("began > TIMESTAMP('0001-01-01T00:00:00Z')", [0]),
        ("began < TIMESTAMP('9999-12-31T23:59:59.999999Z')", [0]),
        ("began < TIMESTAMP('2024-12-31T23:59:60Z')", [0]),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati"])
def test_days_and_instants_are_compared_in_utc(ask, conn, text, left, zone):
    conn.execute(SQL("SET LOCAL timezone = {}").format(zone))
    assert ask(text, {"born": date(2024, 2, 29), "began": NOON}, {}) == left


def test_the_ends_of_an_interval_may_be_open_by_what_the_caller_hands_in(ask):
    rows = [{"born": date(2020, 1, 1)}, {"died": date(2020, 1, 1)}, {}]
    text = "T_AFTER(life, DATE('2019-01-01')) OR T_INTERSECTS(life, DATE('2030-01-01'))"
    assert ask(text, *rows) == [0]
    assert ask(text, *rows, queryables={"life": OPEN_LIFE}) == [0, 2]
    assert ask("life IS NULL", *rows) == [2]


# Geometries.


def places(*wkts):
    return [{"place": wkt and f"SRID=4326;{wkt}"} for wkt in wkts]


@pytest.mark.requirement("Q14")
def test_a_box_may_cross_the_antimeridian(ask):
    rows = places("POINT(179 0)", "POINT(-179 0)", "POINT(0 0)", "POINT(180 0)", None)
    assert ask("S_INTERSECTS(place, BBOX(170, -5, -170, 5))", *rows) == [0, 1, 3]
    assert ask("NOT S_INTERSECTS(place, BBOX(170, -5, -170, 5))", *rows) == [2]


def test_a_box_may_be_a_line_or_a_point_and_have_heights(ask):
    rows = places("POINT(1 2)", "POINT(1 3)")
    assert ask("S_INTERSECTS(place, BBOX(1, 2, 1, 2))", *rows) == [0]
    assert ask("S_INTERSECTS(place, BBOX(1, 0, 1, 9))", *rows) == [0, 1]
    assert ask("S_INTERSECTS(place, BBOX(0, 0, -50, 5, 2.5, 50))", *rows) == [0]
    assert ask("S_EQUALS(place, POINT Z(1 2 3))", *rows) == [0]


def test_a_collection_is_what_its_parts_are_together(ask):
    rows = places("POLYGON((0 0, 2 0, 2 1, 0 1, 0 0))")
    halves = "POLYGON((0 0, 1 0, 1 1, 0 1, 0 0)), POLYGON((1 0, 2 0, 2 1, 1 1, 1 0))"
    assert ask(f"S_EQUALS(place, GEOMETRYCOLLECTION({halves}, POINT(0 0)))", *rows) == [0]
    assert ask("S_INTERSECTS(place, GEOMETRYCOLLECTION(POINT(9 9), POINT(1 1)))", *rows) == [0]
    with pytest.raises(Cql2Error, match="S_TOUCHES takes no collection"):
        ask("S_TOUCHES(place, GEOMETRYCOLLECTION(POINT(9 9), LINESTRING(0 0, 1 1)))")


def swapped(geometry):
    return shapely.transform(geometry, lambda positions: positions[:, ::-1])


def test_literals_are_read_in_the_filters_reference_system(ask):
    rows = places("POINT(40 10)", "POINT(179 0)", "POINT(-179 0)")
    reading = Reading(transform=swapped)
    assert ask("S_EQUALS(place, POINT(10 40))", *rows, reading=reading) == [0]
    assert ask("S_WITHIN(place, BBOX(9, 39, 11, 41))", *rows, reading=reading) == [0]
    assert ask("S_WITHIN(place, BBOX(-5, 170, 5, -170))", *rows, reading=reading) == [1, 2]


def test_a_box_in_a_plane_is_transformed_as_an_area(ask):
    rows = places("POINT(40 10)", "POINT(1 1)")
    metres = Reading(transform=lambda g: shapely.transform(g, lambda p: p / 100_000), upright=False)
    assert ask("S_INTERSECTS(place, BBOX(3999999, 0, 4000001, 2e6))", *rows, reading=metres) == [0]
    with pytest.raises(Cql2Error, match="lower corner"):
        ask("S_INTERSECTS(place, BBOX(5, 0, 1, 1))", reading=metres)


@pytest.mark.parametrize("error", [ValueError("no"), ZeroDivisionError(), OverflowError()])
def test_what_cannot_be_transformed_is_an_error_with_its_place(error):
    def fail(_):
        raise error

    with pytest.raises(Cql2Error, match="cannot be read") as caught:
        compiled("S_WITHIN(place, POINT(1 2))", reading=Reading(transform=fail))
    assert caught.value.position.offset == 16
    far = Reading(transform=lambda g: shapely.transform(g, lambda p: p + float("inf")))
    with pytest.raises(Cql2Error, match="cannot be read"):
        compiled("S_WITHIN(place, POINT(1 2))", reading=far)


def test_a_geometry_that_crosses_itself_is_refused():
    with pytest.raises(Cql2Error, match="not valid: Self-intersection"):
        compiled("S_WITHIN(place, POLYGON((0 0, 2 2, 2 0, 0 2, 0 0)))")


def test_indexes_serve(conn):
    conn.execute(TABLE)
    conn.execute(
        "INSERT INTO thing (id, low, name, born, began, place, tags) SELECT i, i, i,"
        " date '2000-01-01' + i % 9000, timestamptz 'epoch' + i * interval '1 hour',"
        " ST_Point(i % 360 - 180, i % 180 - 90, 4326), ARRAY[i::text]"
        " FROM generate_series(1, 20000) AS i"
    )
    for index in ("(low)", "(name)", "(born)", "(began)", "USING gist (place)", "USING gin (tags)"):
        conn.execute(SQL("CREATE INDEX ON thing ") + SQL(index))
    conn.execute("ANALYZE thing")
    conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    for text in (
        "low = 5",
        "low IN (5, 6)",
        "low BETWEEN 5 AND 6",
        "name = 'x'",
        "name IN ('x', 'y')",
        "born = DATE('2001-01-01')",
        "born < TIMESTAMP('2000-01-02T00:00:00Z')",
        "began < DATE('1970-01-02')",
        "T_INTERSECTS(born, INTERVAL('2001-01-01', '2001-01-02'))",
        "T_INTERSECTS(began, INTERVAL('1970-01-01', '1970-01-02'))",
        *(f"S_{name}(place, BBOX(1, 2, 3, 4))" for name in ("INTERSECTS", "WITHIN", "EQUALS")),
        "S_INTERSECTS(place, BBOX(179, 2, -179, 4))",
        "A_CONTAINS(tags, ('x'))",
        "A_EQUALS(tags, ('x'))",
        "A_OVERLAPS(tags, ('x', 'y'))",
    ):
        made = compiled(text)
        statement = SQL("EXPLAIN SELECT * FROM thing WHERE {}").format(made.sql)
        plan = "\n".join(row[0] for row in conn.execute(statement, made.values))
        assert "Seq Scan" not in plan, f"{text}\n{plan}"


# Arrays and functions.


@pytest.mark.requirement("Q14")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A_CONTAINS(tags, ('x'))", [0]),
        ("A_EQUALS(tags, ('y', 'x', 'x'))", [0]),
        ("A_CONTAINEDBY(tags, ('x', 'y', 'z'))", [0, 1]),
        ("A_OVERLAPS(tags, ('z'))", []),
        ("A_EQUALS(tags, ())", [1]),
        ("A_EQUALS((), ())", [0, 1, 2]),
        ("A_CONTAINS(tags, (CASEI('X')))", [0]),
        ("A_CONTAINS(tags, (name))", [0]),
        ("A_CONTAINS(marks, (2, 1.0))", [0]),
        ("A_CONTAINS(marks, (low))", [0]),
        ("A_CONTAINS(tags, (name)) IS NULL", [2]),
        ("NOT A_CONTAINS((name), tags)", [0]),
        ("A_EQUALS((A_EQUALS(tags, (name))), (false))", [0, 1]),
        ("A_OVERLAPS((DATE('2024-01-01')), (TIMESTAMP('2024-01-01T00:00:00Z')))", [0, 1, 2]),
        ("NOT A_CONTAINS(tags, ('x'))", [1]),
    ],
)
def test_arrays_are_sets(ask, text, left):
    rows = [{"tags": ["x", "y"], "name": "x", "marks": [1, 2], "low": 2}, {"tags": []}, {}]
    rows[1] |= {"name": "x"}
    assert ask(text, *rows) == left


@pytest.mark.requirement("Q15")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("lower(name) = 'ab'", [0]),
        ("upper(name) = 'AB'", [0]),
        ("length(name) = low", [0]),
        ("abs(low) = 2 AND abs(-low) + 1 = 3", [0]),
        ("floor(share) = 2 AND ceil(share) = 3", [0]),
        ("year(born) = 2024 AND month(born) = 2 AND day(born) = 29", [0]),
        ("year(began) = 2024 AND day(TIMESTAMP('2024-02-29T23:59:59Z')) = 29", [0]),
        ("floor(2.5) = 2", [0, 1]),
    ],
)
def test_there_are_functions(ask, conn, text, left):
    conn.execute("SET LOCAL timezone = 'Pacific/Kiritimati'")
    row = {"name": "aB", "low": 2, "share": 2.5, "born": date(2024, 2, 29), "began": NOON}
    assert ask(text, row, {}) == left


def test_a_caller_may_hand_in_functions(ask):
    double = {"double": Function((frozenset({Type.INTEGER}),), Type.INTEGER, "({} * 2)")}
    assert ask("double(low) = 4", {"low": 2}, functions=double) == [0]
    with pytest.raises(Cql2Error, match="no function 'lower'"):
        ask("lower(name) = 'x'", functions=double)


def test_a_statement_that_would_grow_without_end_is_refused():
    """A relation of times writes its ends twice: with such a function it can stand in itself."""
    since = Function(
        (frozenset({Type.BOOLEAN}),), Type.DATE, "(CASE WHEN {} THEN current_date END)"
    )
    text = "good"
    for _ in range(60):
        text = f"T_OVERLAPS(INTERVAL('..', since({text})), INTERVAL('2024-01-01', '..'))"
    with pytest.raises(Cql2Error, match="more than 100,000 pieces of SQL"):
        compiled(text, functions={"since": since})


# Types.


def compiled(text, **options):
    return cql2.compile(cql2.parse(text), QUERYABLES, **options)


@pytest.mark.requirement("Q7")
@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("secret = 1", 0, "no queryable 'secret'"),
        ("low = 1 AND ctid = 1", 12, "no queryable 'ctid'"),
        ("Low = 1", 0, "no queryable 'Low'"),
        ("nаme = 'x'", 0, "no queryable"),
        ("pg_sleep(10) = 1", 0, "no function 'pg_sleep'"),
        ("lower(name, name) = 'x'", 0, "1 arguments, not 2"),
        ("lower(low) = 'x'", 6, "takes a text"),
        ("name", 0, "a text where a condition is needed"),
        ("low AND good", 0, "where a condition is needed"),
        ("NOT low", 4, "where a condition is needed"),
        ("name = 1", 7, "A text and a whole number cannot be compared"),
        ("low = 'x'", 6, "A whole number and a text cannot be compared"),
        ("good > 1", 7, "cannot be compared"),
        ("place = place", 0, "A geometry and a geometry cannot be compared"),
        ("life = life", 0, "cannot be compared"),
        ("tags = tags", 0, "cannot be compared"),
        ("tags = ('x', 'y')", 0, "cannot be compared"),
        ("born = 1", 7, "cannot be compared"),
        ("born = 'x'", 7, "no day and no instant"),
        ("born = '2023-02-29'", 7, "There is no day"),
        ("born > name", 7, "cannot be compared"),
        ("S_WITHIN(place, BBOX(1, 3, 2, 2))", 16, "lower corner"),
        ("low BETWEEN 1 AND 'x'", 18, "cannot be compared"),
        ("low IN (1, 'x')", 11, "cannot be compared"),
        ("low LIKE 'x'", 0, "where a text is needed"),
        ("name LIKE name", 10, "A pattern is a text in quotes"),
        ("name LIKE 'x\\\\'", 10, "does not end in an escape"),
        ("name LIKE CASEI('x\\\\')", 16, "does not end in an escape"),
        ("CASEI(low) = 'x'", 6, "where a text is needed"),
        ("name + 1 = 2", 0, "where a number is needed"),
        ("S_INTERSECTS(place, name)", 20, "relates a geometry and another; this is a text"),
        ("S_INTERSECTS(place, low + 1)", 24, "relates a geometry"),
        ("T_AFTER(born, low)", 14, "relates times; this is a whole number"),
        ("T_DURING(born, life)", 9, "relates intervals alone; T_INTERSECTS"),
        ("T_AFTER(INTERVAL(name, '..'), born)", 17, "between instants; this is a text"),
        ("T_AFTER(INTERVAL('2024-01-02', '2024-01-01'), born)", 8, "before it starts"),
        ("A_CONTAINS(tags, (1))", 18, "are not in one set"),
        ("A_CONTAINS(('x', 1), tags)", 17, "are not in one set"),
        ("A_CONTAINS(tags, (POINT(1 2), POINT(1 2)))", 18, "a geometry"),
        ("A_CONTAINS(tags, name)", 17, "relates an array and another; this is a text"),
        ("A_CONTAINS(marks, ((1, 2), (3, 4)))", 20, "an array"),
    ],
)
def test_what_does_not_go_together_is_an_error_with_its_place(text, offset, message):
    with pytest.raises(Cql2Error, match=message) as caught:
        compiled(text)
    assert caught.value.position.offset == offset, caught.value


# Values.

#: What would be seen if any of a filter came into a statement.
MARKS = ["zzq", "77123", "8123.5", "1999-07-07", "POLYGON", "13:37", "%(x)s", "%s", "it'"]


@pytest.mark.parametrize(
    "text",
    [
        "name = 'zzq' AND low = 77123 AND share < 8123.5",
        "name LIKE 'zzq%' OR CASEI(name) LIKE CASEI('zzq%') OR name IN ('zzq', '%(x)s', '%s')",
        "low IN (77123, 1) OR share IN (8123.5, 2) OR low + 77123 = 8123.5 ^ 2",
        "born = DATE('1999-07-07') OR began > TIMESTAMP('1999-07-07T13:37:00Z')",
        "T_INTERSECTS(INTERVAL(began, '1999-07-07T13:37:00Z'), INTERVAL('..', '1999-07-07'))",
        "S_WITHIN(place, POLYGON((0 0, 77123 0, 77123 8123.5, 0 0))) OR born = '1999-07-07'",
        "A_CONTAINS(tags, ('zzq', 'it''s')) OR A_EQUALS(marks, (77123))",
        "ACCENTI(name) = ACCENTI('zzq\\\\''%(x)s%s') OR lower('zzq') = name",
    ],
)
def test_no_value_of_a_filter_is_in_the_statement(text):
    made = compiled(text, prefix="p_")
    statement = made.sql.as_string()
    assert not [mark for mark in MARKS if mark in statement], statement
    assert set(re.findall(r"%\((\w+)\)s", statement)) == made.values.keys()
    assert all(name.startswith("p_") for name in made.values)
    assert "%" not in re.sub(r"%\(\w+\)s", "", statement)


def test_two_filters_in_one_statement_have_values_of_their_own(conn):
    conn.execute(TABLE)
    one, other = compiled("low = 1", prefix="a"), compiled("low = 2", prefix="b")
    statement = SQL("SELECT {} FROM thing WHERE {}").format(one.sql, other.sql)
    assert conn.execute(statement, one.values | other.values).fetchall() == []


def test_nothing_of_a_statement_needs_the_server_to_answer_an_error(conn):
    """A sample of what PostgreSQL refuses only while it runs."""
    conn.execute(TABLE)
    conn.execute("INSERT INTO thing (id, name, low) VALUES (1, 'x', 0)")
    for text in ("name LIKE '%\\\\\\\\'", "1 / low = 1", "0 ^ -1 = 1", "-8 ^ 0.5 = 1"):
        made = compiled(text)
        try:
            conn.execute(SQL("SELECT {} FROM thing").format(made.sql), made.values)
        except psycopg.Error as error:  # pragma: no cover - it says which
            pytest.fail(f"{text}: {error}")
