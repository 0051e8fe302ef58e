"""How the values of a body are read: they have JSON's types, and no others.

Where a query reads text, a body has JSON: `"3"` is no number.
"""

import re
from collections.abc import Iterable
from math import isfinite
from typing import Any

import shapely
from marshmallow import ValidationError, fields
from shapely.geometry.base import BaseGeometry

from api import fields as readers
from api.cql2 import Cql2Error
from api.cql2.geometries import DEPTHS, made

#: Corners of one geometry.
MOST_CORNERS = 10_000

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Text(fields.String):
    """A JSON text that a database can hold."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be text.")
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise ValidationError("must be Unicode text without NUL characters.")
        return value


class Url(Text, fields.URL):
    """The address of a page."""


class Whole(fields.Integer):
    """A JSON number without a fraction."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("must be a whole number.")
        if isinstance(value, float) and not value.is_integer():
            raise ValidationError("must be a whole number.")
        return int(value)


class Number(fields.Float):
    """A JSON number."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        return _number(value)


class Day(fields.Date):
    """A day, ``2024-01-31``; it stays text, as JSON has it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not (isinstance(value, str) and _DAY.fullmatch(value)):
            raise ValidationError("must be a day such as 2024-01-31.")
        if readers.parse_day(value) < readers.BEGINNING:
            raise ValidationError(f"must not be before {readers.BEGINNING.isoformat()}.")
        return value


class Items(fields.List[Any]):
    """A JSON list."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list):
            raise ValidationError("must be a list.")
        return super()._deserialize(value, *args, **kwargs)


class Shape(fields.Field[BaseGeometry]):
    """A GeoJSON geometry of some kinds, well formed, in whatever reference system; no heights."""

    def __init__(self, kinds: Iterable[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = list(kinds)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> BaseGeometry:
        if not isinstance(value, dict) or value.get("type") not in self.kinds:
            raise ValidationError(f"must be a GeoJSON {' or '.join(self.kinds)}.")
        spare = value.keys() - {"type", "coordinates", "bbox"}
        if spare or "coordinates" not in value:
            raise ValidationError("must have coordinates, and nothing else but its type.")
        kind = value["type"]
        nested = _positions(value["coordinates"], DEPTHS[kind])
        try:
            shape = made(kind, nested, None)  # type: ignore[arg-type] # a field knows its place
        except Cql2Error as error:
            raise ValidationError(error.message) from None
        if shapely.get_num_coordinates(shape) > MOST_CORNERS:
            raise ValidationError(f"must have at most {MOST_CORNERS:,} corners.")
        return shapely.force_2d(shape)


def _positions(value: Any, depth: int) -> Any:
    if not isinstance(value, list):
        raise ValidationError("must have lists of numbers as its coordinates.")
    if depth == 0:
        return [_number(each) for each in value]
    return [_positions(each, depth - 1) for each in value]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError("must be a number.")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise ValidationError("must be a finite number.")
    return number
