"""The sample says what the report says, at the precision at which it says it."""

import json

import psycopg
import pytest

from api import create_app
from api.gazetteer import Names
from api.sample import FILE, load
from api.schemas import EventProperties
from api.settings import Settings
from conftest import ITEMS
from geo.borders import ERROR_KM

EVENTS = {e["source_id"]: e for e in json.loads(FILE.read_text(encoding="utf-8"))["events"]}


@pytest.fixture(scope="module")
def dsn(make_atlas, places):
    """A database with the gazetteer and the sample in it."""
    address = make_atlas()
    assert load(address, Names(places)) == len(EVENTS)
    return address


@pytest.fixture
def ask(dsn):
    """Ask the service for events; get their properties by source_id."""
    app = create_app(Settings(database_url=dsn))

    def ask(**query):
        answer = app.test_client().get(ITEMS, query_string=query)
        assert answer.status_code == 200, answer.text
        features = json.loads(answer.text)["features"]
        return {f["properties"]["source_id"]: f for f in features}

    yield ask
    app.extensions["hudna"].pool.close()


def test_the_border_attack_has_its_toll_its_interval_and_its_phrase(ask):
    found = ask(bbox="35.5,31.5,42.5,37.5", datetime="2024-01-15/2024-01-31")["border-attack"]
    properties = found["properties"]
    assert found["geometry"]["type"] == "Point"
    assert properties["fatalities_best"] == 3
    assert properties["fatalities_civilians"] is None
    assert (properties["starts_on"], properties["ends_on"]) == ("2024-01-15", "2024-01-31")
    assert properties["date_phrase"] == "at the end of January"
    assert properties["geo_precision"] == "linear"
    assert properties["status"] == "confirmed"


def test_the_border_attack_lies_on_a_line_on_which_its_point_lies(dsn):
    with psycopg.connect(dsn) as conn:
        kind, km, off = conn.execute(
            "SELECT GeometryType(g.geom), ST_Length(g.geom::geography) / 1000,"
            "       ST_Distance(g.geom::geography, e.geom::geography)"
            "  FROM event e JOIN ground g ON g.id = e.ground WHERE source_id = 'border-attack'"
        ).fetchone()
    assert kind == "LINESTRING"
    assert 325 < km < 385
    assert off < 1000 * ERROR_KM


def test_a_box_of_baghdad_has_the_missile_strike(ask):
    found = ask(bbox="44.2,33.2,44.6,33.5")["baghdad-missile-strike"]["properties"]
    assert found["fatalities_best"] == 2
    assert found["sub_event_type"] == "Shelling/artillery/missile attack"
    assert found["actor2"] == "Kataib Hezbollah"


def test_the_truce_has_no_place_and_no_end(ask):
    truce = ask(sub_event_type="Agreement")["unannounced-truce"]
    assert truce["geometry"] is None
    assert truce["properties"]["ends_on"] is None
    assert truce["properties"]["status"] == "confirmed"
    assert "unannounced-truce" in ask(datetime="2024-06-01")


def test_what_nobody_else_confirmed_is_claimed(ask):
    assert ask(status="claimed").keys() == {"claimed-attacks-on-israeli-targets"}


def test_the_last_attack_is_on_one_day(ask):
    last = ask(datetime="2024-02-04")["last-attack-on-us-forces"]
    assert last["geometry"] is None
    assert last["properties"]["starts_on"] == last["properties"]["ends_on"] == "2024-02-04"
    said_by = {report["said_by"] for report in last["properties"]["reports"]}
    assert said_by == {"Pentagon officials", "A source in Beirut"}


def test_loading_it_again_changes_nothing(dsn):
    with psycopg.connect(dsn) as conn:
        before = conn.execute("SELECT * FROM feed.state").fetchone()
    assert load(dsn) == 0
    with psycopg.connect(dsn) as conn:
        assert conn.execute("SELECT * FROM feed.state").fetchone() == before


def test_it_is_not_loaded_over_what_somebody_made_of_it(make_database):
    address = make_database()
    load(address)
    with psycopg.connect(address) as conn:
        conn.execute("SELECT event_delete(id) FROM event WHERE source_id = 'border-attack'")
    assert load(address) == 0
    with psycopg.connect(address) as conn:
        gone = "SELECT deleted FROM event WHERE source_id = 'border-attack'"
        assert conn.execute(gone).fetchone() == (True,)


@pytest.mark.parametrize("source_id", EVENTS)
def test_an_event_of_the_sample_keeps_to_the_vocabulary(source_id):
    event = {k: v for k, v in EVENTS[source_id].items() if k != "point"}
    assert EventProperties().validate(event | {"dataset": "unannounced-truce"}) == {}


@pytest.mark.parametrize("source_id", EVENTS)
def test_an_event_of_the_sample_says_where_it_was_read(source_id):
    event = EVENTS[source_id]
    assert event["reports"]
    assert all(report["publisher"] == "The National" for report in event["reports"])
    assert ("point" in event) == (event.get("geo_precision") is not None)
