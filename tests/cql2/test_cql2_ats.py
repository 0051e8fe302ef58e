"""The abstract test suite's predicates on its own data (OGC 21-065r2, Annex A), if it is there."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from api import cql2
from api.cql2 import Queryable, Type
from conformance import PREDICATES

#: The columns that a type of PostgreSQL makes, as ogr2ogr chooses them.
TYPES = {
    "text": Type.TEXT,
    "character varying": Type.TEXT,
    "integer": Type.INTEGER,
    "bigint": Type.INTEGER,
    "double precision": Type.NUMBER,
    "boolean": Type.BOOLEAN,
    "date": Type.DATE,
    "timestamp with time zone": Type.TIMESTAMP,
    "USER-DEFINED": Type.GEOMETRY,
}


@pytest.fixture(scope="module")
def folder():
    path = Path(os.environ.get("HUDNA_REAL_DATA", "nowhere")) / "cql2"
    if not (path / "ats_predicates.json").exists():
        pytest.skip("HUDNA_REAL_DATA names no folder with cql2/ats_predicates.json in it")
    return path


@pytest.fixture(scope="module")
def tables(folder, make_database):
    """The three tables of the GeoPackage, and their queryables."""
    dsn = make_database()
    command = ["ogr2ogr", "-f", "PostgreSQL", f"PG:{dsn}", folder / "ne110m4cql2.gpkg"]
    command += ["-lco", "LAUNDER=NO", "-lco", "GEOMETRY_NAME=geom"]
    subprocess.run([*command, "-oo", "LIST_ALL_TABLES=NO"], check=True)
    found = {}
    with psycopg.connect(dsn) as conn:
        conn.execute("SET timezone = 'Asia/Kathmandu'")  # no answer depends on the session's
        for table, column, kind in conn.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name LIKE 'ne_110m%'"
        ):
            queryable = Queryable(TYPES[kind], Identifier(column))
            found.setdefault(table, {})[column] = queryable
        yield conn, found


@pytest.mark.requirement("Q10")
def test_the_predicates_of_the_abstract_test_suite_have_their_counts(folder, tables):
    conn, queryables = tables
    predicates = json.loads((folder / "ats_predicates.json").read_text(encoding="utf-8"))
    assert Counter(row["cls"] for row in predicates) == PREDICATES
    wrong = []
    for row in predicates:
        names = queryables[row["table"]]
        in_text = cql2.parse(row["expr"])
        in_json = cql2.parse(json.dumps(cql2.to_json(in_text)), "cql2-json")
        for expression in (in_text, in_json, cql2.parse(cql2.to_text(in_text))):
            made = cql2.compile(expression, names)
            statement = SQL("SELECT count(*) FROM {} WHERE {}")
            ((count,),) = conn.execute(
                statement.format(Identifier(row["table"]), made.sql), made.values
            )
            if count != row["n"]:
                wrong.append((row["expr"], row["n"], count))
    expressions = {expression for expression, _, _ in wrong}
    held = len(predicates) - len(expressions)
    print(f"\n{held}/{len(predicates)} predicates")  # noqa: T201 - the figure is wanted
    assert not wrong
