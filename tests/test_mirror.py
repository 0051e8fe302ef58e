"""`hudna mirror`: a copy that is the original, in a GeoPackage or in a PostGIS."""

import signal
import sqlite3
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

import mirroring
from api.mirror import Origin, TargetError
from api.mirror.geopackage import GeoPackage
from conftest import insert
from mirroring import HUDNA, known, original, run, shaken
from test_waiting import until

source, target = mirroring.source, mirroring.target  # fixtures


def test_a_copy_is_the_original_by_every_field_and_follows_it(source, target):
    url, conn = source
    where, read = target
    said = run(url, where, "--limit", 7).stderr
    assert read() == original(url)
    assert f"{where} is up to date" in said
    for _ in range(3):
        shaken(conn)
        run(url, where)
        assert read() == original(url)
    assert run(url, where).stderr.splitlines()[-1].startswith("0 changes applied")


def test_a_copy_has_what_its_filters_ask_for(source, target):
    url, conn = source
    where, read = target
    query = {"country": "IRQ", "properties": "notes,country,fatalities_best"}
    words = [f"{k}={v}" for k, v in query.items()]
    run(url, where, *words)
    assert read() == original(url, **query)
    conn.execute(
        "UPDATE event SET country = CASE country WHEN 'IRQ' THEN 'SYR' ELSE 'IRQ' END"
        " WHERE NOT deleted AND id IN (SELECT id FROM event WHERE public ORDER BY id LIMIT 9)"
    )
    run(url, where, *words)
    assert read() == original(url, **query)


def test_a_copy_has_footprints_if_it_is_asked_to(source, target):
    url, _ = source
    where, read = target
    run(url, where, "geometry=footprint")
    assert read() == original(url, geometry="footprint")


def test_a_cursor_that_is_gone_lets_the_copy_begin_anew_and_lose_what_is_gone(source, target):
    url, conn = source
    where, read = target
    gone = insert(conn, notes="to be pruned")
    run(url, where)
    assert str(gone) in read()
    conn.execute("SELECT event_delete(%s)", [gone])
    insert(conn, notes="behind it")
    conn.execute("UPDATE feed.state SET min_seq = public_head - 1")
    conn.execute("DELETE FROM event WHERE id = %s", [gone])
    run(url, where, "--limit", 3)
    assert read() == original(url)


def test_a_copy_of_something_else_is_left_alone(source, target):
    url, _ = source
    where, read = target
    run(url, where)
    before = read()
    for words in ([url, where, "country=IRQ"], ["http://127.0.0.1:9", where]):
        done = run(*words, check=False)
        assert done.returncode == 1
        assert "is a mirror of" in done.stderr
        assert "Traceback" not in done.stderr
    assert read() == before


def test_what_is_no_copy_is_left_alone(source, tmp_path, make_database):
    url, _ = source
    other = tmp_path / "other.gpkg"
    other.write_bytes(b"something")
    done = run(url, other, check=False)
    assert (done.returncode, other.read_bytes()) == (1, b"something")
    assert "no GeoPackage" in done.stderr
    with sqlite3.connect(tmp_path / "own.gpkg") as conn:
        conn.execute("CREATE TABLE mine (x)")
    assert "is no mirror" in run(url, tmp_path / "own.gpkg", check=False).stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["{url}", "x.txt"], "FILE.gpkg"),
        (["{url}", "x.gpkg", "country"], "NAME=VALUE"),
        (["{url}", "x.gpkg", "crs=y"], "no place here"),
        (["{url}", "x.gpkg", "contry=IRQ"], "contry is not known"),
        (["{url}/nowhere", "x.gpkg"], "There is nothing at"),
        (["ftp://there", "x.gpkg"], "neither http nor https"),
    ],
)
def test_a_mistake_is_told_in_a_line(source, tmp_path, words, says):
    words = [
        word.format(url=source[0]) if "{" in word else word.replace("x.", f"{tmp_path}/x.")
        for word in words
    ]
    done = run(*words, check=False)
    assert done.returncode
    assert says in done.stderr
    assert "Traceback" not in done.stderr


class Saying(BaseHTTPRequestHandler):
    """A service that says what it is told to, one after the other, and remembers what it heard."""

    def do_GET(self) -> None:
        self.server.heard.append((self.path, self.headers["Authorization"]))
        status, body = self.server.says.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_) -> None:
        """Say nothing."""


@pytest.fixture
def saying():
    with ThreadingHTTPServer(("127.0.0.1", 0), Saying) as server:
        server.heard, server.says = [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


NOTHING = '{"changes": [], "next": "here", "upToDate": true, "head": 1, "links": []}'


def test_the_key_is_sent_in_a_header_and_nowhere_else(saying, tmp_path):
    file = tmp_path / "key"
    file.write_text("from-a-file\n")
    saying.says = [(200, NOTHING)] * 3
    run(saying.url, tmp_path / "a.gpkg", HUDNA_KEY="from-the-environment")
    run(saying.url, tmp_path / "b.gpkg", "--key-file", file)
    run(saying.url, tmp_path / "c.gpkg")
    sent = [header for _, header in saying.heard]
    assert sent == ["Bearer from-the-environment", "Bearer from-a-file", None]
    assert not any("from-" in target for target, _ in saying.heard)


def test_an_answer_that_fails_or_breaks_off_is_asked_for_again(saying, tmp_path):
    saying.says = [(503, "{}"), (200, NOTHING[:30]), (502, "<html>"), (200, NOTHING)]
    run(saying.url, tmp_path / "events.gpkg")
    assert len(saying.heard) == 4
    assert len({target for target, _ in saying.heard}) == 1


def test_a_copy_follows_and_ends_in_order(source, target):
    url, conn = source
    where, read = target
    with subprocess.Popen(
        [HUDNA, "mirror", url, where, "--follow"], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            event = None
            for n in range(3):
                event = insert(conn, notes=f"while it follows {n}")
                until(lambda e=event: known(read, str(e)))
            conn.execute("SELECT event_delete(%s)", [event])
            until(lambda: not known(read, str(event)))
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert read() == original(url)


def test_two_mirrors_do_not_write_to_one_target(source, tmp_path):
    origin = Origin("http://there/collections/events/changes", "")
    path = tmp_path / "events.gpkg"
    one, two = (GeoPackage(path, origin, []) for _ in range(2))
    one.apply([], [], "first", up_to_date=False)
    with pytest.raises(TargetError, match="Another mirror"):
        two.apply([], [], "second", up_to_date=False)
    one.close()
    two.close()
