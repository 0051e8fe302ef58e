"""Files of geographic information systems, written by GDAL: GeoPackage and FlatGeobuf.

Such a file can only be handed on when it is finished, for its beginning tells of its end. So it is
made in a temporary folder, a few thousand features at a time. Its coordinates are easting, northing
or longitude, latitude, whatever the order of the axes, as both formats demand.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
import shapely
from marshmallow import fields

from api.db import queries
from api.fields import Day, Instant, Number, Whole
from api.formats.table import PIECE, Table

#: Features that are in memory at a time.
CHUNK = 5000
#: Coordinated Universal Time, in GDAL's count of quarters of an hour from 100.
_UTC = 100


def geopackage(features: Iterator[bytes], table: Table) -> Iterator[bytes]:
    """Yield a GeoPackage with `features` as its only layer, named as the collection is."""
    with TemporaryDirectory(prefix="hudna-") as folder:
        path = Path(folder) / "features.gpkg"
        _write(features, table, path)
        if table.at:
            _stamp(path, table.at)
        yield from _read(path)


def flatgeobuf(features: Iterator[bytes], table: Table) -> Iterator[bytes]:
    """Yield a FlatGeobuf of `features`, with an index in space if each of them has a place."""
    with TemporaryDirectory(prefix="hudna-") as folder:
        path, source = Path(folder) / "features.fgb", Path(folder) / "features.gpkg"
        indexed = _write(features, table, source, SPATIAL_INDEX="NO")
        with _gdal().open_arrow(source, use_pyarrow=False) as (described, stream):
            _gdal().write_arrow(
                stream,
                path,
                driver="FlatGeobuf",
                layer=table.name,
                geometry_type=described["geometry_type"],
                geometry_name=described["geometry_name"],
                crs=described["crs"],
                layer_options={"SPATIAL_INDEX": "YES" if indexed else "NO"},
            )
        source.unlink()
        yield from _read(path)


def _stamp(path: Path, at: str) -> None:
    """Let a GeoPackage say that it is of the instant `at`: the same bytes each time."""
    instant = datetime.fromisoformat(at).isoformat(timespec="milliseconds")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(queries("geopackage.sql")["stamp"].as_string(), [instant.replace("+00:00", "Z")])


@cache
def _gdal() -> ModuleType:
    """Return GDAL, loaded with the first file: it is large, and most workers never need it."""
    return import_module("pyogrio.raw")


def _write(features: Iterator[bytes], table: Table, path: Path, **options: str) -> bool:
    """Write a GeoPackage, with `options` of its layer; tell whether each feature has a geometry."""
    everywhere = table.has_geometry
    for number, rows in enumerate(_chunks(features)):
        geometries = _geometries(rows, table)
        everywhere = everywhere and not shapely.is_missing(geometries).any()
        columns = {"id": _text([row["id"] for row in rows])}
        for name, field in table.columns.items():
            columns[name] = _column(field, [row["properties"][name] for row in rows])
        _gdal().write(
            path,
            shapely.to_wkb(geometries) if table.has_geometry else None,
            [values for values, _ in columns.values()],
            list(columns),
            field_mask=[missing for _, missing in columns.values()],
            layer=table.name,
            driver="GPKG",
            geometry_type=table.geometry_type,
            crs=f"EPSG:{table.system.srid}" if table.has_geometry else None,
            append=number > 0,
            layer_options=options,
            gdal_tz_offsets={
                name: np.full(len(rows), _UTC)
                for name, field in table.columns.items()
                if isinstance(field, Instant)
            },
        )
    return everywhere


def _chunks(features: Iterator[bytes]) -> Iterator[list[Any]]:
    """Yield features, parsed, in chunks, of which the first may be empty."""
    chunk = [json.loads(text) for text in islice(features, CHUNK)]
    yield chunk
    while chunk := [json.loads(text) for text in islice(features, CHUNK)]:
        yield chunk


def _geometries(rows: list[Any], table: Table) -> Any:
    """Return geometries with east before north; null where there is none."""
    texts = [json.dumps(row["geometry"]) if row["geometry"] else None for row in rows]
    made = shapely.from_geojson(np.array(texts, dtype=object))
    if table.system.north_first:
        made = shapely.transform(made, lambda pairs: pairs[:, ::-1])
    return made


def _column(field: fields.Field[Any], values: list[Any]) -> tuple[Any, Any]:
    """Return values as GDAL takes them, and where there is none."""
    missing = np.array([value is None for value in values], dtype=bool)
    match field:
        case Whole():
            return np.array([value or 0 for value in values], dtype=np.int32), missing
        case Number():
            return np.array([value or 0.0 for value in values], dtype=np.float64), missing
        case Day():
            return np.array(values, dtype="datetime64[D]"), None
        case Instant():
            bare = [value and value.removesuffix("Z") for value in values]
            return np.array(bare, dtype="datetime64[ms]"), None
        case fields.List():
            return _text([json.dumps(value, ensure_ascii=False) for value in values])
        case _:
            return _text(values)


def _text(values: list[Any]) -> tuple[Any, None]:
    return np.array(values, dtype=object), None


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
