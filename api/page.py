"""How a page of events is asked for: pure functions from a query to statements, no I/O.

A box with a period, newest first, has two good plans and no sign by which to tell which is the
good one: places and dates are correlated, and the planner does not know how. So the statements are
bounded and tried in turn (docs/decisions/0003-bounded-plans.md):

walk      the newest few thousand events, each tested: best where the answer is dense;
choose    where the walk has not found a page: through the index that serves the filters.

An interval meets [a, b] if it starts in it, or if it lasts and contains the step from the day
before a to a. The two kinds are disjoint, and in order one stands behind the other, so each has an
index of its own.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from api.db import queries
from api.fields import Days
from api.schemas import PROPERTIES, SCALARS, SORTABLES

Query = Mapping[str, Any]

#: The properties with an index that ends in the order by date, the rarest values first.
INDEXED = ["actor1", "actor2", "admin1", "country", "status", "event_type", "dataset"]
#: Far enough from every date to measure nearness from.
FAR = {"DESC": SQL("date '5000-01-01'"), "ASC": SQL("date '0001-01-01'")}
LASTS = SQL("(e.starts_on IS NULL OR e.ends_on IS NULL OR e.ends_on > e.starts_on)")
SPANS = SQL("e.during @> daterange(%(eve)s, %(first)s, '[]')")
PUBLIC = SQL("e.public")
TRUE = SQL("true")
UNKNOWN = SQL("NULL::bigint")


def parameters(query: Query) -> dict[str, Any]:
    """Return the values that the statements of `query` bind, by name."""
    limit = query["limit"]
    far = 4 if _by_date(query) else 12  # by toll, all must be sorted that the walk does not find
    values: dict[str, Any] = {"limit": limit, "reach": far * limit + 2000}
    values |= {name: query[name] for name in SCALARS if name in query}
    for i, box in enumerate(query.get("bbox", [])):
        values |= dict(zip(_corners(i), box, strict=True))
    days: Days | None = query.get("datetime")
    if days:
        values |= {"first": days.first, "last": days.last}
        if days.first:
            values["eve"] = days.first - timedelta(days=1)
    if "cursor" in query:
        values |= {"after_key": query["cursor"].key, "after_id": query["cursor"].id}
    return values


def statements(query: Query) -> Iterator[Composed]:
    """Yield the statements that answer `query`, the cheapest first.

    Each gives a header and, if the header says that it is enough, the features. The last always is.
    """
    by_date = _by_date(query)
    box, filters = "bbox" in query, [name for name in INDEXED if name in query]
    others = any(name in query for name in SCALARS if name not in INDEXED)
    period = "datetime" in query
    starts = period and query["datetime"].first is not None

    if not (box or filters or others) and not (starts if by_date else period):
        yield _straight(query)
        return
    if by_date and not box and not others and len(filters) <= 1:
        yield _choose(query, _in_order(query))
        return
    yield _walk(query, filters[:1] if by_date else [])
    if by_date and filters and len(query.get("bbox", [])) == 1:
        yield _walk_in_box(query)
    if filters or not by_date:
        # What matches is rare by now, wherever it stands: all of it, to be sorted.
        yield _choose(query, _everything(query))
    else:
        yield _choose(query, _by_nearness(query) if box else _in_order(query))


def narrows(query: Query) -> bool:
    """Tell whether `query` asks for less than all events."""
    return "bbox" in query or "datetime" in query or any(name in query for name in SCALARS)


def count(query: Query) -> Composed:
    """Return the statement that counts the events of `query`, whatever its page."""
    return queries("events.sql")["count"].format(where=_and(_all(query)))


def feature(query: Query) -> Composable:
    """Return what a feature is: the finished text, or less where less is asked for."""
    if "properties" not in query and not query.get("skipGeometry"):
        return SQL("e.feature")
    names = query.get("properties", list(PROPERTIES))
    columns = SQL(", ").join(
        SQL("instant(e.updated_at) AS updated_at") if n == "updated_at" else Identifier("e", n)
        for n in names
    )
    bare = query.get("skipGeometry")
    geometry = SQL("'null'") if bare else SQL("coalesce(ST_AsGeoJSON(e.geom, 6), 'null')")
    return queries("events.sql")["projected"].format(geometry=geometry, columns=columns)


def _straight(query: Query) -> Composed:
    where = [PUBLIC, *_window(query), *_after(query)]
    return queries("events.sql")["straight"].format(feature=feature(query), **_holes(query, where))


def _walk(query: Query, along: list[str]) -> Composed:
    """Walk the order, or the order of one value of the properties `along`, for a bounded way."""
    where = [PUBLIC, *_equal(query, along), *_window(query), *_after(query)]
    tests = [*_boxes(query), *_equal(query, [n for n in _filters(query) if n not in along])]
    if not _by_date(query):
        tests += _overlap(query)
    named = queries("events.sql")
    walked = named["walked"].format(
        test=_and(tests), lasting=_lasting_walked(query), **_holes(query, where)
    )
    return _page(query, walked, named["walk_enough"], named["walk_matched"])


def _walk_in_box(query: Query) -> Composed:
    """Walk the events of the box in their order, for a bounded way."""
    named = queries("events.sql")
    walked = named["walked_in_box"].format(
        test=_and(_equal(query, _filters(query))),
        where=_and([PUBLIC, _in_box(0), *_window(query), *_after(query)]),
        far=_far(query),
        placeless=_placeless(query),
        lasting=_lasting_walked(query),
    )
    return _page(query, walked, named["walk_enough"], UNKNOWN)


def _lasting_walked(query: Query) -> Composable:
    """Return how what lasts is put to a walk: where in the order it stands."""
    lasting = _lasting(query)
    if lasting is None:
        return SQL("")
    behind = "walked_to_end" if query["sortby"].startswith("-") else "walked_from_start"
    return queries("events.sql")[behind].format(lasting=lasting)


def _choose(query: Query, parts: list[Composed]) -> Composed:
    """Gather candidates from all `parts`, and what lasts where it can be on the page."""
    named = queries("events.sql")
    together, lasting = SQL(" UNION ALL ").join(parts), _lasting(query)
    if lasting is None:
        gathered = named["gathered"].format(parts=together)
    elif query["sortby"].startswith("-"):
        gathered = named["gathered_to_end"].format(parts=together, lasting=lasting)
    else:
        gathered = named["gathered"].format(parts=SQL(" UNION ALL ").join([*parts, lasting]))
    return _page(query, gathered, TRUE, UNKNOWN)


def _page(
    query: Query, candidates: Composable, enough: Composable, matched: Composable
) -> Composed:
    return queries("events.sql")["chosen"].format(
        candidates=candidates,
        enough=enough,
        matched=matched,
        feature=feature(query),
        direction=_direction(query),
    )


def _in_order(query: Query) -> list[Composed]:
    where = [PUBLIC, *_equal(query, _filters(query)), *_window(query), *_after(query)]
    return [queries("events.sql")["in_order"].format(**_holes(query, where))]


def _by_nearness(query: Query) -> list[Composed]:
    nearness = queries("events.sql")["by_nearness"]
    rest = [*_equal(query, _filters(query)), *_window(query), *_after(query)]
    parts = [
        nearness.format(where=_and([PUBLIC, _in_box(i), *rest]), far=_far(query))
        for i in range(len(query["bbox"]))
    ]
    return [*parts, _placeless(query)]


def _placeless(query: Query) -> Composed:
    """Return the events without a place: they are in every box."""
    rest = [*_equal(query, _filters(query)), *_window(query), *_after(query)]
    where = [PUBLIC, SQL("e.geom IS NULL"), *rest]
    return queries("events.sql")["in_order"].format(**_holes(query, where))


def _everything(query: Query) -> list[Composed]:
    """Return all that is asked for, in disjoint parts whose conditions have an index each."""
    places: list[list[Composable]] = [[_in_box(i)] for i in range(len(query.get("bbox", [])))]
    places.append([SQL("e.geom IS NULL")] if places else [])
    times = [_starting(query)]
    if not _by_date(query) and _spanning(query):  # by date, _choose adds what lasts
        times.append(_spanning(query))
    rest = [*_equal(query, _filters(query)), *_after(query)]
    return [_at_once(query, [PUBLIC, *place, *time, *rest]) for place in places for time in times]


def _far(query: Query) -> SQL:
    """Return a day so far that to come near it is the order asked for."""
    return FAR["DESC" if query["sortby"].startswith("-") else "ASC"]


def _lasting(query: Query) -> Composed | None:
    """Return the events that began before the period and still meet it."""
    spanning = _spanning(query)
    if not (spanning and _by_date(query)):
        return None
    rest = [*_boxes(query), *_equal(query, _filters(query)), *_after(query)]
    return _at_once(query, [PUBLIC, *spanning, *rest])


def _at_once(query: Query, where: list[Composable]) -> Composed:
    return queries("events.sql")["at_once"].format(key=Identifier(_key(query)), where=_and(where))


def _all(query: Query) -> list[Composable]:
    """Return every condition of `query` on an event, whatever the page."""
    return [PUBLIC, *_boxes(query), *_equal(query, _filters(query)), *_overlap(query)]


def _window(query: Query) -> list[Composable]:
    """Return the bounds of a period on the order by date."""
    return _starting(query) if _by_date(query) else []


def _starting(query: Query) -> list[Composable]:
    """Return the test that an event starts in the period; one without a start does at its end."""
    days: Days = query.get("datetime", Days(None, None))
    first = [SQL("e.sort_on >= %(first)s")] if days.first else []
    last = [SQL("e.sort_on <= %(last)s")] if days.last else []
    return [*first, *last]


def _spanning(query: Query) -> list[Composable]:
    """Return the test that an event lasts into the period; none: nothing is before the period."""
    days: Days = query.get("datetime", Days(None, None))
    return [LASTS, SPANS] if days.first else []


def _overlap(query: Query) -> list[Composable]:
    """Return the test that an interval meets the period, in the two kinds that have an index."""
    starting, spanning = _starting(query), _spanning(query)
    if not spanning:
        return starting
    return [SQL("({} OR ({}))").format(_and(starting), _and(spanning))]


def _after(query: Query) -> list[Composable]:
    """Return what lies behind the cursor; the first half alone is what an R-tree can use."""
    if "cursor" not in query:
        return []
    key, less = Identifier("e", _key(query)), SQL("<" if query["sortby"][0] == "-" else ">")
    return [
        SQL("{} {}= %(after_key)s").format(key, less),
        SQL("({}, e.id) {} (%(after_key)s, %(after_id)s)").format(key, less),
    ]


def _boxes(query: Query) -> list[Composable]:
    """Return the test that an event lies in one of the boxes, or nowhere (17-069r4, 7.15.3 C)."""
    if "bbox" not in query:
        return []
    tests = [_in_box(i) for i in range(len(query["bbox"]))]
    return [SQL("({})").format(SQL(" OR ").join([*tests, SQL("e.geom IS NULL")]))]


def _in_box(i: int) -> Composed:
    """Return the test that an event lies in the box, be it but a line or a point.

    ST_Envelope makes the fitting geometry; in a polygon without extent nothing would lie.
    """
    west, south, east, north = map(Placeholder, _corners(i))
    corners = SQL("ST_MakeLine(ST_Point({}, {}, 4326), ST_Point({}, {}, 4326))")
    box = SQL("ST_Envelope({})").format(corners.format(west, south, east, north))
    return SQL("ST_Intersects(e.geom, {})").format(box)


def _corners(i: int) -> list[str]:
    return [f"{side}{i}" for side in ("west", "south", "east", "north")]


def _filters(query: Query) -> list[str]:
    return [name for name in SCALARS if name in query]


def _equal(query: Query, names: list[str]) -> list[Composable]:
    return [SQL("{} = {}").format(Identifier("e", n), Placeholder(n)) for n in names if n in query]


def _holes(query: Query, where: list[Composable]) -> dict[str, Composable]:
    return {
        "key": Identifier(_key(query)),
        "direction": _direction(query),
        "where": _and(where),
    }


def _by_date(query: Query) -> bool:
    return bool(query["sortby"].endswith("starts_on"))


def _key(query: Query) -> str:
    return SORTABLES[query["sortby"][1:]]


def _direction(query: Query) -> SQL:
    return SQL("DESC" if query["sortby"].startswith("-") else "ASC")


def _and(conditions: list[Composable]) -> Composable:
    return SQL(" AND ").join(conditions) if conditions else Literal(True)  # noqa: FBT003 - a value
