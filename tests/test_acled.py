"""What becomes of ACLED's exports, before any database is asked."""

import io
from datetime import date

import pytest

from acled import OLD_COLUMNS, ROW, as_csv, as_json, mirrored, row
from api.importers import FORMATS
from api.importers.acled import read, withdrawn
from api.importers.cells import latest_day
from api.importers.rejections import Rejections
from api.importers.table import FormatError


def load(content):
    """Read a file; give its events, as incoming, and what was rejected."""
    rejections = Rejections(None)
    return list(read(io.BytesIO(content), "acled.csv", None, rejections)), rejections


def event(**cells):
    """The event of a row that is right, but for `cells`."""
    (incoming,), rejections = load(as_csv(row(**cells)))
    assert not rejections.rows
    return incoming.event


def faults(**cells):
    """What is wrong with a row, as (column, message)."""
    incoming, rejections = load(as_csv(row(**cells)))
    assert not incoming
    assert rejections.rows == 1
    return [(problem.column, problem.message) for problem in rejections.first]


def test_a_row_becomes_an_event():
    (incoming,), rejections = load(as_csv())
    assert not rejections.rows
    assert (incoming.file, incoming.line, incoming.row) == ("acled.csv", 2, ROW)
    nothing = dict.fromkeys(("url", "published_on", "said_by", "stance", "quote"))
    assert incoming.event == {
        "source_id": "RUR7752",
        "source_release": None,
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "notes": "On 9 March 2018, the Blue Column attacked the bridge of Zenda.",
        "tags": [
            "acled:disorder_type=Political violence",
            "acled:inter1=1",
            "acled:inter2=2",
            "acled:interaction=12",
            "acled:assoc_actor_1=Police Forces of Ruritania",
            "acled:assoc_actor_1=Zenda Volunteers",
            "acled:geo_precision=1",
            "acled:time_precision=1",
            "acled:source_scale=National",
            "acled:crowd size=no report",
            "acled:local administrators",
        ],
        "actors": [
            {"name": "Military Forces of Ruritania", "role": "party"},
            {"name": "Blue Column", "role": "party"},
        ],
        "starts_on": date(2018, 3, 9),
        "ends_on": date(2018, 3, 9),
        "date_precision": "day",
        "geom": "POINT(40.9 34.5)",
        "place_name": "Zenda",
        "country": "SYR",
        "admin1": "Eastern province",
        "admin2": "Zenda district",
        "geo_precision": "settlement",
        "geocoder": "acled",
        "fatalities_best": 3,
        "reports": [
            {"publisher": "Strelsau Courier"} | nothing,
            {"publisher": "Zenda Radio"} | nothing,
        ],
    }


@pytest.mark.parametrize("bare", [False, True])
def test_what_the_api_answers_is_the_same(bare):
    rows = [row(), row(event_id_cnty="RUR7753", latitude="34.50", iso="760")]
    (one, other), rejections = load(as_json(*rows, bare=bare))
    assert not rejections.rows
    assert one.event == event()
    assert one.row == ROW
    assert other.event == event(event_id_cnty="RUR7753")
    assert other.line == one.line + len(ROW) + 2


def test_an_answer_that_refuses_is_no_empty_list():
    with pytest.raises(FormatError, match="has no list of data"):
        load(b'{"success": false, "status": 403, "message": "Access denied"}')
    assert load(b'{"success": true, "count": 0, "data": []}')[0] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (as_json()[:-30], "is not JSON: line"),
        (b'{"data": [1]}', "has something else than an object, line 1"),
        (b'{"data": []} x', "goes on after its end, line 1"),
        (b'[{"a": NaN}]', "is not JSON: it has NaN"),
        (b"[" * 100_000, "has something else|is nested too deep|is not JSON"),
        (b"event_id_cnty,event_date\n", "has no column event_type, latitude, longitude"),
        (b"", "is empty"),
    ],
)
def test_a_file_that_is_something_else_is_refused(content, message):
    with pytest.raises(FormatError, match=message):
        load(content)


def test_old_exports_and_unknown_columns_are_read():
    columns = [*OLD_COLUMNS, "population_best"]
    (incoming,), rejections = load(
        as_csv(row(iso="", iso3="SYR", population_best="7"), columns=columns)
    )
    assert not rejections.rows
    assert incoming.row["population_best"] == "7"
    assert incoming.event["country"] == "SYR"
    differing = {key for key, value in event().items() if incoming.event[key] != value}
    assert differing == {"tags"}


def test_a_file_may_lack_all_but_the_least():
    columns = ("event_id_cnty", "event_date", "event_type", "latitude", "longitude")
    (incoming,), rejections = load(as_csv(columns=columns))
    assert not rejections.rows
    assert incoming.event["date_precision"] is None
    assert incoming.event["tags"] == incoming.event["actors"] == incoming.event["reports"] == []


@pytest.mark.parametrize(
    "text", ["2018-03-09", "09 March 2018", "9 March 2018", "09-03-2018", "09 Mar 2018"]
)
def test_a_day_is_read_in_every_spelling(text):
    assert event(event_date=text)["starts_on"] == date(2018, 3, 9)


def test_a_year_that_lost_its_century_is_refused_in_clear_words():
    assert faults(event_date="0025-07-01") == [
        ("event_date", f"is not between 1997-01-01 and {latest_day()}")
    ]
    assert faults(event_date="31-02-2018") == [
        (
            "event_date",
            "is no day: it must be written like 2018-03-09, 09 March 2018 or 09-03-2018",
        )
    ]


@pytest.mark.parametrize(
    ("code", "precision", "start", "end"),
    [
        ("1", "day", date(2018, 3, 9), date(2018, 3, 9)),
        ("2", "week", date(2018, 3, 3), date(2018, 3, 15)),
        ("3", "month", date(2018, 2, 22), date(2018, 3, 24)),
    ],
)
def test_the_one_day_becomes_the_days_it_may_have_been(code, precision, start, end):
    found = event(time_precision=code)
    assert (found["date_precision"], found["starts_on"], found["ends_on"]) == (
        precision,
        start,
        end,
    )


@pytest.mark.parametrize(("code", "precision"), [("2", "near"), ("3", "admin1"), ("", None)])
def test_the_precision_of_place_is_the_codebooks(code, precision):
    assert (event(geo_precision=code)["geo_precision"] or None) == precision


def test_no_dead_are_not_known_to_be_none():
    found = event(fatalities="0")
    assert found["fatalities_best"] is None
    assert "acled:fatalities=0" in found["tags"]
    assert not any(tag.startswith("acled:fatalities") for tag in event()["tags"])


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("State Forces", 1),
        ("Rebel group", 2),
        ("Rebel Groups", 2),
        ("Political Militias", 3),
        ("Identity militia", 4),
        ("Rioters", 5),
        ("Protesters", 6),
        ("Civilians", 7),
        ("External/Other forces", 8),
        ("Other Forces", 8),
    ],
)
def test_kinds_of_actors_are_the_same_as_codes_and_as_names(label, code):
    words = event(inter1=label, inter2="", interaction=f"Sole {label}")
    assert words == event(inter1=str(code), inter2="0", interaction=f"{code}0")
    assert f"acled:interaction={code}0" in words["tags"]


def test_civilians_are_told_from_those_who_attack_them():
    found = event(
        event_type="Violence against civilians",
        sub_event_type="Attack",
        actor2="Civilians (Ruritania)",
        inter2="7",
        civilian_targeting="Civilian targeting",
    )
    assert [actor["role"] for actor in found["actors"]] == ["initiator", "civilians"]
    assert {"acled:interaction=17", "acled:civilian_targeting"} <= {*found["tags"]}


def test_an_associate_is_not_taken_for_the_other_side():
    found = event(actor2="", inter2="0", assoc_actor_1="Students")
    assert [actor["name"] for actor in found["actors"]] == ["Military Forces of Ruritania"]
    assert "acled:assoc_actor_1=Students" in found["tags"]


def test_the_misspelt_type_of_disorder_is_mended():
    tags = event(disorder_type="Political violence; Demostrations")["tags"]
    assert tags[:2] == [
        "acled:disorder_type=Political violence",
        "acled:disorder_type=Demonstrations",
    ]


@pytest.mark.parametrize(
    ("former", "sub_event_type", "now"),
    [
        ("Battle-No change of territory", "", "Battles"),
        ("Remote violence", "", "Explosions/Remote violence"),
        ("Riots/Protests", "Peaceful protest", "Protests"),
        ("Riots/Protests", "Mob violence", "Riots"),
        ("Strategic development", "", "Strategic developments"),
    ],
)
def test_former_types_have_their_name_of_today(former, sub_event_type, now):
    assert event(event_type=former, sub_event_type=sub_event_type)["event_type"] == now


@pytest.mark.parametrize(
    ("cells", "country"),
    [
        ({"iso": "368"}, "IRQ"),
        ({"iso": "0", "country": "Kosovo"}, "XKX"),
        ({"iso": "", "country": "Democratic Republic of Congo"}, "COD"),
        ({"iso": "", "country": "Ruritania"}, None),
    ],
)
def test_a_country_has_a_number_or_else_a_name(cells, country):
    assert event(**cells)["country"] == country


def test_a_monadic_export_has_one_event_of_two_rows():
    one, other = row(data_id="1"), mirrored(row(data_id="2"))
    assert other["actor1"] == "Blue Column"
    columns = [*ROW, "data_id"]
    incoming, rejections = load(as_csv(one, other, row(event_id_cnty="RUR1"), columns=columns))
    assert [each.event["source_id"] for each in incoming] == ["RUR7752", "RUR1"]
    assert incoming[0].event == event()
    assert rejections.passed == {"of an event that a row before it has told of": 1}


def test_rows_that_say_different_things_are_not_taken_for_one():
    incoming, rejections = load(as_csv(row(), mirrored(row(fatalities="4"))))
    assert len(incoming) == 2
    assert not rejections.passed


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"event_id_cnty": ""}, ("event_id_cnty", "is empty")),
        ({"event_type": "Party"}, ("event_type", "is no type of event that ACLED has or had")),
        ({"latitude": "91"}, ("latitude", "is not between -90 and 90")),
        ({"geo_precision": "4"}, ("geo_precision", "is not between 1 and 3")),
        ({"fatalities": "-1"}, ("fatalities", "is not between 0 and 2147483647")),
        ({"inter1": "9"}, ("inter1", "is no kind of actor: they are 0 to 8, or their names")),
        ({"notes": "a\0b"}, ("notes", "holds a NUL character")),
    ],
)
def test_a_bad_row_is_told_by_column(cells, found):
    assert faults(**cells) == [found]


def test_json_that_no_database_could_keep_is_told():
    incoming, rejections = load(as_json(row(notes="a\0b"), row(notes="\ud800")))
    assert not incoming
    assert [one.message for one in rejections.first] == ["holds a NUL character", "is not UTF-8"]


@pytest.mark.parametrize(
    "content",
    [
        b"event_id_cnty,deleted_timestamp\nRUR1,1520900000\nRUR2,1520900001\n",
        b'[{"event_id_cnty": "RUR1", "deleted_timestamp": 1}, {"event_id_cnty": "RUR2"}]',
        b'{"data": [{"event_id_cnty": "RUR1"}, {"event_id_cnty": "RUR2"}], "count": 2}',
    ],
)
def test_the_list_of_deletions_is_read(content):
    rejections = Rejections(None)
    assert list(withdrawn(io.BytesIO(content), "gone", rejections)) == ["RUR1", "RUR2"]
    assert not rejections.rows


def test_a_deletion_of_nothing_is_told():
    rejections = Rejections(None)
    content = b"event_id_cnty,deleted_timestamp\n,1520900000\n"
    assert list(withdrawn(io.BytesIO(content), "gone", rejections)) == []
    assert rejections.rows == 1


def test_events_are_restricted_unless_somebody_says_otherwise():
    assert FORMATS["acled"].visibility == "restricted"
    assert {FORMATS[name].visibility for name in FORMATS.keys() - {"acled"}} == {"public"}
