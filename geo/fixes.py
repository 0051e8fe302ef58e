"""Phrases to places on the ground: a point, a footprint, and how each was reached."""

from dataclasses import replace

import shapely
from shapely import LineString, MultiLineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.areas import COAST_KM, Ground
from geo.candidates import Candidate, Kind
from geo.compass import ahead, part, sector, strip
from geo.coordinates import Coordinates
from geo.countries import countries, country_named
from geo.expressions import (
    Between,
    Division,
    Expression,
    Known,
    Line,
    Name,
    Near,
    Offset,
    Part,
    Side,
    Unplaced,
    Within,
)
from geo.extent import inside, reach_km
from geo.gazetteer import Gazetteer
from geo.lines import Lines
from geo.lookup import Fix, Test, admin1_at, country_at, derived, require_point
from geo.phrases import parse
from geo.precision import Precision, circle
from geo.words import bearing_of

#: "Near" as UCDP means it.
NEAR_KM = 25.0

#: How far the outskirts of a town go beyond the town.
OUTSKIRTS_KM = 8.0

#: A direction is one of eight: an eighth of the circle, half of it on each side.
HALF_ANGLE = 22.5


class Fixer:
    """Finds phrases on the ground, with a gazetteer for the names in them."""

    def __init__(self, gazetteer: Gazetteer, *, typos: bool = True) -> None:
        self.gazetteer = gazetteer
        self.typos = typos

    def fix(
        self, phrase: str, *, country: str | None = None, focus: tuple[float, float] | None = None
    ) -> Fix:
        """Return where `phrase` is; `country` (alpha-3) and `focus` are hints for its names.

        Raises:
            Unplaced: it is nowhere that can be told; the message says why.
        """
        context = _Context(self.gazetteer, self.typos, country, focus)
        # A name may hold words of the grammar: "North Kivu" is one; so is "Border, Texas".
        found = context.resolve(parse(phrase))
        return replace(found, phrase=phrase.strip())

    def place(self, place_id: str) -> Fix:
        """Return the place of an id (geo/ids.py), a border included.

        Raises:
            LookupError: no place has that id.
        """
        return _Context(self.gazetteer, typos=False, country=None, focus=None).known(place_id)


class _Context(Lines):
    """Reads every kind of expression."""

    def resolve(self, said: Expression) -> Fix:  # noqa: C901, PLR0911 - one line a kind of phrase
        """Return where an expression is."""
        match said:
            case Name(text):
                return self.named(text)
            case Known(place):
                return self.identified(place)
            case Coordinates():
                return self.coordinates(said)
            case Division(text, small, name):
                return self.district(text) if small else self.division(text, name)
            case Line():
                return self.border(said)
            case Side(country, line):
                return self.side(country, line)
            case Offset():
                return self.offset(said)
            case Near():
                return self.near(said)
            case Between():
                return self.between(said)
            case Part():
                return self.part(said)
            case Within(place, containers):
                return self.within(place, containers)

    def identified(self, place: str) -> Fix:
        """Return the place of an id; no doubt is left, but it must lie where it is said to."""
        try:
            found = self.known(place)
        except LookupError as error:
            raise Unplaced(str(error)) from None
        if not all(test(one) for one in found.candidates for test in self.tests):
            raise Unplaced(f"{found.name} is not within what is said to contain it")
        return found

    def within(self, place: Expression, containers: tuple[Expression, ...]) -> Fix:
        """Return a place that lies in others."""
        if isinstance(place, Line):
            return self.along(place, containers)
        tests, country = list(self.tests), self.country
        said: list[str] = []
        for container in containers:
            if isinstance(container, Name) and (code := country_named(container.text)):
                tests.append(_in_country(code))
                said.append(countries()[code].name)
            elif isinstance(container, Name):
                tests.append(self.gazetteer.inside(container.text))
                said.append(container.text)
            else:
                around = self.resolve(container)
                tests.append(_on_ground(around.footprint))
                said.append(around.name)
        inner = _Context(self.gazetteer, self.typos, country, self.focus, tuple(tests))
        if len(containers) == 1 and isinstance(containers[0], Name) and not isinstance(place, Name):
            inner = replace(inner, country=country_named(containers[0].text) or country)
        found = inner.resolve(place)
        return replace(found, chain=(*found.chain, "in " + ", ".join(said)))

    def coordinates(self, said: Coordinates) -> Fix:
        """Return a point that is given by its coordinates."""
        point = Point(said.longitude, said.latitude)
        return Fix(
            phrase="",
            kind="coordinates",
            name=f"{said.latitude:g}, {said.longitude:g}",
            point=point,
            shape=circle(point, said.uncertainty_km),
            precision=Precision.EXACT if said.uncertainty_km <= 1 else Precision.NEAR,
            uncertainty_km=said.uncertainty_km,
            country=country_at(point),
            admin1=admin1_at(point),
            chain=("coordinates; as exact as their digits",),
        )

    def offset(self, said: Offset) -> Fix:
        """Return the ground so far from a place: a sector, or a ring without a direction."""
        start = self.point(said.start)
        require_point(start, "a distance")
        far_km = said.distance_km
        if not 0 < far_km <= 1000:
            raise Unplaced(f"{far_km:,.0f} km is no distance for a place on a map")
        # Reports round distances, and count from the edge of a town or from its centre.
        slack = 0.15 * far_km + min(start.uncertainty_km, 10.0)
        if said.direction is None:
            ring: BaseGeometry = circle(start.point, far_km + slack)
            if far_km > slack:
                ring = shapely.difference(ring, circle(start.point, far_km - slack))
            return self._offset_fix(
                start, start.point, ring, far_km + slack, f"{round(far_km, 1):g} km around"
            )
        bearing = bearing_of(said.direction)
        where = ahead(start.point, bearing, far_km)
        near_km = max(0.0, far_km - slack)
        ground = sector(start.point, bearing, HALF_ANGLE, near_km, far_km + slack)
        told = f"{round(far_km, 1):g} km {said.direction} of it"
        return self._offset_fix(start, where, ground, reach_km(where, ground), told)

    def _offset_fix(
        self, start: Fix, where: Point, ground: BaseGeometry, far_km: float, told: str
    ) -> Fix:
        return derived(
            start,
            kind="offset",
            name=told.replace("of it", "of " + start.name).replace("around", "from " + start.name),
            point=where,
            shape=ground,
            precision=Precision.NEAR if far_km <= NEAR_KM else Precision.AREA,
            uncertainty_km=round(far_km, 1),
            country=country_at(where),
            admin1=admin1_at(where),
            chain=(*start.chain, told),
        )

    def near(self, said: Near) -> Fix:
        """Return the ground around a place, a border included."""
        place = self.point(said.place)
        if isinstance(place.footprint, LineString | MultiLineString):
            return derived(
                place,
                kind="near",
                shape=strip(place.footprint, NEAR_KM),
                uncertainty_km=round(place.uncertainty_km + NEAR_KM * 1.1),
                chain=(*place.chain, f"within {NEAR_KM:.0f} km of it"),
            )
        require_point(place, "nearness")
        wide_km = place.uncertainty_km + OUTSKIRTS_KM if said.outskirts else NEAR_KM
        wide_km = max(wide_km, place.uncertainty_km)
        told = f"within {wide_km:.0f} km of it"
        point, far = place.point, wide_km
        if said.direction in {None, "centre"}:
            ground: BaseGeometry = circle(place.point, wide_km)
        else:
            bearing = bearing_of(said.direction or "")
            point = ahead(place.point, bearing, wide_km * 0.6)
            ground = sector(place.point, bearing, 2 * HALF_ANGLE, 0, wide_km)
            far, told = reach_km(point, ground), f"{told}, to its {said.direction}"
        return derived(
            place,
            kind="near",
            name=f"near {place.name}",
            point=point,
            shape=ground,
            precision=Precision.NEAR,
            uncertainty_km=round(far, 1),
            chain=(*place.chain, told),
        )

    def part(self, said: Part) -> Fix:
        """Return the part of an area in a direction, or the ground beyond a town."""
        if said.name and (found := self.full_name(said.name)):
            return found
        whole = self.area(said)
        if whole.kind in {"settlement", "site"}:
            near = Near(said.whole, direction=said.direction)
            return self.near(near)
        ground = part(_area(whole.footprint), said.direction)
        where = inside(ground)
        side = "central" if said.direction == "centre" else f"{said.direction}ern"
        return derived(
            whole,
            kind="part",
            name=f"{side} {whole.name}",
            point=where,
            shape=ground,
            precision=Precision.AREA,
            uncertainty_km=reach_km(where, ground),
            admin1=whole.admin1 if whole.kind == "admin1" else None,
            chain=(*whole.chain, f"its {side} part"),
        )

    def area(self, said: Part) -> Fix:
        """Return the whole of which a part is said: rather a division than its town."""
        whole = self.resolve(said.whole)
        if whole.kind != "settlement" or not isinstance(said.whole, Name):
            return whole
        if said.outside and said.name is None:  # "north of Aleppo": beyond the town
            return whole
        around = [
            one
            for one in whole.candidates
            if one.kind is Kind.ADMIN1 and one.country == whole.country
        ]
        return self.taken(around) if around else whole


def _area(ground: BaseGeometry) -> Ground:
    if isinstance(ground, Polygon | shapely.MultiPolygon):
        return ground
    raise Unplaced("only an area has a northern or a southern part")


def _in_country(alpha3: str) -> Test:
    return lambda one: one.country == alpha3


def _on_ground(ground: BaseGeometry) -> Test:
    def touches(one: Candidate) -> bool:
        return bool(ground.dwithin(Point(one.longitude, one.latitude), COAST_KM / 110.9))

    return touches
