"""What a filter is, once read: one tree for both encodings (OGC 21-065r2, Annex B).

Nodes are values: equal if they say the same, wherever they stood. Nothing here recurses, so that
no filter can overflow a stack.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from shapely.geometry.base import BaseGeometry

from api.cql2.errors import NOWHERE, Position

I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
#: Between geometries (Table 3).
SPATIAL = (
    "s_intersects",
    "s_equals",
    "s_disjoint",
    "s_touches",
    "s_within",
    "s_overlaps",
    "s_crosses",
    "s_contains",
)
#: Between instants or intervals (Table 4).
TEMPORAL = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
#: Between intervals alone (Table 5).
TEMPORAL_INTERVAL = (
    "t_contains",
    "t_during",
    "t_finishedBy",
    "t_finishes",
    "t_meets",
    "t_metBy",
    "t_overlappedBy",
    "t_overlaps",
    "t_startedBy",
    "t_starts",
)
ARRAY = ("a_equals", "a_contains", "a_containedBy", "a_overlaps")
#: The relations by their name in JSON; in text the same in any case.
RELATIONS = (*SPATIAL, *TEMPORAL, *TEMPORAL_INTERVAL, *ARRAY)
INSENSITIVE = ("casei", "accenti")


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a filter; `at` is where it stood and makes no difference."""

    at: Position = field(default=NOWHERE, kw_only=True, compare=False, repr=False)

    @property
    def parts(self) -> "Sequence[Node]":
        """The nodes it is made of, in order."""
        return ()


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A text (6.3.1)."""

    value: str


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number, with all its digits (6.3.1)."""

    value: int | Decimal


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    """TRUE or FALSE (6.3.1)."""

    value: bool


@dataclass(frozen=True, slots=True)
class Date(Node):
    """A day (6.3.1)."""

    value: date


@dataclass(frozen=True, slots=True)
class Timestamp(Node):
    """An instant, in UTC (6.3.1)."""

    value: datetime


@dataclass(frozen=True, slots=True)
class Open(Node):
    """The end of an interval that has none, `..` (7.8.1)."""


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """The time from one instant to another, both included (7.8.1)."""

    start: Node
    end: Node

    @property
    def parts(self) -> Sequence[Node]:
        """The start and the end."""
        return (self.start, self.end)


@dataclass(frozen=True, slots=True)
class Geometry(Node):
    """A geometry, its coordinates as they were written (7.5.1, 7.6.1)."""

    value: BaseGeometry


@dataclass(frozen=True, slots=True)
class Box(Node):
    """A box: the lower corner, then the upper, with or without heights (7.5.1)."""

    corners: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Array(Node):
    """A set of values (7.9.1)."""

    items: tuple[Node, ...]

    @property
    def parts(self) -> Sequence[Node]:
        """The items."""
        return self.items


@dataclass(frozen=True, slots=True)
class Property(Node):
    """A property, by the name of its queryable (6.4)."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of the server's own (7.11)."""

    name: str
    arguments: tuple[Node, ...]

    @property
    def parts(self) -> Sequence[Node]:
        """The arguments."""
        return self.arguments


@dataclass(frozen=True, slots=True)
class Insensitive(Node):
    """CASEI or ACCENTI of a text (7.3, 7.4)."""

    op: str
    argument: Node

    @property
    def parts(self) -> Sequence[Node]:
        """The argument."""
        return (self.argument,)


@dataclass(frozen=True, slots=True)
class _Pair(Node):
    op: str
    left: Node
    right: Node

    @property
    def parts(self) -> Sequence[Node]:
        """Both operands."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Arithmetic(_Pair):
    """One of ARITHMETIC between two numbers (7.12)."""


@dataclass(frozen=True, slots=True)
class Compare(_Pair):
    """One of COMPARISONS between two scalars (6.5)."""


@dataclass(frozen=True, slots=True)
class Relation(_Pair):
    """One of RELATIONS between two geometries, times or arrays (7.5 to 7.9)."""


@dataclass(frozen=True, slots=True)
class Like(Node):
    """Whether a text matches a pattern (7.2)."""

    value: Node
    pattern: Node

    @property
    def parts(self) -> Sequence[Node]:
        """The text and the pattern."""
        return (self.value, self.pattern)


@dataclass(frozen=True, slots=True)
class Between(Node):
    """Whether a value is neither below nor above two others (7.2)."""

    value: Node
    low: Node
    high: Node

    @property
    def parts(self) -> Sequence[Node]:
        """The value and its bounds."""
        return (self.value, self.low, self.high)


@dataclass(frozen=True, slots=True)
class In(Node):
    """Whether a value is one of several (7.2)."""

    value: Node
    items: tuple[Node, ...]

    @property
    def parts(self) -> Sequence[Node]:
        """The value, then the items."""
        return (self.value, *self.items)


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    """Whether there is no value (6.5)."""

    value: Node

    @property
    def parts(self) -> Sequence[Node]:
        """The value."""
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """What is so if its operand is not (6.2)."""

    operand: Node

    @property
    def parts(self) -> Sequence[Node]:
        """The operand."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class _Several(Node):
    operands: tuple[Node, ...]

    @property
    def parts(self) -> Sequence[Node]:
        """The operands."""
        return self.operands


@dataclass(frozen=True, slots=True)
class And(_Several):
    """What is so if all its operands are; there are two or more (6.2)."""


@dataclass(frozen=True, slots=True)
class Or(_Several):
    """What is so if one of its operands is; there are two or more (6.2)."""


def fold(root: I, parts: Callable[[I], Sequence[I]], build: Callable[[I, list[T]], T]) -> T:
    """Return `build(root, results)`, where the results are those of its parts, made alike.

    The parts come before the whole, from left to right, on a stack that only memory bounds.
    """
    done: list[T] = []
    waiting: list[tuple[I, int]] = [(root, -1)]
    while waiting:
        item, count = waiting.pop()
        if count < 0:
            inner = parts(item)
            waiting.append((item, len(inner)))
            waiting.extend((part, -1) for part in reversed(inner))
        else:
            results = done[len(done) - count :]
            del done[len(done) - count :]
            done.append(build(item, results))
    return done[0]
