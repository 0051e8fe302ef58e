"""`hudna import` in the tests: into databases of their own, by the command itself."""

import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from api.cli import main

HUDNA = Path(sys.executable).parent / "hudna"


@pytest.fixture(scope="session")
def blank(make_database):
    """The name of a database with the schema, to be copied: that is quick."""
    return conninfo_to_dict(make_database())["dbname"]


def create(cluster, blank):
    """Make a database like another one; give its address."""
    name = f"import_{uuid4().hex}"
    with psycopg.connect(cluster.dsn, autocommit=True) as conn:
        query = SQL("CREATE DATABASE {} TEMPLATE {}")
        conn.execute(query.format(Identifier(name), Identifier(blank)))
    return make_conninfo(cluster.dsn, dbname=name)


@pytest.fixture
def database(blank, cluster, monkeypatch, tmp_path):
    """A new database, which the command finds, and a folder of its own."""
    dsn = create(cluster, blank)
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.chdir(tmp_path)
    return dsn


def imported(kind, *words, code=0, **options):
    """Import files without looking up their places; give what the command said."""
    words = ["import", kind, "--no-places", *map(str, words)]
    result = CliRunner().invoke(main, words, **options)
    assert result.exit_code == code, result.output
    return result


def ask(dsn, query):
    """The first row that the database answers."""
    with psycopg.connect(dsn) as conn:
        return conn.execute(query).fetchone()


def loaded(dsn):
    """How many events there are, and at what head."""
    return ask(dsn, "SELECT (SELECT count(*) FROM event), head FROM feed.state")
