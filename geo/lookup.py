"""Names to ground: what a phrase's names mean, and the shape in which answers are given."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from shapely import Point
from shapely.geometry.base import BaseGeometry

from geo.areas import country_ground, region_ground, unit_at, unit_ground
from geo.candidates import Candidate, Kind, Verdict, verdict
from geo.countries import countries
from geo.expressions import Expression, Name, Unplaced
from geo.gazetteer import Gazetteer
from geo.precision import Precision, circle

#: A district stands for the ground this far around the town it is named after.
DISTRICT_KM = 40.0

#: What says of a site only what it is.
_SITE = re.compile(
    r"^(?:the|camp|base|base\s+a[eé]rienne|قاعدة|معسكر|معبر|مطار|ميناء|مخيم)\s+(?:de\s+|d')?"
    r"|\s+(?:(?:military|air|army|naval|US|American)\s*)*(?:air\s?base|base|garrison|airfield|outpost"
    r"|camp|crossing|port|gas\s+field|oil\s+field)$",
    re.IGNORECASE,
)

AREAS = frozenset({Kind.COUNTRY, Kind.ADMIN1, Kind.REGION})
POINTS = frozenset({Kind.SETTLEMENT, Kind.SITE})

Test = Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a phrase says something is.

    `point` stands for the place; it lies in `footprint`, the ground it may be on (or in the middle
    of it, where that is a ring). No part of the footprint is farther from the point than
    `uncertainty_km`. `chain` says in words how the one
    was made from the other. `candidates` are all places that the name at the bottom of it may
    mean, the one that was taken first; `verdict` says whether that choice is safe.

    `id` is that of the place (geo/ids.py) where the phrase names one and no more; it is None for
    what is only described by places, as "near Homs" is. `shape` is the ground of what has no id,
    and of borders; the ground of any other place is looked up where `footprint` is asked for.
    """

    phrase: str
    kind: str
    name: str
    point: Point
    shape: BaseGeometry | None
    precision: Precision
    uncertainty_km: float
    country: str | None
    admin1: str | None
    chain: tuple[str, ...]
    candidates: tuple[Candidate, ...] = ()
    verdict: Verdict = Verdict.CLEAR
    id: str | None = None

    @property
    def footprint(self) -> BaseGeometry:
        """The ground that the place may be on."""
        return ground_of(self.candidates[0]) if self.shape is None else self.shape

    @property
    def ambiguous(self) -> bool:
        """Whether another place may as well be meant."""
        return self.verdict is Verdict.AMBIGUOUS


@dataclass(frozen=True)
class Lookup:
    """Looks names up, with what is known of where they must be."""

    gazetteer: Gazetteer
    typos: bool
    country: str | None
    focus: tuple[float, float] | None
    tests: tuple[Test, ...] = ()

    def resolve(self, said: Expression) -> Fix:
        """Return where an expression is; for those that can read all of them."""
        raise NotImplementedError

    def candidates(self, text: str, kinds: Iterable[Kind] | None = None) -> list[Candidate]:
        """Return what a name may mean here; mistyped only where nothing is spelt like that."""
        for typos in (False, True) if self.typos else (False,):
            found = self.gazetteer.candidates(
                text, country=self.country, focus=self.focus, kinds=kinds, limit=50, typos=typos
            )
            kept = [one for one in found if all(test(one) for test in self.tests)]
            if kept:
                return kept[:10]
        return []

    def named(self, text: str, kinds: Iterable[Kind] | None = None) -> Fix:
        """Return the best place of that name."""
        found = self.candidates(text, kinds) or self.site(text)
        if not found:
            land = countries().get(self.country or "")
            where = f" in {land.name}" if land else ""
            narrowed = " within what is said to contain it" if self.tests else ""
            raise Unplaced(f"no place called {text!r} is known{where}{narrowed}")
        return self.taken(found)

    def site(self, text: str) -> list[Candidate]:
        """Return what a name may mean without the word that says what sort of site it is."""
        bare = _SITE.sub("", text)
        strict = replace(self, typos=False)
        return strict.candidates(bare, {Kind.SITE}) if bare and bare != text else []

    def point(self, said: Expression) -> Fix:
        """Return the place from which a distance is counted: rather a town than its division."""
        found = self.resolve(said)
        if isinstance(said, Name) and found.kind == "admin1":
            towns = [
                one
                for one in found.candidates
                if one.kind in POINTS and one.country == found.country
            ]
            return self.taken(towns) if towns else found
        return found

    def taken(self, found: list[Candidate]) -> Fix:
        """Return the first of some candidates as a place."""
        best = found[0]
        why = f"{best.label}: {', '.join(best.reasons)}"
        return Fix(
            phrase=best.name,
            kind=best.kind.value,
            name=best.name,
            point=Point(best.longitude, best.latitude),
            shape=None,
            precision=best.precision,
            uncertainty_km=best.uncertainty_km,
            country=best.country,
            admin1=best.admin1,
            chain=(why,),
            candidates=tuple(found),
            verdict=verdict(found),
            id=best.id,
        )

    def division(self, text: str, name: str | None = None) -> Fix:
        """Return a first-level division, or a region made of several."""
        if name and (full := self.full_name(name)):
            return full
        found = self.candidates(text, {Kind.ADMIN1, Kind.REGION})
        if not found:
            raise Unplaced(f"no first-level division called {text!r} is known")
        return self.taken(found)

    def district(self, text: str) -> Fix:
        """Return a district: the ground around the town it is named after, for want of its own."""
        try:
            town = self.named(text, POINTS)
        except Unplaced:
            return self.division(text)
        return derived(
            town,
            kind="district",
            shape=circle(town.point, DISTRICT_KM),
            precision=Precision.ADMIN2,
            uncertainty_km=DISTRICT_KM,
            chain=(*town.chain, f"its district: {DISTRICT_KM:.0f} km around the town"),
        )

    def full_name(self, name: str) -> Fix | None:
        """Return the division or country that is called so: "South Sudan", "North Darfur"."""
        strict = replace(self, typos=False)
        found = strict.candidates(name, AREAS | {Kind.SITE})
        return self.taken(found) if found else None


def derived(place: Fix, **changes: Any) -> Fix:
    """Return what is described by a place; `changes` has its `shape`, and it has no id."""
    return replace(place, id=None, **changes)


def ground_of(place: Candidate) -> BaseGeometry:
    """Return the ground of a candidate: its area, or the circle that its point stands for."""
    match place.kind:
        case Kind.COUNTRY:
            return country_ground(place.reference)
        case Kind.ADMIN1:
            return unit_ground(int(place.reference))
        case Kind.REGION:
            return region_ground(place.reference)
    return circle(Point(place.longitude, place.latitude), place.uncertainty_km)


def require_point(fix: Fix, what: str) -> None:
    """Refuse a place that is no point, as `what` needs one."""
    if fix.kind not in {"settlement", "site", "coordinates", "district"}:
        raise Unplaced(f"{what} needs a place to start from; {fix.name} is no point")


def country_at(point: Point) -> str | None:
    """Return the country in which a point lies."""
    unit = unit_at(point.x, point.y)
    return unit.country if unit else None


def admin1_at(point: Point) -> str | None:
    """Return the name of the division in which a point lies."""
    unit = unit_at(point.x, point.y)
    return unit.name if unit else None
