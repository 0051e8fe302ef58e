"""Forms for the parameters of a resource, as the contract describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api import openapi
from geo.systems import SYSTEMS

#: What most people ask for: a form begins with these, and keeps the others folded up.
FIRST = [
    *("q", "near", "radius_km", "within", "datetime", "event_type", "kind", "name", "country"),
    *("status", "lat", "lon", "sortby", "limit"),
]
#: What no form has a field for: the format is negotiated, and a cursor belongs to one question.
NEVER = {"f", "cursor"}


@dataclass(frozen=True)
class Field:
    """A field of a form: `kind` is a type of `<input>`, or `select`."""

    name: str
    text: str
    kind: str
    value: str
    hint: str
    #: Values and what they are called.
    choices: list[tuple[str, str]]
    least: float | None


@dataclass(frozen=True)
class Form:
    """The fields that are in sight, and those that are folded up."""

    first: list[Field]
    others: list[Field]
    #: Whether one of the folded ones has been filled in.
    is_open: bool


def names(rule: str) -> set[str]:
    """Return the names of the fields that the form of a route has."""
    return {each["name"] for each in openapi.parameters(rule)} - NEVER


def form(rule: str, values: Mapping[str, str]) -> Form | None:
    """Return the form for the resource at a route, filled in; None: it takes no parameters."""
    made = {
        each["name"]: _field(each, values.get(each["name"], ""))
        for each in openapi.parameters(rule)
        if each["name"] not in NEVER
    }
    if not made:
        return None
    first = [made.pop(name) for name in FIRST if name in made]
    others = list(made.values())
    return Form(first, others, any(each.value for each in others))


def _field(parameter: dict[str, Any], value: str) -> Field:
    schema = parameter["schema"]
    choices = schema.get("enum", [])
    kind = "select" if choices else _KINDS.get(schema.get("format", schema["type"]), "text")
    if schema["type"] == "boolean":
        kind, choices = "select", ["true", "false"]
    hint = schema.get("default", schema.get("example", ""))
    hint = SYSTEMS[hint].name if hint in SYSTEMS else hint
    return Field(
        name=parameter["name"],
        text=parameter["description"],
        kind=kind,
        value=value,
        hint=str(hint).lower() if isinstance(hint, bool) else str(hint),
        choices=[(each, SYSTEMS[each].name if each in SYSTEMS else each) for each in choices],
        least=schema.get("minimum"),
    )


_KINDS = {"integer": "number", "number": "number", "date": "date"}
