"""The condition that a filter becomes: its types, and its values, which are bound."""

import re

import psycopg
import pytest
from cql2_table import TABLE, compiled
from psycopg.sql import SQL

from api.cql2 import Cql2Error

# Types.


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
