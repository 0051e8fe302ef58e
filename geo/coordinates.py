"""Coordinates as people write them: decimal, with minutes, with seconds."""

import re
from dataclasses import dataclass

_NUMBER = re.compile(
    r"""(?P<sign>[-+−]?)(?P<degrees>\d{1,3}(?:\.\d+)?)\s*(?:°|º|deg|d)?\s*
        (?:(?P<minutes>\d{1,2}(?:\.\d+)?)\s*(?:['′’]|min|m)\s*
           (?:(?P<seconds>\d{1,2}(?:\.\d+)?)\s*(?:["″”]|''|sec|s)?\s*)?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_LETTERS = "NSEWO"
_WHOLE = re.compile(
    rf"""\s*(?:(?P<before>[{_LETTERS}])\s*)?(?P<first>{{n}})\s*(?P<after>[{_LETTERS}])?
         (?:\s*[,;/]\s*|\s+)
         (?:(?P<before2>[{_LETTERS}])\s*)?(?P<second>{{n}})\s*(?P<after2>[{_LETTERS}])?\s*""".replace(
        "{n}",
        r"""[-+−]?\d{1,3}(?:\.\d+)?\s*(?:°|º)?\s*
            (?:\d{1,2}(?:\.\d+)?\s*['′’]\s*(?:\d{1,2}(?:\.\d+)?\s*(?:["″”]|'')?)?)?""",
    ),
    re.VERBOSE | re.IGNORECASE,
)

#: A degree of latitude.
_DEGREE_KM = 111.0


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A point, and how far off it may be by the digits that were written."""

    longitude: float
    latitude: float
    uncertainty_km: float


def coordinates(text: str) -> Coordinates | None:
    """Read a pair of coordinates; None: the text is none.

    Without letters latitude comes first, as people write and ISO 6709 has it; with N, S, E, W
    (or the French O) either order is read. Bare whole numbers are not taken for coordinates.

    >>> coordinates("33.31, 38.70"), coordinates("E44°21' N33°20'").latitude
    (Coordinates(longitude=38.7, latitude=33.31, uncertainty_km=0.56), 33.333333)

    Raises:
        ValueError: the text is a pair of coordinates, but not of a place on earth.
    """
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    letters = [
        (match[before] or match[after] or "").upper()
        for before, after in (("before", "after"), ("before2", "after2"))
    ]
    if any(match[b] and match[a] for b, a in (("before", "after"), ("before2", "after2"))):
        return None
    values = [_degrees(match["first"]), _degrees(match["second"])]
    if None in values:
        return None
    (first, fine_first), (second, fine_second) = (value for value in values if value)
    if not any(letters) and not re.search(r"[.°º'′]", text):
        return None
    signed = [
        -abs(value) if letter in {"S", "W", "O"} else value
        for value, letter in zip((first, second), letters, strict=True)
    ]
    longitude_first = letters[0] in {"E", "W", "O"} or letters[1] in {"N", "S"}
    if any(letters) and (letters[0] in {"N", "S"}) == (letters[1] in {"N", "S"}):
        raise ValueError(f"{text.strip()} has two coordinates for one axis")
    longitude, latitude = signed if longitude_first else reversed(signed)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"{text.strip()} lies nowhere on earth")
    off_km = max(fine_first, fine_second) * _DEGREE_KM / 2
    return Coordinates(round(longitude, 6), round(latitude, 6), max(0.05, round(off_km, 2)))


def _degrees(text: str) -> tuple[float, float] | None:
    """Return decimal degrees and the size of the last digit, in degrees."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    parts = [match["degrees"], match["minutes"], match["seconds"]]
    units = (1.0, 60.0, 3600.0)
    given = [(float(part), part, unit) for part, unit in zip(parts, units, strict=True) if part]
    if any(value >= 60 for value, _, unit in given if unit > 1):
        raise ValueError(f"{text.strip()} has 60 minutes or seconds, or more")
    _, last, unit = given[-1]
    value = sum(value / unit for value, _, unit in given)
    digits = len(last.partition(".")[2])
    return (-value if match["sign"] in {"-", "−"} else value), 10.0**-digits / unit
