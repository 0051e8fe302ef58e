"""The shapes of the documents that go out, for openapi.yaml; no answer is made through them."""

from marshmallow import Schema, fields, validate

from api.schemas import PRECISIONS, EventProperties, PlaceProperties, says
from geo.candidates import Verdict

GEOMETRIES = ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]

URI = fields.String(metadata={"format": "uri"})


class Link(Schema):
    """A link (RFC 8288)."""

    href = fields.String(required=True, metadata=says("Where it leads."))
    rel = fields.String(required=True, metadata=says("What it is to this resource."))
    type = fields.String(metadata=says("The media type found there."))
    title = fields.String(metadata=says("What to call it."))
    templated = fields.Boolean(
        metadata=says("Whether `href` is a template, with names in braces to be filled in.")
    )


class Landing(Schema):
    """The landing page."""

    title = fields.String(required=True)
    description = fields.String()
    attribution = fields.String(metadata=says("Whom to credit."))
    citation = fields.String(metadata=says("How to cite."))
    links = fields.List(fields.Nested(Link), required=True)


class Conformance(Schema):
    """The conformance classes that are met."""

    links = fields.List(fields.Nested(Link), required=True)
    conformsTo = fields.List(URI, required=True)  # noqa: N815 - the standard's spelling


class Argument(Schema):
    """What a function takes at one place."""

    type = fields.List(fields.String(), required=True)


class Function(Schema):
    """A function that filters may call (OGC 19-079r2, 6.5)."""

    name = fields.String(required=True)
    arguments = fields.List(fields.Nested(Argument), required=True)
    returns = fields.List(fields.String(), required=True)


class Functions(Schema):
    """The functions that filters may call."""

    links = fields.List(fields.Nested(Link), required=True)
    functions = fields.List(fields.Nested(Function), required=True)


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


class Geometry(Schema):
    """A geometry (RFC 7946): longitude and latitude in degrees, or what `crs` asks for."""

    type = fields.String(required=True, validate=validate.OneOf(GEOMETRIES))
    coordinates = fields.List(fields.Raw(), required=True)


OUTSIDE = fields.String(
    validate=validate.OneOf(["partly", "wholly"]),
    metadata=says(
        "How much of the geometry is left out, because it lies where the reference system of the"
        " answer is not defined; absent: nothing."
    ),
)


class EventFeature(Schema):
    """An event as a GeoJSON feature (RFC 7946); `properties` may have been chosen from."""

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    id = fields.UUID(required=True, metadata=says("The same in every deployment."))
    geometry = fields.Nested(Geometry, required=True, allow_none=True)
    outside_crs = OUTSIDE
    remarks = fields.List(
        fields.String(), metadata=says("What became of its place, in the answer to a change.")
    )
    properties = fields.Nested(EventProperties(partial=True), required=True)
    links = fields.List(fields.Nested(Link))


class PlaceFeature(Schema):
    """A place of the gazetteer as a GeoJSON feature; its geometry is its outline, line or point."""

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    id = fields.String(required=True, metadata=says("The same with every gazetteer."))
    geometry = fields.Nested(Geometry, required=True, allow_none=True)
    outside_crs = OUTSIDE
    properties = fields.Nested(PlaceProperties(partial=True), required=True)
    links = fields.List(fields.Nested(Link))


class Named(Schema):
    """A place, by its id and its name."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class NearestSettlement(Schema):
    """The nearest settlement of a point."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    country = fields.String(required=True, allow_none=True)
    distance_km = fields.Float(required=True)
    bearing = fields.Integer(
        required=True, metadata=says("From the settlement to the point, clockwise from north.")
    )
    direction = fields.String(required=True, metadata=says("The same, as one of 16 winds."))


class GeocodedProperties(Schema):
    """What there is to say of a place that was asked for."""

    q = fields.String(metadata=says("What was asked, in a batch."))
    name = fields.String()
    label = fields.String(metadata=says("The name with the division and the country around it."))
    kind = fields.String(allow_none=True)
    country = fields.String(allow_none=True)
    admin1 = fields.String(allow_none=True)
    geo_precision = fields.String(allow_none=True, validate=validate.OneOf(PRECISIONS))
    uncertainty_km = fields.Float(allow_none=True)
    verdict = fields.String(
        validate=validate.OneOf([verdict.value for verdict in Verdict]),
        metadata=says("Whether this may be taken for the place that was meant."),
    )
    score = fields.Float(metadata=says("Orders the candidates of one question."))
    chain = fields.List(fields.String(), metadata=says("How it was reached."))
    candidates = fields.List(
        fields.Nested(Named), metadata=says("What the name at the bottom of a phrase may mean.")
    )
    settlement = fields.Nested(NearestSettlement)
    geocoder = fields.String(metadata=says("Who placed it."))
    detail = fields.String(metadata=says("Why there is no place."))


class GeocodedFeature(Schema):
    """A place that was asked for; `id` is that of a place of the gazetteer, if it is one."""

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    id = fields.String()
    geometry = fields.Nested(Geometry, required=True, allow_none=True)
    properties = fields.Nested(GeocodedProperties, required=True)


class _Collection(Schema):
    type = fields.String(required=True, validate=validate.Equal("FeatureCollection"))
    numberMatched = fields.Integer(  # noqa: N815 - the standard's spelling
        metadata=says("How many features there are on all pages; absent: not counted.")
    )
    numberReturned = fields.Integer(  # noqa: N815 - the standard's spelling
        required=True, metadata=says("How many features are in this page.")
    )
    timeStamp = fields.AwareDateTime(  # noqa: N815 - the standard's spelling
        required=True, metadata=says("When it was made; of the past, when that was.")
    )
    links = fields.List(fields.Nested(Link), required=True)


class EventCollection(_Collection):
    """A page of events."""

    head = fields.Integer(metadata=says("The head at which it was made."))
    withheld = fields.Integer(
        metadata=says(
            "How many events of a past head have been restricted or erased since, wherever they"
            " were, and cannot be shown any more."
        )
    )
    features = fields.List(fields.Nested(EventFeature), required=True)


class EventChange(Schema):
    """A change: what an event is now, or that it is gone or out of the filter."""

    op = fields.String(required=True, validate=validate.OneOf(["upsert", "delete"]))
    id = fields.UUID(required=True, metadata=says("Whose change it is."))
    feature = fields.Nested(EventFeature, metadata=says("All of it, with `upsert`."))


class Changes(Schema):
    """A page of the feed of changes; it may be empty, and not the last."""

    changes = fields.List(
        fields.Nested(EventChange), required=True, metadata=says("In the order of the commits.")
    )
    next = fields.String(
        required=True, metadata=says("The cursor to go on with, to be kept with the changes.")
    )
    upToDate = fields.Boolean(  # noqa: N815 - as the standard spells its own
        required=True, metadata=says("Whether that is all there is up to `head`.")
    )
    head = fields.Integer(
        required=True, metadata=says("The number of the last commit that anything was changed by.")
    )
    links = fields.List(fields.Nested(Link), required=True)


class PlaceCollection(_Collection):
    """A page of places."""

    features = fields.List(fields.Nested(PlaceFeature), required=True)


class Geocoded(_Collection):
    """The places that were asked for: the likeliest first or, of a batch, in its order."""

    features = fields.List(fields.Nested(GeocodedFeature), required=True)
    detail = fields.String(metadata=says("Why there is none, or that it is in doubt."))


class Received(Schema):
    """An event that was written."""

    id = fields.UUID(required=True)
    href = fields.String(required=True, metadata=says("Its address."))
    etag = fields.String(required=True, metadata=says("Its version, for If-Match."))
    remarks = fields.List(
        fields.String(), required=True, metadata=says("What became of its place.")
    )


class Receipt(Schema):
    """The events that were written, in the order of the body."""

    events = fields.List(fields.Nested(Received), required=True)


class Candidate(Schema):
    """A place that an ambiguous name may mean."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    score = fields.Float(required=True)


class Fault(Schema):
    """What is wrong with one parameter, or in one place of the body."""

    parameter = fields.String()
    pointer = fields.String(
        metadata=says("A JSON pointer into the body, or into a `filter` that is JSON.")
    )
    offset = fields.Integer(
        metadata=says("Where in a `filter` that is text: how many characters stand before it.")
    )
    line = fields.Integer(metadata=says("The same, as a line of the text; the first is 1."))
    column = fields.Integer(metadata=says("And the character in that line; the first is 1."))
    detail = fields.String(required=True)
    candidates = fields.List(fields.Nested(Candidate))


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True, metadata=says("Which error, as a URI."))
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata=says("What went wrong this time."))
    parameter = fields.String(metadata=says("The first parameter at fault."))
    scope = fields.String(metadata=says("What the key would have to be for."))
    errors = fields.List(fields.Nested(Fault), metadata=says("Everything that is at fault."))
