"""The definition of an event, and of a place of the gazetteer.

`EventProperties` is the one vocabulary: its fields are the columns of the table, the properties of
the GeoJSON, the query parameters, and the components of openapi.yaml.
"""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from api.fields import Day, Instant, Number, Text, Whole
from geo.candidates import Kind
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
PRECISIONS = [precision.value for precision in Precision]
PLACE_KINDS = [*(kind.value for kind in Kind), "border"]

#: How long a text may be, in characters. What is indexed has to fit on a page of its index; sources
#: name sides after all who were on it.
LONGEST = 1000
LENGTHS = {"notes": 100_000, "quote": 10_000, "name": 500, "admin1": 100, "place_name": 300}
LENGTHS |= {"dataset": 63, "source_id": 200}


def longest(name: str) -> int:
    """Return how many characters the text `name` of an event may have."""
    return LENGTHS.get(name, LONGEST)


def says(description: str, **more: Any) -> dict[str, Any]:
    """Return the metadata of a field that is described so.

    Of what else there is, `example` is for openapi.yaml, `role` and `unit` for api/jsonschema.py.
    """
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
    starts_on = Day(
        allow_none=True,
        metadata=says("The earliest day it may have begun, local.", role="primary-interval-start"),
    )
    ends_on = Day(
        allow_none=True,
        metadata=says(
            "The latest day it may have ended, local; null: open.", role="primary-interval-end"
        ),
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
        validate=validate.OneOf(PRECISIONS),
        metadata=says("How exactly the place is known."),
    )
    uncertainty_km = Number(
        allow_none=True,
        validate=validate.Range(min=0),
        metadata=says("How far from the point it may have happened, in kilometres.", unit="km"),
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


class PlaceProperties(Schema):
    """The properties of a place of the gazetteer."""

    kind = Text(
        required=True, validate=validate.OneOf(PLACE_KINDS), metadata=says("What sort of place.")
    )
    name = Text(required=True, metadata=says("The name it is shown by."))
    names = fields.List(Text(), metadata=says("Its other names, in any script."))
    country = Text(
        allow_none=True,
        validate=validate.Regexp(r"^[A-Z]{3}$"),
        metadata=says(
            "The country, in ISO 3166-1 alpha-3; null: in several, or in none.", example="IRQ"
        ),
    )
    admin1 = Text(allow_none=True, metadata=says("The largest division of the country."))
    population = Whole(
        allow_none=True,
        validate=validate.Range(min=1),
        metadata=says("How many live there, of a settlement; null: unknown."),
    )
    geo_precision = Text(
        validate=validate.OneOf(PRECISIONS),
        metadata=says("How exactly a place is known that is given by this name."),
    )
    uncertainty_km = Number(
        validate=validate.Range(min=0),
        metadata=says("How far from its point it may reach, in kilometres.", unit="km"),
    )


PLACE_PROPERTIES: dict[str, fields.Field[Any]] = PlaceProperties().fields
PLACE_SCALARS = [n for n, field in PLACE_PROPERTIES.items() if not isinstance(field, fields.List)]
PLACE_SORTABLES = {"population": "sort_population"}
