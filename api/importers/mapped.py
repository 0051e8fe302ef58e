"""A row of somebody's own table as an event, checked by the definition of one."""

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from datetime import date
from typing import Any

from marshmallow import EXCLUDE, ValidationError
from shapely import Point

from api.fields import BEGINNING, Day, Whole
from api.importers import shapes
from api.importers.cells import read_day
from api.importers.mapping import Cell, Mapping
from api.importers.rejections import Fault
from api.schemas import PROPERTIES, EventProperties
from geo.countries import countries, country_named

_SINGLE = [
    name
    for name, each in PROPERTIES.items()
    if not each.dump_only and name not in {"tags", "actors", "reports"}
]
_LISTS = ("tags", "actors", "reports")
#: Numbers as tables write them where some are missing: 3.0 is 3.
_WHOLE = re.compile(r"(-?\d+)\.0*", re.ASCII)
_LARGEST = 2**31 - 1
_schema = EventProperties(unknown=EXCLUDE, partial=("dataset",))


class Mapped:
    """Makes events of rows, as a mapping says."""

    def __init__(self, mapping: Mapping, release: str | None) -> None:
        self._mapping = mapping
        self._release = release

    def source_id(self, row: Values[str, Any]) -> str:
        """Return the id of a row, for speaking of it."""
        try:
            return str(self._cell("source_id", row).read(row) or "")
        except ValueError:
            return ""

    def event(
        self, row: Values[str, Any], faults: list[Fault], geometry: Any = None
    ) -> dict[str, Any]:
        """Return the event of a row; what is wrong with it is added to `faults`."""
        blame = _Blame(row, faults)
        said = {name: self._single(name, row, blame) for name in _SINGLE}
        if self._mapping.dataset:
            said["dataset"] = self._mapping.dataset
        said["country"] = _country(said["country"])
        if "ends_on" not in row and "ends_on" not in self._mapping.cells:
            said["ends_on"] = said["starts_on"] if isinstance(said["starts_on"], date) else None
        said["tags"] = [*self._tags(blame)]
        said |= {name: [*self._entries(name, blame)] for name in ("actors", "reports")}
        event = self._checked({k: v for k, v in said.items() if v is not None}, blame)
        event |= self._where(row, geometry, blame)
        if self._release is not None:
            event["source_release"] = self._release
        return event

    def _cell(self, name: str, row: Values[str, Any]) -> Cell:
        """Return where a property comes from; an id of a row will do for one in the data set."""
        bare = name == "source_id" and name not in row and name not in self._mapping.cells
        return self._mapping.cell("id" if bare else name)

    def _single(self, name: str, row: Values[str, Any], blame: "_Blame") -> Any:
        cell = self._cell(name, row)
        value = blame.read(cell)
        if isinstance(value, list | dict):
            blame.add(cell.column or name, "is not one value")
            return None
        if isinstance(PROPERTIES[name], Whole):
            match = _WHOLE.fullmatch(str(value))
            return match[1] if match else value
        if isinstance(PROPERTIES[name], Day) and value is not None:
            return read_day(str(value)) or value
        return None if value == "" else value

    def _tags(self, blame: "_Blame") -> Iterator[Any]:
        cells = self._mapping.tags
        for value in [blame.read(c) for c in cells] if cells else [blame.list("tags")]:
            if isinstance(value, list):
                yield from value
            elif value is not None:
                yield value

    def _entries(self, name: str, blame: "_Blame") -> Iterator[Any]:
        """Yield actors or reports: one for each entry, or for each part of separated cells."""
        if name not in self._mapping.parts:
            found = blame.list(name)
            if isinstance(found, list):
                yield from found
            elif found is not None:
                blame.add(name, "is no list: a mapping can say what it is")
            return
        for entry in self._mapping.parts[name]:
            read = {key: blame.read(cell) for key, cell in entry.items()}
            lengths = {len(value) for value in read.values() if isinstance(value, list)}
            if len(lengths) > 1:
                columns = ", ".join(filter(None, (cell.column for cell in entry.values())))
                blame.add(columns, "have not as many parts as each other")
                continue
            for n in range(min(lengths, default=1)):
                one = {k: v[n] if isinstance(v, list) else v for k, v in read.items()}
                if any(one[k] is not None for k, cell in entry.items() if cell.column) or not any(
                    cell.column for cell in entry.values()
                ):
                    yield {"role": "party"} | one if name == "actors" else one

    def _checked(self, said: dict[str, Any], blame: "_Blame") -> dict[str, Any]:
        """Return the properties as values, as the definition of an event has them."""
        texts = {k: v.isoformat() if isinstance(v, date) else v for k, v in said.items()}
        try:
            event: dict[str, Any] = _schema.load(texts)
        except ValidationError as error:
            for name, messages in dict(error.messages_dict).items():
                cell = self._mapping.cells.get(name)
                for message in _flat(messages):
                    blame.add((cell and cell.column) or name, message, said.get(name))
            return {}
        for report in event.get("reports", []):
            if report.get("published_on"):
                report["published_on"] = report["published_on"].isoformat()
        start, end = event.get("starts_on"), event.get("ends_on")
        if start and start < BEGINNING:
            blame.add("starts_on", f"is before {BEGINNING}", start)
        if start and end and end < start:
            blame.add("ends_on", f"is before starts_on, {start}", end)
        for name, value in event.items():
            if isinstance(PROPERTIES[name], Whole) and value is not None and value > _LARGEST:
                blame.add(name, f"is more than {_LARGEST}", value)
        return event

    def _where(self, row: Values[str, Any], geometry: Any, blame: "_Blame") -> dict[str, Any]:
        """Return the point and the ground: of a feature, of WKT, of longitude and latitude."""
        found: dict[str, Any] = {}
        wkt = blame.read(self._cell("wkt", row))
        try:
            if geometry is not None:
                found = shapes.placed(shapes.of_geojson(geometry))
            elif wkt:
                found = shapes.placed(shapes.of_wkt(str(wkt)))
        except ValueError as error:
            blame.add("geometry" if geometry is not None else "wkt", str(error), wkt)
        east, north = (self._degrees(name, row, blame) for name in ("longitude", "latitude"))
        if east is not None and north is not None:
            if east == north == 0 and self._mapping.sha256:  # an export means it
                blame.add("longitude", "and latitude are 0: what is not known must be empty")
            try:
                found["geom"] = shapes.checked(Point(east, north))
            except ValueError as error:
                blame.add("longitude", f"and latitude: the point {error}")
        elif east != north:
            blame.add("longitude", "or latitude is missing, while the other is there")
        return found

    def _degrees(self, name: str, row: Values[str, Any], blame: "_Blame") -> float | None:
        value = blame.read(self._cell(name, row))
        if value is None or value == "":
            return None
        try:
            return float(str(value))
        except ValueError:
            blame.add(name, "is not a number", value)
            return None


class _Blame:
    """A row, and what is wrong with it."""

    def __init__(self, row: Values[str, Any], faults: list[Fault]) -> None:
        self._row = row
        self._faults = faults

    def add(self, column: str, message: str, value: Any = None) -> None:
        """Take down that a column is at fault."""
        found = self._row.get(column, "") if value is None else value
        self._faults.append(Fault(column, "" if found is None else str(found), message))

    def read(self, cell: Cell) -> Any:
        """Return the value of a cell, or nothing if it is at fault."""
        try:
            return cell.read(self._row)
        except ValueError as error:
            self.add(cell.column or "", str(error))
            return None

    def list(self, name: str) -> Any:
        """Return the value of a column that may hold a list, or the JSON of one."""
        value = self._row.get(name)
        if not isinstance(value, str) or not value.startswith("["):
            return value or None
        try:
            return json.loads(value)
        except ValueError:
            self.add(name, "is no list in JSON")
            return None


def _country(value: Any) -> Any:
    """Return the code of a country that may be named, or what is there if nobody knows it."""
    if not isinstance(value, str) or value in countries():
        return value
    return country_named(value) or value


def _flat(messages: Any, path: str = "") -> Iterator[str]:
    """Yield the messages of marshmallow, each with the place of what it speaks of in a list."""
    if isinstance(messages, dict):
        for key, each in messages.items():
            yield from _flat(each, f"{path}{key}: ")
    elif isinstance(messages, list):
        yield from (f"{path}{str(text)[:1].lower()}{str(text)[1:]}" for text in messages)
