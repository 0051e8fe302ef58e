"""Writing events: created, replaced, changed, deleted."""

from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

import editing
from api.identity import event_id
from conftest import ITEMS, assert_problem
from editing import feature, get, made, patch, path_of, pointers, post, put, version

desk, rows = editing.desk, editing.rows  # fixtures


# Created.


@pytest.mark.requirement("E2")
def test_what_is_created_is_there_at_its_location(desk):
    answer = post(desk, feature((36.1, 33.2), notes="x", starts_on="2024-01-31"))
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"http://localhost{ITEMS}/")
    found = get(desk, path_of(answer))
    assert found.headers["ETag"] == answer.headers["ETag"]
    assert found.json["geometry"]["coordinates"] == [36.1, 33.2]
    assert found.json["properties"]["notes"] == "x"
    assert found.json["properties"]["dataset"] == "local"
    assert (answer.json["events"][0]["id"], answer.json["events"][0]["etag"]) == (
        found.json["id"],
        found.headers["ETag"],
    )


@pytest.mark.requirement("E2")
def test_the_server_makes_the_id(desk):
    other = str(uuid4())
    path = made(desk, feature() | {"id": other})
    assert not path.endswith(other)
    found = get(desk, path).json
    assert found["id"] == str(event_id("local", found["properties"]["source_id"]))


def test_many_are_created_in_their_order(desk):
    sent = {"type": "FeatureCollection", "features": [feature(notes=str(n)) for n in range(5)]}
    answer = post(desk, sent)
    assert answer.status_code == 201
    paths = [each["href"].removeprefix("http://localhost") for each in answer.json["events"]]
    found = [get(desk, path) for path in paths]
    assert [one.json["properties"]["notes"] for one in found] == list("01234")
    assert [one.headers["ETag"] for one in found] == [e["etag"] for e in answer.json["events"]]


def test_of_many_all_are_created_or_none(desk, rows):
    before = rows("SELECT count(*) FROM event")
    good, bad = feature(), feature(fatalities_best="3", tags="x")
    answer = post(desk, {"type": "FeatureCollection", "features": [good, bad, bad]})
    assert pointers(answer) == {
        f"/features/{n}/properties/{name}" for n in (1, 2) for name in ("fatalities_best", "tags")
    }
    assert rows("SELECT count(*) FROM event") == before


def test_more_than_a_thousand_at_once_are_too_many(desk):
    features = [feature() for _ in range(1001)]
    answer = post(desk, {"type": "FeatureCollection", "features": features})
    assert pointers(answer) == {"/features"}
    answer = post(desk, {"type": "FeatureCollection", "features": features[1:]})
    assert answer.status_code == 201
    assert len({each["id"] for each in answer.json["events"]}) == 1000


# Replaced and changed.


@pytest.mark.requirement("E3")
def test_what_is_replaced_is_what_was_sent(desk):
    path = made(desk, feature((30, 20), notes="old", tags=["a"]))
    answer = put(desk, path, feature((31, 21), event_type="Riots") | {"id": "another"})
    assert answer.status_code == 200
    found = get(desk, path)
    assert found.headers["ETag"] == answer.headers["ETag"]
    assert found.json["properties"] == answer.json["properties"]
    assert (found.json["properties"]["notes"], found.json["properties"]["tags"]) == (None, [])
    assert found.json["geometry"]["coordinates"] == [31, 21]


@pytest.mark.requirement("E3")
def test_what_is_sent_back_as_it_came_makes_no_new_version(desk):
    sent = feature(place_name="Rutba, Anbar", reports=[{"quote": "x"}], uncertainty_km=3.3)
    path = made(desk, sent)
    before = get(desk, path)
    answer = put(desk, path, before.json)
    assert answer.headers["ETag"] == before.headers["ETag"]
    assert get(desk, path).json["properties"] == before.json["properties"]


def test_a_page_is_sent_as_it_came(desk):
    """What the server has written into it is passed over."""
    page = desk.client.get(f"{ITEMS}?limit=1&as_of=1").json | {
        "withheld": 1,
        "features": [feature()],
    }
    assert {"head", "timeStamp", "links"} <= page.keys()
    assert post(desk, page).status_code == 201


@pytest.mark.requirement("E3")
def test_what_is_not_there_is_not_replaced(desk):
    nowhere = f"{ITEMS}/{uuid4()}"
    for path in (nowhere, f"{ITEMS}/unknown_id"):
        assert_problem(put(desk, path, feature()), 404)
        assert_problem(put(desk, path, feature(), headers={"If-Match": "*"}), 412)
    assert desk.client.get(nowhere).status_code == 404


@pytest.mark.requirement("E3", "E4")
@pytest.mark.parametrize("name", ["dataset", "source_id"])
def test_what_an_event_is_cannot_be_changed(desk, name):
    path = made(desk)
    assert pointers(put(desk, path, feature(**{name: "other"}))) == {f"/properties/{name}"}
    assert pointers(patch(desk, path, properties={name: "other"})) == {f"/properties/{name}"}
    assert patch(desk, path, properties={name: None}).status_code == 200


def test_who_may_see_it_stays_unless_it_is_said(desk, rows):
    path = made(desk, feature(visibility="restricted"))
    assert put(desk, path, feature(notes="x"), desk.reader).status_code == 200
    query = "SELECT visibility FROM event WHERE id = %s"
    assert rows(query, path.rpartition("/")[2]) == [("restricted",)]
    assert put(desk, path, feature(visibility="public"), desk.reader).status_code == 200
    assert version(desk, path) == 3


@pytest.mark.requirement("E4")
def test_a_patch_changes_what_it_names(desk):
    path = made(desk, feature((30, 20), notes="old", sub_event_type="x", tags=["a", "b"]))
    answer = patch(desk, path, properties={"notes": None, "tags": ["c"]})
    assert answer.status_code == 200
    found = get(desk, path).json
    kept = found["properties"]
    assert (kept["notes"], kept["sub_event_type"], kept["tags"]) == (None, "x", ["c"])
    assert found["geometry"]["coordinates"] == [30, 20]
    patch(desk, path, geometry={"type": "Point", "coordinates": [31, 21]})
    assert get(desk, path).json["geometry"]["coordinates"] == [31, 21]
    assert get(desk, path).json["properties"]["tags"] == ["c"]


@pytest.mark.requirement("E4")
def test_what_is_required_cannot_be_taken_away(desk):
    answer = patch(desk, made(desk), properties={"event_type": None})
    assert pointers(answer) == {"/properties/event_type"}


@pytest.mark.requirement("E4")
def test_an_interval_is_looked_at_as_a_whole(desk):
    path = made(desk, feature(starts_on="2024-02-01"))
    assert pointers(patch(desk, path, properties={"ends_on": "2024-01-31"})) == {
        "/properties/ends_on"
    }


# Deleted.


@pytest.mark.requirement("E5")
def test_what_is_deleted_is_gone(desk):
    path = made(desk, feature(notes="x"))
    assert desk.client.delete(path, headers=desk.write).status_code == 204
    assert_problem(desk.client.get(path), 410)
    assert_problem(desk.client.delete(path, headers=desk.write), 410)
    assert_problem(put(desk, path, feature()), 410)
    assert_problem(desk.client.delete(f"{ITEMS}/{uuid4()}", headers=desk.write), 404)


def test_what_is_erased_is_told_by_no_import_either(desk, rows):
    path = made(desk, feature(notes="canary"))
    account = {"created": 1, "examples": {"recoded": ["canary"]}, "new": ["x"], "lost": ["y"]}
    rows(
        "INSERT INTO import_job (api_key, format, options, account)"
        " SELECT id, 'csv', '{}', %s FROM api_key LIMIT 1 RETURNING id",
        Jsonb(account),
    )
    assert desk.client.delete(f"{path}?erase=true", headers=desk.admin).status_code == 204
    assert rows("SELECT account FROM import_job") == [({"created": 1},)]


def test_only_administrators_erase_and_it_is_audited(desk, rows):
    path = made(desk, feature(notes="secret"))
    patch(desk, path, properties={"notes": "other"})
    assert_problem(desk.client.delete(f"{path}?erase=true", headers=desk.write), 403)
    assert desk.client.delete(f"{path}?erase=true", headers=desk.admin).status_code == 204
    event = path.rpartition("/")[2]
    assert rows(
        "SELECT count(*) FROM event_version WHERE id = %s AND notes IS NOT NULL", event
    ) == [(0,)]
    assert rows("SELECT actor, action FROM audit WHERE subject = %s", event) == [
        ("admin", "event erased")
    ]
    assert desk.client.delete(f"{path}?erase=true", headers=desk.admin).status_code == 204
