"""Events in a period: rows I17 to I22."""

from datetime import date

import pytest

import oracle
from conftest import ITEMS, assert_problem
from oracle import selected

ask = oracle.ask  # a fixture

JANUARY = (date(2024, 1, 1), date(2024, 1, 31))


@pytest.mark.requirement("I17", "I21", "I22")
@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2020-01-01T00:00:00Z", (date(2020, 1, 1), date(2020, 1, 1))),
        ("2024-01-01T00:00:00Z/2024-01-31T23:59:59Z", JANUARY),
        ("../2020-02-01T00:00:00Z", (None, date(2020, 2, 1))),
        ("/2020-02-01T00:00:00Z", (None, date(2020, 2, 1))),
        ("2024-01-01T00:00:00Z/..", (date(2024, 1, 1), None)),
        ("2024-01-01T00:00:00Z/", (date(2024, 1, 1), None)),
        # other ways to write an instant
        ("2020-01-01T00:00:00+02:00", (date(2019, 12, 31), date(2019, 12, 31))),
        ("2020-01-01T23:30:00-02:00", (date(2020, 1, 2), date(2020, 1, 2))),
        ("2024-01-01T00:00:00.123456789Z/2024-01-31T00:00:00.9Z", JANUARY),
        ("2024-01-01t00:00:00z/2024-01-31t00:00:00z", JANUARY),
        ("2024-01-01T00:00:00Z/2024-01-31T23:59:60Z", JANUARY),
        ("2020-01-01 10:00:00Z", (date(2020, 1, 1), date(2020, 1, 1))),
        # outside the standard, but sent
        ("2020-01-05", (date(2020, 1, 5), date(2020, 1, 5))),
        ("2024-01-01/2024-01-31", JANUARY),
        ("2020-01-05T", (date(2020, 1, 5), date(2020, 1, 5))),
        ("2024-01-05T/..", (date(2024, 1, 5), None)),
        ("2024-01-01/2024-01-31T12:00:00Z", JANUARY),
        ("0000-01-01T00:00:00Z/2020-02-01T00:00:00Z", (None, date(2020, 2, 1))),
        ("2024-01-01T00:00:00Z/9999-12-31T00:00:00Z", (date(2024, 1, 1), None)),
        ("0000-01-01T00:00:00Z/9999-12-31T00:00:00Z", (None, None)),
        ("2024-02-29", (date(2024, 2, 29), date(2024, 2, 29))),
        # the ends of what a day can be
        ("0001-01-01/0001-01-02", (date(1, 1, 1), date(1, 1, 2))),
        ("9999-12-30/9999-12-30", (date(9999, 12, 30), date(9999, 12, 30))),
        ("9999-12-31", (date(9999, 12, 31), date(9999, 12, 31))),
    ],
)
def test_a_period_selects_what_meets_it_both_ends_included(ask, text, period):
    assert ask(datetime=text) == selected(period=period)
    order = {"sortby": "fatalities_best"}
    assert ask(datetime=text, **order) == selected(period=period, order="fatalities_best")


@pytest.mark.requirement("I18")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-01-14", False),
        ("2024-01-15", True),
        ("2024-01-31", True),
        ("2024-02-01", False),
        ("2024-01-01/2024-01-15", True),
        ("2024-01-31/2024-02-20", True),
        ("2024-01-20/2024-01-21", True),
        ("2024-01-01/2024-02-20", True),
        ("2023-01-01/2024-01-14", False),
        ("2024-02-01/2024-02-20", False),
    ],
)
def test_an_interval_is_met_by_its_edge(ask, text, found):
    assert ("end of January" in ask(datetime=text)) is found


@pytest.mark.requirement("I18", "I19")
@pytest.mark.parametrize("text", ["1850-05-05", "2024-02-05", "2024-03-20", "2500-01-01"])
def test_what_has_no_end_goes_on_and_what_has_no_time_is_always(ask, text):
    open_ended = {"truce", "until spring", "undated", "nowhere and never"}
    day = date.fromisoformat(text)
    always = {"undated", "nowhere and never"}
    always |= {"truce"} if day >= date(2024, 2, 5) else set()
    always |= {"until spring"} if day <= date(2024, 3, 20) else set()
    assert set(ask(datetime=text)) & open_ended == always


@pytest.mark.requirement("I20")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "..",
        "../..",
        "../",
        "/..",
        "0000-13-01/2020-01-01",
        "0000-nonsense/2020-01-01",
        "2020-01-01/9999-12-31nonsense",
        "2020-13-01T00:00:00Z",
        "2020-02-30",
        "2023-02-29",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:61Z",
        "2020-01-01T00:00:00+25:00",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00",
        "2020-01",
        "2020",
        "20200101",
        "20200101T000000Z",
        "2020-W01-1",
        "20-01-01",
        "12020-01-01",
        "-2020-01-01",
        "abc",
        "now",
        "2024-01-01/2024-01-02/2024-01-03",
        "2024-01-02/2024-01-01",
        "2024-01-01T00:00:00Z/P1D",
        "P1D/2024-01-01T00:00:00Z",
        "2020-01-01,2020-01-02",
        "٢٠٢٠-٠١-٠١",
        "２０２０-01-01",
        "2020-01-01\0",
        "2020-01-01\n",
        "0000-01-01",
    ],
    ids=ascii,
)
def test_a_period_that_is_none_is_refused(visitor, text):
    assert_problem(visitor.get(ITEMS, query_string={"datetime": text}), 400, parameter="datetime")
