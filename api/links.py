"""Links: absolute, with relation and type, the same in the body and in the `Link` header."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from flask import current_app, request

Link = dict[str, Any]

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
HTML = "text/html"
GEOJSONSEQ = "application/geo+json-seq"
CSV = "text/csv"
FLATGEOBUF = "application/flatgeobuf"
GEOPACKAGE = "application/geopackage+sqlite3"
MVT = "application/vnd.mapbox-vector-tile"
TILEJSON = "application/vnd.mapbox.tile+json"

#: What most documents can be given as.
DOCUMENT = [JSON, HTML]

#: What `f` stands for: of these the first that a resource offers.
FORMATS = {
    "json": [GEOJSON, SCHEMA, JSON],
    "geojson": [GEOJSON],
    "html": [HTML],
    "geojsonseq": [GEOJSONSEQ],
    "csv": [CSV],
    "fgb": [FLATGEOBUF],
    "gpkg": [GEOPACKAGE],
    "mvt": [MVT],
    "tilejson": [TILEJSON],
}

#: nginx takes 4 kB of headers in all, if it is not told otherwise.
LONGEST_HEADER = 3000

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SORTABLES = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
#: What leads to the schema of what has the link.
DESCRIBES = "http://www.opengis.net/def/rel/ogc/1.0/schema"
FUNCTIONS = "http://www.opengis.net/def/rel/ogc/1.0/functions"
TILING_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILING_SCHEMES = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"


def base() -> str:
    """Return the address of the landing page without its last slash, as clients see it."""
    fixed: str = current_app.extensions["hudna"].settings.public_url
    return (fixed or request.root_url).rstrip("/")


def link(rel: str, path: str, type_: str, title: str = "") -> Link:
    """Return a link to `path` below the landing page."""
    made = {"href": base() + path, "rel": rel, "type": type_}
    return made | {"title": title} if title else made


def here(rel: str, type_: str, title: str = "", path: str = "", **changed: str) -> Link:
    """Return a link to the present address, with some query parameters `changed`.

    `path` is how the path of it is rightly written, if there are several ways.
    """
    return link(rel, (path or request.path) + question(**changed), type_, title)


def selves(
    media: str, offered: Iterable[str], title: str = "This page", path: str = ""
) -> list[Link]:
    """Return the links to the present address as it is (`self`) and in other formats (`alternate`).

    `offered` are the media types that the resource has; a plain JSON beside GeoJSON is the same.
    """
    made = [here("self", media, title, path)]
    seen = {media}
    for name, types in FORMATS.items():
        other = next((each for each in types if each in offered), media)
        if other not in seen:
            made.append(here("alternate", other, f"{title}, {name}", path, f=name))
            seen.add(other)
    return made


def cited(head: str, media: str) -> Link:
    """Return the link to what the present address gives at `head`, for ever (RFC 8574)."""
    return here("cite-as", media, "The same for ever, to be cited", as_of=head)


def question(*without: str, **changed: str) -> str:
    """Return what stands behind the path of the present address, with parameters `changed`."""
    left_out = {*without, *changed}
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k not in left_out]
    query = urlencode([*pairs, *changed.items()], safe="/:,")
    return "?" + query if query else ""


def header(links: Iterable[Link]) -> str:
    """Return the value of a `Link` header (RFC 8288); templates of links have no place in it.

    If it would be longer than proxies take, it has no `alternate` links, and if it must be no
    `monitor`, `cite-as` and `self`: the body has them. `next` is kept, or a walk would end there.

    >>> header([{"href": "http://a/", "rel": "self", "type": "application/json"}])
    '<http://a/>; rel="self"; type="application/json"'
    """
    made = {
        f'<{x["href"]}>; rel="{x["rel"]}"; type="{x["type"]}"': x["rel"]
        for x in links
        if not x.get("templated")
    }
    for less in ("alternate", "monitor", "cite-as", "self"):
        if sum(map(len, made)) > LONGEST_HEADER:
            made = {text: rel for text, rel in made.items() if rel != less}
    return ", ".join(made)
