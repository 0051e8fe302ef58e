"""What may be written: an event as JSON, read strictly, with everything that is wrong at once.

The properties are those of `EventProperties`, read by `api/body_fields.py`. A property that is null
is as if it were not there, for editors send every field of their forms.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

from api.body_fields import Day, Items, Number, Shape, Text, Url, Whole
from api.schemas import PROPERTIES, longest, says

#: Features in one body.
MOST_FEATURES = 1000
#: What of a feature a server makes itself: it is ignored, for clients send back what they got.
OURS = {"id", "links", "bbox", "outside_crs", "remarks"}
#: The same of a collection.
OURS_OF_MANY = {"links", "bbox", "numberMatched", "numberReturned", "timeStamp", "head", "withheld"}

#: How many items a list may have.
MOST_ITEMS = 100
WIDEST_KM = 20_000
LARGEST = 2**31 - 1

_DATASET = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class _Whole(validate.Regexp):
    """A pattern for the whole of a text: in Python `$` is also before a last line break."""

    def __call__(self, value: Any, _: str | None = None) -> Any:
        if not self.regex.fullmatch(value):
            raise ValidationError(f"does not fit the pattern {self.regex.pattern!s}.")
        return value


def strict(
    name: str, field: fields.Field[Any], *, item: bool = False, partial: bool = False
) -> fields.Field[Any]:
    """Return the field of a body for the field `name` of a schema.

    `item`: it is of the items of a list. `partial`: none is required.
    """
    metadata = dict(field.metadata)
    checks = [_checked(check) for check in field.validators if not isinstance(check, validate.URL)]
    required = field.required and name not in {"dataset", "source_id"} and not partial
    none = not (required or item)
    match field:
        case fields.Nested():
            return fields.Nested(_schema(type(field.schema)), allow_none=none, metadata=metadata)
        case fields.List():
            length = validate.Length(max=MOST_ITEMS)
            inner = strict(name, field.inner, item=True)
            return Items(inner, allow_none=none, validate=length, metadata=metadata)
        case fields.URL():
            kind: type[fields.Field[Any]] = Url
        case fields.Date():
            kind = Day
        case fields.Integer():
            kind = Whole
            checks = [validate.Range(min=0, max=LARGEST)]
        case fields.Number():
            kind = Number
            checks = [validate.Range(min=0, max=WIDEST_KM)]
        case _:
            kind = Text
    if name == "dataset":
        checks.append(_Whole(_DATASET))
    if kind in {Text, Url} and not checks:
        least = None if none else 1
        checks = [validate.Length(min=least, max=longest(name))]
    return kind(required=required, allow_none=none, validate=checks, metadata=metadata)


def _checked(check: Any) -> Any:
    return _Whole(check.regex) if isinstance(check, validate.Regexp) else check


class _Known(Schema):
    """What is null is as if it were not there, and so is a text without a letter."""

    class Meta:
        """A slip of the pen is not to be lost in silence."""

        unknown = RAISE

    @pre_load
    def without_null(self, data: Any, **_: Any) -> Any:
        """Leave out what says nothing."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if not self.is_nothing(name, value)}

    def is_nothing(self, name: str, value: Any) -> bool:
        """Tell whether the value of a property is none."""
        if name not in self.fields:
            return False
        free = isinstance(self.fields[name], Text) and not self.fields[name].required
        return value is None or (value == "" and free and not _is_chosen(self.fields[name]))


def _is_chosen(field: fields.Field[Any]) -> bool:
    return any(isinstance(check, validate.OneOf | validate.Regexp) for check in field.validators)


@cache
def _schema(schema: type[Schema]) -> type[Schema]:
    made_of = {name: strict(name, field) for name, field in schema().fields.items()}
    return type(f"New{schema.__name__}", (_Known,), made_of | {"__doc__": schema.__doc__})


WRITABLE = {name: strict(name, f) for name, f in PROPERTIES.items() if not f.dump_only}
#: What the server sets itself: it is ignored.
READ_ONLY = {name for name, field in PROPERTIES.items() if field.dump_only}


class _Properties(_Known):
    @pre_load(pass_collection=False)
    def without_ours(self, data: Any, **_: Any) -> Any:
        """Leave out what the server sets itself."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name not in READ_ONLY}


NewProperties = type(
    "NewProperties", (_Properties,), WRITABLE | {"__doc__": "The properties of an event to be."}
)
PatchProperties = type(
    "PatchProperties",
    (_Properties,),
    {name: strict(name, PROPERTIES[name], partial=True) for name in WRITABLE}
    | {"__doc__": "What of the properties of an event is to be otherwise."},
)

LINES = ["LineString", "MultiLineString"]
GROUNDS = ["Polygon", "MultiPolygon", *LINES]
_GEOMETRY = says("The representative point; null: the place is looked up by its name.")
_FOOTPRINT = says("The ground it may have happened on; if there is none, it is worked out.")
_EXACT = says(
    "Where it really was, for those alone who may see what is restricted. If `geometry` is null,"
    " a point is published that is so far off as `uncertainty_km` says."
)


class NewEvent(Schema):
    """An event to be written, as a GeoJSON feature."""

    class Meta:
        """A slip of the pen is not to be lost in silence."""

        unknown = RAISE

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    geometry = Shape(["Point"], required=True, allow_none=True, metadata=_GEOMETRY)
    properties = fields.Nested(NewProperties, required=True)
    footprint = Shape(GROUNDS, allow_none=True, metadata=_FOOTPRINT)
    exact_geometry = Shape(["Point"], allow_none=True, metadata=_EXACT)

    @pre_load
    def without_ours(self, data: Any, **_: Any) -> Any:
        """Leave out what the server makes itself."""
        return _without(data, OURS)


class EventPatch(NewEvent):
    """What of an event is to be otherwise: a merge patch (RFC 7396); null takes away."""

    type = fields.String(validate=validate.Equal("Feature"))
    geometry = Shape(["Point"], allow_none=True, metadata=_GEOMETRY)
    properties = fields.Nested(PatchProperties)


class NewEvents(Schema):
    """Events to be written, all or none."""

    class Meta:
        """A slip of the pen is not to be lost in silence."""

        unknown = RAISE

    type = fields.String(required=True, validate=validate.Equal("FeatureCollection"))
    features = Items(
        fields.Nested(NewEvent), required=True, validate=validate.Length(min=1, max=MOST_FEATURES)
    )

    @pre_load
    def without_ours(self, data: Any, **_: Any) -> Any:
        """Leave out what the server makes itself."""
        return _without(data, OURS_OF_MANY)


def _without(data: Any, names: set[str]) -> Any:
    return {k: v for k, v in data.items() if k not in names} if isinstance(data, dict) else data


_ONE, _MANY, _PATCH = NewEvent(), NewEvents(), EventPatch()

#: A feature as it was read: geometries are shapely's, in the reference system of the body.
Given = dict[str, Any]


def events(document: Any) -> list[Given]:
    """Return the events of a body, a Feature or a FeatureCollection.

    Raises:
        ValidationError: it is neither, or something in it is not as it must be.
    """
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        if isinstance(features, list) and len(features) > MOST_FEATURES:
            raise ValidationError({"features": [f"must be at most {MOST_FEATURES:,}."]})
        found: list[Given] = _loaded(_MANY, document)["features"]
        return found
    return [event(document)]


def event(document: Any) -> Given:
    """Return the event of a body.

    Raises:
        ValidationError: it is none, or something in it is not as it must be.
    """
    return _loaded(_ONE, document)


def patch(document: Any) -> Given:
    """Return what a merge patch changes; `cleared` are the properties that it takes away.

    Raises:
        ValidationError: it is none, or something in it is not as it must be.
    """
    given = _loaded(_PATCH, document)
    properties = document.get("properties", {})
    known = NewProperties()
    given["cleared"] = {
        name
        for name, value in properties.items()
        if name in WRITABLE and known.is_nothing(name, value)
    }
    needed = {name: ["is required."] for name in given["cleared"] if WRITABLE[name].required}
    if needed:
        raise ValidationError({"properties": needed})
    return given


def _loaded(schema: Schema, document: Any) -> Given:
    if not isinstance(document, Mapping):
        raise ValidationError("must be a JSON object.")
    found: Given = schema.load(dict(document))
    return found
