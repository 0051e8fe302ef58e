"""Collections as JSON Schemas: what an item has, by what items are filtered and sorted.

All are made from the marshmallow fields of api/schemas.py (OGC 23-058, draft; OGC 19-079r2, 6.2).

A schema tells of values. That there is none for a property, which GeoJSON writes as null, it does
not tell: the standard has one name of a type for each, and GDAL and QGIS read no list of them. So
what is null is to a schema what is not there; only what is `required` is never null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, validate

from api import bodies, body_fields
from api.cql2.geometries import DEPTHS
from api.documents import EventFeature, PlaceFeature
from api.links import base
from api.schemas import (
    PLACE_PROPERTIES,
    PLACE_SCALARS,
    PLACE_SORTABLES,
    PROPERTIES,
    SCALARS,
    SORTABLES,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
#: Said of every schema of items.
NULLS = "A property that is null has no value, which is as if it were not there."

Described = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What there is to describe of a collection."""

    title: str
    description: str
    feature: type[Schema]
    properties: Mapping[str, fields.Field[Any]]
    filters: list[str]
    orders: list[str]
    geometry: str
    #: What else a filter may name, and its schema.
    further: Mapping[str, Described]


_LIST = {"type": "array", "items": {"type": "string"}}
_DAYS = {
    "title": "during",
    "description": "The interval from starts_on to ends_on; an unknown end is open.",
    "type": "array",
    "items": {"type": "string", "pattern": r"^(\d{4}-\d\d-\d\d|\.\.)$"},
    "minItems": 2,
    "maxItems": 2,
}
SUBJECTS = {
    "events": Subject(
        "Conflict events",
        "An event: a point, an interval, and what was reported.",
        EventFeature,
        PROPERTIES,
        SCALARS,
        list(SORTABLES),
        "geometry-point",
        {"tags": {"title": "tags", "description": "Further marks."} | _LIST, "during": _DAYS},
    ),
    "places": Subject(
        "Places",
        "A place of the gazetteer.",
        PlaceFeature,
        PLACE_PROPERTIES,
        PLACE_SCALARS,
        list(PLACE_SORTABLES),
        "geometry-any",
        {"names": {"title": "names", "description": "Its other names."} | _LIST},
    ),
}


def queryables(collection: str) -> Described:
    """Return by what the items of a collection are filtered (OGC 19-079r2, 6.2)."""
    subject = SUBJECTS[collection]
    told = {"title", "description", "type", "format", "enum", "pattern"}
    properties = {
        name: {k: v for k, v in _property(name, subject.properties[name]).items() if k in told}
        for name in subject.filters
    }
    properties |= subject.further
    properties["geometry"] = {"title": "geometry", "format": subject.geometry}
    return _document(collection, "queryables", subject.title, properties)


def sortables(collection: str) -> Described:
    """Return by what the items of a collection are sorted (OGC 23-058, Sortables)."""
    subject = SUBJECTS[collection]
    properties = {name: _property(name, subject.properties[name]) for name in subject.orders}
    return _document(collection, "sortables", subject.title, properties)


def schema(collection: str) -> Described:
    """Return what an item has, however it is written: id, properties and geometry, side by side.

    (OGC 23-058, Schemas, Core roles for features, Returnables and receivables)
    """
    subject = SUBJECTS[collection]
    whole = subject.feature().fields
    properties = {"id": _property("id", whole["id"]) | {"readOnly": True, "x-ogc-role": "id"}}
    properties |= {name: _property(name, field) for name, field in subject.properties.items()}
    properties["geometry"] = {
        "title": "geometry",
        "format": subject.geometry,
        "x-ogc-role": "primary-geometry",
    }
    for place, described in enumerate(properties.values(), start=1):
        described["x-ogc-propertySeq"] = place
    made = _document(collection, "schema", subject.title, properties)
    made["description"] = f"{subject.description} {NULLS}"
    return made | {"required": [name for name, f in subject.properties.items() if f.required]}


def receivable(how: str) -> Described:
    """Return what is to be sent to `create` or to `replace` an event: a GeoJSON feature.

    What the server makes itself may be there, and is ignored; null is as if it were not there.
    (OGC API - Features Part 4, draft, Schemas)
    """
    made = _document("events", f"schema?type={how}", f"An event, to {how} it", {})
    made |= _object(bodies.NewEvent())
    ignored = {name: {"readOnly": True} for name in sorted(bodies.OURS)}
    made["properties"] |= ignored
    properties = made["properties"]["properties"]
    properties["properties"] |= {
        name: {
            k: v for k, v in _property(name, PROPERTIES[name]).items() if k in {"title", "readOnly"}
        }
        for name in sorted(bodies.READ_ONLY)
    }
    return made


def feature(collection: str) -> Described:
    """Return what an item is as a GeoJSON feature (RFC 7946): a schema of the document itself.

    This is what GDAL takes the types of fields from. Coordinates may be in any system, and
    `properties` chosen from, so that none is required.
    """
    subject = SUBJECTS[collection]
    made = _document(collection, "schema/feature", subject.title, {})
    made |= _object(subject.feature())
    made["description"] = f"{subject.description} {NULLS}"
    properties = {name: _property(name, field) for name, field in subject.properties.items()}
    made["properties"]["properties"] |= {"properties": properties}
    del made["additionalProperties"]  # RFC 7946, 6.1
    return made


def _document(
    collection: str, part: str, title: str, properties: dict[str, Described]
) -> Described:
    return {
        "$schema": DRAFT,
        "$id": f"{base()}/collections/{collection}/{part}",
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": False,
    }


def _property(name: str, field: fields.Field[Any]) -> Described:
    """Return the schema of a property's values, with all that is told of the property."""
    described: Described = {"title": name} | _values(field)
    if field.dump_only:
        described["readOnly"] = True
    for keyword in ("role", "unit"):
        if keyword in field.metadata:
            described[f"x-ogc-{keyword}"] = field.metadata[keyword]
    return described


def _nullable(field: fields.Field[Any]) -> Described:
    """Return the schema of what stands for a field inside a value, null included."""
    described = _values(field)
    if field.allow_none and "anyOf" in described:
        described["anyOf"].append({"type": "null"})
    if field.allow_none and "type" in described:
        described["type"] = [described["type"], "null"]
        if "enum" in described:
            described["enum"].append(None)
    return described


#: What the values of fields are; a kind stands before those of which it is one.
_KINDS: list[tuple[type[fields.Field[Any]], Described]] = [
    (fields.DateTime, {"type": "string", "format": "date-time"}),
    (fields.Date, {"type": "string", "format": "date"}),
    (fields.Integer, {"type": "integer"}),
    (fields.Number, {"type": "number"}),
    (fields.URL, {"type": "string", "format": "uri"}),
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (fields.String, {"type": "string"}),
]


def _values(field: fields.Field[Any]) -> Described:
    """Return the schema of a field's values, without null."""
    described: Described = {}
    if "description" in field.metadata:
        described["description"] = field.metadata["description"]
    match field:
        case fields.Nested():
            described |= _object(field.schema)
        case body_fields.Shape():
            described |= _geometry(field.kinds)
        case fields.List():
            described |= {"type": "array", "items": _nullable(field.inner)}
        case _:
            described |= next((told for kind, told in _KINDS if isinstance(field, kind)), {})
    for check in field.validators:
        described |= _constraint(check, "Items" if isinstance(field, fields.List) else "Length")
    return described


def _geometry(kinds: list[str]) -> Described:
    """Return the schema of a GeoJSON geometry that is sent, in whatever reference system."""
    number = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
    choices: list[Described] = []
    for kind in kinds:
        coordinates: Described = number
        for _ in range(DEPTHS[kind]):
            coordinates = {"type": "array", "items": coordinates, "minItems": 1}
        parts = {"type": {"const": kind}, "coordinates": coordinates, "bbox": {}}
        choices.append(
            {
                "type": "object",
                "properties": parts,
                "required": ["type", "coordinates"],
                "additionalProperties": False,
            }
        )
    return {"anyOf": choices}


def _constraint(check: Any, counted: str) -> Described:
    """Return what a validator demands; `counted` is what the length of a value is called."""
    match check:
        case validate.Length():
            bounds = {f"min{counted}": check.min, f"max{counted}": check.max}
            return {name: bound for name, bound in bounds.items() if bound is not None}
        case validate.OneOf():
            return {"enum": list(check.choices)}
        case validate.Equal():
            return {"const": check.comparable}
        case validate.Regexp() if not isinstance(check, validate.URL | validate.Email):
            return {"pattern": check.regex.pattern}
        case validate.Range():
            bounds = {"minimum": check.min, "maximum": check.max}
            return {name: bound for name, bound in bounds.items() if bound is not None}
    return {}


def _object(schema: Schema) -> Described:
    """Return the schema of what a marshmallow schema describes."""
    made = {
        "type": "object",
        "properties": {name: _nullable(field) for name, field in schema.fields.items()},
        "additionalProperties": False,
    }
    required = [n for n, field in schema.fields.items() if field.required and not schema.partial]
    return made | ({"required": required} if required else {})
