"""What the service says of itself."""

from flask import Blueprint, Response

from api import collections, events, openapi, places
from api.answers import at_head, document, negotiate, unchanged
from api.links import JSON, OPENAPI, link
from api.parameters import FormatQuery
from api.views.asking import asked, pool

blueprint = Blueprint("service", __name__)


@blueprint.get("/")
def landing() -> Response:
    """Say what this is, and where to go on."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document(collections.landing())


@blueprint.get("/conformance")
def conformance() -> Response:
    """List the conformance classes of the standards that this server meets."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document({"conformsTo": collections.CONFORMS_TO})


@blueprint.get("/functions")
def functions() -> Response:
    """List the functions that filters may call."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    return document(collections.functions())


@blueprint.get("/api")
def api() -> Response:
    """Describe the interface, in OpenAPI 3.0."""
    media = negotiate(
        [OPENAPI, "application/openapi+json;version=3.0", JSON], asked(FormatQuery).get("f")
    )
    return document(openapi.served(link("", "", "")["href"]), media)


@blueprint.get("/collections")
def all_collections() -> Response:
    """Describe the collections."""
    negotiate([JSON], asked(FormatQuery).get("f"))
    state = events.state(pool())
    basis = state.gazetteer[:8]
    return unchanged(state, JSON, basis) or at_head(
        document(
            collections.collections(
                collections.events(events.extent(pool()), state),
                collections.places(places.summary(pool())),
            )
        ),
        state,
        JSON,
        basis,
    )
