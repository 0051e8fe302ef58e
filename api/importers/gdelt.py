"""GDELT 2.0's events, tab-separated and without a header, plain or zipped: docs/guides/gdelt.md."""

import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import IO, Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validate

from api.importers.cells import Cells, latest_day
from api.importers.rejections import Fault, Rejections
from api.importers.store import Incoming
from api.importers.table import FormatError, Row, lines, unstorable
from geo.countries import alpha3_of_fips
from geo.precision import from_gdelt

DATASET = "gdelt"

_ACTOR = (
    *("Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code"),
    *("Religion2Code", "Type1Code", "Type2Code", "Type3Code"),
)
_GEO = ("Type", "FullName", "CountryCode", "ADM1Code", "ADM2Code", "Lat", "Long", "FeatureID")
#: The 61 columns in their order, as GDELT's codebook names them.
COLUMNS = (
    *("GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate"),
    *(f"Actor{side}{name}" for side in "12" for name in _ACTOR),
    *("IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass"),
    *("GoldsteinScale", "NumMentions", "NumSources", "NumArticles", "AvgTone"),
    *(f"{who}Geo_{name}" for who in ("Actor1", "Actor2", "Action") for name in _GEO),
    *("DATEADDED", "SOURCEURL"),
)

#: Assault, fight, mass violence.
ROOTS = frozenset({"18", "19", "20"})
ALL_ROOTS = frozenset(f"{n:02}" for n in range(1, 21))
#: What becomes of a CAMEO code: the longest beginning of it that is here decides.
EVENT_TYPES = {
    "14": "Protests",
    "145": "Riots",
    "18": "Violence against civilians",
    "183": "Explosions/Remote violence",
    "19": "Battles",
    "194": "Explosions/Remote violence",
    "195": "Explosions/Remote violence",
    "20": "Violence against civilians",
}
OTHER_TYPE = "Strategic developments"
#: The columns that become tags, ``gdelt:key=value``: codes as they are written.
TAGS = {
    "EventCode": "event",
    "EventRootCode": "root",
    "QuadClass": "quad",
    "Actor1Code": "actor",
    "Actor2Code": "actor",
    "ActionGeo_Type": "geo_type",
}
EARLIEST = date(1900, 1, 1)

_ZIP = b"PK\x03\x04"
_url = validate.URL(schemes={"http", "https"})


def read(
    stream: IO[bytes],
    file: str,
    release: str | None,
    rejections: Rejections,
    *,
    roots: Collection[str] = ROOTS,
) -> Iterator[Incoming]:
    """Yield the events of a file whose CAMEO root is one of `roots`; bad rows go to `rejections`.

    Raises:
        FormatError: it is no such file.
    """
    latest = latest_day()
    left_out = f"of other roots than {', '.join(sorted(roots))}"
    for row in _rows(stream):
        if not row.faults and row.cells["EventRootCode"] not in roots:
            rejections.passed[left_out] += 1
            continue
        event = {} if row.faults else _event(row, release, latest)
        if row.faults:
            rejections.add(file, row.line, row.cells.get("GLOBALEVENTID", ""), row.faults)
        else:
            yield Incoming(event, file, row.line, row.cells)


def _rows(stream: IO[bytes]) -> Iterator[Row]:
    with _unzipped(stream) as plain:
        for number, line in enumerate(lines(plain), 1):
            if line.strip():
                yield _row(number, line.rstrip("\r\n").split("\t"))


def _row(number: int, values: list[str]) -> Row:
    if number == 1 and len(values) != len(COLUMNS):
        raise FormatError(
            f"has {len(values)} columns with tabulators between them, where an event of GDELT 2.0"
            f" has {len(COLUMNS)}"
        )
    row = Row(number, dict(zip(COLUMNS, values, strict=False)))
    if len(values) != len(COLUMNS):
        message = f"has {len(values)} cells, where there are {len(COLUMNS)} columns"
        row.faults.append(Fault("", "", message))
    row.faults.extend(
        Fault(column, value, message)
        for column, value in row.cells.items()
        if (message := unstorable(value))
    )
    return row


@contextmanager
def _unzipped(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Give the file in an archive that holds one, or the file itself."""
    start = stream.read(len(_ZIP))
    stream.seek(0)
    if start != _ZIP:
        yield stream
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            names = [each for each in archive.namelist() if not each.endswith("/")]
            if len(names) != 1:
                raise FormatError(f"is an archive of {len(names)} files, where there must be one")
            with archive.open(names[0]) as member:
                yield member
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FormatError(f"is a broken archive: {error}") from error


def _event(row: Row, release: str | None, latest: date) -> dict[str, Any]:
    """Return the event of a row; what is wrong with it is added to the row's faults."""
    cells = Cells(row.cells, row.faults)
    day = _day(cells, latest)
    return {
        "source_id": str(_id(cells)),
        "source_release": release,
        "event_type": _event_type(row.cells["EventCode"]),
        "tags": _tags(cells),
        "actors": _actors(cells),
        "starts_on": day,
        "ends_on": day,
        "date_precision": "day",
        **_where(cells),
        "reports": _reports(cells),
    }


def _id(cells: Cells) -> int | None:
    if cells.text("GLOBALEVENTID") is None:
        cells.blame("GLOBALEVENTID", "is empty")
    return cells.whole("GLOBALEVENTID", 1, 2**63 - 1)


def _day(cells: Cells, latest: date) -> date | None:
    if cells.text("SQLDATE") is None:
        cells.blame("SQLDATE", "is empty")
    return cells.day("SQLDATE", EARLIEST, latest, read=_read_day, like="20180309")


def _read_day(text: str) -> date | None:
    """Return a day that is written without hyphens."""
    if not (len(text) == 8 and text.isascii() and text.isdecimal()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _event_type(code: str) -> str:
    """Return the type of a CAMEO code.

    >>> _event_type("190"), _event_type("1831"), _event_type("057")
    ('Battles', 'Explosions/Remote violence', 'Strategic developments')
    """
    found = (EVENT_TYPES.get(code[:length]) for length in (3, 2))
    return next(filter(None, found), OTHER_TYPE)


def _tags(cells: Cells) -> list[str]:
    found = [f"gdelt:{key}={cells.text(column)}" for column, key in TAGS.items()]
    return list(dict.fromkeys(tag for tag in found if not tag.endswith("=None")))


def _actors(cells: Cells) -> list[dict[str, str]]:
    """Return who acted, and upon whom, as far as the machine has understood it."""
    named = [
        (cells.text(f"Actor{side}Name") or cells.text(f"Actor{side}Code"), role)
        for side, role in (("1", "initiator"), ("2", "target"))
    ]
    return [{"name": name, "role": role} for name, role in named if name]


def _where(cells: Cells) -> dict[str, Any]:
    kind = cells.whole("ActionGeo_Type", 0, 5) or 0
    if not kind:
        return {}
    point = cells.point("ActionGeo_Lat", "ActionGeo_Long")
    return {
        "geom": f"POINT({point[0]} {point[1]})" if point else None,
        "place_name": cells.text("ActionGeo_FullName"),
        "country": alpha3_of_fips(cells.text("ActionGeo_CountryCode") or ""),
        "geo_precision": from_gdelt(kind),
        "geocoder": "gdelt" if point else None,
    }


def _reports(cells: Cells) -> list[dict[str, str | None]]:
    """Return the one source that is told. Nobody has checked what a machine read: no stance."""
    source = cells.text("SOURCEURL")
    if source is None:
        return []
    try:
        url: str | None = _url(source)
    except ValidationError:  # such as BBC Monitoring
        url = None
    host = urlsplit(url).hostname if url else source
    report = {"publisher": (host or source).removeprefix("www."), "url": url}
    return [report | dict.fromkeys(("published_on", "said_by", "stance", "quote"))]
