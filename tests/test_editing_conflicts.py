"""Many writers, and requests that come twice: nothing is lost, and nothing done again."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

import editing
from conftest import ITEMS, assert_problem, opened
from editing import PATCH, feature, get, made, patch, post, put

desk, rows = editing.desk, editing.rows  # fixtures


# Versions.


@pytest.mark.requirement("E7")
def test_a_change_of_what_has_changed_since_is_refused_and_changes_nothing(desk):
    path = made(desk)
    seen = {"If-Match": get(desk, path).headers["ETag"]}
    assert patch(desk, path, headers=seen, properties={"notes": "first"}).status_code == 200
    for answer in (
        patch(desk, path, headers=seen, properties={"notes": "second"}),
        put(desk, path, feature(notes="second"), headers=seen),
        desk.client.delete(path, headers=desk.write | seen),
        patch(desk, path, headers={"If-Match": "nonsense"}, properties={"notes": "second"}),
        patch(desk, path, headers={"If-Match": ""}, properties={"notes": "second"}),
    ):
        assert_problem(answer, 412, type="urn:hudna:problem:stale")
    assert get(desk, path).json["properties"]["notes"] == "first"


@pytest.mark.requirement("E7")
@pytest.mark.parametrize(
    "query", ["", "?crs=http://www.opengis.net/def/crs/EPSG/0/3857", "?f=html"]
)
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_the_tag_of_any_representation_names_the_version(desk, query, coding):
    path = made(desk)
    found = desk.client.get(path + query, headers={"Accept-Encoding": coding})
    tags = f'"x", {found.headers["ETag"]}'
    assert (
        patch(desk, path, headers={"If-Match": tags}, properties={"notes": "x"}).status_code == 200
    )
    weak = f"W/{get(desk, path).headers['ETag']}"
    assert (
        patch(desk, path, headers={"If-Match": weak}, properties={"notes": "y"}).status_code == 200
    )
    assert (
        patch(desk, path, headers={"If-Match": "*"}, properties={"notes": "z"}).status_code == 200
    )


@pytest.mark.requirement("E7")
def test_a_tag_of_before_a_restore_names_no_version_of_after(desk, rows):
    """A restored database gives the numbers of its transactions once more, to other content."""
    path = made(desk)
    before = get(desk, path).headers["ETag"]
    rows("UPDATE feed.state SET timeline = timeline + 1 RETURNING 1")
    rows("SELECT feed.check_epoch()")
    answer = desk.client.get(path, headers={"If-None-Match": before})
    assert answer.status_code == 200
    for tag, status in [(before, 412), (answer.headers["ETag"], 200)]:
        done = patch(desk, path, headers={"If-Match": tag}, properties={"notes": "x"})
        assert done.status_code == status


def test_a_deletion_has_no_body_of_any_size(desk):
    path = made(desk)
    headers = desk.write | {"Idempotency-Key": str(uuid4())}
    assert_problem(desk.client.delete(path, headers=headers, data=bytes(9 << 20)), 413)
    assert desk.client.get(path).status_code == 200


@pytest.mark.requirement("E7")
def test_the_server_may_want_a_version(desk):
    path = made(desk)
    with opened(desk.dsn, require_if_match=1) as client:
        answer = client.delete(path, headers=desk.write)
        assert_problem(answer, 428, type="urn:hudna:problem:if-match-required")
        seen = {"If-Match": client.get(path).headers["ETag"]}
        assert client.delete(path, headers=desk.write | seen).status_code == 204


@pytest.mark.requirement("E7")
def test_fifty_writers_lose_nothing(desk):
    path = made(desk, feature(fatalities_best=0))

    def add(_):
        client, tries = desk.client.application.test_client(), 0
        while True:
            tries += 1
            found = client.get(path)
            number = found.json["properties"]["fatalities_best"] + 1
            answer = client.patch(
                path,
                data=json.dumps({"properties": {"fatalities_best": number}}),
                content_type=PATCH,
                headers=desk.write | {"If-Match": found.headers["ETag"]},
            )
            assert answer.status_code in {200, 412, 503}, answer.text
            if answer.status_code == 200:
                return tries

    with ThreadPoolExecutor(8) as writers:
        tries = list(writers.map(add, range(50)))
    found = get(desk, path).json["properties"]
    assert (found["fatalities_best"], found["version"]) == (50, 51)
    assert sum(tries) > 50, "nobody was in another's way: this tests nothing"


# Requests that come twice.


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_comes_again_is_answered_as_before_and_done_once(desk, method, rows):
    path = made(desk)
    named = desk.write | {"Idempotency-Key": str(uuid4())}
    sent = {"properties": {"notes": "x"}} if method == "PATCH" else feature(notes="x")
    media = PATCH if method == "PATCH" else "application/geo+json"

    def send(body=sent, headers=named):
        at = ITEMS if method == "POST" else path
        text = None if method == "DELETE" else json.dumps(body)
        return desk.client.open(at, method=method, data=text, content_type=media, headers=headers)

    def told(answer):
        kept = ("ETag", "Location", "Content-Type")
        body = {**(answer.json or {}), "remarks": None} if answer.data else None
        return answer.status_code, [answer.headers.get(name) for name in kept], body

    first = send()
    head = rows("SELECT head FROM feed.state")
    assert first.status_code < 300
    assert told(send()) == told(first)
    assert rows("SELECT head FROM feed.state") == head
    if method != "DELETE":
        other = {"properties": {"notes": "y"}} if method == "PATCH" else feature(notes="y")
        answer = send(other)
        assert_problem(answer, 422, type="urn:hudna:problem:key-reused")
    mine = send(headers=named | desk.other)
    assert mine.status_code < 300 or method == "DELETE", "a key is its caller's own"


def test_an_error_is_not_kept(desk):
    named = {"Idempotency_Key": str(uuid4())}
    assert_problem(post(desk, feature(notes=1), **named), 400)
    assert post(desk, feature(notes="1"), **named).status_code == 201


def test_a_hundred_at_once_under_one_name_make_one_event(desk, rows):
    named = desk.write | {"Idempotency-Key": str(uuid4())}
    notes = str(uuid4())

    def send(_):
        client = desk.client.application.test_client()
        return client.post(ITEMS, json=feature(notes=notes), headers=named)

    with ThreadPoolExecutor(16) as senders:
        answers = list(senders.map(send, range(100)))
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    made_ids = {a.json["events"][0]["id"] for a in answers if a.status_code == 201}
    assert len(made_ids) == 1
    assert rows("SELECT count(*) FROM event WHERE notes = %s", notes) == [(1,)]


def test_what_is_kept_of_an_answer_has_no_content(desk, rows):
    post(desk, feature(notes="canary", place_name="Rutba, Anbar"), Idempotency_Key="content")
    kept = str(rows("SELECT answer::text FROM idempotency WHERE key = 'content'"))
    assert "placed by name" in kept
    assert "canary" not in kept
    assert "Rutba" not in kept


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_name_of_a_request_has_its_bounds(desk, key):
    assert_problem(post(desk, feature(), Idempotency_Key=key), 400)
