"""Who may write: those who may, and nobody else, who is told nothing of what is hidden."""

from uuid import UUID, uuid4

import pytest

import editing
from api.keys import SCOPES
from conftest import ITEMS, assert_problem
from editing import PATCH, feature, made, patch, pointers, post, put, version

desk, rows = editing.desk, editing.rows  # fixtures


@pytest.mark.parametrize("name", [None, *SCOPES])
def test_only_who_may_write_writes(desk, name):
    path = made(desk)
    headers = desk.__dict__[name] if name else {}
    answers = [
        desk.client.post(ITEMS, json=feature(), headers=headers),
        desk.client.put(path, json=feature(), headers=headers),
        desk.client.patch(path, data="{}", content_type=PATCH, headers=headers),
        desk.client.delete(path, headers=headers),
    ]
    statuses = [answer.status_code for answer in answers]
    if name in {"write", "admin"}:
        assert statuses == [201, 200, 200, 204]
    else:
        assert statuses == 4 * [403 if name else 401]


def test_who_only_writes_cannot_choose_ids_nor_ask_for_them(desk):
    hidden = feature(source_id=str(uuid4()), visibility="restricted")
    assert post(desk, hidden, desk.reader).status_code == 201
    for source_id in (hidden["properties"]["source_id"], str(uuid4())):
        answer = post(desk, feature(source_id=source_id))
        assert pointers(answer) == {"/properties/source_id"}
    assert_problem(post(desk, hidden, desk.reader), 409, type="urn:hudna:problem:exists")
    assert_problem(post(desk, hidden, desk.importer), 409)


def test_two_features_of_one_body_are_not_the_same_event(desk):
    sent = {"type": "FeatureCollection", "features": 2 * [feature(source_id=str(uuid4()))]}
    assert pointers(post(desk, sent, desk.reader)) == {"/features/1/properties/source_id"}


def test_an_event_that_was_deleted_comes_back_as_its_next_version(desk):
    sent = feature(source_id=str(uuid4()), notes="again")
    path = made(desk, sent, desk.reader)
    assert desk.client.delete(path, headers=desk.write).status_code == 204
    assert made(desk, sent, desk.reader) == path
    assert version(desk, path) == 3


@pytest.mark.parametrize(
    ("who", "says", "comes_back"),
    [
        ("importer", {}, "restricted"),
        ("importer", {"visibility": "public"}, "restricted"),
        ("reader", {}, "restricted"),
        ("reader", {"visibility": "public"}, "public"),
    ],
)
def test_what_was_restricted_and_deleted_comes_back_restricted(desk, rows, who, says, comes_back):
    """Its past would be public again: only who may see it may say so."""
    sent = feature(source_id=str(uuid4()), notes="canary")
    path = made(desk, sent, desk.reader)
    then = f"{path}?as_of={desk.client.get(ITEMS).json['head']}"
    patch(desk, path, desk.reader, properties={"visibility": "restricted"})
    assert desk.client.delete(path, headers=desk.reader).status_code == 204
    again = post(desk, feature(**sent["properties"] | says), getattr(desk, who))
    assert again.status_code == 201
    event = path.rpartition("/")[2]
    assert rows("SELECT visibility FROM event WHERE id = %s", event) == [(comes_back,)]
    for address in (path, then):
        assert desk.client.get(address).status_code == (200 if comes_back == "public" else 410)


def test_an_event_that_was_erased_does_not_come_back(desk):
    sent = feature(source_id=str(uuid4()), notes="never again")
    path = made(desk, sent, desk.reader)
    assert desk.client.delete(f"{path}?erase=true", headers=desk.admin).status_code == 204
    for who in (desk.reader, desk.admin):
        assert_problem(post(desk, sent, who), 409, type="urn:hudna:problem:exists")
    assert_problem(put(desk, path, sent, desk.admin), 410)
    assert desk.client.get(path).status_code == 410


def test_what_is_hidden_is_not_there_for_who_may_not_see_it(desk, rows):
    path = made(desk, feature(notes="canary", visibility="restricted"))
    nowhere = f"{ITEMS}/{uuid4()}"

    def told(answer):
        return answer.status_code, answer.text.replace(path, "").replace(nowhere, "")

    for headers in ({}, {"If-Match": "*"}):
        for ask in (
            lambda at, h=headers: put(desk, at, feature(), headers=h),
            lambda at, h=headers: patch(desk, at, headers=h, properties={"notes": "x"}),
            lambda at, h=headers: desk.client.delete(at, headers=desk.write | h),
        ):
            assert told(ask(path)) == told(ask(nowhere))
    answer = patch(desk, path, desk.reader, properties={"notes": "seen"})
    assert answer.status_code == 200
    assert rows("SELECT notes FROM event WHERE id = %s", path.rpartition("/")[2]) == [("seen",)]


def test_the_history_names_the_key(desk, rows):
    path = made(desk)
    patch(desk, path, desk.other, properties={"notes": "x"})
    assert rows(
        "SELECT actor, action, new_version FROM event_change WHERE event_id = %s ORDER BY seq",
        path.rpartition("/")[2],
    ) == [("write", "create", 1), ("other", "update", 2)]


@pytest.mark.requirement("E1")
@pytest.mark.parametrize("path", [f"{ITEMS}/unknown_id", f"{ITEMS}/{UUID(int=7)}"])
def test_options_tell_what_this_caller_may_do(desk, path):
    def allowed(at, headers):
        answer = desk.client.options(at, headers=headers)
        assert answer.status_code == 200
        return set(answer.headers["Allow"].split(", "))

    reads = {"GET", "HEAD", "OPTIONS"}
    for headers in ({}, desk.__dict__["read:restricted"]):
        assert allowed(ITEMS, headers) == allowed(path, headers) == reads
    for headers in (desk.write, desk.admin):
        assert allowed(ITEMS, headers) == reads | {"POST"}
        assert allowed(path, headers) == reads | {"PUT", "PATCH", "DELETE"}
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    answer = desk.client.options(path, headers=preflight)
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"].split(", ")
