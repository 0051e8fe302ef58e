"""The schemas of the collections."""

from flask import Blueprint, Response

from api import jsonschema
from api.answers import document, negotiate
from api.links import JSON, SCHEMA
from api.parameters import FormatQuery
from api.views.asking import asked

PARTS = {
    "queryables": jsonschema.queryables,
    "sortables": jsonschema.sortables,
    "schema": jsonschema.schema,
    "schema/feature": jsonschema.feature,
}

blueprint = Blueprint("schemas", __name__)


def schema(collection: str, part: str) -> Response:
    """Return one of the schemas of a collection."""
    media = negotiate([SCHEMA, JSON], asked(FormatQuery).get("f"))
    return document(PARTS[part](collection), media)


for _collection in jsonschema.SUBJECTS:
    for _part in PARTS:
        blueprint.add_url_rule(
            f"/collections/{_collection}/{_part}",
            endpoint=f"{_collection}/{_part}",
            view_func=schema,
            defaults={"collection": _collection, "part": _part},
        )
