"""Places that a name may mean: their rank, and whether the first may be taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, log10
from typing import Any

from geopy.distance import great_circle
from shapely import Point

from geo.areas import unit_ground
from geo.countries import countries
from geo.names import fold
from geo.precision import Precision
from geo.spelling import but_for_vowels

#: The best candidate is clear when it leads every other place by this much: a town ten times as
#: large, or one found by its own name where the other has it as a second name.
LEAD = 0.1

#: Two candidates of one country that are this close are one place.
SAME_KM = 25.0

#: A town of this size comes before the division that is named after it: who means the division
#: mostly says so.
TOWN = 10_000

#: How large a town would have to be to weigh as much: the tenth of a decimal logarithm. A division
#: weighs less than a site, as who means one mostly says so: "Gaza" is hardly Mozambique's province.
_WEIGHT = {"country": 0.8, "admin1": 0.45, "region": 0.6, "site": 0.5}


class Kind(StrEnum):
    """What sort of place a candidate is."""

    SETTLEMENT = "settlement"
    SITE = "site"  #: a base, a crossing, a port: out of sites.csv
    ADMIN1 = "admin1"
    REGION = "region"  #: several first-level divisions with one name
    COUNTRY = "country"


class Verdict(StrEnum):
    """Whether the first of several candidates may be taken for the place that was meant."""

    CLEAR = "clear"
    NESTED = "nested"  #: the place, or the division around it that has the same name
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"  #: there is no candidate


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a name may mean.

    `score` orders the candidates of one question and means nothing between questions; `reasons`
    say what it is made of.
    """

    id: str  #: see geo/ids.py
    name: str
    kind: Kind
    country: str | None
    admin1: str | None
    unit: int | None
    longitude: float
    latitude: float
    population: int
    precision: Precision
    uncertainty_km: float
    reference: str
    score: float
    reasons: tuple[str, ...]
    errors: int = 0  #: letters by which the name that was asked for is off

    @property
    def label(self) -> str:
        """The name with the division and the country around it."""
        land = countries()[self.country].name if self.country else None
        parts = (self.name, self.admin1 if self.kind is not Kind.ADMIN1 else None, land)
        return ", ".join(dict.fromkeys(part for part in parts if part))


def verdict(candidates: Sequence[Candidate]) -> Verdict:
    """Say whether the first candidate may be taken.

    Rivals are the candidates that score less than `LEAD` below it and are not the same place
    (within `SAME_KM`, in the same country). A rival, or any better candidate, that is the division
    around a town of the same name makes the answer `nested`, not `ambiguous`: both are true, one is
    finer; the town comes first if it has `TOWN` inhabitants. Any other rival makes it `ambiguous`,
    and so do two letters that had to be changed.
    """
    if not candidates:
        return Verdict.UNKNOWN
    best, *others = candidates
    if best.errors > 1:
        return Verdict.AMBIGUOUS
    nested = False
    for other in others:
        if _nested(best, other):
            nested = True
        elif best.score - other.score < LEAD and not _same(best, other):
            return Verdict.AMBIGUOUS
    return Verdict.NESTED if nested else Verdict.CLEAR


def town_first(ranked: list[Candidate]) -> list[Candidate]:
    """Put the town of a division before it, if the division came out best."""
    if not ranked or ranked[0].kind is not Kind.ADMIN1:
        return ranked
    for place, one in enumerate(ranked):
        if one.kind is Kind.SETTLEMENT and one.population >= TOWN and _nested(one, ranked[0]):
            return [one, *ranked[:place], *ranked[place + 1 :]]
    return ranked


def _nested(one: Candidate, other: Candidate) -> bool:
    """Tell whether one of the two is a division or country around the other, or beside it.

    Beside: the city of Sanaa is a division of its own, within the division of the same name.
    """
    if one.country != other.country:
        return False
    if Kind.COUNTRY in {one.kind, other.kind}:
        return one.kind != other.kind
    for area, place in ((one, other), (other, one)):
        if area.kind is Kind.ADMIN1 and area.unit is not None and place.kind is not Kind.REGION:
            if place.unit == area.unit:
                return True
            # 0.25 degrees: about SAME_KM
            return unit_ground(area.unit).dwithin(Point(place.longitude, place.latitude), 0.25)
    return False


def _same(one: Candidate, other: Candidate) -> bool:
    return one.country == other.country and apart_km(one, other) <= SAME_KM


def apart_km(one: Candidate, other: Candidate) -> float:
    """Return the distance of two candidates."""
    return float(great_circle((one.latitude, one.longitude), (other.latitude, other.longitude)).km)


def nearer(one: Candidate, focus: tuple[float, float]) -> Candidate:
    """Return a candidate that leads the more, the nearer it is to (longitude, latitude)."""
    far_km = great_circle((one.latitude, one.longitude), (focus[1], focus[0])).km
    reasons = (*one.reasons, f"{far_km:,.0f} km from the focus")
    return replace(one, score=one.score + 0.4 * exp(-far_km / 300), reasons=reasons)


def candidate(row: Sequence[Any], how: str, penalty: float) -> Candidate:
    """Return a row of the index as a candidate, with its score."""
    kind = Kind(row[1])
    weight = _WEIGHT.get(kind) or 0.1 * log10(row[7] + 10)
    main = not how and (row[12] == 0 or _transliterated(row[2], row[13]))
    code = not main and kind is Kind.SETTLEMENT and len(row[13]) <= 3  # GeoNames has many codes
    named = how or ("by its name" if row[12] == 0 else "by another name")
    if main and row[12] != 0:
        named = "by its name in other vowels"
    size = f"population {row[7]:,}" if kind is Kind.SETTLEMENT else kind.value
    return Candidate(
        id=row[0],
        name=row[2],
        kind=kind,
        country=row[3],
        admin1=row[11],
        unit=row[4],
        longitude=row[5],
        latitude=row[6],
        population=row[7],
        precision=Precision(row[8]),
        uncertainty_km=row[9],
        reference=row[10],
        score=round(weight + (0.1 if main else -0.1 if code else 0.0) - penalty, 3),
        reasons=(named, size),
    )


def _transliterated(name: str, key: str) -> bool:
    """Tell whether a key is the name it is shown by, spelt as it is heard.

    GeoNames shows many places by a scholar's transliteration, known by its marks: "Janīn" is Jenin.
    """
    return not name.isascii() and len(key) > 3 and but_for_vowels(fold(name), key)
