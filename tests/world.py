"""A small world of events with everything that breaks naive services."""

from datetime import date, timedelta
from uuid import UUID, uuid5

NAMESPACE = UUID("7d7f5a3e-0000-4000-8000-000000000000")


def _event(name, **columns):
    return {"id": uuid5(NAMESPACE, name), "source_id": name, "dataset": "world"} | columns


def _day(year, month, day):
    when = date(year, month, day)
    return {"starts_on": when, "ends_on": when, "date_precision": "day"}


SPECIAL = [
    _event(
        "truce",
        event_type="Strategic developments",
        sub_event_type="Agreement",
        notes="A truce has no place.",
        starts_on=date(2024, 2, 5),
        ends_on=None,
        date_precision="open",
        actors=[
            {"name": "Kata'ib Hizbullah", "role": "party"},
            {"name": "الحكومة", "role": "party"},
        ],
        reports=[{"publisher": "A paper", "stance": "confirms"}],
    ),
    _event("undated", place=(44.4, 33.3), country="IRQ", place_name="بغداد"),
    _event("nowhere and never", notes="Neither a place nor a time."),
    _event(
        "end of January",
        place=(38.6, 33.3),
        starts_on=date(2024, 1, 15),
        ends_on=date(2024, 1, 31),
        date_precision="month",
        date_phrase="at the end of January",
        country="JOR",
        geo_precision="linear",
        footprint="SRID=4326;LINESTRING(36.0 32.6,38.8 33.4)",
        fatalities_low=3,
        fatalities_best=3,
        fatalities_high=3,
        tags=["drone", "border"],
    ),
    _event("until spring", place=(36.2, 33.5), starts_on=None, ends_on=date(2024, 3, 20)),
    _event('O\'Higgins "quoted" \\ back', place=(-70.7, -34.2), country="CHL", **_day(2023, 5, 1)),
    _event(
        "Ð, ş, \u02bc, 東京, 🕊",
        place=(139.7, 35.7),
        country="JPN",
        admin1="東京都",
        **_day(2023, 5, 2),
    ),
    _event("west edge", place=(-180, 10), **_day(2023, 6, 1)),
    _event("east edge", place=(180, 10.5), **_day(2023, 6, 2)),
    _event("fiji", place=(178.4, -18.1), country="FJI", **_day(2023, 6, 3)),
    _event("samoa", place=(-172.1, -13.8), country="WSM", **_day(2023, 6, 4)),
    _event("north pole", place=(0, 90), **_day(2023, 6, 5)),
    _event("south pole", place=(45, -90), **_day(2023, 6, 6)),
    _event("null island", place=(0, 0), **_day(2023, 6, 7)),
    _event("leap day", place=(10, 50), **_day(2024, 2, 29)),
    _event("new year", place=(10, 50), starts_on=date(2023, 12, 31), ends_on=date(2024, 1, 1)),
    _event(
        "nobody counted", place=(20, 5), country="CAF", fatalities_best=None, **_day(2022, 1, 1)
    ),
    _event("nobody died", place=(20, 5), country="CAF", fatalities_best=0, **_day(2022, 1, 1)),
]

#: Many events, some on one spot and one day, for paging.
CROWD = [
    _event(
        f"crowd {n}",
        place=(30 + (n % 7) * 0.5, 15 + (n % 5) * 0.5),
        country="SDN",
        event_type=["Battles", "Riots", "Protests"][n % 3],
        actors=[{"name": f"Group {n % 4}", "role": "party"}],
        starts_on=date(2020, 1, 1) + timedelta(days=n // 10),
        ends_on=date(2020, 1, 1) + timedelta(days=n // 10 + (n % 11 == 0) * 9),
        fatalities_best=n % 6 or None,
        notes=f"Number {n}.",
    )
    for n in range(400)
]

WORLD = SPECIAL + CROWD


def event_id(name) -> str:
    """Return the id of the special event `name`."""
    return str(uuid5(NAMESPACE, name))
