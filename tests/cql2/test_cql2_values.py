"""What PostGIS makes of a filter on texts, numbers, times and arrays, and of functions."""

import unicodedata
from datetime import UTC, date, datetime

import cql2_table
import pytest
from cql2_table import compiled
from psycopg.sql import SQL

from api import cql2
from api.cql2 import Cql2Error, Function, Queryable, Type

ask = cql2_table.ask  # a fixture

OPEN_LIFE = Queryable(
    Type.INTERVAL,
    SQL("coalesce(born, '-infinity')"),
    Type.DATE,
    SQL("coalesce(died, 'infinity')"),
)


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
