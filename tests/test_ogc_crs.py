"""Coordinate reference systems, of which CRS84 is the only one yet: rows R1 to R9 of Part 2."""

import pytest

from conftest import ITEMS, assert_problem, links
from world import event_id

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
FIJI = f"{ITEMS}/{event_id('fiji')}"
UNKNOWN = [
    "http://www.opengis.net/def/crs/0/unsupported",
    "http://www.opengis.net/def/crs/EPSG/0/4326",
    "http://www.opengis.net/def/crs/EPSG/0/3857",
    f"{CRS84}h",
    f"<{CRS84}>",
    CRS84.lower(),
    "4326",
    "EPSG:4326",
    "CRS84",
    "",
]

items_and_item = pytest.mark.parametrize("path", [ITEMS, FIJI], ids=["items", "item"])


@pytest.mark.requirement("R1")
@items_and_item
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_features_name_their_reference_system(visitor, path, method):
    answer = visitor.open(path, method=method)
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"


@pytest.mark.requirement("R1")
def test_a_count_names_it_too(visitor):
    answer = visitor.get(ITEMS, query_string={"resultType": "hits"})
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"


@pytest.mark.requirement("R2")
@items_and_item
def test_the_reference_system_may_be_asked_for(visitor, path):
    plain = visitor.get(path).json
    answer = visitor.get(path, query_string={"crs": CRS84})
    assert answer.status_code == 200
    assert answer.headers["Content-Crs"] == f"<{CRS84}>"
    assert answer.json.get("features") == plain.get("features")
    assert answer.json.get("geometry") == plain.get("geometry")


@pytest.mark.requirement("R2")
def test_every_reference_system_that_the_collection_lists_can_be_had(visitor):
    for crs in visitor.get("/collections/events").json["crs"]:
        for path in (ITEMS, FIJI):
            answer = visitor.get(path, query_string={"crs": crs})
            assert answer.headers["Content-Crs"] == f"<{crs}>"
        asked = {"bbox": "29,14,34,18", "bbox-crs": crs}
        assert visitor.get(ITEMS, query_string=asked).status_code == 200


@pytest.mark.requirement("R4")
@items_and_item
@pytest.mark.parametrize("crs", UNKNOWN)
def test_another_reference_system_is_refused(visitor, path, crs):
    body = assert_problem(visitor.get(path, query_string={"crs": crs}), 400, parameter="crs")
    assert CRS84 in body["detail"]


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("bbox", ["29,14,34,18", "177,-20,-171,11", "-180,-90,180,90"])
def test_a_box_may_name_the_reference_system_that_it_has_anyway(visitor, bbox):
    query = {"bbox": bbox, "limit": 10_000}
    named = visitor.get(ITEMS, query_string=query | {"bbox-crs": CRS84}).json
    assert named["features"] == visitor.get(ITEMS, query_string=query).json["features"]


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("crs", UNKNOWN)
def test_a_box_of_another_reference_system_is_refused(visitor, crs):
    query = {"bbox": "29,14,34,18", "bbox-crs": crs}
    assert_problem(visitor.get(ITEMS, query_string=query), 400, parameter="bbox-crs")


@pytest.mark.requirement("R7")
def test_the_reference_system_of_no_box_is_ignored(visitor):
    plain = visitor.get(ITEMS).json
    answer = visitor.get(ITEMS, query_string={"bbox-crs": CRS84})
    assert answer.json["features"] == plain["features"]


@pytest.mark.requirement("R8")
def test_the_links_of_a_page_keep_the_reference_systems(visitor):
    query = {"limit": 5, "bbox": "29,14,34,18", "bbox-crs": CRS84, "crs": CRS84}
    body = visitor.get(ITEMS, query_string=query).json
    for rel in ("self", "next"):
        (link,) = links(body, rel)
        assert f"crs={CRS84}" in link["href"]
        assert f"bbox-crs={CRS84}" in link["href"]
        answer = visitor.get(link["href"])
        assert answer.status_code == 200
        assert answer.headers["Content-Crs"] == f"<{CRS84}>"


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("name", ["bbox-crs", "bbox", "filter-crs"])
def test_one_event_takes_no_box(visitor, name):
    answer = visitor.get(FIJI, query_string={name: CRS84})
    assert_problem(answer, 400, parameter=name)
