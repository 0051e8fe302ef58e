"""What docs/operating.md tells to type is typed."""

import os
import re
import subprocess
import sys

import psycopg
import pytest

from api.cluster import Cluster, binaries
from api.db import migrate, pending
from conftest import ROOT, insert

BLOCKS = re.findall(r"```sh\n(.+?)```", (ROOT / "docs/operating.md").read_text(), flags=re.DOTALL)
HUDNA = f"{sys.executable.rpartition('/')[0]}/hudna"


def typed(word, folder, **environment):
    """Run the one block that has `word`, in `folder`, where the data is."""
    (block,) = [block for block in BLOCKS if word in block]
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environ |= {"PATH": f"{binaries()}:{os.environ['PATH']}", "HUDNA_DATA": str(folder / "data")}
    done = subprocess.run(
        ["sh", "-euc", block.replace(".venv/bin/hudna", HUDNA)],
        cwd=folder,
        env=environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def notes(dsn):
    with psycopg.connect(dsn) as conn:
        return sorted(row[0] for row in conn.execute("SELECT notes FROM event"))


def epoch(dsn):
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT epoch FROM feed.state").fetchone()[0]


@pytest.fixture
def private(tmp_path):
    """A private database with an event."""
    with Cluster(tmp_path / "data", durable=False) as cluster:
        migrate(cluster.dsn)
        with psycopg.connect(cluster.dsn) as conn:
            insert(conn, notes="before", place=(44, 33))
        yield cluster.dsn


def test_a_private_database_is_backed_up_restored_and_exchanged(private, tmp_path):
    typed("pg_dump", tmp_path)
    with psycopg.connect(private) as conn:
        insert(conn, notes="after")
    before = epoch(private)
    with psycopg.connect(private) as somebody:
        typed("CREATE DATABASE restored", tmp_path)
        assert notes(private) == ["after", "before"], "the old one answers until it is exchanged"
        typed("ALTER DATABASE hudna", tmp_path)
        with pytest.raises(psycopg.OperationalError):
            somebody.execute("SELECT 1")
    assert notes(private) == ["before"]
    assert epoch(private) != before


def test_a_role_that_is_no_superuser_can_restore(private, tmp_path):
    typed("pg_dump", tmp_path)
    with psycopg.connect(private, autocommit=True) as conn:
        conn.execute("CREATE ROLE app LOGIN")
        conn.execute("CREATE DATABASE mine OWNER app TEMPLATE template0")
    back = psycopg.conninfo.make_conninfo(private, dbname="mine")
    with psycopg.connect(back) as conn:
        conn.execute("CREATE EXTENSION postgis")
    back = psycopg.conninfo.make_conninfo(back, user="app")
    with psycopg.connect(back) as conn:
        conn.execute("CREATE EXTENSION btree_gist")
    typed("-L list", tmp_path, back=back)
    with psycopg.connect(back) as conn:
        assert not pending(conn)
        insert(conn, notes="another")
    assert notes(back) == ["another", "before"]
