"""Pages in every regime: always exact, and within bounds that do not grow with the table."""

import itertools
import json
from uuid import UUID

import psycopg
import pytest
import shapely
from psycopg.sql import SQL

import synthetic
from api import page
from api.cursors import Position
from api.db import SESSION
from api.parameters import ItemsQuery, load
from api.schemas import SCALARS
from geo.region import Region

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
    "two in a filter": {"filter": "(event_type = 'Battles') AND (status = 'confirmed')"},
    "a condition": {"filter": "fatalities_best > 20 AND NOT actor1 = 'IS' OR country = 'LBN'"},
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


def located(query):
    """Return the plain condition on the place, each event's ground by itself."""
    if "bbox" in query:
        boxes = [box.bounds for part in query["bbox"].parts for box in shapely.get_parts(part)]
        envelopes = [f"ST_MakeEnvelope({w}, {s}, {e}, {n}, 4326)" for w, s, e, n in boxes]
    else:
        envelopes = [f"'SRID=4326;{part.wkt}'::geometry" for part in query["region"].parts]
    ground = "coalesce((SELECT geom FROM ground WHERE ground.id = ground), footprint, geom)"
    ground = ground.replace("= ground)", "= event.ground)")
    match query["certainty"]:
        case "reported":
            tests = [f"ST_Intersects(geom, {box})" for box in envelopes]
        case "possible":
            tests = [f"ST_Intersects({ground}, {box})" for box in envelopes]
        case "certain":
            known = "coalesce(ground::text, footprint::text) IS NOT NULL OR geo_precision = 'exact'"
            box = f"ST_Union(ARRAY[{', '.join(envelopes)}])"
            return f"(({known}) AND ST_Within({ground}, {box}))"
    placeless = "bbox" in query or query["certainty"] == "possible"
    return f"({' OR '.join([*tests, 'geom IS NULL'] if placeless else tests)})"


def by_hand(query):
    """Return the plain statement for the same page, which leaves all to the planner."""
    where, values = ["public"], {}
    days = query.get("datetime")
    sure = query["certainty"] == "certain"
    if days and days.last:
        where.append(
            "ends_on <= %(last)s" if sure else "(starts_on IS NULL OR starts_on <= %(last)s)"
        )
    if days and days.first:
        where.append(
            "starts_on >= %(first)s" if sure else "(ends_on IS NULL OR ends_on >= %(first)s)"
        )
    if days:
        values |= {"first": days.first, "last": days.last}
    if "region" in query:
        where.append(located(query))
    if "condition" in query:
        where.append("(fatalities_best > 20 AND NOT actor1 = 'IS' OR country = 'LBN')")
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


def bound(filters, order, certainty="reported"):
    """Return how many pages of the database a regime may touch; None: it is not bounded.

    A walk touches one page of the index for some rows, or one of the table for each that it has to
    look into; what lasts is a small set of its own, and each feature costs a path of an index.
    """
    if order == "-fatalities_best" or filters in {"without an index", "a condition"}:
        return None  # what is sorted by toll in a box is all gathered; the rest is walked
    if certainty != "reported":
        return 10 * REACH + 20 * LIMIT  # footprints are not in the index that is walked
    if filters == "no filter":
        return 2 * REACH + 20 * LIMIT
    return 6 * REACH + 20 * LIMIT


#: Every regime as the standard has it; of the other certainties those that differ in their plans.
REGIMES = [(*regime, "reported") for regime in itertools.product(PERIODS, FILTERS, ORDERS)] + [
    *itertools.product(
        ["all", "a year", "until"],
        ["no filter", "two", "without an index"],
        ["-starts_on", "-fatalities_best"],
        ["possible", "certain"],
    )
]


@pytest.mark.parametrize(("period", "filters", "order", "certainty"), REGIMES)
def test_a_page_is_exact_and_within_bounds(conn, period, filters, order, certainty):
    for box, text in BOXES.items():
        query = asked(
            bbox=text,
            datetime=PERIODS[period],
            sortby=order,
            limit=LIMIT,
            certainty=certainty,
            **FILTERS[filters],
        )
        for _ in range(2):
            ids, header, touched = answered(conn, query)
            statement, values = by_hand(query)
            assert ids == [row[0] for row in conn.execute(statement, values)], box
            most = bound(filters, order, certainty)
            assert most is None or touched <= most, (box, touched)
            if not header["more"]:
                break
            key, event = header["last"]
            query = dict(query, cursor=Position(query["sortby"], key, UUID(event)))


#: What no box fits: an angle, a thin slant, two parts on both sides of the antimeridian, no area.
GROUNDS = {
    "an angle": "POLYGON((38 29,49 29,49 31,40 31,40 38,38 38,38 29))",
    "a slant": "POLYGON((30 5,31 5,49 38,48 38,30 5))",
    "two parts": "MULTIPOLYGON(((177 -19,180 -19,180 -16,177 -19)),"
    "((-180 -19,-178 -17,-180 -16,-180 -19)))",
    "a line": "LINESTRING(30.2 45,30.2 50,44 33)",
    "nothing there": "POLYGON((70 -42,95 -42,80 -15,70 -42))",
}


@pytest.mark.parametrize("certainty", ["reported", "possible", "certain"])
@pytest.mark.parametrize("order", ["-starts_on", "starts_on", "-fatalities_best"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_a_page_of_a_place_is_exact(conn, ground, order, certainty):
    region = Region.of_ground(shapely.from_wkt(GROUNDS[ground]))
    for period, filters in itertools.product(["all", "an old year"], ["no filter", "two"]):
        query = asked(
            datetime=PERIODS[period],
            sortby=order,
            limit=LIMIT,
            certainty=certainty,
            **FILTERS[filters],
        ) | {"region": region}
        for _ in range(2):
            ids, header, _touched = answered(conn, query)
            statement, values = by_hand(query)
            assert ids == [row[0] for row in conn.execute(statement, values)], (period, filters)
            if not header["more"]:
                break
            key, event = header["last"]
            query = dict(query, cursor=Position(query["sortby"], key, UUID(event)))


def test_the_planner_left_alone_would_break_the_bound(conn):
    worst = 0
    for box, period in itertools.product(BOXES, PERIODS):
        query = asked(bbox=BOXES[box], datetime=PERIODS[period], limit=LIMIT)
        statement, values = by_hand(query)
        explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}"
        plan = conn.execute(explain, values).fetchone()[0][0]["Plan"]
        worst = max(worst, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    assert worst > 2 * bound("no filter", "-starts_on")
