"""Pages of events, against an oracle that looks at every event: rows I1 to I28, I27 apart."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.schemas import SCALARS
from conftest import (
    CONTRACT,
    ITEMS,
    RESOURCES,
    assert_problem,
    links,
    looking_ahead,
    operation,
    resolved,
    walk,
)
from world import WORLD

GEOJSON = "application/geo+json"
FIRST, LAST = date.min, date.max
MAXIMUM = 10_000


# The oracle: what a query ought to give, by the letter of 17-069r4 7.15 and of the decisions.


def in_box(event, box) -> bool:
    """Whether the event has no place, or one of its turns around the earth lies in the box."""
    if "place" not in event:
        return True
    longitude, latitude = event["place"]
    west, south, east, north = box
    east += 360 * max(0, math.ceil((west - east) / 360))
    turns = (longitude + 360 * k for k in range(-4, 5))
    return south <= latitude <= north and any(west <= x <= east for x in turns)


def in_time(event, first, last) -> bool:
    """Whether the event's interval, open where nothing is known, meets the closed interval."""
    starts, ends = event.get("starts_on") or FIRST, event.get("ends_on") or LAST
    return starts <= (last or LAST) and ends >= (first or FIRST)


def properties(event) -> dict:
    """Return what can be asked of the event by name."""
    actors = [actor["name"] for actor in event.get("actors", [])]
    names = dict(zip(["actor1", "actor2"], actors, strict=False))
    return {"event_type": "Battles", "visibility": "public", "version": 1} | event | names


def key(event, name):
    """Return what the event is sorted by: open starts first, unknown numbers below zero."""
    value = event.get(name)
    if name == "starts_on":
        return value or FIRST
    return -1 if value is None else value


def sources(features) -> list[str]:
    return [feature["properties"]["source_id"] for feature in features]


def selected(*, box=None, period=None, order="-starts_on", **filters) -> list[str]:
    """Return the source_ids that the query ought to give, in order."""
    found = [
        event
        for event in WORLD
        if (box is None or in_box(event, box))
        and (period is None or in_time(event, *period))
        and all(properties(event).get(name) == value for name, value in filters.items())
    ]
    name = order.lstrip("+- ")
    found.sort(key=lambda e: (key(e, name), str(e["id"])), reverse=order.startswith("-"))
    return [event["source_id"] for event in found]


@pytest.fixture
def ask(visitor):
    """Ask for all pages of a query; return the source_ids in the order in which they came."""

    def pages(**query) -> list[str]:
        query.setdefault("limit", MAXIMUM)
        url = f"{ITEMS}?{urlencode({k.replace('_crs', '-crs'): v for k, v in query.items()})}"
        return [name for body in walk(visitor, url) for name in sources(body["features"])]

    return pages


# Any query at all.

PLACES = [event["place"] for event in WORLD if "place" in event]
quarters = st.integers(-4 * 540, 4 * 540).map(lambda n: n / 4)
longitudes = st.one_of(quarters, st.sampled_from([x for x, _ in PLACES]))
latitudes = st.one_of(
    st.integers(-4 * 90, 4 * 90).map(lambda n: n / 4), st.sampled_from([y for _, y in PLACES])
)
some_days = {d for e in WORLD for d in (e.get("starts_on"), e.get("ends_on")) if d}
days = st.one_of(
    st.sampled_from(sorted(d + timedelta(days=n) for d in some_days for n in (-1, 0, 1))),
    st.sampled_from([FIRST, date(1, 1, 2), date(2, 1, 1), date(9999, 12, 30)]),
    st.dates(),
)
#: What may be asked by name: what events have, and what none has.
values = {
    name: sorted({value for event in WORLD if (value := properties(event).get(name)) is not None})
    for name in SCALARS
}
values["country"] += ["XXX", "SDN"]
values["fatalities_best"] += [10**20]
names = sorted(name for name, known in values.items() if known)


@st.composite
def boxes(draw):
    """A box: of any width, across any meridian, of no extent, or with heights."""
    south, north = sorted([draw(latitudes), draw(latitudes)])
    west, east = draw(longitudes), draw(longitudes)
    if draw(st.booleans()):  # about what is there
        (west, south), (east, north) = draw(st.sampled_from(PLACES)), draw(st.sampled_from(PLACES))
        south, north = sorted([south, north])
    if draw(st.integers(0, 9)) == 0:
        east, north = west, south
    box = (west, south, east, north)
    corners = [str(number) for number in box]
    if draw(st.integers(0, 4)) == 0:
        corners = [*corners[:2], "-5", *corners[2:], "9000"]
    return box, ",".join(corners)


@st.composite
def periods(draw):
    """An instant, or an interval that may be open on one side, in one of its notations."""
    first, last = sorted([draw(days), draw(days)])
    notation = st.sampled_from(["{}", "{}T00:00:00Z", "{}t23:59:59.5z", "{}T"])
    start, end = (draw(notation).format(day.isoformat()) for day in (first, last))
    match draw(st.integers(0, 5)):
        case 0:
            return (first, first), start
        case 1:
            return (first, None), f"{start}/{draw(st.sampled_from(['..', '']))}"
        case 2:
            return (None, last), f"{draw(st.sampled_from(['..', '']))}/{end}"
        case _:
            return (first, last), f"{start}/{end}"


@st.composite
def queries(draw):
    """A query as it is sent, and what the oracle is asked."""
    sent, oracle = {}, {}
    if draw(st.booleans()):
        oracle["box"], sent["bbox"] = draw(boxes())
    if draw(st.booleans()):
        oracle["period"], sent["datetime"] = draw(periods())
    if draw(st.booleans()):
        order = draw(st.sampled_from(["starts_on", "fatalities_best"]))
        sent["sortby"] = oracle["order"] = draw(st.sampled_from(["", "+", "-", " "])) + order
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        name = draw(st.sampled_from([*names, "country", "event_type", "actor1", "dataset"]))
        sent[name] = oracle[name] = draw(st.sampled_from(values[name]))
    return sent, oracle


@pytest.mark.requirement("I11", "I14", "I15", "I17", "I18", "I19", "I26")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    queries(), st.sampled_from([0.5, 1, 2, 3, 7, 50, MAXIMUM]), st.sampled_from([None, 1, 9, 60])
)
@example(({"datetime": "0001-01-01/.."}, {"period": (FIRST, None)}), MAXIMUM, None)
@example(({"datetime": "0001-01-01"}, {"period": (FIRST, FIRST)}), MAXIMUM, None)
@example(({}, {}), 0.5, None)
@example(({"sortby": "fatalities_best"}, {"order": "fatalities_best"}), 0.5, None)
@example(({"country": "CAF"}, {"country": "CAF"}), 0.5, 9)
def test_a_walk_gives_exactly_what_a_look_at_every_event_gives(visitor, query, limit, reach):
    sent, oracle = query
    expected = selected(**oracle)
    limit = int(limit * len(expected)) if limit < 1 else limit  # two pages, both full
    limit = max(limit, len(expected) // 20, 1)
    url = f"{ITEMS}?{urlencode(sent | {'limit': limit})}"
    with looking_ahead(reach):
        pages = list(walk(visitor, url))
    assert [name for body in pages for name in sources(body["features"])] == expected
    for number, body in enumerate(pages):
        assert body["numberReturned"] == len(body["features"])
        assert body["numberReturned"] == limit or number == len(pages) - 1
        assert body["features"] or len(pages) == 1
        assert body.get("numberMatched", len(expected)) == len(expected)
    narrowing = oracle.keys() - {"order"}
    if not narrowing or len(pages) == 1:
        assert "numberMatched" in pages[0]
    hits = visitor.get(f"{url}&resultType=hits").json
    assert (hits["numberMatched"], hits["numberReturned"]) == (len(expected), 0)


@pytest.mark.requirement("I3", "I4")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    queries(),
    st.sets(
        st.sampled_from([*CONTRACT["components"]["schemas"]["EventProperties"]["properties"]]),
        min_size=1,
    ),
    st.booleans(),
)
def test_choosing_properties_changes_nothing_else(visitor, query, chosen, bare):
    sent, _ = query
    whole = visitor.get(ITEMS, query_string=sent).json
    less = {"properties": ",".join(chosen), "skipGeometry": json.dumps(bare)}
    answer = visitor.get(ITEMS, query_string=sent | less).json
    assert [f["id"] for f in answer["features"]] == [f["id"] for f in whole["features"]]
    for full, part in zip(whole["features"], answer["features"], strict=True):
        assert part["geometry"] == (None if bare else full["geometry"])
        kept = [(name, value) for name, value in full["properties"].items() if name in chosen]
        assert list(part["properties"].items()) == kept
    assert answer.get("numberMatched") == whole.get("numberMatched")


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


# What the contract says of the parameters.


def parameter(name) -> dict:
    """Return what the contract says of a parameter of the items."""
    (found,) = [
        p for p in map(resolved, operation("GET", ITEMS)["parameters"]) if p["name"] == name
    ]
    return found


@pytest.mark.requirement("I6", "I10", "I16")
@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("limit", {"type": "integer", "minimum": 1, "maximum": MAXIMUM, "default": 100}),
        ("bbox", {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        ("datetime", {"type": "string"}),
    ],
    ids=["limit", "bbox", "datetime"],
)
def test_the_contract_has_the_standard_parameters_as_the_standard_has_them(name, schema):
    found = parameter(name)
    assert found["in"] == "query"
    assert not found.get("required")
    assert (found["style"], found["explode"]) == ("form", False)
    assert found["schema"] == schema


@pytest.mark.requirement("I6")
def test_the_limit_is_a_component_of_that_name_for_the_clients_that_look_for_it():
    paths = CONTRACT["paths"][ITEMS]["get"]["parameters"]
    assert {"$ref": "#/components/parameters/limit"} in paths


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


# bbox


@pytest.mark.requirement("I11")
@pytest.mark.parametrize(
    "bbox",
    [
        "-180,-90,180,90",
        "-1.5,50,1.5,53",
        "-80,-5,-70,5",
        "177,65,-177,70",
        "-180,85,180,90",
        "-180,-90,180,-85",
        "-180.0000000,-90.0000000,180.0000000,-85.0000000",
        "177,-20,-171,11",
        "29.9999999,14.9999999,33.0000001,17.0000001",
    ],
)
def test_a_box_selects_what_lies_in_it(ask, bbox):
    box = [float(x) for x in bbox.split(",")]
    expected = selected(box=box)
    assert ask(bbox=bbox) == expected
    assert ask(bbox=bbox, limit=40) == expected


@pytest.mark.requirement("I11")
@pytest.mark.parametrize(
    ("bbox", "inside"),
    [
        ("170,-90,-170,90", {"west edge", "east edge", "fiji", "samoa"}),
        ("170,-20,190,-10", {"fiji", "samoa"}),
        ("-190,-20,-170,-10", {"fiji", "samoa"}),
        ("175,-90,180,90", {"west edge", "east edge", "fiji"}),
        ("-180,-90,-175,90", {"west edge", "east edge"}),
        ("180,-90,-180,90", {"west edge", "east edge"}),
        ("180,10,180,11", {"west edge", "east edge"}),
        ("-180,10,-180,10", {"west edge"}),
        ("538,-19,539,-18", {"fiji"}),
        ("-540,10,-540,11", {"west edge", "east edge"}),
        ("-182,-20,-181.5,-18", {"fiji"}),
        ("-1,89,1,90", {"north pole"}),
        ("-180,-90,180,-90", {"south pole"}),
        ("0,0,0,0", {"null island"}),
        ("-70.7,-90,-70.7,90", {'O\'Higgins "quoted" \\ back'}),
    ],
)
def test_a_box_may_cross_the_antimeridian_or_be_wound_around_the_earth(ask, bbox, inside):
    placeless = {e["source_id"] for e in WORLD if "place" not in e}
    assert set(ask(bbox=bbox)) - placeless == inside


@pytest.mark.requirement("I11")
@pytest.mark.parametrize(
    "bbox", ["-200,-90,200,90", "-540,-90,540,90", "0,-90,360,90", "-180,-90,180,90"]
)
def test_a_box_as_wide_as_the_earth_is_the_earth(ask, bbox):
    assert len(ask(bbox=bbox)) == len(WORLD)


@pytest.mark.requirement("I12")
def test_heights_are_ignored(ask):
    assert ask(bbox="29,14,100,34,18,200") == ask(bbox="29,14,34,18")
    assert ask(bbox="177,65,5,-177,70,-5") == ask(bbox="177,65,-177,70")


@pytest.mark.requirement("I13")
@pytest.mark.parametrize(
    "bbox",
    [
        "",
        ",,,",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,4,5,6,7",
        "a,b,c,d",
        "NaN,0,1,1",
        "0,nan,1,1",
        "-Infinity,-90,Infinity,90",
        "inf,0,1,1",
        "1e400,0,1,1",
        "0,0,1,-1e400",
        "0,0,541,1",
        "-540.0001,0,0,1",
        "0,1,1,0",
        "0,-91,1,1",
        "0,0,1,90.0001",
        "1_0,0,20,1",
        "０,0,1,1",
        "٠,0,1,1",
        "0x1,0,1,1",
        "0 0 1 1",
        "0;0;1;1",
        "0,0,1,1,",
        "(0,0,1,1)",
        "0,0,1,1\0",
        "0,0,NaN,1,1,NaN",
        "0,0,1e999,1,1,2",
        "1" + "0" * 400 + ",0,1,1",
    ],
    ids=lambda bbox: bbox[:40].replace("\0", "NUL") or "empty",
)
def test_a_box_that_is_none_is_refused(visitor, bbox):
    assert_problem(visitor.get(ITEMS, query_string={"bbox": bbox}), 400, parameter="bbox")


@pytest.mark.parametrize("bbox", ["29,14,34,18", "+29,14.,34.0,1.8e1", " 29, 14, 34, 18"])
def test_numbers_may_be_written_as_people_write_them(ask, bbox):
    assert ask(bbox=bbox) == selected(box=(29, 14, 34, 18))


@pytest.mark.requirement("I14")
def test_a_point_on_the_edge_of_a_box_is_in_it(ask):
    for x, y in set(PLACES):
        for box in [(x, y, x, y), (x, -90, x, 90), (-180, y, 180, y)]:
            assert ask(bbox=",".join(map(str, box))) == selected(box=box)


@pytest.mark.requirement("I15")
def test_an_event_without_a_place_is_in_every_box(ask):
    assert {"truce", "nowhere and never"} == set(ask(bbox="-120,-50,-119,-49"))


# datetime

JANUARY = (date(2024, 1, 1), date(2024, 1, 31))


@pytest.mark.requirement("I17", "I21", "I22")
@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2020-01-01T00:00:00Z", (date(2020, 1, 1), date(2020, 1, 1))),
        ("2024-01-01T00:00:00Z/2024-01-31T23:59:59Z", JANUARY),
        ("../2020-02-01T00:00:00Z", (None, date(2020, 2, 1))),
        ("/2020-02-01T00:00:00Z", (None, date(2020, 2, 1))),
        ("2024-01-01T00:00:00Z/..", (date(2024, 1, 1), None)),
        ("2024-01-01T00:00:00Z/", (date(2024, 1, 1), None)),
        # other ways to write an instant
        ("2020-01-01T00:00:00+02:00", (date(2019, 12, 31), date(2019, 12, 31))),
        ("2020-01-01T23:30:00-02:00", (date(2020, 1, 2), date(2020, 1, 2))),
        ("2024-01-01T00:00:00.123456789Z/2024-01-31T00:00:00.9Z", JANUARY),
        ("2024-01-01t00:00:00z/2024-01-31t00:00:00z", JANUARY),
        ("2024-01-01T00:00:00Z/2024-01-31T23:59:60Z", JANUARY),
        ("2020-01-01 10:00:00Z", (date(2020, 1, 1), date(2020, 1, 1))),
        # outside the standard, but sent
        ("2020-01-05", (date(2020, 1, 5), date(2020, 1, 5))),
        ("2024-01-01/2024-01-31", JANUARY),
        ("2020-01-05T", (date(2020, 1, 5), date(2020, 1, 5))),
        ("2024-01-05T/..", (date(2024, 1, 5), None)),
        ("2024-01-01/2024-01-31T12:00:00Z", JANUARY),
        ("0000-01-01T00:00:00Z/2020-02-01T00:00:00Z", (None, date(2020, 2, 1))),
        ("2024-01-01T00:00:00Z/9999-12-31T00:00:00Z", (date(2024, 1, 1), None)),
        ("0000-01-01T00:00:00Z/9999-12-31T00:00:00Z", (None, None)),
        ("2024-02-29", (date(2024, 2, 29), date(2024, 2, 29))),
        # the ends of what a day can be
        ("0001-01-01/0001-01-02", (date(1, 1, 1), date(1, 1, 2))),
        ("9999-12-30/9999-12-30", (date(9999, 12, 30), date(9999, 12, 30))),
        ("9999-12-31", (date(9999, 12, 31), date(9999, 12, 31))),
    ],
)
def test_a_period_selects_what_meets_it_both_ends_included(ask, text, period):
    assert ask(datetime=text) == selected(period=period)
    order = {"sortby": "fatalities_best"}
    assert ask(datetime=text, **order) == selected(period=period, order="fatalities_best")


@pytest.mark.requirement("I18")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-01-14", False),
        ("2024-01-15", True),
        ("2024-01-31", True),
        ("2024-02-01", False),
        ("2024-01-01/2024-01-15", True),
        ("2024-01-31/2024-02-20", True),
        ("2024-01-20/2024-01-21", True),
        ("2024-01-01/2024-02-20", True),
        ("2023-01-01/2024-01-14", False),
        ("2024-02-01/2024-02-20", False),
    ],
)
def test_an_interval_is_met_by_its_edge(ask, text, found):
    assert ("end of January" in ask(datetime=text)) is found


@pytest.mark.requirement("I18", "I19")
@pytest.mark.parametrize("text", ["1850-05-05", "2024-02-05", "2024-03-20", "2500-01-01"])
def test_what_has_no_end_goes_on_and_what_has_no_time_is_always(ask, text):
    open_ended = {"truce", "until spring", "undated", "nowhere and never"}
    day = date.fromisoformat(text)
    always = {"undated", "nowhere and never"}
    always |= {"truce"} if day >= date(2024, 2, 5) else set()
    always |= {"until spring"} if day <= date(2024, 3, 20) else set()
    assert set(ask(datetime=text)) & open_ended == always


@pytest.mark.requirement("I20")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "..",
        "../..",
        "../",
        "/..",
        "0000-13-01/2020-01-01",
        "0000-nonsense/2020-01-01",
        "2020-01-01/9999-12-31nonsense",
        "2020-13-01T00:00:00Z",
        "2020-02-30",
        "2023-02-29",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:61Z",
        "2020-01-01T00:00:00+25:00",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00",
        "2020-01",
        "2020",
        "20200101",
        "20200101T000000Z",
        "2020-W01-1",
        "20-01-01",
        "12020-01-01",
        "-2020-01-01",
        "abc",
        "now",
        "2024-01-01/2024-01-02/2024-01-03",
        "2024-01-02/2024-01-01",
        "2024-01-01T00:00:00Z/P1D",
        "P1D/2024-01-01T00:00:00Z",
        "2020-01-01,2020-01-02",
        "٢٠٢٠-٠١-٠١",
        "２０２０-01-01",
        "2020-01-01\0",
        "2020-01-01\n",
        "0000-01-01",
    ],
    ids=ascii,
)
def test_a_period_that_is_none_is_refused(visitor, text):
    assert_problem(visitor.get(ITEMS, query_string={"datetime": text}), 400, parameter="datetime")


# Parameters that are not known, come twice, or have a bad value.


@pytest.mark.requirement("I23", "I24")
@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize(
    "name", ["unknownQueryParameter12345", "BBOX", "offset", "id", "__class__"]
)
def test_an_unknown_parameter_is_refused_everywhere(visitor, path, name):
    assert_problem(visitor.get(path, query_string={name: "1"}), 400, parameter=name)


@pytest.mark.requirement("I24")
@pytest.mark.parametrize(
    "path", [p for p in RESOURCES if not p.endswith(("/items", "Quad", "/history", "/changes"))]
)
@pytest.mark.parametrize("name", ["bbox", "limit", "cursor", "country"])
def test_a_parameter_of_the_items_is_unknown_elsewhere(visitor, path, name):
    assert_problem(visitor.get(path, query_string={name: "1"}), 400, parameter=name)


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize("values", ["f=json&f=json", "f=json&f=geojson", "f=&f=json"])
def test_a_parameter_given_twice_is_refused_everywhere(visitor, path, values):
    assert_problem(visitor.get(f"{path}?{values}"), 400, parameter="f")


@pytest.mark.parametrize(
    "name", [p["name"] for p in map(resolved, operation("GET", ITEMS)["parameters"])]
)
def test_no_parameter_of_the_items_may_be_given_twice(visitor, name):
    assert_problem(visitor.get(f"{ITEMS}?{name}=1&{name}=1"), 400, parameter=name)


#: Values that do not fit a parameter, by the type and format of its schema.
BAD = {
    "choice": ["", "nothing of that", "--", "1"],
    "array": ["", "nothing of that", ",", "1,"],
    "date": ["", "2024-02-30", "yesterday", "2024-1-1", "0000-01-01", "1"],
    "date-time": ["", "2024-01-01", "yesterday", "2024-01-01T00:00:00", "2024-02-30T00:00:00Z"],
    "integer": ["", "x", "1.5", "1_0", "NaN", "--1", "١", "0x1", "1e2"],
    "number": ["", "x", "1,5", "1_0", "NaN", "Infinity", "--1", "١", "0x1", "1e999"],
    "boolean": ["", "maybe", "1", "TRUE", "yes"],
    "string": ["", "\0", "a\0b"],
}


def bad(schema) -> list[str]:
    """Return values that do not fit the schema of a parameter."""
    choice = "enum" in schema or "pattern" in schema
    kind = schema.get("format") if schema.get("format") in BAD else schema["type"]
    return BAD["choice" if choice else kind]


@pytest.mark.requirement("I25")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(found["name"], value, id=f"{found['name']}-{value!a}")
        for found in map(resolved, operation("GET", ITEMS)["parameters"])
        for value in bad(found["schema"])
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_parameter(visitor, name, value):
    assert_problem(visitor.get(ITEMS, query_string={name: value}), 400, parameter=name)


@pytest.mark.requirement("I25")
def test_all_that_is_wrong_is_said_at_once(visitor):
    query = {"limit": "0", "bbox": "1", "contry": "IRQ", "datetime": "never"}
    body = assert_problem(visitor.get(ITEMS, query_string=query), 400)
    assert {error["parameter"] for error in body["errors"]} == query.keys()
    assert all(error["detail"] for error in body["errors"])


@pytest.mark.requirement("I25")
def test_a_cursor_belongs_to_its_order(visitor):
    first = visitor.get(ITEMS, query_string={"limit": 1, "sortby": "fatalities_best"}).json
    cursor = links(first, "next")[0]["href"].partition("cursor=")[2]
    for sortby in ["-fatalities_best", "starts_on", "-starts_on"]:
        answer = visitor.get(ITEMS, query_string={"cursor": cursor, "sortby": sortby})
        assert_problem(answer, 400, parameter="cursor")
    assert_problem(visitor.get(ITEMS, query_string={"cursor": cursor}), 400, parameter="cursor")


def test_filters_of_all_kinds_hold_together(ask):
    query = {
        "bbox": "29,14,31,18",
        "datetime": "2020-01-10/2020-01-20",
        "country": "SDN",
        "event_type": "Riots",
    }
    expected = selected(
        box=(29, 14, 31, 18),
        period=(date(2020, 1, 10), date(2020, 1, 20)),
        country="SDN",
        event_type="Riots",
    )
    assert 0 < len(expected) < len(selected(country="SDN", event_type="Riots"))
    assert ask(**query) == expected


@pytest.mark.parametrize(
    "event",
    [e for e in WORLD if not e["source_id"].startswith("crowd")],
    ids=lambda e: e["source_id"],
)
def test_any_text_finds_its_event(visitor, event):
    for name in {"source_id", "place_name", "admin1", "notes"} & event.keys():
        body = visitor.get(ITEMS, query_string={name: event[name]}).json
        assert event["source_id"] in sources(body["features"])
        (self_link,) = links(body, "self")
        assert visitor.get(self_link["href"]).json["features"] == body["features"]


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
