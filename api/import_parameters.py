"""What may be decided of an import that is sent over HTTP."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Text
from api.importers import FORMATS
from api.jobs.kinds import errors
from api.parameters import Query
from api.schemas import says


def _flag(text: str, *, default: bool = False) -> fields.Boolean:
    return fields.Boolean(
        truthy={"true"}, falsy={"false"}, load_default=default, metadata=says(text)
    )


class ImportQuery(Query):
    """What an import takes besides its files: what `hudna import` has as options."""

    format = Text(
        required=True,
        validate=validate.OneOf([*FORMATS]),
        metadata=says("What the files are.", example="ucdp"),
        error_messages={"required": "is required."},
    )
    name = Text(
        validate=validate.Length(1, 200),
        load_default="upload",
        metadata=says(
            "The name of a file that is the body itself; a release may stand in it.",
            example="GEDEvent_v25_1.csv",
        ),
    )
    release = Text(
        validate=validate.Length(1, 100),
        metadata=says("Such as 25.1; if not given, what the name of each file says."),
    )
    dataset = Text(
        validate=validate.Length(1, 200),
        metadata=says("Of `csv` and `geojson`: the name of the data set."),
    )
    visibility = Text(
        validate=validate.OneOf(["public", "restricted"]),
        metadata=says(
            "Who may see the events; if not given, of `acled` `restricted`, of others `public`."
        ),
    )
    roots = Text(
        validate=validate.Length(1, 100),
        metadata=says("Of `gdelt`: the CAMEO roots to load; if not given, `18,19,20`."),
    )
    lenient = _flag("Whether to load the good rows even if there are bad ones.")
    replace = _flag("Whether the files are the whole of their data set: delete what they lack.")
    force = _flag("With `replace`: even if that is more than a fifth.")
    places = _flag("Whether to complete places out of the gazetteer.", default=True)

    @validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what does not go together."""
        wrong = errors(data["format"], data)
        if wrong:
            raise ValidationError(wrong)
