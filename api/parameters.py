"""The questions that may be asked: the query parameters of every resource."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from api import cql2, filtering, sight
from api.cursors import Cursor, FeedCursor, Order, Position
from api.fields import BBox, Crs, Interval, NameList, Number, Text, Whole
from api.formats import FILES
from api.schemas import (
    PLACE_PROPERTIES,
    PLACE_SCALARS,
    PLACE_SORTABLES,
    PROPERTIES,
    SCALARS,
    SORTABLES,
    says,
)
from geo.systems import CRS84, SYSTEMS

LIMIT_DEFAULT, LIMIT_MAXIMUM = 100, 10_000
RADIUS_KM, WIDEST_KM = 25, 1000
#: How many seconds an answer may wait for a change.
LONGEST_WAIT_S = 60
CERTAINTIES = ["reported", "possible", "certain"]

PLACE_ID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)


def format_of(*names: str) -> fields.Field[Any]:
    """Return the query parameter that asks for a format."""
    text = "The format, if it is not to be negotiated by `Accept`."
    return Text(validate=validate.OneOf(names), metadata=says(text))


def _filter(field: fields.Field[Any]) -> fields.Field[Any]:
    """Return the query parameter that asks for items whose property has that value."""
    text = f"Only those with this value. {field.metadata['description']}"
    kept = [v for v in field.validators if isinstance(v, validate.OneOf | validate.Regexp)]
    return type(field)(validate=kept, metadata={**field.metadata, "description": text})


def _place_id(text: Any) -> str:
    """Return the id of a place as it came in a cursor, once it is sure to be one."""
    if not (isinstance(text, str) and PLACE_ID.fullmatch(text)):
        raise ValueError(text)
    return text


class Query(Schema):
    """What takes no parameters at all."""

    class Meta:
        """An unknown parameter is an error: `contry=IRQ` is not to answer with the world."""

        unknown = RAISE


class DataQuery(Query):
    """What a resource takes that is for machines only."""

    f = format_of("json")


class FormatQuery(Query):
    """What every document takes."""

    f = format_of("json", "html")


class FeatureQuery(FormatQuery):
    """What one feature takes."""

    f = format_of("json", "geojson", "html")
    crs = Crs(
        list(SYSTEMS),
        load_default=CRS84,
        metadata=says(
            "The coordinate reference system of the answer; its coordinates are in the order of"
            " the system's axes, so that `EPSG/0/4326` is latitude, longitude."
        ),
    )


def _as_of() -> sight.AsOf:
    """Return the query parameter that asks for the past."""
    return sight.AsOf(
        metadata=says(
            "The events as they were at a head, which the link `cite-as` of every page names, or"
            " at an instant: the same for ever.",
            example="2026-02-04T12:00:00Z",
        )
    )


class EventQuery(FeatureQuery):
    """What one event takes."""

    geometry = Text(
        validate=validate.OneOf(["point", "footprint", "exact"]),
        load_default="point",
        metadata=says(
            "`point`: the representative point; `footprint`: the ground it may have happened on;"
            " `exact`: where it really was, for keys that may read what is restricted, and not with"
            " `as_of`."
        ),
    )
    as_of = _as_of()


class ListQuery(FormatQuery):
    """What a list takes whose entries are numbered, the highest first."""

    limit = Whole(
        load_default=LIMIT_DEFAULT,
        validate=validate.Range(min=1),
        metadata=says("The most entries; more than 1,000 means 1,000.", maximum=1000),
    )
    cursor = Whole(
        validate=validate.Range(min=1, max=2**63 - 1),
        metadata=says("Where to go on: copied from a `next` link."),
    )


class DeleteQuery(Query):
    """What deleting takes."""

    erase = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata=says("Whether to erase its past too, for good; for administrators."),
    )


class SchemaQuery(FormatQuery):
    """What the schema of events takes."""

    type = Text(
        validate=validate.OneOf(["create", "replace"]),
        metadata=says("`create`, `replace`: the schema of what is to be sent for that."),
    )


class Filters(Query):
    """What narrows down which features are meant."""

    #: Whose queryables a filter may name.
    collection: ClassVar[str]

    bbox = BBox(
        metadata=says("Only what is in this box, or without a place: `west,south,east,north`.")
    )
    bbox_crs = Crs(
        list(SYSTEMS),
        data_key="bbox-crs",
        load_default=CRS84,
        metadata=says(
            "The coordinate reference system of `bbox`, whose numbers are in the order of its axes."
        ),
    )
    near = Text(
        metadata=says(
            "Only what is within `radius_km` of this place: `longitude,latitude`, a name, a phrase"
            " such as `the Jordan–Syria border`, or `place:ID`.",
            example="Palmyra, Syria",
        )
    )
    radius_km = Number(
        validate=validate.Range(min=0.001, max=WIDEST_KM),
        metadata=says(f"How far from `near`, in kilometres; {RADIUS_KM} if it is not given."),
    )
    within = Text(
        metadata=says(
            "Only what is in this place, which has an area: a name, a phrase such as"
            " `southern Lebanon`, or `place:ID`.",
            example="Anbar",
        )
    )
    filter = Text(
        metadata=says(
            "Only what this filter is true of, in the language of `filter-lang`.",
            example="fatalities_best > 10 AND country IN ('IRQ', 'SYR')",
        )
    )
    filter_lang = Text(
        data_key="filter-lang",
        validate=validate.OneOf(cql2.DIALECTS),
        load_default="cql2-text",
        metadata=says("The language of `filter`: CQL2 as text or JSON, or what GDAL speaks."),
    )
    filter_crs = Crs(
        list(SYSTEMS),
        data_key="filter-crs",
        load_default=CRS84,
        metadata=says("The coordinate reference system of the geometries in `filter`."),
    )
    datetime = Interval(
        metadata=says(
            "Only what meets this instant or interval, or is without a time:"
            " `2024-02-04`, `2024-01-15/2024-01-31`, `2024-02-04/..`."
        )
    )


class PageQuery(FeatureQuery, Filters):
    """What every list of features takes."""

    f = format_of("json", "geojson", "html", *FILES)
    limit = Whole(
        load_default=LIMIT_DEFAULT,
        validate=validate.Range(min=1),
        metadata=says(
            "The most features in one page; more than 10,000 means 10,000, in HTML 1,000. A file"
            " has all features if it is asked for without a limit.",
            maximum=LIMIT_MAXIMUM,
        ),
    )
    cursor = Cursor(metadata=says("Where to go on: copied from a `next` link."))
    skipGeometry = fields.Boolean(  # noqa: N815 - the standard's spelling
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata=says("Whether to answer without geometries."),
    )
    resultType = Text(  # noqa: N815 - the standard's spelling
        validate=validate.OneOf(["results", "hits"]),
        load_default="results",
        metadata=says("`hits`: only their exact number."),
    )


def _order(keys: Iterable[str], default: str) -> Order:
    return Order(
        list(keys),
        load_default=default,
        metadata=says("The order: a key, with `-` before it for the highest first."),
    )


def _choice(names: Iterable[str]) -> NameList:
    return NameList(list(names), metadata=says("The properties to answer with."))


class _EventFilters(Filters):
    collection = "events"
    certainty = Text(
        validate=validate.OneOf(CERTAINTIES),
        load_default="reported",
        metadata=says(
            "How sure place and time have to be. `reported`: the point is in the region, and the"
            " interval meets the period. `possible`: the footprint meets the region. `certain`:"
            " footprint and interval lie wholly in them."
        ),
    )
    properties = _choice(PROPERTIES)
    as_of = _as_of()


class _ItemsQuery(PageQuery, EventQuery, _EventFilters):
    sortby = _order(SORTABLES, "-starts_on")


class _ChangesQuery(EventQuery, _EventFilters):
    class Meta(Query.Meta):
        """The feed tells what there is now."""

        exclude = ("as_of",)

    f = format_of("json", "html")
    geometry = Text(
        validate=validate.OneOf(["point", "footprint"]),
        load_default="point",
        metadata=says(
            "`point`: the representative point; `footprint`: the ground it may have happened on."
        ),
    )
    limit = Whole(
        load_default=LIMIT_DEFAULT,
        validate=validate.Range(min=1),
        metadata=says(
            "The most changes to look at for one page; more than 10,000 means 10,000, in HTML 100.",
            maximum=LIMIT_MAXIMUM,
        ),
    )
    cursor = FeedCursor(
        metadata=says("Where to go on: `next` of the page before, or what a `monitor` link has.")
    )
    wait = Whole(
        load_default=0,
        validate=validate.Range(min=0, max=LONGEST_WAIT_S),
        metadata=says(
            "For how many seconds the answer may wait for a change, if there is none yet."
        ),
    )


class _TileQuery(_EventFilters):
    f = format_of("mvt")


class _TilesetQuery(_EventFilters):
    f = format_of("json", "html", "tilejson")


class _PlacesQuery(PageQuery):
    collection = "places"
    cursor = Cursor(_place_id, metadata=says("Where to go on: copied from a `next` link."))
    sortby = _order(PLACE_SORTABLES, "-population")
    properties = _choice(PLACE_PROPERTIES)


_OF_EVENTS = {name: _filter(PROPERTIES[name]) for name in SCALARS}
ItemsQuery = _ItemsQuery.from_dict(_OF_EVENTS, name="ItemsQuery")
ChangesQuery = _ChangesQuery.from_dict(_OF_EVENTS, name="ChangesQuery")
TileQuery = _TileQuery.from_dict(_OF_EVENTS, name="TileQuery")
TilesetQuery = _TilesetQuery.from_dict(_OF_EVENTS, name="TilesetQuery")
PlacesQuery = _PlacesQuery.from_dict(
    {name: _filter(PLACE_PROPERTIES[name]) for name in PLACE_SCALARS}, name="PlacesQuery"
)


@cache
def made(schema: type[Schema]) -> Schema:
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
    asked: dict[str, Any] = made(schema).load(values)
    if "limit" in asked:
        maximum = made(schema).fields["limit"].metadata["maximum"]
        asked["limit"] = min(asked["limit"], maximum)
    position = asked.get("cursor")
    if isinstance(position, Position) and position.order != asked["sortby"]:
        raise ValidationError({"cursor": ["belongs to another order: keep sortby as it was."]})
    if "radius_km" in asked and "near" not in asked:
        raise ValidationError({"radius_km": ["says how far from `near`, which is missing."]})
    if "filter" in asked:
        collection = made(schema).collection  # type: ignore[attr-defined] # Filters has it
        asked = filtering.narrowed(asked, collection)
    if "bbox" in asked:
        asked["region"] = asked["bbox"]
    return asked
