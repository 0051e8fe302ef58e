"""What becomes of a write when the database goes away in the middle of it."""

import select
import socket
import threading
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api import keys
from conftest import ITEMS, assert_problem, opened

FEATURE = {"type": "Feature", "geometry": None, "properties": {"event_type": "Riots"}}


class Between:
    """Stands between the service and its database; it may keep the answer to a COMMIT to itself."""

    def __init__(self, there) -> None:
        self.there = there
        self.drops = False
        self.dropped = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.there)
            committing = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    piece = ready.recv(65_536)
                    if not piece:
                        return
                    if ready is client:
                        committing = self.drops and b"COMMIT" in piece
                        server.sendall(piece)
                    elif committing:  # the server has answered: it is done
                        self.dropped += 1
                        return
                    else:
                        client.sendall(piece)


@contextmanager
def between(dsn):
    parts = conninfo_to_dict(dsn)
    proxy = Between(f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}")
    try:
        yield proxy, make_conninfo(dsn, host="127.0.0.1", port=proxy.port, sslmode="disable")
    finally:
        proxy.listener.close()


@pytest.fixture(scope="module")
def ours(make_database):
    dsn = make_database()
    with psycopg.connect(dsn) as conn:
        text = keys.make(conn, "writer", ["write"])[1]
    return dsn, {"Authorization": f"Bearer {text}"}


def test_a_lost_answer_to_a_commit_is_told_and_the_request_may_come_again(ours):
    dsn, signed = ours
    with between(dsn) as (proxy, through), opened(through) as client, psycopg.connect(dsn) as conn:
        for _ in range(20):
            named = signed | {"Idempotency-Key": str(uuid4())}
            notes = named["Idempotency-Key"]
            sent = FEATURE | {"properties": {"event_type": "Riots", "notes": notes}}
            proxy.drops = True
            lost = client.post(ITEMS, json=sent, headers=named)
            assert_problem(lost, 503, type="urn:hudna:problem:unknown-outcome")
            assert int(lost.headers["Retry-After"]) > 0
            proxy.drops = False
            again = client.post(ITEMS, json=sent, headers=named)
            assert again.status_code == 201
            rows = conn.execute("SELECT id::text FROM event WHERE notes = %s", [notes]).fetchall()
            assert rows == [(again.json["events"][0]["id"],)]
        assert proxy.dropped == 20


def test_a_write_heals_when_its_connections_were_killed(ours):
    dsn, signed = ours
    with opened(dsn) as client, psycopg.connect(dsn, autocommit=True) as conn:
        assert client.post(ITEMS, json=FEATURE, headers=signed).status_code == 201
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert client.post(ITEMS, json=FEATURE, headers=signed).status_code == 201


def test_who_waits_too_long_for_another_writer_is_told_to_come_again(ours):
    dsn, signed = ours
    with opened(dsn, statement_timeout_s=1) as client, psycopg.connect(dsn) as conn:
        made = client.post(ITEMS, json=FEATURE, headers=signed)
        path = made.headers["Location"].removeprefix("http://localhost")
        conn.execute("SELECT 1 FROM event WHERE id = %s FOR UPDATE", [path.rpartition("/")[2]])
        assert_problem(client.delete(path, headers=signed), 503)
        conn.rollback()
        assert client.delete(path, headers=signed).status_code == 204
