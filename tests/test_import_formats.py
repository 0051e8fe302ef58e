"""Every format into the real database, by the real command."""

import io
import json
import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

import acled
import gdelt
from api.cli import main
from api.db import writing
from api.identity import event_id
from api.importers import FORMATS, format_named
from api.importers.files import Wishes, load
from api.importers.mapping import Mapping
from api.importers.rejections import Rejections
from api.importers.sources import Source
from conftest import insert
from ged import ged
from importing import HUDNA, ask, create, imported, loaded
from test_tables import POINT, block, feature, features
from world import WORLD

REAL = os.environ.get("HUDNA_REAL_DATA")

#: A file of each format, and what else the command is told.
FILES = {
    "acled": (acled.as_csv(acled.row(), acled.row(event_id_cnty="RUR2", time_precision="2")), ()),
    "ucdp": (ged(), ()),
    "gdelt": (gdelt.zipped(gdelt.as_tsv(gdelt.row(), gdelt.row(EventRootCode="01"))), ()),
    "csv": (block("csv").encode(), ("--mapping", "mapping.toml")),
    "geojson": (features(feature(POINT), feature(None, source_id="2")).encode(), ()),
}


@pytest.fixture
def mapping(database):
    Path("mapping.toml").write_text(block("toml"), encoding="utf-8")


def file(name, content):
    Path(name).write_bytes(content)
    return Path(name)


def test_there_is_a_file_of_every_format():
    assert FILES.keys() == FORMATS.keys()


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_file_again_changes_nothing(database, mapping, kind):
    content, options = FILES[kind]
    path = file("some.file", content)
    imported(kind, path, *options)
    before = loaded(database)
    assert before[0] > 0
    assert "Nothing has changed." in imported(kind, path, *options).stdout
    assert loaded(database) == before
    rows = ask(database, "SELECT count(*) FROM source_row JOIN event ON id = event_id")
    assert rows == (before[0],)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_stream_again_changes_nothing(database, mapping, kind):
    content, options = FILES[kind]
    imported(kind, "-", *options, input=content)
    before = loaded(database)
    assert "Nothing has changed." in imported(kind, "-", *options, input=content).stdout
    assert loaded(database) == before


@pytest.mark.parametrize("kind", FORMATS)
def test_the_library_takes_streams(database, mapping, kind):
    content, options = FILES[kind]
    said = Mapping.of_toml(block("toml")) if options else None
    with writing(database, "test") as conn, Rejections(None) as rejections:
        account = load(
            conn,
            format_named(kind, mapping=said),
            [Source.of_stream("upload", io.BytesIO(content))],
            Wishes(),
            rejections=rejections,
            watch=Silent(),
        )
    assert account.created == loaded(database)[0] > 0
    assert ask(database, "SELECT files, cardinality(sha256) FROM import") == (["upload"], 1)


class Silent:
    """A watch that nobody looks at."""

    def reading(self, name, size):
        """Hear that a file is begun."""

    def at(self, position, rows):
        """Hear how far it is."""

    def writing(self):
        """Hear that the database is at work."""


def test_an_archive_may_come_through_a_pipe(database):
    command = [HUDNA, "import", "gdelt", "--no-places", "-"]
    content = FILES["gdelt"][0]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    told = done.stdout.decode()
    assert "1 created" in told
    assert "1 passed over: of other roots than 18, 19, 20" in told


# ACLED.


def visibility(dsn):
    return ask(dsn, "SELECT array_agg(visibility ORDER BY source_id) FROM event")[0]


def test_acled_is_restricted_unless_the_operator_says_public(database):
    path = file("a.csv", acled.as_csv())
    imported("acled", path)
    assert visibility(database) == ["restricted"]
    other = file("b.csv", acled.as_csv(acled.row(event_id_cnty="RUR9")))
    imported("acled", other, "--visibility", "public")
    assert visibility(database) == ["restricted", "public"]
    assert ask(database, "SELECT total FROM feed.state") == (1,)


def test_what_came_restricted_no_later_import_publishes(database):
    path = file("a.csv", acled.as_csv())
    imported("acled", path)
    assert "Nothing has changed" in imported("acled", path, "--visibility", "public").stdout
    assert visibility(database) == ["restricted"]


def test_what_acled_has_deleted_is_deleted(database):
    rows = [acled.row(event_id_cnty=f"RUR{n}") for n in range(1, 4)]
    path = file("a.csv", acled.as_csv(*rows))
    imported("acled", path)
    gone = file("gone.csv", b"event_id_cnty,deleted_timestamp\nRUR2,1\nOTHER1,1\n")
    told = imported("acled", "--deleted", gone).stdout
    assert "1 gone" in told
    assert "  RUR2  Battles, 2018-03-09, Zenda, SYR" in told
    living = "SELECT array_agg(source_id ORDER BY source_id) FROM event WHERE NOT deleted"
    assert ask(database, living) == (["RUR1", "RUR3"],)
    assert ask(database, "SELECT notes, actors FROM event WHERE deleted") == (None, [])
    before = loaded(database)
    assert "Nothing has changed." in imported("acled", "--deleted", gone).stdout
    assert loaded(database) == before
    assert visibility(database) == ["restricted"] * 3


def test_what_is_loaded_and_what_is_deleted_are_one_transaction(database):
    imported("acled", file("a.csv", acled.as_csv()))
    new = file("b.csv", acled.as_csv(acled.row(event_id_cnty="RUR9")))
    bad = file("gone.json", b'{"data": [{"event_id_cnty": ""}]}')
    assert "Nothing was loaded" in imported("acled", new, "--deleted", bad, code=1).stderr
    assert loaded(database) == (1, 1)
    gone = file("gone.json", b'{"data": [{"event_id_cnty": "RUR7752"}]}')
    imported("acled", new, "--deleted", gone)
    assert loaded(database) == (2, 2)
    assert ask(database, "SELECT created, gone FROM import ORDER BY at DESC") == (1, 1)


def test_a_monadic_export_is_counted(database):
    content = acled.as_csv(acled.row(), acled.mirrored(acled.row()))
    told = imported("acled", file("a.csv", content)).stdout
    assert "2 rows read" in told
    assert "1 created" in told
    assert "1 passed over: of an event that a row before it has told of" in told
    assert "0 unchanged" in told


# GDELT.


def test_what_a_machine_has_read_is_not_verified(database):
    imported("gdelt", file("x.zip", FILES["gdelt"][0]))
    assert ask(database, "SELECT status FROM event") == ("unverified",)


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of GDELT's own files")
def test_the_real_file_of_gdelt_is_loaded(database):
    path = Path(REAL) / "gdelt_v2_events_33rows.export.tsv"
    imported("gdelt", path, "--roots", ",".join(f"{n:02}" for n in range(1, 21)))
    assert loaded(database) == (33, 1)


# Tables.


def test_a_table_without_a_data_set_is_told_to_name_one(database):
    path = file("t.csv", b"source_id,event_type\n1,Battles\n")
    assert "t.csv names no data set, line 2" in imported("csv", path, code=1).stderr
    imported("csv", path, "--dataset", "mine")
    assert ask(database, "SELECT dataset FROM event") == ("mine",)


def test_the_data_set_that_is_given_goes_before_that_of_the_rows(database):
    path = file("t.csv", b"dataset,source_id,event_type\na,1,Battles\nb,1,Battles\n")
    imported("csv", path)
    assert ask(database, "SELECT array_agg(dataset ORDER BY dataset) FROM event") == (["a", "b"],)
    assert ask(database, "SELECT dataset FROM import") == (None,)
    assert "2 of 2 rows are bad" in imported("csv", path, "--dataset", "c", code=1).stderr


def test_a_whole_file_of_one_data_set_does_not_touch_another(database):
    both = file("t.csv", b"dataset,source_id,event_type\na,1,Battles\nb,1,Battles\n")
    imported("csv", both)
    one = file("a.csv", b"dataset,source_id,event_type\na,2,Battles\n")
    imported("csv", one, "--replace", "--force")
    living = "SELECT array_agg(dataset || source_id ORDER BY dataset) FROM event WHERE NOT deleted"
    assert ask(database, living) == (["a2", "b1"],)


def test_a_mapping_that_is_wrong_is_told(database):
    Path("m.toml").write_text('colour = "x"')
    path = file("t.csv", b"source_id\n1\n")
    said = imported("csv", path, "--mapping", "m.toml", code=2).stderr
    assert "m.toml has colour, which is no property" in said
    assert (
        "ucdp needs no mapping"
        in imported("ucdp", path, "--mapping", file("n.toml", b""), code=2).stderr
    )


#: What an import gives anew.
FRESH = {"version", "updated_at"}


def features_of(dsn):
    """All features, but for what an import gives anew."""
    with psycopg.connect(dsn) as conn:
        found = conn.execute("SELECT feature FROM event ORDER BY dataset, source_id").fetchall()
    said = [json.loads(text) for (text,) in found]
    for one in said:
        one["properties"] = {k: v for k, v in one["properties"].items() if k not in FRESH}
    return said


@pytest.fixture
def exported(database, tmp_path):
    """Fill the database with what breaks naive formats; export it in any of them."""
    with psycopg.connect(database) as conn:
        for event in [*WORLD, *GUARDED]:
            # As imports make them: the id of an event follows from its data set and its source's.
            columns = {k: v for k, v in event.items() if k != "id"}
            insert(conn, id=event_id(columns["dataset"], columns["source_id"]), **columns)

    def export(name, *parameters):
        command = [HUDNA, "export", tmp_path / name, *parameters]
        subprocess.run(command, check=True, capture_output=True)
        return tmp_path / name

    return export


@pytest.fixture
def elsewhere(blank, cluster):
    """Another database, which is empty."""
    return create(cluster, blank)


GUARDED = [
    {"dataset": "guarded", "source_id": f"={n}", "event_type": "Riots", "notes": text}
    for n, text in enumerate(
        ["=1+1", "'=1+1", "''-1", "'s Gravenhage", "-12.5", "\tx", "\rx", " x ", 'a "b"\r\n,c', "'"]
    )
]


@pytest.mark.parametrize("name", ["x.csv", "x.geojson", "x.geojsons"])
def test_what_was_exported_comes_back_the_same(database, exported, elsewhere, monkeypatch, name):
    kind = "csv" if name == "x.csv" else "geojson"
    path = exported(name)
    expected = [one for one in features_of(database) if one["properties"]["visibility"] == "public"]
    assert len(expected) > len(GUARDED)
    monkeypatch.setenv("DATABASE_URL", elsewhere)
    imported(kind, path)
    assert features_of(elsewhere) == expected
    assert "Nothing has changed." in imported(kind, path).stdout


# With the gazetteer.


def test_the_places_of_every_format_are_completed(make_atlas, places, mapping, monkeypatch):
    dsn = make_atlas()
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HUDNA_GAZETTEER", str(places))
    for kind, (content, options) in FILES.items():
        path = file(f"{kind}.file", content)
        words = ["import", kind, str(path), *options]
        for said in ("created", "Nothing has changed."):
            result = CliRunner().invoke(main, words)
            assert result.exit_code == 0, result.output
            assert said in result.stdout
        skipped = CliRunner().invoke(main, [*words, "--each"])
        assert f"{kind}.file: skipped" in skipped.stdout
    lacking = """
        SELECT array_agg(dataset || ' ' || source_id) FROM event
         WHERE geo_precision IS NOT NULL AND ground IS NULL AND footprint IS NULL
    """
    assert ask(dsn, lacking) == (None,)
    truce = "SELECT country, geocoder, geom IS NOT NULL FROM event WHERE source_id = 'R-3'"
    assert ask(dsn, truce) == ("SYR", "hudna", True)
