"""`hudna mirror`: a copy that is the original, in a GeoPackage or in a PostGIS."""

import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import shapely

from acts import ACTS
from api.mirror import Origin, TargetError
from api.mirror.geopackage import GeoPackage
from conftest import CHANGES, ITEMS, ROOT, insert, serving
from test_waiting import fetch, until

HUDNA = Path(sys.executable).parent / "hudna"
PYTHON_OF_QGIS = "/usr/bin/python3"
NOTES = 'a "quote", a \\ and بغداد'


def run(*words, check=True, **environment) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [HUDNA, "mirror", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | environment,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def original(url, **query) -> dict[str, dict]:
    """Return what the items show, by id."""
    asked = "&".join(f"{k}={v}" for k, v in ({"limit": 10_000} | query).items())
    return {feature["id"]: feature for feature in fetch(f"{url}{ITEMS}?{asked}")["features"]}


def geopackage(path) -> dict[str, dict]:
    """Return what a GeoPackage has, as features; read by nothing of the mirror's own."""
    found = {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        conn.row_factory = sqlite3.Row
        for row in conn.execute("SELECT * FROM events"):
            properties = dict(row)
            blob = properties.pop("geom")
            identifier = properties.pop("id")
            del properties["fid"]
            for name in {"tags", "actors", "reports"} & properties.keys():
                properties[name] = json.loads(properties[name])
            found[identifier] = feature(identifier, blob and shape(blob), properties)
    conn.close()
    return found


def shape(blob) -> shapely.Geometry:
    """Return the geometry of a GeoPackage's blob (12-128r19, 2.1.3)."""
    magic, _, flags, srs = struct.unpack_from("<2sBBi", blob)
    assert (magic, srs) == (b"GP", 4326)
    return shapely.from_wkb(blob[8 + [0, 32][flags >> 1 & 7] :])


def feature(identifier, geometry, properties) -> dict:
    """Return a feature as JSON has it."""
    made = geometry and json.loads(shapely.to_geojson(geometry))
    made = {"type": "Feature", "id": identifier, "geometry": made, "properties": properties}
    return json.loads(json.dumps(made))


def postgis(dsn, table="events") -> dict[str, dict]:
    """Return what a table has, as features."""
    found = {}
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as conn:
        conn.execute("SET timezone = 'UTC'")
        for row in conn.execute(f'SELECT *, ST_AsBinary(geom) AS wkb FROM hudna."{table}"'):  # noqa: S608
            properties = dict(row)
            del properties["geom"]
            wkb, identifier = properties.pop("wkb"), str(properties.pop("id"))
            for name, value in properties.items():
                if isinstance(value, datetime):
                    properties[name] = value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                elif hasattr(value, "isoformat"):
                    properties[name] = value.isoformat()
            found[identifier] = feature(identifier, wkb and shapely.from_wkb(wkb), properties)
    return found


@pytest.fixture(scope="module")
def source(make_database):
    """A service, its address and its database, with events of all sorts."""
    dsn = make_database()
    with psycopg.connect(dsn, autocommit=True) as conn, serving(dsn) as url:
        for n in range(30):
            insert(conn, notes=f"{n}", place=(n, 10 + n / 7), country=["IRQ", "SYR"][n % 2])
        insert(
            conn,
            notes=NOTES,
            tags=["a", "ب"],
            actors=[{"name": "A", "role": "party"}],
            starts_on="2024-01-15",
            ends_on="2024-02-01",
            uncertainty_km=1.5,
            fatalities_best=0,
            footprint="SRID=4326;POLYGON((1 1,2 1,2 2,1 1))",
            place=(1.5, 1.25),
            reports=[{"stance": "claims"}],
        )
        insert(conn, visibility="restricted", notes="secret")
        yield url, conn


@pytest.fixture(params=["geopackage", "postgis"])
def target(request, tmp_path, make_database):
    """Where a copy may be: what to call it, and how to read it."""
    if request.param == "geopackage":
        path = tmp_path / "events.gpkg"
        return str(path), lambda: geopackage(path)
    dsn = make_database().replace("postgresql://", "postgresql://", 1)
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    url = "postgresql://{user}@/{dbname}?host={host}&port={port}".format(**parts)
    return url, lambda: postgis(dsn)


def shaken(conn) -> None:
    """Let something of each kind happen."""
    events = [row[0] for row in conn.execute("SELECT id FROM event ORDER BY random() LIMIT 5")]
    for name, event in zip([*ACTS][:5], events, strict=True):
        conn.execute(ACTS[name], [event])
    insert(conn, notes="new", place=(44.4, 33.3), country="IRQ")


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


def known(read, event) -> bool:
    """Tell whether a copy has an event; there may be no copy yet."""
    try:
        return event in read()
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return False


def test_a_clean_end_leaves_one_file(source, tmp_path):
    run(source[0], tmp_path / "events.gpkg")
    assert [path.name for path in tmp_path.iterdir()] == ["events.gpkg"]


def test_the_index_in_space_and_the_number_of_features_are_in_step(source, tmp_path):
    url, conn = source
    path = tmp_path / "events.gpkg"
    for _ in range(3):
        run(url, path, "--limit", 5)
        with sqlite3.connect(path) as there:
            boxes = {
                fid: box
                for fid, *box in there.execute(
                    "SELECT id, minx, maxx, miny, maxy FROM rtree_events_geom"
                )
            }
            shapes = there.execute("SELECT fid, geom FROM events WHERE geom IS NOT NULL").fetchall()
            (counted,) = there.execute("SELECT feature_count FROM gpkg_ogr_contents").fetchone()
            (number,) = there.execute("SELECT count(*) FROM events").fetchone()
            checked = there.execute("SELECT rtreecheck('rtree_events_geom')").fetchone()
        there.close()
        assert checked == ("ok",)
        assert counted == number
        assert boxes.keys() == {fid for fid, _ in shapes}
        for fid, blob in shapes:
            west, south, east, north = shape(blob).bounds
            assert boxes[fid] == pytest.approx((west, east, south, north), abs=1e-4)
        shaken(conn)
        conn.execute(
            "UPDATE event SET geom = NULL WHERE id IN (SELECT id FROM event WHERE public LIMIT 1)"
        )


def test_gdal_and_qgis_open_a_copy_while_it_is_written(source, tmp_path):
    url, conn = source
    path = tmp_path / "events.gpkg"
    run(url, path)
    with subprocess.Popen(
        [HUDNA, "mirror", url, str(path), "--follow"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            event = insert(conn, notes="seen by others", place=(1, 2))
            until(lambda: known(lambda: geopackage(path), str(event)))
            told = subprocess.run(
                ["ogrinfo", "-so", path, "events"], capture_output=True, text=True, check=True
            ).stdout
            number = len(original(url))
            assert f"Feature Count: {number}" in told
            assert "starts_on: Date" in told
            assert "updated_at: DateTime" in told
            listed = subprocess.run(
                ["ogrinfo", "-q", path], capture_output=True, text=True, check=True
            ).stdout
            assert "hudna_stale" not in listed
            assert qgis_count(path, tmp_path) == number
        finally:
            process.terminate()
    assert process.returncode == 0


def qgis_count(path, home) -> int:
    program = (
        "import sys\n"
        "from qgis.core import QgsApplication, QgsVectorLayer\n"
        "application = QgsApplication([], False)\n"
        "application.initQgis()\n"
        "layer = QgsVectorLayer(sys.argv[1] + '|layername=events', 'events', 'ogr')\n"
        "assert layer.isValid()\n"
        "print(sum(1 for _ in layer.getFeatures()))\n"
        "del layer\n"
        "application.exitQgis()\n"
    )
    done = subprocess.run(
        [PYTHON_OF_QGIS, "-P", "-c", program, path],
        env={"HOME": str(home), "PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return int(done.stdout.split()[-1])


def test_two_mirrors_do_not_write_to_one_target(source, tmp_path):
    origin = Origin("http://there/collections/events/changes", "")
    path = tmp_path / "events.gpkg"
    one, two = (GeoPackage(path, origin, []) for _ in range(2))
    one.apply([], [], "first", up_to_date=False)
    with pytest.raises(TargetError, match="Another mirror"):
        two.apply([], [], "second", up_to_date=False)
    one.close()
    two.close()


# docs/changes.md.

RECIPES = re.findall(r"```(\w+)\n(.+?)```", (ROOT / "docs/changes.md").read_text(), flags=re.DOTALL)


def recipe(language, word) -> str:
    (found,) = [text for name, text in RECIPES if name == language and word in text]
    return found


def test_the_recipe_in_python_keeps_a_copy(source, tmp_path):
    url, conn = source
    program = recipe("python", "sqlite3")
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program, url, tmp_path / "copy.sqlite"], check=True)
        with sqlite3.connect(tmp_path / "copy.sqlite") as there:
            rows = dict(there.execute("SELECT id, feature FROM event"))
        there.close()
        assert {event: json.loads(text) for event, text in rows.items()} == original(url)
        shaken(conn)


def test_the_recipe_with_gdal_keeps_a_copy(source, tmp_path):
    url, conn = source
    for _ in range(3):
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", recipe("sh", "ogr2ogr")],
            cwd=tmp_path,
            env=os.environ | {"SERVICE": url},
            check=True,
        )
        with sqlite3.connect(tmp_path / "events.gpkg") as there:
            rows = there.execute("SELECT id, source_id, country, starts_on FROM events").fetchall()
        there.close()
        names = ("source_id", "country", "starts_on")
        wanted = [
            (event, *(each["properties"][name] for name in names))
            for event, each in original(url).items()
        ]
        assert sorted(rows, key=str) == sorted(wanted, key=str)
        shaken(conn)


def test_the_example_of_the_contract_is_what_is_answered(source):
    url, _ = source
    body = fetch(f"{url}{CHANGES}?limit=2")
    shown = next(text for name, text in RECIPES if name == "console")
    for member in body:
        assert f'"{member}":' in shown
    assert shutil.which("curl")
