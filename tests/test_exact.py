"""Exact places behind blurred points: versions for who may see them, nothing for the public."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from types import SimpleNamespace

import psycopg
import pytest

from api import keys
from conftest import CHANGES, ITEMS, RESOURCES, TILESET, assert_problem, links, opened

PATCH = "application/merge-patch+json"
#: Points in one cell: what is published is its centre.
SPOTS = [(36.3, 33.51), (36.301, 33.51), (36.302, 33.511)]
#: Representations of an event.
FORMS = ["", "?geometry=exact", "?geometry=footprint", "?f=html", "?geometry=exact&f=html"]


@pytest.fixture(scope="module")
def desk(make_atlas, places):
    """A service of these tests' own, with keys to see exact places, to write them, or both."""
    dsn = make_atlas()
    scopes = {
        "reader": ["read:restricted"],
        "writer": ["write"],
        "editor": ["write", "read:restricted"],
    }
    with psycopg.connect(dsn) as conn:
        made = {name: keys.make(conn, name, granted)[1] for name, granted in scopes.items()}
    signed = {name: {"Authorization": f"Bearer {text}"} for name, text in made.items()}
    with opened(dsn, gazetteer=str(places)) as client:
        yield SimpleNamespace(dsn=dsn, client=client, public={}, **signed)


def point(spot):
    return {"type": "Point", "coordinates": list(spot)}


@pytest.fixture
def event(desk):
    """The path of a new event whose point is blurred."""
    return created(desk, exact_geometry=point(SPOTS[0]))


def created(desk, **members):
    sent = {
        "type": "Feature",
        "geometry": None,
        "properties": {"event_type": "Battles", "uncertainty_km": 20, "place_name": "somewhere"},
    }
    answer = desk.client.post(ITEMS, json=sent | members, headers=desk.editor)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].removeprefix("http://localhost")


def patch(desk, path, who, seen=None, **sent):
    headers = who | ({"If-Match": seen} if seen else {})
    return desk.client.patch(path, data=json.dumps(sent), content_type=PATCH, headers=headers)


def place(desk, path, spot, who, seen=None):
    """Let an event really have been at `spot`; None: that is not known."""
    return patch(desk, path, who, seen, exact_geometry=spot and point(spot))


def get(desk, path, who, **headers):
    answer = desk.client.get(
        path, headers=who | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    assert answer.status_code in {200, 304}, answer.text[:500]
    return answer


def where(answer):
    body = answer.json
    (found,) = body.get("features", [body])
    return tuple(found["geometry"]["coordinates"])


# For those who may see them.


@pytest.mark.parametrize("one", [True, False])
def test_another_exact_place_is_another_answer_for_a_key(desk, event, one):
    found = get(desk, event, desk.public)
    name, blurred = found.json["properties"]["source_id"], where(found)
    asked = f"{event}?geometry=exact" if one else f"{ITEMS}?source_id={name}&geometry=exact"
    for before, after in [(SPOTS[0], SPOTS[1]), (SPOTS[1], SPOTS[2]), (SPOTS[2], None)]:
        first = get(desk, asked, desk.reader)
        assert where(first) == before
        seen = first.headers["ETag"]
        assert get(desk, asked, desk.reader, If_None_Match=seen).status_code == 304
        assert place(desk, event, after, desk.editor).status_code == 200
        again = get(desk, asked, desk.reader, If_None_Match=seen)
        assert again.status_code == 200
        assert where(again) == (after or blurred)
        assert again.headers["ETag"] != seen


@pytest.mark.parametrize("form", FORMS)
def test_of_two_who_write_an_exact_place_the_second_is_refused(desk, event, form):
    seen = get(desk, event + form, desk.editor).headers["ETag"]
    assert place(desk, event, SPOTS[1], desk.editor, seen).status_code == 200
    for answer in (
        place(desk, event, SPOTS[2], desk.editor, seen),
        place(desk, event, None, desk.editor, seen),
        patch(desk, event, desk.editor, seen, properties={"notes": "second"}),
        desk.client.delete(event, headers=desk.editor | {"If-Match": seen}),
    ):
        assert_problem(answer, 412, type="urn:hudna:problem:stale")
    assert where(get(desk, f"{event}?geometry=exact", desk.editor)) == SPOTS[1]
    again = get(desk, event + form, desk.editor).headers["ETag"]
    assert place(desk, event, SPOTS[2], desk.editor, again).status_code == 200
    assert where(get(desk, f"{event}?geometry=exact", desk.editor)) == SPOTS[2]


def test_of_two_who_are_the_first_to_know_the_place_the_second_is_refused(desk):
    path = created(desk, geometry=point((36.25, 33.5)))
    for spot in (SPOTS[0], None):  # from now on the centre of the cell is published
        assert place(desk, path, spot, desk.editor).status_code == 200
    seen = get(desk, path, desk.editor).headers["ETag"]
    assert place(desk, path, SPOTS[1], desk.editor, seen).status_code == 200
    assert_problem(place(desk, path, SPOTS[2], desk.editor, seen), 412)
    assert where(get(desk, f"{path}?geometry=exact", desk.reader)) == SPOTS[1]


def test_the_tag_of_an_answer_to_a_write_leads_on(desk, event):
    seen = get(desk, event, desk.editor).headers["ETag"]
    for spot in (*SPOTS[1:], None, SPOTS[0], *SPOTS[1:]):
        answer = place(desk, event, spot, desk.editor, seen)
        assert answer.status_code == 200
        assert answer.headers["ETag"] == get(desk, event, desk.reader).headers["ETag"]
        assert answer.headers["ETag"] != seen
        seen = answer.headers["ETag"]
    sent = {"type": "Feature", "geometry": None, "exact_geometry": point(SPOTS[0])}
    sent |= {"properties": {"event_type": "Battles", "uncertainty_km": 20}}
    named = desk.editor | {"Idempotency-Key": f"leads on {event}"}
    first, again = (desk.client.post(ITEMS, json=sent, headers=named) for _ in range(2))
    path = first.headers["Location"].removeprefix("http://localhost")
    assert first.headers["ETag"] == get(desk, path, desk.reader).headers["ETag"]
    assert (again.json, again.headers["ETag"]) == (first.json, first.headers["ETag"])


def test_an_exact_place_that_is_sent_again_makes_no_version(desk, event):
    seen = get(desk, event, desk.editor).headers["ETag"]
    assert place(desk, event, SPOTS[0], desk.editor, seen).headers["ETag"] == seen


@pytest.mark.parametrize("name", ["Palmyra, Syria", "no such place at all"])
def test_an_exact_place_does_not_outlive_the_name_that_placed_the_point(desk, name):
    path = placed_by_name(desk)
    assert where(get(desk, f"{path}?geometry=exact", desk.reader)) == (40.3, 33.05)
    assert patch(desk, path, desk.writer, properties={"place_name": name}).status_code == 200
    exact, public = (
        get(desk, path + asked, desk.reader).json["geometry"] for asked in ("?geometry=exact", "")
    )
    assert exact == public


def test_an_exact_place_that_comes_with_another_name_is_kept(desk):
    path = placed_by_name(desk)
    sent = {"properties": {"place_name": "Palmyra, Syria"}, "exact_geometry": point((38.27, 34.56))}
    sent["geometry"] = get(desk, path, desk.editor).json["geometry"]
    assert patch(desk, path, desk.editor, **sent).status_code == 200
    assert where(get(desk, path, desk.reader)) == pytest.approx([38.28, 34.55], abs=0.1)
    assert where(get(desk, f"{path}?geometry=exact", desk.reader)) == (38.27, 34.56)


def test_an_exact_place_stays_if_another_name_has_the_same_point(desk):
    path = placed_by_name(desk)
    sent = {"place_name": "Rutba", "country": "IRQ"}
    assert patch(desk, path, desk.writer, properties=sent).status_code == 200
    assert where(get(desk, f"{path}?geometry=exact", desk.reader)) == (40.3, 33.05)


def placed_by_name(desk):
    """The path of an event whose point was found by its name and stayed beside an exact one."""
    path = created(desk, properties={"event_type": "Battles", "place_name": "Rutba, Anbar"})
    found = get(desk, path, desk.editor).json["geometry"]
    sent = {"geometry": found, "exact_geometry": point((40.3, 33.05))}
    assert patch(desk, path, desk.editor, **sent).status_code == 200
    return path


def test_who_waited_for_another_writer_is_told_that_the_place_has_changed(desk, event):
    """The row that is waited for is the same behind the wait: what has changed is another."""
    seen = get(desk, event, desk.editor).headers["ETag"]
    which = event.rpartition("/")[2]
    with psycopg.connect(desk.dsn) as first, ThreadPoolExecutor(1) as second:
        first.execute("SELECT 1 FROM event WHERE id = %s FOR UPDATE", [which])
        first.execute(
            "UPDATE event_exact SET geom = ST_SetSRID(ST_Point(%s, %s), 4326) WHERE event_id = %s",
            [*SPOTS[1], which],
        )
        answer = second.submit(place, desk, event, SPOTS[2], desk.editor, seen)
        until_somebody_waits_for(first)
        first.commit()
        assert_problem(answer.result(), 412, type="urn:hudna:problem:stale")
    assert where(get(desk, f"{event}?geometry=exact", desk.reader)) == SPOTS[1]


def until_somebody_waits_for(conn):
    asked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    end = monotonic() + 4  # a writer waits no longer than five seconds
    with psycopg.connect(conn.info.dsn, autocommit=True) as other:
        while other.execute(asked, [conn.info.backend_pid]).fetchone() == (0,):
            assert monotonic() < end, "nobody waits"
            sleep(0.01)


# For those who may not.


def test_who_may_not_see_it_is_not_told_that_it_has_changed(desk, event):
    seen = get(desk, event, desk.writer).headers["ETag"]
    assert seen == get(desk, event, desk.public).headers["ETag"]
    assert place(desk, event, SPOTS[1], desk.editor).status_code == 200
    told = get(desk, event, desk.editor).headers["ETag"]
    for tag in (seen, told, re.sub(r"-\d+", "-7", told)):
        answer = place(desk, event, SPOTS[2], desk.writer, tag)
        assert answer.status_code == 200
        assert answer.headers["ETag"] == seen


def test_of_an_exact_place_the_public_sees_nothing(desk, event):
    """Every answer and every header is the same, byte by byte, but for the time of day."""
    name = get(desk, event, desk.public).json["properties"]["source_id"]
    tail = get(desk, CHANGES, desk.public).json["next"]
    addresses = [
        *(address for address in RESOURCES if not address.startswith(f"{ITEMS}/")),
        *(f"{event}{form}" for form in FORMS if "exact" not in form),
        f"{event}/history",
        f"{event}/history?f=html",
        *(f"{ITEMS}?source_id={name}&f={form}" for form in ("json", "csv", "geojsonseq", "html")),
        f"{ITEMS}?source_id={name}&geometry=footprint",
        f"{ITEMS}?source_id={name}&resultType=hits",
        f"{CHANGES}?cursor={tail}",
        f"{TILESET}/0/0/0",
        f"{TILESET}/9/205/307",
    ]

    tags = {address: desk.client.get(address).headers["ETag"] for address in addresses}

    def told():
        return {
            (address, "If-None-Match" in asked): told_of(desk.client.get(address, headers=asked))
            for address, tag in tags.items()
            for asked in ({}, {"If-None-Match": tag})
        }

    before = told()
    with psycopg.connect(desk.dsn) as conn:
        head = "SELECT head FROM feed.state"
        (start,) = conn.execute(head).fetchone()
        for spot in (SPOTS[1], None, SPOTS[2]):
            assert place(desk, event, spot, desk.editor).status_code == 200
            assert told() == before
        assert conn.execute(head).fetchone() == (start + 3,), "it has changed three times"


def told_of(answer):
    del answer.headers["Date"]
    # The stamp of a page, which alone has milliseconds.
    text = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z", b"now", answer.data)
    return answer.status_code, text, sorted(answer.headers)


# The past.


@pytest.mark.parametrize("form", ["", "&f=csv", "&f=html", "&resultType=hits"])
def test_exact_places_cannot_be_asked_for_as_they_were(desk, event, form):
    head = get(desk, ITEMS, desk.reader).headers["Hudna-Head"]
    asked = [f"{ITEMS}?geometry=exact&as_of={head}{form}"]
    asked += [f"{event}?geometry=exact&as_of={head}{form}"] if form in {"", "&f=html"} else []
    for address in asked:
        answer = desk.client.get(address, headers=desk.reader | {"Accept": "application/json"})
        assert answer.status_code == 400
        assert "as_of" in answer.text
        assert desk.client.get(address).status_code == 401


def test_a_page_of_exact_places_is_not_cited(desk, event):
    for path in (event, ITEMS):
        for asked, cited in [("?geometry=exact", 0), ("?geometry=point", 1)]:
            body = get(desk, path + asked, desk.reader).json
            assert len(links(body, "cite-as")) == cited


def test_the_past_of_an_event_has_the_tag_that_it_had(desk, event):
    """What is published does not hang on the exact place, which nobody sees in it."""
    (cited,) = links(get(desk, event, desk.reader).json, "cite-as")
    before = get(desk, cited["href"], desk.reader)
    assert place(desk, event, SPOTS[1], desk.editor).status_code == 200
    again = get(desk, cited["href"], desk.reader)
    assert (again.data, again.headers["ETag"]) == (before.data, before.headers["ETag"])
