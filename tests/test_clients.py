"""The clients people use, against the real server: GDAL from the distribution, and OWSLib."""

import http.client
import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from owslib.ogcapi.features import Features

from conftest import ITEMS
from world import WORLD, event_id

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


class Listening(ThreadingHTTPServer):
    """A proxy in front of the server that remembers what was asked for, and what was answered.

    It passes the Host header on, so that links lead back to it.
    """

    daemon_threads = True

    def __init__(self, server) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = urlsplit(server).netloc
        self.heard: list[tuple[str, int]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def queries(self) -> list[dict[str, str]]:
        """Return the queries for items, decoded."""
        split = [urlsplit(target) for target, _ in self.heard]
        return [
            {name: values[0] for name, values in parse_qs(target.query).items()}
            for target in split
            if target.path == ITEMS
        ]


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listening

    def do_GET(self):
        connection = http.client.HTTPConnection(self.server.behind, timeout=30)
        connection.putrequest("GET", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        self.server.heard.append((self.path, answer.status))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    def log_message(self, *_):
        """Say nothing: what was heard is remembered."""


@pytest.fixture
def proxy(server):
    """A listening proxy in front of the real server."""
    with Listening(server) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


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
    """Let GDAL read the events; return its features."""
    source = f"OAPIF:{proxy.url}"
    text = run("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", source, "events", *arguments)
    return json.loads(text)["features"]


def names(features) -> set[str]:
    return {feature["properties"]["source_id"] for feature in features}


# GDAL


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


def test_ogr2ogr_reads_every_event_through_all_pages(proxy):
    features = read(proxy, "-oo", "PAGE_SIZE=30")
    assert sorted(f["properties"]["source_id"] for f in features) == sorted(
        event["source_id"] for event in WORLD
    )
    places = {event["source_id"]: event.get("place") for event in WORLD}
    for feature in features:
        place = places[feature["properties"]["source_id"]]
        geometry = feature["geometry"]
        assert (geometry and tuple(geometry["coordinates"])) == place
    assert len([query for query in proxy.queries() if "cursor" in query]) > 10
    assert {status for _, status in proxy.heard} == {200}


def test_gdal_writes_the_events_to_a_geopackage(proxy, tmp_path):
    file = tmp_path / "events.gpkg"
    source = f"OAPIF:{proxy.url}"
    # Newer ones write lists into a GeoPackage as JSON; this one, as text of its own, and says so.
    known = "Warning 1: The output driver does not natively support StringList type for field tags."
    run("ogr2ogr", str(file), source, "events", "-oo", "PAGE_SIZE=1000", warning=known)
    text = run("ogrinfo", "-so", str(file), "events")
    assert f"Feature Count: {len(WORLD)}" in text
    assert {query["limit"] for query in proxy.queries()} == {"1000"}


def test_gdal_asks_the_server_for_the_window(proxy):
    features = read(proxy, "-spat", "29", "14", "31", "16")
    inside = {
        e["source_id"]
        for e in WORLD
        if "place" in e and 29 <= e["place"][0] <= 31 and 14 <= e["place"][1] <= 16
    }
    assert names(features) == inside, "GDAL itself leaves out what has no place"
    queries = proxy.queries()[1:]  # the first looks what fields there are
    assert queries
    assert all(query["bbox"] == "29,14,31,16" for query in queries)


def test_gdal_asks_the_server_for_a_country(proxy):
    features = read(proxy, "-where", "country='SDN'")
    assert names(features) == {e["source_id"] for e in WORLD if e.get("country") == "SDN"}
    queries = proxy.queries()[1:]
    assert queries
    assert all(query["filter"] == "country = 'SDN'" for query in queries)


def test_gdal_asks_the_server_for_several_things_at_once(proxy):
    features = read(
        proxy, "-where", "country='SDN' AND fatalities_best = 5", "-spat", "30", "15", "31", "16"
    )
    assert 0 < len(features) < 60
    for query in proxy.queries()[1:]:
        assert query["filter"] == "(country = 'SDN') AND (fatalities_best = 5)"
        assert query["bbox"] == "30,15,31,16"


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("starts_on >= '2024/01/01'", "starts_on >= '2024-01-01T'"),
        (
            "starts_on >= '2020/01/05' AND starts_on <= '2020/01/06'",
            "(starts_on >= '2020-01-05T') AND (starts_on <= '2020-01-06T')",
        ),
    ],
)
def test_gdal_asks_the_server_for_a_period_in_its_own_way(proxy, where, asked):
    features = read(proxy, "-where", where)
    assert {query["filter"] for query in proxy.queries()[1:]} == {asked}
    assert {status for _, status in proxy.heard} == {200}
    assert len(features) < 30


@pytest.mark.parametrize(
    ("where", "test"),
    [
        ("fatalities_best > 3", lambda e: (e.get("fatalities_best") or 0) > 3),
        ("country ILIKE 'sd%' AND fatalities_best >= 4",
         lambda e: e.get("country") == "SDN" and (e.get("fatalities_best") or 0) >= 4),
        ("country = 'FJI' OR country = 'WSM'", lambda e: e.get("country") in {"FJI", "WSM"}),
        ("notes LIKE 'Number 1_.'",
         lambda e: len(e.get("notes", "")) == 10 and e["notes"][:8] == "Number 1"),
    ],
)  # fmt: skip
def test_gdal_pushes_a_filter_down_as_cql(proxy, where, test):
    expected = {e["source_id"] for e in WORLD if test(e)}
    assert names(read(proxy, "-where", where)) == expected
    pushed = [q for q in proxy.queries() if "filter" in q]
    assert pushed, proxy.heard
    assert {q["filter-lang"] for q in pushed} == {"cql-text"}


def test_gdal_has_the_server_count(proxy):
    where = ["-where", "country='SDN' AND fatalities_best = 5", "-spat", "29", "14", "40", "20"]
    text = run("ogrinfo", "-so", f"OAPIF:{proxy.url}", "events", *where)
    number = sum(e.get("country") == "SDN" and e["fatalities_best"] == 5 for e in WORLD)
    assert f"Feature Count: {number}" in text
    (counting,) = [query for query in proxy.queries() if query.get("resultType") == "hits"]
    assert counting["filter"] == "(country = 'SDN') AND (fatalities_best = 5)"
    assert not [query for query in proxy.queries() if "cursor" in query], "it need not page"


def test_gdal_finds_an_event_by_its_id(proxy):
    where = f"id = '{event_id('fiji')}'"
    assert names(read(proxy, "-where", where)) == {"fiji"}
    assert any(target.endswith(f"/items/{event_id('fiji')}") for target, _ in proxy.heard)


def test_gdal_reads_text_of_any_script(proxy):
    (feature,) = read(proxy, "-where", "source_id = 'undated'")
    assert feature["properties"]["place_name"] == "بغداد"
    (feature,) = read(proxy, "-where", "country = 'JPN'")
    assert feature["properties"]["source_id"] == "Ð, ş, ʼ, 東京, 🕊"


# OWSLib


@pytest.fixture
def features(server):
    """OWSLib's client."""
    return Features(server)


def test_owslib_finds_the_collection_the_contract_and_the_conformance(features):
    assert [c["id"] for c in features.collections()["collections"]] == ["events", "places"]
    assert features.feature_collections() == ["events", "places"]
    assert features.collection("events")["storageCrs"] == CRS84
    assert features.api()["openapi"].startswith("3.0")
    assert any("core" in name for name in features.conformance()["conformsTo"])
    assert "country" in features.collection_queryables("events")["properties"]


def test_owslib_asks_for_a_box_a_period_and_an_order(features):
    found = features.collection_items(
        "events",
        bbox=[29, 14, 31, 16],
        datetime_="2020-01-01/2020-01-03",
        limit=1000,
        sortby=("fatalities_best", "desc"),
        country="SDN",
    )
    inside = {
        e["source_id"]
        for e in WORLD
        if e.get("country") == "SDN"
        and 29 <= e["place"][0] <= 31
        and 14 <= e["place"][1] <= 16
        and e["starts_on"].isoformat() <= "2020-01-03"
    }
    assert names(found["features"]) == inside
    tolls = [f["properties"]["fatalities_best"] or -1 for f in found["features"]]
    assert tolls == sorted(tolls, reverse=True)


def test_owslib_gets_every_page(features):
    page = features.collection_items("events", limit=100)
    found = list(page["features"])
    while True:
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        query = {k: v[0] for k, v in parse_qs(urlsplit(following[0]).query).items()}
        page = features.collection_items("events", **query)
        found += page["features"]
    assert len(found) == len(WORLD)
    assert names(found) == {event["source_id"] for event in WORLD}


def test_owslib_gets_one_event(features):
    found = features.collection_item("events", event_id("fiji"))
    assert found["properties"]["source_id"] == "fiji"


def test_owslib_is_told_what_is_wrong(features):
    with pytest.raises(RuntimeError, match="contry is not known"):
        features.collection_items("events", contry="IRQ")


# QGIS, which is not here: what it is known to ask, in its order.


@pytest.mark.parametrize(
    ("method", "target", "accept", "media"),
    [
        ("GET", "/", "application/json", "application/json"),
        (
            "GET",
            "/api",
            "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0",
            "application/vnd.oai.openapi+json;version=3.0",
        ),
        ("GET", "/conformance", "application/json", "application/json"),
        ("GET", "/collections", "application/json", "application/json"),
        ("GET", "/collections/events", "application/json", "application/json"),
        (
            "GET",
            "/collections/events/queryables",
            "application/schema+json",
            "application/schema+json",
        ),
        *(
            (
                "GET",
                f"{ITEMS}?{query}",
                "application/geo+json, application/json",
                "application/geo+json",
            )
            for query in (
                "limit=10",
                "limit=1",
                "limit=1000&bbox=29,14,31,16",
                f"limit=1000&bbox=29,14,31,16&bbox-crs={CRS84}&crs={CRS84}",
                "limit=1000&datetime=2020-01-05T00:00:00Z%2F9999-12-31T00:00:00Z",
                "limit=1000&datetime=0000-01-01T00:00:00Z%2F2020-01-05T00:00:00Z",
                "limit=1000&country=SDN",
            )
        ),
        ("OPTIONS", ITEMS, "", None),
        ("OPTIONS", f"{ITEMS}/unknown_id", "", None),
    ],
    ids=str,
)
def test_what_qgis_asks_is_answered(visitor, method, target, accept, media):
    answer = visitor.open(target, method=method, headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    assert method == "OPTIONS" or answer.content_type == media
    if target == f"{ITEMS}?limit=1":
        assert answer.json["numberMatched"] == len(WORLD)
    if target == "/api":
        limit = answer.json["components"]["parameters"]["limit"]["schema"]
        assert (limit["maximum"], limit["default"]) == (10_000, 100)
    if method == "OPTIONS":
        assert "POST" not in answer.headers["Allow"], "nothing can be edited yet"
