"""Documents and features as HTML: for people, with all that the JSON has.

A page needs no template of its own: `document.html` shows any JSON document. No page has a script,
and none asks another host for anything; its Content-Security-Policy says so to the browser.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, current_app, request
from markdown_it import MarkdownIt
from markupsafe import Markup

from api import forms, links, openapi
from api.geojson import stamp
from api.links import GEOJSON, HTML, JSON, Link
from api.schemas import Actor, Report
from api.stream import Page

HERE = Path(__file__).parent
CONTENT_TYPE = f"{HTML}; charset=utf-8"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
#: What the segments of addresses are called in the way to a page.
CALLED = {
    "collections": "Collections",
    "events": "Events",
    "places": "Places",
    "items": "Items",
    "queryables": "Queryables",
    "sortables": "Sortables",
    "schema": "Schema",
    "feature": "Feature",
    "tiles": "Tiles",
    "tileMatrixSets": "Tile matrix sets",
    "conformance": "Conformance",
    "functions": "Functions",
    "imports": "Imports",
    "geocode": "Geocoding",
    "api.html": "Interface",
}
#: What media types are called where a page links to its other formats.
FORMATS = {
    "application/json": "JSON",
    "application/geo+json": "GeoJSON",
    "application/schema+json": "JSON Schema",
    "application/geo+json-seq": "GeoJSON text sequence",
    "text/csv": "CSV",
    "application/flatgeobuf": "FlatGeobuf",
    "application/geopackage+sqlite3": "GeoPackage",
    "text/html": "HTML",
}
#: Texts of so many characters at most stand beside each other, longer ones in lines of their own.
SHORT = 30
#: A table of more columns than this is none that anybody can read, and one row in so many must have
#: what a column shows.
WIDEST, RARE = 8, 10
#: The most features in one page: a row takes some ten times as long as a feature of GeoJSON.
LONGEST = 1000
#: Pieces of a template that are put together before they are sent.
PIECES = 400

_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_PLACE = {name: n for n, name in enumerate([*Actor().fields, *Report().fields])}
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


@cache
def edition(folder: Path = HERE) -> str:
    """Return what a page is a function of besides its data: it changes with every upgrade.

    It is a digest of the templates, the styles and the modules in `folder`, and of the contract.
    """
    made = sha256(version("hudna").encode())
    parts = ("templates/**/*.html", "static/*", "*.py")
    files = [path for part in parts for path in folder.glob(part)]
    for path in (*sorted(files), openapi.FILE):
        made.update(path.read_bytes())
    return made.hexdigest()[:12]


def wanted() -> bool:
    """Tell whether the present request would rather have HTML than JSON."""
    if "f" in request.args:
        return request.args["f"] == "html"
    return request.accept_mimetypes.best_match([JSON, GEOJSON, HTML]) == HTML


def document(
    body: Mapping[str, Any], made: list[Link], template: str = "document.html", **further: Any
) -> str:
    """Return a JSON document as a page; `made` are its links, `further` what its template wants."""
    page = current_app.jinja_env.get_template(template)
    return page.render(body=body, **_frame(made), **further)


def feature(text: bytes, made: list[Link]) -> bytes:
    """Return a page that shows a feature, finished GeoJSON text, with all of its properties."""
    template = current_app.jinja_env.get_template("item.html")
    return template.render(feature=json.loads(text), look=_look(), **_frame(made)).encode()


def features(page: Page, made: list[Link], further: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a page of features in pieces, as the features come, and close `page` at the end."""
    rows = Rows(page)
    template = current_app.jinja_env.get_template("items.html")
    stream = template.stream(
        rows=rows,
        page=page,
        stamp=page.at or stamp(),
        further=further,
        look=_look(),
        **_frame(made),
    )
    stream.enable_buffering(PIECES)
    try:
        yield from (piece.encode() for piece in stream)
    finally:
        page.close()


class Rows:
    """The features of a page as a template takes them, one by one; `returned` counts them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.returned = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for text in self.page.features:
            self.returned += 1
            yield json.loads(text)

    @property
    def matched(self) -> int | None:
        """How many there are on all pages, if that is known; to be asked behind the last."""
        return self.page.counted(self.returned)


def init_app(app: Flask) -> None:
    """Let `app` render pages, send their headers, and take their forms."""
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.filters |= {
        "columns": columns,
        "known": known,
        "json": lambda value: json.dumps(value, ensure_ascii=False),
        "marked": lambda text: Markup(_MARKDOWN.renderInline(text)),  # noqa: S704 - html is off
        "paragraphs": lambda text: Markup(_MARKDOWN.render(text)),  # noqa: S704 - html is off
        "positions": positions,
        "short": is_short,
    }
    app.jinja_env.tests["address"] = is_address
    app.before_request(_without_empty)

    @app.after_request
    def guard(answer: Response) -> Response:
        if answer.mimetype == HTML:
            answer.content_type = CONTENT_TYPE
            answer.headers["Content-Security-Policy"] = POLICY
            answer.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint == "static" and request.args.get("v") == edition():
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def is_address(value: Any) -> bool:
    """Tell whether a value of the data may become a link: an address of the web, and no other.

    >>> is_address("https://example.org/a?b"), is_address("javascript:alert(1)"), is_address(3)
    (True, False, False)
    """
    return isinstance(value, str) and bool(_ADDRESS.fullmatch(value))


def is_short(values: list[Any]) -> bool:
    """Tell whether values may stand beside each other: plain texts of a few words.

    >>> is_short(["day", "month"]), is_short(["https://example.org"]), is_short(["day", None])
    (True, False, False)
    """
    return all(
        isinstance(each, str) and 0 < len(each) <= SHORT and not is_address(each) for each in values
    )


def columns(rows: Any) -> list[str]:
    """Return the columns of a table that shows `rows`; none, if they do not make one.

    A member that few rows have makes no column. What the schemas name stands in their order.

    >>> columns([{"a": 1}, {"a": 2, "b": 3}]), columns([{"a": 1}, 2]), columns([])
    (['a', 'b'], [], [])
    """
    listed = list(rows)
    if not all(isinstance(row, dict) and row for row in listed):
        return []
    found = Counter(name for row in listed for name in row)
    common = [name for name, times in found.items() if times * RARE > len(listed)]
    return sorted(common, key=lambda name: _PLACE.get(name, 0)) if len(common) <= WIDEST else []


def known(told: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return those properties of the `names` that there are and that are not null.

    >>> known({"a": 0, "b": None}, ["a", "b", "c"])
    {'a': 0}
    """
    return {name: told[name] for name in names if told.get(name) is not None}


def positions(coordinates: Any) -> int:
    """Return how many positions the coordinates of a geometry have.

    >>> positions([1.5, 2.5]), positions([[[0, 0], [1, 0], [1, 1], [0, 0]]])
    (1, 4)
    """
    if not isinstance(coordinates, list) or not isinstance(coordinates[0], list):
        return 1
    return sum(map(positions, coordinates))


def _look() -> Any:
    """Return the module of templates that shows the features of the present resource."""
    names = [f"looks/{request.blueprint}.html", "looks/any.html"]
    return current_app.jinja_env.select_template(names).module


def _frame(made: list[Link]) -> dict[str, Any]:
    """Return what every page has around its content."""
    root = links.base()
    rule = request.url_rule.rule if request.url_rule else ""
    return {
        "root": root,
        "first": root + request.path + links.question("cursor"),
        "path": request.path.rstrip("/") or "/",
        "static": f"{urlsplit(root).path}/static",
        "edition": edition(),
        "links": made,
        "formats": [
            each | {"title": FORMATS.get(each["type"], each["type"])}
            for each in made
            if each["rel"] == "alternate"
        ],
        "crumbs": _crumbs(),
        "form": forms.form(rule, request.args),
        "again": lambda **changed: links.here("self", HTML, **changed)["href"],
        "f": request.args.get("f"),
    }


def _crumbs() -> list[tuple[str, str]]:
    """Return the way to the present page: titles and addresses, where there is something."""
    parts = [part for part in request.path.split("/") if part]
    paths = accumulate(parts, lambda way, part: f"{way}/{part}", initial="")
    adapter = current_app.url_map.bind("")
    return [
        (CALLED.get(part, part), links.base() + (path or "/"))
        for part, path in zip(["Hudna", *parts], paths, strict=True)
        if adapter.test(path or "/", "GET") or path == request.path.rstrip("/")
    ]


def _without_empty() -> Response | None:
    """Send a form to the address without the fields that were left empty.

    A browser sends them as `country=`, which asks for events of the country "": an error.
    """
    if request.method not in {"GET", "HEAD"} or request.url_rule is None or not wanted():
        return None
    fields = forms.names(request.url_rule.rule)
    pairs = list(request.args.items(multi=True))
    kept = [(name, value) for name, value in pairs if value or name not in fields]
    if len(kept) == len(pairs):
        return None
    query = urlencode(kept, safe="/:,")
    where = urlsplit(links.base()).path + request.path + ("?" + query if query else "")
    answer = Response(status=303)
    answer.headers["Location"] = where
    return answer
