"""GDAL: the distribution's, by its programs, and a newer one, which is in pyogrio."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest
from questions import BY_NAME, QUESTIONS, answer

from listening import WRITING, block, hold_to, told
from world import WORLD, event_id


def run(program, *arguments, warning="") -> str:
    """Run one of GDAL's programs; return what it says, and take no other warning from it."""
    if not shutil.which(program):
        pytest.fail(f"{program} is missing: `make test` installs gdal-bin, of which it is.")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().startswith(warning)
    assert done.stderr.count("Warning") == bool(warning)
    assert "ERROR" not in done.stderr
    return done.stdout


def read(proxy, *arguments) -> list[dict]:
    """Let ogr2ogr read the events; return its features."""
    source = f"OAPIF:{proxy.url}"
    text = run("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", source, "events", *arguments)
    return json.loads(text)["features"]


def names(features) -> list[str]:
    return sorted(feature["properties"]["source_id"] for feature in features)


def by_ogr2ogr(proxy, question) -> list[str]:
    box = ["-spat", *map(str, question.box)] if question.box else []
    where = ["-where", question.where] if question.where else []
    return names(read(proxy, *box, *where))


def by_pyogrio(proxy, question) -> list[str]:
    """Ask in a process of its own: pyogrio holds Python's lock while it waits for the server."""
    code = (
        "import json, sys, pyogrio\n"
        "source, box, where = json.loads(sys.argv[1])\n"
        "meta, _, _, values = pyogrio.raw.read(\n"
        "    source, layer='events', bbox=box and tuple(box), where=where or None\n"
        ")\n"
        "print(json.dumps(sorted(values[list(meta['fields']).index('source_id')])))"
    )
    asked = json.dumps([f"OAPIF:{proxy.url}", question.box, question.where])
    done = subprocess.run(
        [sys.executable, "-c", code, asked], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def distributed() -> str:
    return re.search(r"[\d.]+", run("ogr2ogr", "--version"))[0]


CLIENTS = {
    "ogr2ogr": (by_ogr2ogr, distributed),
    "pyogrio": (by_pyogrio, lambda: version("pyogrio")),
}


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("client", CLIENTS)
def test_gdal_finds_what_is_there_and_has_the_server_look_for_it(proxy, walked, client, name):
    ask, installed = CLIENTS[client]
    question = BY_NAME[name]
    expected = answer(question, walked)
    assert len(expected) > 0
    assert ask(proxy, question) == expected
    assert {status for _, status in proxy.heard} == {200}
    asked = proxy.queries()[1:]  # the first looks what fields there are
    assert asked or name == "an id"
    for query in asked if name != "an id" else []:
        assert ("bbox" in query) == bool(question.box)
        assert ("filter" in query) == bool(question.where)
    hold_to(client, installed(), name, proxy.lines())


@pytest.mark.parametrize("client", CLIENTS)
def test_the_documents_tell_of_these_questions_and_no_others(client):
    assert list(told(client)) == [question.name for question in QUESTIONS]


def test_a_document_that_tells_otherwise_is_found(monkeypatch):
    monkeypatch.delenv(WRITING, raising=False)
    version = block("ogr2ogr")[1]
    hold_to("ogr2ogr", version, "everything", told("ogr2ogr")["everything"])
    with pytest.raises(AssertionError, match=WRITING):
        hold_to("ogr2ogr", version, "everything", ["/nowhere"])


def test_ogrinfo_lists_the_events_as_points(proxy):
    assert "1: events (title: Conflict events)" in run("ogrinfo", f"OAPIF:{proxy.url}")
    text = run("ogrinfo", "-so", f"OAPIF:{proxy.url}", "events")
    assert "using driver `OAPIF' successful" in text
    assert f"Feature Count: {len(WORLD)}" in text
    assert "Geometry: Point" in text
    assert "Extent: (-180.000000, -90.000000) - (180.000000, 90.000000)" in text
    assert 'DATUM["World Geodetic System 1984"' in text
    assert "TITLE=Conflict events" in text
    assert "TEMPORAL_INTERVAL_MIN=2020-01-01T00:00:00Z" in text


def test_ogr2ogr_reads_every_event_with_its_place_through_all_pages(proxy):
    features = read(proxy, "-oo", "PAGE_SIZE=30")
    assert names(features) == sorted(event["source_id"] for event in WORLD)
    places = {event["source_id"]: event.get("place") for event in WORLD}
    for feature in features:
        place = places[feature["properties"]["source_id"]]
        geometry = feature["geometry"]
        assert (geometry and tuple(geometry["coordinates"])) == place
    assert len([query for query in proxy.queries() if "cursor" in query]) > 10


def test_gdal_writes_the_events_to_a_geopackage(proxy, tmp_path):
    file = tmp_path / "events.gpkg"
    source = f"OAPIF:{proxy.url}"
    # Newer ones write lists into a GeoPackage as JSON; this one, as text of its own, and says so.
    known = "Warning 1: The output driver does not natively support StringList type for field tags."
    run("ogr2ogr", str(file), source, "events", "-oo", "PAGE_SIZE=1000", warning=known)
    text = run("ogrinfo", "-so", str(file), "events")
    assert f"Feature Count: {len(WORLD)}" in text
    assert {query["limit"] for query in proxy.queries()} == {"1000"}


def test_gdal_has_the_server_count(proxy):
    where = ["-where", "country='SDN' AND fatalities_best = 5", "-spat", "29", "14", "40", "20"]
    text = run("ogrinfo", "-so", f"OAPIF:{proxy.url}", "events", *where)
    number = sum(e.get("country") == "SDN" and e["fatalities_best"] == 5 for e in WORLD)
    assert f"Feature Count: {number}" in text
    (counting,) = [query for query in proxy.queries() if query.get("resultType") == "hits"]
    assert counting["filter"] == "(country = 'SDN') AND (fatalities_best = 5)"
    assert not [query for query in proxy.queries() if "cursor" in query], "it need not page"


def test_gdal_finds_an_event_under_its_own_address(proxy):
    assert names(read(proxy, "-where", f"id = '{event_id('fiji')}'")) == ["fiji"]
    assert any(target.endswith(f"/items/{event_id('fiji')}") for target, _ in proxy.heard)


def test_gdal_reads_text_of_any_script(proxy):
    (feature,) = read(proxy, "-where", "source_id = 'undated'")
    assert feature["properties"]["place_name"] == "بغداد"
    (feature,) = read(proxy, "-where", "country = 'JPN'")
    assert feature["properties"]["source_id"] == "Ð, ş, ʼ, 東京, 🕊"
