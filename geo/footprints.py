"""The ground that a coded event may be on, out of what a data set's coder wrote down."""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geo import ids
from geo.areas import country_ground, unit_at, unit_ground, units
from geo.candidates import Candidate, Kind, Verdict, verdict
from geo.compass import apart_km
from geo.countries import countries
from geo.expressions import Unplaced
from geo.extent import corners, farthest_km, town_km
from geo.fixes import NEAR_KM, Fixer
from geo.gazetteer import Gazetteer
from geo.lookup import DISTRICT_KM, Fix
from geo.precision import Precision, circle
from geo.words import DIVISIONS

#: The very site is not farther off than this.
EXACT_KM = 1.0

#: A settlement of the gazetteer this close to the point is the one that was coded.
TOWN_KM = 5.0

#: Ground that a phrase describes must come this close to the point, or another place was meant.
ASTRAY_KM = 50.0

#: What a division is called beside its name: "Shan state", "Muhafazat Homs", "région de Gao".
_GENERIC = re.compile(rf"\b{DIVISIONS}\b(?:\s+(?:of|de\s+la|de|du|des)\b)?", re.IGNORECASE)

#: What a phrase for a line, or for a fuzzy area, may turn out to be.
_FITTING = {
    Precision.LINEAR: frozenset({Precision.LINEAR}),
    Precision.AREA: frozenset(
        {Precision.AREA, Precision.LINEAR, Precision.ADMIN1, Precision.ADMIN2, Precision.NEAR}
    ),
}


@dataclass(frozen=True, slots=True)
class Footprint:
    """The ground that an event may have happened on, and why.

    `place` is the id of the place whose ground it is, to be stored once for all its events; else
    `shape` is ground of the event's own (longitude, latitude). Never both. `uncertainty_km` is how
    far the farthest of it is from the event's point; None for an event without a point.
    """

    place: str | None
    shape: BaseGeometry | None
    uncertainty_km: float | None
    why: str


@dataclass(frozen=True, slots=True)
class _Coded:
    """What a coder wrote; only what matters for the precision, so that it may be remembered."""

    precision: Precision
    where: tuple[float, float] | None
    country: str | None = None
    text: str | None = None
    division: str | None = None

    @property
    def point(self) -> Point | None:
        return Point(self.where) if self.where else None


class Footprints:
    """Finds the ground of coded events, remembering what it was asked: data sets repeat points."""

    def __init__(self, gazetteer: Gazetteer, *, remembered: int = 50_000) -> None:
        self.gazetteer = gazetteer
        # A coder's spelling that nothing has is better not guessed at: the point is known.
        self._fixer = Fixer(gazetteer, typos=False)
        self._found = lru_cache(remembered)(self._find)
        self._fixed = lru_cache(remembered)(self._fix)
        self._division = lru_cache(remembered)(self._named_division)
        self._corners = lru_cache(1000)(self._corners_of)

    def of(
        self,
        precision: Precision,
        *,
        point: Point | None = None,
        country: str | None = None,
        admin1: str | None = None,
        place_name: str | None = None,
    ) -> Footprint | None:
        """Return the ground of an event, None where none can honestly be given.

        `point` is (longitude, latitude), `country` an alpha-3 code, `admin1` and `place_name` as
        the coder has them. A point that stands for a country or a division is not asked where it
        lies as long as the name can be: UCDP has one point for the centres of Myanmar and of Shan
        state. Lines and fuzzy areas have the ground that `place_name` describes, if that is
        unambiguous and comes within 50 km of the point; else they are somewhere in the division
        or, without one, in the country that is
        stated, if the point bears that out. What is at sea or in the air has none.
        """
        where = (point.x, point.y) if point is not None and not point.is_empty else None
        match precision:
            case Precision.COUNTRY:
                coded = _Coded(precision, where, country)
            case Precision.ADMIN1:
                coded = _Coded(precision, where, country, admin1)
            case Precision.LINEAR | Precision.AREA:
                coded = _Coded(precision, where, country, place_name, admin1)
            case _:
                coded = _Coded(precision, where)
        return self._found(coded)

    def _find(self, coded: _Coded) -> Footprint | None:
        match coded.precision:
            case Precision.COUNTRY:
                return self._country(coded)
            case Precision.ADMIN1:
                return self._admin1(coded)
            case Precision.LINEAR | Precision.AREA:
                return self._described(coded)
        return self._around(coded)

    def _country(self, coded: _Coded) -> Footprint | None:
        code, why = coded.country, "the country"
        if code is None or code not in countries() or country_ground(code).is_empty:
            unit = unit_at(*coded.where) if coded.where else None
            if unit is None:
                return None
            code, why = unit.country, "the country at the point"
        return self._whole(ids.country_id(code), coded, why)

    def _admin1(self, coded: _Coded) -> Footprint | None:
        at_point = unit_at(*coded.where) if coded.where else None
        country = coded.country or (at_point.country if at_point else None)
        found = self._division(coded.text, country) if coded.text and country else []
        key, why = None, "the division of that name"
        if at_point and any(one.unit == at_point.key for one in found):
            key = at_point.key
        elif found and verdict(found) is not Verdict.AMBIGUOUS:
            key = found[0].unit
        elif at_point:
            key, why = at_point.key, "the division at the point"
        if key is None or unit_ground(key).is_empty or not units()[key].name:
            return None
        return self._whole(ids.admin1_id(key), coded, why)

    def _named_division(self, text: str, country: str) -> list[Candidate]:
        """Return the divisions that a coder may have meant, the likeliest first."""
        bare = " ".join(_GENERIC.sub(" ", text).split())
        for name in dict.fromkeys((text, bare)):
            found = self.gazetteer.candidates(
                name, country=country, kinds={Kind.ADMIN1}, typos=False
            )
            if found:
                return found
        return []

    def _described(self, coded: _Coded) -> Footprint | None:
        fix = self._fixed(coded.text, coded.country) if coded.text else None
        if fix is None or fix.precision not in _FITTING[coded.precision]:
            return self._stated(coded)
        point = coded.point
        if point and _off_km(fix.footprint, point) > ASTRAY_KM:
            return self._stated(coded)
        why = "; ".join(fix.chain)
        if fix.id:
            return self._whole(fix.id, coded, why)
        far = farthest_km(point, corners(fix.footprint)) if point else None
        return Footprint(None, fix.footprint, far, why)

    def _stated(self, coded: _Coded) -> Footprint | None:
        """Return the division or the country that is stated around a place that is not known."""
        if coded.country is None or coded.country not in countries():
            return None
        place, why = ids.country_id(coded.country), "somewhere in the country that is stated"
        ground: BaseGeometry = country_ground(coded.country)
        if coded.division:
            found = self._division(coded.division, coded.country)
            if not found or verdict(found) is Verdict.AMBIGUOUS:
                return None
            place, why = found[0].id, "somewhere in the division that is stated"
            ground = self._fixer.place(place).footprint
        point = coded.point
        if ground.is_empty or (point and _off_km(ground, point) > ASTRAY_KM):
            return None
        return self._whole(place, coded, why)

    def _fix(self, phrase: str, country: str | None) -> Fix | None:
        """Return what a phrase describes, first in the country that was coded."""
        for hint in dict.fromkeys((country if country in countries() else None, None)):
            try:
                found = self._fixer.fix(phrase, country=hint)
            except Unplaced:
                continue
            return None if found.ambiguous else found
        return None

    def _around(self, coded: _Coded) -> Footprint | None:
        point = coded.point
        if point is None:
            return None
        match coded.precision:
            case Precision.EXACT:
                wide_km, why = EXACT_KM, "the site"
            case Precision.NEAR:
                wide_km, why = NEAR_KM, "near the point"
            case Precision.ADMIN2:
                wide_km, why = DISTRICT_KM, "a district around the point, for want of its outline"
            case Precision.SETTLEMENT:
                people = self.gazetteer.towns.population_at(point.x, point.y, TOWN_KM)
                wide_km = town_km(people or 0)
                why = "a town of that size" if people else "a town or village"
            case _:
                return None
        return Footprint(None, circle(point, wide_km), wide_km, f"{wide_km:g} km: {why}")

    def _whole(self, place: str, coded: _Coded, why: str) -> Footprint:
        point = coded.point
        far = farthest_km(point, self._corners(place)) if point else None
        return Footprint(place, None, far, why)

    def _corners_of(self, place: str) -> npt.NDArray[np.float64]:
        return corners(self._fixer.place(place).footprint)


def _off_km(ground: BaseGeometry, point: Point) -> float:
    nearest = shapely.get_coordinates(shapely.shortest_line(ground, point))[0]
    return apart_km(Point(nearest), point)
