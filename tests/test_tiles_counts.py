"""Tiles of a crowd: what is kept of its counts is what counting gives."""

from datetime import date, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthetic
from api import tiles
from api.fields import Days
from api.parameters import TileQuery, load
from api.schemas import SCALARS
from api.tiles import in_months
from conftest import ITEMS, TILESET, opened
from geo.tiles import Tile
from mvt import number, pyramid, tile_of

EVENTS = 5000


@pytest.fixture(scope="module")
def crowd(make_database):
    """A client of the service on many synthetic events."""
    dsn = make_database()
    synthetic.write(dsn, EVENTS)
    with opened(dsn) as client:
        yield client


PERIODS = [
    None,
    "2024-01-01/2024-12-31",
    "2024-01-15/2024-03-10",
    "2024-01-15/2024-01-20",
    "2024-02-01/2024-02-20",
    "2024-02-20/2024-02-29",
    "2022-02-24",
    "../2012-05-05",
    "../2012-05-31",
    "2012-05-05/..",
    "2012-05-01/..",
    "../0001-01-15",
    "9999-12-20/9999-12-30",
]


@pytest.mark.parametrize("period", PERIODS)
def test_what_is_kept_is_what_counting_gives(crowd, period):
    kept = f"datetime={period}" if period else ""
    ways = [kept, f"{kept}&visibility=public"]  # which is true of every event
    assert [tiles.counted(asked(way)) for way in ways] == [True, False]
    some = 0
    for at in [Tile(0, 0, 0), *(tile_of(z, 35.1, 48.4) for z in range(1, 9)), Tile(3, 3, 5)]:
        one, other = (crowd.get(f"{TILESET}/{at.zoom}/{at.row}/{at.column}?{way}") for way in ways)
        assert one.status_code == other.status_code
        assert one.data == other.data
        some += bool(one.data)
    assert some or period in {"../0001-01-15", "9999-12-20/9999-12-30"}


def asked(text):
    return load(TileQuery, text.encode(), parse_qsl(text))


@pytest.mark.parametrize("text", ["", "datetime=2024-01-15/2024-03-10", "country=UKR"])
def test_a_crowd_is_all_in_the_tiles_of_each_zoom(crowd, text):
    hits = crowd.get(f"{ITEMS}?resultType=hits&bbox=-180,-90,180,90&{text}").json["numberMatched"]
    nowhere = sum(
        f["geometry"] is None
        for f in crowd.get(f"{ITEMS}?limit=10000&{text}&filter=geometry IS NULL").json["features"]
    )
    sums = dict.fromkeys(range(10), 0)
    for at, found in pyramid(crowd, text, 9):
        sums[at.zoom] += sum(map(number, found))
    assert sums == dict.fromkeys(range(10), hits - nowhere)


def test_only_a_question_for_a_period_is_answered_by_what_is_kept():
    assert tiles.counted(asked("properties=notes&datetime=2024-01-01"))
    assert tiles.counted(asked("certainty=certain"))
    assert not tiles.counted(asked("certainty=certain&datetime=2024-01-01"))
    assert not tiles.counted(asked("bbox=1,2,3,4"))
    assert not tiles.counted(asked("filter=country = 'IRQ'"))
    for name in SCALARS:
        assert not tiles.counted({"datetime": Days(None, None), name: "x"})


DAYS = st.dates(date(1900, 1, 1), date(1900, 6, 30)) | st.none()


@given(first=DAYS, last=DAYS, day=st.dates(date(1899, 12, 1), date(1900, 8, 1)))
def test_a_period_is_its_whole_months_and_the_days_left_at_its_edges(first, last, day):
    if first and last and first > last:
        first, last = last, first
    start, end, edges = in_months(Days(first, last))
    month = day.replace(day=1)
    after = start == tiles.NEVER or (start != tiles.FOREVER and start <= month)
    before = end == tiles.FOREVER or (end != tiles.NEVER and month <= end)
    times = (after and before) + sum(a <= day <= b for a, b in edges)
    assert times == ((first or day) <= day <= (last or day))
    assert all(b - a < timedelta(days=30) for a, b in edges)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_large_tile_is_compressed(crowd, coding):
    plain = crowd.get(f"{TILESET}/2/1/2")
    packed = crowd.get(f"{TILESET}/2/1/2", headers={"Accept-Encoding": coding})
    assert packed.content_encoding == coding
    assert len(packed.data) < len(plain.data)
