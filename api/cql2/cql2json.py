"""Reading and writing CQL2 JSON (OGC 21-065r2, 8.3)."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from api.cql2 import geometries, literals
from api.cql2.errors import LIMITS, Cql2Error, Limits, Position, checked, within
from api.cql2.nodes import (
    ARITHMETIC,
    COMPARISONS,
    INSENSITIVE,
    RELATIONS,
    And,
    Arithmetic,
    Array,
    Between,
    Boolean,
    Box,
    Call,
    Compare,
    Date,
    Geometry,
    In,
    Insensitive,
    Interval,
    IsNull,
    Like,
    Node,
    Not,
    Number,
    Open,
    Or,
    Property,
    Relation,
    Text,
    Timestamp,
    fold,
)

#: The operators by name: how many arguments each takes, and what it is made to.
OPERATORS: dict[str, tuple[int, Callable[[str, list[Any], Position], Node]]] = {
    "not": (1, lambda _, args, at: Not(*args, at=at)),
    "like": (2, lambda _, args, at: Like(*args, at=at)),
    "between": (3, lambda _, args, at: Between(*args, at=at)),
    "in": (2, lambda _, args, at: In(args[0], _items(args[1]), at=at)),
    "isNull": (1, lambda _, args, at: IsNull(*args, at=at)),
    **dict.fromkeys(COMPARISONS, (2, lambda op, args, at: Compare(op, *args, at=at))),
    **dict.fromkeys(ARITHMETIC, (2, lambda op, args, at: Arithmetic(op, *args, at=at))),
    **dict.fromkeys(INSENSITIVE, (1, lambda op, args, at: Insensitive(op, *args, at=at))),
    **dict.fromkeys(RELATIONS, (2, lambda op, args, at: Relation(op, *args, at=at))),
}
Writer = Callable[[Any, list[Any]], Any]
SEVERAL: dict[str, type[And | Or]] = {"and": And, "or": Or}


class Item(NamedTuple):
    """A value of the JSON, where it stands, how deep, and whether it ends an interval."""

    value: Any
    pointer: str
    depth: int
    bound: bool = False

    @property
    def at(self) -> Position:
        """The place, for errors."""
        return Position(pointer=self.pointer)

    def refused(self, message: str) -> NoReturn:
        """Raise Cql2Error: here is something wrong."""
        raise Cql2Error(message, self.at)

    def inner(self, name: str, values: Any, *, bound: bool = False) -> "list[Item]":
        """Return the `values` of the member `name`, which is to be a list."""
        if not isinstance(values, list):
            self.refused(f"{name!r} is a list.")
        path = f"{self.pointer}/{name}" if name else self.pointer
        return [Item(v, f"{path}/{i}", self.depth + 1, bound) for i, v in enumerate(values)]


def read(text: str, limits: Limits = LIMITS) -> Node:
    """Return what the JSON `text` says.

    Raises:
        Cql2Error: it is no CQL2, or is larger than `limits`.
    """
    try:
        value = json.loads(
            checked(text, limits),
            parse_int=lambda digits: literals.number(digits).value,
            parse_float=lambda digits: literals.number(digits).value,
            parse_constant=_refused_constant,
        )
    except RecursionError:
        raise Cql2Error(f"The filter nests deeper than {limits.depth} levels.") from None
    except json.JSONDecodeError as error:
        at = Position(error.pos, error.lineno, error.colno)
        raise Cql2Error(f"This is no JSON: {error.msg}.", at) from None
    return fold(Item(value, "", 1), _Meter(limits).parts, _node)


def _refused_constant(name: str) -> NoReturn:
    raise Cql2Error(f"{name} is no finite number.")


class _Meter:
    """What has been met of a filter, so that it keeps within its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.nodes = self.vertices = self.arithmetic = 0

    def parts(self, item: Item) -> list[Item]:
        """Return the values in `item` that are filters themselves."""
        self.nodes += 1
        within("values", self.nodes, self.limits.nodes, item.at)
        within("operators in one another", item.depth, self.limits.depth, item.at)
        inner = self._inner(item)
        within("items in a list", len(inner), self.limits.items, item.at)
        return inner

    def _inner(self, item: Item) -> list[Item]:
        match item.value:
            case list(values):
                return item.inner("", values)
            case {"op": str(op), **rest}:
                self.arithmetic += op in ARITHMETIC
                within("operators of arithmetic", self.arithmetic, self.limits.arithmetic, item.at)
                return item.inner("args", rest.get("args"))
            case {"interval": ends}:
                return item.inner("interval", ends, bound=True)
            case {"coordinates": _} | {"geometries": _}:
                self.vertices += _positions(item.value)
                within("positions", self.vertices, self.limits.vertices, item.at)
        return []


def _positions(geometry: Any) -> int:
    """Return how many lists there are in a geometry: no less than positions."""
    count, waiting = 0, [geometry]
    while waiting:
        match waiting.pop():
            case list(values) | {"coordinates": list(values)} | {"geometries": list(values)}:
                count += 1
                waiting.extend(values)
    return count


def _node(item: Item, inner: list[Node]) -> Node:
    """Return the node of a value whose parts are read."""
    match item.value:
        case {"op": str(op)}:
            return _operation(item, op, inner)
        case {"property": str(name)}:
            return Property(_storable(name, item), at=item.at)
        case str(text) if item.bound:
            return literals.bound(text, item.at)
        case _ if item.bound:
            item.refused("An interval has two ends: instants, '..', properties or functions.")
        case list():
            return Array(tuple(inner), at=item.at)
        case dict():
            return _literal(item, inner)
    return _scalar(item)


def _scalar(item: Item) -> Node:
    match item.value:
        case str(text):
            return Text(_storable(text, item), at=item.at)
        case bool(truth):
            return Boolean(truth, at=item.at)
        case None:
            item.refused("null is no value; there is isNull.")
    return literals.number(str(item.value), item.at)


def _operation(item: Item, op: str, args: list[Node]) -> Node:
    if op in SEVERAL:
        if len(args) < 2:
            item.refused(f"{op!r} has two arguments or more.")
        return SEVERAL[op](tuple(args), at=item.at)
    if op not in OPERATORS:
        return Call(_storable(op, item), tuple(args), at=item.at)
    count, make = OPERATORS[op]
    if len(args) != count:
        item.refused(f"{op!r} has {count} arguments, not {len(args)}.")
    return make(op, args, item.at)


def _items(listed: Node) -> tuple[Node, ...]:
    if not (isinstance(listed, Array) and listed.items):
        raise Cql2Error("'in' has a list of one item or more.", listed.at)
    return listed.items


def _literal(item: Item, inner: list[Node]) -> Node:
    """Return a time or a geometry (6.3.1, 7.5.1, 7.6.1, 7.8.1)."""
    at = item.at
    match item.value:
        case {"date": str(text)}:
            return literals.day(text, at)
        case {"timestamp": str(text)}:
            return literals.instant(text, at)
        case {"interval": list()}:
            if len(inner) != 2:
                item.refused("An interval has two ends.")
            return Interval(*inner, at=at)
        case {"type": str(), **members} if "coordinates" in members or "geometries" in members:
            return Geometry(_geometry(item.value, item), at=at)
        case {"bbox": list(corners)}:
            return Box(geometries.box([_coordinate(c, item) for c in corners], at), at=at)
    return item.refused("This is no operation, property, time or geometry.")


def _geometry(value: Any, item: Item, *, outer: bool = True) -> Any:
    match value:
        case {"type": "GeometryCollection", "geometries": list(parts)} if outer and parts:
            made = [_geometry(part, item, outer=False) for part in parts]
            return geometries.built("GeometryCollection", made, item.at)
        case {"type": str(kind), "coordinates": list(nested)} if kind in geometries.DEPTHS:
            return geometries.made(
                kind, _nested(nested, geometries.DEPTHS[kind] + 1, item), item.at
            )
    return item.refused("This is no geometry of GeoJSON.")


def _nested(value: Any, depth: int, item: Item) -> Any:
    """Return coordinates that are nested as deeply as they should be."""
    if depth == 0:
        return _coordinate(value, item)
    if not isinstance(value, list):
        item.refused("The coordinates are not nested as this geometry needs them.")
    return [_nested(inner, depth - 1, item) for inner in value]


def _coordinate(value: Any, item: Item) -> float:
    if isinstance(value, str | list | dict | bool | None):
        item.refused("A coordinate is a number.")
    return literals.coordinate(str(value), item.at)


def _storable(text: str, item: Item) -> str:
    """Return a text that may have come from escapes, if a database can hold it."""
    try:
        return checked(text, Limits(size=len(text) * 4))
    except Cql2Error as error:
        raise Cql2Error(error.message, item.at) from None


# Writing.


def write(node: Node) -> Any:
    """Return `node` as a value of JSON; read(json.dumps(write(node))) == node.

    But for digits beyond those of a double: JSON's readers and writers have no more.
    """
    return fold(node, lambda part: part.parts, lambda part, inner: WRITERS[type(part)](part, inner))


def _named(op: str) -> Writer:
    return lambda _, args: {"op": op, "args": args}


def _operator(node: Any, args: list[Any]) -> Any:
    return {"op": node.op, "args": args}


def _bare(end: Any) -> Any:
    """Return an end of an interval, which is written without its kind."""
    return end.get("date") or end.get("timestamp") or end if isinstance(end, dict) else end


WRITERS: dict[type[Node], Writer] = {
    Text: lambda node, _: node.value,
    Boolean: lambda node, _: node.value,
    Number: lambda node, _: node.value if isinstance(node.value, int) else float(node.value),
    Date: lambda node, _: {"date": node.value.isoformat()},
    Timestamp: lambda node, _: {"timestamp": literals.rfc3339(node.value)},
    Open: lambda _, __: "..",
    Interval: lambda _, ends: {"interval": [_bare(end) for end in ends]},
    Geometry: lambda node, _: geometries.geojson(node.value),
    Box: lambda node, _: {"bbox": list(node.corners)},
    Array: lambda _, items: items,
    Property: lambda node, _: {"property": node.name},
    Call: lambda node, args: {"op": node.name, "args": args},
    Insensitive: _operator,
    Arithmetic: _operator,
    Compare: _operator,
    Relation: _operator,
    In: lambda _, args: {"op": "in", "args": [args[0], args[1:]]},
    Like: _named("like"),
    Between: _named("between"),
    IsNull: _named("isNull"),
    Not: _named("not"),
    And: _named("and"),
    Or: _named("or"),
}
