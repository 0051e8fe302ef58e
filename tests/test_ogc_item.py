"""One event by its id: rows F1 to F5, and entity tags of what may be asked again."""

import json
from datetime import datetime
from urllib.parse import quote

import pytest

from conftest import ITEMS, PLACES, RESOURCES, assert_problem, links, settle
from world import WORLD, event_id

GEOJSON = "application/geo+json"
FIJI = f"{ITEMS}/{event_id('fiji')}"
SPECIAL = [event for event in WORLD if not event["source_id"].startswith("crowd")]


@pytest.mark.requirement("F1")
def test_an_event_is_a_feature_with_its_id_and_links(visitor):
    answer = visitor.get(FIJI, headers={"Accept": GEOJSON})
    assert answer.status_code == 200
    assert answer.content_type == GEOJSON
    feature = answer.json
    assert feature["type"] == "Feature"
    assert feature["id"] == event_id("fiji")
    assert feature["geometry"] == {"type": "Point", "coordinates": [178.4, -18.1]}
    (self_link,), (collection,) = links(feature, "self"), links(feature, "collection")
    assert self_link["href"] == f"http://localhost{FIJI}"
    assert self_link["type"] == GEOJSON
    assert collection["href"] == "http://localhost/collections/events"
    assert collection["type"] == "application/json"


@pytest.mark.parametrize("event", SPECIAL, ids=lambda event: event["source_id"])
def test_an_event_has_what_was_written_of_it(visitor, event):
    feature = visitor.get(f"{ITEMS}/{event['id']}").json
    found = feature["properties"]
    for name in event.keys() & found.keys():
        wanted = event[name]
        assert found[name] == (wanted.isoformat() if hasattr(wanted, "isoformat") else wanted)
    place = event.get("place")
    assert feature["geometry"] == (place and {"type": "Point", "coordinates": list(place)})
    assert found["fatalities_best"] == event.get("fatalities_best"), "unknown is never 0"
    assert found["version"] == 1
    assert datetime.fromisoformat(found["updated_at"]).tzinfo


def test_an_event_is_the_same_by_itself_and_in_a_page(visitor):
    page = visitor.get(ITEMS, query_string={"limit": 10_000}).json
    for listed in page["features"][:25]:
        alone = visitor.get(f"{ITEMS}/{listed['id']}").json
        del alone["links"]
        assert alone == listed
        assert list(alone["properties"]) == list(listed["properties"])


@pytest.mark.requirement("F2")
@pytest.mark.parametrize(
    "wrong",
    [
        event_id("nobody wrote this"),
        "1",
        "none",
        "00000000-0000-0000-0000-000000000000",
        event_id("fiji")[:-1],
        event_id("fiji") + "0",
        event_id("fiji").replace("-", ""),
        "{" + event_id("fiji") + "}",
        "urn:uuid:" + event_id("fiji"),
        event_id("fiji").translate({ord("1"): "١", ord("2"): "２", ord("6"): "６"}),
        " " + event_id("fiji"),
        event_id("fiji") + "\n",
        "%",
        "%00",
        "é",
        "a b",
        "'",
        "..;",
        "x" * 3000,
    ],
    ids=lambda text: ascii(text)[:50],
)
def test_what_is_no_event_is_not_found(visitor, wrong):
    body = assert_problem(visitor.get(f"{ITEMS}/{quote(wrong, safe='')}"), 404)
    assert body["type"] == "urn:hudna:problem:not-found"


@pytest.mark.requirement("F2")
def test_a_deleted_event_is_gone_and_a_hidden_one_was_never_there(client, conn, make_event):
    shown, hidden = make_event(), make_event(visibility="restricted")
    assert client.get(f"{ITEMS}/{shown}").status_code == 200
    assert_problem(client.get(f"{ITEMS}/{hidden}"), 404)
    for event in (shown, hidden):
        conn.execute("SELECT event_delete(%s)", [event])
    settle(conn)
    assert_problem(client.get(f"{ITEMS}/{shown}"), 410)
    assert_problem(client.get(f"{ITEMS}/{hidden}"), 404)


def test_an_event_that_was_withdrawn_from_the_public_is_gone(client, conn, make_event):
    event = make_event(notes="a secret, by mistake")
    conn.execute("UPDATE event SET visibility = 'restricted' WHERE id = %s", [event])
    settle(conn)
    answer = client.get(f"{ITEMS}/{event}")
    assert_problem(answer, 410)
    assert "secret" not in answer.text
    assert client.get(ITEMS).json["features"] == []


@pytest.mark.requirement("F4")
def test_an_entity_tag_saves_sending_an_event_again(visitor):
    answer = visitor.get(FIJI)
    tag = answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "public, no-cache"
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = visitor.get(FIJI, headers={"If-None-Match": sent})
        assert again.status_code == 304, sent
        assert again.data == b""
        assert again.headers["ETag"].removeprefix("W/") == tag
    other = visitor.get(FIJI, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.json) == (200, answer.json)


@pytest.mark.requirement("F4")
def test_the_entity_tag_of_an_event_changes_with_it_and_only_with_it(client, conn, make_event):
    event = make_event(notes="first")
    tag = client.get(f"{ITEMS}/{event}").headers["ETag"]
    make_event()
    assert client.get(f"{ITEMS}/{event}").headers["ETag"] == tag
    conn.execute("UPDATE event SET notes = 'second' WHERE id = %s", [event])
    settle(conn)
    answer = client.get(f"{ITEMS}/{event}", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag
    assert answer.json["properties"]["notes"] == "second"
    assert answer.json["properties"]["version"] == 2


@pytest.mark.requirement("F4")
@pytest.mark.parametrize(
    "path",
    [
        *RESOURCES,
        "/geocode?q=Baghdad",
        f"{ITEMS}?limit=2",
        f"{ITEMS}?resultType=hits",
        *(
            f"{path}?crs=http://www.opengis.net/def/crs/EPSG/0/3857"
            for path in (ITEMS, FIJI, PLACES, f"{PLACES}/country-JOR")
        ),
    ],
)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_what_is_not_sent_again_says_of_itself_what_was_sent(visitor, path, coding):
    """RFC 9110, 15.4.5, and the header of Part 2 that says what the coordinates are in."""
    sent = {"Accept-Encoding": coding}
    first = visitor.get(path, headers=sent)
    again = visitor.get(path, headers=sent | {"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.vary == first.vary
    for name in ("Cache-Control", "Content-Crs", "ETag", "Access-Control-Expose-Headers"):
        assert again.headers.get(name) == first.headers.get(name), name
    assert again.headers.get("Link") in {None, first.headers.get("Link")}


@pytest.mark.requirement("F4")
@pytest.mark.parametrize("path", RESOURCES)
def test_every_resource_has_an_entity_tag_that_saves_sending_it_again(visitor, path):
    tag = visitor.get(path).headers["ETag"]
    again = visitor.get(path, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == tag
    assert "Accept" in again.vary
    assert visitor.get(path, headers={"If-None-Match": '"nothing"'}).status_code == 200


@pytest.mark.parametrize("path", RESOURCES)
def test_two_formats_of_one_resource_have_two_entity_tags(visitor, path):
    first = visitor.get(path)
    second = visitor.get(path, headers={"Accept": "application/json"})
    if first.content_type != second.content_type:
        assert first.headers["ETag"] != second.headers["ETag"]


@pytest.mark.requirement("F5")
def test_an_id_of_other_case_leads_to_the_address_that_the_event_has(visitor):
    feature = visitor.get(f"{ITEMS}/{event_id('fiji').upper()}").json
    (self_link,) = links(feature, "self")
    assert self_link["href"] == f"http://localhost{FIJI}"


@pytest.mark.requirement("F5")
def test_the_self_link_of_every_event_gives_it_again(visitor):
    for event in SPECIAL:
        answer = visitor.get(f"{ITEMS}/{event['id']}")
        (self_link,) = links(answer.json, "self")
        assert visitor.get(self_link["href"]).data == answer.data


def test_text_of_any_script_comes_as_it_is_written(visitor):
    raw = visitor.get(f"{ITEMS}/{event_id('undated')}").data.decode("utf-8")
    assert "بغداد" in raw
    assert json.loads(raw)["properties"]["place_name"] == "بغداد"
