"""What is restricted: seen with a key for it, and by nobody else in any way."""

import json
import random
import re
from datetime import date, timedelta
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

import past
from acts import ACTS, change
from api.keys import make
from conftest import (
    CHANGES,
    ITEMS,
    RESOURCES,
    TILESET,
    assert_problem,
    insert,
    links,
    looking_ahead,
)
from past import QUESTIONS, head_of
from world import event_id

#: What stands in hidden events, in every property that holds text, and nowhere else.
CANARY = "zanzibarqx"
#: Where hidden events are, as no other event is: the digits are looked for in every answer.
SPOT = (47.136917, 29.853741)
HIDDEN_ID = "33333333-4444-5555-8666-777777777777"

client = past.client  # a fixture


@pytest.fixture
def reader(living):
    """The headers of somebody who may see what is restricted."""
    with psycopg.connect(living) as conn:
        _, key = make(conn, "A reader", ["read:restricted"])
    return {"Authorization": f"Bearer {key}"}


def restrict_some(dsn, chance):
    """Restrict every third event; add hidden ones, some of which were never public."""
    with psycopg.connect(dsn) as conn:
        events = [row[0] for row in conn.execute("SELECT id FROM event ORDER BY id")]
        for event in events[::3]:
            conn.execute(ACTS["restrict"], [event])
        for n in range(60):
            first = date(2020, 1, 1) + timedelta(days=n)
            insert(
                conn,
                place=(30 + chance.random() * 3, 15 + chance.random() * 2) if n % 5 else None,
                country="SDN",
                visibility="restricted",
                starts_on=first,
                ends_on=first + timedelta(days=n % 3),
                fatalities_best=n % 7,
                notes=f"Number {n}",
                event_type="Riots",
                actors=[{"name": "Group 2", "role": "party"}],
                **({"footprint": "SRID=4326;LINESTRING(36 32.5,38.5 33.2)"} if n % 4 == 0 else {}),
            )


#: Questions whose answer can be told from the features of everything.
ASKED = {
    "": lambda _: True,
    "country=SDN": lambda p: p["country"] == "SDN",
    "event_type=Riots&actor1=Group 2": lambda p: (
        (p["event_type"], p["actor1"]) == ("Riots", "Group 2")
    ),
    "filter=fatalities_best > 3": lambda p: (p["fatalities_best"] or 0) > 3,
    "visibility=restricted": lambda p: p["visibility"] == "restricted",
    "datetime=2020-01-20/2020-02-05": lambda p: (
        (p["starts_on"] or "0") <= "2020-02-05" and (p["ends_on"] or "9") >= "2020-01-20"
    ),
}


@pytest.mark.parametrize("order", ["-starts_on", "starts_on", "-fatalities_best"])
def test_who_may_sees_all_in_order(client, living, reader, order):
    restrict_some(living, random.Random(1))  # noqa: S311 -- a test is to be repeatable
    with psycopg.connect(living) as conn:
        there = conn.execute("SELECT feature FROM event WHERE NOT deleted").fetchall()
    everything = [json.loads(text) for (text,) in there]
    key = {
        "starts_on": lambda p: p["starts_on"] or "0",
        "fatalities_best": lambda p: -1 if p["fatalities_best"] is None else p["fatalities_best"],
    }
    name = order.removeprefix("-")
    with looking_ahead(3):
        for question, fits in ASKED.items():
            expected = sorted(
                (f for f in everything if fits(f["properties"])),
                key=lambda f: (key[name](f["properties"]), f["id"]),
                reverse=order.startswith("-"),
            )
            found, url = [], f"{ITEMS}?{question}&sortby={order}&limit=97"
            while url:
                body = client.get(url, headers=reader).json
                found += body["features"]
                url = next((link["href"] for link in links(body, "next")), None)
            assert [f["id"] for f in found] == [f["id"] for f in expected], question
            hits = client.get(f"{ITEMS}?{question}&resultType=hits", headers=reader).json
            assert hits["numberMatched"] == len(expected)


def test_with_and_without_a_key_the_same_events_are_judged_alike(client, living, reader):
    """What the public sees is what a key sees, less what is restricted."""
    restrict_some(living, random.Random(2))  # noqa: S311 -- a test is to be repeatable
    with psycopg.connect(living) as conn:
        hidden = {str(row[0]) for row in conn.execute("SELECT id FROM event WHERE hidden")}

    def everything(question, headers):
        found, url = [], f"{ITEMS}?{question}&limit=1000"
        while url:
            body = client.get(url, headers=headers).json
            found += body["features"]
            url = next((link["href"] for link in links(body, "next")), None)
        return [f["id"] for f in found]

    for asked in QUESTIONS:
        question = re.sub(r"&?(limit|f|resultType)=\w+", "", asked)
        public, all_ = everything(question, {}), everything(question, reader)
        assert public == [one for one in all_ if one not in hidden], question
        assert not hidden & {*public}


def test_tiles_and_files_have_what_the_key_sees(client, living, reader):
    restrict_some(living, random.Random(3))  # noqa: S311 -- a test is to be repeatable
    everything = client.get(f"{ITEMS}?resultType=hits", headers=reader).json["numberMatched"]
    rows = client.get(f"{ITEMS}?f=geojsonseq", headers=reader).data
    assert rows.count(b"\x1e") == everything
    for tile in ("0/0/0", "6/29/37", "9/233/299"):
        assert (
            client.get(f"{TILESET}/{tile}", headers=reader).data
            != client.get(f"{TILESET}/{tile}").data
        )


def test_the_past_of_what_is_restricted_is_there_for_a_key(client, living, reader):
    fiji, head = event_id("fiji"), head_of(client)
    before = client.get(f"{ITEMS}?limit=1000&as_of={head}", headers=reader).json
    change(living, random.Random(4), ["restrict"], 1, among=[UUID(fiji)])  # noqa: S311
    after = client.get(f"{ITEMS}?limit=1000&as_of={head}", headers=reader).json
    assert after["features"] == before["features"]
    assert "withheld" not in after
    assert (
        client.get(f"{ITEMS}/{fiji}", headers=reader).json["properties"]["visibility"]
        == "restricted"
    )
    told = client.get(f"{ITEMS}/{fiji}/history", headers=reader).json["versions"]
    assert [c["field"] for c in told[0]["changes"]] == ["visibility"]


def test_the_past_of_what_never_was_public_is_erased_for_a_key_too(client, living, reader):
    """The public's tag stays: it saw nothing, and learns nothing."""
    with psycopg.connect(living) as conn:
        event = insert(conn, visibility="restricted", notes="never public")
    with psycopg.connect(living) as conn:
        (head,) = conn.execute("SELECT head FROM feed.state").fetchone()
    url, shown = f"{ITEMS}?limit=1000&as_of={head}", f"{ITEMS}?limit=1000&as_of={head_of(client)}"
    before, public = client.get(url, headers=reader), client.get(shown)
    change(living, random.Random(4), ["erase"], 1, among=[event])  # noqa: S311
    asked = reader | {"If-None-Match": before.headers["ETag"]}
    after = client.get(url, headers=asked)
    assert (after.status_code, after.json["withheld"]) == (200, 1)
    assert "never public" in before.text
    assert "never public" not in after.text
    asked = {"If-None-Match": public.headers["ETag"]}
    assert client.get(shown, headers=asked).status_code == 304


def test_an_exact_place_is_for_a_key_alone(client, living, reader):
    with psycopg.connect(living) as conn:
        blurred = insert(conn, place=(44.0, 33.0), uncertainty_km=20)
        conn.execute(
            "INSERT INTO event_exact (event_id, geom) VALUES (%s, %s)",
            [blurred, f"SRID=4326;POINT({SPOT[0]} {SPOT[1]})"],
        )
    address = f"{ITEMS}/{blurred}?geometry=exact"
    assert_problem(client.get(address), 401)
    with psycopg.connect(living) as conn:
        _, writer = make(conn, "A writer", ["write"])
    assert_problem(client.get(address, headers={"Authorization": f"Bearer {writer}"}), 403)
    assert client.get(address, headers=reader).json["geometry"]["coordinates"] == list(SPOT)
    for plain in (f"{ITEMS}/{blurred}", f"{ITEMS}/{blurred}?geometry=footprint"):
        assert client.get(plain, headers=reader).json["geometry"]["coordinates"] == [44, 33]
    first = client.get(address, headers=reader).headers["ETag"]
    with psycopg.connect(living) as conn:
        conn.execute("UPDATE event_exact SET geom = 'SRID=4326;POINT(47 29)'")
    again = client.get(address, headers=reader | {"If-None-Match": first})
    assert again.json["geometry"]["coordinates"] == [47, 29]


def test_answers_to_keys_have_tags_of_their_own(client, reader):
    public = client.get(ITEMS)
    keyed = client.get(ITEMS, headers=reader)
    assert public.headers["ETag"] != keyed.headers["ETag"]
    assert "private" in keyed.headers["Cache-Control"]
    assert "Authorization" in public.headers["Vary"]
    unchanged = client.get(ITEMS, headers=reader | {"If-None-Match": keyed.headers["ETag"]})
    assert unchanged.status_code == 304


def test_the_feed_tells_a_key_of_what_is_hidden(client, living, reader):
    restrict_some(living, random.Random(5))  # noqa: S311 -- a test is to be repeatable

    def told(headers):
        there, url = {}, f"{CHANGES}?limit=100"
        while url:
            page = client.get(url, headers=headers).json
            for one in page["changes"]:
                if one["op"] == "upsert":
                    there[one["id"]] = one["feature"]
                else:
                    there.pop(one["id"], None)
            url = None if page["upToDate"] else f"{CHANGES}?limit=100&cursor={page['next']}"
        return there

    with psycopg.connect(living) as conn:
        rows = conn.execute("SELECT id::text, feature, public FROM event WHERE NOT deleted")
        all_ = {id_: (json.loads(text), public) for id_, text, public in rows}
    assert told(reader) == {id_: feature for id_, (feature, _) in all_.items()}
    assert told({}) == {id_: feature for id_, (feature, public) in all_.items() if public}


def test_a_cursor_of_a_key_is_no_cursor_for_the_public(client, reader):
    cursor = client.get(CHANGES, headers=reader).json["next"]
    assert_problem(client.get(CHANGES, query_string={"cursor": cursor}), 400, parameter="cursor")


# Canaries.


@pytest.fixture
def planted(living):
    """Hidden events of every kind in the world, full of canaries; the ids of all of them."""
    said = f"{CANARY} said"
    names = ("notes", "place_name", "admin1", "admin2", "date_phrase", "sub_event_type")
    texts = dict.fromkeys([*names, "geocoder", "source_release"], said)
    whole = texts | {
        "place": SPOT,
        "country": "QAT",
        "tags": [said],
        "actors": [{"name": said, "role": "party"}, {"name": said, "role": "party"}],
        "reports": [{"publisher": said, "quote": said, "url": f"https://{CANARY}.example"}],
        "starts_on": date(1999, 3, 3),
        "ends_on": date(1999, 3, 4),
        "fatalities_best": 77_777,
        "footprint": f"SRID=4326;LINESTRING({SPOT[0]} {SPOT[1]},47.2 29.9)",
        "dataset": said,
    }
    with psycopg.connect(living) as conn:
        conn.execute("SELECT set_config('hudna.actor', %s, false)", [said])
        never = insert(conn, id=UUID(HIDDEN_ID), visibility="restricted", **whole)
        conn.commit()
        conn.execute("UPDATE event SET notes = notes || '!' WHERE id = %s", [never])
        conn.commit()
        gone = insert(conn, visibility="restricted", **whole)
        conn.commit()
        conn.execute("SELECT event_delete(%s)", [gone])
        conn.commit()
        # Whoever writes what is public is named in its history.
        conn.execute("SELECT set_config('hudna.actor', 'somebody', false)")
        once = insert(conn, notes="harmless", place=(50, 25))
        conn.commit()
        # Public with canaries, and restricted; erased; harmless, and restricted with canaries.
        retracted, erased = insert(conn, **whole), insert(conn, **whole)
        conn.commit()
        conn.execute(ACTS["restrict"], [retracted])
        conn.execute(ACTS["erase"], [erased])
        conn.execute(
            "UPDATE event SET visibility = 'restricted', notes = %s WHERE id = %s", [said, once]
        )
        conn.commit()
        conn.execute(
            "INSERT INTO source_row (event_id, import_id, file, line, row)"
            " VALUES (%s, %s, %s, 1, %s)",
            [never, uuid4(), said, json.dumps({"cell": said})],
        )
        blurred = insert(conn, place=(44, 33), notes="blurred")
        conn.execute(
            "INSERT INTO event_exact (event_id, geom) VALUES (%s, %s)",
            [blurred, f"SRID=4326;POINT({SPOT[0]} {SPOT[1]})"],
        )
    return {"never": never, "gone": gone, "retracted": retracted, "erased": erased, "once": once}


def leaks(answer) -> list[str]:
    """Return the canaries in an answer: in its body, its headers, its status line."""
    text = answer.data.decode("utf-8", "replace") + str(answer.headers)
    packed = json.dumps([text]).casefold()
    marks = [CANARY, "47.1369", "29.8537", "77777", "1999-03"]
    return [mark for mark in marks if mark in packed]


def crawl(client, start):
    """Yield every answer that the links of the service lead to, in all formats that are text."""
    todo, seen = [*start], set()
    while todo:
        address = todo.pop()
        parts = urlsplit(address)
        path = parts.path + ("?" + parts.query if parts.query else "")
        plain = re.sub(r"cursor=[^&]*", "cursor", path)
        if re.search("f=(gpkg|fgb)", plain) and address not in start:
            continue  # they take long, and have what the others have
        if plain in seen or parts.netloc not in {"", "localhost"} or len(seen) > 900:
            continue
        seen.add(plain)
        answer = client.get(path)
        yield path, answer
        if answer.is_json or "json" in (answer.content_type or ""):
            try:
                body = json.loads(answer.text)
            except ValueError:
                continue
            if isinstance(body, dict):
                todo += [
                    link["href"] for link in body.get("links", []) if not link.get("templated")
                ]
                for collection in body.get("collections", []):
                    todo += [link["href"] for link in collection["links"]]
                for feature in body.get("features", [])[:3]:
                    todo.append(f"{parts.path}/{feature['id']}")
                    todo.append(f"{parts.path}/{feature['id']}/history")


def test_a_crawl_of_everything_finds_no_canary(client, planted):
    ids = [str(one) for one in planted.values()]
    start = [
        *RESOURCES,
        *(f"{CHANGES}?limit={limit}" for limit in (1, 100, 10_000)),
        f"{CHANGES}?geometry=footprint&bbox=47,29.7,47.3,30",
        *(f"{ITEMS}?{question}" for question in QUESTIONS),
        *(
            f"{ITEMS}?{question}&as_of={head}"
            for question in QUESTIONS[:6]
            for head in range(1, head_of(client) + 1)
        ),
        *(
            f"{ITEMS}?as_of={head}&f={form}"
            for form in ("csv", "geojsonseq", "html")
            for head in range(1, head_of(client) + 1)
        ),
        *(
            f"{ITEMS}/{one}{tail}"
            for one in ids
            for tail in ("", "/history", "?as_of=2", "?f=html", "/history?f=html")
        ),
        *(f"{ITEMS}/{one}?as_of={head}" for one in ids for head in range(1, head_of(client) + 1)),
        *(
            f"{TILESET}/{z}/{y}/{x}"
            for z, y, x in [(0, 0, 0), (5, 13, 20), (9, 211, 323), (14, 6770, 10337)]
        ),
        *(f"{TILESET}/9/211/323?as_of={head}" for head in range(1, head_of(client) + 1)),
        f"{ITEMS}?bbox=47,29.7,47.3,30",
        f"{ITEMS}?near={SPOT[0]},{SPOT[1]}&radius_km=1&certainty=possible",
        f"{ITEMS}?dataset={CANARY} said",
        f"{ITEMS}?visibility=restricted",
        f"{ITEMS}?filter={quote('fatalities_best = 77777')}",
        f"{ITEMS}?sortby=-fatalities_best",
        f"{ITEMS}?datetime=1999-03-03&resultType=hits",
    ]
    asked_for = 0
    for address, answer in crawl(client, start):
        asked_for += 1
        found = leaks(answer)
        if CANARY in address:
            found = [mark for mark in found if mark != CANARY]
        if SPOT[0] and str(SPOT[0]) in address:
            found = [mark for mark in found if mark not in {"47.1369", "29.8537"}]
        found = [mark for mark in found if mark not in address]
        assert not found, address
        if "html" not in (answer.content_type or ""):
            assert HIDDEN_ID.encode() not in answer.data or HIDDEN_ID in address, address
    assert asked_for > 300


@pytest.mark.parametrize("kind", ["never", "gone"])
def test_what_was_never_public_is_as_if_it_were_not(client, planted, kind):
    """An answer about it is the answer about an id that nobody ever gave out."""

    def told(event, tail):
        answer = client.get(f"{ITEMS}/{event}{tail}")
        text = answer.text.replace(str(event), "ID")
        return answer.status_code, text, sorted(answer.headers.keys())

    for tail in ("", "/history", "?as_of=1", "?f=html", "?geometry=footprint"):
        assert told(planted[kind], tail) == told(uuid4(), tail)


def test_hidden_rows_move_nothing_that_the_public_can_ask(client, living, planted):
    addresses = [*RESOURCES, f"{TILESET}/0/0/0", f"{ITEMS}?resultType=hits", f"{ITEMS}?f=csv"]
    before = {a: client.get(a) for a in addresses}
    with psycopg.connect(living) as conn:
        insert(
            conn,
            visibility="restricted",
            place=(-179, -80),
            starts_on=date(1, 2, 3).replace(year=1200),
        )
        conn.commit()
        conn.execute(ACTS["edit"], [planted["never"]])
        conn.execute(ACTS["edit"], [planted["retracted"]])
        conn.commit()
    for address, first in before.items():
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304, address


def test_a_retracted_place_cannot_be_found_by_halving(client, living, planted):
    """Neither counts, nor what is missing from the past, depend on where a hidden event is."""
    for head in range(1, head_of(client) + 1):
        told = set()
        for box in ("47,29.7,47.3,30", "-10,-10,-9,-9", "40,20,50,40"):
            body = client.get(f"{ITEMS}?bbox={box}&as_of={head}").json
            told.add(body.get("withheld"))
        assert len(told) == 1
    near = client.get(f"{ITEMS}?bbox=47,29.7,47.3,30&resultType=hits").json["numberMatched"]
    with psycopg.connect(living) as conn:
        placeless = conn.execute(
            "SELECT count(*) FROM event WHERE public AND geom IS NULL"
        ).fetchone()[0]
    assert near == placeless
