"""Links: absolute, with relation and type, the same in the body and in the `Link` header."""

from collections.abc import Iterable
from urllib.parse import urlencode

from flask import current_app, request

Link = dict[str, str]

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
FUNCTIONS = "http://www.opengis.net/def/rel/ogc/1.0/functions"


def base() -> str:
    """Return the address of the landing page without its last slash, as clients see it."""
    fixed: str = current_app.extensions["hudna"].settings.public_url
    return (fixed or request.root_url).rstrip("/")


def link(rel: str, path: str, type_: str, title: str = "") -> Link:
    """Return a link to `path` below the landing page."""
    made = {"href": base() + path, "rel": rel, "type": type_}
    return made | {"title": title} if title else made


def here(rel: str, type_: str, title: str = "", **changed: str) -> Link:
    """Return a link to the present address, with some query parameters `changed`."""
    return link(rel, request.path + question(**changed), type_, title)


def question(**changed: str) -> str:
    """Return what stands behind the path of the present address, with parameters `changed`."""
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k not in changed]
    query = urlencode([*pairs, *changed.items()], safe="/:,")
    return "?" + query if query else ""


def header(links: Iterable[Link]) -> str:
    """Return the value of a `Link` header (RFC 8288).

    >>> header([{"href": "http://a/", "rel": "self", "type": "application/json"}])
    '<http://a/>; rel="self"; type="application/json"'
    """
    return ", ".join(f'<{x["href"]}>; rel="{x["rel"]}"; type="{x["type"]}"' for x in links)
