"""`hudna export`: what the service would answer, as a file."""

import csv
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import psycopg
import pyogrio
import pytest

from api.cli.export import write
from conftest import ITEMS, walk
from world import WORLD

HUDNA = Path(sys.executable).parent / "hudna"


@pytest.fixture
def export(world, places, tmp_path):
    """Run `hudna export` in an empty folder; return what it did."""

    def run(*arguments, code=0):
        done = subprocess.run(
            [HUDNA, "export", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={"DATABASE_URL": world, "HUDNA_GAZETTEER": str(places), "PATH": "/usr/bin:/bin"},
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def ids(client, query):
    """Return the ids that the walk along all pages gives."""
    return [f["id"] for p in walk(client, f"{ITEMS}?{query}") for f in p["features"]]


def test_the_suffix_says_the_format(export, visitor, tmp_path):
    for suffix in ("csv", "geojson", "geojsons", "fgb", "gpkg"):
        done = export(f"events.{suffix}")
        assert done.stdout == ""
        assert f"{len(WORLD):,} events written." in done.stderr
    expected = ids(visitor, "")
    rows = csv.DictReader(StringIO((tmp_path / "events.csv").read_text(), newline=""))
    assert [row["id"] for row in rows] == expected
    collection = json.loads((tmp_path / "events.geojson").read_text())
    assert [feature["id"] for feature in collection["features"]] == expected
    assert collection["numberReturned"] == len(WORLD)
    for suffix in ("fgb", "gpkg"):
        assert pyogrio.read_info(tmp_path / f"events.{suffix}")["features"] == len(WORLD)
    assert not list(tmp_path.glob(".*")), "nothing unfinished is left"


def test_parameters_are_those_of_items(export, visitor):
    done = export("-", "--format", "geojsonseq", "country=SDN", "datetime=2020-01-10/..")
    found = [json.loads(record)["id"] for record in done.stdout.split("\x1e")[1:]]
    assert found == ids(visitor, "country=SDN&datetime=2020-01-10/..")
    done = export("-", "--format", "csv", "near=Jordan–Syria border", "radius_km=50")
    rows = list(csv.DictReader(StringIO(done.stdout, newline="")))
    assert [row["id"] for row in rows] == ids(
        visitor, "near=Jordan%E2%80%93Syria%20border&radius_km=50"
    )


@pytest.mark.parametrize("suffix", ["csv", "geojsons", "fgb", "gpkg"])
def test_a_file_of_the_past_has_the_bytes_that_the_service_gives(export, visitor, tmp_path, suffix):
    head = visitor.get(f"{ITEMS}?limit=1").json["head"]
    export(f"then.{suffix}", f"as_of={head}", "country=SDN")
    form = {"geojsons": "geojsonseq"}.get(suffix, suffix)
    served = visitor.get(f"{ITEMS}?country=SDN&as_of={head}&f={form}")
    assert (tmp_path / f"then.{suffix}").read_bytes() == served.data


def test_places_are_exported_too(export):
    done = export("-", "--collection=places", "--format=csv", "kind=country", "skipGeometry=true")
    rows = list(csv.DictReader(StringIO(done.stdout, newline="")))
    assert "place" not in done.stderr.replace("places written", "")
    assert {row["country"] for row in rows} >= {"IRQ", "JOR", "SYR"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["events.csv", "contry=IRQ"], "The parameter contry is not known here."),
        (["events.csv", "limit=3"], "limit has no place here: the file has everything."),
        (["events.csv", "IRQ"], "'IRQ' is not NAME=VALUE."),
        (["events.xls"], "--format is needed: one of csv, fgb, geojson, geojsonseq, gpkg."),
        (["events.csv", "within=Springfield"], "may mean several places by 'Springfield'"),
        (["events.csv", "filter=notes ="], "The parameter filter"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(export, tmp_path, arguments, said):
    done = export(*arguments, code=2)
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_that_fails_leaves_the_one_before(tmp_path):
    file = tmp_path / "events.csv"
    file.write_text("before")

    def failing():
        yield b"id,notes"
        raise psycopg.OperationalError("the server went away")

    with pytest.raises(psycopg.OperationalError):
        write(file, failing())
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]
