"""Borders, the ground beside them, and the ground between two places."""

from dataclasses import replace

import shapely
from shapely import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry

from geo import borders, ids
from geo.areas import country_ground, units_of
from geo.candidates import Kind, Verdict
from geo.compass import ahead, apart_km, bearing_degrees, strip
from geo.countries import countries
from geo.expressions import Between, Expression, Line, Unplaced
from geo.extent import reach_km
from geo.lookup import AREAS, Fix, Lookup, admin1_at, country_at, derived, require_point
from geo.precision import Precision

#: "The Syrian side of the border": the ground this close to the line.
BORDERLAND_KM = 10.0

_DOUBT = (Verdict.CLEAR, Verdict.NESTED, Verdict.AMBIGUOUS, Verdict.UNKNOWN)


class Lines(Lookup):
    """Finds what lies along a line."""

    def border(self, line: Line) -> Fix:
        """Return a land border."""
        other = line.other
        if other is None and self.country in borders.neighbours(line.one):
            other = self.country  # "the Syrian border", in a report from Iraq
        if other is None:
            return self.all_borders(line.one)
        ends = [self.end(line.one), self.end(other)]
        if all(end.kind == "country" for end in ends):
            return whole_border(*(end.candidates[0].reference for end in ends))
        names = f"{ends[0].name}–{ends[1].name}"
        shared = borders.between(*(_keys(end) for end in ends))
        if shared is None:
            raise Unplaced(f"{ends[0].name} and {ends[1].name} share no land border")
        return _along(
            shared.line,
            f"the {names} border",
            _measure(shared),
            ends[0].country if ends[0].country == ends[1].country else None,
        )

    def known(self, place: str) -> Fix:
        """Return the place of an id, a border included.

        Raises:
            LookupError: no place has that id.
        """
        if (ends := ids.border_ends(place)) is None:
            return self.taken([self.gazetteer.place(place)])
        if borders.border(*ends) is None:
            raise LookupError(f"no place has the id {place!r}")
        return whole_border(*ends)

    def all_borders(self, country: str) -> Fix:
        """Return the borders of a country with all its neighbours."""
        lines = [borders.border(country, other) for other in borders.neighbours(country)]
        parts = [one for line in lines if line for one in borders.parts(line.line)]
        if not parts:
            raise Unplaced(f"{countries()[country].name} has no land border")
        name = f"the land borders of {countries()[country].name}"
        with_whom = ", ".join(countries()[other].name for other in borders.neighbours(country))
        return _along(borders.joined(parts), name, f"no neighbour is named: {with_whom}", country)

    def end(self, text: str) -> Fix:
        """Return what lies on one side of a border."""
        if text in countries():
            return self.taken(self.gazetteer.candidates(text, kinds={Kind.COUNTRY}))
        return self.named(text, AREAS)

    def side(self, country: str, line: Line) -> Fix:
        """Return the ground of one country along a border."""
        border = self.border(line)
        land = countries()[country].name
        ground = shapely.intersection(
            strip(_line(border.footprint), BORDERLAND_KM), country_ground(country)
        )
        if ground.is_empty:
            raise Unplaced(f"{land} does not lie along {border.name}")
        where = _on(ground, border.point)
        return derived(
            border,
            kind="side",
            name=f"the {land} side of {border.name}",
            point=where,
            shape=ground,
            uncertainty_km=reach_km(where, ground) + borders.ERROR_KM,
            country=country,
            admin1=None,
            chain=(*border.chain, f"within {BORDERLAND_KM:.0f} km of it in {land}"),
        )

    def along(self, line: Line, containers: tuple[Expression, ...]) -> Fix:
        """Return the stretch of a border that lies in, or near, a place."""
        border = self.border(line)
        line_ground = border.footprint
        for container in containers:
            around = self.resolve(container)
            reach = around.footprint.buffer(0.05)  # the line is 2 km off the ground's edge
            line_ground = shapely.intersection(line_ground, reach)
            if line_ground.is_empty:
                raise Unplaced(f"{border.name} does not run through {around.name}")
            border = replace(border, chain=(*border.chain, f"where it is {_at(around)}"))
        where = _on(line_ground, line_ground.centroid)
        far = reach_km(where, line_ground) + borders.ERROR_KM
        return derived(border, point=where, shape=line_ground, uncertainty_km=far)

    def between(self, said: Between) -> Fix:
        """Return the corridor between two places."""
        one, other = self.point(said.one), self.point(said.other)
        # Two towns of one phrase belong together: the clearer tells where the other is.
        if one.ambiguous and not other.ambiguous:
            one = replace(self, focus=(other.point.x, other.point.y)).point(said.one)
        elif other.ambiguous and not one.ambiguous:
            other = replace(self, focus=(one.point.x, one.point.y)).point(said.other)
        for end in (one, other):
            require_point(end, "between two places")
        long_km = apart_km(one.point, other.point)
        if long_km < 1:
            raise Unplaced(f"{one.name} and {other.name} are the same place")
        bearing = bearing_degrees(one.point, other.point)
        middle = ahead(one.point, bearing, long_km / 2)
        steps = [ahead(one.point, bearing, long_km * i / 8) for i in range(8)] + [other.point]
        wide_km = max(5.0, long_km * (0.2 if said.road else 0.15))
        return Fix(
            phrase="",
            kind="between",
            name=f"between {one.name} and {other.name}",
            point=middle,
            shape=strip(LineString(steps), wide_km),
            precision=Precision.LINEAR,
            uncertainty_km=round(long_km / 2 + wide_km * 1.1, 1),
            country=country_at(middle),
            admin1=admin1_at(middle),
            chain=(
                *one.chain,
                *other.chain,
                f"halfway of {long_km:,.0f} km, {wide_km:.0f} km wide",
            ),
            candidates=one.candidates if one.ambiguous else other.candidates,
            verdict=max((one.verdict, other.verdict), key=_DOUBT.index),
        )


def whole_border(one: str, other: str) -> Fix:
    """Return the land border of two countries (alpha-3), named in this order.

    Raises:
        Unplaced: they share none.
        LookupError: no ground is known for one of them.
    """
    shared = borders.border(one, other)
    names = [countries()[code].name for code in (one, other)]
    if shared is None:
        raise Unplaced(f"{names[0]} and {names[1]} share no land border")
    found = _along(shared.line, f"the {names[0]}–{names[1]} border", _measure(shared), None)
    return replace(found, id=ids.border_id(one, other))


def _measure(shared: borders.Border) -> str:
    return f"{shared.length_km:,.0f} km in {len(borders.parts(shared.line))} part(s)"


def _keys(fix: Fix) -> list[int]:
    """Return the units of a place that has some."""
    best = fix.candidates[0]
    if best.kind is Kind.COUNTRY:
        return [unit.key for unit in units_of(best.reference)]
    return [int(key) for key in best.reference.split()]


def _along(line: borders.Line, name: str, told: str, country: str | None) -> Fix:
    longest = max(borders.parts(line), key=lambda one: one.length)
    where = longest.interpolate(0.5, normalized=True)
    return Fix(
        phrase="",
        kind="border",
        name=name,
        point=where,
        shape=line,
        precision=Precision.LINEAR,
        uncertainty_km=reach_km(where, line) + borders.ERROR_KM,
        country=country,
        admin1=None,
        chain=(f"{name}: {told}", "the point is the middle of its longest part"),
    )


def _line(shape: BaseGeometry) -> borders.Line:
    """Return a shape as the line that it is."""
    if isinstance(shape, LineString | MultiLineString):
        return shape
    raise TypeError(shape.geom_type)


def _on(ground: BaseGeometry, wanted: Point) -> Point:
    """Return the point of `ground` that is nearest to the one wanted."""
    return Point(shapely.get_coordinates(shapely.shortest_line(ground, wanted))[0])


def _at(around: Fix) -> str:
    return around.name if around.kind == "near" else f"at {around.name}"
