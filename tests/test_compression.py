"""Answers as they cross the wire: compressed, streamed, revalidated, many at once."""

import gzip
import http.client
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

from conftest import ITEMS, serving

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NUMBER, MAXIMUM = 20_000, 10_000
SMALL, LARGE = f"{ITEMS}?limit=20", f"{ITEMS}?limit=3000"
DECODE = {"gzip": gzip.decompress, "zstd": zstd.decompress, None: bytes}
#: What differs between two answers to the same question.
OF_THE_MOMENT = {"date", "content-length", "transfer-encoding", "timestamp"}


class Answer(NamedTuple):
    """An answer as it came: the body is still compressed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        body = json.loads(DECODE[self.headers.get("content-encoding")](self.body))
        body.pop("timeStamp", None)
        return body


@pytest.fixture(scope="module")
def crowded(make_database):
    """The address of a server of many events of about a kilobyte."""
    dsn = make_database()
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO event (id, dataset, source_id, event_type, country, starts_on, ends_on,"
            " geom, notes) SELECT md5(n::text)::uuid, 'crowd', n, 'Battles', 'SDN',"
            " date '2000-01-01' + n / 3, date '2000-01-01' + n / 3,"
            " ST_Point(20 + n %% 100 / 10.0, n %% 79 / 10.0, 4326), repeat(md5(n::text), 14)"
            " FROM generate_series(1, %s) AS n",
            [NUMBER],
        )
    with serving(dsn) as url:
        yield url


def ask(url, path, method="GET", **headers) -> Answer:
    """Ask without touching what comes, as no client library does."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Accept-Encoding": "identity"} | named)
        answer = connection.getresponse()
        body = answer.read()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
    finally:
        connection.close()


sizes = pytest.mark.parametrize("path", [SMALL, LARGE], ids=["small", "streamed"])
codings = pytest.mark.parametrize("coding", ["gzip", "zstd"])


def test_a_large_page_is_streamed_and_a_small_one_has_its_length(crowded):
    small, large = ask(crowded, SMALL), ask(crowded, LARGE)
    assert int(small.headers["content-length"]) == len(small.body)
    assert "content-length" not in large.headers
    assert len(large.body) > 2 << 20


@sizes
@codings
def test_a_compressed_page_is_the_page(crowded, path, coding):
    plain = ask(crowded, path)
    packed = ask(crowded, path, Accept_Encoding=coding)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == coding
    assert packed.json == plain.json
    assert len(packed.body) < len(plain.body) / 3
    for answer in (plain, packed):
        assert {"Accept", "Accept-Encoding"} <= set(answer.headers["vary"].split(", "))
    kept = packed.headers.keys() - OF_THE_MOMENT - {"content-encoding", "etag"}
    assert kept == plain.headers.keys() - OF_THE_MOMENT - {"etag"}
    assert {k: packed.headers[k] for k in kept} == {k: plain.headers[k] for k in kept}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0, zstd", "zstd"),
        ("zstd;q=0, gzip;q=0.1", "gzip"),
        ("identity", None),
        ("br", None),
        ("", None),
        ("nothing that anybody knows", None),
    ],
)
def test_the_coding_is_one_that_the_client_takes(crowded, accepted, coding):
    answer = ask(crowded, SMALL, Accept_Encoding=accepted)
    assert answer.status == 200
    assert answer.headers.get("content-encoding") == coding
    assert answer.json["numberReturned"] == 20


@pytest.mark.parametrize("path", ["/api", "/collections/events/queryables", f"{ITEMS}?limit=x"])
@codings
def test_other_answers_are_compressed_too_if_they_are_long(crowded, path, coding):
    plain, packed = ask(crowded, path), ask(crowded, path, Accept_Encoding=coding)
    assert packed.json == plain.json
    assert (packed.headers.get("content-encoding") == coding) is (len(plain.body) >= 500)


@sizes
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_the_tag_of_a_page_is_weak_and_saves_sending_it_again(crowded, path, coding):
    tag = ask(crowded, path, Accept_Encoding=coding).headers["etag"]
    assert tag.startswith('W/"')
    again = ask(crowded, path, Accept_Encoding=coding, If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == tag
    assert "content-encoding" not in again.headers
    assert ask(crowded, path, If_None_Match='W/"other"').status == 200


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("path", ["/api", "/collections/events", "item"])
def test_the_tag_of_anything_saves_sending_it_again(crowded, path, coding):
    if path == "item":
        path = f"{ITEMS}/{ask(crowded, SMALL).json['features'][0]['id']}"
    first = ask(crowded, path, Accept_Encoding=coding)
    again = ask(crowded, path, Accept_Encoding=coding, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert ask(crowded, path, Accept_Encoding=coding, If_None_Match='"other"').json == first.json


def test_two_codings_of_one_event_have_two_strong_tags(crowded):
    path = f"{ITEMS}/{ask(crowded, SMALL).json['features'][0]['id']}"
    tags = {ask(crowded, path, Accept_Encoding=c).headers["etag"] for c in ("gzip", "identity")}
    assert len(tags) == 2
    assert not any(tag.startswith("W/") for tag in tags)


@sizes
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head_has_the_headers_of_get(crowded, path, coding):
    got = ask(crowded, path, Accept_Encoding=coding)
    head = ask(crowded, path, method="HEAD", Accept_Encoding=coding)
    assert (head.status, head.body) == (200, b"")
    kept = got.headers.keys() - OF_THE_MOMENT
    assert {k: head.headers.get(k) for k in kept} == {k: got.headers[k] for k in kept}


@sizes
def test_the_link_header_of_a_page_repeats_its_links(crowded, path):
    answer = ask(crowded, path, Accept_Encoding="gzip")
    made = answer.json["links"]
    assert [link["rel"] for link in made if link["rel"] != "alternate"] == [
        *("self", "next", "cite-as", "collection", "monitor")
    ]
    repeated = ", ".join(f'<{x["href"]}>; rel="{x["rel"]}"; type="{x["type"]}"' for x in made)
    assert answer.headers["link"] == repeated
    assert all(link["href"].startswith(f"{crowded}/") for link in made)


@sizes
def test_a_map_of_another_origin_may_read_a_page(crowded, path):
    answer = ask(crowded, path, Origin="https://map.example", Accept_Encoding="gzip")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Link" in answer.headers["access-control-expose-headers"]


def test_a_preflight_is_granted(crowded):
    answer = ask(
        crowded,
        ITEMS,
        method="OPTIONS",
        Origin="https://map.example",
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="if-none-match",
    )
    assert answer.status == 200
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "if-none-match"


@pytest.mark.requirement("I8")
def test_no_page_is_larger_than_the_maximum(crowded):
    body = ask(crowded, f"{ITEMS}?limit={NUMBER}", Accept_Encoding="gzip").json
    assert body["numberReturned"] == len(body["features"]) == MAXIMUM
    assert body["numberMatched"] == NUMBER
    (following,) = [link["href"] for link in body["links"] if link["rel"] == "next"]
    rest = ask(crowded, following.removeprefix(crowded), Accept_Encoding="gzip").json
    assert not {f["id"] for f in body["features"]} & {f["id"] for f in rest["features"]}
    assert rest["numberReturned"] == NUMBER - MAXIMUM
    assert "next" not in {link["rel"] for link in rest["links"]}


def processes_of(url) -> dict[int, int]:
    """Return the processes of the server at `url`, each with the most memory it ever had, in kB."""
    parents, peaks = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            command = (folder / "cmdline").read_text()
        except OSError:  # it ended just now
            continue
        pid = int(folder.name)
        parents[pid] = int(re.findall(r"^PPid:\s+(\d+)", status, flags=re.MULTILINE)[0])
        peaks[pid] = int((re.findall(r"^VmHWM:\s+(\d+)", status, flags=re.MULTILINE) or [0])[0])
        if parents[pid] == os.getpid() and f"\0--port\0{urlsplit(url).port}\0" in command:
            server = pid
    found = {server}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: peaks[pid] for pid in found}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_many_large_pages_at_once_take_little_memory(crowded, coding):
    path = f"{ITEMS}?limit={MAXIMUM}"
    before = processes_of(crowded)

    def read(_):
        answer = ask(crowded, path, Accept_Encoding=coding)
        return answer.status, len(DECODE[answer.headers.get("content-encoding")](answer.body))

    with ThreadPoolExecutor(10) as readers:
        answers = list(readers.map(read, range(10)))
    assert [status for status, _ in answers] == [200] * 10
    assert all(size > 10 << 20 for _, size in answers), "they were to be large"
    peaks = processes_of(crowded)
    assert len(peaks) > 1, "the server and its worker"
    assert max(peaks.values()) < 300_000, peaks
    grown = max(peaks[pid] - before[pid] for pid in peaks)
    assert grown < 64_000, "a page is never held as a whole"
