"""What the compiler works with: types, what a caller hands in, and pieces of SQL.

A piece is a tuple of pieces, however deep, so that none is copied while they are put together; it
is made flat at the end, once. The words of SQL come from literals of this package, what is between
them from queryables and placeholders: there is no way for text of a filter into a piece.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, LiteralString, TypeAlias

import shapely
from psycopg.sql import SQL, Composable, Placeholder
from shapely.geometry.base import BaseGeometry

from api.cql2.errors import Position

#: A tuple of pieces: mypy cannot be told so.
Piece: TypeAlias = Composable | tuple[Any, ...]


class Type(Enum):
    """The types of CQL2 (OGC 21-065r2, 6.3.1, 7.5.1, 7.8.1, 7.9.1); the value is its name."""

    TEXT = "a text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "a condition"
    DATE = "a day"
    TIMESTAMP = "an instant"
    INTERVAL = "an interval"
    GEOMETRY = "a geometry"
    ARRAY = "an array"


NUMERIC = {Type.INTEGER, Type.NUMBER}
INSTANTS = {Type.DATE, Type.TIMESTAMP}


@dataclass(frozen=True)
class Queryable:
    """A property that filters may name: its type, and the SQL that stands for it.

    An array has items `of` a type. An interval has an `end` besides, and both are `of` DATE or
    TIMESTAMP; an end that is NULL is unknown, one that is `infinity` is open. A TIMESTAMP is a
    timestamptz. A GEOMETRY is in the reference system that the literals are read into.
    """

    type: Type
    sql: Composable
    of: Type | None = None
    end: Composable | None = None


@dataclass(frozen=True)
class Function:
    """A function that filters may call: what it takes, what it returns, and its SQL with holes.

    It must not fail, whatever it is given. An instant comes to it as a timestamp without a zone,
    in UTC.
    """

    takes: tuple[frozenset[Type], ...]
    returns: Type
    sql: LiteralString


@dataclass(frozen=True)
class Reading:
    """How the coordinates of literals are read (OGC 19-079r2, filter-crs).

    `transform` takes a geometry from the reference system of the filter into that of the
    geometries that are stored, whose number is `srid`, and raises ValueError for what has no place
    there. In an `upright` system meridians and parallels run along the axes: a box may cross the
    antimeridian, and its corners alone are transformed, after which west comes first.
    """

    srid: int = 4326
    transform: Callable[[BaseGeometry], BaseGeometry] | None = None
    upright: bool = True


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a filter whose type is known: a literal with a `value`, or else a piece of SQL.

    `exact`: it is a numeric already. Of an interval there are `ends`, of an array of literals
    `items`; an end that is open has neither value nor SQL.
    """

    at: Position
    type: Type
    sql: Piece | None = None
    value: Any = None
    of: Type | None = None
    exact: bool = False
    ends: tuple["Term", "Term"] | None = None
    items: tuple["Term", ...] | None = None

    @property
    def literal(self) -> bool:
        """Whether it was written in the filter, as a value."""
        return self.sql is None and self.value is not None

    @property
    def open(self) -> bool:
        """Whether it is an end that is none."""
        return (self.sql, self.value, self.ends, self.items) == (None, None, None, None)


def fill(template: LiteralString, *holes: Piece) -> Piece:
    """Return `template` with a piece in place of each `{}`."""
    words = template.split("{}")
    parts: list[Piece] = [SQL(words[0])]
    for hole, word in zip(holes, words[1:], strict=True):
        parts += [hole, SQL(word)]
    return tuple(parts)


def joined(sign: LiteralString, pieces: list[Piece]) -> Piece:
    """Return `pieces` in parentheses, with `sign` between them."""
    parts: list[Piece] = [SQL("("), pieces[0]]
    for piece in pieces[1:]:
        parts += [SQL(sign), piece]
    return (*parts, SQL(")"))


def flat(piece: Piece) -> Iterator[Composable]:
    """Yield what `piece` is made of, in order."""
    waiting = [piece]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(reversed(part))
        else:
            yield part


#: How a literal is bound: a number as psycopg finds best, so that an index on integers serves.
CASTS: dict[Type, LiteralString] = {
    Type.TEXT: "{}::text",
    Type.INTEGER: "{}",
    Type.NUMBER: "{}",
    Type.DATE: "{}::date",
    Type.TIMESTAMP: "{}::timestamptz",
    Type.GEOMETRY: "ST_GeomFromEWKB({})",
}


class Values:
    """The values that a statement binds, by names that begin with a prefix."""

    def __init__(self, prefix: str, srid: int) -> None:
        self.prefix, self.srid = prefix, srid
        self.bound: dict[str, Any] = {}

    def bind(self, value: Any, template: LiteralString = "{}") -> Piece:
        """Return a placeholder for `value`, within `template`."""
        name = f"{self.prefix}{len(self.bound)}"
        self.bound[name] = value
        return fill(template, Placeholder(name))

    def sql(self, term: Term) -> Piece:
        """Return the SQL of `term`; a literal is bound."""
        if term.sql is not None:
            return term.sql
        if term.type is Type.BOOLEAN:
            return SQL("TRUE") if term.value else SQL("FALSE")
        value = term.value
        if term.type is Type.GEOMETRY:
            value = shapely.to_wkb(shapely.set_srid(value, self.srid), include_srid=True)
        return self.bind(value, CASTS[term.type])
