"""Imports on the ground: what a source leaves open is completed, what it says is not changed."""

import psycopg
import pytest
import shapely
from click.testing import CliRunner

from api.cli import main
from api.gazetteer import Names, grounds
from api.geocoders import cascade
from api.importers.placing import Placing
from api.importers.store import Incoming
from conftest import OnePool, opened
from ged import ged, row
from import_desk import Desk
from importing import ask


@pytest.fixture(scope="module")
def shapes(world):
    with psycopg.connect(world) as conn:
        return grounds(conn)


@pytest.fixture
def placing(places, shapes):
    return Placing(Names(places), shapes)


@pytest.fixture
def place(placing):
    """Place an event; get its columns."""

    def place(**columns):
        event = Incoming({"source_id": "1"} | columns, "some.csv", 7, {"id": "1"})
        placed = placing.placed(event)
        assert (placed.file, placed.line, placed.row) == (event.file, event.line, event.row)
        return placed.event

    return place


def test_a_place_without_coordinates_is_looked_up(place, placing, shapes):
    town = place(place_name="Palmyra", country="SYR")
    assert round(town["geom"].x, 1) == 38.3
    assert (town["geo_precision"], town["geocoder"]) == ("settlement", "hudna")
    assert town["footprint"].contains(town["geom"])
    border = place(place_name="the Jordan–Syria border")
    assert border["ground"] == shapes["border-JOR-SYR"]
    assert (border["geo_precision"], border["country"]) == ("linear", None)
    province = place(admin1="Anbar", country="IRQ")
    assert province["ground"] == shapes["admin1-IQ-AN"]
    assert placing.remarks.counts == {"placed by name": 3}


def test_what_cannot_be_found_or_told_apart_stays_without_a_place_and_is_reported(place, placing):
    assert place(place_name="Xyzzyville").get("geom") is None
    assert place(place_name="Tripoli").get("geom") is None
    assert place(notes="no place at all").get("geom") is None
    assert placing.remarks.counts == {"not found": 1, "ambiguous": 1}
    assert "Lebanon" in placing.remarks.examples["ambiguous"][0][1]
    assert placing.remarks.examples["not found"][0][0] == "1"


def test_a_point_gets_the_country_and_the_division_that_its_source_does_not_name(place):
    found = place(geom="POINT(42.44 33.80)", geo_precision="settlement")
    assert (found["country"], found["admin1"]) == ("IRQ", "Al-Anbar")
    named = place(geom="POINT(42.44 33.80)", geo_precision="settlement", country="IRQ", admin1="X")
    assert (named["country"], named["admin1"]) == ("IRQ", "X")


def test_a_point_that_stands_for_a_country_gets_no_division(place):
    found = place(geom="POINT(98 22)", geo_precision="country", country="MMR")
    assert found.get("admin1") is None


def test_a_point_far_outside_the_stated_country_is_reported_and_not_moved(place, placing):
    found = place(geom="POINT(44.4 33.3)", geo_precision="settlement", country="SYR")
    assert found["country"] == "SYR"
    assert found["geom"] == shapely.Point(44.4, 33.3)
    assert found.get("admin1") is None
    (told,) = placing.remarks.examples["outside their country"]
    assert "Iraq" in told[1]
    assert "Syria" in told[1]


@pytest.mark.parametrize(
    ("point", "country", "precision"),
    [
        ("38.70 33.31", "SYR", "settlement"),  # Tower 22 lies 2 km beyond the line
        ("40.9 34.4", "SYR", "linear"),
        ("30 -40", "ZAF", "sea_air"),
        ("0 0", "SYR", "settlement"),  # at sea
    ],
)
def test_a_point_by_the_line_or_at_sea_contradicts_nothing(
    place, placing, point, country, precision
):
    place(geom=f"POINT({point})", country=country, geo_precision=precision)
    assert "outside their country" not in placing.remarks.counts


def test_a_coded_precision_becomes_a_footprint(place, shapes):
    division = place(
        geom="POINT(98 22)", geo_precision="admin1", country="MMR", admin1="Shan state"
    )
    assert division["ground"] == shapes["admin1-MM-17"]
    assert division["uncertainty_km"] > 200
    country = place(geom="POINT(98 22)", geo_precision="country", country="MMR")
    assert country["ground"] == shapes["country-MMR"]
    town = place(geom="POINT(44.4 33.34)", geo_precision="settlement", country="IRQ")
    assert town.get("ground") is None
    assert town["uncertainty_km"] == 20
    assert place(geom="POINT(44.4 33.34)").get("footprint") is None


def test_a_footprint_that_is_there_stays(place):
    own = shapely.box(44, 33, 45, 34)
    found = place(geom="POINT(44.4 33.34)", geo_precision="near", footprint=own, uncertainty_km=7)
    assert (found["footprint"], found["uncertainty_km"]) == (own, 7)


def test_what_the_gazetteer_lacks_is_asked_of_others_if_there_are_any(places, shapes, conn, stub):
    asked = cascade(OnePool(conn), f"nominatim={stub.url}", "hudna-test", 0)
    placing = Placing(Names(places), shapes, asked)
    placed = [
        placing.placed(Incoming({"source_id": n, "place_name": "Nowhereville"})) for n in "12"
    ]
    assert [one.event["geocoder"] for one in placed] == ["nominatim", "nominatim"]
    assert placed[0].event["geom"] == shapely.Point(1.5, 2.5)
    assert len(stub.asked) == 1


def test_the_command_places_what_it_imports_and_says_so(make_atlas, places, monkeypatch, tmp_path):
    dsn = make_atlas()
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HUDNA_GAZETTEER", str(places))
    monkeypatch.chdir(tmp_path)
    rows = [
        row(latitude="", longitude="", where_coordinates="Palmyra", where_prec="1"),
        row(id="900002", where_prec="4", adm_1="Homs governorate"),
        row(id="900003", latitude="", longitude="", where_coordinates="Xyzzyville"),
    ]
    (tmp_path / "ged251.csv").write_bytes(ged(*rows))
    for word in ("created", "unchanged"):
        told = CliRunner().invoke(main, ["import", "ucdp", "ged251.csv"])
        assert told.exit_code == 0, told.output
        assert f"3 {word}" in told.output
        assert "1 placed by name" in told.output
        assert "1 not found" in told.output
        assert "900003  no place called 'Xyzzyville' is known" in told.output
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT e.source_id, e.geocoder, p.id"
            "  FROM event e LEFT JOIN place p ON p.ground = e.ground ORDER BY 1"
        ).fetchall()
    assert found[0] == ("900001", "hudna", None)
    assert found[1] == ("900002", "ucdp", "admin1-SY-HI")


#: One row whose place only the geocoder knows, and one that is bad.
ELSEWHERE = row(latitude="", longitude="", where_coordinates="Nowhereville")
WRONG = row(id="900002", best="many")


@pytest.fixture
def asking(make_atlas, places, stub, monkeypatch, tmp_path):
    """A database with the gazetteer, whose imports ask the geocoder."""
    dsn = make_atlas()
    settings = {"gazetteer": str(places), "geocoders": f"nominatim={stub.url}"}
    for name, value in {"DATABASE_URL": dsn, "HUDNA_GEOCODER_PAUSE_S": "0"}.items():
        monkeypatch.setenv(name, value)
    for name, value in settings.items():
        monkeypatch.setenv(f"HUDNA_{name.upper()}", value)
    monkeypatch.chdir(tmp_path)
    return dsn, settings


# Without a connection of its own the question waits for the COPY, and the COPY for the question.
@pytest.mark.timeout(60, func_only=True)
def test_the_command_asks_others_while_it_reads_and_keeps_what_they_say(asking, stub, tmp_path):
    for rows, code, said in [
        ([ELSEWHERE, WRONG], 1, "1 of 2 rows are bad"),
        ([ELSEWHERE], 0, "1 placed by nominatim"),
    ]:
        (tmp_path / "ged251.csv").write_bytes(ged(*rows))
        told = CliRunner().invoke(main, ["import", "ucdp", "ged251.csv"])
        assert (told.exit_code, said in told.output) == (code, True), told.output
    assert len(stub.asked) == 1, "what was said to the import that failed is remembered"
    assert ask(asking[0], "SELECT geocoder, ST_AsText(geom) FROM event") == (
        "nominatim",
        "POINT(1.5 2.5)",
    )


@pytest.mark.timeout(60, func_only=True)
def test_an_import_that_was_sent_asks_others_while_it_reads(asking, stub):
    dsn, settings = asking
    with opened(dsn, geocoder_pause_s=0, **settings) as client:
        desk = Desk(dsn, client)
        told = desk.told(desk.send(ged(ELSEWHERE), format="ucdp", places="true"))
    assert told["status"] == "successful", told
    assert told["account"]["places"] == {"placed by nominatim": 1}
    assert len(stub.asked) == 1
    assert ask(dsn, "SELECT geocoder FROM event") == ("nominatim",)


def test_the_command_wants_the_gazetteer_or_to_be_told_to_do_without(
    make_database, monkeypatch, tmp_path
):
    monkeypatch.setenv("DATABASE_URL", make_database())
    monkeypatch.setenv("HUDNA_GAZETTEER", str(tmp_path / "none.sqlite"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ged251.csv").write_bytes(ged(row()))
    told = CliRunner().invoke(main, ["import", "ucdp", "ged251.csv"])
    assert told.exit_code == 1
    assert "hudna gazetteer load" in told.output
    assert "--no-places" in told.output


def test_a_place_is_told_in_a_terminal(places, monkeypatch):
    monkeypatch.setenv("HUDNA_GAZETTEER", str(places))
    told = CliRunner().invoke(main, ["geocode", "40 km north-west of Deir ez-Zor"])
    assert told.exit_code == 0, told.output
    assert "35.59" in told.output
    assert "40 km north-west of it" in told.output
    told = CliRunner().invoke(main, ["geocode", "Tripoli"])
    assert "It may as well be:" in told.output
    assert "place:settlement-266826" in told.output
    told = CliRunner().invoke(main, ["geocode", "Xyzzyville"])
    assert told.exit_code == 1
    assert "no place called" in told.output
    told = CliRunner().invoke(main, ["geocode", "--geojson", "Jordan–Syria border"])
    assert '"LineString"' in told.output
