"""What the service says of itself."""

from flask import Blueprint, Response

from api import collections, events, manual, openapi, places
from api.answers import at_head, document, negotiate, unchanged
from api.links import DOCUMENT, HTML, JSON, OPENAPI, base, here, link, selves
from api.parameters import DataQuery, FormatQuery, Query
from api.views.asking import asked, pool

blueprint = Blueprint("service", __name__)


@blueprint.get("/")
def landing() -> Response:
    """Say what this is, and where to go on."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    body = collections.landing(selves(media, DOCUMENT))
    return document(body, media, template="landing.html")


@blueprint.get("/conformance")
def conformance() -> Response:
    """List the conformance classes of the standards that this server meets."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    return document(collections.conformance(selves(media, DOCUMENT)), media)


@blueprint.get("/functions")
def functions() -> Response:
    """List the functions that filters may call."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    return document(collections.functions(selves(media, DOCUMENT)), media)


@blueprint.get("/api")
def api() -> Response:
    """Describe the interface, in OpenAPI 3.0."""
    media = negotiate(
        [OPENAPI, "application/openapi+json;version=3.0", JSON], asked(DataQuery).get("f")
    )
    made = [here("self", media), link("alternate", "/api.html", HTML, "The interface, to be read")]
    return document(openapi.served(base()), media, made)


@blueprint.get("/api.html")
def api_html() -> Response:
    """Describe the interface, to be read."""
    asked(Query)
    negotiate([HTML], None)
    made = [here("self", HTML), link("alternate", "/api", OPENAPI, "The interface, in OpenAPI 3.0")]
    contract = openapi.served(base())
    return document(contract, HTML, made, "api.html", groups=manual.groups(contract))


@blueprint.get("/collections")
def all_collections() -> Response:
    """Describe the collections."""
    media = negotiate(DOCUMENT, asked(FormatQuery).get("f"))
    state = events.state(pool())
    basis = state.gazetteer[:8]
    answer = unchanged(state, media, basis)
    if answer:
        return answer
    body = collections.collections(
        selves(media, DOCUMENT),
        collections.events(events.extent(pool()), state),
        collections.places(places.summary(pool())),
    )
    return at_head(document(body, media, template="collections.html"), state, media, basis)
