"""Sending files in the tests: a service, keys for several people, and an attendant."""

import io
import time

import psycopg
import pytest

from api import keys
from api.jobs import doing
from conftest import opened
from ged import ROW, ged
from importing import create

IMPORTS = "/collections/events/imports"


def some(*rows) -> bytes:
    """The bytes of a file whose rows are right, but for these cells."""
    return ged(*[ROW | cells for cells in rows])


def signed(conn, *scopes, **further):
    """Make a key; return the header that has it."""
    text = keys.make(conn, further.pop("name", "Desk"), scopes, **further)[1]
    conn.commit()
    return {"Authorization": f"Bearer {text}"}


#: Of three rows, two are bad.
BAD = some({"id": "1"}, {"id": "2", "latitude": "99"}, {"id": "3", "best": "many"})


class Desk:
    """One who sends files to a service, and an attendant who does them when told to."""

    def __init__(self, dsn, client) -> None:
        self.dsn, self.client = dsn, client
        self.settings = client.application.extensions["hudna"].settings
        with psycopg.connect(dsn) as conn:
            self.key = signed(conn, "import")
            self.admin = signed(conn, "admin", name="Admin")
            self.other = signed(conn, "import", name="Other")
            self.reader = signed(conn, "import", "read:restricted", name="Reader")

    def send(self, content=None, *, key=None, media="text/csv", **query):
        query = {"places": "false"} | query
        headers = (key or self.key) | {"Content-Type": media}
        return self.client.post(IMPORTS, query_string=query, data=content, headers=headers)

    def send_form(self, *, key=None, query=None, **files):
        data = {
            role: [(io.BytesIO(content), name) for name, content in some.items()]
            for role, some in files.items()
        }
        query = {"places": "false"} | query
        return self.client.post(IMPORTS, query_string=query, data=data, headers=key or self.key)

    def do(self) -> int:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            return doing.drain(conn, self.settings, "hudna-import-test-")

    def told(self, answer, key=None) -> dict:
        """Let what was sent be done; return what is told of it then."""
        assert answer.status_code == 201, answer.text
        self.do()
        told = self.client.get(answer.headers["Location"], headers=key or self.key)
        assert told.status_code == 200, told.text
        return told.json

    def ask(self, query):
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(query).fetchone()[0]

    def wait_for_a_lock(self) -> None:
        """Wait until somebody in the database waits for somebody."""
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        end = time.monotonic() + 30
        while not self.ask(waiting):
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.02)

    def head(self):
        return self.ask("SELECT head FROM feed.state")


@pytest.fixture
def desk(cluster, blank):
    with opened(dsn := create(cluster, blank)) as client:
        yield Desk(dsn, client)
