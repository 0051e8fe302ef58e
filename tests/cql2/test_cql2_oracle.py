"""Random filters on real PostGIS, against what plain Python says of each row."""

import json

import psycopg
import pytest
from cql2_filters import filters
from cql2_oracle import value
from cql2_table import QUERYABLES, TABLE, rows
from hypothesis import HealthCheck, given, settings
from psycopg.sql import SQL, Identifier, Placeholder

from api import cql2

ROWS = rows()
#: How many filters are tried; other ones in each run, but where CI is set the same.
TRIED = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.fixture(scope="module")
def things(dsn):
    """A table of its own, in a session whose time zone no answer may depend on."""
    with psycopg.connect(dsn) as conn:
        conn.execute("SET timezone = 'America/St_Johns'")
        conn.execute(TABLE)
        names = list(ROWS[0])
        insert = SQL("INSERT INTO thing ({}) VALUES ({})").format(
            SQL(", ").join(map(Identifier, names)), SQL(", ").join(map(Placeholder, names))
        )
        for row in ROWS:
            place = row["place"] and f"SRID=4326;{row['place']}"
            conn.execute(insert, row | {"place": place})
        yield conn


@pytest.mark.requirement("Q11")
@TRIED
@given(filters)
def test_a_filter_is_of_every_row_what_it_should_be(things, expression):
    made = cql2.compile(expression, QUERYABLES)
    statement = SQL("SELECT ({}) FROM thing ORDER BY id").format(made.sql)
    found = [row[0] for row in things.execute(statement, made.values)]
    assert found == [value(expression, row) for row in ROWS], cql2.to_text(expression)


@pytest.mark.requirement("Q13")
@TRIED
@given(filters)
def test_a_filter_is_the_same_in_text_and_in_json(expression):
    assert cql2.parse(cql2.to_text(expression)) == expression
    assert cql2.parse(json.dumps(cql2.to_json(expression)), "cql2-json") == expression


@pytest.mark.requirement("Q8", "Q11")
@settings(TRIED, max_examples=200)
@given(filters)
def test_what_is_false_and_what_is_unknown_are_both_left_out(things, expression):
    made = cql2.compile(expression, QUERYABLES)
    statement = SQL("SELECT id FROM thing WHERE {} ORDER BY id").format(made.sql)
    found = [row[0] for row in things.execute(statement, made.values)]
    assert found == [row["id"] for row in ROWS if value(expression, row) is True]


def test_the_oracle_would_find_a_slip():
    expression = cql2.parse("low > 0 OR NOT low > 0")
    assert {value(expression, row) for row in ROWS} == {True, None}
