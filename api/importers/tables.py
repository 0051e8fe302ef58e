"""Tables of one's own, CSV and GeoJSON: docs/guides/tables.md."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from typing import IO, Any

from api.importers import objects
from api.importers.mapped import Mapped
from api.importers.mapping import Mapping
from api.importers.rejections import Fault, Rejections
from api.importers.store import Incoming
from api.importers.table import rows

#: What `hudna export` writes before a text that a spreadsheet would take for a formula.
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def read_csv(
    stream: IO[bytes],
    file: str,
    release: str | None,
    rejections: Rejections,
    *,
    mapping: Mapping | None = None,
) -> Iterator[Incoming]:
    """Yield the events of a table; without a mapping it has the columns of an export.

    Raises:
        FormatError: it is no CSV, or lacks a column that the mapping names.
    """
    wanted = mapping or Mapping()
    mapped = Mapped(wanted, release)
    for row in rows(stream, required=wanted.columns, delimiter=wanted.delimiter):
        values = {
            name: cell.strip() if mapping else unguarded(cell) for name, cell in row.cells.items()
        }
        event = {} if row.faults else mapped.event(values, row.faults)
        if row.faults:
            rejections.add(file, row.line, mapped.source_id(values), row.faults)
        else:
            yield Incoming(event, file, row.line, row.cells)


def read_geojson(
    stream: IO[bytes],
    file: str,
    release: str | None,
    rejections: Rejections,
    *,
    mapping: Mapping | None = None,
) -> Iterator[Incoming]:
    """Yield the events of a FeatureCollection or a sequence of features.

    Raises:
        FormatError: it is no GeoJSON.
    """
    mapped = Mapped(mapping or Mapping(), release)
    for line, feature in objects.Objects(stream, "features", sequences=True):
        faults: list[Fault] = []
        values = _properties(feature, faults)
        event = {} if faults else mapped.event(values, faults, feature.get("geometry"))
        if faults:
            rejections.add(file, line, mapped.source_id(values), faults)
        else:
            yield Incoming(event, file, line, feature)


def unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that kept spreadsheets from running it.

    >>> unguarded("'=1+1"), unguarded("''-x"), unguarded("'s Gravenhage")
    ('=1+1', "'-x", "'s Gravenhage")
    """
    return cell[1:] if _GUARDED.match(cell) else cell


def _properties(feature: Values[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return the properties of a feature by their names, with its id."""
    said = feature.get("properties") or {}
    if feature.get("type") != "Feature" or not isinstance(said, dict):
        faults.append(Fault("type", str(feature.get("type", "")), "is not a Feature"))
        return {}
    message = objects.storable(dict(feature))
    if message:
        faults.append(Fault("", "", message))
    values = {name.casefold(): value for name, value in said.items()}
    if feature.get("id") is not None:
        values.setdefault("id", feature["id"])
    return values
