"""The definition of an event, and of the questions that may be asked of events.

`EventProperties` is the one vocabulary: its fields are the columns of the table, the properties of
the GeoJSON, the query parameters, and the components of openapi.yaml.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from api.fields import (
    CRS84,
    BBox,
    Crs,
    Cursor,
    Day,
    Instant,
    Interval,
    NameList,
    Number,
    Order,
    Text,
    Whole,
)
from geo.precision import Precision

EVENT_TYPES = [
    "Battles",
    "Explosions/Remote violence",
    "Violence against civilians",
    "Protests",
    "Riots",
    "Strategic developments",
]
DATE_PRECISIONS = ["day", "days", "week", "month", "year", "open"]
STATUSES = ["confirmed", "claimed", "denied", "disputed", "unverified"]
STANCES = ["confirms", "claims", "denies", "disputes"]
ROLES = ["initiator", "target", "party", "mediator", "civilians", "other"]
LIMIT_DEFAULT, LIMIT_MAXIMUM = 100, 10_000


def says(description: str, **more: Any) -> dict[str, Any]:
    """Return the metadata of a field that is described so."""
    return {"description": description, **more}


class Actor(Schema):
    """Somebody who took part."""

    name = Text(required=True, metadata=says("The name, as the source gives it."))
    role = Text(
        required=True,
        validate=validate.OneOf(ROLES),
        metadata=says("What part they had in the event."),
    )


class Report(Schema):
    """What somebody said of the event, and where."""

    publisher = Text(allow_none=True, metadata=says("Who published it."))
    url = fields.URL(allow_none=True, metadata=says("Where it can be read."))
    published_on = fields.Date(allow_none=True, metadata=says("The day of publication."))
    said_by = Text(allow_none=True, metadata=says("Whose word it is."))
    stance = Text(
        allow_none=True,
        validate=validate.OneOf(STANCES),
        metadata=says("Whether they confirm, claim, deny or dispute it."),
    )
    quote = Text(allow_none=True, metadata=says("The words."))


class EventProperties(Schema):
    """The properties of an event."""

    class Meta:
        """Unknown properties are an error, so that a slip of the pen is not lost in silence."""

        unknown = RAISE

    dataset = Text(required=True, metadata=says("The data set it comes from.", example="ucdp-ged"))
    source_id = Text(required=True, metadata=says("Its id in that data set.", example="300380"))
    source_release = Text(
        allow_none=True,
        metadata=says("The release from which its present content was taken.", example="25.1"),
    )
    event_type = Text(
        required=True,
        validate=validate.OneOf(EVENT_TYPES),
        metadata=says("What happened, in ACLED's vocabulary."),
    )
    sub_event_type = Text(
        allow_none=True,
        metadata=says("The same, finer, in ACLED's vocabulary.", example="Agreement"),
    )
    notes = Text(allow_none=True, metadata=says("What happened, in words."))
    tags = fields.List(Text(), metadata=says("Further marks."))
    actors = fields.List(fields.Nested(Actor), metadata=says("Who took part, and as what."))
    actor1 = Text(
        allow_none=True, dump_only=True, metadata=says("The first of the actors.", example="IS")
    )
    actor2 = Text(allow_none=True, dump_only=True, metadata=says("The second of the actors."))
    starts_on = Day(allow_none=True, metadata=says("The earliest day it may have begun, local."))
    ends_on = Day(
        allow_none=True, metadata=says("The latest day it may have ended, local; null: open.")
    )
    date_precision = Text(
        allow_none=True,
        validate=validate.OneOf(DATE_PRECISIONS),
        metadata=says("How exactly the time is known."),
    )
    date_phrase = Text(
        allow_none=True,
        metadata=says("The words the interval was read from.", example="at the end of January"),
    )
    place_name = Text(allow_none=True, metadata=says("The place, as the source names it."))
    country = Text(
        allow_none=True,
        validate=validate.Regexp(r"^[A-Z]{3}$"),
        metadata=says("The country, in ISO 3166-1 alpha-3.", example="IRQ"),
    )
    admin1 = Text(allow_none=True, metadata=says("The largest division of the country."))
    admin2 = Text(allow_none=True, metadata=says("The next smaller division."))
    geo_precision = Text(
        allow_none=True,
        validate=validate.OneOf([p.value for p in Precision]),
        metadata=says("How exactly the place is known."),
    )
    uncertainty_km = Number(
        allow_none=True,
        validate=validate.Range(min=0),
        metadata=says("How far from the point it may have happened, in kilometres."),
    )
    geocoder = Text(allow_none=True, metadata=says("Who placed the point."))
    fatalities_low = Whole(
        allow_none=True, validate=validate.Range(min=0), metadata=says("The lowest count of dead.")
    )
    fatalities_best = Whole(
        allow_none=True,
        validate=validate.Range(min=0),
        metadata=says("The likeliest; null: unknown."),
    )
    fatalities_high = Whole(
        allow_none=True, validate=validate.Range(min=0), metadata=says("The highest count of dead.")
    )
    fatalities_civilians = Whole(
        allow_none=True, validate=validate.Range(min=0), metadata=says("The civilians among them.")
    )
    status = Text(
        dump_only=True,
        validate=validate.OneOf(STATUSES),
        metadata=says("What the reports make of it together."),
    )
    reports = fields.List(fields.Nested(Report), metadata=says("Who said what of it, and where."))
    version = Whole(dump_only=True, metadata=says("Counts its changes, from 1."))
    updated_at = Instant(dump_only=True, metadata=says("When this version was written."))
    visibility = Text(
        validate=validate.OneOf(["public", "restricted"]), metadata=says("Who may see it.")
    )


PROPERTIES: dict[str, fields.Field[Any]] = EventProperties().fields
#: The properties that hold one value, and so can be filtered by `name=value`.
SCALARS = [name for name, field in PROPERTIES.items() if not isinstance(field, fields.List)]
#: What can be sorted by, and the column, never null, that stands in for it.
SORTABLES = {"starts_on": "sort_on", "fatalities_best": "sort_toll"}


def _format(*names: str) -> fields.Field[Any]:
    """Return the query parameter that asks for a format."""
    text = "The format, if it is not to be negotiated by `Accept`."
    return Text(validate=validate.OneOf(names), metadata=says(text))


class FormatQuery(Schema):
    """What every resource takes."""

    class Meta:
        """An unknown parameter is an error: `contry=IRQ` is not to answer with the world."""

        unknown = RAISE

    f = _format("json")


class FeatureQuery(FormatQuery):
    """What one event takes."""

    f = _format("json", "geojson")
    crs = Crs([CRS84], metadata=says("The coordinate reference system of the answer."))


def _filter(field: fields.Field[Any]) -> fields.Field[Any]:
    """Return the query parameter that asks for events whose property has that value."""
    text = f"Only events with this value. {field.metadata['description']}"
    kept = [v for v in field.validators if isinstance(v, validate.OneOf | validate.Regexp)]
    return type(field)(validate=kept, metadata={**field.metadata, "description": text})


class _ItemsQuery(FeatureQuery):
    bbox = BBox(
        metadata=says("Only events in this box, or without a place: `west,south,east,north`.")
    )
    bbox_crs = Crs(
        [CRS84], data_key="bbox-crs", metadata=says("The coordinate reference system of `bbox`.")
    )
    datetime = Interval(
        metadata=says(
            "Only events whose interval meets this instant or interval, or without a time:"
            " `2024-02-04`, `2024-01-15/2024-01-31`, `2024-02-04/..`."
        )
    )
    limit = Whole(
        load_default=LIMIT_DEFAULT,
        validate=validate.Range(min=1),
        metadata=says(
            "The most features in one page; more than 10,000 means 10,000.", maximum=LIMIT_MAXIMUM
        ),
    )
    cursor = Cursor(metadata=says("Where to go on: copied from a `next` link."))
    sortby = Order(
        list(SORTABLES),
        load_default="-starts_on",
        metadata=says("The order: a key, with `-` before it for the highest first."),
    )
    properties = NameList(list(PROPERTIES), metadata=says("The properties to answer with."))
    skipGeometry = fields.Boolean(  # noqa: N815 - the standard's spelling
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata=says("Whether to answer without geometries."),
    )
    resultType = Text(  # noqa: N815 - the standard's spelling
        validate=validate.OneOf(["results", "hits"]),
        load_default="results",
        metadata=says("`hits`: only the exact number of events."),
    )


ItemsQuery = _ItemsQuery.from_dict(
    {name: _filter(PROPERTIES[name]) for name in SCALARS}, name="ItemsQuery"
)


@cache
def _made(schema: type[Schema]) -> Schema:
    """Return the one instance of `schema`: to make one takes longer than most queries."""
    return schema()


def load(schema: type[Schema], query: bytes, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the query that the URL's `pairs` ask, read by `schema`; `query` is their raw form.

    Raises:
        ValidationError: a parameter is unknown, given twice, or has a bad value; each is named.
    """
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise ValidationError({name: ["is given more than once."]})
        values[name] = value
    try:
        unquote_to_bytes(query).decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationError({"query": ["is not UTF-8."]}) from None
    asked: dict[str, Any] = _made(schema).load(values)
    if "limit" in asked:
        asked["limit"] = min(asked["limit"], LIMIT_MAXIMUM)
    place = asked.get("cursor")
    if place and place.order != asked["sortby"]:
        raise ValidationError({"cursor": ["belongs to another order: keep sortby as it was."]})
    return asked
