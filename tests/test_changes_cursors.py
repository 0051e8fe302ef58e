"""Where a cursor of the feed of changes holds, and where it does not."""

import base64
import json
from urllib.parse import urlencode

import pytest

import changes
from acts import act
from api import feed
from api.sight import Sight
from changes import ops
from conftest import CHANGES, assert_problem, insert, settle

ask = changes.ask  # a fixture


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
    assert ask(cursor, country="IRQ", limit=3)["upToDate"]


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


def test_a_cursor_is_good_for_the_eyes_it_was_made_for():
    there = [feed.filters({"sight": Sight(restricted=eyes)}, {}) for eyes in (False, True)]
    assert len(set(there)) == 2
    assert feed.filters({}, {}) == there[0]
