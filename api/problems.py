"""Errors, in one shape: RFC 9457 problem documents (docs/problems.md has a section for each).

What a database says is logged and never shown: it would tell of tables and of hidden rows.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from flask import Flask, Response, request
from marshmallow import ValidationError
from psycopg_pool import PoolTimeout, TooManyRequests
from werkzeug.exceptions import HTTPException

from api import html, sight
from api.db import UnknownOutcomeError, is_connection_loss
from api.filtering import FilterError
from api.gazetteer import NoGazetteerError
from api.links import HTML
from geo.candidates import Candidate

NOWHERE: Mapping[str, Any] = {}
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
#: The methods of requests that write.
WRITES = {"POST", "PUT", "PATCH", "DELETE"}

#: Every kind of problem: its status, and what it means.
KINDS = {
    "invalid-parameter": (400, "A query parameter is unknown, repeated or bad; it is named."),
    "invalid-request": (400, "The request cannot be understood."),
    "invalid-body": (400, "The body is not JSON, or not what it must be; pointers say where."),
    "unauthorized": (401, "There is no key where one is needed, or one that is not valid."),
    "forbidden": (403, "The key is not for this; `scope` says what it lacks."),
    "cross-site": (403, "A page of another site sent this with a password that a browser keeps."),
    "not-found": (404, "There is nothing at this address."),
    "method-not-allowed": (405, "The resource does not take this method; Allow says which."),
    "not-acceptable": (406, "None of the formats asked for can be given."),
    "exists": (409, "There is such an event already."),
    "finished": (409, "The import has come to an end already."),
    "in-flight": (409, "A request with the same Idempotency-Key is being answered just now."),
    "cursor-gone": (410, "The cursor is too old: start again without one."),
    "gone": (410, "There was an event here, and it has been deleted."),
    "withheld": (410, "What was here then has been restricted or erased since."),
    "lost-head": (410, "The database was restored from before this head."),
    "length-required": (411, "The body comes in pieces, so that its end might be missing unseen."),
    "stale": (412, "The event is not the version that If-Match names, or not there."),
    "too-large": (413, "The body is larger than this server takes."),
    "unsupported-media-type": (415, "The body is of a kind that the resource does not take."),
    "key-reused": (422, "The Idempotency-Key was that of another request."),
    "if-match-required": (428, "This server takes no change that does not name a version."),
    "internal": (500, "A fault of this server; it has been logged."),
    "bad-gateway": (502, "A geocoder that this server asks has failed."),
    "too-slow": (503, "The question takes longer than this server allows."),
    "no-gazetteer": (503, "This server has no gazetteer, or one of another version."),
    "unknown-outcome": (503, "The database went away at the end: it is done, or it is not."),
    "unavailable": (503, "The database cannot be reached, or everything is busy."),
}

log = logging.getLogger("hudna")


class Problem(Exception):  # noqa: N818 - it is called what RFC 9457 calls it
    """An error that the client is told of."""

    def __init__(self, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = KINDS[kind][0]
        self.detail = detail
        self.members = members


def invalid(errors: dict[str, list[str]], place: Mapping[str, Any] = NOWHERE) -> Problem:
    """Return the problem of query parameters, each with what is wrong with it.

    `place` says where in its value, if there is but one: members that its error has besides.
    """
    listed = [
        {"parameter": name, "detail": " ".join(texts), **place}
        for name, texts in sorted(errors.items())
    ]
    detail = " ".join(f"The parameter {e['parameter']} {e['detail']}" for e in listed)
    return Problem("invalid-parameter", detail, parameter=listed[0]["parameter"], errors=listed)


def body_invalid(messages: Any) -> Problem:
    """Return the problem of a body: marshmallow's messages, each with a JSON pointer."""
    listed = [{"pointer": at, "detail": text} for at, text in _pointed("", messages)]
    detail = " ".join(f"{e['pointer'] or 'The body'} {e['detail']}" for e in listed)
    return Problem("invalid-body", detail, errors=listed)


def _pointed(at: str, messages: Any) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = (
                "" if name == "_schema" else f"/{str(name).replace('~', '~0').replace('/', '~1')}"
            )
            yield from _pointed(at + step, inner)
    else:
        yield at, " ".join(_texts(messages))


def unclear(names: Mapping[str, tuple[str, Sequence[Candidate]]]) -> Problem:
    """Return the problem that names in a body, by their pointers, may mean several places."""
    listed = [
        {
            "pointer": pointer,
            "detail": f"may mean several places by {text!r}: write one as the candidates are named,"
            " or give a geometry.",
            "candidates": _listed(candidates),
        }
        for pointer, (text, candidates) in names.items()
    ]
    detail = " ".join(f"{e['pointer']} {e['detail']}" for e in listed)
    return Problem("invalid-body", detail, errors=listed)


def _listed(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "name": one.label, "kind": one.kind.value, "score": one.score}
        for one in candidates
    ]


def ambiguous(parameter: str, text: str, candidates: Sequence[Candidate]) -> Problem:
    """Return the problem that a name may mean several places, with their ids."""
    detail = f"may mean several places by {text!r}: take one of the candidates, as place:ID."
    listed = _listed(candidates)
    return Problem(
        "invalid-parameter",
        f"The parameter {parameter} {detail}",
        parameter=parameter,
        errors=[{"parameter": parameter, "detail": detail, "candidates": listed}],
    )


def not_found(what: str) -> Problem:
    """Return the problem that there is no such thing."""
    return Problem("not-found", what)


def response(problem: Problem) -> Response:
    """Return the problem document; to a browser, as a page."""
    body = {
        "type": f"urn:hudna:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.members,
    }
    if html.wanted():
        answer = Response(html.document(body, [], "problem.html"), problem.status)
        answer.content_type = HTML
    else:
        answer = Response(json.dumps(body, ensure_ascii=False) + "\n", problem.status)
        answer.content_type = MEDIA_TYPE
    answer.headers["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    for challenge in _challenges(problem):
        answer.headers.add("WWW-Authenticate", challenge)
    return answer


def _challenges(problem: Problem) -> Iterator[str]:
    """Yield what a client may answer a missing or an insufficient key with (RFC 6750, 3)."""
    if problem.status == HTTPStatus.UNAUTHORIZED:
        bad = ', error="invalid_token"' if "Authorization" in request.headers else ""
        yield f'Bearer realm="hudna"{bad}'
        yield 'Basic realm="hudna", charset="UTF-8"'
    elif scope := problem.members.get("scope"):
        yield f'Bearer realm="hudna", error="insufficient_scope", scope="{scope}"'


def init_app(app: Flask) -> None:
    """Let every error of `app` become a problem document."""
    app.register_error_handler(Problem, response)
    app.register_error_handler(ValidationError, lambda error: response(of_validation(error)))
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(sight.LostHeadError, _of_lost_head)
    app.register_error_handler(NoGazetteerError, _of_no_gazetteer)
    app.register_error_handler(psycopg.Error, _of_database)
    app.register_error_handler(UnknownOutcomeError, _of_unknown_outcome)
    app.register_error_handler(Exception, _of_fault)


def of_validation(error: ValidationError) -> Problem:
    """Return the problem of query parameters that a schema has refused."""
    messages = {name: _texts(value) for name, value in error.messages_dict.items()}
    return invalid(messages, error.place if isinstance(error, FilterError) else NOWHERE)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    texts = value if isinstance(value, list) else [value]
    return ["is not known here." if text == "Unknown field." else _lower(text) for text in texts]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _of_lost_head(error: sight.LostHeadError) -> Response:
    text = f"The head {error} is lost: this database was restored from before it."
    return response(Problem("lost-head", text))


def _of_no_gazetteer(error: NoGazetteerError) -> Response:
    return response(Problem("no-gazetteer", str(error)))


def _of_http(error: HTTPException) -> Response:
    if error.response is not None:  # a redirect, say, is no error
        return error.response  # type: ignore[return-value] # werkzeug's base class of Flask's
    by_status = {status: kind for kind, (status, _) in KINDS.items() if status != 503}
    kind = by_status.get(error.code or 500, "invalid-request")
    detail = f"There is nothing at {request.path}." if kind == "not-found" else error.description
    answer = response(Problem(kind, detail or ""))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _of_database(error: psycopg.Error) -> Response:
    state = error.sqlstate or ""
    if state == "57014":
        text = "The question took too long: narrow it, by bbox or datetime for example."
        return response(Problem("too-slow", text))
    if state == "55P03":
        return response(Problem("unavailable", "Somebody else is writing the same: try again."))
    if request.method in WRITES and state[:2] in {"22", "23", "54"}:
        log.error("a body that was taken cannot be stored", exc_info=error)
        return response(Problem("invalid-body", "The database cannot hold this."))
    busy = isinstance(error, PoolTimeout | TooManyRequests)
    if busy or is_connection_loss(error) or state[:2] in {"53", "57", "40"}:
        log.warning("database: %s", type(error).__name__)
        return response(Problem("unavailable", "The database cannot be reached: try again."))
    return _of_fault(error)


def _of_unknown_outcome(error: UnknownOutcomeError) -> Response:
    log.warning("database: lost at a commit: %s", type(error.__cause__).__name__)
    text = (
        "The database went away while this was written: look whether it is there. With an"
        " Idempotency-Key it can be sent again without harm."
    )
    return response(Problem("unknown-outcome", text))


def _of_fault(error: Exception) -> Response:
    log.error("fault", exc_info=error)
    return response(Problem("internal", "Something went wrong in this server."))
