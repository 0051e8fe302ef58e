"""Mirrors in the tests: a service, its copies in a GeoPackage or a PostGIS, and who reads them."""

import json
import os
import sqlite3
import struct
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import shapely

from acts import ACTS
from conftest import ITEMS, insert, serving
from test_waiting import fetch

HUDNA = Path(sys.executable).parent / "hudna"
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


def known(read, event) -> bool:
    """Tell whether a copy has an event; there may be no copy yet."""
    try:
        return event in read()
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return False
