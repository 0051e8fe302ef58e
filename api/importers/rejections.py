"""Rows that cannot be loaded: what is wrong with each, on the screen and in a file."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, Self, TextIO

#: How many problems are kept for the screen; the report has all.
SHOWN = 20

#: Halves of characters that JSON can name; the other halves stand for bytes that are not UTF-8.
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class Fault(NamedTuple):
    """Something wrong in a row; the column is empty where it is the row itself."""

    column: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault, and where it is: `line` is that on which the row begins, from 1."""

    file: str
    line: int
    source_id: str
    column: str
    value: str
    message: str


class Rejections:
    """The rows refused in one import, and those left out on purpose (`passed`, by why).

    The report is written as they come, so that a million of them take no memory. A name in .jsonl
    or .ndjson makes it JSON lines, any other CSV. Without a rejected row, or a name, there is
    no report.
    """

    def __init__(self, report: Path | None) -> None:
        self.report = report
        self.rows = 0
        self.passed: Counter[str] = Counter()
        self.first: list[Problem] = []
        self._held = ExitStack()
        self._out: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the report."""
        self._held.close()

    def add(self, file: str, line: int, source_id: str, faults: Iterable[Fault]) -> None:
        """Take down one row, which has these faults."""
        self.rows += 1
        for fault in faults:
            problem = Problem(file, line, *map(printable, (source_id, *fault)))
            if len(self.first) < SHOWN:
                self.first.append(problem)
            if self.report is not None:
                self._write(self.report, problem)

    def _write(self, report: Path, problem: Problem) -> None:
        as_lines = report.suffix in {".jsonl", ".ndjson"}
        if self._out is None:
            self._out = self._held.enter_context(report.open("w", encoding="utf-8", newline=""))
            if not as_lines:
                csv.writer(self._out).writerow(f.name for f in fields(Problem))
        if as_lines:
            self._out.write(json.dumps(asdict(problem), ensure_ascii=False) + "\n")
        else:
            csv.writer(self._out).writerow(map(_harmless, asdict(problem).values()))


def printable(text: str) -> str:
    r"""Return `text` with what no text file can hold written as an escape.

    >>> printable("caf\udce9\0")
    'caf\\xe9\\x00'
    """
    text = _LONE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return whole.replace("\0", "\\x00")


def _harmless(cell: Any) -> Any:
    """Return `cell` such that no spreadsheet takes it for a formula; a number is none.

    >>> _harmless("=1+1"), _harmless("-1.5")
    ("'=1+1", '-1.5')
    """
    if isinstance(cell, str) and cell[:1] in set("=+-@\t\r"):
        return cell if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", cell) else f"'{cell}"
    return cell
