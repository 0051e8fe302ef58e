"""Questions of every kind, asked of the past of a world that changes."""

import pytest

from conftest import ITEMS, TILESET, opened
from world import event_id

#: Questions of every kind, as they stand behind the address of the items.
QUESTIONS = [
    "limit=1000",
    "limit=7&sortby=fatalities_best",
    "limit=50&sortby=-fatalities_best&country=SDN",
    "bbox=29,14,33,17&limit=500",
    "bbox=170,-30,-170,30",
    "bbox=30,10,40,35&datetime=2020-01-01/2020-02-01&limit=40",
    "datetime=2024-01-20",
    "datetime=2020-01-10/2020-01-12&event_type=Riots",
    "actor1=Group 2&limit=30",
    "bbox=35,32,39,34&certainty=possible",
    "bbox=35,32,39,34&certainty=certain",
    "within=Sudan&certainty=possible&limit=20",
    "near=31,16&radius_km=60&limit=300",
    "filter=fatalities_best > 2 AND notes LIKE 'Number%25'&limit=60",
    "geometry=footprint&properties=notes,place_name,tags",
    "crs=http://www.opengis.net/def/crs/EPSG/0/3857&limit=20",
    "skipGeometry=true&limit=20",
    "resultType=hits",
    "resultType=hits&country=SDN&bbox=29,14,31,17",
    "f=html&limit=20",
    "f=csv",
    "f=geojsonseq&country=SDN",
    "f=fgb",
    "f=gpkg",
]
TILES = ["0/0/0", "3/3/4", "6/29/37", "9/233/299", "12/1866/2396"]
ADDRESSES = [
    *(f"{ITEMS}?{question}" for question in QUESTIONS),
    *(f"{TILESET}/{tile}" for tile in TILES),
    f"{TILESET}/6/29/37?country=SDN",
    f"{TILESET}/4/7/9?datetime=2020-01-05/2020-01-20",
    *(f"{ITEMS}/{event_id(name)}" for name in ("fiji", "end of January")),
    f"{ITEMS}/{event_id('end of January')}?geometry=footprint",
]


@pytest.fixture
def client(living, places):
    with opened(living, gazetteer=str(places)) as client:
        yield client


def asked(client, address, as_of):
    joint = "&" if "?" in address else "?"
    return client.get(f"{address}{joint}as_of={as_of}")


def given(answer):
    """What may never change of an answer."""
    kept = ("ETag", "Hudna-Head", "OGC-NumberReturned", "Link", "Content-Type", "Content-Crs")
    return answer.status_code, answer.data, [answer.headers.get(name) for name in kept]


def head_of(client) -> int:
    return int(client.get(f"{ITEMS}?limit=1").headers["Hudna-Head"])
