"""What a query for items ought to give, found by a look at every event of the world.

It goes by the letter of 17-069r4 7.15, and of the decisions.
"""

import math
from datetime import date
from urllib.parse import urlencode

import pytest

from conftest import ITEMS, walk
from world import WORLD

FIRST, LAST = date.min, date.max
#: The most events that a page has.
MAXIMUM = 10_000
PLACES = [event["place"] for event in WORLD if "place" in event]


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
