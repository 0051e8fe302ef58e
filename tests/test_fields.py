"""How the values of query parameters are read."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from api.cursors import Cursor, Order, cursor
from api.fields import BBox, Days, Interval, NameList, Number, Whole, meridians
from geo.region import Region


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2020-01-05", date(2020, 1, 5), date(2020, 1, 5)),
        ("2020-01-05T", date(2020, 1, 5), date(2020, 1, 5)),
        ("2020-01-05T23:59:59Z", date(2020, 1, 5), date(2020, 1, 5)),
        ("2020-01-05t23:59:60z", date(2020, 1, 5), date(2020, 1, 5)),
        ("2020-01-05T00:00:00.123456789+02:00", date(2020, 1, 4), date(2020, 1, 4)),
        ("2020-01-05T23:00:00-02:00", date(2020, 1, 6), date(2020, 1, 6)),
        ("2020-01-05/2020-02-01", date(2020, 1, 5), date(2020, 2, 1)),
        ("../2020-02-01", None, date(2020, 2, 1)),
        ("/2020-02-01", None, date(2020, 2, 1)),
        ("2020-02-01/..", date(2020, 2, 1), None),
        ("2020-02-01/", date(2020, 2, 1), None),
        ("0000-01-01T00:00:00Z/2020-02-01T00:00:00Z", None, date(2020, 2, 1)),
        ("2020-02-01T00:00:00Z/9999-12-31T00:00:00Z", date(2020, 2, 1), None),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("0001-01-01", None, date(1, 1, 1)),
        ("0001-01-01/..", None, None),
    ],
)
def test_an_interval_is_read(text, first, last):
    assert Interval().deserialize(text) == Days(first, last)


@pytest.mark.parametrize(
    "text",
    ["", "..", "../..", "/", "abc", "2020", "2020-13-01", "2023-02-29", "2020-01-05T10:00:00",
     "2020-01-05T25:00:00Z", "a/b/c", "2020-02-02/2020-02-01", "2020-01-05T00:00:00+99:00",
     "0001-01-01T00:00:00+14:00", "２０２０-01-05", " 2020-01-05"],
)  # fmt: skip
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(ValidationError):
        Interval().deserialize(text)


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("1,2,3,4", [(1, 2, 3, 4)]),
        ("1,2,-99,3,4,99", [(1, 2, 3, 4)]),
        ("177,65,-177,70", [(177, 65, 180, 70), (-180, 65, -177, 70)]),
        ("170,0,190,1", [(170, 0, 180, 1), (-180, 0, -170, 1)]),
        ("-200,-85,200,85", [(-180, -85, 180, 85)]),
        ("370,0,380,1", [(10, 0, 20, 1)]),
        ("-180,85,180,90", [(-180, 85, 180, 90)]),
        ("5,5,5,5", [(5, 5, 5, 5)]),
        ("1e0,+2.,.3E1,4", [(1, 2, 3, 4)]),
    ],
)
def test_a_box_is_read(text, boxes):
    assert BBox().deserialize(text) == Region.of_boxes(boxes)


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "a,b,c,d", "1,2,3,", "NaN,0,1,1", "0,0,Infinity,1",
     "0,0,1e400,1", "1_0,0,20,1", "١,2,3,4", "0,1,1,0", "0,-91,1,0", "0,0,1,90.1", "0,0,541,1"],
)  # fmt: skip
def test_what_is_no_box_is_refused(text):
    with pytest.raises(ValidationError):
        BBox().deserialize(text)


@given(st.floats(-540, 540), st.floats(-540, 540))
def test_a_box_is_always_on_the_earth_and_never_wider_than_asked(west, east):
    stretches = meridians(west, east)
    assert BBox().deserialize(f"{west!r},0,{east!r},1") == Region.of_boxes(
        (w, 0, e, 1) for w, e in stretches
    )
    assert all(-180 <= w <= e <= 180 for w, e in stretches)
    if 0 <= east - west < 360:
        assert sum(e - w for w, e in stretches) == pytest.approx(east - west, abs=1e-9)


@pytest.mark.parametrize("text", ["", "1.5", "abc", "1_0", "١٢", "1e3", " 1", "9" * 1001])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(ValidationError):
        Whole().deserialize(text)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-Infinity", "1e999", "0x10"])
def test_what_is_no_finite_number_is_refused(text):
    with pytest.raises(ValidationError):
        Number().deserialize(text)


@pytest.mark.parametrize(("text", "order"), [("a", "+a"), ("+a", "+a"), (" a", "+a"), ("-a", "-a")])
def test_an_order_is_read(text, order):
    assert Order(["a", "b"]).deserialize(text) == order


@pytest.mark.parametrize("text", ["", "c", "--a", "a,b", "- a"])
def test_what_is_no_order_is_refused(text):
    with pytest.raises(ValidationError):
        Order(["a", "b"]).deserialize(text)


def test_chosen_names_come_in_the_order_of_the_schema():
    assert NameList(["a", "b", "c"]).deserialize("c,a") == ["a", "c"]


@given(st.dates(), st.uuids())
def test_a_cursor_of_a_date_is_read_back_and_needs_no_escaping(day, uuid):
    text = cursor("-starts_on", day.isoformat(), str(uuid))
    place = Cursor().deserialize(text)
    assert (place.order, place.key, place.id) == ("-starts_on", day.isoformat(), uuid)
    assert text.replace("-", "a").replace("_", "a").isalnum()


@given(st.integers(-1, 2**31 - 1), st.uuids())
def test_a_cursor_of_a_toll_is_read_back(toll, uuid):
    place = Cursor().deserialize(cursor("+fatalities_best", toll, str(uuid)))
    assert (place.key, place.id) == (toll, uuid)


@given(st.text() | st.binary().map(lambda b: __import__("base64").urlsafe_b64encode(b).decode()))
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(ValidationError):
        Cursor().deserialize(text)
