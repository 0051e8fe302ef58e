"""The questions that geocoding takes: one in an address, or many in a body."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from api.fields import LonLat, Number, Text, Whole
from api.parameters import FormatQuery, format_of
from api.schemas import says
from geo.countries import countries

#: Questions in one batch.
MOST = 10_000


def _known_country(code: str) -> None:
    if code not in countries():
        raise ValidationError("is no code of ISO 3166-1 alpha-3.")


class GeocodeQuery(FormatQuery):
    """What geocoding takes: a name or a phrase, or a point."""

    f = format_of("json", "geojson", "html")
    q = Text(
        validate=validate.Length(max=300),
        metadata=says(
            "A name, or a phrase such as `40 km north-west of Deir ez-Zor`.", example="Rutba, Anbar"
        ),
    )
    lat = Number(
        validate=validate.Range(min=-90, max=90), metadata=says("The latitude of a point to name.")
    )
    lon = Number(validate=validate.Range(min=-180, max=180), metadata=says("Its longitude."))
    country = Text(
        validate=[validate.Regexp(r"^[A-Z]{3}$"), _known_country],
        metadata=says("The country in which to look, in ISO 3166-1 alpha-3.", example="SYR"),
    )
    focus = LonLat(
        metadata=says("A point, `longitude,latitude`: of several places the nearer are likelier.")
    )
    limit = Whole(
        load_default=10,
        validate=validate.Range(min=1),
        metadata=says("The most candidates; more than 50 means 50.", maximum=50),
    )
    geometry = Text(
        validate=validate.OneOf(["point", "footprint"]),
        load_default="point",
        metadata=says("`footprint`: the ground that is meant, instead of its point."),
    )


class GeocodeBatch(Schema):
    """Many questions at once: names and phrases, or points."""

    class Meta:
        """A slip of the pen is not to be lost in silence."""

        unknown = RAISE

    q = fields.List(
        fields.String(validate=validate.Length(min=1, max=300)),
        validate=validate.Length(min=1, max=MOST),
        metadata=says("Names and phrases; each has a feature in the answer, in the same order."),
    )
    points = fields.List(
        fields.Tuple(
            (
                fields.Float(validate=validate.Range(min=-180, max=180)),
                fields.Float(validate=validate.Range(min=-90, max=90)),
            )
        ),
        validate=validate.Length(min=1, max=MOST),
        metadata=says("Points, `[longitude, latitude]`, to be named; instead of `q`."),
    )
    country = fields.String(
        validate=[validate.Regexp(r"^[A-Z]{3}$"), _known_country],
        metadata=says("The country in which to look, in ISO 3166-1 alpha-3."),
    )
    focus = fields.Tuple(
        (
            fields.Float(validate=validate.Range(min=-180, max=180)),
            fields.Float(validate=validate.Range(min=-90, max=90)),
        ),
        metadata=says(
            "A point, `[longitude, latitude]`: the nearer of several places is likelier."
        ),
    )
    typos = fields.Boolean(
        load_default=False,
        metadata=says(
            "Whether to look for mistyped names too, which takes some hundred times as long."
        ),
    )
    geometry = fields.String(
        validate=validate.OneOf(["point", "footprint"]),
        load_default="point",
        metadata=says("`footprint`: the ground that is meant, instead of its point."),
    )

    @validates_schema
    def one_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a body with both kinds of question, or with none."""
        if ("q" in data) == ("points" in data):
            raise ValidationError("must have either `q` or `points`.")
