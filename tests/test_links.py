"""Every link of every answer leads where it says, from the landing page on: row G13."""

import json
import re
from urllib.parse import urlsplit

import pytest
from werkzeug.http import parse_options_header

from api.formats import BY_MEDIA as FILES
from conftest import ITEMS, PLACES, RESOURCES, TILESET, links, opened
from world import WORLD, event_id

#: A link in a `Link` header (RFC 8288).
HEADER_LINK = re.compile(r'<([^>]*)>((?:; \w+="[^"]*")+)(?:, |$)')
#: Where a crawl begins: the landing page, and pages whose addresses no link can know.
STARTS = [
    "/",
    f"{ITEMS}?limit=60&bbox=29,14,34,18&sortby=fatalities_best&properties=notes,country",
    f"{ITEMS}?limit=50&datetime=2020-01-10T00:00:00%2B02:00/..&country=SDN&skipGeometry=true",
    f"{ITEMS}?limit=40&sortby=%2Bstarts_on&f=json",
    f"{ITEMS}?limit=200&actor1=Group%201&event_type=Explosions/Remote%20violence",
    f"{ITEMS}?source_id=%C3%90%2C%20%C5%9F%2C%20%CA%BC%2C%20%E6%9D%B1%E4%BA%AC%2C%20%F0%9F%95%8A",
    f"{ITEMS}?source_id=O%27Higgins%20%22quoted%22%20%5C%20back&f=geojson",
    f"{ITEMS}?notes=%26limit%3D1%23x%3Fy%2B%25%3C%3E%3B%3D",
    f"{ITEMS}?resultType=hits&country=SDN",
    *(f"{ITEMS}/{event['id']}" for event in WORLD[:20]),
    f"{ITEMS}?near=Jordan%E2%80%93Syria%20border&radius_km=10&within=southern%20Syria",
    f"{PLACES}?kind=border&near=44.4,33.3&radius_km=300",
    f"{PLACES}/country-JOR",
    "/geocode?q=40%20km%20north-west%20of%20Deir%20ez-Zor",
    "/geocode?lat=33.3&lon=44.4",
    f"{TILESET}?within=southern%20Syria&filter=notes%20LIKE%20%27%25%7B%26%7D%25%27",
]
#: Of the whole gazetteer, whose pages are thousands, so many are followed.
PAGES_OF_PLACES = 3


def header_links(answer) -> list[dict]:
    """Return the links of the `Link` header."""
    value = answer.headers.get("Link", "")
    found = [
        {"href": href} | dict(re.findall(r'(\w+)="([^"]*)"', rest))
        for href, rest in HEADER_LINK.findall(value)
    ]
    assert "".join(m[0] for m in HEADER_LINK.finditer(value)) == value, "an unreadable header"
    return found


def all_links(body) -> list[dict]:
    """Return every link in a JSON document, however deep."""
    if isinstance(body, list):
        return [link for part in body for link in all_links(part)]
    if not isinstance(body, dict):
        return []
    made = body.get("links", [])
    own = made if isinstance(made, list) else []  # the contract describes what is called links
    return [*own, *all_links([part for part in body.values() if part is not made])]


def lasting(answer) -> dict:
    """Return a body without what is of the moment."""
    body = json.loads(answer.text)
    body.pop("timeStamp", None)
    return body


def crawl(client, starts, root="http://localhost"):
    """Follow every link from `starts` on; give every answer by its address."""
    waiting, seen, seen_files = [(start, None) for start in starts], {}, set()
    while waiting:
        url, type_ = waiting.pop()
        if type_ in FILES:
            if (urlsplit(url).path, type_) in seen_files:
                continue
            seen_files.add((urlsplit(url).path, type_))
        # As a client does: what a link promises is what is asked for. A file may be the world.
        ask = client.head if type_ in FILES else client.get
        answer = ask(url, headers={"Accept": type_} if type_ else {})
        assert answer.status_code == 200, f"{url}: {answer.text[:500]}"
        if type_:
            assert parse_options_header(answer.content_type) == parse_options_header(type_), url
        if type_ in FILES:
            continue
        seen[url] = answer
        body = json.loads(answer.text)
        plain = [link for link in all_links(body) if not link.get("templated")]
        made = [*plain, *header_links(answer)]
        own = [
            {k: link[k] for k in ("href", "rel", "type")}
            for link in body.get("links", [])
            if not link.get("templated")
        ]
        assert header_links(answer) == own, url
        for link in made:
            assert link["rel"], url
            assert link["href"].startswith(f"{root}/"), url
            assert link["type"], url
            if (
                f"{PLACES}?cursor" in link["href"]
                and sum(f"{PLACES}?cursor" in known for known in seen) >= PAGES_OF_PLACES
            ):
                continue
            if link["href"] not in seen:
                waiting.append((link["href"], link["type"]))
    return seen


@pytest.mark.requirement("G13", "I2", "I28")
def test_every_link_leads_to_what_it_promises(visitor):
    seen = crawl(visitor, STARTS)
    assert {f"http://localhost{path}" for path in list(RESOURCES)[1:-1]} <= seen.keys()
    pages = [url for url in seen if f"{ITEMS}?cursor=" in url]
    assert len(pages) == len(WORLD) // 100, "the walk through all events, by its links"


@pytest.mark.requirement("G13", "F5")
def test_every_self_link_gives_the_same_again(visitor):
    for url, answer in crawl(visitor, STARTS).items():
        body = lasting(answer)
        for link in links(body, "self") if "links" in body else []:
            assert link["type"] == answer.content_type, url
            assert lasting(visitor.get(link["href"])) == body, url


@pytest.mark.requirement("G13")
def test_a_link_has_no_bare_sign_that_would_need_escaping(visitor):
    for answer in crawl(visitor, STARTS).values():
        for link in all_links(json.loads(answer.text)):
            href = link["href"]
            if link.get("templated"):
                href, names = re.subn(r"\{\w+\}", "0", href)
                assert names
            assert re.fullmatch(r"[A-Za-z0-9:/?=&%,._~+-]+", href), link


def test_a_public_address_stands_in_all_links(world):
    with opened(world, public_url="https://events.example/hudna/") as client:
        for path in [*RESOURCES, f"{ITEMS}?limit=2"]:
            answer = client.get(path, headers={"X-Forwarded-Host": "evil.example"})
            made = [*all_links(answer.json), *header_links(answer)]
            assert all(x["href"].startswith("https://events.example/hudna/") for x in made)
            if path == "/":
                assert links(answer.json, "self")[0]["href"] == "https://events.example/hudna/"


def test_a_trusted_proxy_may_say_where_clients_find_the_service(world):
    forwarded = {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "events.example",
        "X-Forwarded-Prefix": "/hudna",
    }
    with opened(world, proxies=1) as client:
        body = client.get(f"{ITEMS}?limit=2", headers=forwarded).json
        (following,) = links(body, "next")
        assert following["href"].startswith(
            "https://events.example/hudna/collections/events/items?"
        )
    with opened(world) as client:
        body = client.get(f"{ITEMS}?limit=2", headers=forwarded).json
        assert links(body, "next")[0]["href"].startswith("http://localhost/collections/")


@pytest.mark.parametrize("path", [path for path in RESOURCES if path != "/"])
def test_a_slash_at_the_end_changes_nothing(visitor, path):
    assert lasting(visitor.get(f"{path}/")).keys() == lasting(visitor.get(path)).keys()


def test_an_event_is_not_found_under_a_longer_address(visitor):
    assert visitor.get(f"{ITEMS}/{event_id('fiji')}/more").status_code == 404
