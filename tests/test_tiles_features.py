"""What the features of a tile tell: of an event, or of a cluster of them."""

import json
from math import floor

import pytest

from api.schemas import PROPERTIES
from api.tiles import MOST_EVENTS, SINGLE_FROM
from conftest import ITEMS
from geo.tiles import Tile
from mvt import features, listed, number, place, pyramid, tile_of
from world import event_id

# What a feature tells.


@pytest.mark.requirement("T4")
def test_a_single_event_tells_what_a_map_needs(visitor):
    at = tile_of(12, 38.6, 33.3)
    (found,) = features(visitor, at)
    assert found["geometry"]["type"] == "Point"
    assert found["properties"] == {
        "id": event_id("end of January"),
        "event_type": "Battles",
        "starts_on": "2024-01-15",
        "ends_on": "2024-01-31",
        "country": "JOR",
        "geo_precision": "linear",
        "fatalities_best": 3,
        "status": "unverified",
    }


def test_properties_chooses_what_a_single_event_tells(visitor):
    at = tile_of(12, 38.6, 33.3)
    (found,) = features(visitor, at, f"properties={','.join(PROPERTIES)}")
    told = found["properties"]
    item = visitor.get(f"{ITEMS}/{event_id('end of January')}").json["properties"]
    assert json.loads(told.pop("tags")) == item.pop("tags") == ["drone", "border"]
    for name in ("actors", "reports"):
        assert json.loads(told.pop(name)) == item.pop(name)
    assert told.pop("id") == event_id("end of January")
    assert told == {name: value for name, value in item.items() if value is not None}
    (found,) = features(visitor, at, "properties=date_phrase")
    assert found["properties"].keys() == {"id", "date_phrase"}


def test_a_cluster_counts_its_events_and_their_dead(visitor):
    found = features(visitor, Tile(0, 0, 0), "country=SDN")
    events = listed(visitor, "country=SDN")
    assert all(f["properties"].keys() == {"point_count", "fatalities_best"} for f in found)
    dead = sum(f["properties"]["fatalities_best"] or 0 for f in events)
    assert sum(f["properties"]["fatalities_best"] for f in found) == dead > 0


@pytest.mark.parametrize("zoom", [0, 3, 6, 8])
def test_a_cluster_stands_in_the_middle_of_its_events(visitor, zoom):
    groups: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in listed(visitor, ""):
        x, y = place(*event["geometry"]["coordinates"])
        cell = tuple(min(floor(n * 2 ** (zoom + 5)), 2 ** (zoom + 5) - 1) for n in (x, y))
        groups.setdefault(cell, []).append((x, y))
    expected = sorted(
        (len(g), *(floor(sum(p[i] for p in g) / len(g) * 2**zoom * 4096) for i in (0, 1)))
        for g in groups.values()
    )
    found = sorted(
        (
            number(f),
            at.column * 4096 + f["geometry"]["coordinates"][0],
            at.row * 4096 + f["geometry"]["coordinates"][1],
        )
        for at, made in pyramid(visitor, "", zoom)
        if at.zoom == zoom
        for f in made
    )
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one[0] == other[0]
        assert max(abs(one[1] - other[1]), abs(one[2] - other[2])) <= 1, (
            "the east edge is the map's last"
        )


# Tiles that would be too large.


@pytest.fixture
def heap(conn, client):
    """A client of the service on `n` events of one place, written by `heap(n)`."""

    def write(n, notes=""):
        conn.execute(
            "INSERT INTO event (id, dataset, source_id, event_type, geom, starts_on, notes,"
            " fatalities_best) SELECT gen_random_uuid(), 'heap', gen_random_uuid(), 'Riots',"
            " ST_Point(44.4 + i %% 2 * 0.000001, 33.3, 4326), date '2024-01-01',"
            " %s || md5(i::text), 1 FROM generate_series(1, %s) AS i",
            [notes, n],
        )
        return client

    return write


@pytest.mark.parametrize("zoom", [SINGLE_FROM, 14, 22])
def test_a_tile_of_too_many_events_has_clusters(heap, zoom):
    client = heap(MOST_EVENTS)
    at = tile_of(zoom, 44.4, 33.3)
    first = features(client, at)
    assert {number(f) for f in first} == {1}
    assert all("id" in f["properties"] for f in first)
    heap(1)
    found = features(client, at)
    assert all(f["properties"].keys() == {"point_count", "fatalities_best"} for f in found)
    assert len(found) <= 2
    assert sum(map(number, found)) == len(first) + 1


def test_a_tile_of_too_many_bytes_has_clusters(heap):
    at = tile_of(12, 44.4, 33.3)
    client = heap(1000, "x" * 600)
    assert len(features(client, at)) == 1000
    found = features(client, at, "properties=notes")
    assert sum(map(number, found)) == 1000
    assert len(found) <= 2
