"""The feed of changes: what it tells, what it keeps to itself, and where a cursor holds."""

import base64
import json
import random
from urllib.parse import urlencode
from uuid import UUID

import psycopg
import pytest

from api import feed
from api.cursors import Bookmark
from api.parameters import ChangesQuery, load
from api.sight import Sight
from api.views import changes as view
from conftest import CHANGES, ITEMS, OnePool, assert_problem, insert, links, settle
from test_sight import ACTS


@pytest.fixture
def ask(client):
    """Ask for a page of changes; give its document."""

    def get(cursor=None, **query) -> dict:
        query |= {"cursor": cursor} if cursor else {}
        answer = client.get(CHANGES, query_string=query)
        assert answer.status_code == 200, answer.text[:500]
        return json.loads(answer.text)

    return get


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


def act(conn, name, event) -> None:
    conn.execute(ACTS[name], [event])
    settle(conn)


def ops(body) -> list[tuple[str, str]]:
    return [(change["op"], change["id"]) for change in body["changes"]]


# What it tells.


def test_the_feed_of_nothing_is_empty_and_up_to_date(ask):
    body = ask()
    assert (body["changes"], body["upToDate"], body["head"]) == ([], True, 0)
    assert body["next"]


def test_every_event_is_told_once_where_it_was_changed_last(ask, conn, make_event):
    first, second = make_event(notes="a"), make_event(notes="b")
    act(conn, "edit", first)
    body = ask()
    assert ops(body) == [("upsert", second), ("upsert", first)]
    assert body["upToDate"]
    assert conn.execute("SELECT head FROM feed.state").fetchone() == (body["head"],)


def test_a_feature_is_what_the_items_have(ask, client, make_event):
    event = make_event(notes="مرحبا", place=(44.4, 33.3), actors=[{"name": "A", "role": "party"}])
    (change,) = ask()["changes"]
    items = client.get(ITEMS).json["features"]
    assert [change["feature"]] == items
    assert change["id"] == change["feature"]["id"] == event


def test_a_deletion_is_told_to_who_may_have_seen_the_event(ask, conn, make_event):
    event = make_event()
    cursor = ask()["next"]
    act(conn, "delete", event)
    assert ops(ask(cursor)) == [("delete", event)]
    assert ask()["changes"] == [], "who begins now cannot have seen it"


def test_what_is_hidden_is_gone_and_what_is_published_comes(ask, conn, make_event):
    event = make_event()
    cursor = ask()["next"]
    act(conn, "restrict", event)
    hidden = ask(cursor)
    assert ops(hidden) == [("delete", event)]
    act(conn, "publish", event)
    assert ops(ask(hidden["next"])) == [("upsert", event)]


def test_what_was_never_public_leaves_no_trace(ask, client, conn, make_event):
    make_event()
    before = client.get(CHANGES)
    secret = make_event(visibility="restricted", notes="secret")
    for name in ("edit", "delete"):
        act(conn, name, secret)
        after = client.get(CHANGES)
        assert secret not in after.text
        assert after.headers["ETag"] == before.headers["ETag"]
        assert after.text == before.text


def test_a_change_while_it_is_hidden_leaves_no_trace(ask, conn, make_event):
    event = make_event()
    act(conn, "restrict", event)
    cursor = ask()["next"]
    act(conn, "edit", event)
    body = ask(cursor)
    assert body["changes"] == []
    assert body["next"] == cursor


def test_an_event_that_leaves_the_filter_is_taken_away(ask, conn, make_event):
    event = make_event(country="IRQ")
    cursor = ask(country="IRQ")["next"]
    conn.execute("UPDATE event SET country = 'SYR' WHERE id = %s", [event])
    settle(conn)
    assert ops(ask(cursor, country="IRQ")) == [("delete", event)]


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


def test_a_page_holds_part_of_a_transaction_and_the_next_one_the_rest(ask, conn):
    events = sorted(str(insert(conn)) for _ in range(5))
    settle(conn)
    told, cursor, done = [], None, False
    while not done:
        body = ask(cursor, limit=2)
        told += [change["id"] for change in body["changes"]]
        cursor, done = body["next"], body["upToDate"]
    assert told == events


def test_a_page_may_be_empty_and_not_the_last(ask, make_event):
    make_event(country="SYR")
    wanted = make_event(country="IRQ")
    body = ask(country="IRQ", limit=1)
    assert (body["changes"], body["upToDate"]) == ([], False)
    assert ops(ask(body["next"], country="IRQ", limit=1)) == [("upsert", wanted)]


def test_a_new_copy_is_told_of_what_is_deleted_while_it_begins(ask, conn, make_event):
    early, late = make_event(), make_event()
    body = ask(limit=1)
    assert ops(body) == [("upsert", early)]
    act(conn, "delete", early)
    act(conn, "delete", late)
    assert ops(ask(body["next"])) == [("delete", early), ("delete", late)]


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


@pytest.fixture(scope="module")
def piled(make_database):
    """A database with transactions of which nothing is left, a giant one, and many small ones."""
    with psycopg.connect(make_database()) as conn:
        conn.execute("SET plan_cache_mode = force_custom_plan")
        for n in range(100):
            insert(conn, notes=str(n), country="IRQ")
            conn.commit()
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


# Cursors.


def test_a_cursor_is_good_for_any_limit(ask, conn):
    events = [str(insert(conn)) for _ in range(9)]
    settle(conn)
    cursor, told = None, []
    for limit in (1, 3, 2, 100):
        body = ask(cursor, limit=limit)
        told += [change["id"] for change in body["changes"]]
        cursor = body["next"]
    assert told == sorted(events)


def edited(cursor, **changed) -> str:
    known = json.loads(base64.urlsafe_b64decode(cursor))
    return base64.urlsafe_b64encode(json.dumps(known | changed).encode()).decode()


@pytest.mark.parametrize(
    "bad",
    ["x", "e30=", "W10=", "bnVsbA==", "null", "-", "e" * 999, base64.b64encode(b'{"e"' * 99)],
)
def test_a_cursor_that_is_none_is_refused(client, bad):
    answer = client.get(CHANGES, query_string={"cursor": bad})
    assert_problem(answer, 400, parameter="cursor")


@pytest.mark.parametrize(
    "changed",
    [{"s": -1}, {"s": "1"}, {"s": 2**63}, {"s": True}, {"p": "x"}, {"p": 1}, {"b": None}, {"e": 1}],
)
def test_a_cursor_that_has_been_tampered_with_is_refused(client, ask, changed):
    answer = client.get(CHANGES, query_string={"cursor": edited(ask()["next"], **changed)})
    assert_problem(answer, 400, parameter="cursor")


def test_a_cursor_of_other_filters_is_refused(client, ask):
    cursor = ask(country="IRQ")["next"]
    for query in ({}, {"country": "SYR"}, {"country": "IRQ", "properties": "notes"}):
        answer = client.get(CHANGES, query_string=query | {"cursor": cursor})
        body = assert_problem(answer, 400, parameter="cursor")
        assert "other filters" in body["detail"]
    assert client.get(CHANGES, query_string={"cursor": cursor, "country": "IRQ", "limit": "3"})


def test_a_cursor_of_another_epoch_is_gone(client, conn, ask, make_event):
    make_event()
    cursor = ask()["next"]
    conn.execute("UPDATE feed.state SET epoch = gen_random_uuid()")
    answer = client.get(CHANGES, query_string={"cursor": cursor})
    body = assert_problem(answer, 410, type="urn:hudna:problem:cursor-gone")
    assert "without one" in body["detail"]


def prune(conn) -> None:
    """Remove the tombstones there are, as time will."""
    (head,) = conn.execute("SELECT head FROM feed.state").fetchone()
    conn.execute("UPDATE feed.state SET min_seq = %s", [head])
    conn.execute(
        "DELETE FROM event AS e USING feed.tx AS t"
        " WHERE t.tx_id = e.tx_id AND t.seq <= %s AND e.deleted",
        [head],
    )


def test_a_cursor_from_before_what_has_been_pruned_is_gone(client, conn, ask, make_event):
    first, second = make_event(), make_event()
    early = ask(limit=1)["next"]
    whole = ask()["next"]
    act(conn, "delete", first)
    behind = ask()["next"]
    prune(conn)
    act(conn, "edit", second)
    for cursor in (early, whole):
        answer = client.get(CHANGES, query_string={"cursor": cursor})
        assert_problem(answer, 410, type="urn:hudna:problem:cursor-gone")
    assert ops(ask(behind)) == [("upsert", second)]


def test_who_begins_after_it_was_pruned_is_not_bothered(ask, conn, make_event):
    events = [make_event() for _ in range(3)]
    gone = make_event()
    act(conn, "delete", gone)
    prune(conn)
    told, cursor, done = [], None, False
    while not done:
        body = ask(cursor, limit=1)
        told += ops(body)
        cursor, done = body["next"], body["upToDate"]
    assert told == [("upsert", event) for event in events]


def test_pruning_beyond_what_the_public_knows_of_does_not_bother_it(ask, conn, make_event):
    make_event()
    cursor = ask()["next"]
    for _ in range(3):
        make_event(visibility="restricted")
    prune(conn)
    assert ask(cursor)["changes"] == []


def test_a_cursor_is_a_pair_of_a_link_without_escapes(ask, make_event):
    make_event()
    for body in (ask(), ask(limit=1, country="IRQ")):
        assert urlencode({"c": body["next"]}) == f"c={body['next']}"


# Tags and links.


def test_a_poll_that_brings_nothing_is_304(client, ask, make_event):
    make_event()
    url = f"{CHANGES}?cursor={ask()['next']}"
    answer = client.get(url)
    tag = {"If-None-Match": answer.headers["ETag"]}
    again = client.get(url, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    make_event()
    assert client.get(url, headers=tag).status_code == 200


def test_a_cursor_that_is_gone_is_no_304(client, conn, ask, make_event):
    make_event()
    url = f"{CHANGES}?cursor={ask()['next']}"
    tag = {"If-None-Match": client.get(url).headers["ETag"]}
    conn.execute("UPDATE feed.state SET epoch = gen_random_uuid()")
    assert_problem(client.get(url, headers=tag), 410)


def test_the_link_to_what_comes_next_has_its_cursor(client, ask, make_event):
    make_event()
    make_event()
    body = ask(limit=1, country="IRQ")
    (following,) = links(body, "next")
    assert f"cursor={body['next']}" in following["href"]
    assert client.get(following["href"]).json["upToDate"]


@pytest.mark.parametrize(
    "query",
    [{}, {"country": "IRQ", "limit": 1, "sortby": "fatalities_best", "skipGeometry": "true"}],
)
def test_a_page_of_items_leads_to_what_changes_after_it(client, conn, make_event, query):
    event = make_event(country="IRQ")
    (monitor,) = links(client.get(ITEMS, query_string=query).json, "monitor")
    assert client.get(monitor["href"]).json["changes"] == []
    act(conn, "delete", event)
    assert ops(client.get(monitor["href"]).json) == [("delete", event)]
    answer = client.get(monitor["href"])
    assert client.get(ITEMS, query_string=query | {"f": "csv"}).status_code == 200
    assert answer.json["upToDate"]


def test_a_file_leads_there_too(client, make_event):
    make_event()
    header = client.get(ITEMS, query_string={"f": "csv"}).headers["Link"]
    assert 'rel="monitor"' in header
    assert "/collections/events/changes?cursor=" in header


def test_a_page_for_people_is_short(client, conn):
    for _ in range(view.LONGEST + 5):
        insert(conn)
    settle(conn)
    body = client.get(CHANGES, query_string={"f": "html", "limit": "1000"})
    assert body.status_code == 200
    assert body.text.count(">upsert<") == view.LONGEST


# Other eyes.


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


def test_a_cursor_is_good_for_the_eyes_it_was_made_for():
    there = [feed.filters({"sight": Sight(restricted=eyes)}, {}) for eyes in (False, True)]
    assert len(set(there)) == 2
    assert feed.filters({}, {}) == there[0]


def test_a_page_of_the_past_leads_to_what_changed_after_it(client, conn, make_event):
    first = make_event()
    head = conn.execute("SELECT public_head FROM feed.state").fetchone()[0]
    second = make_event()
    act(conn, "delete", first)
    then = client.get(ITEMS, query_string={"as_of": head}).json
    assert [each["id"] for each in then["features"]] == [first]
    (monitor,) = links(then, "monitor")
    assert ops(client.get(monitor["href"]).json) == [("upsert", second), ("delete", first)]


def test_the_feed_has_no_past_and_no_exact_places(client):
    for query in ({"as_of": "1"}, {"geometry": "exact"}):
        assert_problem(client.get(CHANGES, query_string=query), 400, parameter=next(iter(query)))
