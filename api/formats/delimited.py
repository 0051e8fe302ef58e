"""Comma-separated values (RFC 4180), safe to be opened in a spreadsheet.

The columns are `id`, the properties, and the place: `longitude` and `latitude` of a point in
degrees, or else `wkt`, in the order of the axes of the reference system. A list, such as `actors`,
is a cell of JSON; what is null is an empty cell.
"""

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import shapely

from api.formats.table import Table, pieces
from geo.systems import CRS84

#: What spreadsheets take for the beginning of a formula (OWASP, CSV Injection); with apostrophes
#: before it, too, so that whoever reads the file back can tell ours from the text's own.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
#: A row that no strict reader takes: too long, and its quotation mark is never closed.
BROKEN_OFF = ',"The file is incomplete: the server could not read on.'


def written(features: Iterator[bytes], table: Table) -> Iterator[bytes]:
    """Yield `features` as rows below a header; if they break off, so does the last row."""
    yield from pieces(_rows(features, table))


def _rows(features: Iterator[bytes], table: Table) -> Iterator[bytes]:
    points = table.only_points and table.system.uri == CRS84
    place = ["longitude", "latitude"] if points else ["wkt"]
    if not table.has_geometry:
        place = []
    header = ["id", *table.columns, *place]
    located = (_position if points else _wkt) if place else _nowhere
    line = StringIO(newline="")
    writer = csv.writer(line)

    def row(cells: list[Any]) -> bytes:
        writer.writerow(cells)
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        return text.encode()

    yield row(header)
    try:
        for text in features:
            feature = json.loads(text)
            cells = map(_cell, feature["properties"].values())
            yield row([feature["id"], *cells, *located(feature["geometry"])])
    except Exception:
        yield ("," * len(header) + BROKEN_OFF).encode()
        raise


def _cell(value: Any) -> Any:
    """Return a value as a cell: text that would be a formula gets an apostrophe before it."""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _position(geometry: Any) -> list[Any]:
    return geometry["coordinates"] if geometry else [None, None]


def _wkt(geometry: Any) -> list[Any]:
    return [shapely.to_wkt(shapely.from_geojson(json.dumps(geometry))) if geometry else None]


def _nowhere(_: Any) -> list[Any]:
    return []
