"""The columns of a copy: the properties of an event, those that are asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from api.schemas import PROPERTIES


def columns(filters: Sequence[tuple[str, str]]) -> dict[str, fields.Field[Any]]:
    """Return the properties that the answers to `filters` have, in their order.

    >>> list(columns([("properties", "country,notes")]))
    ['notes', 'country']
    """
    asked = dict(filters).get("properties")
    names = asked.split(",") if asked else list(PROPERTIES)
    return {name: field for name, field in PROPERTIES.items() if name in names}


def only_points(filters: Sequence[tuple[str, str]]) -> bool:
    """Tell whether every geometry is a point."""
    return dict(filters).get("geometry", "point") == "point"


def row(feature: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the properties `names` of a feature, and its id; what it lacks is None."""
    properties = feature["properties"]
    return {"id": feature["id"], **{name: properties.get(name) for name in names}}
