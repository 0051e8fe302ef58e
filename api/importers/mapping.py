"""What the columns of somebody's own table are, out of a file in TOML: docs/guides/tables.md."""

import tomllib
from calendar import monthrange
from collections.abc import Mapping as Values
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Self

from api.importers.cells import pieces
from api.importers.table import FormatError
from api.schemas import PROPERTIES, Actor, Report

#: What a mapping may have: the properties that a source decides, and where a place stands.
PLACE = ("longitude", "latitude", "wkt")
TARGETS = [name for name, each in PROPERTIES.items() if not each.dump_only] + [*PLACE]
_PARTS = {"actors": tuple(Actor().fields), "reports": tuple(Report().fields)}
_TEXTS = {"column", "value", "default", "format", "separator"}


class MappingError(FormatError):
    """The mapping cannot be understood; the message says why."""


@dataclass(frozen=True)
class Cell:
    """Where a value comes from: a column, or a constant `value`.

    `values` says what the words of the column mean, and `default` what an empty cell means, or a
    word that is not among them; a cell that is one of `unknown` is empty. `format` is how a day is
    written (strptime), of a period it is the first day, or the `last`. A `separator` makes it a
    list.
    """

    column: str | None = None
    value: str | None = None
    values: Values[str, str] | None = None
    default: str | None = None
    unknown: frozenset[str] = frozenset()
    format: str | None = None
    separator: str | None = None
    last: bool = False

    def read(self, row: Values[str, Any]) -> Any:
        """Return the value of this cell in a row, a list of them if there is a separator.

        Raises:
            ValueError: what stands there is not what the mapping has foreseen.
        """
        found = self.value if self.column is None else row.get(self.column)
        if self.separator is None or not isinstance(found, str):
            return self._read(found)
        return [self._read(part) for part in pieces(found, self.separator)]

    def _read(self, found: Any) -> Any:
        text = "" if found is None else str(found)
        if text in self.unknown:
            found, text = None, ""
        if self.values is not None:
            found = self.values.get(text, self.default)
            if found is None and text:
                raise ValueError("is not among the values that the mapping has")
        if found is None or found == "":
            return self.default
        return _day(text, self.format, last=self.last) if self.format else found


def _day(text: str, form: str, *, last: bool) -> str:
    """Return the day that is written in this form; of a month or a year the first, or the last."""
    try:
        day = datetime.strptime(text, form).date()  # noqa: DTZ007 -- local days
    except ValueError:
        raise ValueError(f"is no day that is written like {form}") from None
    if last and not any(sign in form for sign in ("%d", "%j", "%x", "%c")):
        month = day.month if any(sign in form for sign in ("%m", "%b", "%B")) else 12
        day = date(day.year, month, monthrange(day.year, month)[1])
    return day.isoformat()


@dataclass(frozen=True)
class Mapping:
    """What the columns of a table are.

    `cells` are the properties that hold one value, `tags` a list of cells, `parts` the actors and
    reports, each a table of cells. A property that is in none of them is the column of its own
    name. What is `unknown` means an empty cell in any column.
    """

    sha256: str = ""
    dataset: str | None = None
    delimiter: str = ","
    unknown: frozenset[str] = frozenset()
    cells: Values[str, Cell] = field(default_factory=dict)
    tags: list[Cell] = field(default_factory=list)
    parts: Values[str, list[dict[str, Cell]]] = field(default_factory=dict)

    @classmethod
    def of_toml(cls, text: str) -> Self:
        """Return the mapping that a file says.

        Raises:
            MappingError: it is no TOML, or says something that no mapping has.
        """
        try:
            said = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise MappingError(f"is not TOML: {error}") from error
        dataset, delimiter = said.pop("dataset", None), said.pop("delimiter", ",")
        if not isinstance(delimiter, str) or len(delimiter) != 1:
            raise MappingError("has a delimiter that is not one character")
        unknown = _texts("unknown", said.pop("unknown", []))
        if isinstance(dataset, dict):
            said["dataset"], dataset = dataset, None
        if not isinstance(dataset, str | None):
            raise MappingError("has a dataset that is no text")
        tags = said.pop("tags", [])
        parts = {name: said.pop(name) for name in _PARTS if name in said}
        return cls(
            sha256=sha256(text.encode()).hexdigest(),
            dataset=dataset,
            delimiter=delimiter,
            unknown=unknown,
            cells={name: _cell(name, each, unknown) for name, each in said.items()},
            tags=[
                _cell("tags", each, unknown)
                for each in (tags if isinstance(tags, list) else [tags])
            ],
            parts={name: _entries(name, each, unknown) for name, each in parts.items()},
        )

    def cell(self, name: str) -> Cell:
        """Return where a property comes from: if nothing is said, from the column of its name."""
        return self.cells.get(name) or Cell(column=name, unknown=self.unknown)

    @property
    def columns(self) -> list[str]:
        """The columns that it names."""
        cells = [*self.cells.values(), *self.tags]
        for entries in self.parts.values():
            cells += [cell for entry in entries for cell in entry.values()]
        return list(dict.fromkeys(cell.column for cell in cells if cell.column))


def _cell(name: str, said: Any, unknown: frozenset[str]) -> Cell:
    if name.rpartition(".")[2] not in {*TARGETS, *_PARTS["actors"], *_PARTS["reports"]}:
        raise MappingError(f"has {name}, which is no property: they are {', '.join(TARGETS)}")
    if isinstance(said, str):
        said = {"column": said}
    if not isinstance(said, dict):
        raise MappingError(f"has {name} = {said!r}: it must be a column, or a table in braces")
    odd = said.keys() - _TEXTS - {"values", "unknown"}
    if odd or ("column" in said) == ("value" in said):
        raise MappingError(
            f"has {name} with {', '.join(sorted(said)) or 'nothing'}: it must have either column or"
            " value, and may have values, default, unknown, format and separator"
        )
    texts = {key: str(said[key]) for key in _TEXTS & said.keys()}
    if "column" in texts:
        texts["column"] = texts["column"].strip().casefold()
    if texts.get("separator") == "":
        raise MappingError(f"has {name} with an empty separator")
    values = said.get("values")
    if values is not None and not isinstance(values, dict):
        raise MappingError(f"has {name} with values that are no table")
    return Cell(
        **texts,
        values=values and {key: str(value) for key, value in values.items()},
        unknown=unknown | _texts(f"{name}.unknown", said.get("unknown", [])),
        last=name == "ends_on",
    )


def _entries(name: str, said: Any, unknown: frozenset[str]) -> list[dict[str, Cell]]:
    """Return the actors, or the reports: each a table of its parts, or only a name."""
    found = []
    first = _PARTS[name][0]
    for entry in said if isinstance(said, list) else [said]:
        plain = not isinstance(entry, dict) or "column" in entry or "value" in entry
        parts = {first: entry} if plain else entry
        odd = parts.keys() - set(_PARTS[name])
        if odd:
            raise MappingError(
                f"has {name} with {', '.join(sorted(odd))}: they have {', '.join(_PARTS[name])}"
            )
        found.append({key: _cell(f"{name}.{key}", each, unknown) for key, each in parts.items()})
    return found


def _texts(name: str, said: Any) -> frozenset[str]:
    if not isinstance(said, list):
        raise MappingError(f"has {name} that is no list")
    return frozenset(map(str, said))
