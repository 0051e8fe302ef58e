"""How the values of query parameters are written, and what they become.

Every field reads a string of a URL. What it makes of it is a plain value that the store binds.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from marshmallow import ValidationError, fields

from geo.region import Region
from geo.systems import CRS84, SYSTEMS, System

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,1000}", re.ASCII)
DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)T?", re.ASCII)
INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

#: No event starts before this day: the days before it stand for an unknown start.
BEGINNING = date(2, 1, 1)


@dataclass(frozen=True)
class Days:
    """A closed interval of days; None: open on that side."""

    first: date | None
    last: date | None


class Reader(ABC):
    """The half of a field that reads the text of a value, and needs no more of marshmallow."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self._read(str(value))

    @abstractmethod
    def _read(self, text: str) -> Any:
        """Return what `text` says, or raise ValidationError."""


class Text(Reader, fields.String):
    """Text as it stands; empty text and NUL, which no event can hold, are refused."""

    def _read(self, text: str) -> str:
        if not text or "\0" in text:
            raise ValidationError("must be some text, without NUL characters.")
        return text


class Whole(Reader, fields.Integer):
    """A whole number in ASCII digits: what Python would read beyond that, as 1_0, is refused."""

    def _read(self, text: str) -> int:
        if not WHOLE.fullmatch(text):
            raise ValidationError("must be a whole number.")
        return int(text)


class Number(Reader, fields.Float):
    """A finite decimal number in ASCII digits."""

    def _read(self, text: str) -> float:
        return finite(text)


class Day(Reader, fields.Date):
    """A calendar day, ``2024-01-31``."""

    def _read(self, text: str) -> date:
        return parse_day(text)


class Instant(Reader, fields.AwareDateTime):
    """An instant of RFC 3339, ``2024-01-31T12:00:00Z``."""

    def _read(self, text: str) -> datetime:
        if not INSTANT.fullmatch(text):
            raise ValidationError("must be an instant such as 2024-01-31T12:00:00Z.")
        try:
            return datetime.fromisoformat(text.upper())
        except ValueError:
            raise ValidationError(f"has no such instant as {text!r}.") from None


class BBox(fields.Field[Region]):
    """A box on the earth: ``west,south,east,north``, or with heights, which are ignored.

    Its numbers are in the unit and the order of axes of `bbox-crs`, which stands beside it: in
    EPSG:4326 ``south,west,north,east`` (OGC 18-058r1). It becomes longitude and latitude.

    West may exceed east: the box then crosses the antimeridian and becomes two. Longitudes that
    a scrolled map has wound past 180 are unwound; latitudes beyond 90 are refused. Since 180° W
    is 180° E, a box that ends on one takes in the other. (OGC 17-069r4, 7.15.3)
    """

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Region:
        del attr
        named = (data or {}).get("bbox-crs", CRS84)
        return _region(str(value), SYSTEMS[named]) if named in SYSTEMS else Region(())


def _region(text: str, system: System) -> Region:
    numbers = [finite(part) for part in text.split(",")]
    if len(numbers) == 6:
        numbers = [*numbers[0:2], *numbers[3:5]]
    if len(numbers) != 4:
        raise ValidationError("must be 4 numbers, west,south,east,north, or 6 with heights.")
    if system.north_first:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    west, south, east, north = numbers
    if system.degrees and not -90 <= south <= north <= 90:
        raise ValidationError("must have -90 <= south <= north <= 90.")
    if south > north or (west > east and not system.upright):
        raise ValidationError("must have the least coordinate of each axis before the greatest.")
    if not system.upright:
        return system.region((west, south, east, north))
    west, south, east, north = system.in_degrees((west, south, east, north))
    if not (abs(west) <= 540 and abs(east) <= 540):
        raise ValidationError("must have longitudes of at most 540 degrees.")
    return Region.of_boxes((w, south, e, north) for w, e in meridians(west, east) if south <= north)


class LonLat(Reader, fields.Field[tuple[float, float]]):
    """A point, ``longitude,latitude``, in degrees."""

    def _read(self, text: str) -> tuple[float, float]:
        numbers = [finite(part) for part in text.split(",")]
        if len(numbers) != 2 or abs(numbers[0]) > 180 or abs(numbers[1]) > 90:
            raise ValidationError("must be longitude,latitude: from -180 to 180, from -90 to 90.")
        return numbers[0], numbers[1]


def meridians(west: float, east: float) -> list[tuple[float, float]]:
    """Return the stretches of longitude from `west` eastwards to `east`, each within ±180.

    >>> meridians(35.5, 42.5), meridians(177, -177), meridians(170, 190)
    ([(35.5, 42.5)], [(177, 180), (-180, -177)], [(170, 180), (-180, -170)])
    >>> meridians(-200, 200), meridians(-180, -170)
    ([(-180, 180)], [(-180, -170), (180, 180)])
    """
    if east - west >= 360:
        return [(-180, 180)]
    west, east = (x if -180 <= x <= 180 else (x + 180) % 360 - 180 for x in (west, east))
    stretches = [(west, east)] if west <= east else [(west, 180), (-180, east)]
    touched = {x for stretch in stretches for x in stretch}
    if 180 in touched and -180 not in touched:
        stretches.append((-180, -180))
    if -180 in touched and 180 not in touched:
        stretches.append((180, 180))
    return stretches


class Interval(Reader, fields.Field[Days]):
    """An instant, a day, or an interval of either, open as ``../b`` or ``a/..``.

    Events are dated by day, so an instant stands for its day in UTC. Both ends belong to it. Three
    forms outside the standard are read because clients send them: a bare day, a day with a ``T``
    behind it (GDAL), and the years 0000 and 9999 for open ends (QGIS). (OGC 17-069r4, 7.15.4)
    """

    def _read(self, text: str) -> Days:
        match text.split("/"):
            case [instant]:
                day = parse_moment(instant)
                days = Days(day, day)
            case [start, end]:
                if {start, end} <= {"", ".."}:
                    raise ValidationError("must have at least one end.")
                days = Days(_bound(start), _bound(end))
            case _:
                raise ValidationError("must be an instant or an interval, start/end.")
        if days.first and days.last and days.first > days.last:
            raise ValidationError("must not end before it starts.")
        return replace(days, first=None) if days.first and days.first < BEGINNING else days


def _bound(text: str) -> date | None:
    if text in {"", ".."}:
        return None
    day = parse_moment("0004" + text[4:] if text.startswith("0000-") else text)
    return None if text.startswith(("0000-", "9999-12-31")) else day


def parse_moment(text: str) -> date:
    """Return the day of an instant, in UTC, or of a bare day.

    >>> parse_moment("2020-01-01T00:00:00+02:00"), parse_moment("2020-01-05T")
    (datetime.date(2019, 12, 31), datetime.date(2020, 1, 5))
    """
    found = INSTANT.fullmatch(text)
    if not found:
        return parse_day(text)
    day, minute, second, zone = found.groups()
    second = "59" if second == "60" else second  # a leap second is of the same day
    zone = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{minute}:{second}{zone}").astimezone(UTC).date()
    except (ValueError, OverflowError):
        raise ValidationError(f"has no such instant as {text!r}.") from None


def parse_day(text: str) -> date:
    """Return the day that `text` names.

    Raises:
        ValidationError: it names none.
    """
    found = DAY.fullmatch(text)
    if not found:
        raise ValidationError("must be a day such as 2024-01-31 or an instant of RFC 3339.")
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise ValidationError(f"has no such day as {text!r}.") from None


def finite(text: str) -> float:
    """Return the number that `text` writes in ASCII.

    Raises:
        ValidationError: it is none, or too large for one.
    """
    if not NUMBER.fullmatch(text.strip(" ")) or abs(float(text)) == float("inf"):
        raise ValidationError("must be a finite number, or a list of them.")
    return float(text)


class NameList(Reader, fields.Field[list[str]]):
    """Names of properties, separated by commas."""

    def __init__(self, names: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.names = names

    def _read(self, text: str) -> list[str]:
        asked = text.split(",")
        unknown = [name for name in asked if name not in self.names]
        if unknown:
            raise ValidationError(f"has no property {unknown[0]!r} to choose.")
        return [name for name in self.names if name in asked]


class Crs(Reader, fields.Field[str]):
    """A coordinate reference system, by its URI."""

    def __init__(self, known: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = known

    def _read(self, text: str) -> str:
        if text not in self.known:
            raise ValidationError(
                f"must be {self.known[0]}, or another that the collection lists as `crs`."
            )
        return text
