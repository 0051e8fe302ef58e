"""CSV as it is found in the wild, row by row, each with the line on which it begins."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from api.importers.rejections import Fault

#: No line of a table is longer; a file that has one is something else.
LONGEST_LINE = 1 << 20


class FormatError(Exception):
    """The file as a whole is not of the format it was said to be; the message says why."""


@dataclass(slots=True)
class Row:
    """One row: the line on which it begins, from 1, and its cells by column.

    If there are faults, the cells are only those that could be told.
    """

    line: int
    cells: dict[str, str]
    faults: list[Fault] = field(default_factory=list)


def rows(
    stream: IO[bytes],
    *,
    required: Sequence[str],
    headless: Sequence[str] = (),
    delimiter: str = ",",
) -> Iterator[Row]:
    """Yield the rows of a CSV file in UTF-8 under a header, in any order of columns.

    Line ends may be LF or CRLF, quoted cells may hold either, and the file may begin with a BOM.
    A file whose first cell is a whole number has no header: its columns are `headless`. The
    stream is closed behind it.

    Raises:
        FormatError: it is no such file, or lacks a column of `required`.
    """
    records = _records(stream, delimiter)
    line, first = next(records, (0, []))
    if isinstance(first, csv.Error):
        raise FormatError(f"is not CSV: line {line}: {first}")
    if not first:
        raise FormatError("is empty")
    if headless and first[0].strip().isdecimal():
        if len(first) != len(headless):
            raise FormatError(
                f"has no header row, and {len(first)} columns: without a header it must have"
                f" the {len(headless)} columns that begin with {', '.join(headless[:3])}"
            )
        yield _row(line, headless, first)
        header = list(headless)
    else:
        header = _header(first, required)
    for line, cells in records:
        yield _row(line, header, cells)


def _header(cells: Sequence[str], required: Sequence[str]) -> list[str]:
    """Return the names of the columns, in small letters."""
    names = [cell.strip().casefold() for cell in cells]
    if not "".join(names).isprintable():
        raise FormatError("is not text in UTF-8")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise FormatError(f"has more than one column {', '.join(twice)}")
    missing = [name for name in required if name not in names]
    if missing:
        raise FormatError(f"has no column {', '.join(missing)}")
    return names


def _row(line: int, header: Sequence[str], cells: list[str] | csv.Error) -> Row:
    if isinstance(cells, csv.Error):
        return Row(line, {}, [Fault("", "", f"cannot be read as CSV: {cells}")])
    row = Row(line, dict(zip(header, cells, strict=False)))
    if len(cells) != len(header):
        message = f"has {len(cells)} cells, where there are {len(header)} columns"
        row.faults.append(Fault("", "", message))
    if unstorable("".join(cells)):
        row.faults.extend(
            Fault(column, cell, message)
            for column, cell in row.cells.items()
            if (message := unstorable(cell))
        )
    return row


def unstorable(text: str) -> str:
    """Return why no database could keep this text, or nothing."""
    if "\0" in text:
        return "holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def _records(stream: IO[bytes], delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the cells of each row that is not blank, or why it cannot be read, with its line."""
    # Strict: to guess at a stray quote would shift the cells behind it in silence.
    reader = csv.reader(lines(stream), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, csv.Error(f"{error} (lines {line} to {reader.line_num})")
        else:
            if cells:
                yield line, cells


def lines(stream: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file in UTF-8, with their ends. The stream is closed behind it.

    Raises:
        FormatError: a line is too long for a table.
    """
    # Bytes that are not UTF-8 come as lone surrogates, so that they can be laid to their row.
    with io.TextIOWrapper(
        stream, encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as text:
        for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), 1):
            if len(line) == LONGEST_LINE:
                raise FormatError(f"has a line of a million characters, line {number}")
            yield line
