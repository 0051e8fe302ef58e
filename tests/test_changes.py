"""The feed of changes: what it tells, what it keeps to itself, and where it leads."""

import pytest

import changes
from acts import act
from api.views import changes as view
from changes import ops
from conftest import CHANGES, ITEMS, assert_problem, insert, links, settle

ask = changes.ask  # a fixture


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


def test_the_feed_has_no_past_and_no_exact_places(client):
    for query in ({"as_of": "1"}, {"geometry": "exact"}):
        assert_problem(client.get(CHANGES, query_string=query), 400, parameter=next(iter(query)))


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


def test_a_page_of_the_past_leads_to_what_changed_after_it(client, conn, make_event):
    first = make_event()
    head = conn.execute("SELECT public_head FROM feed.state").fetchone()[0]
    second = make_event()
    act(conn, "delete", first)
    then = client.get(ITEMS, query_string={"as_of": head}).json
    assert [each["id"] for each in then["features"]] == [first]
    (monitor,) = links(then, "monitor")
    assert ops(client.get(monitor["href"]).json) == [("upsert", second), ("delete", first)]
