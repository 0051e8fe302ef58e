"""What came of an import, told in numbers and examples."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import shapely
from psycopg.sql import Composed

from api.db import Connection, queries

#: The properties that make an event one that has moved, and one that has another date.
PLACE = (
    *("geom", "footprint", "ground", "place_name", "country", "admin1", "admin2"),
    *("geo_precision", "uncertainty_km", "geocoder"),
)
TIME = ("starts_on", "ends_on", "date_precision", "date_phrase")
#: What is kept as WKB.
GEOMETRIES = {"geom", "footprint"}
#: Examples of each kind of change.
SHOWN = 5


class Change(NamedTuple):
    """One field of one event that an import changed."""

    source_id: str
    field: str
    before: Any
    after: Any


class Seen(NamedTuple):
    """An event that is new or gone, in a few words."""

    source_id: str
    words: str


@dataclass
class Account:
    """What came of an import.

    `read` counts rows: each of them created or changed an event, left one `unchanged`, `repeated`
    what an earlier row had said, was `rejected`, or was left out on purpose (`passed`, by why).
    `gone` are the events that were deleted.

    An event that changed has `moved`, was `redated`, was `recoded` in the rest, or several of
    these; or it is `back` from deletion, which counts as nothing else. `fields` counts how often
    each property changed. Of each kind there are a few examples.
    """

    import_id: UUID = field(default_factory=uuid4)
    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0
    gone: int = 0
    moved: int = 0
    redated: int = 0
    recoded: int = 0
    back: int = 0
    passed: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Change]] = field(default_factory=dict)
    new: list[Seen] = field(default_factory=list)
    lost: list[Seen] = field(default_factory=list)


def tell_changes(conn: Connection, account: Account) -> None:
    """Take down what of the staged events differs from what is there, before it is written."""
    kinds = {"place": list(PLACE), "time": list(TIME), "shown": SHOWN}
    account.fields = dict(conn.execute(_query("changed_fields")))
    for kind, count in conn.execute(_query("kinds"), kinds):
        setattr(account, kind, count)
    for kind, *change in conn.execute(_query("changed_examples"), kinds).fetchall():
        account.examples.setdefault(kind, []).append(_example(conn, *change))
    found = conn.execute(_query("created_examples"), {"shown": SHOWN})
    account.new = [Seen(*row) for row in found]


def tell_absent(conn: Connection, account: Account) -> None:
    """Take down which events are to go, before they do."""
    rows = conn.execute(_query("gone_examples"), {"shown": SHOWN}).fetchall()
    account.gone += rows[0][2] if rows else 0
    account.lost += [Seen(*row[:2]) for row in rows]


def _example(conn: Connection, source_id: str, name: str, before: Any, after: Any) -> Change:
    if name == "ground":
        before, after = (_place_on(conn, value) for value in (before, after))
    if name in GEOMETRIES:
        before, after = (
            shapely.from_wkb(bytes.fromhex(value[2:])).wkt if value else None
            for value in (before, after)
        )
    return Change(source_id, name, before, after)


def _place_on(conn: Connection, ground: int | None) -> str | None:
    """Return the id of a place whose outline or line is that shared ground."""
    row = conn.execute(_query("place_on"), [ground]).fetchone()
    return row[0] if row else None


def _query(name: str) -> Composed:
    return queries("imports.sql")[name].format()
