"""Imports over HTTP on the real server: streams, broken bodies, and kills in the middle."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from conftest import serving
from ged import ROW, ged
from import_desk import IMPORTS, signed
from importing import create

PATIENCE_S = 60

#: Attendants who look for jobs all the time, and are told to stop twice, 2 ms apart.
STOPPED_TWICE = """
import multiprocessing, os, time
from api.jobs import doing
from api.serving import attendant
from api.settings import Settings

doing.EVERY_S = 0
processes = multiprocessing.get_context("fork")
for _ in range(10):
    process = processes.Process(target=attendant, args=(Settings.from_env(os.environ),))
    process.start()
    time.sleep(0.2)
    process.terminate()
    time.sleep(0.002)
    process.terminate()
    process.join()
    assert process.exitcode == 0, process.exitcode
"""
QUERY = f"{IMPORTS}?format=ucdp&places=false"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the attendant puts files out."""
    return tmp_path_factory.mktemp("attendant")


@pytest.fixture(scope="module")
def place(cluster, blank, folder):
    """A server that does imports, its database, and a key."""
    dsn = create(cluster, blank)
    with psycopg.connect(dsn) as conn:
        key = signed(conn, "import")
    with serving(dsn, HUDNA_IMPORT_LIMIT_MB="8", TMPDIR=str(folder)) as url:
        yield url, dsn, key


def ask(dsn, query):
    with psycopg.connect(dsn) as conn:
        return conn.execute(query).fetchone()[0]


def rows(first, number) -> bytes:
    return ged(*[ROW | {"id": str(first + n)} for n in range(number)])


def eventually(told, what):
    """Wait until something is so, and return it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := told()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def state(address, key) -> dict:
    answer = requests.get(address, headers=key, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(address, key) -> dict | None:
    try:
        told = state(address, key)
    except requests.ConnectionError:
        return None  # the worker that was asked has been killed
    return told if told["status"] in {"successful", "failed"} else None


def as_form(content) -> tuple[bytes, dict]:
    """The body of a form with that file, and the headers that tell how it is to be read."""
    made = requests.Request("POST", "http://a/", files={"file": ("a.csv", content)}).prepare()
    return made.body, {"Content-Type": made.headers["Content-Type"]}


def in_pieces(content, size=50_000):
    for start in range(0, len(content), size):
        yield content[start : start + size]


def test_a_file_that_is_sent_is_imported(place):
    url, dsn, key = place
    content = rows(1, 3000)
    answer = requests.post(
        url + QUERY, data=content, headers=key | {"Content-Type": "text/csv"}, timeout=60
    )
    assert answer.status_code == 201, answer.text
    address = answer.headers["Location"]
    told = eventually(lambda: ended(address, key), "the import does not come to an end")
    assert told["status"] == "successful", told
    assert told["account"]["created"] == 3000
    assert told["files"][0]["size"] == len(content)
    assert ask(dsn, "SELECT count(*) FROM event WHERE source_id::int BETWEEN 1 AND 3000") == 3000


@pytest.mark.parametrize("whole", [True, False])
def test_a_form_may_come_in_pieces(place, whole):
    url, _, key = place
    body, headers = as_form(rows(1, 3000))
    sent = body if whole else in_pieces(body)
    answer = requests.post(url + QUERY, data=sent, headers=key | headers, timeout=60)
    address = answer.headers["Location"]
    told = eventually(lambda: ended(address, key), "the import does not come to an end")
    assert told["account"]["unchanged"] + told["account"]["created"] == 3000


def test_a_file_in_pieces_is_refused_for_its_end_might_be_missing(place):
    url, _, key = place
    headers = key | {"Content-Type": "text/csv"}
    answer = requests.post(url + QUERY, data=in_pieces(rows(1, 1)), headers=headers, timeout=60)
    assert answer.status_code == 411
    assert answer.json()["type"] == "urn:hudna:problem:length-required"


def test_an_empty_body_is_refused(place):
    url, _, key = place
    headers = key | {"Content-Type": "text/csv"}
    assert requests.post(url + QUERY, data=b"", headers=headers, timeout=60).status_code == 400


@pytest.mark.parametrize("how", ["file", "form", "form in pieces"])
def test_what_is_too_large_is_refused_and_leaves_nothing(place, how):
    url, dsn, key = place
    before = ask(dsn, "SELECT count(*) FROM import_job")
    body, headers = bytes(9 << 20), {"Content-Type": "text/csv"}
    if "form" in how:
        body, headers = as_form(body)
    sent = in_pieces(body) if "pieces" in how else body
    try:
        answer = requests.post(url + QUERY, data=sent, headers=key | headers, timeout=60)
        assert answer.status_code == 413
    except requests.ConnectionError:
        # Nobody needs to read to its end what is too large (RFC 9110, 15.5.14).
        assert "pieces" in how
    eventually(
        lambda: ask(dsn, "SELECT count(*) FROM import_job") == before, "what was refused is kept"
    )


@pytest.mark.parametrize("how", ["file", "form", "form in pieces"])
def test_a_body_that_breaks_off_leaves_nothing(place, how):
    url, dsn, key = place
    before = ask(dsn, "SELECT count(*) FROM import_job")
    where = urlsplit(url)
    body, headers = rows(50_000, 4000), {"Content-Type": "text/csv"}
    if "form" in how:
        body, headers = as_form(body)
    framing = {"Content-Length": str(len(body))}
    sent = body[: 3 * len(body) // 4]
    if "pieces" in how:
        framing = {"Transfer-Encoding": "chunked"}
        sent = f"{len(sent):x}\r\n".encode() + sent + b"\r\n"
    all_headers = {"Host": where.netloc} | key | headers | framing
    lines = [f"POST {QUERY} HTTP/1.1", *(": ".join(pair) for pair in all_headers.items())]
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
        eventually(
            lambda: ask(dsn, "SELECT count(*) FROM import_job WHERE status = 'arriving'"),
            "nothing arrives",
        )
    eventually(
        lambda: ask(dsn, "SELECT count(*) FROM import_job") == before, "what broke off is kept"
    )
    assert ask(dsn, "SELECT count(*) FROM event WHERE source_id::int >= 50000") == 0


def children(pid) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def kill_all_below(server) -> None:
    """Kill the workers and the attendant, but for who starts new ones."""
    for pid in children(server.process.pid):
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


def is_begun(dsn, job) -> bool:
    query = f"SELECT status = 'running' AND progress > 0 FROM import_job WHERE id = '{job}'"  # noqa: S608
    return ask(dsn, query)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are read from /proc")
def test_an_import_whose_attendant_is_killed_is_done_all_the_same(place, folder):
    url, dsn, key = place
    content = rows(100_000, 8000)
    headers = key | {"Content-Type": "text/csv"}
    answer = requests.post(url + QUERY, data=content, headers=headers, timeout=60)
    address, job = answer.headers["Location"], answer.json()["jobID"]
    eventually(lambda: is_begun(dsn, job), "the import is not begun")
    assert list(folder.glob("hudna-import-*"))
    kill_all_below(url)
    told = eventually(lambda: ended(address, key), "the import does not come to an end")
    assert told["status"] == "successful", told
    assert told["account"]["created"] == 8000
    query = "SELECT count(*) FROM event WHERE source_id::int >= 100000"
    assert ask(dsn, query) == 8000
    assert ask(dsn, f"SELECT tries FROM import_job WHERE id = '{job}'") == 2  # noqa: S608
    eventually(lambda: not list(folder.iterdir()), "files are left behind")


def test_an_import_that_runs_is_called_off(place, folder):
    url, dsn, key = place
    headers = key | {"Content-Type": "text/csv"}
    answer = requests.post(url + QUERY, data=rows(200_000, 8000), headers=headers, timeout=60)
    address, job = answer.headers["Location"], answer.json()["jobID"]
    eventually(lambda: is_begun(dsn, job), "the import is not begun")
    answer = requests.delete(address, headers=key, timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
    eventually(lambda: not list(folder.iterdir()), "it goes on")
    assert ask(dsn, "SELECT count(*) FROM event WHERE source_id::int >= 200000") == 0
    assert state(address, key)["status"] == "dismissed"


def test_an_attendant_is_stopped_in_order_and_silently(cluster, blank):
    """Though a signal comes in the midst of a query, and twice, as those to a whole group do."""
    environment = os.environ | {"DATABASE_URL": create(cluster, blank)}
    command = [sys.executable, "-c", STOPPED_TWICE]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_taken_is_done_by_the_next_server(cluster, blank, tmp_path):
    dsn = create(cluster, blank)
    with psycopg.connect(dsn) as conn:
        key = signed(conn, "import")
    with serving(dsn, TMPDIR=str(tmp_path)) as url:
        content, headers = rows(1, 8000), key | {"Content-Type": "text/csv"}
        answer = requests.post(url + QUERY, data=content, headers=headers, timeout=60)
        job = answer.json()["jobID"]
        eventually(lambda: is_begun(dsn, job), "the import is not begun")
    assert list(tmp_path.iterdir()) == []
    assert ask(dsn, "SELECT status FROM import_job") == "running"
    assert ask(dsn, "SELECT count(*) FROM event") == 0
    with serving(dsn) as url:
        address = f"{url}{IMPORTS}/{job}"
        told = eventually(lambda: ended(address, key), "the import does not come to an end")
    assert (told["status"], told["account"]["created"]) == ("successful", 8000)
