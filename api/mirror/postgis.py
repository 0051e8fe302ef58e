"""A copy in a table of a PostGIS of somebody's own, in the schema `hudna`."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from marshmallow import fields
from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder
from psycopg.types.json import Jsonb

from api.db import queries
from api.fields import Day, Instant, Number, Whole
from api.mirror import Origin, TargetError
from api.mirror.columns import columns, only_points, row
from api.mirror.geopackage import check


class PostGIS:
    """The table `table`, a copy of `origin`; it is made if it is not there.

    Raises:
        TargetError: there is something else, or a copy of something else; or somebody else writes.
    """

    def __init__(
        self, dsn: str, table: str, origin: Origin, filters: Sequence[tuple[str, str]]
    ) -> None:
        self._table, self._dsn = table, dsn
        self._columns = columns(filters)
        self._only_points = only_points(filters)
        self._conn: psycopg.Connection[Any] | None = None
        with self._open() as conn:
            conn.execute(self._text("prepare"))
            conn.execute(self._text("prepare_states"))
            known = conn.execute(self._text("state"), {"table": table}).fetchone()
            if known is None:
                self._create(conn, origin)
                known = (*origin, None)
        check(f"hudna.{table}", Origin(*known[:2]), origin)
        self.cursor: str | None = known[2]

    def apply(
        self,
        upserts: Sequence[dict[str, Any]],
        deletes: Sequence[str],
        cursor: str,
        *,
        up_to_date: bool,
    ) -> None:
        """Apply a page of the feed, and keep the cursor behind it."""
        rows = [self._cells(feature) for feature in upserts]
        kept = {"next": cursor, "up_to_date": up_to_date}
        kept |= {"cursor": self.cursor, "table": self._table}
        with self._open() as conn:
            if conn.execute(self._text("keep"), kept).rowcount != 1:
                raise TargetError("Another mirror writes to the same table.")
            with conn.cursor() as many:
                many.executemany(self._text("upsert"), rows)
            conn.execute(self._text("delete"), {"ids": list(deletes)})
            conn.execute(self._text("met"), {"ids": [each["id"] for each in rows]})
            if up_to_date:
                conn.execute(self._text("sweep"))
                conn.execute(self._text("swept"))
        self.cursor = cursor

    def restart(self) -> None:
        """Go back to the beginning, and remember what is there."""
        with self._open() as conn:
            conn.execute(self._text("remember"))
            conn.execute(self._text("restart"), {"table": self._table})
        self.cursor = None

    def close(self) -> None:
        """Give the connection back."""
        if self._conn:
            self._conn.close()

    @contextmanager
    def _open(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a transaction, on a new connection if the one before was lost."""
        if self._conn is None or self._conn.closed:
            self._conn = psycopg.connect(self._dsn, connect_timeout=10, autocommit=True)
        with self._conn.transaction():
            yield self._conn

    def _create(self, conn: psycopg.Connection[Any], origin: Origin) -> None:
        there = conn.execute(self._text("exists"), {"name": f'hudna."{self._table}"'}).fetchone()
        if there and there[0]:
            raise TargetError(f"hudna.{self._table} is there already, and is no mirror.")
        for name in ("create", "index", "create_stale"):
            conn.execute(self._text(name))
        conn.execute(self._text("begin_state"), {"table": self._table, **origin._asdict()})

    def _cells(self, feature: dict[str, Any]) -> dict[str, Any]:
        geometry = feature["geometry"]
        values = row(feature, list(self._columns))
        listed = {name: Jsonb(value) for name, value in values.items() if isinstance(value, list)}
        return {**values, **listed, "geom": json.dumps(geometry) if geometry else None}

    def _text(self, name: str) -> Composed:
        named = [*self._columns]
        holes: dict[str, Composable] = {
            "table": Identifier(self._table),
            "stale": Identifier(f"{self._table}_stale"),
            "kind": SQL("Point" if self._only_points else "Geometry"),
            "columns": SQL(", ").join(
                SQL("{} {}").format(Identifier(n), _type(f)) for n, f in self._columns.items()
            ),
        }
        if name == "upsert":
            holes["columns"] = SQL(", ").join(map(Identifier, named))
            holes["values"] = SQL(", ").join(map(Placeholder, named))
            holes["assignments"] = SQL(", ").join(
                SQL("{0} = excluded.{0}").format(Identifier(column)) for column in named
            )
        return queries("mirror_postgis.sql")[name].format(**holes)


def _type(field: fields.Field[Any]) -> SQL:
    """Return the type of a column."""
    match field:
        case Whole():
            return SQL("bigint")
        case Number():
            return SQL("double precision")
        case Day():
            return SQL("date")
        case Instant():
            return SQL("timestamptz")
        case fields.List():
            return SQL("jsonb")
        case _:
            return SQL("text")
