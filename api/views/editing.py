"""Events written by clients (OGC API - Features Part 4, draft)."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from marshmallow import ValidationError

from api import access, bodies, geojson, idempotency, writing
from api.answers import document, linked
from api.db import Connection, write
from api.idempotency import Answer
from api.keys import Caller
from api.links import GEOJSON, JSON, base, link
from api.parameters import DeleteQuery, Query
from api.problems import WRITES, Problem, body_invalid, not_found, unclear
from api.siting import Siting
from api.versions import Version
from api.views import paging, sending
from api.views.asking import asked, body, sees_all
from api.views.events import ID, PATH, etag
from api.writing import Target, Written
from geo.systems import CRS84

FEATURES = [GEOJSON, JSON]
PATCH = "application/merge-patch+json"
ITEMS, ITEM = f"{PATH}/items", f"{PATH}/items/<event_id>"

T = TypeVar("T")
#: What is done in a transaction: what was written, in its order.
Act = Callable[[Connection], list[Written]]

blueprint = Blueprint("editing", __name__)


@blueprint.post(ITEMS)
def create() -> Response:
    """Write a new event or, all or none, many."""
    who = access.require("write")
    asked(Query)
    sent = body(FEATURES, sending.LARGEST_BODY)
    many = isinstance(sent, dict) and sent.get("type") == "FeatureCollection"
    given = _valid(lambda: sending.read_all(bodies.events, sent, many=many))
    done, _ = _done(who, 201, lambda conn: writing.create(conn, _siting(), who, given, many=many))
    listed = [_listed(one) for one in done.written]
    answer = document({"events": listed})
    answer.status_code = 201
    if not many:
        answer.headers["Location"] = listed[0]["href"]
        answer.set_etag(_tag(done.written[0]))
    return answer


@blueprint.put(ITEM)
def replace(event_id: str) -> Response:
    """Let an event be another."""
    return _rewrite(event_id, FEATURES, bodies.event, writing.replace)


@blueprint.patch(ITEM)
def change(event_id: str) -> Response:
    """Change something of an event (RFC 7396)."""
    return _rewrite(event_id, [PATCH], bodies.patch, writing.change)


@blueprint.delete(ITEM)
def delete(event_id: str) -> Response:
    """Leave a tombstone of an event; with `erase`, of its past too."""
    who = access.require("write")
    erases = asked(DeleteQuery)["erase"]
    if erases:
        who = access.require("admin")
    target = Target(who, _id(event_id), sending.expected())
    act = writing.erase if erases else writing.delete

    def run(conn: Connection) -> list[Written]:
        act(conn, target)
        return []

    _done(who, 204, run)
    return _empty()


@blueprint.after_app_request
def narrow(answer: Response) -> Response:
    """Let OPTIONS list what this caller may do; a browser, which asks without a key, hears all."""
    rule = request.url_rule.rule if request.url_rule else ""
    if request.method != "OPTIONS" or rule not in {ITEMS, ITEM}:
        return answer
    all_may = "Access-Control-Request-Method" in request.headers
    if not all_may and not access.caller().may("write"):
        answer.headers["Allow"] = ", ".join(sorted({*answer.allow} - WRITES))
    elif rule == ITEM:
        answer.headers["Accept-Patch"] = PATCH
    return answer


def _rewrite(
    event_id: str,
    media: Iterable[str],
    load: Callable[[Any], bodies.Given],
    act: Callable[..., Written],
) -> Response:
    who = access.require("write")
    asked(Query)
    sent = body([*media], sending.LARGEST_BODY)
    target = Target(who, _id(event_id), sending.expected())
    given = _valid(lambda: sending.read(load, sent))
    done, text = _done(who, 200, lambda conn: [act(conn, _siting(), target, given)])
    (one,) = done.written
    if text is None:  # it has been erased since this was answered first
        return _empty()
    made = [link("self", f"{ITEMS}/{target.id}", GEOJSON, "This event")]
    made.append(link("collection", PATH, JSON, "The collection"))
    remarks = json.dumps(one["remarks"], ensure_ascii=False).encode()
    whole = geojson.feature(text[:-1] + b',"remarks":' + remarks + b"}", made)
    answer = linked(paging.feature(whole, GEOJSON, CRS84), made)
    answer.set_etag(_tag(one))
    return answer


def _done(who: Caller, status: int, act: Act) -> tuple[Answer, bytes | None]:
    """Write in one transaction; return what is answered, and the event if it is but one.

    A request that came before under the same Idempotency-Key is answered as it was, without
    being done again.
    """
    named = sending.named(who)

    def run(conn: Connection) -> tuple[Answer, bytes | None]:
        writing.sign(conn, who)
        answer = idempotency.recalled(conn, named) if named else None
        if answer is None:
            answer = Answer(status, [_kept(one) for one in act(conn)])
            if named:
                idempotency.keep(conn, named, answer)
        return answer, _text(conn, answer)

    try:
        return _valid(lambda: write(current_app.extensions["hudna"].writing, run))
    except idempotency.InFlightError:
        text = "A request with the same Idempotency-Key is still at work: ask again."
        raise Problem("in-flight", text) from None
    except idempotency.ReusedError:
        text = "This Idempotency-Key was that of another request: take a new one."
        raise Problem("key-reused", text) from None
    except writing.TakenError as error:
        text = (
            f"There is an event {error.source_id} of the dataset {error.dataset} already,"
            " or there was, and it has been erased."
        )
        raise Problem("exists", text) from None
    except writing.StaleError:
        text = "The event has changed since: get it again, and change that."
        raise Problem("stale", text) from None
    except writing.MissingError as error:
        raise _missing(gone=error.gone) from None


def _missing(*, gone: bool = False) -> Problem:
    """Return the problem that there is no such event for this caller."""
    if "If-Match" in request.headers:  # RFC 9110, 13.1.1
        return Problem("stale", "There is no such event, in no version.")
    if gone:
        return Problem("gone", "This event has been deleted.")
    return not_found("There is no such event.")


def _valid(act: Callable[[], T]) -> T:
    """Return `act()`, what is wrong in the body told as a problem."""
    try:
        return act()
    except ValidationError as error:
        raise body_invalid(error.messages) from None
    except writing.UnclearError as error:
        names = {at: (one.text, one.candidates) for at, one in error.doubts.items()}
        raise unclear(names) from None


def _id(event_id: str) -> UUID:
    if not ID.fullmatch(event_id):
        raise _missing()
    return UUID(event_id)


def _siting() -> Siting:
    found: Siting = current_app.extensions["hudna"].siting
    return found


def _kept(one: Written) -> dict[str, Any]:
    """Return what is kept of an answer."""
    return {
        "id": str(one.id),
        "epoch": one.version.epoch,
        "tx_id": one.version.tx_id,
        "version": one.version.number,
        "exact_tx": one.version.exact_tx if sees_all() else None,
        "remarks": one.remarks,
    }


def _text(conn: Connection, answer: Answer) -> bytes | None:
    if answer.status != 200:
        return None
    (one,) = answer.written
    return writing.feature(conn, UUID(one["id"]), one["tx_id"], one["version"])


def _tag(one: dict[str, Any]) -> str:
    """Return the entity tag that a GET of the event has."""
    version = Version(one["epoch"], one["tx_id"], one["version"], one["exact_tx"])
    return etag(version, "point", CRS84, GEOJSON)


def _listed(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "href": f"{base()}{ITEMS}/{one['id']}",
        "etag": f'"{_tag(one)}"',
        "remarks": one["remarks"],
    }


def _empty() -> Response:
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer
