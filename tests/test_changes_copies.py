"""Copies that follow the feed of changes: they are the original, and cost what they bring."""

import json
import random
from uuid import UUID

import psycopg
import pytest

from acts import ACTS
from api import feed
from api.cursors import Bookmark
from api.parameters import ChangesQuery, load
from api.sight import Sight
from conftest import CHANGES, ITEMS, OnePool, insert, settle


class Copy:
    """A copy of the events that the feed is applied to, as docs/changes.md tells."""

    def __init__(self, client, **query) -> None:
        self.client, self.query = client, query
        self.rows: dict[str, dict] = {}
        self.cursor: str | None = None
        self.heard: list[tuple[str, str]] = []

    def page(self, limit) -> bool:
        """Take the next page; tell whether that was all."""
        query = self.query | {"limit": limit} | ({"cursor": self.cursor} if self.cursor else {})
        answer = self.client.get(CHANGES, query_string=query)
        assert answer.status_code == 200, answer.text[:500]
        body = json.loads(answer.text)
        assert len(body["changes"]) <= limit
        for change in body["changes"]:
            self.heard.append((change["op"], change["id"]))
            if change["op"] == "upsert":
                self.rows[change["id"]] = change["feature"]
            else:
                self.rows.pop(change["id"], None)
        self.cursor = body["next"]
        return body["upToDate"]

    def follow(self, limit=100) -> None:
        while not self.page(limit):
            pass

    def original(self) -> dict[str, dict]:
        """Return what the copy should be."""
        query = self.query | {"limit": 10_000}
        answer = self.client.get(ITEMS, query_string=query)
        return {f["id"]: f for f in json.loads(answer.text)["features"]}


FILTERS = {
    "nothing": {},
    "a value": {"country": "IRQ"},
    "a box": {"bbox": "40,30,50,40"},
    "a period": {"datetime": "2024-01-10/2024-01-20"},
    "certainly": {"bbox": "40,30,50,40", "datetime": "2024-01-10/..", "certainty": "certain"},
    "possibly": {"bbox": "40,30,50,40", "certainty": "possible"},
    "a circle": {"near": "44.4,33.3", "radius_km": "90"},
    "a filter": {"filter": "fatalities_best > 2 OR notes IS NULL"},
    "less of each": {"properties": "notes,country", "country": "SYR"},
    "another system": {
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "geometry": "footprint",
    },
}


def anything(chance) -> dict:
    return {
        "country": chance.choice(["IRQ", "SYR", None]),
        "fatalities_best": chance.choice([None, 1, 5]),
        "starts_on": f"2024-01-{chance.randrange(1, 29):02}",
        "visibility": chance.choice(["public", "public", "restricted"]),
        "place": chance.choice([None, (44.4, 33.3), (45, 34), (38, 33)]),
        "geo_precision": chance.choice(["exact", "admin1"]),
        "notes": chance.choice([None, "some"]),
    }


@pytest.mark.parametrize("query", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_a_copy_is_the_original_whatever_happens(client, conn, query, limit):
    chance = random.Random(f"{limit} {query}")  # noqa: S311 -- a test is to be repeatable
    events = [insert(conn, **anything(chance)) for _ in range(12)]
    settle(conn)
    copy = Copy(client, **query)
    for _ in range(25):
        for event in chance.sample(events, chance.choice([1, 1, 4])):
            conn.execute(ACTS[chance.choice([*ACTS])], [event])
            conn.execute(
                "UPDATE event SET country = %s, fatalities_best = %s WHERE id = %s AND NOT deleted",
                [chance.choice(["IRQ", "SYR"]), chance.choice([None, 1, 5]), event],
            )
        if chance.random() < 0.5:
            events.append(insert(conn, **anything(chance)))
        settle(conn)
        if chance.random() < 0.8:
            copy.page(limit)
    copy.follow(limit)
    assert copy.rows == copy.original()
    assert copy.heard


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_who_may_see_what_is_restricted_is_told_of_it_too(client, conn, limit):
    """Asked of the store, as a request with such a key asks it."""
    chance = random.Random(limit)  # noqa: S311 -- a test is to be repeatable
    events = [insert(conn, **anything(chance)) for _ in range(12)]
    settle(conn)
    query = load(ChangesQuery, b"", []) | {"limit": limit, "sight": Sight(restricted=True)}
    rows: dict[str, dict] = {}
    for _ in range(15):
        for event in chance.sample(events, chance.choice([1, 1, 4])):
            conn.execute(ACTS[chance.choice([*ACTS])], [event])
        settle(conn)
        more = True
        while more:
            page = feed.changes(OnePool(conn), query, "")
            for text in page.changes:
                change = json.loads(text)
                if change["op"] == "upsert":
                    rows[change["id"]] = change["feature"]
                else:
                    rows.pop(change["id"], None)
            page.close()
            query["cursor"], more = page.following, page.more
        assert page.state.head == conn.execute("SELECT head FROM feed.state").fetchone()[0]
        there = conn.execute("SELECT id, feature FROM event WHERE NOT deleted").fetchall()
        assert rows == {str(event): json.loads(text) for event, text in there}


# What a page costs.


def read(conn, statement, values) -> int:
    """Return how many rows a statement reads from tables and indexes."""
    text = statement.as_string(conn)
    (plan,) = conn.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values).fetchone()

    def rows(node) -> int:
        own = 0
        if "Relation Name" in node:
            own = node["Actual Loops"] * (
                node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            )
        return own + sum(map(rows, node.get("Plans", [])))

    return rows(plan[0]["Plan"])


@pytest.fixture(scope="module", params=["never", "early"])
def piled(make_database, request):
    """A database with transactions of which nothing is left, a giant one, and many small ones.

    It has no statistics, or those of when it was small.
    """
    with psycopg.connect(make_database()) as conn:
        conn.execute("SET plan_cache_mode = force_custom_plan")
        for table in ("event", "feed.tx"):
            conn.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        for n in range(100):
            insert(conn, notes=str(n), country="IRQ")
            conn.commit()
        if request.param == "early":
            conn.execute("ANALYZE")
        conn.execute("UPDATE event SET notes = 'all at once'")
        conn.execute(
            "INSERT INTO event (id, dataset, source_id, event_type, country)"
            " SELECT gen_random_uuid(), 'bulk', n::text, 'Riots', 'SYR'"
            " FROM generate_series(1, 20000) AS n"
        )
        conn.commit()
        for n in range(300):
            insert(conn, notes=str(n), country="IRQ")
            conn.commit()
        yield conn


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("query", [{}, {"country": "IRQ"}, {"bbox": "40,30,50,40"}])
@pytest.mark.parametrize("limit", [10, 1000])
def test_any_page_costs_what_it_has_however_much_lies_around_it(piled, query, limit, measured):
    if measured:
        piled.execute("ANALYZE")
    giant, head = piled.execute(
        "SELECT (SELECT seq FROM feed.tx ORDER BY live DESC LIMIT 1), public_head FROM feed.state"
    ).fetchone()
    asked = load(ChangesQuery, b"", query.items()) | {"limit": limit}
    places = [(0, None), (giant, UUID(int=2**127)), (giant, None), (head - 5, None), (head, None)]
    for seq, after in places:
        statement = feed.statement(asked)
        values = feed.values(asked | {"cursor": Bookmark("", seq, after, 0, "")})
        assert read(piled, statement, values) < 6 * limit + 50, (seq, after)
    piled.rollback()
