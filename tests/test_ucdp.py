"""What becomes of UCDP's files, before any database is asked."""

import io
import os
from datetime import date
from pathlib import Path

import pytest
import shapely

from api.importers.rejections import Rejections
from api.importers.table import FormatError
from api.importers.ucdp import COLUMNS, read, release_of
from ged import OLD_COLUMNS, ROW, ged, row

DATA = Path(__file__).parent / "data" / "ucdp"
REAL = os.environ.get("HUDNA_REAL_DATA")


def load(content, name="ged251.csv"):
    """Read a file; give its events, as incoming, and what was rejected."""
    with Rejections(Path(os.devnull)) as rejections:
        incoming = list(read(io.BytesIO(content), name, release_of(name), rejections))
    return incoming, rejections


def event(**cells):
    """The event of a row that is right, but for `cells`."""
    (incoming,), rejections = load(ged(row(**cells)))
    assert not rejections.rows
    return incoming.event


def faults(**cells):
    """What is wrong with a row, as (column, message)."""
    incoming, rejections = load(ged(row(**cells)))
    assert not incoming
    assert rejections.rows == 1
    return [(problem.column, problem.message) for problem in rejections.first]


def test_a_row_becomes_an_event():
    (incoming,), rejections = load(ged())
    assert not rejections.rows
    assert (incoming.file, incoming.line) == ("ged251.csv", 2)
    assert incoming.row == {column: ROW.get(column, "") for column in COLUMNS}
    assert incoming.event == {
        "source_id": "900001",
        "source_release": "25.1",
        "event_type": "Battles",
        "notes": "Fighting reaches Zenda\nWhere: near the bridge of Zenda",
        "tags": [
            "ucdp:conflict=77",
            "ucdp:dyad=707",
            "ucdp:actor=11",
            "ucdp:actor=22",
            "ucdp:type_of_violence=1",
            "ucdp:where_prec=1",
        ],
        "actors": [
            {"name": "Government of Ruritania", "role": "party"},
            {"name": "Blue Column", "role": "party"},
        ],
        "starts_on": date(2018, 3, 9),
        "ends_on": date(2018, 3, 9),
        "date_precision": "day",
        "geom": "POINT(40.9 34.5)",
        "footprint": None,
        "place_name": "Zenda town",
        "country": "SYR",
        "admin1": "Eastern province",
        "admin2": "Zenda district",
        "geo_precision": "settlement",
        "uncertainty_km": None,
        "geocoder": "ucdp",
        "fatalities_low": 3,
        "fatalities_best": 3,
        "fatalities_high": 4,
        "fatalities_civilians": 0,
        "reports": [
            {
                "publisher": "Strelsau Courier",
                "url": None,
                "published_on": "2018-03-10",
                "said_by": "a resident",
                "stance": "confirms",
                "quote": "Fighting reaches Zenda",
            }
        ],
    }


def test_both_layouts_give_the_same_events():
    new, rejections = load((DATA / "GEDEvent_v25_1.csv").read_bytes())
    old, more = load((DATA / "ged191.csv").read_bytes())
    assert rejections.rows == more.rows == 0
    assert len(old) == len(new) == 6
    for one, other in zip(old, new, strict=True):
        differing = {key for key in one.event if one.event[key] != other.event[key]}
        assert differing <= {"notes"}  # the old layout does not describe the place


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(newline, mark):
    said = row(where_description="the bridge\r\n\r\nof Zenda", source_headline='"Who\nwon?"')
    (incoming, second), rejections = load(mark + ged(said, row(id="900002"), newline=newline))
    assert not rejections.rows
    assert incoming.event["notes"] == '"Who won?"\nWhere: the bridge of Zenda'
    assert incoming.row["where_description"] == "the bridge\r\n\r\nof Zenda"
    assert (incoming.line, second.line) == (2, 6)


def test_columns_come_in_any_order_and_unknown_ones_are_kept_in_the_row():
    columns = [*reversed(COLUMNS), "added_in_2031"]
    (incoming,), _ = load(ged(row(added_in_2031="x"), columns=columns))
    assert incoming.event == event()
    assert incoming.row["added_in_2031"] == "x"


def test_a_missing_column_is_empty():
    columns = [c for c in COLUMNS if c not in {"country_id", "deaths_civilians", "adm_2"}]
    (incoming,), _ = load(ged(columns=columns))
    lost = {k: incoming.event[k] for k in ("country", "fatalities_civilians", "admin2")}
    assert lost == {"country": None, "fatalities_civilians": None, "admin2": None}


def test_a_required_column_that_is_missing_is_named():
    with pytest.raises(FormatError, match=r"has no column where_prec, best$"):
        load(ged(columns=[c for c in COLUMNS if c not in {"best", "where_prec"}]))


def test_a_file_without_a_header_has_the_columns_of_today():
    (incoming, _), rejections = load(ged(row(), row(id="900002"), header=False))
    assert not rejections.rows
    assert incoming.line == 1
    assert incoming.event == event()


def test_a_file_without_a_header_and_with_other_columns_is_refused():
    with pytest.raises(FormatError, match="has no header row, and 41 columns"):
        load(ged(columns=OLD_COLUMNS, header=False))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xfei\0d\0", "is not text in UTF-8"),
        (b'"id', "is not CSV"),
        (b"id,id\n", "more than one column id"),
        (b"x" * (1 << 21), "a line of a million characters"),
    ],
)
def test_what_is_no_such_file_is_refused(content, message):
    with pytest.raises(FormatError, match=message):
        load(content)


@pytest.mark.parametrize(
    "text", ["2018-03-09", "2018-03-09 00:00:00.000", "2018-03-09T00:00:00", " 2018-03-09 "]
)
def test_a_day_is_written_in_three_ways(text):
    assert event(date_start=text)["starts_on"] == date(2018, 3, 9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("2018-02-30", "is no day"),
        ("09.03.2018", "is no day"),
        ("20180309", "is no day"),
        ("2018-03-09 13:00", "is no day"),
        ("0018-03-09", "is not between 1946-01-01"),
        ("2999-03-09", "is not between 1946-01-01"),
    ],
)
def test_a_bad_day_is_told(text, message):
    ((column, said),) = faults(date_start=text)
    assert column == "date_start"
    assert message in said


def test_an_interval_that_ends_before_it_begins_is_told():
    told = faults(date_start="2018-03-10", date_end="2018-03-09")
    assert told == [("date_end", "is before date_start, 2018-03-10")]


def test_an_interval_is_kept_as_it_is():
    april = event(date_start="2018-04-01", date_end="2018-04-30", date_prec="4")
    assert april["starts_on"] == date(2018, 4, 1)
    assert april["ends_on"] == date(2018, 4, 30)
    assert april["date_precision"] == "month"


@pytest.mark.parametrize(
    ("code", "word"), [("1", "day"), ("2", "days"), ("3", "week"), ("4", "month"), ("5", "year")]
)
def test_the_precision_of_a_date_is_a_word(code, word):
    assert event(date_prec=code)["date_precision"] == word


@pytest.mark.parametrize(
    ("code", "kind", "roles"),
    [
        ("1", "Battles", ["party", "party"]),
        ("2", "Battles", ["party", "party"]),
        ("3", "Violence against civilians", ["initiator", "target"]),
    ],
)
def test_the_type_of_violence_gives_the_type_and_the_roles(code, kind, roles):
    found = event(type_of_violence=code)
    assert found["event_type"] == kind
    assert [actor["role"] for actor in found["actors"]] == roles


@pytest.mark.parametrize(
    ("code", "name", "precision"),
    [
        ("1", "Zenda town", "settlement"),
        ("2", "Zenda town", "near"),
        ("3", "Zenda district", "admin2"),
        ("4", "Eastern province", "admin1"),
        ("5", "Ruritania-Graustark border", "linear"),
        ("5", "Southern Ruritania", "area"),
        ("6", "Ruritania", "country"),
        ("7", "Ruritanian airspace", "sea_air"),
        ("", "Zenda", None),
    ],
)
def test_the_precision_of_a_place_is_a_class(code, name, precision):
    found = event(where_prec=code, where_coordinates=name)
    assert found["geo_precision"] == precision
    assert found["uncertainty_km"] == (25 if precision == "near" else None)
    assert bool(found["footprint"]) == (precision == "near")


def test_the_footprint_of_near_is_a_circle_of_25_km():
    ground = shapely.from_wkb(event(where_prec="2")["footprint"])
    assert ground.contains(shapely.Point(40.9, 34.5))
    assert ground.bounds == pytest.approx((40.628, 34.275, 41.172, 34.725), abs=0.001)


@pytest.mark.parametrize(
    ("code", "alpha3"), [("678", "YEM"), ("345", "SRB"), ("347", "XKX"), ("315", None), ("", None)]
)
def test_the_country_is_iso_and_not_gleditsch_ward(code, alpha3):
    assert event(country_id=code)["country"] == alpha3


def test_deaths_that_are_not_told_are_not_zero():
    found = event(low="", best="", high="", deaths_civilians="")
    assert [found[f"fatalities_{k}"] for k in ("low", "best", "high", "civilians")] == [None] * 4


def test_the_order_of_low_best_and_high_is_left_alone():
    found = event(low="9", best="5", high="2")
    assert [found[f"fatalities_{k}"] for k in ("low", "best", "high")] == [9, 5, 2]


def test_a_place_that_is_not_known_has_no_point():
    found = event(latitude="", longitude="", where_prec="2")
    assert found["geom"] is None
    assert found["footprint"] is None


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"id": ""}, ("id", "is empty")),
        ({"id": "SYR-1"}, ("id", "is not a whole number")),
        ({"id": "0"}, ("id", "is not between 1 and 2147483647")),
        ({"type_of_violence": "4"}, ("type_of_violence", "is not between 1 and 3")),
        ({"type_of_violence": ""}, ("type_of_violence", "is empty")),
        ({"where_prec": "8"}, ("where_prec", "is not between 1 and 7")),
        ({"date_prec": "0"}, ("date_prec", "is not between 1 and 5")),
        ({"latitude": "95.2"}, ("latitude", "is not between -90 and 90")),
        ({"latitude": "34,5"}, ("latitude", "is not a number")),
        ({"longitude": "nan"}, ("longitude", "is not a number")),
        ({"longitude": "180.1"}, ("longitude", "is not between -180 and 180")),
        ({"longitude": ""}, ("longitude", "is empty, while latitude is not")),
        ({"latitude": ""}, ("latitude", "is empty, while longitude is not")),
        ({"best": "-1"}, ("best", "is not between 0 and 2147483647")),
        ({"best": "3.0"}, ("best", "is not a whole number")),
        ({"deaths_a": "a few"}, ("deaths_a", "is not a whole number")),
        ({"low": "1" * 4000}, ("low", "is not a whole number")),
        (
            {"country_id": "999"},
            ("country_id", "is no code of Gleditsch and Ward's list of states"),
        ),
        ({"adm_1": "Zen\0da"}, ("adm_1", "holds a NUL character")),
    ],
)
def test_a_bad_cell_is_told(cells, fault):
    assert faults(**cells) == [fault]


def test_zero_zero_is_no_place():
    ((column, message),) = faults(latitude="0.0", longitude="0")
    assert column == "latitude"
    assert message == "and longitude are 0: where they are not known they must be empty"


def test_all_that_is_wrong_with_a_row_is_told_at_once():
    columns = [column for column, _ in faults(id="x", latitude="95", date_start="soon", best="-1")]
    assert sorted(columns) == ["best", "date_start", "id", "latitude"]


def test_bytes_that_are_not_utf8_are_laid_to_their_row_and_column():
    content = ged(row(), row(id="900002", adm_1="Zend#")).replace(b"Zend#", b"Zend\xe9")
    incoming, rejections = load(content)
    assert [one.event["source_id"] for one in incoming] == ["900001"]
    (problem,) = rejections.first
    assert (problem.line, problem.source_id) == (3, "900002")
    assert (problem.column, problem.value) == ("adm_1", r"Zend\xe9")


def test_a_row_with_too_few_cells_is_told_by_the_line_on_which_it_begins():
    content = ged(row(where_description="two\nlines")) + b"900002,too,few\n" + ged(header=False)
    incoming, rejections = load(content)
    assert [one.line for one in incoming] == [2, 5]
    (problem,) = rejections.first
    assert (problem.line, problem.source_id) == (4, "900002")
    assert problem.message == "has 3 cells, where there are 49 columns"


def test_a_stray_quote_is_told_and_the_next_row_is_read():
    stray = ged(row(adm_1="Zenda#"), header=False).replace(b"Zenda#", b'"Zen"da')
    incoming, rejections = load(ged() + stray + ged(row(id="900003"), header=False))
    assert [one.event["source_id"] for one in incoming] == ["900001", "900003"]
    (problem,) = rejections.first
    assert problem.line == 3
    assert problem.message.startswith("cannot be read as CSV: ")


def test_blank_lines_are_no_rows():
    incoming, rejections = load(ged() + b"\n\r\n" + ged(row(id="900002"), header=False) + b"\n")
    assert [one.line for one in incoming] == [2, 5]
    assert not rejections.rows


def reports(**cells):
    return [
        (r["publisher"], r["published_on"], r["quote"], r["stance"])
        for r in event(**cells)["reports"]
    ]


def test_every_source_gives_a_report():
    found = reports(
        source_office="Courier; Herald",
        source_date="2018-03-10;1753-01-01",
        source_headline="Fighting;",
    )
    assert found == [
        ("Courier", "2018-03-10", "Fighting", "confirms"),
        ("Herald", None, None, "confirms"),
    ]


def test_sources_that_cannot_be_told_apart_give_one_report():
    found = reports(
        source_office="Courier;Herald",
        source_date="2018-03-10;2018-03-11",
        source_headline="Fighting; many dead;Calm",
    )
    assert found == [("Courier;Herald", None, "Fighting; many dead;Calm", "confirms")]


def test_a_semicolon_in_the_only_headline_does_no_harm():
    found = reports(source_headline="Fighting; many dead")
    assert found == [("Strelsau Courier", "2018-03-10", "Fighting; many dead", "confirms")]
    assert event(source_headline="Fighting; many dead")["notes"].startswith("Fighting; many dead\n")


def test_an_old_row_has_one_column_for_all_of_its_source():
    old = {
        "number_of_sources": "-1",
        "source_article": "Courier 1994-05-17 FIGHTING",
        "source_office": "",
        "source_date": "",
        "source_headline": "",
    }
    assert reports(**old) == [(None, None, "Courier 1994-05-17 FIGHTING", "confirms")]
    assert event(**old)["notes"].startswith("Courier 1994-05-17 FIGHTING\n")


def test_what_ucdp_has_not_made_up_its_mind_about_is_not_confirmed():
    found = event(code_status="Check", event_clarity="2")
    assert [report["stance"] for report in found["reports"]] == [None]
    assert found["tags"][-2:] == ["ucdp:event_clarity=2", "ucdp:code_status=Check"]


def test_the_place_is_not_described_twice():
    assert event(where_description="Zenda town")["notes"] == "Fighting reaches Zenda"


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("GEDEvent_v25_1.csv", "25.1"),
        ("ged251.csv", "25.1"),
        ("GEDEvent_v25_0_9.csv", "25.0.9"),
        ("GEDEvent_v25_01_25_06.csv", "25.01.25.06"),
        ("ged191-csv.csv", "19.1"),
        ("ged_syria.csv", None),
        ("ged_2018.csv", None),
        ("ged_18_03_2020.csv", None),
    ],
)
def test_the_release_is_read_from_the_name_of_the_file(name, release):
    assert release_of(name) == release


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of UCDP's own files")
def test_the_real_files_are_read_without_a_bad_row():
    for path in sorted(Path(REAL).glob("ucdp_ged_*.csv")):
        incoming, rejections = load(path.read_bytes(), path.name)
        assert not rejections.rows
        assert incoming
