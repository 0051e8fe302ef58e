"""Pages of events: what they say of themselves, how long they are, and in what order."""

from datetime import UTC, date, datetime
from urllib.parse import urlencode, urlsplit

import pytest

import oracle
from conftest import ITEMS, assert_problem, links, looking_ahead, walk
from oracle import MAXIMUM, selected, sources
from world import WORLD

ask = oracle.ask  # a fixture

GEOJSON = "application/geo+json"


# The page.


@pytest.mark.requirement("I1")
def test_a_page_is_a_feature_collection(visitor):
    answer = visitor.get(ITEMS, headers={"Accept": GEOJSON})
    assert answer.status_code == 200
    assert answer.content_type == GEOJSON
    assert answer.json["type"] == "FeatureCollection"
    assert len(answer.json["features"]) == 100
    assert all(feature["type"] == "Feature" for feature in answer.json["features"])


@pytest.mark.requirement("I2", "I28")
@pytest.mark.parametrize("query", ["", "?limit=3", "?limit=10000", "?country=XXX"])
def test_a_page_links_to_itself_to_its_collection_and_to_the_next_page_if_there_is_one(
    visitor, query
):
    answer = visitor.get(ITEMS + query)
    body = answer.json
    (self_link,) = links(body, "self")
    assert self_link["type"] == answer.content_type
    assert self_link["href"] == f"http://localhost{ITEMS}{query}"
    assert len(links(body, "collection")) == 1
    assert len(links(body, "next")) == (query in {"", "?limit=3"})
    for link in body["links"]:
        assert (
            f'<{link["href"]}>; rel="{link["rel"]}"; type="{link["type"]}"'
            in answer.headers["Link"]
        )
    assert answer.headers["Link"].count("; rel=") == len(body["links"])


@pytest.mark.requirement("I3")
def test_a_page_says_when_it_was_made_and_how_many_features_it_has(visitor):
    body = visitor.get(ITEMS, query_string={"limit": 7}).json
    made = datetime.fromisoformat(body["timeStamp"])
    assert body["timeStamp"].endswith("Z")
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60
    assert body["numberReturned"] == len(body["features"]) == 7


@pytest.mark.requirement("I4")
@pytest.mark.parametrize("query", [{}, {"country": "SDN"}, {"bbox": "29,14,34,18"}], ids=str)
def test_the_pages_of_a_client_that_raises_the_limit_add_up(visitor, query):
    body = visitor.get(ITEMS, query_string=query | {"limit": 10}).json
    total = body["numberReturned"]
    hits = visitor.get(ITEMS, query_string=query | {"resultType": "hits"}).json
    matched = body.get("numberMatched", hits["numberMatched"])
    for _ in range(4):
        following = links(body, "next")
        if not following:
            break
        # As the conformance suite does it: split at every & and =, and send the pairs again.
        pairs = dict(pair.split("=") for pair in urlsplit(following[0]["href"]).query.split("&"))
        assert len(pairs) == len(query) + 2
        body = visitor.get(ITEMS, query_string=pairs | query | {"limit": MAXIMUM}).json
        total += body["numberReturned"]
    assert total == matched


@pytest.mark.requirement("I4")
def test_what_is_known_of_the_number_is_said_and_is_exact(visitor):
    def matched(**query):
        return [p.get("numberMatched") for p in walk(visitor, f"{ITEMS}?{urlencode(query)}")]

    assert matched(limit=300) == [len(WORLD)] * 2
    assert matched(limit=300, sortby="fatalities_best") == [len(WORLD)] * 2
    assert matched(country="CAF") == [2]
    assert matched(country="XXX") == [0]
    assert matched(bbox="29,14,34,18", limit=300) == [402, None]
    with looking_ahead(30):  # the walk has not seen everything, so nobody knows
        assert matched(bbox="29,14,34,18", limit=300) == [None, None]


@pytest.mark.requirement("I5")
def test_coordinates_are_longitude_and_latitude(visitor):
    places = {str(e["id"]): e.get("place") for e in WORLD}
    for feature in visitor.get(ITEMS, query_string={"limit": MAXIMUM}).json["features"]:
        place = places[feature["id"]]
        if place is None:
            assert feature["geometry"] is None
        else:
            assert feature["geometry"] == {"type": "Point", "coordinates": list(place)}


@pytest.mark.requirement("F3")
def test_every_feature_of_a_page_has_an_id(visitor):
    features = visitor.get(ITEMS, query_string={"limit": MAXIMUM}).json["features"]
    assert {f["id"] for f in features} == {str(event["id"]) for event in WORLD}


# limit


@pytest.mark.requirement("I7")
@pytest.mark.parametrize("limit", [1, 2, 100, 418, 5000, MAXIMUM])
def test_a_page_has_at_most_as_many_as_asked_for(visitor, limit):
    body = visitor.get(ITEMS, query_string={"limit": limit}).json
    assert body["numberReturned"] == min(limit, len(WORLD))


@pytest.mark.requirement("I8")
@pytest.mark.parametrize("limit", ["10001", "50000", "1" + "0" * 12, "1" + "0" * 40])
def test_a_limit_above_the_maximum_means_the_maximum(visitor, limit):
    assert visitor.get(ITEMS, query_string={"limit": limit}).json["numberReturned"] == len(WORLD)


@pytest.mark.requirement("I9")
@pytest.mark.parametrize(
    "limit",
    [
        "0",
        "-1",
        "1.5",
        "abc",
        "",
        "unlimited",
        "1e3",
        "1_0",
        "١٢",
        "１２",
        " ",
        "NaN",
        "0x10",
        "\0",
    ],
)
def test_a_limit_that_is_no_whole_number_from_one_is_refused(visitor, limit):
    assert_problem(visitor.get(ITEMS, query_string={"limit": limit}), 400, parameter="limit")


# The order.


@pytest.mark.parametrize(
    "sortby", ["starts_on", "-starts_on", "fatalities_best", "-fatalities_best"]
)
def test_unknown_dates_sort_as_the_first_day_and_unknown_tolls_below_none(ask, sortby):
    found = ask(sortby=sortby)
    assert found == selected(order=sortby)
    unknown = {e["source_id"] for e in WORLD if e.get(sortby.lstrip("-")) is None}
    edge = found[-len(unknown) :] if sortby.startswith("-") else found[: len(unknown)]
    assert set(edge) == unknown


@pytest.mark.parametrize(
    ("raw", "order"), [("+starts_on", "starts_on"), ("%2Bstarts_on", "starts_on")]
)
def test_a_plus_sign_need_not_be_escaped(visitor, raw, order):
    answer = visitor.get(f"{ITEMS}?limit={MAXIMUM}&sortby={raw}")
    assert sources(answer.json["features"]) == selected(order=order)


def test_the_newest_events_come_first_unless_asked_otherwise(ask):
    assert ask() == selected(order="-starts_on")


# Counting only.


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"limit": 1},
        {"sortby": "starts_on"},
        {"country": "SDN"},
        {"bbox": "29,14,31,18"},
        {"datetime": "2020-01-10/.."},
    ],
    ids=str,
)
def test_hits_are_counted_whatever_the_page(visitor, query):
    whole = visitor.get(ITEMS, query_string=query | {"limit": MAXIMUM}).json
    body = visitor.get(ITEMS, query_string=query | {"resultType": "hits"}).json
    assert body["features"] == []
    assert body["numberReturned"] == 0
    assert body["numberMatched"] == len(whole["features"])
    assert not links(body, "next")


def test_a_table_of_many_equal_keys_is_walked_without_loss(client, make_event):
    made = {make_event(starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 1)) for _ in range(30)}
    for limit in (1, 4, 29, 30, 31):
        pages = list(walk(client, f"{ITEMS}?limit={limit}&datetime=2020-01-01&bbox=0,0,1,1"))
        found = [f["id"] for body in pages for f in body["features"]]
        assert sorted(found) == sorted(made)


def test_an_empty_collection_has_one_empty_page(client):
    body = client.get(ITEMS).json
    assert (body["features"], body["numberReturned"], body["numberMatched"]) == ([], 0, 0)
    assert not links(body, "next")
    assert body["timeStamp"]
