"""A small table with what filters may ask for, and rows of every value there is."""

from datetime import UTC, date, datetime

import pytest
from psycopg.sql import SQL, Identifier

from api import cql2
from api.cql2 import Queryable, Type

TABLE = """CREATE TEMP TABLE thing (
    id int PRIMARY KEY, name text, word text, low int, high bigint, share float8, good boolean,
    born date, died date, began timestamptz, ended timestamptz,
    place geometry(Geometry, 4326), tags text[], marks int[])"""
QUERYABLES = {
    "name": Queryable(Type.TEXT, Identifier("name")),
    "word": Queryable(Type.TEXT, Identifier("word")),
    "low": Queryable(Type.INTEGER, Identifier("low")),
    "high": Queryable(Type.INTEGER, Identifier("high")),
    "share": Queryable(Type.NUMBER, Identifier("share")),
    "good": Queryable(Type.BOOLEAN, Identifier("good")),
    "born": Queryable(Type.DATE, Identifier("born")),
    "died": Queryable(Type.DATE, Identifier("died")),
    "began": Queryable(Type.TIMESTAMP, Identifier("began")),
    "ended": Queryable(Type.TIMESTAMP, Identifier("ended")),
    "life": Queryable(Type.INTERVAL, Identifier("born"), Type.DATE, Identifier("died")),
    "span": Queryable(Type.INTERVAL, Identifier("began"), Type.TIMESTAMP, Identifier("ended")),
    "place": Queryable(Type.GEOMETRY, Identifier("place")),
    "tags": Queryable(Type.ARRAY, Identifier("tags"), Type.TEXT),
    "marks": Queryable(Type.ARRAY, Identifier("marks"), Type.INTEGER),
}
TEXTS = ["", "a", "A", "Straße", "STRASSE", "ΟΔΟΣ", "οδος", "café", "CAFE\u0301", "naïve", "Łódź"]
TEXTS += ["a%b", "a_b", "a\\b", "it's", "%(x)s", "ab"]
NUMBERS = [-7, -1, 0, 1, 2, 3, 5, 1000]
SHARES = [-2.5, 0.0, 0.25, 1.0, 2.0, 1000.5]
DAYS = [date(2022, 1, 1), date(2022, 1, 2), date(2022, 1, 31), date(2024, 2, 29)]
MOMENTS = [
    datetime(2022, 1, 1, tzinfo=UTC),
    datetime(2022, 1, 1, 12, tzinfo=UTC),
    datetime(2022, 1, 1, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2022, 1, 31, tzinfo=UTC),
    datetime(2024, 2, 29, 6, 30, tzinfo=UTC),
]
SHAPES = [
    "POINT(5 5)",
    "POINT(0 0)",
    "LINESTRING(0 0, 10 10)",
    "LINESTRING(-5 5, 5 5)",
    "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))",
    "POLYGON((5 5, 15 5, 15 15, 5 15, 5 5), (7 7, 9 7, 9 9, 7 9, 7 7))",
    "POLYGON((10 0, 20 0, 20 10, 10 10, 10 0))",
    "MULTIPOINT((5 5), (25 25))",
    "MULTILINESTRING((0 0, 5 5), (20 20, 30 30))",
    "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 1, 0 0)), ((178 0, 180 0, 180 2, 178 2, 178 0)))",
    "POINT(-179 1)",
]
TAGS = ["x", "y", "z"]


def rows() -> list[dict]:
    """Return the rows: every value, in combinations that no pattern lines up, and nulls."""

    def of(values, i, step):
        return None if (i * step) % 11 == 5 else values[(i * step) % len(values)]

    made = []
    for i in range(44):
        born, died = of(DAYS, i, 1), of(DAYS, i, 3)
        began, ended = of(MOMENTS, i, 1), of(MOMENTS, i, 2)
        made.append(
            {
                "id": i,
                "name": of(TEXTS, i, 1),
                "word": of(TEXTS, i, 5),
                "low": of(NUMBERS, i, 1),
                "high": of(NUMBERS, i, 3),
                "share": of(SHARES, i, 1),
                "good": of([True, False, True], i, 2),
                "born": min(born, died) if born and died else born,
                "died": max(born, died) if born and died else died,
                "began": min(began, ended) if began and ended else began,
                "ended": max(began, ended) if began and ended else ended,
                "place": of(SHAPES, i, 1),
                "tags": None if i % 9 == 4 else TAGS[: i % 4],
                "marks": None if i % 7 == 4 else [1, 2, 3][: i % 4],
            }
        )
    return made


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


def compiled(text, **options):
    """Compile a filter on the table."""
    return cql2.compile(cql2.parse(text), QUERYABLES, **options)
