"""Pages in every regime: always exact, and within bounds that do not grow with the table."""

import itertools
import json
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL

import synthetic
from api import page
from api.db import SESSION
from api.fields import Place
from api.schemas import SCALARS, ItemsQuery, load

EVENTS = 40_000
LIMIT = 20
#: How far a walk looks for a page of this size.
REACH = 4 * LIMIT + 2000

BOXES = {
    "a town": "44.2,33.0,44.8,33.6",
    "a province on one point": "26.36,51.0,31,51.1",
    "a quiet place": "-22.5,63.9,-21.5,64.4",
    "a late war": "22.1,44.4,40.2,52.3",
    "an early war": "79.6,5.9,81.9,9.8",
    "a region": "34,12,63,42",
    "nothing": "70,-42,95,-15",
    "across the antimeridian": "177,-19,-178,-15",
    "the world": "-180,-90,180,90",
    "no box": None,
}
PERIODS = {
    "all": None,
    "some days": "2025-05-10/2025-05-14",
    "a year": "2024-01-01/2024-12-31",
    "an old year": "2005-01-01/2005-12-31",
    "before it began": "../1990-02-10",
    "since": "2012-05-05/..",
    "until": "../2012-05-05",
}
FILTERS = {
    "no filter": {},
    "a common actor": {"actor1": "IS"},
    "a rare actor": {"actor1": "Group 4321"},
    "two": {"event_type": "Battles", "status": "confirmed"},
    "without an index": {"admin2": "IRQ Province 2, district 3"},
}
ORDERS = ["-starts_on", "starts_on", "-fatalities_best"]


@pytest.fixture(scope="module")
def conn(make_database):
    """A serving session on many synthetic events."""
    dsn = make_database()
    synthetic.write(dsn, EVENTS)
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    with psycopg.connect(dsn, autocommit=True, options=options) as connection:
        yield connection


def asked(**pairs):
    return load(ItemsQuery, b"", [(k, str(v)) for k, v in pairs.items() if v is not None])


def answered(conn, query):
    """Return the ids of a page, its header, and the buffers that all its statements touched."""
    touched = 0
    values = page.parameters(query)
    for statement in page.statements(query):
        explain = SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ") + statement
        plan = conn.execute(explain, values).fetchone()[0][0]["Plan"]
        touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        header, *features = (json.loads(row[0]) for row in conn.execute(statement, values))
        if header["enough"]:
            break
    return [f["id"] for f in features], header, touched


def by_hand(query):
    """Return the plain statement for the same page, which leaves all to the planner."""
    where, values = ["public"], {}
    days = query.get("datetime")
    if days and days.last:
        where.append("(starts_on IS NULL OR starts_on <= %(last)s)")
    if days and days.first:
        where.append("(ends_on IS NULL OR ends_on >= %(first)s)")
    if days:
        values |= {"first": days.first, "last": days.last}
    if "bbox" in query:
        boxes = " OR ".join(
            f"ST_Intersects(geom, ST_MakeEnvelope({w}, {s}, {e}, {n}, 4326))"
            for w, s, e, n in query["bbox"]
        )
        where.append(f"(geom IS NULL OR {boxes})")
    for name in SCALARS:
        if name in query:
            where.append(f"{name} = %({name})s")
            values[name] = query[name]
    sign, key = query["sortby"][0], {"s": "sort_on", "f": "sort_toll"}[query["sortby"][1]]
    if "cursor" in query:
        where.append(f"({key}, id) {'<' if sign == '-' else '>'} (%(key)s, %(id)s)")
        values |= {"key": query["cursor"].key, "id": query["cursor"].id}
    order = "DESC" if sign == "-" else "ASC"
    return (
        f"SELECT id::text FROM event WHERE {' AND '.join(where)}"  # noqa: S608 - the table above
        f" ORDER BY {key} {order}, id {order} LIMIT {query['limit']}"
    ), values


def bound(filters, order):
    """Return how many pages of the database a regime may touch; None: it is not bounded.

    A walk touches one page of the index for some rows, or one of the table for each that it has to
    look into; what lasts is a small set of its own, and each feature costs a path of an index.
    """
    if order == "-fatalities_best" or filters == "without an index":
        return None  # what is sorted by toll in a box is all gathered; the rest is walked
    if filters == "no filter":
        return 2 * REACH + 20 * LIMIT
    return 6 * REACH + 20 * LIMIT


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("period", PERIODS)
def test_a_page_is_exact_and_within_bounds(conn, period, filters, order):
    for box, text in BOXES.items():
        query = asked(
            bbox=text, datetime=PERIODS[period], sortby=order, limit=LIMIT, **FILTERS[filters]
        )
        for _ in range(2):
            ids, header, touched = answered(conn, query)
            statement, values = by_hand(query)
            assert ids == [row[0] for row in conn.execute(statement, values)], box
            most = bound(filters, order)
            assert most is None or touched <= most, (box, touched)
            if not header["more"]:
                break
            key, event = header["last"]
            query = dict(query, cursor=Place(query["sortby"], key, UUID(event)))


def test_the_planner_left_alone_would_break_the_bound(conn):
    worst = 0
    for box, period in itertools.product(BOXES, PERIODS):
        query = asked(bbox=BOXES[box], datetime=PERIODS[period], limit=LIMIT)
        statement, values = by_hand(query)
        explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}"
        plan = conn.execute(explain, values).fetchone()[0][0]["Plan"]
        worst = max(worst, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    assert worst > 2 * bound("no filter", "-starts_on")
