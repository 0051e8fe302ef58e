"""Where a filter is wrong, why, and how large it may be."""

from dataclasses import dataclass
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a filter: in text an offset, a line and a column; in JSON a pointer (RFC 6901).

    The offset counts characters from 0, lines and columns count from 1.
    """

    offset: int | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        if self.pointer is not None:
            return f"at {self.pointer}" if self.pointer else "at the root"
        return "" if self.offset is None else f"at line {self.line}, column {self.column}"


#: The place of what was never written down.
NOWHERE = Position()


class Cql2Error(ValueError):
    """The one error of this package: what is wrong with a filter, in words, and where."""

    def __init__(self, message: str, position: Position = NOWHERE) -> None:
        super().__init__(f"{message} ({position})" if str(position) else message)
        self.message = message
        self.position = position


@dataclass(frozen=True)
class Limits:
    """How large a filter may be. What exceeds one of these is a Cql2Error that names it."""

    #: The text, in bytes of UTF-8.
    size: int = 65_536
    #: Words and signs of the text, or values of the JSON.
    nodes: int = 3_000
    #: Parentheses in one another, or operators of the JSON.
    depth: int = 200
    #: The positions of all geometries together.
    vertices: int = 5_000
    #: The items of one list.
    items: int = 1_000
    #: Signs of arithmetic: a product of so many numbers of 308 digits is still one for PostgreSQL.
    arithmetic: int = 100


LIMITS = Limits()


def within(name: str, count: int, most: int, position: Position = NOWHERE) -> None:
    """Raise Cql2Error if there are more of something, `name`, than `most`."""
    if count > most:
        raise Cql2Error(f"The filter is too large: more than {most:,} {name}.", position)


def checked(text: str, limits: Limits) -> str:
    """Return `text` if a database can hold it: no NUL, no half of a surrogate pair, not too long.

    Raises:
        Cql2Error: it cannot.
    """
    within("characters", len(text), limits.size)
    try:
        within("bytes", len(text.encode()), limits.size)
    except UnicodeEncodeError as error:
        raise Cql2Error(
            "Half of a surrogate pair is no character.", place(text, error.start)
        ) from None
    if "\0" in text:
        raise Cql2Error("NUL is no character of a text.", place(text, text.index("\0")))
    return text


def place(text: str, offset: int) -> Position:
    r"""Return the position of the character `offset` of `text`.

    >>> place("a = 1\nAND", 6)
    Position(offset=6, line=2, column=1, pointer=None)
    """
    before = text[:offset]
    return Position(offset, before.count("\n") + 1, offset - before.rfind("\n"))
