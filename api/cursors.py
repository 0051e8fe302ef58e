"""Orders, and the places in them at which pages begin; and those in the feed of changes."""

import base64
import json
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from api.fields import Reader


@dataclass(frozen=True)
class Position:
    """A position in an order: the key and the id of the last item of a page."""

    order: str
    key: str | int
    id: UUID | str


class Order(Reader, fields.Field[str]):
    """One sort key, ``starts_on``, ``+starts_on`` or ``-starts_on``; ascending without a sign."""

    def __init__(self, keys: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keys = keys

    def _read(self, text: str) -> str:
        # In a query a plus sign stands for a blank, and most clients do not escape it.
        descending, name = text.startswith("-"), text.removeprefix("-")
        name = name if descending else name.removeprefix("+").removeprefix(" ")
        if name not in self.keys:
            raise ValidationError(f"must be one of {', '.join(self.keys)}, with + or - before it.")
        return ("-" if descending else "+") + name


class Cursor(Reader, fields.Field[Position]):
    """Where a page goes on: opaque to clients, good for any `limit`; `id_of` reads an item's id."""

    def __init__(self, id_of: Callable[[Any], UUID | str] = UUID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.id_of = id_of

    def _read(self, text: str) -> Position:
        try:
            order, key, identifier = json.loads(
                base64.b64decode(text, altchars=b"-_", validate=True)
            )
            return Position(order, _key(order, key), self.id_of(identifier))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise ValidationError("is no cursor of this server: take the next link.") from None


def _key(order: str, key: Any) -> str | int:
    """Return the key of a cursor as it came, once it is sure to be one."""
    if order.endswith("starts_on"):
        return date.fromisoformat(key).isoformat()
    number = int(key)
    if not -(2**31) <= number < 2**31:
        raise ValueError(number)
    return number


def cursor(order: str, key: str | int, identifier: str) -> str:
    """Return the cursor of the position behind an item, free of signs that need escaping.

    >>> Cursor().deserialize(cursor("-starts_on", "2024-01-15", str(UUID(int=7)))).key
    '2024-01-15'
    """
    return _opaque([order, key, identifier])


def _opaque(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    text += " " * (-len(text) % 3)  # no padding: every pair of a next link is to be k=v
    return base64.urlsafe_b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Bookmark:
    """How far somebody has come in the feed of changes.

    `epoch` names what the numbers are good for, `filters` what was asked and for whose eyes.
    `seq` is the transaction that has been reached and `after` the last of its events; None: all of
    them, and every transaction that was there. `base` is the head at which reading began without a
    bookmark, or 0 when that is behind.
    """

    epoch: str
    seq: int
    after: UUID | None
    base: int
    filters: str

    @property
    def completed(self) -> int:
        """The last transaction of which nothing is missing."""
        return self.seq if self.after is None else self.seq - 1

    def __str__(self) -> str:
        epoch, seq, after, base, filters = astuple(self)
        last = None if after is None else str(after)
        return _opaque({"e": epoch, "s": seq, "p": last, "b": base, "f": filters})


class FeedCursor(Reader, fields.Field[Bookmark]):
    """A bookmark as clients have it: opaque, good for any `limit`.

    >>> there = Bookmark("0c63f4a2", 7, UUID(int=1), 9, "")
    >>> FeedCursor().deserialize(str(there)) == there
    True
    """

    def _read(self, text: str) -> Bookmark:
        try:
            read = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
            after = None if read["p"] is None else UUID(read["p"])
            seq, base = (_number(read[name]) for name in "sb")
            epoch, filters = (_text(read[name]) for name in "ef")
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise ValidationError("is no cursor of this server: take the next link.") from None
        return Bookmark(epoch, seq, after, base, filters)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
