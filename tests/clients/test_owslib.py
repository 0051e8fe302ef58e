"""OWSLib."""

from urllib.parse import parse_qs, urlsplit

import pytest
from owslib.ogcapi.features import Features

from world import WORLD, event_id

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def names(features) -> set[str]:
    return {feature["properties"]["source_id"] for feature in features}


@pytest.fixture
def features(server):
    """OWSLib's client."""
    return Features(server)


def test_owslib_finds_the_collection_the_contract_and_the_conformance(features):
    assert [c["id"] for c in features.collections()["collections"]] == ["events", "places"]
    assert features.feature_collections() == ["events", "places"]
    assert features.collection("events")["storageCrs"] == CRS84
    assert features.api()["openapi"].startswith("3.0")
    assert any("core" in name for name in features.conformance()["conformsTo"])
    assert "country" in features.collection_queryables("events")["properties"]


def test_owslib_asks_for_a_box_a_period_and_an_order(features):
    found = features.collection_items(
        "events",
        bbox=[29, 14, 31, 16],
        datetime_="2020-01-01/2020-01-03",
        limit=1000,
        sortby=("fatalities_best", "desc"),
        country="SDN",
    )
    inside = {
        e["source_id"]
        for e in WORLD
        if e.get("country") == "SDN"
        and 29 <= e["place"][0] <= 31
        and 14 <= e["place"][1] <= 16
        and e["starts_on"].isoformat() <= "2020-01-03"
    }
    assert names(found["features"]) == inside
    tolls = [f["properties"]["fatalities_best"] or -1 for f in found["features"]]
    assert tolls == sorted(tolls, reverse=True)


def test_owslib_gets_every_page(features):
    page = features.collection_items("events", limit=100)
    found = list(page["features"])
    while True:
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        query = {k: v[0] for k, v in parse_qs(urlsplit(following[0]).query).items()}
        page = features.collection_items("events", **query)
        found += page["features"]
    assert len(found) == len(WORLD)
    assert names(found) == {event["source_id"] for event in WORLD}


def test_owslib_gets_one_event(features):
    found = features.collection_item("events", event_id("fiji"))
    assert found["properties"]["source_id"] == "fiji"


def test_owslib_is_told_what_is_wrong(features):
    with pytest.raises(RuntimeError, match="contry is not known"):
        features.collection_items("events", contry="IRQ")
