"""The past: the same bytes for ever, unless something may not be shown any more, which is said."""

import json
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

import past
from acts import ACTS, change
from conftest import ITEMS, TILESET, assert_problem, insert, links, walk
from past import ADDRESSES, QUESTIONS, asked, given, head_of
from world import event_id

client = past.client  # a fixture


def test_a_head_gives_the_same_bytes_whatever_happens_behind_it(client, living):
    head = head_of(client)
    before = {address: given(asked(client, address, head)) for address in ADDRESSES}
    for address, (status, _, _) in before.items():
        assert status in {200, 204}, address
    change(living, random.Random(1), ["edit", "edit", "delete", "revive"], 200, 3)  # noqa: S311
    changed = [a for a in ADDRESSES if given(asked(client, a, head)) != before[a]]
    assert changed == []
    present = [a for a in ADDRESSES if client.get(a).data != before[a][1]]
    assert len(present) > len(ADDRESSES) / 2, "the present is another"


def test_ten_thousand_edits_and_a_thousand_deletions_leave_the_past_alone(client, living):
    with psycopg.connect(living) as conn:
        for n in range(1100):
            insert(conn, place=(31 + n % 10 / 10, 15), country="SDN", notes=f"One of many: {n}")
    head = head_of(client)
    before = {address: given(asked(client, address, head)) for address in ADDRESSES}
    with psycopg.connect(living) as conn:
        for n in range(100):
            conn.execute(
                "UPDATE event SET notes = coalesce(notes, '') || %s WHERE id IN"
                " (SELECT id FROM event WHERE NOT deleted ORDER BY md5(id::text || %s) LIMIT 100)",
                [str(n), str(n)],
            )
            conn.execute(
                "SELECT event_delete(id) FROM"
                " (SELECT id FROM event WHERE NOT deleted ORDER BY md5(id::text) LIMIT 10) AS e"
            )
            conn.commit()
        counts = "SELECT count(*) FILTER (WHERE deleted) FROM event"
        assert conn.execute(counts).fetchone() == (1000,)
        assert conn.execute("SELECT count(*) FROM event_history").fetchone() == (11_000,)
    changed = [a for a in ADDRESSES if given(asked(client, a, head)) != before[a]]
    assert changed == []


def test_the_newest_head_has_what_the_present_has(client, living):
    change(living, random.Random(2), ["edit", "delete", "revive"], 30, 3)  # noqa: S311
    head = head_of(client)
    for address in ADDRESSES:
        now, then = client.get(address), asked(client, address, head)
        if "json" in (now.content_type or "") and "seq" not in now.content_type:
            now, then = now.json, then.json
            for name in ("timeStamp", "links", "numberMatched"):
                assert now.pop(name, None) is None or name in then or name == "numberMatched"
                then.pop(name, None)
            assert now == then, address
        elif "gpkg" not in address and "html" not in address:
            assert now.data == then.data, address


@pytest.mark.parametrize(
    "question", ["limit=1000", "limit=9", "country=SDN&limit=40", QUESTIONS[4]]
)
def test_each_head_has_what_was_there_then(client, living, question):
    chance = random.Random(3)  # noqa: S311 -- a test is to be repeatable
    known = {}
    for _ in range(12):
        change(living, chance, ["edit", "delete", "revive"], 1, 8)
        now = next(walk(client, f"{ITEMS}?limit=1"))["head"]
        pages = walk(client, f"http://localhost{ITEMS}?{question}")
        known[now] = [feature for page in pages for feature in page["features"]]
    for head, features in known.items():
        pages = walk(client, f"http://localhost{ITEMS}?{question}&as_of={head}")
        assert [feature for page in pages for feature in page["features"]] == features


def test_a_page_names_the_address_by_which_it_is_cited(client, living):
    for address in (f"{ITEMS}?country=SDN&limit=5", f"{ITEMS}/{event_id('fiji')}"):
        page = client.get(address)
        cited = links(page.json, "cite-as")[0]["href"]
        assert 'rel="cite-as"' in page.headers["Link"]
        first = client.get(cited)
        change(living, random.Random(4), ["edit"], 5, 50)  # noqa: S311
        assert given(client.get(cited)) == given(first)
        assert page.json.get("features") == first.json.get("features")


def test_an_instant_is_the_head_of_that_time(client, living):
    before = head_of(client)
    with psycopg.connect(living, autocommit=True) as conn:
        (moment,) = conn.execute("SELECT clock_timestamp()").fetchone()
    change(living, random.Random(5), ["edit"], 3)  # noqa: S311
    stamped = moment.astimezone(UTC).isoformat()
    page = asked(client, f"{ITEMS}?limit=5", stamped.replace("+", "%2B")).json
    assert page["head"] == before
    assert page["features"] == asked(client, f"{ITEMS}?limit=5", before).json["features"]
    with psycopg.connect(living) as conn:
        (at,) = conn.execute("SELECT at FROM feed.tx WHERE seq = %s", [before]).fetchone()
    assert datetime.fromisoformat(page["timeStamp"]) == at
    earlier = (at - timedelta(days=1)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    nothing = asked(client, ITEMS, earlier).json
    assert (nothing["features"], nothing["numberMatched"]) == ([], 0)


def test_an_instant_waits_for_those_who_are_committing(client, living):
    """Somebody who has drawn his number, but is not seen yet, must not be missed for ever."""
    with psycopg.connect(living) as slow:
        insert(slow, notes="late")
        slow.execute("SET CONSTRAINTS ALL IMMEDIATE")  # it holds the lock of the commit order
        with psycopg.connect(living, autocommit=True) as conn:
            conn.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                conn.execute("SELECT pg_advisory_xact_lock_shared(730546121)")
        slow.commit()
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert asked(client, ITEMS, now).json["head"] == head_of(client)


@pytest.mark.parametrize("act", ["restrict", "erase"])
def test_what_may_not_be_shown_any_more_is_missing_and_that_is_said(client, living, act):
    head, gone = head_of(client), event_id("fiji")
    before = asked(client, f"{ITEMS}?limit=1000", head)
    assert "withheld" not in before.json
    change(living, random.Random(6), [act], 1, among=[UUID(gone)])  # noqa: S311
    after = asked(client, f"{ITEMS}?limit=1000", head)
    assert after.json["withheld"] == 1
    assert after.headers["Hudna-Withheld"] == "1"
    assert after.headers["ETag"] != before.headers["ETag"]
    kept = [f for f in before.json["features"] if f["id"] != gone]
    assert after.json["features"] == kept
    assert after.json["numberMatched"] == len(kept)
    assert_problem(asked(client, f"{ITEMS}/{gone}", head), 410)
    assert gone not in asked(client, f"{ITEMS}?f=csv", head).text
    # It is said of all events, not of those that are asked for: nobody can find out where it was.
    assert asked(client, f"{ITEMS}?country=SDN", head).json["withheld"] == 1
    tile = asked(client, f"{TILESET}/0/0/0", head)
    assert tile.headers["Hudna-Withheld"] == "1"
    assert "withheld" not in client.get(ITEMS).json


def test_what_is_published_again_is_there_again(client, living):
    head = head_of(client)
    before = given(asked(client, f"{ITEMS}?limit=1000", head))
    fiji = [UUID(event_id("fiji"))]
    for act in ("restrict", "publish"):
        change(living, random.Random(7), [act], 1, among=fiji)  # noqa: S311
    assert given(asked(client, f"{ITEMS}?limit=1000", head))[1] == before[1]


def test_one_tag_of_an_event_stands_for_the_same_bytes_whatever_else_changes(client, living):
    fiji = event_id("fiji")
    before = client.get(f"{ITEMS}/{fiji}")
    others = [UUID(event_id(name)) for name in ("samoa", "leap day")]
    change(living, random.Random(13), ["edit"], 3, among=others)  # noqa: S311
    assert given(client.get(f"{ITEMS}/{fiji}")) == given(before)
    cited = links(before.json, "cite-as")[0]["href"]
    change(living, random.Random(13), ["edit"], 1, among=[UUID(fiji)])  # noqa: S311
    assert client.get(f"{ITEMS}/{fiji}").headers["ETag"] != before.headers["ETag"]
    assert client.get(cited).json["properties"] == before.json["properties"]


def test_an_event_that_was_not_there_yet_is_not_found(client, living):
    head = head_of(client)
    with psycopg.connect(living) as conn:
        new = insert(conn)
    assert_problem(asked(client, f"{ITEMS}/{new}", head), 404)
    assert asked(client, f"{ITEMS}/{new}", head + 1).status_code == 200


def test_an_event_that_was_deleted_is_still_cited(client, living):
    head, fiji = head_of(client), event_id("fiji")
    before = asked(client, f"{ITEMS}/{fiji}", head)
    change(living, random.Random(8), ["delete"], 1, among=[UUID(fiji)])  # noqa: S311
    assert client.get(f"{ITEMS}/{fiji}").status_code == 410
    assert given(asked(client, f"{ITEMS}/{fiji}", head)) == given(before)


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "1.5", "99999999", "yesterday", "2024-02-04", "2024-02-04T00:00:00", "",
     "3999-01-01T00:00:00Z", "abcdef01.1", "0001-01-01T00:00:00Z", "9" * 30, "1;DROP TABLE event"],
)  # fmt: skip
def test_what_is_no_moment_of_the_past_is_refused(visitor, text):
    for address in (ITEMS, f"{ITEMS}/{event_id('fiji')}", f"{TILESET}/0/0/0", TILESET):
        assert_problem(visitor.get(address, query_string={"as_of": text}), 400, parameter="as_of")


def test_a_head_of_an_older_epoch_holds_up_to_where_the_database_was_restored(client, living):
    head = head_of(client)
    with psycopg.connect(living) as conn:
        (epoch,) = conn.execute("SELECT left(epoch::text, 8) FROM feed.state").fetchone()
        conn.execute("UPDATE feed.state SET timeline = 0")
        conn.execute("SELECT feed.check_epoch()")
    change(living, random.Random(9), ["edit"], 3)  # noqa: S311
    assert asked(client, ITEMS, f"{epoch}.{head}").status_code == 200
    body = assert_problem(asked(client, ITEMS, f"{epoch}.{head + 1}"), 410)
    assert body["type"].endswith("lost-head")


def test_the_same_question_of_the_past_costs_one_tiny_query(client, living):
    head = head_of(client)
    for address in ADDRESSES:
        if "/items/" not in address:
            first = asked(client, address, head)
            joint = "&" if "?" in address else "?"
            again = client.get(
                f"{address}{joint}as_of={head}", headers={"If-None-Match": first.headers["ETag"]}
            )
            assert again.status_code == 304, address
            assert again.headers["Hudna-Head"] == first.headers["Hudna-Head"] == str(head)


def test_the_history_of_an_event_tells_who_changed_what(client, living):
    fiji = event_id("fiji")
    with psycopg.connect(living) as conn:
        conn.execute("SELECT set_config('hudna.actor', 'an editor', false)")
        for statement in (
            "UPDATE event SET notes = 'Better.', fatalities_best = 3 WHERE id = %s",
            "UPDATE event SET footprint = ST_Buffer(geom, 0.1) WHERE id = %s",
            "SELECT event_delete(%s)",
        ):
            conn.execute(statement, [fiji])
            conn.commit()
    told = client.get(f"{ITEMS}/{fiji}/history").json
    assert told["id"] == fiji
    assert [(v["version"], v["change"]) for v in told["versions"]] == [
        (4, "delete"),
        (3, "update"),
        (2, "update"),
        (1, "create"),
    ]
    assert {v["actor"] for v in told["versions"][:3]} == {"an editor"}
    assert told["versions"][2]["changes"] == [
        {"field": "notes", "before": None, "after": "Better."},
        {"field": "fatalities_best", "before": None, "after": 3},
    ]
    assert told["versions"][1]["changes"] == [{"field": "footprint"}]
    heads = [v["head"] for v in told["versions"]]
    assert heads == sorted(heads, reverse=True)
    then = asked(client, f"{ITEMS}/{fiji}", heads[2]).json
    assert then["properties"]["notes"] == "Better."


def test_a_long_history_has_pages(client, living):
    fiji = event_id("fiji")
    change(living, random.Random(10), ["edit"], 25, among=[UUID(fiji)])  # noqa: S311
    pages = list(walk(client, f"http://localhost{ITEMS}/{fiji}/history?limit=7"))
    assert [len(page["versions"]) for page in pages] == [7, 7, 7, 5]
    versions = [v for page in pages for v in page["versions"]]
    assert [v["version"] for v in versions] == list(range(26, 0, -1))
    assert all([c["field"] for c in v["changes"]] == ["notes"] for v in versions[:-1])


def test_the_history_tells_the_public_nothing_of_what_is_hidden(client, living):
    with psycopg.connect(living) as conn:
        secret = insert(conn, notes="canary", visibility="restricted")
        once = insert(conn, notes="seen")
        conn.commit()
        for act in ("restrict", "edit", "publish", "edit"):
            conn.execute(ACTS[act], [once])
            conn.commit()
    assert_problem(client.get(f"{ITEMS}/{secret}/history"), 404)
    told = client.get(f"{ITEMS}/{once}/history").json["versions"]
    assert [(v["version"], v["change"]) for v in told] == [
        (5, "update"),
        (4, "create"),
        (2, "delete"),
        (1, "create"),
    ]
    change(living, random.Random(11), ["restrict"], 1, among=[once])  # noqa: S311
    assert_problem(client.get(f"{ITEMS}/{once}/history"), 404)
    assert_problem(client.get(f"{ITEMS}/{uuid4()}/history"), 404)


def test_an_erased_event_has_a_history_without_words(client, living):
    fiji = event_id("fiji")
    change(living, random.Random(12), ["edit", "erase"], 1, among=[UUID(fiji)])  # noqa: S311
    change(living, random.Random(12), ["erase"], 1, among=[UUID(fiji)])  # noqa: S311
    told = client.get(f"{ITEMS}/{fiji}/history").json["versions"]
    assert all(v.get("erased") for v in told[1:])
    assert json.dumps(told).count("after") == 0
