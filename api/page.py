"""How events are asked for, a page or one: pure functions from a query to statements, no I/O.

A region with a period, newest first, has two good plans and no sign by which to tell which is the
good one: places and dates are correlated, and the planner does not know how. So the statements are
bounded and tried in turn (docs/decisions/0003-bounded-plans.md):

walk      the newest few thousand events, each tested: best where the answer is dense;
choose    where the walk has not found a page: through the index that serves the filters.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier

from api import conditions, geometries, sight
from api.conditions import NOWHERE, conjoined, described, equal, filters, starting
from api.db import queries
from api.schemas import PROPERTIES, SORTABLES

Query = Mapping[str, Any]

#: The test that an event is seen, of one kind of events.
Eye = list[Composable]

#: The properties with an index that ends in the order by date, the rarest values first.
INDEXED = [
    *("actor1", "actor2", "admin1", "country", "status"),
    *("event_type", "geo_precision", "dataset"),
]
#: Far enough from every date to measure nearness from.
FAR = {"DESC": SQL("date '5000-01-01'"), "ASC": SQL("date '0001-01-01'")}
TRUE, FALSE = SQL("true"), SQL("false")
UNKNOWN = SQL("NULL::bigint")


def parameters(query: Query) -> dict[str, Any]:
    """Return the values that the statements of `query` bind, by name."""
    limit = query["limit"]
    far = 4 if _by_date(query) else 12  # by toll, all must be sorted that the walk does not find
    values = {"limit": limit, "reach": far * limit + 2000} | conditions.values(query)
    values |= geometries.values(query)
    if "cursor" in query:
        values |= {"after_key": query["cursor"].key, "after_id": query["cursor"].id}
    return values


def statements(query: Query) -> Iterator[Composed]:
    """Yield the statements that answer `query`, the cheapest first.

    Each gives a header and, if the header says that it is enough, the features. The last always is.
    """
    by_date = _by_date(query)
    region, indexed = "region" in query, [name for name in INDEXED if name in query]
    others = "condition" in query or len(indexed) < len(filters(query))
    period = "datetime" in query
    starts = period and query["datetime"].first is not None
    plain = not (region or indexed or others) and not (starts if by_date else period)

    if plain and _has_one_order(query):
        yield _straight(query)
        return
    if plain or (by_date and not region and not others and len(indexed) <= 1):
        yield _choose(query, _in_order)
        return
    if _has_one_order(query):
        yield _walk(query, indexed[:1] if by_date else [])
        if by_date and indexed and _is_box(query):
            yield _walk_in_box(query)
    if indexed or not by_date:
        # What matches is rare by now, wherever it stands: all of it, to be sorted.
        yield _choose(query, _everything)
    else:
        yield _choose(query, _by_nearness if region else _in_order)


def count(query: Query) -> Composed:
    """Return the statement that counts the events of `query`, whatever its page."""
    return queries("events.sql")["count"].format(
        event=sight.events(query),
        touched=conditions.touched(query),
        where=conjoined(conditions.everything(query)),
        **sight.told(query),
    )


def whole(query: Query) -> Composed:
    """Return the statement that gives all events of `query` from its cursor on."""
    return queries("events.sql")["whole"].format(
        touched=conditions.touched(query),
        feature=feature(query),
        then=_then(query),
        **sight.told(query),
        **_holes(query, [*conditions.everything(query), *_after(query)]),
    )


def one(query: Query) -> Composed:
    """Return the statement that gives the event called `id`, its version and the head it made."""
    named, eyes = queries("events.sql"), sight.of(query)
    return named["one"].format(
        event=sight.events(query),
        seen=sight.seen(query),
        exact=named["exact_tx"] if eyes.restricted and not eyes.past else SQL("NULL"),
        feature=feature(query),
    )


def feature(query: Query) -> Composable:
    """Return what a feature is: the finished text, or less where less is asked for."""
    kind = query.get("geometry", "point")
    finished = "properties" not in query and not query.get("skipGeometry") and kind == "point"
    if finished and geometries.as_stored(query):
        return SQL("e.feature")
    names = query.get("properties", list(PROPERTIES))
    columns = SQL(", ").join(
        SQL("instant(e.updated_at) AS updated_at") if n == "updated_at" else Identifier("e", n)
        for n in names
    )
    named = queries("events.sql")
    shape = None if query.get("skipGeometry") else named[kind]
    return named["projected"].format(geometry=geometries.written(shape, query), columns=columns)


def _straight(query: Query) -> Composed:
    (eye,) = sight.eyes(query)
    return queries("events.sql")["straight"].format(
        feature=feature(query),
        **sight.told(query),
        **_holes(query, [*eye, *_window(query), *_after(query)]),
    )


def _walk(query: Query, along: list[str]) -> Composed:
    """Walk the order, or the order of one value of the properties `along`, for a bounded way."""
    (eye,) = sight.eyes(query)
    where = [*eye, *equal(query, along), *_window(query), *_after(query)]
    tests = [*conditions.walked(query), *described(query, but=along)]
    if not _by_date(query):
        tests += conditions.overlapping(query)
    named = queries("events.sql")
    walked = named["walked"].format(
        test=conjoined(tests), lasting=_lasting_walked(query), **_holes(query, where)
    )
    return _page(query, walked, named["walk_enough"], named["walk_matched"])


def _walk_in_box(query: Query) -> Composed:
    """Walk the events of the box in their order, for a bounded way."""
    named = queries("events.sql")
    (box,), (eye,) = conditions.in_pieces(query), sight.eyes(query)
    walked = named["walked_in_box"].format(
        test=conjoined(described(query)),
        event=sight.events(query),
        where=conjoined([*eye, *box, *_window(query), *_after(query)]),
        far=_far(query),
        placeless=_placeless(query, eye),
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


def _choose(query: Query, of: Callable[[Query, Eye], list[Composed]]) -> Composed:
    """Gather candidates from the parts that `of` makes, and what lasts where it can be on the page.

    Each kind of event that is seen has parts of its own, for it has indexes of its own.
    """
    named = queries("events.sql")
    parts = [part for eye in sight.eyes(query) for part in of(query, eye)]
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
        touched=conditions.touched(query),
        candidates=candidates,
        distinct=SQL("" if "region" not in query or _is_box(query) else "DISTINCT"),
        enough=enough,
        matched=matched,
        feature=feature(query),
        event=sight.events(query),
        then=_then(query),
        direction=_direction(query),
        **sight.told(query),
    )


def _then(query: Query) -> Composable:
    """Return what else to ask of the versions of an event that has been found."""
    return SQL("").join(SQL(" AND {}").format(test) for test in sight.moment(query))


def _in_order(query: Query, eye: Eye) -> list[Composed]:
    where = [*eye, *described(query), *_window(query), *_after(query)]
    return [queries("events.sql")["in_order"].format(**_holes(query, where))]


def _by_nearness(query: Query, eye: Eye) -> list[Composed]:
    named = queries("events.sql")
    rest = [*eye, *described(query), *_window(query), *_after(query)]
    parts = [
        named["by_nearness"].format(
            event=sight.events(query), where=conjoined([*piece, *rest]), far=_far(query)
        )
        for piece in conditions.in_pieces(query)
    ]
    if conditions.certainty(query) != "reported":
        parts.append(named["by_ground"].format(**_holes(query, rest)))
    if not parts or conditions.takes_placeless(query):
        parts.append(_placeless(query, eye))
    return parts


def _placeless(query: Query, eye: Eye) -> Composed:
    """Return the events without a place: they are in every box; or none, if they do not count."""
    rest = [*described(query), *_window(query), *_after(query)]
    none = [] if conditions.takes_placeless(query) else [FALSE]
    where = [*eye, NOWHERE, *none, *rest]
    return queries("events.sql")["in_order"].format(**_holes(query, where))


def _everything(query: Query, eye: Eye) -> list[Composed]:
    """Return all that is asked for, in parts whose conditions have an index each."""
    places: list[list[Composable]] = conditions.places(query) if "region" in query else [[]]
    times = [starting(query)]
    if not _by_date(query) and conditions.spanning(query):  # by date, _choose adds what lasts
        times.append(conditions.spanning(query))
    rest = [*described(query), *_after(query)]
    return [
        _at_once(query, [*eye, *place, *time, *rest])
        for place in places or [conditions.located(query)]
        for time in times
    ]


def _far(query: Query) -> SQL:
    """Return a day so far that to come near it is the order asked for."""
    return FAR["DESC" if query["sortby"].startswith("-") else "ASC"]


def _lasting(query: Query) -> Composed | None:
    """Return the events that began before the period and still meet it."""
    spanning = conditions.spanning(query)
    if not (spanning and _by_date(query)):
        return None
    rest = [*conditions.located(query), *described(query), *_after(query)]
    parts = [_at_once(query, [*eye, *spanning, *rest]) for eye in sight.eyes(query)]
    return SQL("({})").format(SQL(" UNION ALL ").join(parts))


def _at_once(query: Query, where: list[Composable]) -> Composed:
    return queries("events.sql")["at_once"].format(
        event=sight.events(query), key=Identifier(_key(query)), where=conjoined(where)
    )


def _window(query: Query) -> list[Composable]:
    """Return the bounds of a period on the order by date."""
    return starting(query) if _by_date(query) else []


def _after(query: Query) -> list[Composable]:
    """Return what lies behind the cursor; the first half alone is what an R-tree can use."""
    if "cursor" not in query:
        return []
    key, less = Identifier("e", _key(query)), SQL("<" if query["sortby"][0] == "-" else ">")
    return [
        SQL("{} {}= %(after_key)s").format(key, less),
        SQL("({}, e.id) {} (%(after_key)s, %(after_id)s)").format(key, less),
    ]


def _is_box(query: Query) -> bool:
    """Tell whether the region is one box in which the points are looked for."""
    region = query.get("region")
    return bool(region and region.rectangle and conditions.certainty(query) == "reported")


def _has_one_order(query: Query) -> bool:
    """Tell whether the events that are seen stand in one index, by which a walk can go.

    Of the past, a walk cannot tell by that alone on what ground a version stood.
    """
    by_point = "region" not in query or conditions.certainty(query) == "reported"
    return len(sight.eyes(query)) == 1 and (by_point or not sight.of(query).past)


def _holes(query: Query, where: list[Composable]) -> dict[str, Composable]:
    return {
        "event": sight.events(query),
        "key": Identifier(_key(query)),
        "direction": _direction(query),
        "where": conjoined(where),
    }


def _by_date(query: Query) -> bool:
    return bool(query["sortby"].endswith("starts_on"))


def _key(query: Query) -> str:
    return SORTABLES[query["sortby"][1:]]


def _direction(query: Query) -> SQL:
    return SQL("DESC" if query["sortby"].startswith("-") else "ASC")
