"""Every link of every answer leads where it says, from the landing page on: row G13.

In JSON, in HTML and in `Link` headers alike.
"""

import json
import re
from collections import defaultdict
from urllib.parse import urljoin, urlsplit

import html5lib
import pytest
from werkzeug.http import parse_options_header

from api.formats import BY_MEDIA as FILES
from conftest import CHANGES, ITEMS, PLACES, RESOURCES, TILESET, links, opened
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
#: Of what there are thousands, so many are followed: places, features, changes, the past.
ENOUGH = {
    rf"{PLACES}\?.*cursor=": 4,
    f"{PLACES}/[^?]*$": 12,
    f"{ITEMS}/[^?/]*$": 30,
    rf"{CHANGES}\?": 60,
    r"\bas_of=": 60,
}


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


def page_links(answer, url) -> list[dict]:
    """Return every link in an HTML document that leads to this service, with its type if it says.

    The others are values of the data: nothing there belongs to the service.
    """
    document = html5lib.parse(answer.text, namespaceHTMLElements=False)
    found = [
        {name: element.get(name) for name in ("href", "rel", "type") if element.get(name)}
        for element in document.iter()
        if element.tag in {"a", "link"}
    ]
    return [
        link | {"href": urljoin(url, link["href"])}
        for link in found
        if "nofollow" not in link.get("rel", "") and not link["href"].startswith("#")
    ]


def is_html(answer) -> bool:
    return answer.mimetype == "text/html"


def lasting(answer):
    """Return a body without what is of the moment."""
    if is_html(answer):
        return re.sub(r"<time.*?</time>", "", answer.text)
    body = json.loads(answer.text)
    body.pop("timeStamp", None)
    return body


def crawl(client, starts, root="http://localhost"):
    """Follow every link from `starts` on; give all answers by address and what was accepted."""
    waiting, seen, seen_files = [(urljoin(root, start), None) for start in starts], {}, set()
    followed = defaultdict(set)
    while waiting:
        url, type_ = waiting.pop()
        if (url, type_) in seen:
            continue
        if type_ in FILES:
            if (urlsplit(url).path, type_) in seen_files:
                continue
            seen_files.add((urlsplit(url).path, type_))
        # As a client does: what a link promises is what is asked for. A file may be the world.
        ask = client.head if type_ in FILES else client.get
        answer = ask(url, headers={"Accept": type_} if type_ else {})
        assert answer.status_code == 200, f"{url}: {answer.text[:500]}"
        answer.close()  # of a file; its text has been read
        if type_:
            content = answer.content_type.removesuffix("; charset=utf-8")
            assert parse_options_header(content) == parse_options_header(type_), url
        if type_ in FILES:
            continue
        seen[url, type_] = answer
        for link in links_of(answer, url):
            assert link["href"].startswith(f"{root}/"), url
            family = next((each for each in ENOUGH if re.search(each, link["href"])), None)
            if family:
                followed[family].add(link["href"])
                if len(followed[family]) > ENOUGH[family]:
                    continue
            waiting.append((link["href"].partition("#")[0], link.get("type")))
    return seen


def links_of(answer, url) -> list[dict]:
    """Return all links of an answer; those of JSON and of headers have a relation and a type."""
    told = header_links(answer)
    if is_html(answer):
        made = page_links(answer, url)
        hrefs = {link["href"] for link in made}
        assert {link["href"] for link in told} <= hrefs, url
        # Where a browser is led without being told to what, it accepts a page.
        return [link if "rel" in link else link | {"type": "text/html"} for link in made] + told
    if answer.mimetype in {"text/css", "image/svg+xml"}:
        return []
    body = json.loads(answer.text)
    if "links" in body:
        plain = [link for link in body["links"] if not link.get("templated")]
        assert told == [{k: link[k] for k in ("href", "rel", "type")} for link in plain], url
    made = [*(link for link in all_links(body) if not link.get("templated")), *told]
    assert all(link["rel"] and link["type"] for link in made), url
    return made


def templates(answer) -> list[dict]:
    """Return the templates of links in a JSON document."""
    body = json.loads(answer.text) if answer.mimetype.endswith("json") else {}
    return [link for link in all_links(body) if link.get("templated")]


@pytest.fixture(scope="module")
def crawled(visitor):
    """Every answer there is a way to, by its address and what was accepted."""
    return crawl(visitor, STARTS)


@pytest.mark.requirement("G13", "I2", "I28")
def test_every_link_leads_to_what_it_promises(crawled):
    for path in RESOURCES:
        types = {
            answer.mimetype for (url, _), answer in crawled.items() if urlsplit(url).path == path
        }
        assert types >= {parse_options_header(RESOURCES[path])[0]}, path
        assert "text/html" in types or path == "/api", path
    for media in ("application/geo+json", "text/html"):
        accepted = [url for url, type_ in crawled if type_ == media and "&f=" not in url]
        pages = [url for url in accepted if f"{ITEMS}?cursor=" in url and "as_of=" not in url]
        assert len(pages) == len(WORLD) // 100, "the walk through all events, by its links"


@pytest.mark.requirement("G13", "F5")
def test_every_self_link_gives_the_same_again(visitor, crawled):
    for (url, _), answer in crawled.items():
        for link in (link for link in header_links(answer) if link["rel"] == "self"):
            assert link["type"] == answer.content_type.removesuffix("; charset=utf-8"), url
            again = visitor.get(link["href"], headers={"Accept": link["type"]})
            assert lasting(again) == lasting(answer), url


@pytest.mark.requirement("G13")
def test_a_link_has_no_bare_sign_that_would_need_escaping(crawled):
    for (url, _), answer in crawled.items():
        for link in links_of(answer, url):
            assert re.fullmatch(r"[A-Za-z0-9:/?=&%,._~+#-]+", link["href"]), link
        for link in [] if is_html(answer) else templates(answer):
            href, names = re.subn(r"\{\w+\}", "0", link["href"])
            assert names
            assert re.fullmatch(r"[A-Za-z0-9:/?=&%,._~+-]+", href), link


def test_a_long_address_does_not_make_a_header_that_proxies_refuse(visitor):
    answer = visitor.get(f"{ITEMS}?filter=notes%20LIKE%20%27{'x' * 700}%25%27")
    assert {link["rel"] for link in header_links(answer)} >= {"self", "collection", "monitor"}
    assert {link["type"] for link in links(answer.json, "alternate")} >= {"text/html", "text/csv"}
    answer = visitor.get(f"{ITEMS}?filter=notes%20LIKE%20%27{'x' * 1200}%25%27")
    assert "monitor" not in {link["rel"] for link in header_links(answer)}
    assert links(answer.json, "monitor")


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
