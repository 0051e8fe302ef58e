"""The shapes of the documents about tiles, for openapi.yaml; no answer is made through them."""

from marshmallow import Schema, fields, validate

from api.documents import URI, Link
from api.schemas import says


class TileMatrix(Schema):
    """One zoom of a tile matrix set (OGC 17-083r4)."""

    id = fields.String(required=True)
    scaleDenominator = fields.Float(required=True)  # noqa: N815 - the standard's spelling
    cellSize = fields.Float(required=True, metadata=says("In metres."))  # noqa: N815 - the same
    cornerOfOrigin = fields.String()  # noqa: N815 - the same
    pointOfOrigin = fields.List(  # noqa: N815 - the same
        fields.Float(), required=True, validate=validate.Length(equal=2)
    )
    tileWidth = fields.Integer(required=True)  # noqa: N815 - the same
    tileHeight = fields.Integer(required=True)  # noqa: N815 - the same
    matrixWidth = fields.Integer(required=True)  # noqa: N815 - the same
    matrixHeight = fields.Integer(required=True)  # noqa: N815 - the same


class TileMatrixSetItem(Schema):
    """A way in which the map is cut into tiles."""

    id = fields.String(required=True)
    title = fields.String()
    uri = URI
    crs = fields.String()
    links = fields.List(fields.Nested(Link), required=True)


class TileMatrixSets(Schema):
    """The ways in which the map is cut into tiles."""

    tileMatrixSets = fields.List(  # noqa: N815 - the standard's spelling
        fields.Nested(TileMatrixSetItem), required=True
    )
    links = fields.List(fields.Nested(Link))


class TileMatrixSet(TileMatrixSetItem):
    """A way in which the map is cut into tiles, defined (OGC 17-083r4)."""

    orderedAxes = fields.List(fields.String())  # noqa: N815 - the standard's spelling
    wellKnownScaleSet = URI  # noqa: N815 - the same
    tileMatrices = fields.List(fields.Nested(TileMatrix), required=True)  # noqa: N815 - the same


class TilesetItem(Schema):
    """A tileset of a list."""

    title = fields.String()
    dataType = fields.String(  # noqa: N815 - the standard's spelling
        required=True, validate=validate.Equal("vector")
    )
    crs = fields.String(required=True)
    tileMatrixSetURI = URI  # noqa: N815 - the same
    links = fields.List(fields.Nested(Link), required=True)


class Tilesets(Schema):
    """The tilesets of a collection."""

    tilesets = fields.List(fields.Nested(TilesetItem), required=True)
    links = fields.List(fields.Nested(Link))


class TileLimits(Schema):
    """The tiles of one zoom outside which there is nothing."""

    tileMatrix = fields.String(required=True)  # noqa: N815 - the standard's spelling
    minTileRow = fields.Integer(required=True)  # noqa: N815 - the same
    maxTileRow = fields.Integer(required=True)  # noqa: N815 - the same
    minTileCol = fields.Integer(required=True)  # noqa: N815 - the same
    maxTileCol = fields.Integer(required=True)  # noqa: N815 - the same


class TileBox(Schema):
    """The box around everything."""

    lowerLeft = fields.List(  # noqa: N815 - the standard's spelling
        fields.Float(), required=True, validate=validate.Length(equal=2)
    )
    upperRight = fields.List(  # noqa: N815 - the same
        fields.Float(), required=True, validate=validate.Length(equal=2)
    )
    crs = fields.String()


class TileLayer(Schema):
    """A layer of the tiles of a tileset."""

    id = fields.String(required=True)
    title = fields.String()
    dataType = fields.String(required=True)  # noqa: N815 - the standard's spelling
    geometryDimension = fields.Integer()  # noqa: N815 - the same
    minTileMatrix = fields.String()  # noqa: N815 - the same
    maxTileMatrix = fields.String()  # noqa: N815 - the same
    propertiesSchema = fields.Dict(  # noqa: N815 - the same
        metadata=says("What the features tell, in JSON Schema.")
    )


class Tileset(TilesetItem):
    """A tileset (OGC 17-083r4)."""

    description = fields.String()
    attribution = fields.String(metadata=says("Whom to credit."))
    tileMatrixSetLimits = fields.List(fields.Nested(TileLimits))  # noqa: N815 - the standard's
    boundingBox = fields.Nested(TileBox)  # noqa: N815 - the standard's spelling
    layers = fields.List(fields.Nested(TileLayer), required=True)


class VectorLayer(Schema):
    """A layer of vector tiles."""

    id = fields.String(required=True)
    description = fields.String()
    minzoom = fields.Integer()
    maxzoom = fields.Integer()
    fields_ = fields.Dict(
        data_key="fields", required=True, metadata=says("What the features tell, described.")
    )


class TileJSON(Schema):
    """A tileset as TileJSON 3.0.0."""

    tilejson = fields.String(required=True, validate=validate.Equal("3.0.0"))
    name = fields.String()
    description = fields.String()
    attribution = fields.String(metadata=says("Whom to credit."))
    scheme = fields.String()
    tiles = fields.List(
        fields.String(), required=True, metadata=says("Addresses of tiles, as templates.")
    )
    minzoom = fields.Integer()
    maxzoom = fields.Integer()
    bounds = fields.List(fields.Float(), validate=validate.Length(equal=4))
    vector_layers = fields.List(fields.Nested(VectorLayer), required=True)
