"""Tables of one's own: mappings, GeoJSON, and what was exported."""

import csv
import io
import json
import re
from datetime import date

import pytest
import shapely

from api.importers.mapping import TARGETS, Mapping, MappingError
from api.importers.rejections import Rejections
from api.importers.table import FormatError
from api.importers.tables import read_csv, read_geojson
from conftest import ROOT

GUIDE = (ROOT / "docs/guides/tables.md").read_text(encoding="utf-8")
LEAST = {"dataset": "mine", "source_id": "1", "event_type": "Battles"}


def block(language) -> str:
    """The example of the guide in this language."""
    return re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[1]


def load(content, mapping=None, read=read_csv):
    """Read a table; give its events, as incoming, and what was rejected."""
    rejections = Rejections(None)
    toml = None if mapping is None else Mapping.of_toml(mapping)
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return list(read(stream, "mine", None, rejections, mapping=toml)), rejections


def table(*rows, columns=None) -> str:
    """A table of these rows."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def event(mapping=None, **cells):
    """The event of a row that has the least and `cells`."""
    (incoming,), rejections = load(table(LEAST | cells), mapping)
    assert not rejections.rows
    return incoming.event


def faults(mapping=None, **cells):
    """What is wrong with such a row, as (column, message)."""
    incoming, rejections = load(table(LEAST | cells), mapping)
    assert not incoming
    return [(problem.column, problem.message) for problem in rejections.first]


def features(*said, **more) -> str:
    return json.dumps({"type": "FeatureCollection", "features": said} | more, indent=2)


def feature(geometry=None, **properties) -> dict:
    return {"type": "Feature", "geometry": geometry, "properties": LEAST | properties}


def geojson(geometry=None, **properties):
    """The event of a feature that has the least and these properties."""
    (incoming,), rejections = load(features(feature(geometry, **properties)), read=read_geojson)
    assert not rejections.rows, rejections.first
    return incoming.event


# The mapping.


def test_the_example_of_the_guide_gives_the_three_events_it_speaks_of():
    incoming, rejections = load(block("csv"), block("toml"))
    assert not rejections.rows, rejections.first
    one, strike, truce = (each.event for each in incoming)
    assert one == {
        "dataset": "ruritania-incidents",
        "source_id": "R-1",
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "tags": ["bridge", "river"],
        "actors": [
            {"name": "Army of Ruritania", "role": "initiator"},
            {"name": "Blue Column", "role": "target"},
        ],
        "starts_on": date(2018, 3, 9),
        "ends_on": date(2018, 3, 9),
        "date_precision": "day",
        "place_name": "Zenda",
        "country": "SYR",
        "geo_precision": "settlement",
        "geom": shapely.Point(40.9, 34.5),
        "fatalities_best": 3,
        "reports": [
            {
                "publisher": "Strelsau Courier",
                "url": "https://courier.example/1",
                "stance": "confirms",
            }
        ],
    }
    assert "fatalities_best" not in strike
    assert strike["actors"] == [{"name": "Army of Ruritania", "role": "initiator"}]
    assert strike["sub_event_type"] == "Air/drone strike"
    assert not {"geom", "place_name", "geo_precision"} & truce.keys()
    assert (truce["country"], truce["fatalities_best"]) == ("SYR", 0)


def test_every_property_of_the_guide_is_one_and_every_one_is_there():
    names = set(re.findall(r"`(\w+)`", GUIDE.partition("## What there is")[2]))
    said = {f"fatalities{name}" if name.startswith("_") else name for name in names}
    decided = {name for name in TARGETS if name not in {"longitude", "latitude", "wkt"}}
    assert decided <= said


def test_a_list_of_cells_becomes_a_list_of_actors():
    mapping = 'actors = [{name = {column = "who", separator = "/"}, role = {value = "other"}}]'
    assert event(mapping, who="A / B")["actors"] == [
        {"name": "A", "role": "other"},
        {"name": "B", "role": "other"},
    ]
    assert event('actors = "who"', who="A")["actors"] == [{"name": "A", "role": "party"}]
    mapping = (
        'reports = [{publisher = {column="p", separator=";"}, url = {column="u", separator=";"}}]'
    )
    found = event(mapping, p="A;B", u="https://a.example/1;https://b.example/2")["reports"]
    assert [one["url"] for one in found] == ["https://a.example/1", "https://b.example/2"]
    assert faults(mapping, p="A;B", u="https://a.example/1") == [
        ("p, u", "have not as many parts as each other")
    ]


@pytest.mark.parametrize(
    ("form", "text", "start", "end"),
    [
        ("%d.%m.%Y", "9.3.2018", date(2018, 3, 9), date(2018, 3, 9)),
        ("%B %Y", "February 2020", date(2020, 2, 1), date(2020, 2, 29)),
        ("%Y", "2018", date(2018, 1, 1), date(2018, 12, 31)),
    ],
)
def test_a_period_is_its_first_and_its_last_day(form, text, start, end):
    mapping = "".join(
        f'{name} = {{column = "when", format = "{form}"}}\n' for name in ("starts_on", "ends_on")
    )
    found = event(mapping, when=text)
    assert (found["starts_on"], found["ends_on"]) == (start, end)


def test_without_a_last_day_it_is_the_first_and_an_empty_one_is_open():
    assert event(starts_on="2018-03-09")["ends_on"] == date(2018, 3, 9)
    assert "ends_on" not in event(starts_on="2018-03-09", ends_on="")


def test_a_word_that_was_not_foreseen_is_told_unless_there_is_a_default():
    mapping = 'geo_precision = {column = "exact", values = {town = "settlement"}DEFAULT}'
    listed = mapping.replace("DEFAULT", "")
    assert event(listed, exact="town")["geo_precision"] == "settlement"
    assert "geo_precision" not in event(listed, exact="")
    assert faults(listed, exact="village") == [
        ("exact", "is not among the values that the mapping has")
    ]
    assert event(mapping.replace("DEFAULT", ', default = "area"'), exact="x")["geo_precision"] == (
        "area"
    )


def test_what_is_unknown_is_empty():
    mapping = 'unknown = ["NA"]\nfatalities_best = {column = "dead", unknown = ["-1"]}'
    for cell in ("NA", "-1", ""):
        assert "fatalities_best" not in event(mapping, dead=cell, notes="NA")
    assert event(mapping, dead="3.0")["fatalities_best"] == 3
    assert "notes" not in event(mapping, dead="3", notes="NA")


def test_a_table_may_have_another_delimiter():
    content = table(LEAST | {"notes": "a,b"}).replace(",", ";").replace("a;b", "a,b")
    (incoming,), rejections = load(content, 'delimiter = ";"')
    assert not rejections.rows
    assert incoming.event["notes"] == "a,b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dataset = ", "is not TOML"),
        ('colour = "x"', "has colour, which is no property: they are dataset, source_id"),
        ('status = "x"', "has status, which is no property"),
        ("notes = 7", "has notes = 7: it must be a column, or a table in braces"),
        ('notes = {column = "a", value = "b"}', "must have either column or value"),
        ('notes = {colum = "a"}', "has notes with colum: it must have either column or value"),
        ('actors = [{nom = "a"}]', "has actors with nom: they have name, role"),
        ('delimiter = ",,"', "has a delimiter that is not one character"),
        ('unknown = "NA"', "has unknown that is no list"),
        ('tags = {column = "a", separator = ""}', "has tags with an empty separator"),
        ('notes = {column = "a", values = ["b"]}', "has notes with values that are no table"),
        ("dataset = 7", "has a dataset that is no text"),
    ],
)
def test_a_mapping_that_says_something_odd_is_refused(text, message):
    with pytest.raises(MappingError, match=re.escape(message)):
        Mapping.of_toml(text)


def test_a_column_that_the_table_lacks_is_told():
    with pytest.raises(FormatError, match="has no column place, when"):
        load(table(LEAST), 'place_name = "Place"\nstarts_on = "When"')


# Rows.


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ({"event_type": "Party"}, "event_type", "must be one of: Battles"),
        ({"source_id": ""}, "source_id", "missing data for required field."),
        ({"starts_on": "9 March"}, "starts_on", "must be a day such as 2024-01-31"),
        ({"starts_on": "0001-01-01"}, "starts_on", "is before 0002-01-01"),
        ({"starts_on": "2018-03-09", "ends_on": "2018-03-08"}, "ends_on", "is before starts_on"),
        ({"country": "Ruritania"}, "country", "string does not match expected pattern."),
        ({"fatalities_best": "-1"}, "fatalities_best", "must be greater than or equal to 0."),
        ({"fatalities_best": "3000000000"}, "fatalities_best", "is more than 2147483647"),
        ({"fatalities_best": "2.5"}, "fatalities_best", "must be a whole number."),
        ({"actors": '[{"name": "A"}]'}, "actors", "0: role: missing data for required field."),
        ({"actors": "[1"}, "actors", "is no list in JSON"),
        ({"actors": "A"}, "actors", "is no list: a mapping can say what it is"),
        ({"latitude": "3", "longitude": ""}, "longitude", "or latitude is missing"),
        (
            {"latitude": "91", "longitude": "3"},
            "longitude",
            "and latitude: the point is not within",
        ),
        ({"latitude": "nan", "longitude": "3"}, "longitude", "and latitude: the point is"),
        ({"latitude": "x", "longitude": "3"}, "latitude", "is not a number"),
        ({"wkt": "POINT"}, "wkt", "is no geometry in WKT"),
        ({"wkt": "POLYGON((0 0,1 1,1 0,0 1,0 0))"}, "wkt", "is not valid: Self-intersection"),
    ],
)
def test_a_bad_row_is_told_by_column(cells, column, message):
    found = faults(**cells)
    assert [one[0] for one in found if one[1].startswith(message)] == [column], found


def test_a_mapped_null_island_is_refused():
    assert faults("", latitude="0", longitude="0") == [
        ("longitude", "and latitude are 0: what is not known must be empty")
    ]


def test_a_country_may_be_named():
    assert event(country="Syrian Arab Republic")["country"] == "SYR"
    assert event(country="SCG")["country"] == "SCG"  # is gone, and was one


def test_ground_in_wkt_is_a_footprint_with_a_point_on_it():
    found = event(wkt="LINESTRING(36 32, 38 33)")
    assert found["footprint"] == shapely.LineString([(36, 32), (38, 33)])
    assert found["footprint"].distance(found["geom"]) == 0
    found = event(wkt="LINESTRING(36 32, 38 33)", longitude="36", latitude="32")
    assert found["geom"] == shapely.Point(36, 32)


def test_an_apostrophe_of_ours_is_taken_off_and_any_other_stays():
    assert event(notes="'=1+1")["notes"] == "=1+1"
    assert event(notes="''=1+1")["notes"] == "'=1+1"
    assert event(notes="'s Gravenhage")["notes"] == "'s Gravenhage"
    assert event("", notes="'=1+1")["notes"] == "'=1+1"


def test_the_row_is_kept_as_it_was():
    (incoming,), _ = load(table(LEAST | {"notes": "'=1", "more": " x "}))
    assert incoming.row == LEAST | {"notes": "'=1", "more": " x "}


# GeoJSON.

POINT = {"type": "Point", "coordinates": [40.9, 34.5]}
LINE = {"type": "LineString", "coordinates": [[36.0, 32.0, 7.0], [38.0, 33.0, 7.0]]}


def test_a_feature_becomes_an_event():
    assert geojson(POINT, actors=[{"name": "A", "role": "party"}], tags=["x"], other=1) == LEAST | {
        "actors": [{"name": "A", "role": "party"}],
        "tags": ["x"],
        "reports": [],
        "geom": shapely.Point(40.9, 34.5),
    }


def test_other_geometries_are_ground_without_heights():
    found = geojson(LINE)
    assert found["footprint"] == shapely.LineString([(36, 32), (38, 33)])
    assert found["footprint"].distance(found["geom"]) == 0


def test_a_feature_without_a_place_has_none():
    assert not {"geom", "footprint"} & geojson(None).keys()


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [400, 0]},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": ["a", "b"]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
        {"type": "Feature", "geometry": POINT},
        "POINT(1 2)",
    ],
)
def test_a_geometry_that_is_none_makes_the_row_bad(geometry):
    incoming, rejections = load(features(feature(geometry)), read=read_geojson)
    assert not incoming
    assert [one.column for one in rejections.first] == ["geometry"]


def test_an_id_of_the_feature_will_do():
    said = feature()
    del said["properties"]["source_id"]
    (incoming,), _ = load(features(said | {"id": 7}), read=read_geojson)
    assert incoming.event["source_id"] == "7"


@pytest.mark.parametrize("written", ["collection", "late", "lines", "records", "one line"])
def test_every_way_to_write_features_gives_the_same(written):
    said = [feature(POINT, source_id=str(n), notes="features: [") for n in range(3)]
    texts = {
        "collection": features(*said, links=[{"href": "x"}], numberMatched=3),
        "late": json.dumps({"features": said, "type": "FeatureCollection"}),
        "lines": "".join(json.dumps(one) + "\n" for one in said),
        "records": "".join(f"\x1e{json.dumps(one, indent=1)}\n" for one in said),
        "one line": json.dumps({"type": "FeatureCollection", "features": said}),
    }
    incoming, rejections = load(texts[written], read=read_geojson)
    assert not rejections.rows
    assert [one.event["source_id"] for one in incoming] == ["0", "1", "2"]
    assert [one.row for one in incoming] == said


def test_a_file_longer_than_is_read_at_once_is_whole_and_its_lines_are_right():
    said = [feature(POINT, source_id=str(n), notes="x" * (n * 700)) for n in range(200)]
    text = "".join(json.dumps(one) + "\n" for one in said)
    incoming, _ = load(text, read=read_geojson)
    assert [one.row for one in incoming] == said
    assert [one.line for one in incoming] == list(range(1, 201))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "FeatureCollection", "features": [', "is not JSON: line 1"),
        ('{"type": "FeatureCollection"}', "has no list of features"),
        ('\x1e{"incomplete":', "is not JSON: line 1"),
        ("a,b\n", "is not JSON: line 1"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_something_else_is_refused(text, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        load(text, read=read_geojson)


def test_what_is_no_feature_is_a_bad_row():
    incoming, rejections = load('{"type": "Feature", "properties": 7}', read=read_geojson)
    assert not incoming
    assert [one.message for one in rejections.first] == ["is not a Feature"]


def test_text_that_no_database_could_keep_is_told():
    incoming, rejections = load(features(feature(notes="a\0")), read=read_geojson)
    assert not incoming
    assert rejections.first[0].message == "holds a NUL character"


def test_properties_can_be_mapped_too():
    said = feature(POINT) | {"properties": {"Ref": 7, "Kind": "b", "Dead": 3.0}}
    mapping = """
        dataset = "mine"
        source_id = "ref"
        event_type = {column = "kind", values = {b = "Battles"}}
        fatalities_best = "dead"
    """
    (incoming,), rejections = load(features(said), mapping, read=read_geojson)
    assert not rejections.rows
    assert (incoming.event["source_id"], incoming.event["fatalities_best"]) == ("7", 3)
