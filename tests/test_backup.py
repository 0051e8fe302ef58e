"""Backups, as docs/operating.md has them: what comes back is what was there, to the byte.

That it is another database shows by its number in the cluster.
"""

import subprocess
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from acts import ACTS
from api.cluster import binaries
from api.db import migrate
from conftest import CHANGES, ITEMS, insert, opened

PLACES = "/collections/places/items"


def dumped(dsn, path):
    tool = binaries() / "pg_dump"
    subprocess.run([tool, "--format=custom", f"--file={path}", dsn], check=True)
    return path


def restored(cluster, path):
    """A database out of a dump, in the same cluster."""
    with psycopg.connect(cluster.dsn, autocommit=True) as conn:
        name = f"back_{uuid4().hex}"
        conn.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
    dsn = psycopg.conninfo.make_conninfo(cluster.dsn, dbname=name)
    tool = binaries() / "pg_restore"
    done = subprocess.run(
        [tool, "--exit-on-error", "--no-owner", f"--dbname={dsn}", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dsn


def seen(client, url):
    """What an answer has, but for its links, which name the epoch, and its hour."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json | {"links": [], "timeStamp": ""} if answer.is_json else answer.data


@pytest.fixture
def pair(living, cluster, tmp_path):
    """A database with a past, and what was restored from its backup."""
    with psycopg.connect(living, autocommit=True) as conn:
        for act in ("edit", "delete", "restrict", "erase"):
            conn.execute(ACTS[act], [insert(conn, notes="a past", place=(44, 33))])
    return living, restored(cluster, dumped(living, tmp_path / "hudna.dump"))


def test_what_is_restored_answers_as_before_and_goes_on(pair, places):
    living, back = pair
    assert migrate(back) == []
    names = {"gazetteer": str(places)}
    with opened(living, **names) as before, opened(back, **names) as after:
        head = before.get(ITEMS).json["head"]
        for url in (
            f"{ITEMS}?as_of={head}",
            f"{ITEMS}?as_of={head - 3}",
            f"{ITEMS}?as_of={head}&f=csv",
            f"{ITEMS}?as_of={head}&within=Iraq&certainty=possible",
            f"{PLACES}?country=JOR&limit=20",
        ):
            assert seen(after, url) == seen(before, url), url
        with psycopg.connect(back) as conn:
            event = insert(conn, notes="new", place=(44, 33))
        assert after.get(ITEMS).json["head"] == head + 1
        assert after.get(f"{ITEMS}/{event}").json["properties"]["notes"] == "new"


def test_old_cursors_and_tags_are_no_good_for_what_was_restored(pair):
    living, back = pair
    with opened(living) as before, opened(back) as after:
        page = before.get(CHANGES).json
        (onward,) = [each["href"] for each in page["links"] if each["rel"] == "next"]
        event = f"{ITEMS}/{page['changes'][0]['id']}"
        tags = {url: before.get(url).headers["ETag"] for url in (ITEMS, event)}
        assert after.get(onward).status_code == 200
        migrate(back)
        assert after.get(onward).status_code == 410
        for url, tag in tags.items():
            assert after.get(url, headers={"If-None-Match": tag}).status_code == 200
        assert after.get(ITEMS, query_string={"as_of": page["head"]}).status_code == 200
