"""What is asked of an event, as conditions on its row: pure functions, no I/O.

Where and when are asked with a certainty (docs/decisions/0009-certainty.md):

reported  the point lies in the region, the interval meets the period: what the standard demands;
possible  the footprint meets the region, the interval meets the period: it may have been so;
certain   the footprint lies in the region, the interval lies in the period: it was so.

A footprint is either the event's own geometry or a `ground` that it shares with others. Which
grounds count is found out first, once a statement, as the table `touched`.

An interval meets [a, b] if it starts in it, or if it lasts and contains the step from the day
before a to a. The two kinds are disjoint, and in order one stands behind the other, so each has an
index of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import shapely
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder
from shapely.geometry.base import BaseGeometry

from api import sight
from api.db import queries
from api.fields import Days
from api.schemas import SCALARS
from geo.region import Region

Query = Mapping[str, Any]

NOWHERE = SQL("e.geom IS NULL")
LASTS = SQL("(e.starts_on IS NULL OR e.ends_on IS NULL OR e.ends_on > e.starts_on)")
SPANS = SQL("e.during @> daterange(%(eve)s, %(first)s, '[]')")
#: Not by the interval, whose index would be taken for the order's.
ENDED = SQL("e.ends_on <= %(last)s")
SHARES_NONE = SQL("e.ground IS NULL")
ON_TOUCHED = SQL("e.ground IN (SELECT id FROM touched)")


def values(query: Query) -> dict[str, Any]:
    """Return what the conditions of `query` bind, by name."""
    bound: dict[str, Any] = {name: query[name] for name in SCALARS if name in query}
    days: Days | None = query.get("datetime")
    if days:
        bound |= {"first": days.first, "last": days.last}
        if days.first:
            bound["eve"] = days.first - timedelta(days=1)
    if "condition" in query:
        bound |= query["condition"].values
    bound |= sight.values(query)
    if "region" in query:
        region: Region = query["region"]
        bound |= {f"piece{i}": _bytes(piece) for i, piece in enumerate(region.pieces)}
        bound |= region_values(region, rims=certainty(query) != "reported")
    return bound


def region_values(region: Region, *, rims: bool) -> dict[str, Any]:
    """Return a region as values to bind: its parts and, for shared grounds, what its rims bound."""
    bound: dict[str, Any] = {f"part{i}": _bytes(part) for i, part in enumerate(region.parts)}
    if rims:
        bound |= {name: _bytes(getattr(region, name)) for name in ("area", "inner", "outer")}
        bound["rim"] = _bytes(region.area.boundary)
        bound["rectangle"] = region.rectangle
    return bound


def narrows(query: Query) -> bool:
    """Tell whether `query` asks for less than all events."""
    return bool({"region", "datetime", "condition"} & query.keys() or filters(query))


def certainty(query: Query) -> str:
    """Return how sure the place and the time have to be."""
    return str(query.get("certainty", "reported"))


def conjoined(conditions: list[Composable]) -> Composable:
    """Return the conjunction of conditions."""
    return SQL(" AND ").join(conditions) if conditions else Literal(True)  # noqa: FBT003 - a value


def everything(query: Query) -> list[Composable]:
    """Return every condition of `query` on an event, whatever the page."""
    return [sight.seen(query), *met(query)]


def met(query: Query) -> list[Composable]:
    """Return what `query` asks of an event, whoever may see it."""
    return [*located(query), *described(query), *overlapping(query)]


# Where.


def touched(query: Query) -> Composable:
    """Return the table of the grounds that count, as the first of a WITH; or nothing."""
    if "region" not in query or certainty(query) == "reported":
        return SQL("")
    return SQL("{}, ").format(queries("grounds.sql")[certainty(query)])


def located(query: Query) -> list[Composable]:
    """Return the test that an event lies in the region; none without a region."""
    if "region" not in query:
        return []
    tests: list[Composable] = [_own_in(query, i) for i in range(len(query["region"].parts))]
    if certainty(query) == "certain":
        tests = [_own_within()]
    if certainty(query) != "reported":
        tests.append(ON_TOUCHED)
    if takes_placeless(query):
        tests.append(NOWHERE)
    return [_either(tests)]


def places(query: Query) -> list[list[Composable]]:
    """Return the same test as parts, whose conditions have an index each."""
    found: list[list[Composable]] = []
    if certainty(query) == "certain":
        found = [[_own_within()]]
    else:
        found = [[_own_in(query, i)] for i in range(len(query["region"].parts))]
    if certainty(query) != "reported":
        found.append([ON_TOUCHED])
    if takes_placeless(query):
        found.append([NOWHERE])
    return found


def in_pieces(query: Query) -> list[list[Composable]]:
    """Return the test that an event's own ground is in the region, for each piece of that."""
    kind = certainty(query)
    found: list[list[Composable]] = []
    for i in range(len(query["region"].pieces)):
        piece = _geometry(f"piece{i}")
        if kind == "certain":  # what is in the region need not be in one piece of it
            found.append([SQL("{} && {}").format(_own("e"), piece), _own_within()])
        else:
            found.append([_meets(query, piece)])
    return found


def takes_placeless(query: Query) -> bool:
    """Tell whether events without a place count: they are in every box of a map.

    (17-069r4, 7.15.3 C.) They are not reported from a place that is asked for by its name, but
    nothing speaks against their having been there; and nothing is certain about them.
    """
    kind = certainty(query)
    return kind == "possible" or (kind == "reported" and not query["region"].named)


def walked(query: Query) -> list[Composable]:
    """Return the test that an event lies in the region, for a walk along an index."""
    if "region" not in query or certainty(query) == "reported":
        return located(query)
    parts = [_geometry(f"part{i}") for i in range(len(query["region"].parts))]
    near = [SQL("ST_DWithin(e.geom, {}, abs(e.reach))").format(part) for part in parts]
    if certainty(query) == "certain":
        exactly = [_within("f")]
        inside = SQL("(ST_Intersects(e.geom, {}) AND NOT ST_DWithin(e.geom, {}, e.reach))")
        surely = [inside.format(_geometry("area"), _geometry("rim"))]
    else:
        exactly = [_touches("f", part) for part in parts]
        surely = [SQL("ST_Intersects(e.geom, {})").format(part) for part in parts]
    test = queries("grounds.sql")["walked"].format(
        placeless=Literal(takes_placeless(query)),
        near=_either([*near]),
        surely=_either([*surely]),
        exactly=_either([*exactly]),
    )
    return [test]


def _own_in(query: Query, i: int) -> Composed:
    return _meets(query, _geometry(f"part{i}"))


def _meets(query: Query, ground: Composable) -> Composed:
    if certainty(query) == "reported":
        return SQL("ST_Intersects(e.geom, {})").format(ground)
    return SQL("({} AND {})").format(SHARES_NONE, _touches("e", ground))


def _own_within() -> Composed:
    return SQL("({} AND {})").format(SHARES_NONE, _within("e"))


def _own(table: str) -> Composed:
    """Return the ground of an event that shares none; without a footprint it is the point."""
    return SQL("coalesce({0}.footprint, {0}.geom)").format(Identifier(table))


def _touches(table: str, ground: Composable) -> Composed:
    return SQL("ST_Intersects({}, {})").format(_own(table), ground)


def _within(table: str) -> Composed:
    """Return the test that an own footprint lies in the region.

    A point by itself is all the ground there is only where the very site is known.
    """
    known = SQL("({0}.footprint IS NOT NULL OR {0}.geo_precision = 'exact')")
    within = SQL("ST_Within({}, {})").format(_own(table), _geometry("area"))
    return SQL("({} AND {})").format(known.format(Identifier(table)), within)


def _geometry(name: str) -> Composed:
    return SQL("{}::geometry").format(Placeholder(name))


def _bytes(ground: BaseGeometry) -> str:
    return shapely.to_wkb(shapely.set_srid(ground, 4326), hex=True, include_srid=True)


def _either(tests: list[Composable]) -> Composable:
    if not tests:
        return Literal(False)  # noqa: FBT003 - a value
    return SQL("({})").format(SQL(" OR ").join(tests))


# Where, of places.


def place_in(region: Region) -> Composable:
    """Return the test that a place of the gazetteer, or its outline, meets a region."""
    tests: list[Composable] = [
        SQL("(p.ground IS NULL AND ST_Intersects(p.geom, {}))").format(_geometry(f"part{i}"))
        for i in range(len(region.parts))
    ]
    return _either([*tests, SQL("p.ground IN (SELECT id FROM touched)")])


# When.


def starting(query: Query) -> list[Composable]:
    """Return the test that an event starts in the period; one without a start does at its end.

    If it is to be certain, it must not last beyond it either.
    """
    days: Days = query.get("datetime", Days(None, None))
    first = [SQL("e.sort_on >= %(first)s")] if days.first else []
    last = [SQL("e.sort_on <= %(last)s")] if days.last else []
    sure = [ENDED] if certainty(query) == "certain" and last else []
    return [*first, *last, *sure]


def spanning(query: Query) -> list[Composable]:
    """Return the test that an event lasts into the period; none: nothing is before the period."""
    days: Days = query.get("datetime", Days(None, None))
    return [LASTS, SPANS] if days.first and certainty(query) != "certain" else []


def overlapping(query: Query) -> list[Composable]:
    """Return the test that an interval meets the period, in the two kinds that have an index."""
    starts, spans = starting(query), spanning(query)
    if not spans:
        return starts
    return [SQL("({} OR ({}))").format(conjoined(starts), conjoined(spans))]


# What.


def filters(query: Query) -> list[str]:
    """Return the properties whose value is asked for."""
    return [name for name in SCALARS if name in query]


def equal(query: Query, names: list[str]) -> list[Composable]:
    """Return the test that an event has the values that are asked for of some properties."""
    return [equals("e", name) for name in names if name in query]


def described(query: Query, but: Sequence[str] = ()) -> list[Composable]:
    """Return the test of all that is asked of properties, `but` for the values of some."""
    made = equal(query, [name for name in filters(query) if name not in but])
    return [*made, query["condition"].sql] if "condition" in query else made


def equals(table: str, name: str) -> Composed:
    """Return the test that a column has the value asked for."""
    return SQL("{} = {}").format(Identifier(table, name), Placeholder(name))
