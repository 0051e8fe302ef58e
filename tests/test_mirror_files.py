"""The GeoPackage of a mirror, in other programs, and copies that are kept without one."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

import mirroring
from api.db import begin_epoch
from conftest import CHANGES, ROOT, insert
from mirroring import HUDNA, geopackage, known, original, run, shaken, shape
from test_waiting import fetch, until

PYTHON_OF_QGIS = "/usr/bin/python3"

source = mirroring.source  # a fixture


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


def kept_with_gdal(url, folder):
    return subprocess.run(
        ["sh", "-c", recipe("sh", "ogr2ogr")],
        cwd=folder,
        env=os.environ | {"SERVICE": url},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_kept_with_gdal(url, folder):
    """The recipe ends well, and the copy is what the service shows."""
    done = kept_with_gdal(url, folder)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(folder / "events.gpkg") as there:
        rows = there.execute("SELECT id, source_id, country, starts_on FROM events").fetchall()
    there.close()
    names = ("source_id", "country", "starts_on")
    wanted = [
        (event, *(each["properties"][name] for name in names))
        for event, each in original(url).items()
    ]
    assert sorted(rows, key=str) == sorted(wanted, key=str)


def test_the_recipe_with_gdal_keeps_a_copy(source, tmp_path):
    url, conn = source
    for _ in range(3):
        assert_kept_with_gdal(url, tmp_path)
        shaken(conn)


def test_the_recipe_with_gdal_tells_of_an_error_and_goes_on_behind_it(source, tmp_path):
    url, conn = source
    nowhere = kept_with_gdal("http://127.0.0.1:1", tmp_path)
    assert nowhere.returncode != 0
    assert "Failed to connect" in nowhere.stderr
    assert_kept_with_gdal(url, tmp_path)
    following = (tmp_path / "next").read_text()
    (tmp_path / "next").write_text(following.replace(url, "http://127.0.0.1:1"))
    shaken(conn)
    assert kept_with_gdal(url, tmp_path).returncode != 0
    (tmp_path / "next").write_text(
        (tmp_path / "next").read_text().replace("http://127.0.0.1:1", url)
    )
    assert_kept_with_gdal(url, tmp_path)
    begin_epoch(conn)
    gone = kept_with_gdal(url, tmp_path)
    assert gone.returncode != 0
    assert "410" in gone.stderr
    for name in ("next", "events.gpkg"):
        (tmp_path / name).unlink()
    assert_kept_with_gdal(url, tmp_path)


def test_the_example_of_the_contract_is_what_is_answered(source):
    url, _ = source
    body = fetch(f"{url}{CHANGES}?limit=2")
    shown = next(text for name, text in RECIPES if name == "console")
    for member in body:
        assert f'"{member}":' in shown
    assert shutil.which("curl")
