"""Coordinates in every reference system, by pyproj, in the order of axes that the authority has."""

import json
from functools import cache

import pytest
from pyproj import Transformer

from conftest import ITEMS, PLACES
from geo.systems import SYSTEMS
from world import event_id

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
FIJI = f"{ITEMS}/{event_id('fiji')}"
JORDAN = f"{PLACES}/country-JOR"
UNKNOWN = [
    "http://www.opengis.net/def/crs/0/unsupported",
    "http://www.opengis.net/def/crs/EPSG/0/4327",
    "http://www.opengis.net/def/crs/EPSG/9.9.1/4326",
    "http://www.opengis.net/def/crs/EPSG/0/4326/",
    "https://www.opengis.net/def/crs/EPSG/0/3857",
    f"{CRS84}h",
    f"<{CRS84}>",
    CRS84.lower(),
    "4326",
    "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4326",
    "CRS84",
    "",
]

everywhere = pytest.mark.parametrize("path", [ITEMS, FIJI, PLACES, JORDAN])
lists = pytest.mark.parametrize("path", [ITEMS, PLACES])
each_system = pytest.mark.parametrize(
    "system", SYSTEMS.values(), ids=lambda s: s.uri.split("/")[-1]
)


@cache
def authority(uri) -> Transformer:
    """Return what takes longitude and latitude to a system, in the authority's order of axes."""
    code = uri.removeprefix(EPSG)
    return Transformer.from_crs("OGC:CRS84", f"EPSG:{code}" if code != uri else "OGC:CRS84")


def coordinates(uri, place) -> list[float]:
    """Return the coordinates of a longitude and a latitude."""
    return list(authority(uri).transform(*place))


def is_in(place, domain) -> bool:
    west, south, east, north = domain
    return west <= place[0] <= east and south <= place[1] <= north


def features(client, path=ITEMS, **query) -> list[dict]:
    """Return the features of a page, by the parameters that are given."""
    asked = {"limit": 10_000} | {name.replace("_", "-"): value for name, value in query.items()}
    answer = client.get(path, query_string=asked)
    assert answer.status_code == 200, answer.text[:500]
    return json.loads(answer.text)["features"]


def ids(client, path=ITEMS, **query) -> list[str]:
    return [feature["id"] for feature in features(client, path, **query)]


def text(box) -> str:
    return ",".join(map(repr, map(float, box)))
