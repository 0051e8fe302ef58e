"""Files of features: one question, any format, the same rows."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import StringIO

import numpy as np
import psycopg
import pyogrio
import pytest
import shapely
from pyogrio import raw

from api.formats import FILES
from api.formats.delimited import written as delimited
from api.formats.sequence import written as sequence
from api.formats.table import table
from conftest import ITEMS, PLACES, assert_problem, insert, opened, walk
from world import WORLD, event_id

LISTS = ["tags", "actors", "reports"]
QUERIES = [
    "",
    "country=SDN&datetime=2020-01-10/..",
    "bbox=-180,-90,-100,90&sortby=%2Bstarts_on",
    "near=Jordan%E2%80%93Syria%20border&radius_km=50&certainty=possible",
    "filter=fatalities_best%20%3E%2010&sortby=-fatalities_best",
    "country=ATA",
]


def features_of(client, query):
    """Return what the walk along the pages of GeoJSON gives."""
    pages = walk(client, f"{ITEMS}?{query}&limit=100")
    return [feature for page in pages for feature in page["features"]]


def rows_of(text):
    """Return the rows of CSV, by their column, as a strict reader reads them."""
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def records_of(body):
    """Return the records of a GeoJSON text sequence."""
    assert body.startswith(b"\x1e") or not body
    return [json.loads(record) for record in body.split(b"\x1e")[1:]]


def read_by_gdal(body, path):
    """Return what GDAL reads: what it says of the file, geometries, and columns by name."""
    path.write_bytes(body)
    described, _, geometries, columns = raw.read(path, datetime_as_string=True)
    return described, geometries, dict(zip(described["fields"], columns, strict=True))


def plain(value):
    """Return a value that GDAL read as JSON would have it."""
    return None if isinstance(value, float) and np.isnan(value) else value


@pytest.mark.parametrize("query", QUERIES)
def test_a_sequence_has_the_features_of_all_pages(visitor, query):
    answer = visitor.get(f"{ITEMS}?{query}&f=geojsonseq")
    assert answer.content_type == "application/geo+json-seq"
    assert records_of(answer.data) == features_of(visitor, query)


@pytest.mark.parametrize("query", QUERIES)
def test_csv_has_the_features_of_all_pages(visitor, query):
    answer = visitor.get(f"{ITEMS}?{query}&f=csv")
    assert answer.content_type == "text/csv"
    rows = rows_of(answer.text)
    expected = features_of(visitor, query)
    assert [row["id"] for row in rows] == [feature["id"] for feature in expected]
    for row, feature in zip(rows, expected, strict=True):
        place = feature["geometry"]["coordinates"] if feature["geometry"] else [None, None]
        assert [row["longitude"], row["latitude"]] == ["" if x is None else str(x) for x in place]
        for name, value in feature["properties"].items():
            if name in LISTS:
                assert json.loads(row[name]) == value
            else:
                assert row[name].removeprefix("'") == ("" if value is None else str(value)), name


@pytest.mark.parametrize("form", ["gpkg", "fgb"])
@pytest.mark.parametrize("query", QUERIES)
def test_gdal_reads_the_same_features_from_files_of_its_own(visitor, tmp_path, form, query):
    answer = visitor.get(f"{ITEMS}?{query}&f={form}")
    assert answer.content_type == FILES[form].media
    described, geometries, columns = read_by_gdal(answer.data, tmp_path / f"events.{form}")
    assert described["crs"] == "EPSG:4326"
    assert described["geometry_type"] == "Point"
    expected = {feature["id"]: feature for feature in features_of(visitor, query)}
    assert sorted(columns["id"]) == sorted(expected)
    for i, id_ in enumerate(columns["id"]):
        feature = expected[id_]
        place = feature["geometry"] and tuple(feature["geometry"]["coordinates"])
        assert (geometries[i] and shapely.from_wkb(geometries[i]).coords[0]) == place
        for name, value in feature["properties"].items():
            found = plain(columns[name][i])
            if name in LISTS:
                found = json.loads(found)
            if name == "updated_at":
                found = found.replace("+00:00", "Z")
                value = f"{value[:23]}Z"  # noqa: PLW2901 - GDAL knows milliseconds
            if name in {"starts_on", "ends_on"} and found:
                found = found[:10]
            assert found == value, (name, found, value)


@pytest.mark.parametrize(("form", "kind"), [("gpkg", "datetime64[D]"), ("fgb", "datetime64[ms]")])
def test_columns_have_their_types_whatever_the_rows_are(visitor, tmp_path, form, kind):
    for query in ("", "&country=ATA"):
        path = tmp_path / f"events.{form}"
        path.write_bytes(visitor.get(f"{ITEMS}?f={form}{query}").data)
        described = pyogrio.read_info(path)
        types = dict(zip(described["fields"], map(str, described["dtypes"]), strict=True))
        assert types["fatalities_best"] == "int32"
        assert types["uncertainty_km"] == "float64"
        assert types["starts_on"] == kind
        assert types["updated_at"] == "datetime64[ms]"
        assert types["notes"] == types["id"] == "object"


@pytest.mark.parametrize("form", FILES)
def test_a_limit_asks_for_a_page_whose_next_stands_in_the_header(visitor, form):
    answer = visitor.get(f"{ITEMS}?f={form}&limit=7")
    assert 'rel="next"' in answer.headers["Link"]
    whole = visitor.get(f"{ITEMS}?f={form}")
    assert 'rel="next"' not in whole.headers["Link"]
    assert whole.headers["OGC-NumberReturned"] == str(len(WORLD))
    assert whole.headers["OGC-NumberMatched"] == str(len(WORLD))


def test_pages_of_csv_make_the_whole(visitor):
    url, ids = f"{ITEMS}?f=csv&limit=37&country=SDN", []
    while url:
        answer = visitor.get(url)
        ids += [row["id"] for row in rows_of(answer.text)]
        found = [part for part in answer.headers["Link"].split(", <") if 'rel="next"' in part]
        url = found[0].lstrip("<").split(">")[0] if found else None
    assert ids == [row["id"] for row in rows_of(visitor.get(f"{ITEMS}?f=csv&country=SDN").text)]


@pytest.mark.parametrize(("accept", "media"), [(form.media, form.media) for form in FILES.values()])
def test_accept_asks_for_a_file_as_f_does(visitor, accept, media):
    answer = visitor.get(f"{ITEMS}?country=JOR", headers={"Accept": accept})
    assert answer.content_type == media
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="hudna-events.')


@pytest.mark.parametrize("form", FILES)
def test_an_unchanged_file_is_not_made_again(visitor, form):
    first = visitor.get(f"{ITEMS}?f={form}&country=JOR")
    again = visitor.get(
        f"{ITEMS}?f={form}&country=JOR", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.data == b""


def test_the_number_alone_is_asked_for_as_geojson(visitor):
    assert_problem(visitor.get(f"{ITEMS}?f=csv&resultType=hits"), 400, parameter="resultType")


# What a file holds


def test_properties_and_geometry_are_chosen_as_on_a_page(visitor, tmp_path):
    query = f"{ITEMS}?country=JOR&properties=notes,starts_on&skipGeometry=true"
    assert visitor.get(f"{query}&f=csv").text.splitlines()[0] == "id,notes,starts_on"
    described, geometries, columns = read_by_gdal(
        visitor.get(f"{query}&f=gpkg").data, tmp_path / "x.gpkg"
    )
    assert geometries is None
    assert list(columns) == ["id", "notes", "starts_on"]
    assert described["geometry_type"] is None


def test_footprints_are_written_in_full(visitor, tmp_path):
    query = f"{ITEMS}?geometry=footprint&source_id=end%20of%20January"
    (row,) = rows_of(visitor.get(f"{query}&f=csv").text)
    (feature,) = visitor.get(query).json["features"]
    assert feature["geometry"]["type"] == "LineString"
    assert row["wkt"] == shapely.from_geojson(json.dumps(feature["geometry"])).wkt
    for form in ("gpkg", "fgb"):
        _, (geometry,), _ = read_by_gdal(
            visitor.get(f"{query}&f={form}").data, tmp_path / f"x.{form}"
        )
        assert shapely.from_wkb(geometry).wkt == row["wkt"]


def test_other_systems_are_in_the_order_of_axes_but_in_gdal_files(visitor, tmp_path):
    event = f"{ITEMS}?source_id=undated"
    crs = "&crs=http://www.opengis.net/def/crs/EPSG/0/4326"
    answer = visitor.get(f"{event}{crs}&f=csv")
    assert answer.headers["Content-Crs"] == "<http://www.opengis.net/def/crs/EPSG/0/4326>"
    (row,) = rows_of(answer.text)
    assert row["wkt"] == "POINT (33.3 44.4)"
    for form in ("gpkg", "fgb"):
        described, (geometry,), _ = read_by_gdal(
            visitor.get(f"{event}{crs}&f={form}").data, tmp_path / f"x.{form}"
        )
        assert described["crs"] == "EPSG:4326"
        assert shapely.from_wkb(geometry).coords[0] == (44.4, 33.3)
    utm = visitor.get(f"{event}&crs=http://www.opengis.net/def/crs/EPSG/0/32638&f=gpkg").data
    described, (geometry,), _ = read_by_gdal(utm, tmp_path / "utm.gpkg")
    assert described["crs"] == "EPSG:32638"
    assert shapely.from_wkb(geometry).x == pytest.approx(444_145, abs=100)


def test_flatgeobuf_has_an_index_where_every_feature_has_a_place(visitor, tmp_path):
    for query, indexed in (("country=SDN", True), ("", False)):
        path = tmp_path / "events.fgb"
        path.write_bytes(visitor.get(f"{ITEMS}?{query}&f=fgb").data)
        assert pyogrio.read_info(path)["capabilities"]["fast_spatial_filter"] is indexed


def test_no_cell_of_csv_is_a_formula(client, make_event):
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", '"quoted", and\nlines']
    texts += ["'=1", "''-1", "'s Gravenhage"]
    ids = {make_event(notes=text, place=(-70.5, -3)): text for text in texts}
    rows = rows_of(client.get(f"{ITEMS}?f=csv").text)
    for row in rows:
        text = ids[row["id"]]
        assert row["notes"] == (text if text[0] in 'a"' or "Grav" in text else f"'{text}")
        assert (row["longitude"], row["latitude"]) == ("-70.5", "-3"), "a number is no formula"


def test_places_are_files_too(visitor, tmp_path):
    query = f"{PLACES}?country=JOR&kind=admin1"
    expected = [f["id"] for p in walk(visitor, query) for f in p["features"]]
    assert len(expected) == 12
    rows = rows_of(visitor.get(f"{query}&f=csv").text)
    assert [row["id"] for row in rows] == expected
    assert all(row["wkt"].startswith(("POLYGON", "MULTIPOLYGON")) for row in rows)
    _, geometries, columns = read_by_gdal(visitor.get(f"{query}&f=fgb").data, tmp_path / "x.fgb")
    assert sorted(columns["id"]) == sorted(expected)
    assert all(shapely.is_valid(shapely.from_wkb(geometries)))


# What breaks off


def failing(features, after):
    yield from features[:after]
    raise psycopg.OperationalError("the server went away")


def whole_table():
    return table(
        "events",
        {
            "skipGeometry": False,
            "geometry": "point",
            "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        },
    )


def test_csv_that_breaks_off_cannot_be_taken_for_whole(visitor):
    features = visitor.get(f"{ITEMS}?f=geojsonseq&limit=5").data.split(b"\x1e")[1:]
    made = []
    with pytest.raises(psycopg.OperationalError):
        made.extend(delimited(failing(features, 2), whole_table()))
    text = b"".join(made).decode()
    with pytest.raises(csv.Error):
        rows_of(text)
    assert "incomplete" in text


def test_a_sequence_that_breaks_off_cannot_be_taken_for_whole(visitor):
    features = visitor.get(f"{ITEMS}?f=geojsonseq&limit=5").data.split(b"\x1e")[1:]
    made = []
    with pytest.raises(psycopg.OperationalError):
        made.extend(sequence(failing(features, 2), whole_table()))
    with pytest.raises(json.JSONDecodeError):
        records_of(b"".join(made))


# Room


def test_files_leave_connections_for_others(world, places):
    with opened(world, gazetteer=str(places), pool_size=4) as client:
        reading = [client.get(f"{ITEMS}?f=csv", buffered=False) for _ in range(2)]
        refused = client.get(f"{ITEMS}?f=csv")
        assert_problem(refused, 503)
        assert refused.headers["Retry-After"]
        assert client.get(ITEMS).status_code == 200
        for answer in reading:
            answer.close()
        assert client.get(f"{ITEMS}?f=csv").status_code == 200


def test_a_file_is_of_one_moment(make_database):
    dsn = make_database()
    with psycopg.connect(dsn) as conn:
        for day in range(1, 29):
            for _ in range(100):
                insert(conn, starts_on=date(2024, 1, day), ends_on=date(2024, 1, day))
    with opened(dsn) as client:
        answer = client.get(f"{ITEMS}?f=geojsonseq", buffered=False)
        with psycopg.connect(dsn) as conn:
            conn.execute("UPDATE event SET notes = 'changed'")
            insert(conn, starts_on=date(2024, 1, 1))
        records = records_of(answer.data)
        assert len(records) == 2800
        assert {record["properties"]["notes"] for record in records} == {None}


def test_a_file_has_more_time_than_a_page(make_database):
    dsn = make_database()
    with (
        opened(dsn, statement_timeout_s=1) as client,
        psycopg.connect(dsn) as conn,
        ThreadPoolExecutor() as aside,
    ):
        insert(conn, place=(44, 33))
        conn.commit()
        conn.execute("LOCK event IN ACCESS EXCLUSIVE MODE")
        file = aside.submit(client.application.test_client().get, f"{ITEMS}?f=csv")
        assert_problem(client.get(ITEMS), 503)
        conn.rollback()
        assert len(rows_of(file.result().text)) == 1


def test_the_ids_are_those_of_the_world(visitor):
    ids = {record["id"] for record in records_of(visitor.get(f"{ITEMS}?f=geojsonseq").data)}
    assert str(event_id("truce")) in ids
    assert len(ids) == len(WORLD)
