"""The cells of a row as values: what is wrong with them is gathered, not raised."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

from api.importers.rejections import Fault

_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00(?::00(?:\.0+)?)?Z?)?")


class Cells:
    """The cells of one row by column, read as values.

    A cell that is empty, or whose column is missing, is None. What cannot be read is None too, and
    a fault more.
    """

    __slots__ = ("_cells", "faults")

    def __init__(self, cells: Mapping[str, str], faults: list[Fault]) -> None:
        self._cells = cells
        self.faults = faults

    def blame(self, column: str, message: str) -> None:
        """Take down that the cell of `column` is at fault."""
        self.faults.append(Fault(column, self._cells.get(column, ""), message))

    def text(self, column: str) -> str | None:
        """Return a text without the blanks around it."""
        return self._cells.get(column, "").strip() or None

    def whole(self, column: str, low: int = 0, high: int = 2**31 - 1) -> int | None:
        """Return a whole number from `low` to `high`."""
        text = self.text(column)
        if text is None:
            return None
        digits = text[1:] if text[0] == "-" else text
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
            self.blame(column, "is not a whole number")
        elif not low <= (number := int(text)) <= high:
            self.blame(column, f"is not between {low} and {high}")
        else:
            return number
        return None

    def decimal(self, column: str, low: float, high: float) -> float | None:
        """Return a number from `low` to `high`."""
        text = self.text(column)
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text):
            self.blame(column, "is not a number")
        elif not low <= (number := float(text)) <= high:
            self.blame(column, f"is not between {low:g} and {high:g}")
        else:
            return number
        return None

    def day(
        self,
        column: str,
        low: date,
        high: date,
        *,
        read: Callable[[str], date | None] | None = None,
        like: str = "2018-03-09",
    ) -> date | None:
        """Return a day from `low` to `high`, read as `read_day` does or as `read` does."""
        text = self.text(column)
        if text is None:
            return None
        day = (read or read_day)(text)
        if day is None:
            self.blame(column, f"is no day: it must be written like {like}")
        elif not low <= day <= high:
            self.blame(column, f"is not between {low} and {high}")
        else:
            return day
        return None

    def point(self, latitude: str, longitude: str) -> tuple[float, float] | None:
        """Return longitude and latitude; a place that is not known has none, and is not at 0, 0."""
        north = self.decimal(latitude, -90, 90)
        east = self.decimal(longitude, -180, 180)
        for column, other in ((latitude, longitude), (longitude, latitude)):
            if self.text(column) is None and self.text(other) is not None:
                self.blame(column, f"is empty, while {other} is not")
        if north == east == 0:
            self.blame(
                latitude, f"and {longitude} are 0: where they are not known they must be empty"
            )
        return None if north is None or east is None else (east, north)


@lru_cache(maxsize=4096)
def read_day(text: str) -> date | None:
    """Return the day that is written in `text`, maybe with the midnight it begins with.

    >>> read_day("2018-03-09 00:00:00.000"), read_day("2018-02-30")
    (datetime.date(2018, 3, 9), None)
    """
    match = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def latest_day() -> date:
    """Return the last day of this year: what lies beyond it is a slip of the keyboard."""
    return date(date.today().year, 12, 31)  # noqa: DTZ011 -- local days, wherever it happened


def pieces(text: str | None, separator: str = ";") -> list[str]:
    """Return the parts of a text, each once and without the blanks around it.

    >>> pieces("Reuters; AP;; Reuters "), pieces(None)
    (['Reuters', 'AP'], [])
    """
    parts = (part.strip() for part in (text or "").split(separator))
    return list(dict.fromkeys(part for part in parts if part))
