"""Writing CQL2 text (OGC 21-065r2, 8.2 and Annex B)."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from api.cql2 import geometries, literals
from api.cql2.nodes import (
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

#: How tightly each binds: what is looser than its place wants stands in parentheses.
OR, AND, NOT, PREDICATE, SUM, TERM, POWER, FACTOR = range(8)
LEVELS = {"+": SUM, "-": SUM, "*": TERM, "/": TERM, "%": TERM, "div": TERM, "^": POWER}
#: What can be written without quotes: a subset of the standard's identifiers, not the words.
PLAIN = re.compile(r"[A-Za-z_][A-Za-z_0-9.]*", re.ASCII)
WORDS = {"and", "between", "div", "false", "in", "is", "like", "not", "null", "or", "true"}


class Phrase(NamedTuple):
    """A part of the text, and how tightly it binds."""

    text: str
    level: int = FACTOR

    def at(self, level: int) -> str:
        """Return the text for a place that wants `level`, or tighter."""
        return self.text if self.level >= level else f"({self.text})"


Phrases = list[Phrase]
Writer = Callable[[Any, Phrases], Phrase]


def write(node: Node) -> str:
    """Return `node` as CQL2 text, which is read as an equal node.

    Where a text cannot tell one item in parentheses from a list of one, as among the arguments of
    a function, it is read as the item.
    """
    return fold(
        node, lambda part: part.parts, lambda part, inner: WRITERS[type(part)](part, inner)
    ).text


def _not(node: Not, inner: Phrases) -> Phrase:
    if isinstance(node.operand, IsNull):
        return Phrase(inner[0].text.removesuffix("NULL") + "NOT NULL", PREDICATE)
    return Phrase(f"NOT {inner[0].at(PREDICATE)}", NOT)


def _test(template: str) -> Writer:
    """Return what writes a predicate with its operands in place of each `{}`."""
    return lambda _, inner: Phrase(template.format(*(part.at(SUM) for part in inner)), PREDICATE)


def _in(_: In, inner: Phrases) -> Phrase:
    return Phrase(f"{inner[0].at(SUM)} IN ({_list(inner[1:])})", PREDICATE)


def _compare(node: Compare, inner: Phrases) -> Phrase:
    return Phrase(f"{inner[0].at(SUM)} {node.op} {inner[1].at(SUM)}", PREDICATE)


def _arithmetic(node: Arithmetic, inner: Phrases) -> Phrase:
    level = LEVELS[node.op]
    left = inner[0].at(FACTOR if node.op == "^" else level)
    return Phrase(f"{left} {node.op} {inner[1].at(level + 1)}", level)


def _named(node: Relation | Insensitive, inner: Phrases) -> Phrase:
    return Phrase(f"{node.op.upper()}({', '.join(part.at(SUM) for part in inner)})")


def _interval(_: Interval, inner: Phrases) -> Phrase:
    bare = (re.sub(r"^(?:DATE|TIMESTAMP)\(('[^']*')\)$", r"\1", part.text) for part in inner)
    return Phrase(f"INTERVAL({', '.join(bare)})")


def _property(node: Property, _: Phrases) -> Phrase:
    plain = PLAIN.fullmatch(node.name) and node.name.lower() not in WORDS
    return Phrase(node.name if plain else '"' + node.name.replace('"', '""') + '"')


def _list(inner: Phrases) -> str:
    return ", ".join(part.text for part in inner)


WRITERS: dict[type[Node], Writer] = {
    Or: lambda _, inner: Phrase(" OR ".join(part.at(AND) for part in inner), OR),
    And: lambda _, inner: Phrase(" AND ".join(part.at(NOT) for part in inner), AND),
    Not: _not,
    Compare: _compare,
    Like: _test("{} LIKE {}"),
    Between: _test("{} BETWEEN {} AND {}"),
    IsNull: _test("{} IS NULL"),
    In: _in,
    Arithmetic: _arithmetic,
    Relation: _named,
    Insensitive: _named,
    Call: lambda node, inner: Phrase(f"{node.name}({_list(inner)})"),
    Array: lambda _, inner: Phrase(f"({_list(inner)})"),
    Interval: _interval,
    Property: _property,
    Text: lambda node, _: Phrase(literals.escaped(node.value)),
    Number: lambda node, _: Phrase(str(node.value)),
    Boolean: lambda node, _: Phrase(str(node.value).upper()),
    Date: lambda node, _: Phrase(f"DATE('{node.value.isoformat()}')"),
    Timestamp: lambda node, _: Phrase(f"TIMESTAMP('{literals.rfc3339(node.value)}')"),
    Open: lambda _, __: Phrase("'..'"),
    Geometry: lambda node, _: Phrase(geometries.wkt(node.value)),
    Box: lambda node, _: Phrase(f"BBOX({', '.join(map(repr, node.corners))})"),
}
