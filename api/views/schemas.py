"""The schemas of the collections."""

from flask import Blueprint, Response

from api import jsonschema
from api.answers import document, negotiate
from api.links import HTML, JSON, SCHEMA, selves
from api.parameters import FormatQuery, SchemaQuery
from api.views.asking import asked

PARTS = {
    "queryables": jsonschema.queryables,
    "sortables": jsonschema.sortables,
    "schema": jsonschema.schema,
    "schema/feature": jsonschema.feature,
}
#: A schema has no links among its members: they are in the `Link` header, and on the page.
OFFERED = [SCHEMA, JSON, HTML]

blueprint = Blueprint("schemas", __name__)


def schema(collection: str, part: str) -> Response:
    """Return one of the schemas of a collection."""
    writable = (collection, part) == ("events", "schema")
    query = asked(SchemaQuery if writable else FormatQuery)
    media = negotiate(OFFERED, query.get("f"))
    how = query.get("type")
    made = jsonschema.receivable(how) if how else PARTS[part](collection)
    return document(made, media, selves(media, OFFERED))


for _collection in jsonschema.SUBJECTS:
    for _part in PARTS:
        blueprint.add_url_rule(
            f"/collections/{_collection}/{_part}",
            endpoint=f"{_collection}/{_part}",
            view_func=schema,
            defaults={"collection": _collection, "part": _part},
        )
