"""A copy in a GeoPackage (OGC 12-128r19), which other programs may read meanwhile.

SQLite writes its journal ahead, so that readers do not wait for the writer nor the writer for them;
at a clean end all is in the one file.
"""

import json
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import shapely
from marshmallow import fields
from psycopg.sql import SQL, Composable, Identifier

from api.db import queries
from api.formats import gis
from api.formats.table import table
from api.mirror import Origin, TargetError
from api.mirror.columns import columns, row
from geo.systems import CRS84

#: How long one who writes waits for another, or for a reader of an old journal.
PATIENCE_S = 60
#: The first four bytes after the magic: version 1, little endian, with or without an envelope.
_POINT, _SHAPE = (struct.pack("<2sBBi", b"GP", 0, flags, 4326) for flags in (0b001, 0b011))
_ENVELOPE = struct.Struct("<4d")


class GeoPackage:
    """The file at `path`, a copy of `origin`; it is made if it is not there, whole or not at all.

    Raises:
        TargetError: there is something else, or a copy of something else; or somebody else writes.
    """

    def __init__(self, path: Path, origin: Origin, filters: Sequence[tuple[str, str]]) -> None:
        self._columns = columns(filters)
        if not path.exists():
            _create(path, origin, filters, self._columns)
        self._upsert = _text("upsert", self._columns)
        self._conn = _connected(path)
        try:
            self.cursor: str | None = self._known(path, origin)
            self._conn.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            self._conn.close()
            raise

    def apply(
        self,
        upserts: Sequence[dict[str, Any]],
        deletes: Sequence[str],
        cursor: str,
        *,
        up_to_date: bool,
    ) -> None:
        """Apply a page of the feed, and keep the cursor behind it."""
        shapes = [_shape(feature) for feature in upserts]
        names = list(self._columns)
        rows = [
            {"geom": _blob(shape), **_cells(row(feature, names))}
            for feature, shape in zip(upserts, shapes, strict=True)
        ]
        with self._transaction() as conn:
            kept = {"next": cursor, "up_to_date": up_to_date, "cursor": self.cursor}
            if conn.execute(_text("keep"), kept).rowcount != 1:
                raise TargetError("Another mirror writes to the same file.")
            conn.executemany(self._upsert, rows)
            conn.executemany(_text("delete"), [[gone] for gone in deletes])
            conn.executemany(_text("met"), [[each["id"]] for each in rows])
            if up_to_date:
                conn.execute(_text("sweep"))
                conn.execute(_text("swept"))
            conn.execute(_text("bounds"), _bounds(shapes))
            conn.execute(_text("touched"))
        self.cursor = cursor

    def restart(self) -> None:
        """Go back to the beginning, and remember what is there."""
        with self._transaction() as conn:
            conn.execute(_text("remember"))
            conn.execute(_text("restart"))
        self.cursor = None

    def close(self) -> None:
        """Put everything into the one file, unless somebody reads it."""
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            self._conn.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError:  # whoever reads it will do that
            pass
        finally:
            self._conn.close()

    def _known(self, path: Path, origin: Origin) -> str | None:
        try:
            is_mirror = self._conn.execute(_text("is_mirror")).fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise TargetError(f"{path} is no GeoPackage: {error}") from error
        if not is_mirror:
            raise TargetError(f"{path} is there already, and is no mirror.")
        url, filters, cursor = self._conn.execute(_text("state")).fetchone()
        check(path, Origin(url, filters), origin)
        return str(cursor) if cursor else None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._conn.execute("BEGIN IMMEDIATE")
        try:
            yield self._conn
        except BaseException:
            self._conn.execute("ROLLBACK")
            raise
        self._conn.execute("COMMIT")


def check(target: object, there: Origin, wanted: Origin) -> None:
    """Refuse to make a copy of one thing into that of another.

    Raises:
        TargetError: they differ.
    """
    if there != wanted:
        known, asked = (f"{each.url} {each.filters}".strip() for each in (there, wanted))
        raise TargetError(f"{target} is a mirror of {known}, not of {asked}: take another target.")


def _create(
    path: Path,
    origin: Origin,
    filters: Sequence[tuple[str, str]],
    named: Mapping[str, fields.Field[Any]],
) -> None:
    geometry = dict(filters).get("geometry", "point")
    query = {"properties": list(named), "skipGeometry": False, "geometry": geometry, "crs": CRS84}
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as out:
            out.writelines(gis.geopackage(iter(()), table("events", query)))
        conn = _connected(unfinished)
        try:
            for name in ("prepare", "register", "stale", "unique"):
                conn.execute(_text(name))
            conn.execute(_text("begin_state"), origin._asdict())
        finally:
            conn.close()
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    """Open a file, with the functions that the triggers of the index in space call."""
    conn = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    for place, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        conn.create_function(name, 1, _side(place), deterministic=True)
    conn.create_function("ST_IsEmpty", 1, lambda blob: None if blob is None else 0)
    return conn


def _side(place: int) -> Any:
    def side(blob: bytes | None) -> float | None:
        if blob is None:
            return None
        if blob.startswith(_SHAPE):
            return float(_ENVELOPE.unpack_from(blob, len(_SHAPE))[place])
        longitude, latitude = struct.unpack_from("<2d", blob, len(_POINT) + 5)
        return float(latitude if place > 1 else longitude)

    return side


def _shape(feature: Mapping[str, Any]) -> shapely.Geometry | None:
    geometry = feature["geometry"]
    return shapely.from_geojson(json.dumps(geometry)) if geometry else None


def _blob(shape: shapely.Geometry | None) -> bytes | None:
    """Return a geometry as GeoPackages have it (12-128r19, 2.1.3)."""
    if shape is None:
        return None
    text: bytes = shapely.to_wkb(shape, byte_order=1)
    if isinstance(shape, shapely.Point):
        return _POINT + text
    west, south, east, north = shapely.bounds(shape).tolist()
    return _SHAPE + _ENVELOPE.pack(west, east, south, north) + text


def _bounds(shapes: Sequence[shapely.Geometry | None]) -> dict[str, float | None]:
    sides = ("west", "south", "east", "north")
    if not any(shapes):
        return dict.fromkeys(sides)
    found = shapely.total_bounds([shape for shape in shapes if shape]).tolist()
    return dict(zip(sides, found, strict=True))


def _cells(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
        for name, value in values.items()
    }


def _text(name: str, named: Mapping[str, Any] | None = None) -> str:
    """Return a statement of sql/mirror_geopackage.sql, its holes filled with columns."""
    statement = queries("mirror_geopackage.sql")[name]
    if named:
        holes: dict[str, Composable] = {
            "columns": SQL(", ").join(map(Identifier, named)),
            "values": SQL(", ").join(SQL(f":{column}") for column in named),
            "assignments": SQL(", ").join(
                SQL("{0} = excluded.{0}").format(Identifier(column)) for column in named
            ),
        }
        return statement.format(**holes).as_string(None)
    return statement.as_string(None)
