"""The shape of what is told of the versions of an event, for openapi.yaml."""

from marshmallow import Schema, fields, validate

from api.documents import Link
from api.schemas import says


class Change(Schema):
    """One field that a version changed."""

    field = fields.String(
        required=True, metadata=says("A property, `geometry`, or `footprint` without its values.")
    )
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class Source(Schema):
    """The import that wrote a version."""

    format = fields.String(required=True)
    release = fields.String(allow_none=True)


class Version(Schema):
    """A version of an event."""

    version = fields.Integer(required=True)
    head = fields.Integer(required=True, metadata=says("The head that it made."))
    at = fields.AwareDateTime(required=True)
    actor = fields.String(allow_none=True, metadata=says("Who wrote it."))
    change = fields.String(required=True, validate=validate.OneOf(["create", "update", "delete"]))
    source = fields.Nested(Source, metadata=says("The import that wrote it."))
    erased = fields.Boolean(metadata=says("Its content has been erased."))
    changes = fields.List(fields.Nested(Change), metadata=says("What it changed."))


class History(Schema):
    """The versions of one event, newest first."""

    id = fields.UUID(required=True)
    versions = fields.List(fields.Nested(Version), required=True)
    links = fields.List(fields.Nested(Link), required=True)
