"""What every answer has: a negotiated format, an entity tag, links, and headers for browsers."""

import json
from typing import Any

from flask import Flask, Response, request
from werkzeug.http import generate_etag

from api import access, html, links
from api.links import FORMATS, HTML, JSON, Link
from api.problems import Problem, invalid
from api.stream import State

EXPOSED = (
    "Link, Location, ETag, Content-Crs, Retry-After, WWW-Authenticate, Content-Disposition,"
    " OGC-NumberMatched, OGC-NumberReturned, Hudna-Head, Hudna-Withheld"
)


def negotiate(offered: list[str], f: str | None) -> str:
    """Return the media type to answer with: the one of `f`, else the one that `Accept` likes best.

    Raises:
        Problem: 400, 406.
    """
    if f is not None:
        asked = next((media for media in FORMATS[f] if media in offered), None)
        if asked is None:
            raise invalid({"f": [f"must be another: this cannot be given as {f}."]})
        return asked
    if "Accept" not in request.headers:
        return offered[0]
    best = request.accept_mimetypes.best_match(offered)
    if best is None:
        raise Problem("not-acceptable", f"This can be given as {' or '.join(offered)}.")
    return best


def tag(state: State, media: str, basis: str = "") -> str:
    """Return the entity tag of any read at the head `state`.

    It is weak, for it names the content and not its compression. A new epoch makes new tags.
    `basis` names what else the answer is a function of.
    """
    of_state = (state.epoch[:8], str(state.head), state.mark)
    return ".".join(filter(None, (*of_state, basis, form(media))))


def form(media: str) -> str:
    """Return what of an entity tag names the format; HTML is another with every edition."""
    name = media.split("/")[1].split(";", maxsplit=1)[0]
    return f"{name}-{html.edition()}" if media == HTML else name


def unchanged(state: State, media: str, basis: str = "", crs: str | None = None) -> Response | None:
    """Return 304 when the client has what this URL gives at the head `state`.

    It says of itself what the 200 would (RFC 9110, 15.4.5), `crs` as `Content-Crs`, but has no
    links: a cache would put them for those it has, and the next page is not known here.
    """
    if not request.if_none_match.contains_weak(tag(state, media, basis)):
        return None
    answer = Response(status=304)
    if crs:
        answer.headers["Content-Crs"] = f"<{crs}>"
    return at_head(answer, state, media, basis)


def at_head(answer: Response, state: State, media: str, basis: str = "") -> Response:
    """Mark `answer` as what this URL gives at the head `state`.

    `Hudna-Withheld` says how many events of a past head cannot be shown any more.
    """
    answer.set_etag(tag(state, media, basis), weak=True)
    if state.head:
        answer.headers["Hudna-Head"] = str(state.head)
    if state.withheld:
        answer.headers["Hudna-Withheld"] = str(state.withheld)
    return answer


def document(
    body: dict[str, Any],
    media: str = JSON,
    made: list[Link] | None = None,
    template: str = "document.html",
    **further: Any,
) -> Response:
    """Return a small JSON document, as JSON or by way of `template` as HTML.

    `made` are its links, if they are not among its members; the `Link` header has them too.
    `further` is what the template wants besides.
    """
    made = body.get("links", []) if made is None else made
    text = json.dumps(body, ensure_ascii=False)
    answer = Response(html.document(body, made, template, **further) if media == HTML else text)
    answer.content_type = media
    return linked(answer, made)


def linked(answer: Response, made: list[Link]) -> Response:
    """Repeat links in the `Link` header."""
    if made:
        answer.headers["Link"] = links.header(made)
    return answer


def init_app(app: Flask) -> None:
    """Let every answer of `app` carry what browsers and caches need to know."""

    @app.after_request
    def finish(answer: Response) -> Response:
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED
        answer.headers["X-Content-Type-Options"] = "nosniff"
        whose = "public" if access.caller().key is None else "private"
        answer.headers.setdefault("Cache-Control", f"{whose}, no-cache")
        answer.vary.update(("Accept", "Authorization"))
        if request.method == "OPTIONS":
            answer.headers["Access-Control-Allow-Methods"] = answer.headers.get("Allow", "")
            asked = request.headers.get("Access-Control-Request-Headers", "")
            answer.headers["Access-Control-Allow-Headers"] = asked or "*"
            answer.headers["Access-Control-Max-Age"] = "86400"
        elif answer.status_code == 200 and not answer.is_streamed:
            if not answer.get_etag()[0]:
                content = answer.get_data() + str(answer.content_type).encode()
                answer.set_etag(generate_etag(content))
            if request.if_none_match:  # to look for If-Match is for who writes
                answer.make_conditional(request)
        if request.method == "OPTIONS" or answer.status_code == 304:
            answer.headers.pop("Content-Type", None)
        return answer
