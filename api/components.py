"""The generated half of openapi.yaml: `make openapi` writes it below the marker line.

It needs apispec, which only the development set-up has; the service does not import this.
"""

import json
from typing import Any

import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import fields as ma

from api import documents, fields, schemas
from api.openapi import FILE
from api.problems import KINDS

MARKER = "# Below this line: written by `make openapi` from api/schemas.py and api/documents.py.\n"
DOCUMENTS = [
    documents.Landing,
    documents.Conformance,
    documents.Collections,
    documents.EventCollection,
    documents.Problem,
]


def written() -> str:
    """Return openapi.yaml as it should be."""
    by_hand = FILE.read_text(encoding="utf-8").split(MARKER)[0]
    plain = json.loads(json.dumps({"components": components()}))
    return by_hand + MARKER + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def components() -> dict[str, Any]:
    """Return the components: schemas and parameters from marshmallow, responses from problems."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(title="", version="", openapi_version="3.0.3", plugins=[plugin])
    converter = plugin.converter
    if converter is None:
        raise TypeError("apispec has not set its plugin up.")
    for text in (fields.Interval, fields.Cursor, fields.Order, fields.Crs):
        converter.map_to_openapi_type(text, "string", None)
    for values in (fields.BBox, fields.NameList):
        converter.map_to_openapi_type(values, "array", None)
    for document in DOCUMENTS:
        spec.components.schema(_name(document), schema=document)
    query = schemas.ItemsQuery()
    parameters = {name: _parameter(converter, name, f) for name, f in query.fields.items()}
    parameters["f_json"] = _parameter(converter, "f", schemas.FormatQuery().fields["f"])
    made = spec.to_dict()["components"]["schemas"]
    return {
        "schemas": {name: made[name] for name in sorted(made)},
        "parameters": parameters,
        "responses": _responses(),
    }


def _name(schema: Any) -> str:
    kind: type = schema if isinstance(schema, type) else type(schema)
    return kind.__name__


def _parameter(converter: OpenAPIConverter, name: str, field: ma.Field[Any]) -> dict[str, Any]:
    described = converter.field2property(field) | _shape(field)
    described.pop("nullable", None)
    text = described.pop("description")
    return {
        "name": field.data_key or name,
        "in": "query",
        "description": text,
        "required": False,
        "style": "form",
        "explode": False,
        "schema": described,
    }


def _shape(field: ma.Field[Any]) -> dict[str, Any]:
    """Return what apispec cannot know of the fields that are our own."""
    match field:
        case fields.BBox():
            return {"items": {"type": "number"}, "minItems": 4, "maxItems": 6}
        case fields.NameList():
            return {"items": {"type": "string", "enum": field.names}, "minItems": 1}
        case fields.Order():
            return {"enum": [sign + key for key in field.keys for sign in ("", "+", "-")]}
        case fields.Crs():
            return {"enum": field.known, "format": "uri"}
        case _:
            return {}


def _responses() -> dict[str, Any]:
    """Return a response for each status that an error can have."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    texts: dict[int, list[str]] = {}
    for kind, (status, text) in KINDS.items():
        texts.setdefault(status, []).append(f"`{kind}`: {text}")
    problems = {
        f"Problem{status}": {"description": " ".join(lines), "content": content}
        for status, lines in sorted(texts.items())
    }
    unchanged = {"description": "What the client has is still right (If-None-Match)."}
    return {"Unchanged": unchanged} | problems


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
