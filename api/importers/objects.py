"""JSON as it is found in the wild: objects one after the other, however long the file is."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from api.importers.rejections import Fault
from api.importers.table import FormatError, Row, unstorable

#: Characters that are read at once, and the most that one object may have.
CHUNK = 1 << 16
LONGEST = 1 << 26

_BLANK = re.compile(r"[ \t\n\r\x1e]*")


class Objects:
    """The objects of a list in a JSON document, or of a sequence, each with its line.

    The list is the document itself, or its member `member`. A sequence has its features on lines
    of their own (NDJSON), or behind record separators (RFC 8142). The stream is closed behind it.
    """

    def __init__(
        self, stream: IO[bytes], member: str, *, sequences: bool = False, verbatim: bool = False
    ) -> None:
        """Read `stream`, which may hold `sequences` of features.

        `verbatim` keeps numbers as they are written, as texts.
        """
        self._member = member
        self._sequences = sequences
        self._text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
        self._decoder = json.JSONDecoder(
            parse_constant=_refuse,
            parse_float=str if verbatim else None,
            parse_int=str if verbatim else None,
        )
        self._buffer = ""
        self._at = 0
        self._lines = 1

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each object with the line on which it begins, from 1.

        Raises:
            FormatError: it is no such file, or ends before its end.
        """
        with self._text:
            opening = self._peek()
            if not opening:
                raise FormatError("is empty")
            if opening == "[":
                yield from self._list()
            elif opening == "{" and self._is_document():
                yield from self._document()
            else:
                yield from self._sequence()
            if self._peek():
                raise FormatError(f"goes on after its end, line {self._lines}")

    def _sequence(self) -> Iterator[tuple[int, dict[str, Any]]]:
        while self._peek():
            line = self._lines
            yield line, self._object()

    def _is_document(self) -> bool:
        """Tell whether what begins here has the list, rather than being one object of many."""
        if not self._sequences:
            return True
        sign = re.compile(rf'"{self._member}"\s*:\s*\[|"type"\s*:\s*"Feature(Collection)?"')
        found = sign.search(self._buffer, self._at, self._at + CHUNK)
        return bool(found and (found[1] or found[0].endswith("[")))

    def _document(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._take("{")
        found = False
        while self._peek() != "}":
            name = self._value()
            self._take(":")
            if name == self._member and self._peek() == "[":
                found = True
                yield from self._list()
            else:
                self._value()
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        if not found:
            raise FormatError(f"has no list of {self._member}")

    def _list(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._take("[")
        while self._peek() != "]":
            line = self._lines
            yield line, self._object()
            if self._peek() != "]":
                self._take(",")
        self._take("]")

    def _object(self) -> dict[str, Any]:
        line, found = self._lines, self._value()
        if not isinstance(found, dict):
            raise FormatError(f"has something else than an object, line {line}")
        return found

    def _value(self) -> Any:
        """Return the value that begins here, reading on until it is whole."""
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise FormatError(f"is nested too deep, line {self._lines}") from error
            except ValueError as error:
                if not self._more():
                    at = getattr(error, "pos", self._at)
                    line = self._lines + self._buffer.count("\n", self._at, at)
                    raise FormatError(f"is not JSON: line {line}: {error}") from error
            else:
                if end < len(self._buffer) or not self._more():
                    self._go(end)
                    return value

    def _take(self, sign: str) -> None:
        there = self._peek()
        if there != sign:
            what = f"{there!r}" if there else "its end"
            raise FormatError(f"is not JSON: line {self._lines}: {what} instead of {sign!r}")
        self._go(self._at + 1)

    def _peek(self) -> str:
        """Return the next sign that is not blank; none at the end."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._go(blank.end() if blank else self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _go(self, to: int) -> None:
        self._lines += self._buffer.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        """Read on, as much again as is there: a long object is tried but a few times."""
        kept = self._buffer[self._at :]
        if len(kept) > LONGEST:
            raise FormatError(f"has an object that is too long, line {self._lines}")
        read = self._text.read(max(CHUNK, len(kept)))
        self._buffer, self._at = kept + read, 0
        return bool(read)


def cells(line: int, found: Mapping[str, Any]) -> Row:
    """Return an object of texts and numbers as a row of a table: null is an empty cell."""
    row = Row(line, {name.strip().casefold(): _cell(value) for name, value in found.items()})
    row.faults.extend(
        Fault(column, cell, message)
        for column, cell in row.cells.items()
        if (message := unstorable(column + cell))
    )
    return row


def storable(value: Any) -> str:
    """Return why no database could keep some text in a JSON value, or nothing."""
    if isinstance(value, str):
        return unstorable(value)
    if isinstance(value, dict):
        return next(filter(None, map(storable, [*value, *value.values()])), "")
    if isinstance(value, list):
        return next(filter(None, map(storable, value)), "")
    return ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refuse(constant: str) -> NoReturn:
    raise FormatError(f"is not JSON: it has {constant}")
