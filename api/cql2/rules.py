"""What each rule of cql2.lark is made to: nodes, as soon as their parts are read."""

from collections.abc import Callable
from typing import Any

from lark import Token

from api.cql2 import geometries, literals
from api.cql2.errors import Cql2Error, Position
from api.cql2.nodes import (
    RELATIONS,
    And,
    Arithmetic,
    Array,
    Between,
    Boolean,
    Box,
    Call,
    Compare,
    Geometry,
    In,
    Insensitive,
    Interval,
    IsNull,
    Like,
    Node,
    Not,
    Number,
    Or,
    Property,
    Relation,
    Text,
)

#: What a rule has read: nodes, and the words that were not dropped.
Parts = list[Any]
#: What a rule of a geometry makes: where it begins, and what it is.
Shape = tuple[Position, Any]
_RELATIONS = {name.lower(): name for name in RELATIONS}


def at(token: Token) -> Position:
    """Return where a word stands."""
    return Position(token.start_pos, token.line, token.column)


def _like(parts: Parts) -> Node:
    return Like(parts[0], parts[-1], at=at(parts[1]))


def _ilike(parts: Parts) -> Node:
    value, pattern = (Insensitive("casei", part, at=part.at) for part in (parts[0], parts[-1]))
    return Like(value, pattern, at=at(parts[1]))


def _between(parts: Parts) -> Node:
    return Between(parts[0], parts[-2], parts[-1], at=at(parts[1]))


def _within(parts: Parts) -> Node:
    value, word, *items = (part for part in parts if _kind(part) != "NOT")
    return In(value, tuple(items), at=at(word))


def _is_null(parts: Parts) -> Node:
    return IsNull(parts[0], at=at(parts[1]))


def _not(rule: Callable[[Parts], Node]) -> Callable[[Parts], Node]:
    """Return the rule for the same with NOT in it."""
    return lambda parts: Not(rule(parts), at=at(parts[1]))


def _negative(parts: Parts) -> Node:
    sign, operand = parts
    if isinstance(operand, Number):
        return Number(-operand.value, at=at(sign))
    return Arithmetic("*", Number(-1, at=at(sign)), operand, at=at(sign))


def _property(parts: Parts) -> Node:
    name = str(parts[0])
    if name.startswith('"'):
        name = name[1:-1].replace('""', '"')
    return Property(name, at=at(parts[0]))


def _array(parts: Parts) -> Node:
    return Array(tuple(parts), at=parts[0].at) if parts else Array(())


def _interval(parts: Parts) -> Node:
    start, end = (
        literals.bound(literals.unescaped(part), at(part)) if isinstance(part, Token) else part
        for part in parts[1:]
    )
    return Interval(start, end, at=at(parts[0]))


def _box(parts: Parts) -> Node:
    place = at(parts[0])
    return Box(geometries.box(parts[1:], place), at=place)


def _points(parts: Parts) -> Shape:
    name, lines = parts
    lines = lines if isinstance(lines, list) else [lines]
    return _made("MultiPoint", name, [place for line in lines for place in _line(name, line)])


def _rings(parts: Parts) -> Shape:
    name, *nested = parts
    kind = geometries.NAMES[name.upper().removesuffix("Z").rstrip()]
    lines = [[_line(name, ring) for ring in rings] for rings in nested]
    return _made(kind, name, lines if kind == "MultiPolygon" else lines[0])


def _collection(parts: Parts) -> Shape:
    place = at(parts[0])
    inner = [value for _, value in parts[1:]]
    return place, geometries.built("GeometryCollection", inner, place)


def _line(name: Token, positions: Token) -> list[list[float]]:
    """Return the positions of one list; with Z in the `name`, they have heights."""
    place = at(positions)
    line = [
        [literals.coordinate(word, place) for word in position.split()]
        for position in positions.split(",")
    ]
    if name.upper().endswith("Z") and any(len(position) != 3 for position in line):
        raise Cql2Error("After Z, positions have three coordinates.", place)
    return line


def _made(kind: str, name: Token, nested: Any) -> Shape:
    return at(name), geometries.made(kind, nested, at(name))


def _kind(part: Any) -> str | None:
    return part.type if isinstance(part, Token) else None


#: The rules by their names in the grammar.
RULES: dict[str, Callable[[Parts], Any]] = {
    "disjunction": lambda parts: Or(tuple(parts), at=parts[0].at),
    "conjunction": lambda parts: And(tuple(parts), at=parts[0].at),
    "negation": lambda parts: Not(parts[1], at=at(parts[0])),
    "comparison": lambda parts: Compare(str(parts[1]), parts[0], parts[2], at=at(parts[1])),
    "like": _like,
    "not_like": _not(_like),
    "ilike": _ilike,
    "not_ilike": _not(_ilike),
    "between": _between,
    "not_between": _not(_between),
    "within": _within,
    "not_within": _not(_within),
    "is_null": _is_null,
    "is_not_null": _not(_is_null),
    "arithmetic": lambda parts: Arithmetic(parts[1].lower(), parts[0], parts[2], at=at(parts[1])),
    "negative": _negative,
    "positive": lambda parts: parts[1],
    "number": lambda parts: literals.number(str(parts[0]), at(parts[0])),
    "text": lambda parts: Text(literals.unescaped(parts[0]), at=at(parts[0])),
    "truth": lambda parts: Boolean(parts[0].upper() == "TRUE", at=at(parts[0])),
    "property": _property,
    "call": lambda parts: Call(str(parts[0]), tuple(parts[1:]), at=at(parts[0])),
    "array": _array,
    "insensitive": lambda parts: Insensitive(parts[0].lower(), parts[1], at=at(parts[0])),
    "date": lambda parts: literals.day(literals.unescaped(parts[1]), at(parts[1])),
    "timestamp": lambda parts: literals.instant(literals.unescaped(parts[1]), at(parts[1])),
    "interval": _interval,
    "relation": lambda parts: Relation(
        _RELATIONS[parts[0].lower()], parts[1], parts[2], at=at(parts[0])
    ),
    "coordinate": lambda parts: literals.coordinate("".join(parts), at(parts[0])),
    "bbox": _box,
    "geometry": lambda parts: Geometry(parts[0][1], at=parts[0][0]),
    "point": lambda parts: _made("Point", parts[0], _line(*parts)[0]),
    "line": lambda parts: _made("LineString", parts[0], _line(*parts)),
    "points": _points,
    "rings": lambda parts: parts,
    "simple": _rings,
    "collection": _collection,
}
