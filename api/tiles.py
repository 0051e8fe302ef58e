"""Vector tiles of events: a query and a tile in, the tile as it is sent out (docs/tiles.md).

Tiles of low zooms hold clusters. They come from counts that are kept by cell and month
(`event_cell`) where the query asks for no more than a period; where it asks for more, the events
themselves are put together over the same cells, which gives the same.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from marshmallow import fields
from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

from api import conditions, sight
from api.db import Pool, queries, read
from api.fields import Day, Days, Instant
from api.schemas import PROPERTIES
from api.stream import State
from geo.tiles import BITS, LAST_ZOOM, Tile

Query = Mapping[str, Any]

#: From this zoom on each event is a feature of its own, if they are not too many.
SINGLE_FROM = 9
#: The most events, and the most bytes, of a tile of single events; beyond, it has clusters.
MOST_EVENTS, MOST_BYTES = 2500, 500_000
#: A tile is so many cells wide and high, as a power of two.
CELLS = 5
#: For how wide a map, as a power of two of cells, the counts are kept.
LEVELS = (5, 7, 9, 11, 13)
#: What single events tell of themselves, if nothing else is asked for.
TOLD = [
    "event_type",
    "starts_on",
    "ends_on",
    "country",
    "geo_precision",
    "fatalities_best",
    "status",
]

#: Before and behind every day, as the database writes them.
NEVER, FOREVER = "-infinity", "infinity"


def tile(pool: Pool, query: Query, at: Tile) -> tuple[State, bytes]:
    """Return the tile `at` with the events that `query` asks for; it is empty if there are none."""
    if at.zoom >= SINGLE_FROM:
        state, made = _made(pool, _singles(query, at), _values(query, at))
        if made is not None and len(made) <= MOST_BYTES:
            return state, made
    state, made = _made(pool, _clusters(query, at), _values(query, at))
    return state, made or b""


def counted(query: Query) -> bool:
    """Tell whether `query` asks for no more than what is counted by cell and month."""
    narrowed = {"region", "condition"} & query.keys() or conditions.filters(query)
    wholly = conditions.certainty(query) == "certain" and "datetime" in query
    return not (narrowed or wholly or sight.of(query) != sight.PUBLIC)


def _made(pool: Pool, statement: Composed, values: Mapping[str, Any]) -> tuple[State, bytes | None]:
    """Return a tile and the head at which it was made; no tile: it would have too many events."""
    row: Any = read(pool, lambda conn: conn.execute(statement, values, binary=True).fetchone())
    *state, features, made = row
    return State(*state), b"" if features == 0 else made


def _values(query: Query, at: Tile) -> dict[str, Any]:
    west, south, east, north = at.bounds
    slack = 1e-6  # the edges are rounded; the exact test is that of map_x() and map_y()
    values = {
        **conditions.values(query),
        "west": west - slack,
        "south": south - slack,
        "east": east + slack,
        "north": north + slack,
        "row": at.row,
        "column": at.column,
        "shift": at.shift,
        "step": LAST_ZOOM - at.zoom,
        "cell": BITS - CELLS - at.zoom,
        "most": MOST_EVENTS,
    }
    if at.zoom < SINGLE_FROM:
        level = next(level for level in LEVELS if level >= at.zoom + CELLS)
        cells = at.cells(level)
        values |= {"level": level, "first_cell": cells[0], "last_cell": cells[-1]}
        first, last, edges = in_months(query.get("datetime", Days(None, None)))
        values |= {"first_month": first, "last_month": last}
        for i, (start, end) in enumerate(edges):
            values |= {f"edge{i}_first": start, f"edge{i}_last": end}
    return values


def _singles(query: Query, at: Tile) -> Composed:
    names = [name for name in PROPERTIES if name in query.get("properties", TOLD)]
    named = queries("tiles.sql")
    return named["single"].format(
        touched=conditions.touched(query),
        where=conditions.conjoined([_inside(at), *conditions.everything(query)]),
        properties=SQL("").join(SQL(", {}").format(_told(name)) for name in names),
        names=SQL("").join(SQL(", {}").format(Identifier(name)) for name in names),
        event=sight.events(query),
        answer=named["answer"].format(**sight.told(query)),
    )


def _told(name: str) -> Composable:
    """Return a property as a tile can hold it: text or a number."""
    column = Identifier("e", name)
    match PROPERTIES[name]:
        case Day():
            value = SQL("{}::text").format(column)
        case Instant():
            value = SQL("instant({})").format(column)
        case fields.List():
            value = SQL("to_json({})::text").format(column)
        case _:
            value = SQL("{}").format(column)
    return SQL("{} AS {}").format(value, Identifier(name))


def _clusters(query: Query, at: Tile) -> Composed:
    by_count = at.zoom < SINGLE_FROM and counted(query)
    named, parts = queries("tiles.sql"), _counts(query, at) if by_count else _events(query, at)
    return named["clusters"].format(
        touched=conditions.touched(query),
        parts=Composed(parts).join(named["beside"]),
        answer=named["answer"].format(**sight.told(query)),
    )


def _events(query: Query, at: Tile) -> list[Composed]:
    """Return all events of a query: those that start in the period, and those that last into it."""
    rest = [*conditions.located(query), *conditions.described(query)]
    times = [conditions.starting(query)]
    if conditions.spanning(query):
        times.append(conditions.spanning(query))
    return [_of_event(query, at, [*rest, *time]) for time in times]


def _counts(query: Query, at: Tile) -> list[Composed]:
    """Return the same as what is counted of whole months, and the events that are left."""
    named = queries("tiles.sql")
    months = named["some_months" if "datetime" in query else "all_months"]
    parts = [named["of_cells"].format(months=months)]
    for i, _ in enumerate(in_months(query.get("datetime", Days(None, None)))[2]):
        first, last = Placeholder(f"edge{i}_first"), Placeholder(f"edge{i}_last")
        parts.append(_of_event(query, at, [named["at_edge"].format(first=first, last=last)]))
    if conditions.spanning(query):
        parts.append(_of_event(query, at, conditions.spanning(query)))
    return parts


def _of_event(query: Query, at: Tile, where: list[Composable]) -> Composed:
    tests = [sight.seen(query), _inside(at), *where]
    return queries("tiles.sql")["of_event"].format(
        event=sight.events(query), where=conditions.conjoined(tests)
    )


def _inside(at: Tile) -> Composable:
    return queries("tiles.sql")["within_tile" if at.zoom else "on_map"]


def in_months(days: Days) -> tuple[date | str, date | str, list[tuple[date, date]]]:
    """Return a period as whole months, from the first to the last, and the stretches of days left.

    If the last is before the first, there is no whole month.

    >>> first, last, edges = in_months(Days(date(2024, 1, 15), date(2024, 3, 31)))
    >>> first.isoformat(), last.isoformat(), [(str(a), str(b)) for a, b in edges]
    ('2024-02-01', '2024-03-01', [('2024-01-15', '2024-01-31')])
    """
    start, end, edges = days.first, days.last, []
    first: date | str = start or NEVER
    last: date | str = _month(end) if end else FOREVER
    if start and start.day != 1:
        edges.append((start, min(_month_end(start), end or date.max)))
        first = _following(start)
    if end and end != _month_end(end):
        last = _previous(end)
        if not (edges and _month(end) == _month(edges[0][0])):
            edges.append((_month(end), end))
    return first, last, edges


def _month(day: date) -> date:
    return day.replace(day=1)


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _following(day: date) -> date | str:
    """Return the month after that of a day; there is none after that of the last day."""
    end = _month_end(day)
    return end + timedelta(days=1) if end < date.max else FOREVER


def _previous(day: date) -> date | str:
    """Return the month before that of a day; there is none before that of the first day."""
    month = _month(day)
    return _month(month - timedelta(days=1)) if month > date.min else NEVER
