"""How numbers, texts and instants are written, in both encodings (OGC 21-065r2, 6.3, 8.2)."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException

from api.cql2.errors import NOWHERE, Cql2Error, Position
from api.cql2.nodes import Date, Node, Number, Open, Timestamp

#: The digits of a number: more than a double or a bigint has, and few enough to be quick.
DIGITS = 40
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:)(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
#: What clients of the language before CQL2 write: slashes, blanks, no zone, nothing behind the T.
LOOSE = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)(?:[Tt ](?:(\d\d:\d\d:\d\d(?:\.\d+)?)([Zz]|[+-]\d\d:\d\d)?)?)?",
    re.ASCII,
)
#: The control characters that a backslash can stand before (8.2, requirement escaping).
ESCAPES = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
ESCAPES |= {"'": "'", "\\": "\\"}
NEEDLESS = re.compile(r"\\([^%_\\])|(\\.)", re.DOTALL)
ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)


def number(text: str, at: Position = NOWHERE) -> Number:
    """Return the number that `text` writes, with all its digits.

    Raises:
        Cql2Error: it has too many digits, or no double comes near it.
    """
    digits = re.sub(r"[eE].*", "", text).strip("+-").replace(".", "").strip("0")
    if len(digits) > DIGITS:
        raise Cql2Error(f"A number has at most {DIGITS} digits.", at)
    try:
        value = Decimal(text)
        near = float(value)
    except (DecimalException, ValueError, OverflowError):
        raise Cql2Error("This is no finite number.", at) from None
    if abs(near) == float("inf") or near != near or (near == 0) != (value == 0):  # noqa: PLR0124
        raise Cql2Error("A number is 0, or its size between 1e-307 and 1e308.", at)
    if value == 0:
        return Number(0, at=at)
    return Number(int(value) if value == value.to_integral_value() else value, at=at)


def coordinate(text: str, at: Position = NOWHERE) -> float:
    """Return the coordinate that `text` writes.

    Raises:
        Cql2Error: it is not finite.
    """
    value = float(text)
    if abs(value) == float("inf"):
        raise Cql2Error("A coordinate is a finite number.", at)
    return value


def unescaped(quoted: str) -> str:
    r"""Return the text within the quotes of a literal; `\%` and `\_` are left to LIKE.

    >>> unescaped(r"'it''s 100\% C:\\x'")
    "it's 100\\% C:\\x"
    """
    return ESCAPED.sub(
        lambda found: ESCAPES.get(found[1], found[0]) if found[1] else "'", quoted[1:-1]
    )


def escaped(text: str) -> str:
    """Return `text` as a literal, so that `unescaped` gives it back."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def pattern(text: str, at: Position = NOWHERE) -> str:
    r"""Return a pattern of LIKE in which only wildcards and backslashes are escaped (7.2).

    An escape before anything else means nothing; left in, folding could move it to a wildcard.

    >>> pattern(r"\a\%\\")
    'a\\%\\\\'

    Raises:
        Cql2Error: it ends in an escape, which PostgreSQL would notice only at the first row.
    """
    kept = NEEDLESS.sub(lambda found: found[1] or found[2], text)
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        raise Cql2Error("A pattern does not end in an escape.", at)
    return kept


def day(text: str, at: Position = NOWHERE) -> Date:
    """Return the day that `text` names.

    Raises:
        Cql2Error: it names none, or one before the year 1.
    """
    if not DAY.fullmatch(text):
        raise Cql2Error(f"{text!r} is no day, such as '2024-01-31'.", at)
    return Date(_real(text, at), at=at)


def instant(text: str, at: Position = NOWHERE) -> Timestamp:
    """Return the instant that `text` names, to the microsecond; a leap second is the one before.

    Raises:
        Cql2Error: it names none.
    """
    found = INSTANT.fullmatch(text)
    if not found:
        raise Cql2Error(f"{text!r} is no instant, such as '2024-01-31T12:00:00Z'.", at)
    when, minute, second, fraction, zone = found.groups()
    return _moment(when, minute + second + (fraction or ""), zone, at)


def moment(text: str, at: Position = NOWHERE) -> Date | Timestamp:
    """Return the day or the instant that `text` names."""
    return day(text, at) if DAY.fullmatch(text) else instant(text, at)


def bound(text: str, at: Position = NOWHERE) -> Node:
    """Return an end of an interval: a day, an instant, or none, `..` (7.8.1)."""
    return Open(at=at) if text == ".." else moment(text, at)


def rfc3339(value: datetime) -> str:
    """Return an instant as it is written, in UTC."""
    return value.isoformat().replace("+00:00", "Z")


def loose(text: str, at: Position = NOWHERE) -> Date | Timestamp | None:
    """Return the day or instant of a bare text that is compared with one; None: it names none.

    >>> loose("2024/01/31 12:00:00").value.isoformat(), loose("2024-01-31T").value.isoformat()
    ('2024-01-31T12:00:00+00:00', '2024-01-31')
    """
    found = LOOSE.fullmatch(text)
    if not found:
        return None
    year, month, date_, time, zone = found.groups()
    when = f"{year}-{month}-{date_}"
    return _moment(when, time, zone or "Z", at) if time else day(when, at)


def _moment(when: str, time: str, zone: str, at: Position) -> Timestamp:
    clock, _, fraction = time.partition(".")
    clock = clock[:-2] + "59" if clock.endswith(":60") else clock
    zone = "+00:00" if zone in "Zz" else zone
    try:
        read = datetime.fromisoformat(f"{when}T{clock}.{fraction[:6].ljust(6, '0')}{zone}")
        return Timestamp(read.astimezone(UTC), at=at)
    except (ValueError, OverflowError):
        raise Cql2Error(f"There is no instant {when}T{time}.", at) from None


def _real(text: str, at: Position) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Cql2Error(f"There is no day {text}.", at) from None
