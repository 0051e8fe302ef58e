"""Any query at all gives what a look at every event gives."""

import json
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.schemas import SCALARS
from conftest import CONTRACT, ITEMS, looking_ahead, walk
from oracle import FIRST, MAXIMUM, PLACES, properties, selected, sources
from world import WORLD

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
