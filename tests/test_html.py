"""Pages for people: all that the JSON has, in HTML 5, and safe. The html class of Part 1."""

import json
import re
import shutil
import tomllib
from urllib.parse import urlsplit

import pytest

from api import html, openapi
from conftest import CONTRACT, ITEMS, PLACES, RESOURCES, ROOT, links
from page import HTML, HtmlPage, hrefs, scalars
from world import WORLD, event_id

#: What has both: the contract is to be read at an address of its own.
DOCUMENTS = [path for path in RESOURCES if path != "/api"]
FEATURES = [
    f"{ITEMS}?limit=3&sortby=fatalities_best",
    f"{ITEMS}?limit=500&geometry=footprint",
    f"{ITEMS}?resultType=hits&country=SDN",
    f"{ITEMS}?properties=notes,tags&limit=5",
    f"{ITEMS}?skipGeometry=true&limit=5",
    f"{ITEMS}?near=Jordan%E2%80%93Syria%20border&radius_km=10",
    f"{ITEMS}?crs=http://www.opengis.net/def/crs/EPSG/0/32637&limit=30",
    *(f"{ITEMS}/{event['id']}" for event in WORLD[:18]),
    f"{PLACES}?kind=border&limit=3",
    "/geocode?q=40%20km%20north-west%20of%20Deir%20ez-Zor",
    "/geocode?q=Tripoli",
    "/geocode?q=Atlantis%20Prime",
    "/geocode?lat=33.3&lon=44.4",
]
MISTAKES = [
    ("/nowhere", 404),
    (f"{ITEMS}/none", 404),
    (f"{ITEMS}?limit=x&contry=IRQ", 400),
    (f"{ITEMS}?near=Tripoli", 400),
    (f"{ITEMS}?filter=1%2B", 400),
]

every_document = pytest.mark.parametrize("path", DOCUMENTS)


def page(client, path) -> HtmlPage:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.content_type == "text/html; charset=utf-8"
    return HtmlPage(answer.text)


# What a page is.


@pytest.mark.requirement("G12", "F1", "I2", "K1")
@pytest.mark.parametrize("path", [*DOCUMENTS, *FEATURES])
def test_a_page_is_html_5_and_has_all_links_and_all_values_of_the_json(visitor, path):
    body = visitor.get(path, headers={"Accept": RESOURCES.get(path, "application/geo+json")}).json
    # The links to itself, and the links to more of the same, lead to pages here.
    others = {"self", "alternate", "next"}
    body["links"] = [each for each in body.get("links", []) if each["rel"] not in others]
    shown = page(visitor, path)
    missing = [x for x in scalars(body) if " ".join(x.split()) not in shown.texts]
    assert not missing
    assert set(hrefs(body)) <= shown.hrefs


@pytest.mark.requirement("G12")
@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/{event_id('end of January')}", PLACES])
def test_what_is_not_known_is_named_too(visitor, path):
    body = visitor.get(path).json
    texts = page(visitor, path).texts
    for feature in body.get("features", [body]):
        assert {name for name, value in feature["properties"].items() if value is None} <= texts


def test_the_test_would_find_a_value_that_is_missing(visitor):
    shown = page(visitor, f"{ITEMS}/{event_id('fiji')}")
    assert "FJI" in shown.texts
    assert not {"FJ", "178", "2023-06", "samoa"} & shown.texts


@pytest.mark.parametrize(("path", "status"), MISTAKES)
def test_an_error_is_a_page_to_whoever_would_read_one(visitor, path, status):
    answer = visitor.get(path, headers=HTML)
    assert answer.status_code == status
    shown = HtmlPage(answer.text)
    body = visitor.get(path).json
    said = scalars({**body, "detail": "", "parameter": ""} if "errors" in body else body)
    assert not [x for x in said if x and x not in shown.texts]
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_ambiguous_name_can_be_settled_by_a_click(visitor):
    shown = HtmlPage(visitor.get(f"{ITEMS}?near=Tripoli&limit=7", headers=HTML).text)
    settled = [href for href in shown.hrefs if "near=place:" in href]
    assert settled
    for href in settled:
        assert "limit=7" in href
        page(visitor, href)


@pytest.mark.requirement("G12")
def test_the_interface_can_be_read_in_full(visitor):
    (link,) = links(visitor.get("/").json, "service-doc")
    assert link["type"] == "text/html"
    shown = page(visitor, link["href"])
    said = " ".join(" ".join(shown.root.itertext()).split())
    anchors = {element.get("id") for element in shown.root.iter()}
    for path, item in CONTRACT["paths"].items():
        for told in item.values():
            assert told["operationId"] in anchors
            assert path in said
            for parameter in map(openapi.resolved, told.get("parameters", [])):
                assert parameter["name"] in shown.texts
                assert set(parameter["schema"].get("enum", [])) <= shown.texts
            assert told["responses"].keys() <= shown.texts
    for name, schema in CONTRACT["components"]["schemas"].items():
        assert f"schema-{name}" in anchors
        assert schema.get("properties", {}).keys() <= shown.texts
    inside = {href.partition("#")[2] for href in shown.hrefs if href.startswith("#")}
    assert inside <= anchors


# Formats.


@pytest.mark.requirement("G11", "G13", "K1", "I2")
@every_document
def test_json_and_html_lead_to_each_other(visitor, path):
    answer = visitor.get(path)
    (there,) = [x for x in answer_links(answer) if x["type"] == "text/html" and is_other(x)]
    other = visitor.get(there["href"])
    assert other.mimetype == "text/html"
    backs = [x for x in answer_links(other) if x["type"] == RESOURCES[path] and is_other(x)]
    assert backs
    again = visitor.get(backs[0]["href"])
    assert again.content_type == RESOURCES[path]
    assert backs[0]["href"] in HtmlPage(other.text).hrefs


def is_other(link) -> bool:
    return link["rel"] == "alternate"


def answer_links(answer):
    """Return the links in the header of an answer."""
    made = []
    for each in answer.headers["Link"].split(", <"):
        href, *rest = each.lstrip("<").split("; ")
        parts = dict(part.split("=", 1) for part in rest)
        made.append({"href": href.rstrip(">")} | {k: v.strip('"') for k, v in parts.items()})
    return made


@pytest.mark.requirement("G11")
@every_document
def test_f_html_wins_over_accept(visitor, path):
    answer = visitor.get(path, query_string={"f": "html"}, headers={"Accept": "application/json"})
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("path", ["/api", "/geocode"])
def test_what_is_for_machines_only_has_no_page(visitor, path):
    answer = visitor.open(
        path, method="POST" if path == "/geocode" else "GET", query_string="f=html"
    )
    assert answer.status_code == 400


@every_document
def test_a_page_has_an_entity_tag_of_its_own(visitor, path):
    answer = visitor.get(path, headers=HTML)
    tag = answer.headers["ETag"]
    assert tag != visitor.get(path).headers["ETag"]
    again = visitor.get(path, headers=HTML | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert visitor.get(path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/{event_id('fiji')}", "/collections", PLACES])
def test_an_upgrade_makes_new_tags(visitor, path, tmp_path):
    assert html.edition() in visitor.get(path, headers=HTML).headers["ETag"]
    copy = shutil.copytree(ROOT / "api", tmp_path / "api")
    assert html.edition(copy) == html.edition()
    file = tmp_path / "api/templates/looks/any.html"
    file.write_text(file.read_text() + " ")
    html.edition.cache_clear()
    assert html.edition(copy) != html.edition()


def test_a_long_page_is_streamed_and_whole(visitor):
    answer = visitor.get(f"{PLACES}?limit=2000", headers=HTML)
    assert "Content-Length" not in answer.headers
    asked = visitor.get(f"{PLACES}?limit=2000&properties=name&skipGeometry=true").json["features"]
    shown = re.findall(rf'<th scope="row"><a href="http://localhost{PLACES}/([^"]*)"', answer.text)
    assert shown == [feature["id"] for feature in asked[: html.LONGEST]]
    assert answer.text.endswith("</html>")
    (further,) = [link["href"] for link in answer_links(answer) if link["rel"] == "next"]
    assert page(visitor, further.replace("limit=2000", "limit=3")).heads == [
        f["id"] for f in asked[1000:1003]
    ]


# Forms.


@pytest.mark.parametrize(
    "filled",
    [
        {},
        {"country": "SDN", "event_type": "Riots", "limit": "20"},
        {"near": "Khartoum", "radius_km": "400", "datetime": "2020-01-10/.."},
        {"filter": "fatalities_best > 3 AND country = 'SDN'", "sortby": "-fatalities_best"},
        {"skipGeometry": "true", "starts_on": "2023-06-03"},
        {"source_id": 'O\'Higgins "quoted" \\ back'},
    ],
)
@pytest.mark.parametrize("start", [ITEMS, f"{ITEMS}?f=html&country=CAF"])
def test_a_form_gives_what_the_parameters_give(visitor, start, filled):
    shown = page(visitor, start)
    filled = {"country": "", "limit": "30"} | filled
    answer = visitor.get(f"{ITEMS}?{shown.filled(**filled)}", headers=HTML)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert "=&" not in f"{where}&", "no empty parameter is left"
    asked = {name: value for name, value in filled.items() if value}
    expected = visitor.get(ITEMS, query_string=asked).json["features"]
    result = page(visitor, where)
    assert result.heads == [feature["id"] for feature in expected]
    assert expected or "near" in filled
    # The form that comes back is filled in as before.
    assert visitor.get(f"{ITEMS}?{result.filled()}", headers=HTML).headers["Location"] == where


def test_a_form_is_no_matter_of_machines(visitor):
    assert visitor.get(f"{ITEMS}?country=").status_code == 400
    assert visitor.get(f"{ITEMS}?contry=", headers=HTML).status_code == 400
    assert visitor.get("/conformance?country=", headers=HTML).status_code == 400


def test_a_mistake_in_a_form_can_be_mended(visitor):
    shown = HtmlPage(visitor.get(f"{ITEMS}?radius_km=5&country=CAF", headers=HTML).text)
    answer = visitor.get(f"{ITEMS}?{shown.filled(radius_km='')}", headers=HTML)
    assert answer.headers["Location"] == f"{ITEMS}?country=CAF"


def test_the_form_of_geocoding_is_a_page_and_finds_places(visitor):
    shown = page(visitor, "/geocode")
    where = visitor.get(f"/geocode?{shown.filled(q='Palmyra, Syria')}", headers=HTML)
    assert where.status_code == 303
    (found,) = visitor.get("/geocode?q=Palmyra, Syria").json["features"]
    assert page(visitor, where.headers["Location"]).heads == [found["id"]]


def test_forms_lead_where_the_public_finds_the_service(world):
    from conftest import opened  # noqa: PLC0415

    with opened(world, public_url="https://events.example/hudna/") as client:
        answer = client.get(f"{ITEMS}?country=", headers=HTML)
        assert answer.headers["Location"] == f"/hudna{ITEMS}"
        text = client.get("/", headers=HTML).text
        assert 'href="/hudna/static/hudna.css?v=' in text
        assert f'action="/hudna{ITEMS}"' in text


# What comes from others.


def test_the_text_of_an_event_is_text(client, make_event):
    evil = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> {{ 7 * 7 }}"
    event = make_event(
        notes=evil,
        place_name=evil,
        date_phrase=evil,
        actors=[{"name": evil, "role": "party"}],
        tags=[evil],
        reports=[
            {"publisher": evil, "url": "javascript:alert(3)"},
            {"publisher": "b", "url": " JavaScript:alert(4)"},
            {"publisher": "c", "url": "data:text/html,<script>alert(5)</script>"},
            {"publisher": "d", "url": 'https://example.org/" onclick="alert(6)'},
            {"publisher": "e", "url": "https://example.org/a?b=c&d=e"},
        ],
    )
    for path in (ITEMS, f"{ITEMS}/{event}", f"{ITEMS}?notes=%3Cscript%3E&actor1=%22%3E"):
        shown = page(client, path)
        assert not shown.all("script", "img", "iframe", "object", "style")
        for element in shown.root.iter():
            assert not [name for name in element.keys() if name.startswith("on")]  # noqa: SIM118
            assert urlsplit(element.get("href", "")).scheme in {"", "http", "https"}
    shown = page(client, f"{ITEMS}/{event}")
    assert evil in shown.texts
    assert "javascript:alert(3)" in shown.texts
    outside = {href for href in shown.hrefs if "example.org" in href}
    assert outside == {"https://example.org/a?b=c&d=e"}


def test_a_path_and_a_problem_are_text(visitor):
    answer = visitor.get("/%3Cscript%3Ealert(1)%3C/script%3E", headers=HTML)
    assert answer.status_code == 404
    assert not HtmlPage(answer.text).all("script")


@pytest.mark.parametrize("path", [*DOCUMENTS, "/api.html", "/geocode", "/nowhere"])
def test_a_browser_is_told_to_run_nothing_and_to_ask_nobody_else(visitor, path):
    answer = visitor.get(path, headers=HTML)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert not {"unsafe-inline", "*"} & set(" ".join(policy.values()).replace("'", "").split())
    shown = HtmlPage(answer.text)
    assert not shown.all("script", "style")
    assert not [e for e in shown.root.iter() if e.get("style")]
    assert shown.all("html")[0].get("lang") == "en"
    assert shown.all("title")[0].text.strip()
    assert len(shown.all("h1")) == len(shown.all("main")) == 1


# What pages are made with.


def test_styles_are_kept_until_they_change(visitor):
    shown = page(visitor, "/")
    (style,) = [e for e in shown.all("link") if e.get("rel") == "stylesheet"]
    href = style.get("href")
    with visitor.get(href) as answer:
        assert answer.mimetype == "text/css"
        assert "immutable" in answer.headers["Cache-Control"]
        tag = answer.headers["ETag"]
    with visitor.get(href, headers={"If-None-Match": tag}) as again:
        assert again.status_code == 304
    for other in ("/static/hudna.css?v=older", "/static/hudna.css"):
        with visitor.get(other) as answer:
            assert "immutable" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/static/", "/static/none.css", "/static/..%2Fhtml.py"])
def test_nothing_else_lies_beside_the_styles(visitor, path):
    assert visitor.get(path).status_code == 404


def test_the_package_has_all_templates_and_styles():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = config["tool"]["setuptools"]["package-data"]["api"]
    packed = {file for pattern in patterns for file in (ROOT / "api").glob(pattern)}
    for folder in ("templates", "static"):
        assert {f for f in (ROOT / "api" / folder).rglob("*") if f.is_file()} <= packed


def test_features_of_no_particular_kind_are_shown_too(visitor):
    with visitor.application.test_request_context("/"):
        text = html.feature(
            json.dumps(
                {
                    "type": "Feature",
                    "id": 7,
                    "geometry": None,
                    "properties": {"a": [1, {"b": "c"}], "d": {}},
                }
            ).encode(),
            [],
        )
    assert {"7", "1", "c"} <= HtmlPage(text.decode()).texts
