"""UCDP's Georeferenced Event Dataset, in all its layouts. The mapping: docs/guides/ucdp.md."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import IO, Any

from shapely import Point

from api.importers.cells import Cells, latest_day, read_day
from api.importers.rejections import Rejections
from api.importers.store import Incoming
from api.importers.table import Row, rows
from geo.countries import alpha3_of_gw
from geo.precision import Precision, circle, from_ucdp

DATASET = "ucdp-ged"

#: The columns since 2021, in their order: what a file without a header has.
COLUMNS = (
    *("id", "relid", "year", "active_year", "code_status", "type_of_violence"),
    *("conflict_dset_id", "conflict_new_id", "conflict_name"),
    *("dyad_dset_id", "dyad_new_id", "dyad_name"),
    *("side_a_dset_id", "side_a_new_id", "side_a", "side_b_dset_id", "side_b_new_id", "side_b"),
    *("number_of_sources", "source_article", "source_office", "source_date", "source_headline"),
    *("source_original", "where_prec", "where_coordinates", "where_description"),
    *("adm_1", "adm_2", "latitude", "longitude", "geom_wkt", "priogrid_gid"),
    *("country", "country_id", "region", "event_clarity", "date_prec", "date_start", "date_end"),
    *("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best", "high", "low"),
    *("gwnoa", "gwnob"),
)

#: A file without these says too little of its events; every other column may be missing.
REQUIRED = (
    *("id", "type_of_violence", "side_a", "side_b", "where_prec", "latitude", "longitude"),
    *("date_prec", "date_start", "date_end", "best", "high", "low"),
)
#: A row without these is no event.
NEEDED = ("id", "type_of_violence", "date_start", "date_end")

EVENT_TYPES = {1: "Battles", 2: "Battles", 3: "Violence against civilians"}
DATE_PRECISIONS = {1: "day", 2: "days", 3: "week", 4: "month", 5: "year"}
#: The columns that become tags, ``ucdp:key=value``, and the tags too common to say anything.
TAGS = {
    "conflict_new_id": "conflict",
    "dyad_new_id": "dyad",
    "side_a_new_id": "actor",
    "side_b_new_id": "actor",
    "type_of_violence": "type_of_violence",
    "where_prec": "where_prec",
    "event_clarity": "event_clarity",
    "code_status": "code_status",
}
ORDINARY = {"ucdp:event_clarity=1", "ucdp:code_status=Clear"}
DEATHS = ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best", "high", "low")

EARLIEST = date(1946, 1, 1)  # where UCDP's oldest data set begins
MISSING_DAY = date(1753, 1, 1)  # how UCDP's database writes that a source has no date
NEAR_KM = 25

_RELEASE = re.compile(
    r"ged(?:event)?[ _-]*v?(\d\d)(\d|(?:[._]\d{1,2})+)(?![._]?\d)", re.IGNORECASE | re.ASCII
)


def read(
    stream: IO[bytes], file: str, release: str | None, rejections: Rejections
) -> Iterator[Incoming]:
    """Yield the events of a GED file; the rows that are bad go to `rejections`.

    Raises:
        FormatError: it is no GED file.
    """
    latest = latest_day()
    for row in rows(stream, required=REQUIRED, headless=COLUMNS):
        event = {} if row.faults else _event(row, release, latest)
        if row.faults:
            rejections.add(file, row.line, row.cells.get("id", ""), row.faults)
        else:
            yield Incoming(event, file, row.line, row.cells)


def release_of(name: str) -> str | None:
    """Return the release that the name of a file speaks of.

    >>> release_of("ged251.csv"), release_of("GEDEvent_v25_0_9.csv"), release_of("ged_2018.csv")
    ('25.1', '25.0.9', None)
    """
    match = _RELEASE.search(name)
    return ".".join(re.findall(r"\d+", f"{match[1]}.{match[2]}")) if match else None


def _event(row: Row, release: str | None, latest: date) -> dict[str, Any]:
    """Return the event of a row; what is wrong with it is added to the row's faults."""
    cells = Cells(row.cells, row.faults)
    for column in NEEDED:
        if cells.text(column) is None:
            cells.blame(column, "is empty")
    kind = cells.whole("type_of_violence", 1, 3)
    deaths = {column: cells.whole(column) for column in DEATHS}
    return {
        "source_id": str(cells.whole("id", 1)),
        "source_release": release,
        "event_type": EVENT_TYPES.get(kind or 0),
        "notes": _notes(cells),
        "tags": _tags(cells),
        "actors": _actors(cells, one_sided=kind == 3),
        **_when(cells, latest),
        **_where(cells),
        "fatalities_low": deaths["low"],
        "fatalities_best": deaths["best"],
        "fatalities_high": deaths["high"],
        "fatalities_civilians": deaths["deaths_civilians"],
        "reports": _reports(cells),
    }


def _notes(cells: Cells) -> str | None:
    """Return the source's own words: its first headline, and how it described the place."""
    said = cells.text("source_headline") or cells.text("source_article") or ""
    if ";" in (cells.text("source_office") or ""):
        said = said.split(";")[0]
    where = cells.text("where_description") or ""
    if where == cells.text("where_coordinates"):
        where = ""
    lines = [" ".join(said.split()), where and f"Where: {' '.join(where.split())}"]
    return "\n".join(filter(None, lines)) or None


def _tags(cells: Cells) -> list[str]:
    """Return UCDP's ids and codes by which events are looked for, but for the ordinary ones."""
    found = {f"ucdp:{key}={cells.text(column)}": None for column, key in TAGS.items()}
    return [tag for tag in found if tag not in ORDINARY and not tag.endswith("=None")]


def _actors(cells: Cells, *, one_sided: bool) -> list[dict[str, str]]:
    roles = ("initiator", "target") if one_sided else ("party", "party")
    names = (cells.text("side_a"), cells.text("side_b"))
    return [{"name": n, "role": r} for n, r in zip(names, roles, strict=True) if n]


def _when(cells: Cells, latest: date) -> dict[str, Any]:
    """Return the days between which it happened: what they span is doubt, not duration."""
    start = cells.day("date_start", EARLIEST, latest)
    end = cells.day("date_end", EARLIEST, latest)
    if start and end and start > end:
        cells.blame("date_end", f"is before date_start, {start}")
    precision = DATE_PRECISIONS.get(cells.whole("date_prec", 1, 5) or 0)
    return {"starts_on": start, "ends_on": end, "date_precision": precision}


def _where(cells: Cells) -> dict[str, Any]:
    point = cells.point("latitude", "longitude")
    name = cells.text("where_coordinates")
    code = cells.whole("where_prec", 1, 7)
    precision = code and from_ucdp(code, name or cells.text("where_description") or "")
    near = precision is Precision.NEAR
    return {
        "geom": f"POINT({point[0]} {point[1]})" if point else None,
        "footprint": _around(*point) if near and point else None,
        "place_name": name,
        "country": _country(cells),
        "admin1": cells.text("adm_1"),
        "admin2": cells.text("adm_2"),
        "geo_precision": precision,
        "uncertainty_km": NEAR_KM if near else None,
        "geocoder": "ucdp",
    }


@lru_cache(maxsize=16_384)  # many events share a point, and a circle takes longer than all the rest
def _around(longitude: float, latitude: float) -> str:
    """Return the ground near a point, as WKB in hexadecimal."""
    return circle(Point(longitude, latitude), NEAR_KM).wkb_hex


def _country(cells: Cells) -> str | None:
    code = cells.whole("country_id")
    try:
        return None if code is None else alpha3_of_gw(code)
    except LookupError:
        cells.blame("country_id", "is no code of Gleditsch and Ward's list of states")
        return None


def _reports(cells: Cells) -> list[dict[str, str | None]]:
    """Return a report per source; if they cannot be told apart, one with all of them.

    A headline may hold the semicolon by which UCDP separates headlines.
    """
    said = [cells.text(column) for column in ("source_office", "source_date", "source_headline")]
    parts = [[part.strip() for part in (text or "").split(";")] for text in said]
    office, _, headline = said
    if len({len(each) for each in parts}) == 1 and any(said):
        reports = [_report(*each) for each in zip(*parts, strict=True)]
    else:
        days = set(parts[1])
        reports = [_report(office, days.pop() if len(days) == 1 else "", headline)]
    if not any(said):  # before 2013 there is but one column, and no rule for what stands in it
        reports[0]["quote"] = cells.text("source_article")
    clear = cells.text("code_status") in {None, "Clear"}
    whose = {"said_by": cells.text("source_original"), "stance": "confirms" if clear else None}
    return [report | whose for report in reports]


def _report(publisher: str | None, day: str, quote: str | None) -> dict[str, str | None]:
    published_on = read_day(day)
    return {
        "publisher": publisher or None,
        "url": None,
        "published_on": None if published_on in {None, MISSING_DAY} else published_on.isoformat(),
        "said_by": None,
        "stance": None,
        "quote": quote or None,
    }
