"""The generated half of openapi.yaml: `make openapi` writes it below the marker line.

It needs apispec, which only the development set-up has; the service does not import this.
"""

import json
from collections.abc import Iterable
from typing import Any

import marshmallow as ma
import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter

from api import (
    bodies,
    body_fields,
    cursors,
    documents,
    fields,
    geocode_parameters,
    history_documents,
    import_documents,
    import_parameters,
    parameters,
    sight,
    tile_documents,
)
from api.openapi import FILE
from api.problems import KINDS

FILE_OF_FEATURES = {
    "type": "string",
    "format": "binary",
    "description": "A file of all features that are asked for, or of a page if `limit` is given.",
}


def _header(name: str, text: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "description": text,
        "required": False,
        "schema": {"type": "string"} | schema,
    }


#: The headers that requests to write may have.
HEADERS = {
    f"header_{made['name']}": made
    for made in (
        _header("If-Match", "The ETag of the version that is to be written over; `*`: of any."),
        _header("Content-Crs", "The coordinate reference system of the body, in angle brackets."),
        _header(
            "Idempotency-Key",
            "A name for this request: sent again, it is answered as before, and done once.",
            minLength=1,
            maxLength=255,
        ),
    )
}
#: How a key may come; what a scope lets its holder do stands in api/keys.py.
SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of this server."},
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "A key of this server as the password, of whatever user.",
    },
}
MARKER = "# Below this line: written by `make openapi` from api/schemas.py and api/documents.py.\n"
DOCUMENTS = [
    documents.Landing,
    documents.Conformance,
    documents.Collections,
    documents.Functions,
    documents.EventCollection,
    documents.Changes,
    documents.PlaceCollection,
    documents.Geocoded,
    history_documents.History,
    tile_documents.TileMatrixSets,
    tile_documents.TileMatrixSet,
    tile_documents.Tilesets,
    tile_documents.Tileset,
    tile_documents.TileJSON,
    geocode_parameters.GeocodeBatch,
    bodies.NewEvent,
    bodies.NewEvents,
    bodies.EventPatch,
    documents.Receipt,
    import_documents.ImportJob,
    import_documents.ImportJobs,
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
    for text in (
        *(fields.Interval, fields.Crs, sight.AsOf),
        *(cursors.Cursor, cursors.FeedCursor, cursors.Order),
    ):
        converter.map_to_openapi_type(text, "string", None)
    for values in (fields.BBox, fields.NameList, fields.LonLat):
        converter.map_to_openapi_type(values, "array", None)
    converter.add_attribute_function(_shape_of_geometry)
    for document in DOCUMENTS:
        spec.components.schema(_name(document), schema=document)
    named = {name: _parameter(converter, name, f) for name, f in _fields(parameters.ItemsQuery)}
    named |= HEADERS
    named["f_json"] = _parameter(converter, "f", parameters.FormatQuery().fields["f"])
    named["f_feature"] = _parameter(converter, "f", parameters.FeatureQuery().fields["f"])
    named["f_data"] = _parameter(converter, "f", parameters.DataQuery().fields["f"])
    named["schema_type"] = _parameter(converter, "type", parameters.SchemaQuery().fields["type"])
    # The name of a parameter that reads otherwise elsewhere begins with the resource.
    for prefix, schema in (
        ("changes", parameters.ChangesQuery),
        ("places", parameters.PlacesQuery),
        ("geocode", geocode_parameters.GeocodeQuery),
        ("delete", parameters.DeleteQuery),
        ("tile", parameters.TileQuery),
        ("tileset", parameters.TilesetQuery),
        ("list", parameters.ListQuery),
        ("import", import_parameters.ImportQuery),
    ):
        for name, field in _fields(schema):
            described = _parameter(converter, name, field)
            if described != named.get(name):
                named[f"{prefix}_{name}"] = described
    made = spec.to_dict()["components"]["schemas"] | {"File": FILE_OF_FEATURES}
    return {
        "schemas": {name: made[name] for name in sorted(made)},
        "parameters": named,
        "responses": _responses(),
        "securitySchemes": SECURITY,
    }


def _fields(schema: type[ma.Schema]) -> Iterable[tuple[str, ma.fields.Field[Any]]]:
    return schema().fields.items()


def _name(schema: Any) -> str:
    kind: type = schema if isinstance(schema, type) else type(schema)
    return kind.__name__


def _parameter(
    converter: OpenAPIConverter, name: str, field: ma.fields.Field[Any]
) -> dict[str, Any]:
    described = converter.field2property(field) | _shape(field)
    described.pop("nullable", None)
    text = described.pop("description")
    return {
        "name": field.data_key or name,
        "in": "query",
        "description": text,
        "required": field.required,
        "style": "form",
        "explode": False,
        "schema": described,
    }


def _shape_of_geometry(_: Any, field: ma.fields.Field[Any], **__: Any) -> dict[str, Any]:
    """Return what apispec cannot know of a geometry in a body."""
    if not isinstance(field, body_fields.Shape):
        return {}
    parts = {
        "type": {"type": "string", "enum": field.kinds},
        "coordinates": {"type": "array", "items": {}},
    }
    return {"type": "object", "properties": parts, "required": [*parts]}


def _shape(field: ma.fields.Field[Any]) -> dict[str, Any]:
    """Return what apispec cannot know of the fields that are our own."""
    numbers = {"items": {"type": "number"}}
    shape: dict[str, Any] = {}
    match field:
        case fields.BBox():
            shape = numbers | {"minItems": 4, "maxItems": 6}
        case fields.LonLat():
            shape = numbers | {"minItems": 2, "maxItems": 2}
        case fields.NameList():
            shape = {"items": {"type": "string", "enum": field.names}, "minItems": 1}
        case cursors.Order():
            shape = {"enum": [sign + key for key in field.keys for sign in ("", "+", "-")]}
        case fields.Crs():
            shape = {"enum": field.known, "format": "uri"}
    return shape


def _responses() -> dict[str, Any]:
    """Return a response for each status that an error can have."""
    content = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        "text/html": {"schema": {"type": "string"}},
    }
    texts: dict[int, list[str]] = {}
    for kind, (status, text) in KINDS.items():
        texts.setdefault(status, []).append(f"`{kind}`: {text}")
    problems = {
        f"Problem{status}": {"description": " ".join(lines), "content": content}
        for status, lines in sorted(texts.items())
    }
    unchanged = {"description": "What the client has is still right (If-None-Match)."}
    cleared = {
        "description": "Where the same is asked without the fields of a form that were left empty.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
    return {"Unchanged": unchanged, "Cleared": cleared} | problems


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
