"""What a request that writes brings: events in some reference system, and conditions."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from flask import current_app, request
from marshmallow import ValidationError
from shapely.geometry.base import BaseGeometry

from api.bodies import Given
from api.idempotency import LONGEST, Request
from api.keys import Caller
from api.problems import Problem
from api.versions import named_by, public
from api.views.asking import content, sees_all
from api.writing import Expected
from geo.systems import CRS84, SYSTEMS, System

LARGEST_BODY = 8 << 20
#: What is a geometry of a feature.
GEOMETRIES = ("geometry", "footprint", "exact_geometry")


def read(load: Callable[[Any], Given], document: Any) -> Given:
    """Return the event of a body, as `load` reads it, in longitude and latitude.

    Raises:
        ValidationError, Problem
    """
    system = _system()
    try:
        given = load(document)
    except ValidationError as error:
        raise _with_places(error, system) from None
    errors = _placed(given, system)
    if errors:
        raise ValidationError(errors)
    return given


def _with_places(error: ValidationError, system: System) -> ValidationError:
    """Return the errors of one event with those of the geometries that could be read."""
    known = error.valid_data
    if not (isinstance(known, dict) and isinstance(error.messages, dict)):
        return error
    return ValidationError({**_placed(known, system), **error.messages})


def read_all(load: Callable[[Any], list[Given]], document: Any, *, many: bool) -> list[Given]:
    """Return the events of a body, in longitude and latitude; `many`: it is a collection.

    Raises:
        ValidationError, Problem
    """
    system = _system()
    try:
        given = load(document)
    except ValidationError as error:
        raise (error if many else _with_places(error, system)) from None
    errors = {n: wrong for n, one in enumerate(given) if (wrong := _placed(one, system))}
    if errors:
        raise ValidationError({"features": errors} if many else errors[0])
    return given


def _system() -> System:
    """Return the reference system of the body: `Content-Crs`, in angle brackets or, for QGIS, bare.

    Raises:
        Problem: this server does not know it.
    """
    named = request.headers.get("Content-Crs", CRS84).strip()
    uri = named[1:-1] if named.startswith("<") and named.endswith(">") else named
    if uri not in SYSTEMS:
        text = f"The header Content-Crs must be <{CRS84}>, or another that the collection lists."
        raise Problem("invalid-request", text)
    return SYSTEMS[uri]


def _placed(given: Given, system: System) -> dict[str, Any]:
    """Bring geometries of an event to longitude and latitude; return what is wrong with them."""
    errors: dict[str, Any] = {}
    for name in GEOMETRIES:
        if given.get(name) is not None:
            try:
                given[name] = _on_earth(given[name], system)
            except ValueError as error:
                errors[name] = [f"cannot be taken: {error}."]
    return errors


def _on_earth(shape: BaseGeometry, system: System) -> BaseGeometry:
    # The domain of a system is drawn a little too large, for digits that were rounded.
    placed = shapely.transform(
        system.on_earth(shape), lambda corners: np.clip(corners, (-180, -90), (180, 90))
    )
    if not shapely.is_valid(placed):
        raise ValueError(shapely.is_valid_reason(placed))
    return placed


def expected() -> Expected:
    """Return what tells whether a version is one that `If-Match` names.

    The tag of any representation names the version. So does one that was weakened on its way, by a
    proxy that compresses: that it says the same in other bytes is no harm here. Of what a tag says
    of the exact place, who may not see that is told nothing, whether it is so or not.

    Raises:
        Problem: there is no such header, and this server wants it.
    """
    if "If-Match" not in request.headers:
        if current_app.extensions["hudna"].settings.require_if_match:
            raise Problem("if-match-required", "This needs If-Match, with the ETag of the event.")
        return lambda _: True
    tags = request.if_match
    if tags.star_tag:
        return lambda _: True
    versions = {named_by(tag) for tag in tags.as_set(include_weak=True)}
    if not sees_all():
        versions = {public(name) for name in versions}
    return lambda version: str(version) in versions


def named(who: Caller) -> Request | None:
    """Return the request, if its client has named it by an `Idempotency-Key`.

    Raises:
        Problem: the name is too long, or empty, or the body too large.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None or who.key is None:
        return None
    if not 0 < len(key) <= LONGEST or not key.isprintable():
        raise Problem("invalid-request", f"An Idempotency-Key has 1 to {LONGEST} characters.")
    digest = hashlib.sha256()
    for part in (
        *(request.method, request.full_path, request.mimetype),
        *(request.headers.get("Content-Crs", ""), request.headers.get("If-Match", "")),
    ):
        digest.update(part.encode() + b"\0")
    digest.update(content(LARGEST_BODY))
    return Request(who.key, key, digest.digest())
