"""The shape of what is told of imports (OGC API - Processes 1.0, 7.12), for openapi.yaml."""

from marshmallow import Schema, fields, validate

from api.documents import Link
from api.schemas import says


class ImportBrief(Schema):
    """What a list tells of an import."""

    jobID = fields.UUID(required=True)  # noqa: N815 -- the standard's spelling
    type = fields.String(required=True, validate=validate.Equal("process"))
    format = fields.String(required=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf(["accepted", "running", "successful", "failed", "dismissed"]),
    )
    message = fields.String(required=True, metadata=says("How it goes, or what came of it."))
    progress = fields.Integer(required=True, validate=validate.Range(0, 100))
    actor = fields.String(required=True, metadata=says("The name of the key that sent it."))
    created = fields.AwareDateTime(required=True)
    started = fields.AwareDateTime()
    finished = fields.AwareDateTime()
    updated = fields.AwareDateTime(required=True)
    links = fields.List(fields.Nested(Link), required=True)


class ImportFile(Schema):
    """A file that was sent."""

    number = fields.Integer(required=True)
    role = fields.String(required=True, validate=validate.OneOf(["file", "mapping", "deleted"]))
    name = fields.String(required=True)
    size = fields.Integer(required=True, metadata=says("In bytes."))


class ImportFault(Schema):
    """Something wrong in a row; `line` is that on which the row begins, from 1."""

    file = fields.String(required=True)
    line = fields.Integer(required=True)
    source_id = fields.String(required=True)
    column = fields.String(required=True)
    value = fields.String(required=True)
    message = fields.String(required=True)


class ImportJob(ImportBrief):
    """An import: what was asked, how it goes, and what has come of it."""

    options = fields.Dict(required=True, metadata=says("What was asked besides the files."))
    files = fields.List(fields.Nested(ImportFile), required=True)
    account = fields.Dict(
        metadata=says(
            "What came of it, or would have: how many events are new (`created`), `changed`,"
            " `unchanged`, `gone`, have `moved`, were `redated`, `recoded` or are `back`, how often"
            " each of the `fields` changed, and for those who may see them `examples`."
        )
    )
    exceptions = fields.List(
        fields.Nested(ImportFault), metadata=says("The first of what is wrong; a link has all.")
    )


class ImportJobs(Schema):
    """Imports, the newest first."""

    jobs = fields.List(fields.Nested(ImportBrief), required=True)
    links = fields.List(fields.Nested(Link), required=True)
