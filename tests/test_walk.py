"""Walking through the pages while others write, and entity tags of pages: row I27."""

import json
import re
import threading
import time
from datetime import date, timedelta
from itertools import cycle, islice
from random import Random
from urllib.parse import urlencode

import psycopg
import pytest

from conftest import ITEMS, assert_problem, insert, links, looking_ahead, opened, settle, walk

STEADY, RESTLESS = 150, 60
SPAN = 40  # days that all events share, so that what is written stands amid what stays


def anywhere(random) -> dict:
    """Return what may change of an event: its place in space, time, order and every filter."""
    starts_on = date(2023, 1, 1) + timedelta(days=random.randrange(SPAN))
    return {
        "starts_on": random.choice([starts_on, starts_on, starts_on, None]),
        "ends_on": random.choice([starts_on, starts_on + timedelta(days=9), None]),
        "fatalities_best": random.choice([None, 0, 1, 1, 2, 40]),
        "country": random.choice(["SDN", "SDN", "IRQ"]),
        "event_type": random.choice(["Battles", "Riots"]),
    }


def place(random):
    return random.choice([None, (random.randrange(30, 40), random.randrange(10, 20))])


class Restless(threading.Thread):
    """Somebody who writes, changes and deletes events all the time, each in its own commit."""

    def __init__(self, dsn, ids) -> None:
        super().__init__(daemon=True)
        self.dsn, self.ids = dsn, list(ids)
        self.ended = threading.Event()
        self.commits = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as conn:
                while not self.ended.is_set():
                    self.write(conn, Random(self.commits))  # noqa: S311 - events, not secrets
                    self.commits += 1
        except psycopg.Error as error:
            self.error = error

    def write(self, conn, random) -> None:
        match self.commits % 4:
            case 0:
                self.ids.append(insert(conn, place=place(random), **anywhere(random)))
            case 1 | 2:
                changed = anywhere(random) | {"id": random.choice(self.ids)}
                conn.execute(
                    "UPDATE event SET starts_on = %(starts_on)s, ends_on = %(ends_on)s,"
                    " fatalities_best = %(fatalities_best)s, country = %(country)s,"
                    " event_type = %(event_type)s WHERE id = %(id)s AND NOT deleted",
                    changed,
                )
            case _:
                gone = self.ids.pop(random.randrange(len(self.ids)))
                conn.execute("SELECT event_delete(%s)", [gone])


@pytest.fixture(scope="module")
def moving(make_database):
    """A database of events that stay, and somebody who writes others all the time."""
    dsn = make_database()
    random = Random(1)  # noqa: S311 - events, not secrets
    with psycopg.connect(dsn) as conn:
        steady = [insert(conn, place=place(random), **anywhere(random)) for _ in range(STEADY)]
        others = [insert(conn, place=place(random), **anywhere(random)) for _ in range(RESTLESS)]
    writer = Restless(dsn, others)
    writer.start()
    with opened(dsn) as client:
        yield client, {str(event) for event in steady}, writer
    writer.ended.set()
    writer.join(20)
    assert not writer.is_alive()


QUERIES = {
    "everything": {},
    "by toll": {"sortby": "-fatalities_best"},
    "by toll, upwards": {"sortby": "fatalities_best"},
    "oldest first": {"sortby": "starts_on"},
    "a country": {"country": "SDN"},
    "a box": {"bbox": "32,10,39,18"},
    "a box and a period": {"bbox": "32,10,39,18", "datetime": "2023-01-10/2023-01-25"},
    "upwards": {"bbox": "32,10,39,18", "datetime": "2023-01-10/2023-01-25", "sortby": "starts_on"},
    "two properties": {"country": "SDN", "event_type": "Riots", "datetime": "2023-01-10/.."},
}


@pytest.mark.requirement("I27")
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_what_does_not_change_is_met_exactly_once(moving, query, limit):
    client, steady, writer = moving
    before = writer.commits
    whole = client.get(ITEMS, query_string=query | {"limit": 10_000}).json
    wanted = {feature["id"] for feature in whole["features"]} & steady
    with looking_ahead(20 if limit == 7 else None):
        pages = list(walk(client, f"{ITEMS}?{urlencode(query | {'limit': limit})}"))
    met = [f["id"] for body in pages for f in body["features"] if f["id"] in steady]
    assert sorted(met) == sorted(wanted), "each once, and no other"
    assert len(wanted) > 5
    for body in pages[:-1]:
        assert body["numberReturned"] == limit, "no page in the middle is short, or empty"
    assert not links(pages[-1], "next")
    assert writer.error is None
    assert limit > 1 or writer.commits > before, "nobody wrote meanwhile"


@pytest.mark.requirement("I27", "I4")
def test_the_size_of_the_page_may_change_on_the_way(moving):
    client, steady, _ = moving
    url, met = f"{ITEMS}?limit=5", []
    for size in islice(cycle([1, 13, 2, 40, 200]), 300):
        body = client.get(url).json
        met += [f["id"] for f in body["features"] if f["id"] in steady]
        following = links(body, "next")
        if not following:
            break
        url = re.sub(r"limit=\d+", f"limit={size}", following[0]["href"])
    assert sorted(met) == sorted(steady)


@pytest.mark.requirement("I27")
def test_a_page_and_its_number_are_of_one_moment(moving):
    client, _, writer = moving
    for _ in range(60):
        body = client.get(ITEMS, query_string={"limit": 10_000}).json
        assert body["numberMatched"] == body["numberReturned"] == len(body["features"])
        ids = [feature["id"] for feature in body["features"]]
        assert len(ids) == len(set(ids))
    assert writer.error is None


def test_a_deleted_event_is_gone_at_once(moving):
    client, _, _ = moving
    dsn = client.application.extensions["hudna"].settings.database_url
    with psycopg.connect(dsn, autocommit=True) as conn:
        event = insert(conn, country="XYZ")
        assert client.get(f"{ITEMS}/{event}").status_code == 200
        conn.execute("SELECT event_delete(%s)", [event])
    assert_problem(client.get(f"{ITEMS}/{event}"), 410)
    assert client.get(ITEMS, query_string={"country": "XYZ"}).json["features"] == []


@pytest.mark.requirement("I27")
def test_a_cursor_holds_when_the_event_it_was_made_of_is_gone(client, conn, make_event):
    days = [date(2024, 1, day) for day in (1, 2, 3, 4)]
    events = [make_event(starts_on=day, ends_on=day) for day in days]
    first = client.get(ITEMS, query_string={"limit": 2, "sortby": "starts_on"}).json
    assert [f["id"] for f in first["features"]] == events[:2]
    conn.execute("SELECT event_delete(%s)", [events[1]])
    settle(conn)
    (following,) = links(first, "next")
    assert [f["id"] for f in client.get(following["href"]).json["features"]] == events[2:]


# Entity tags.

PAGES = {
    "items": ITEMS,
    "filtered": f"{ITEMS}?country=SDN&limit=2",
    "hits": f"{ITEMS}?resultType=hits",
    "collection": "/collections/events",
    "collections": "/collections",
}


@pytest.mark.parametrize("url", PAGES.values(), ids=PAGES)
def test_a_tag_changes_when_the_public_can_see_a_change_and_only_then(
    client, conn, make_event, url
):
    def tag():
        return client.get(url).headers["ETag"]

    def head():
        return conn.execute("SELECT head, public_head FROM feed.state").fetchone()

    event = make_event(country="IRQ")
    tags = [tag()]
    assert tag() == tags[0], "nothing has changed"
    assert tags[0].startswith('W/"')

    # What the public cannot see counts for the head, but not for the public's.
    before = head()
    hidden = make_event(visibility="restricted", country="SDN")
    assert head() == (before[0] + 1, before[1])
    conn.execute("UPDATE event SET notes = 'x' WHERE id = %s", [hidden])
    settle(conn)
    conn.execute("SELECT event_delete(%s)", [hidden])
    settle(conn)
    assert head() == (before[0] + 3, before[1])
    assert tag() == tags[0]

    # Nor does a repetition of what is there.
    conn.execute("UPDATE event SET country = 'IRQ', source_release = '2' WHERE id = %s", [event])
    settle(conn)
    assert tag() == tags[0]

    for change in (
        "UPDATE event SET notes = 'seen' WHERE id = %s",
        "UPDATE event SET visibility = 'restricted' WHERE id = %s",
        "UPDATE event SET visibility = 'public' WHERE id = %s",
        "SELECT event_delete(%s)",
    ):
        conn.execute(change, [event])
        settle(conn)
        tags.append(tag())
    make_event()
    tags.append(tag())
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("url", PAGES.values(), ids=PAGES)
def test_a_new_epoch_makes_every_tag_new(client, conn, make_event, url):
    make_event()
    before = client.get(url).headers["ETag"]
    conn.execute("UPDATE feed.state SET epoch = gen_random_uuid()")
    answer = client.get(url, headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != before


@pytest.mark.parametrize("url", [*PAGES.values(), "/conformance", "/"])
def test_who_only_reads_is_asked_for_no_version(client, make_event, url):
    make_event()
    assert client.get(url, headers={"If-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize("url", PAGES.values(), ids=PAGES)
def test_what_is_unchanged_costs_no_look_at_the_events(client, conn, make_event, url):
    make_event(country="SDN")
    asked = []

    class Recorder(psycopg.Cursor):
        def execute(self, query, *args, **kwargs):
            asked.append(query.as_string(self) if hasattr(query, "as_string") else query)
            return super().execute(query, *args, **kwargs)

        def stream(self, query, *args, **kwargs):
            asked.append(query.as_string(self))
            return super().stream(query, *args, **kwargs)

    conn.cursor_factory = Recorder
    answer = client.get(url)
    assert answer.status_code == 200
    assert any("FROM event" in text for text in asked), "the recorder sees nothing"
    asked.clear()
    again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert len(asked) == 1, asked
    assert "feed.state" in asked[0]
    assert "event" not in asked[0]


def test_the_tags_of_two_formats_differ(client, make_event):
    make_event()
    tags = {
        client.get(ITEMS, headers={"Accept": accept}).headers["ETag"]
        for accept in ("application/geo+json", "application/json")
    }
    assert len(tags) == 2


def test_a_page_that_was_kept_is_what_would_be_sent(moving):
    """Whoever keeps a page by its tag never shows something else than the server would."""
    client, _, writer = moving
    kept: dict[str, dict] = {}
    end = time.monotonic() + 20
    start = writer.commits
    while writer.commits < start + 30 and time.monotonic() < end:
        answer = client.get(ITEMS, query_string={"limit": 50})
        body = json.loads(answer.text)
        tag = answer.headers["ETag"]
        assert kept.setdefault(tag, body["features"]) == body["features"]
    assert len(kept) > 1
