"""Imports that are sent over HTTP, told of as OGC API - Processes tells of jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, request

from api import access
from api.answers import document, negotiate
from api.db import Pool
from api.geojson import stamp
from api.import_parameters import ImportQuery
from api.jobs import kept
from api.jobs.kept import File, Job, Part
from api.jobs.kinds import LARGEST_MAPPING, errors
from api.keys import Caller
from api.links import CSV, DOCUMENT, JSON, Link, base, here, link, selves
from api.parameters import FormatQuery, ListQuery, Query
from api.problems import Problem, body_invalid, not_found
from api.views import arriving
from api.views.asking import RESTRICTED, asked, pool
from api.views.events import ID
from api.views.events import PATH as EVENTS

PATH = f"{EVENTS}/imports"
#: What leads to the rows that could not be loaded.
EXCEPTIONS = "http://www.opengis.net/def/rel/ogc/1.0/exceptions"
#: What of an account shows values of events, which not every key may see.
TELLING = {"examples", "lost"}

blueprint = Blueprint("imports", __name__)


@blueprint.post(PATH)
def send() -> Response:
    """Take files to be imported, and answer with the address where it is told how that goes."""
    who = access.require("import")
    query = asked(ImportQuery)
    with _room():
        job = _arrived(who, query)
    answer = _as_it_is(str(job), who)
    answer.status_code = 201
    answer.headers["Location"] = f"{base()}{PATH}/{job}"
    return answer


@blueprint.get(PATH)
def listed() -> Response:
    """List the imports that this key has sent, or if it is an administrator's all."""
    who = access.require("import")
    query = asked(ListQuery)
    media = negotiate(DOCUMENT, query.get("f"))
    limit = query["limit"]
    found = kept.some(pool(), who, limit + 1, query.get("cursor"))
    made = selves(media, DOCUMENT, "These imports", PATH)
    if len(found) > limit:
        following = str(found[limit - 1].number)
        made.append(here("next", media, "Earlier imports", PATH, cursor=following))
    jobs = [_brief(job) | {"links": _links(job, "item")} for job in found[:limit]]
    return document({"jobs": jobs, "links": made}, media)


@blueprint.get(f"{PATH}/<import_id>")
def one(import_id: str) -> Response:
    """Tell how an import goes, and what has come of it."""
    who = access.require("import")
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    job, files = _found(import_id, who)
    made = selves(media, DOCUMENT, "This import", f"{PATH}/{job.id}")
    made += _links(job, None, files)
    return document(_told(job, files, who) | {"links": made}, media)


@blueprint.delete(f"{PATH}/<import_id>")
def dismiss(import_id: str) -> Response:
    """Call an import off that has not come to an end."""
    who = access.require("import")
    asked(Query)
    job, _ = _found(import_id, who)
    if not kept.dismiss(current_app.extensions["hudna"].writing, job.id):
        job, _ = _found(import_id, who)
        if job.status != "dismissed":
            raise Problem("finished", f"The import {job.id} has ended already: {job.status}.")
    return _as_it_is(import_id, who)


@blueprint.get(f"{PATH}/<import_id>/exceptions")
def exceptions(import_id: str) -> Response:
    """Give the rows that could not be loaded, and what is wrong with each, as CSV."""
    who = access.require("import")
    asked(Query)
    negotiate([CSV], None)
    job, files = _found(import_id, who)
    report = next((file for file in files if file.role == "exceptions"), None)
    if report is None:
        raise not_found(f"No row of the import {job.id} has been refused.")
    tag = f"{job.number}.{job.tries}"
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        pieces = kept.pieces(pool(), job.id, report.number)
        answer = Response(pieces, content_type=f"{CSV}; charset=utf-8")
    answer.set_etag(tag, weak=True)
    answer.headers["Content-Disposition"] = f'attachment; filename="{job.id}.rejected.csv"'
    return answer


def _arrived(who: Caller, query: dict[str, Any]) -> UUID:
    """Keep what the present request brings, and return the id of its job, which may be done."""
    service = current_app.extensions["hudna"]
    writing: Pool = service.writing
    options = {name: value for name, value in query.items() if name not in {"format", "name"}}
    job = kept.begin(writing, who, query["format"], options)
    try:
        with service.turns.given_back():
            largest = service.settings.import_limit_mb << 20
            files = arriving.files(writing, job, query["name"], largest)
        _check(writing, job, query, files)
        kept.accept(writing, job)
    except BaseException:
        kept.drop(writing, job)
        raise
    return job


def _check(writing: Pool, job: UUID, query: dict[str, Any], files: dict[str, list[Part]]) -> None:
    """Refuse files that do not go together."""
    text = None
    for mapping in files.get("mapping", ()):
        if mapping.size > LARGEST_MAPPING:
            raise body_invalid({"mapping": [f"must be of at most {LARGEST_MAPPING:,} bytes."]})
        text = kept.content(writing, job, mapping.number)
    wrong = errors(query["format"], query, files, text)
    if wrong:
        raise body_invalid(wrong)


@contextmanager
def _room() -> Iterator[None]:
    """Leave connections for those who write events."""
    room = current_app.extensions["hudna"].arrivals
    if not room.acquire(blocking=False):
        raise Problem("unavailable", "This server takes as many files as it can: try again.")
    try:
        yield
    finally:
        room.release()


def _found(import_id: str, who: Caller) -> tuple[Job, list[File]]:
    found = kept.one(pool(), UUID(import_id), who) if ID.fullmatch(import_id) else None
    if found is None:
        raise not_found(f"There is no import {import_id} of yours.")
    return found


def _as_it_is(import_id: str, who: Caller) -> Response:
    """Return what is told of an import to who has just changed how it stands."""
    job, files = _found(import_id, who)
    return document(_told(job, files, who) | {"links": _links(job, "self", files)})


def _links(job: Job, rel: str | None, files: list[File] | None = None) -> list[Link]:
    made = [link(rel, f"{PATH}/{job.id}", JSON, "This import")] if rel else []
    if any(file.role == "exceptions" for file in files or ()):
        made.append(link(EXCEPTIONS, f"{PATH}/{job.id}/exceptions", CSV, "The rejected rows"))
    if rel != "item":
        made.append(link("up", PATH, JSON, "All imports"))
    return made


def _brief(job: Job) -> dict[str, Any]:
    """Return what a list tells of a job."""
    told = {
        "jobID": str(job.id),
        "type": "process",
        "format": job.format,
        "status": job.status,
        "message": job.message,
        "progress": job.progress,
        "actor": job.actor,
    }
    for name in ("created", "started", "finished", "updated"):
        when: datetime | None = getattr(job, name)
        told |= {name: stamp(when)} if when else {}
    return told


def _told(job: Job, files: list[File], who: Caller) -> dict[str, Any]:
    """Return all that is told of a job to who asks."""
    told = _brief(job) | {
        "options": job.options,
        "files": [file._asdict() for file in files if file.role != "exceptions"],
    }
    if job.account is not None:
        hidden = set() if who.may(RESTRICTED) else TELLING
        told["account"] = {k: v for k, v in job.account.items() if k not in hidden}
    if job.faults:
        told["exceptions"] = job.faults
    return told
