"""The shapes of the documents that go out, for openapi.yaml; no answer is made through them."""

from marshmallow import Schema, fields, validate

from api.schemas import EventProperties, says

URI = fields.String(metadata={"format": "uri"})


class Link(Schema):
    """A link (RFC 8288)."""

    href = fields.String(required=True, metadata=says("Where it leads."))
    rel = fields.String(required=True, metadata=says("What it is to this resource."))
    type = fields.String(metadata=says("The media type found there."))
    title = fields.String(metadata=says("What to call it."))


class Landing(Schema):
    """The landing page."""

    title = fields.String(required=True)
    description = fields.String()
    attribution = fields.String(metadata=says("Whom to credit."))
    links = fields.List(fields.Nested(Link), required=True)


class Conformance(Schema):
    """The conformance classes that are met."""

    conformsTo = fields.List(URI, required=True)  # noqa: N815 - the standard's spelling


class SpatialExtent(Schema):
    """Boxes around everything."""

    bbox = fields.List(
        fields.List(fields.Float(), validate=validate.Length(min=4, max=6)), required=True
    )
    crs = fields.String(required=True)


class TemporalExtent(Schema):
    """Intervals around everything."""

    interval = fields.List(
        fields.List(fields.AwareDateTime(allow_none=True), validate=validate.Length(equal=2)),
        required=True,
    )
    trs = fields.String(required=True)


class Extent(Schema):
    """The bounds of a collection."""

    spatial = fields.Nested(SpatialExtent)
    temporal = fields.Nested(TemporalExtent)


class Collection(Schema):
    """A collection."""

    id = fields.String(required=True)
    title = fields.String()
    description = fields.String()
    attribution = fields.String(metadata=says("Whom to credit."))
    extent = fields.Nested(Extent)
    itemType = fields.String(required=True)  # noqa: N815 - the standard's spelling
    itemCount = fields.Integer(metadata=says("How many items it has."))  # noqa: N815 - the same
    crs = fields.List(URI, required=True)
    storageCrs = fields.String()  # noqa: N815 - the standard's spelling
    links = fields.List(fields.Nested(Link), required=True)


class Collections(Schema):
    """All collections."""

    collections = fields.List(fields.Nested(Collection), required=True)
    links = fields.List(fields.Nested(Link), required=True)


class PointGeometry(Schema):
    """The representative point, longitude and latitude in degrees."""

    type = fields.String(required=True, validate=validate.Equal("Point"))
    coordinates = fields.List(fields.Float(), required=True, validate=validate.Length(equal=2))


class EventFeature(Schema):
    """An event as a GeoJSON feature (RFC 7946); `properties` may have been chosen from."""

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    id = fields.UUID(required=True, metadata=says("The same in every deployment."))
    geometry = fields.Nested(PointGeometry, required=True, allow_none=True)
    properties = fields.Nested(EventProperties(partial=True), required=True)
    links = fields.List(fields.Nested(Link))


class EventCollection(Schema):
    """A page of events."""

    type = fields.String(required=True, validate=validate.Equal("FeatureCollection"))
    features = fields.List(fields.Nested(EventFeature), required=True)
    numberMatched = fields.Integer(  # noqa: N815 - the standard's spelling
        metadata=says("How many events there are on all pages; absent: not counted.")
    )
    numberReturned = fields.Integer(  # noqa: N815 - the standard's spelling
        required=True, metadata=says("How many features are in this page.")
    )
    timeStamp = fields.AwareDateTime(required=True)  # noqa: N815 - the standard's spelling
    links = fields.List(fields.Nested(Link), required=True)


class InvalidParameter(Schema):
    """What is wrong with one parameter."""

    parameter = fields.String(required=True)
    detail = fields.String(required=True)


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True, metadata=says("Which error, as a URI."))
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata=says("What went wrong this time."))
    parameter = fields.String(metadata=says("The first parameter at fault."))
    errors = fields.List(
        fields.Nested(InvalidParameter), metadata=says("Every parameter at fault.")
    )
