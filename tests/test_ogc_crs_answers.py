"""Which reference system an answer is in: rows R1, R2, R4 and R8 of Part 2 (OGC 18-058r1)."""

from uuid import UUID

import pytest

from conftest import ITEMS, assert_problem, links
from crs import CRS84, EPSG, FIJI, JORDAN, UNKNOWN, each_system, everywhere, features, lists
from geo.systems import SYSTEMS
from world import WORLD

# What an answer is in.


@pytest.mark.requirement("R1")
@everywhere
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_features_name_their_reference_system(visitor, path, method):
    answer = visitor.open(path, method=method)
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"


@pytest.mark.requirement("R1", "R2")
@lists
@each_system
def test_a_count_names_it_too(visitor, path, system):
    plain = visitor.get(path, query_string={"resultType": "hits"})
    assert plain.headers["Content-Crs"] == f"<{CRS84}>"
    answer = visitor.get(path, query_string={"resultType": "hits", "crs": system.uri})
    assert answer.headers["Content-Crs"] == f"<{system.uri}>"
    assert answer.json["numberMatched"] == plain.json["numberMatched"]


@pytest.mark.requirement("R2")
@everywhere
def test_the_default_may_be_asked_for(visitor, path):
    plain = visitor.get(path).json
    answer = visitor.get(path, query_string={"crs": CRS84})
    assert answer.status_code == 200
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"
    assert answer.json.get("features") == plain.get("features")
    assert answer.json.get("geometry") == plain.get("geometry")


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("collection", ["events", "places"])
def test_every_reference_system_that_a_collection_lists_can_be_had(visitor, collection):
    described = visitor.get(f"/collections/{collection}").json
    assert described["crs"] == list(SYSTEMS)
    assert len(described["crs"]) >= 10
    item = FIJI if collection == "events" else JORDAN
    for crs in described["crs"]:
        for path in (f"/collections/{collection}/items", item):
            answer = visitor.get(
                path, query_string={"crs": crs, "limit": 3} if path != item else {"crs": crs}
            )
            assert answer.status_code == 200
            assert answer.headers["Content-Crs"] == f"<{crs}>"


@pytest.mark.requirement("R2")
def test_only_the_geometries_are_others(visitor):
    plain = features(visitor)
    for uri in (f"{EPSG}4326", f"{EPSG}32637", f"{EPSG}2039"):
        found = features(visitor, crs=uri)
        for one, other in zip(plain, found, strict=True):
            assert [k for k in other if k != "outside_crs"] == list(one)
            assert other["id"] == one["id"]
            assert list(other["properties"].items()) == list(one["properties"].items())


@pytest.mark.requirement("R4")
@everywhere
@pytest.mark.parametrize("crs", UNKNOWN)
def test_another_reference_system_is_refused(visitor, path, crs):
    body = assert_problem(visitor.get(path, query_string={"crs": crs}), 400, parameter="crs")
    assert CRS84 in body["detail"]


# Links, pages and tags.


@pytest.mark.requirement("R8")
@lists
@pytest.mark.parametrize(("crs", "box"), [(CRS84, "29,14,34,18"), (f"{EPSG}4326", "14,29,18,34")])
def test_the_links_of_a_page_keep_the_reference_systems(visitor, path, crs, box):
    query = {"limit": 5, "bbox": box, "bbox-crs": crs, "crs": crs}
    body = visitor.get(path, query_string=query).json
    for rel in ("self", "next"):
        (link,) = links(body, rel)
        assert f"crs={crs}" in link["href"]
        assert f"bbox-crs={crs}" in link["href"]
        answer = visitor.get(link["href"])
        assert answer.status_code == 200
        assert answer.headers["Content-Crs"] == f"<{crs}>"


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("path", [FIJI, JORDAN])
def test_the_self_link_of_one_feature_keeps_it_too(visitor, path):
    answer = visitor.get(path, query_string={"crs": f"{EPSG}4326"})
    (link,) = links(answer.json, "self")
    again = visitor.get(link["href"])
    assert again.data == answer.data
    assert again.headers["Content-Crs"] == f"<{EPSG}4326>"


@pytest.mark.parametrize("path", [FIJI])
def test_an_event_in_two_systems_has_two_entity_tags(visitor, path):
    tags = {
        visitor.get(path, query_string={"crs": crs}).headers["ETag"]
        for crs in (CRS84, f"{EPSG}4326", f"{EPSG}3857")
    }
    assert len(tags) == 3


def test_every_page_of_a_walk_is_in_the_system_that_was_asked_for(visitor):
    places = {UUID(str(e["id"])): e.get("place") for e in WORLD}
    url, seen = f"{ITEMS}?limit=90&crs={EPSG}4326", 0
    while url:
        answer = visitor.get(url)
        assert answer.headers["Content-Crs"] == f"<{EPSG}4326>"
        for feature in answer.json["features"]:
            place = places[UUID(feature["id"])]
            if place:
                assert feature["geometry"]["coordinates"] == list(reversed(place))
            seen += 1
        url = next((link["href"] for link in links(answer.json, "next")), None)
    assert seen == len(WORLD)
