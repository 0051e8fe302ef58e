"""Whatever is asked: no fault, no word of the database, nothing that the contract lacks."""

import base64
import gzip
import http.client
import json
import socket
from urllib.parse import quote, urlencode, urlsplit

import psycopg
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import allow_header_conformance, negative_data_rejection

from api import openapi
from conftest import CHANGES, CONTRACT, ITEMS, PLACES, TILESET, operation, resolved
from world import event_id

#: A list of five numbers, a cursor out of thin air, a place that nobody knows, a name together with
#: a point, the exact places without a key: they fit the schema, which cannot say more, and are
#: refused all the same. Who asks for a page is led to its address without the empty parameters that
#: a form has sent.
REFUSED_ALL_THE_SAME = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "303", "400", "401"]},
    "negative_data_rejection": {
        "expected-statuses": ["303", "400", "401", "404", "405", "406", "413", "415"]
    },
}
#: The same of an event that nobody has written, and of a tile, whose row may be beyond the last.
IT_MAY_BE_MISSING = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "303", "400", "401", "404"]}
}
SCHEMA = "/collections/events/schema"
TILE = f"{TILESET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
#: Nobody may write without a key.
WRITES = ["createEvents", "replaceEvent", "changeEvent", "deleteEvent"]
WRITES += ["sendImport", "imports", "import", "importExceptions", "dismissImport"]
KEPT_OUT = {
    "positive_data_acceptance": {"expected-statuses": ["401"]},
    "negative_data_rejection": {"expected-statuses": ["401"]},
}
FUZZING = schemathesis.Config.from_dict(
    {
        "seed": 20240204,
        "generation": {"max-examples": 50, "deterministic": True, "database": "none"},
        "operations": [
            {"include-operation-id": WRITES, "checks": KEPT_OUT},
            {
                "include-path": ITEMS,
                "generation": {"max-examples": 400},
                "checks": REFUSED_ALL_THE_SAME,
            },
            {
                "include-path": f"{ITEMS}/{{eventId}}",
                "generation": {"max-examples": 100},
                "checks": IT_MAY_BE_MISSING,
            },
            {"include-path": CHANGES, "checks": REFUSED_ALL_THE_SAME},
            {"include-path": SCHEMA, "checks": REFUSED_ALL_THE_SAME},
            {"include-path": PLACES, "checks": REFUSED_ALL_THE_SAME},
            {"include-path": "/geocode", "checks": REFUSED_ALL_THE_SAME},
            {"include-path": TILESET, "checks": REFUSED_ALL_THE_SAME},
            {"include-path": TILE, "checks": IT_MAY_BE_MISSING},
        ],
    }
)
contract = schemathesis.openapi.from_path(openapi.FILE, config=FUZZING)

PARAMETERS = list(map(resolved, operation("GET", ITEMS)["parameters"]))
#: Parameters that take any text, so that hostile text is but text that no event has.
TEXTS = {
    p["name"]
    for p in PARAMETERS
    if p["schema"].keys() <= {"type", "example"} and p["schema"]["type"] == "string"
} - {"datetime", "cursor", "filter"}
#: What no answer may contain: words of the driver, of SQL, of Python, and folders of the machine.
SECRETS = ["psycopg", "SELECT", "Traceback", "/usr", "site-packages", "relation", "syntax error"]


@pytest.fixture(scope="module")
def log(cluster):
    """Give what the database has logged since these tests began."""
    file = cluster.folder / "postgres.log"
    start = file.stat().st_size
    return lambda: file.read_bytes()[start:].decode(errors="replace")


@pytest.fixture(autouse=True)
def _logged(log):
    """The log is read from the first of these tests on."""


def is_clamped(case) -> bool:
    """Whether the limit is above the maximum, which is outside the schema and means the maximum."""
    limit = str((case.query or {}).get("limit", ""))
    return limit.isdecimal() and int(limit) > 10_000


# What cannot be written as a file of some type is for imports, which ask for a key before the body.
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types")
@contract.parametrize()
def test_the_server_keeps_to_its_contract(server, case):
    excluded = [negative_data_rejection] if is_clamped(case) else []
    if case.path.startswith(ITEMS):  # what OPTIONS allows there is what this caller may do
        excluded.append(allow_header_conformance)
    case.call_and_validate(base_url=server, excluded_checks=excluded)


def test_the_contract_that_is_kept_is_the_one_handed_out(server):
    status, _, body = send(server, "/api")
    assert status == 200
    assert json.loads(body) | {"servers": None} == CONTRACT | {"servers": None}


# Hostile input.


def send(server, target, **headers) -> tuple[int, dict[str, str], bytes]:
    """Ask for `target` exactly as it is written, byte by byte."""
    where = urlsplit(server)
    lines = {"Host": where.netloc, "Connection": "close"} | headers
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\n{text}\r\n".encode("latin-1"))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
        if answer.getheader("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body


def assert_refused(answer, *statuses):
    """The answer is a problem document, or granian's word that this is no HTTP, or too much."""
    status, headers, body = answer
    assert_harmless(answer)
    if (status, body) in {(400, b""), (414, b""), (431, b"")}:
        return
    assert status in statuses, body[:500]
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["detail"]


def assert_harmless(answer):
    """The answer is no fault, and tells nothing of what is inside."""
    status, headers, body = answer
    assert status < 500, body[:500]
    assert "x-evil" not in headers
    text = body.decode("utf-8")
    for secret in SECRETS:
        assert secret not in text, text[:500]


#: By what they try, as they stand in an address.
HOSTILE = {
    "quote": "%27",
    "double quote": "%22",
    "comment": "x%27%3B%20drop%20table%20event%3B--",
    "always true": "x%27%20or%20%271%27%3D%271",
    "union": "x%27%20union%20select%20version%28%29--",
    "sleep": "%27%7C%7Cpg_sleep%2810%29%7C%7C%27",
    "dollar quote": "%24%24%3Bselect%201%3B%24%24",
    "backslash": "%5C%27%5C",
    "NUL": "%00",
    "NUL inside": "Battles%00",
    "not UTF-8": "%ff%fe",
    "overlong": "%c0%af",
    "lone surrogate": "%ed%a0%80",
    "cut short": "%e2%82",
    "raw bytes": "\xe2\x82",
    "placeholder": "%25s",
    "named placeholder": "%25%28limit%29s",
    "percents": "%25%25%25b%25t",
    "half an escape": "%",
    "no escape": "%zz%s%(limit)s",
    "braces": "%7B%7D%7B0%7D",
    "format string": "%7B0.__class__.__mro__%7D%7Blimit!r:%3E99%7D",
    "template": "%7B%7B7*7%7D%7D%24%7B7*7%7D",
    "new header": "x%0D%0AX-Evil:%201",
    "path": "../../../../../../etc/passwd",
    "script": "%3Cscript%3Ealert(1)%3C/script%3E",
    "Arabic digits": quote("١٢"),
    "full-width digits": quote("１２"),
    "a soft hyphen": quote("2024\u00ad-01-01"),
    "right to left": quote("\u202e\u2066x"),
    "an astral sign": quote("🕊\U0010ffff"),
    "JSON": quote('{"a":[1,null,{"$ref":"#"}]}'),
    "a list": quote("[1,2]"),
    "infinity": "Infinity",
    "no number": "NaN",
    "too large": "1e999",
    "much too large": "1" + "0" * 5000,
    "many digits": "9" * 100_000,
    "long": "x" * 60_000,
    "very long": "x" * 100_000,
    "commas": "," * 20_000,
    "slashes": "x" + "/" * 20_000,
    "parentheses": "(" * 20_000,
    "deep base64": base64.urlsafe_b64encode(b"[" * 30_000).decode(),
}

hostile = pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)


TYPES = {parameter["name"]: parameter["schema"]["type"] for parameter in PARAMETERS}


@hostile
def test_no_parameter_can_be_turned_against_the_service(server, value):
    for name, kind in TYPES.items():
        answer = send(server, f"{ITEMS}?{name}={value}")
        if answer[0] == 200:  # it means something, but no event has it
            assert_harmless(answer)
            assert name in TEXTS or (kind == "integer" and value.isdecimal())
            assert json.loads(answer[2])["features"] == [] or name == "limit"
        else:
            assert_refused(answer, 400)


@hostile
def test_no_name_of_a_parameter_can_be_turned_against_the_service(server, value):
    assert_refused(send(server, f"{ITEMS}?{value}=1"), 400)
    assert_refused(send(server, f"/collections?{value}=1"), 400)


@hostile
def test_no_path_can_be_turned_against_the_service(server, value):
    for target in (f"{ITEMS}/{value}", f"/collections/{value}", f"/{value}"):
        answer = send(server, target)
        if answer[0] == 308:  # many slashes are one
            assert answer[1]["location"].startswith(f"{server}/")
        else:
            assert_refused(answer, 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "x" * 50_000},
        {"Accept": "*/*;q=abc"},
        {"Accept": "application/geo+json;q=1e999, %s, {}"},
        {"Accept": "\xff\xfe"},
        {"Accept": ",;=,/"},
        {"If-None-Match": '"' * 9999},
        {"If-None-Match": ", ".join(['W/"x"'] * 5000)},
        {"If-None-Match": "\xff'; drop table event; --"},
        {"If-Modified-Since": "never"},
        {"Range": "bytes=0-,99-1"},
        {"Accept-Encoding": "gzip;q=x, zstd;q=-1, *;q=%s"},
        {"Origin": "null\xff"},
        {"Content-Type": "\xff"},
        {"Content-Length": "0"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
    ],
    ids=str,
)
def test_no_header_can_be_turned_against_the_service(server, headers):
    answer = send(server, f"{ITEMS}?limit=2", **headers)
    assert_harmless(answer)
    assert b"evil" not in answer[2]


@pytest.mark.parametrize(
    "host", ["", "a b", 'x"<y>', "evil.example/path", "x:99999", "\xff", "[::1"]
)
def test_a_host_that_is_none_is_no_fault(server, host):
    answer = send(server, f"{ITEMS}?limit=2", Host=host)
    assert_harmless(answer)


ID = event_id("fiji")
CURSORS = [
    "null",
    "1",
    '"x"',
    "[]",
    "{}",
    '{"a":1,"b":2,"c":3}',
    "[1,2,3]",
    "[null,null,null]",
    f'["-starts_on","2024-01-01","{ID}",1]',
    '["-starts_on","2024-01-01"]',
    '["-starts_on","2024-01-01",null]',
    '["-starts_on","2024-01-01",7]',
    '["-starts_on","2024-01-01","x"]',
    '["-starts_on","2024-01-01",["x"]]',
    f'["-starts_on",null,"{ID}"]',
    f'["-starts_on",7,"{ID}"]',
    f'["-starts_on","infinity","{ID}"]',
    f'["-starts_on","2024-02-30","{ID}"]',
    f'["-starts_on","2024-01-01\'; drop table event;--","{ID}"]',
    f'["-starts_on",{{}},"{ID}"]',
    f'["-starts_on","\\ud800","{ID}"]',
    f'["starts_on","2024-01-01","{ID}"]',
    f'["-notes","x","{ID}"]',
    f'["-sort_on","2024-01-01","{ID}"]',
    f'[["-starts_on"],"2024-01-01","{ID}"]',
    f'["-starts_on","2024-01-01","{ID}"',
    "[" * 20_000,
    "[" * 5_000 + "]" * 5_000,
    "\ud800".encode("utf-8", "surrogatepass"),
    b"\xff\xfe\x00",
    b"",
]
TOLLS = [
    f'["-fatalities_best",null,"{ID}"]',
    f'["-fatalities_best","x","{ID}"]',
    f'["-fatalities_best",[],"{ID}"]',
    f'["-fatalities_best",{{}},"{ID}"]',
    f'["-fatalities_best",Infinity,"{ID}"]',
    f'["-fatalities_best",NaN,"{ID}"]',
    f'["-fatalities_best",1e400,"{ID}"]',
    f'["-fatalities_best",{10**12},"{ID}"]',
    f'["-fatalities_best",-{10**40},"{ID}"]',
    f'["-fatalities_best",{"9" * 5000},"{ID}"]',
]


def encoded(text) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize("text", CURSORS, ids=lambda text: ascii(text)[:60])
def test_a_cursor_of_somebody_elses_making_is_refused(server, text):
    assert_refused(send(server, f"{ITEMS}?{urlencode({'cursor': encoded(text)})}"), 400)


@pytest.mark.parametrize("text", TOLLS, ids=lambda text: text[:60])
def test_a_cursor_of_another_order_is_checked_too(server, text):
    query = urlencode({"cursor": encoded(text), "sortby": "-fatalities_best"})
    assert_refused(send(server, f"{ITEMS}?{query}"), 400)


@pytest.mark.parametrize("cursor", ["", "=", "====", "a", "!!!!", "WyI", "%00", quote("١٢٣٤")])
def test_a_cursor_that_is_no_base64_is_refused(server, cursor):
    assert_refused(send(server, f"{ITEMS}?cursor={cursor}"), 400)


def test_what_hostile_clients_sent_left_no_trace_in_the_data(server):
    status, _, body = send(server, f"{ITEMS}?limit=10000")
    assert status == 200
    assert json.loads(body)["numberMatched"] == json.loads(body)["numberReturned"] > 400


def test_the_database_was_never_sent_a_statement_it_could_not_read(cluster, log):
    """This stands last: everything above has been asked of the database by now."""
    errors = [line for line in log().splitlines() if "ERROR:" in line or "FATAL:" in line]
    assert errors == []
    with psycopg.connect(cluster.dsn) as conn, pytest.raises(psycopg.errors.UndefinedColumn):
        conn.execute("SELECT this_is_logged")
    assert "this_is_logged" in log()


def test_nothing_that_any_test_did_was_a_syntax_error(cluster):
    text = (cluster.folder / "postgres.log").read_text(errors="replace")
    assert "syntax error at" not in text
