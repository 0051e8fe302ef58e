"""Where an event that is written is: what its writer leaves open, out of the gazetteer.

It is done as for imports, by `Placing`, but geocoders on other machines are not asked, and a name
that may mean several places is refused: here is somebody who can say which.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import shapely
from marshmallow import ValidationError
from shapely import Point

from api.db import Connection
from api.gazetteer import Names, NoGazetteerError, grounds, version
from api.geocoding import GEOCODER
from api.importers.placing import Placing, described
from api.importers.store import CONTENT, Incoming
from geo.candidates import Candidate
from geo.grid import cell_centre
from geo.precision import Precision, circle

#: What is said of the place of an event, besides its point and its ground.
PLACE = ("place_name", "country", "admin1", "admin2", "geo_precision", "uncertainty_km")
#: Of these, what is found with the place of a name.
FOUND = ("country", "admin1", "geo_precision", "uncertainty_km")
#: Of these, what the ground around a point that was given may be made of.
MADE_OF = ("place_name", *FOUND)
#: The ground of an event, as long as there is none.
NO_GROUND = {"footprint": None, "ground": None}
#: The value of `geocoder` that says: nobody is to look this up.
NOBODY = "none"
#: A point that has moved by no more was only written with fewer digits, in degrees.
UNMOVED = 6e-7
#: How far off a point may be published.
WIDEST_KM = 1000
#: A point that is no farther off is not taken for a blurred one: any is near the centre of a cell.
NARROWEST_KM = 0.001

#: The content of an event by column; geometries are shapely's, the rest is as JSON has it.
Row = dict[str, Any]


class AmbiguousError(Exception):
    """A name that may mean several places."""

    def __init__(self, text: str, candidates: list[Candidate]) -> None:
        super().__init__(text)
        self.text = text
        self.candidates = candidates


class Siting:
    """Completes the places of events that are written, one by one."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._grounds: tuple[str | None, Mapping[str, int]] = (None, {})

    def sited(
        self, conn: Connection, row: Row, before: Row | None, given: Mapping[str, Any]
    ) -> list[str]:
        """Complete the place of `row` and return what there is to remark on it.

        `before` is the row as it stands, None if there is none; `given` has what the writer says
        of geometries: `geometry`, `footprint`, `exact_geometry`, in longitude and latitude.

        Raises:
            AmbiguousError: the place's name may mean several.
            ValidationError: a point that is to be blurred lacks `uncertainty_km`.
        """
        if given.get("exact_geometry") is not None and given.get("geometry") is None:
            _blur(row, before, given)
            return []
        moved = before is None or not alike(row["geom"], before["geom"])
        if before is not None and not moved:
            if "footprint" not in given and _same(row, before, PLACE):
                return []
            if _blurred(before):
                _stay_blurred(row, before, given)
                return []
        if row["geom"] is None and given.get("footprint") is not None:
            row["geom"] = shapely.point_on_surface(given["footprint"])
        if before is not None:
            _forget(row, before, moved=moved)
        ground = self._ground(conn, row, None if moved else before, given)
        # What is looked up brings a ground along.
        row |= ground if ground and row["geom"] is not None else NO_GROUND
        if row["geocoder"] == NOBODY and row["geom"] is None:
            return []
        remarks = self._placed(conn, row)
        if ground and ("footprint" in given or (before and alike(row["geom"], before["geom"]))):
            row |= ground
        return remarks

    def _ground(
        self, conn: Connection, row: Row, before: Row | None, given: Mapping[str, Any]
    ) -> Row | None:
        """Return the ground that the writer draws, or what stays with a point that stays.

        None: it is to be made. `before` is None if the point has moved.
        """
        if given.get("footprint") is not None:
            return NO_GROUND | {"footprint": given["footprint"]}
        if before is None or "footprint" in given:
            return None
        found = row["geocoder"] == before["geocoder"] == GEOCODER
        if row["geom"] is not None and (found or _same(row, before, MADE_OF)):
            stays = True
        else:
            stays = before["footprint"] is not None and not self._made(conn, before)
        return {name: before[name] for name in NO_GROUND} if stays else None

    def _made(self, conn: Connection, row: Row) -> bool:
        """Tell whether the footprint of an event is what is made of its place: nobody drew it."""
        bare = row | NO_GROUND | {"source_id": ""}
        if row["geocoder"] == GEOCODER:
            bare["geom"] = None
        try:
            made = self._placing(conn).placed(Incoming(bare)).event["footprint"]
        except NoGazetteerError:
            return False
        return made is not None and bool(shapely.equals_exact(made, row["footprint"], UNMOVED))

    def _placed(self, conn: Connection, row: Row) -> list[str]:
        try:
            placing = self._placing(conn)
        except NoGazetteerError:
            return ["no gazetteer"]
        placed = placing.placed(Incoming(row | {"source_id": ""}))
        if placing.remarks.doubt:
            raise AmbiguousError(*placing.remarks.doubt)
        row |= {name: placed.event[name] for name in CONTENT}
        return list(placing.remarks.counts)

    def _placing(self, conn: Connection) -> Placing:
        return Placing(self._names.known, self._shared(conn))

    def _shared(self, conn: Connection) -> Mapping[str, int]:
        """Return the shared grounds of the database, read once for each version of them."""
        there = version(conn)
        if there != self._names.version:
            raise NoGazetteerError(there)
        known, shared = self._grounds
        if known != there:
            shared = grounds(conn)
            self._grounds = there, shared
        return shared


def alike(one: Point | None, other: Point | None) -> bool:
    """Tell whether two points are the same but for how many digits they are written with."""
    if one is None or other is None:
        return one is other
    return max(abs(one.x - other.x), abs(one.y - other.y)) <= UNMOVED


def _forget(row: Row, before: Row, *, moved: bool) -> None:
    """Take away what was found with a place that is another now, unless the writer says it."""
    if row["geocoder"] != before["geocoder"]:
        return
    if moved:
        row["geocoder"] = None
    elif row["geocoder"] == GEOCODER and _sought_anew(row, before):
        row["geom"] = None
        row |= {name: None for name in FOUND if row[name] == before[name]}


def _sought_anew(row: Row, before: Row) -> bool:
    """Tell whether other words are to be looked up, or what was found with them is taken away."""
    if (described(row), row["country"]) != (described(before), before["country"]):
        return True
    return any(row[name] is None and before[name] is not None for name in FOUND)


def _same(row: Row, before: Row, names: Iterable[str]) -> bool:
    return all(row[name] == before[name] for name in names)


def _blur(row: Row, before: Row | None, given: Mapping[str, Any]) -> None:
    """Give `row` a point that is not the exact one, and the ground around it."""
    exact: Point = given["exact_geometry"]
    far_km = row["uncertainty_km"]
    if not far_km or far_km > WIDEST_KM:
        text = f"must say how far off the public point may be, at most {WIDEST_KM} km."
        raise ValidationError({"properties": {"uncertainty_km": [text]}})
    row["geom"] = cell_centre(exact, far_km)
    row["ground"] = None
    row["footprint"] = given.get("footprint") or circle(row["geom"], far_km)
    if row["geo_precision"] in {None, Precision.EXACT, Precision.SETTLEMENT}:
        row["geo_precision"] = Precision.NEAR.value
    if before is not None and row["geocoder"] == before["geocoder"]:
        row["geocoder"] = None


def _blurred(row: Row) -> bool:
    """Tell whether the point of an event is the centre of a cell, as one that is published.

    It is not asked whether there is an exact place: who may not see it could tell by the answer.
    """
    point, far_km = row["geom"], row["uncertainty_km"]
    if point is None or not NARROWEST_KM < (far_km or 0) <= WIDEST_KM:
        return False
    return alike(cell_centre(point, far_km), point)


def _stay_blurred(row: Row, before: Row, given: Mapping[str, Any]) -> None:
    """Leave a point that is not the exact one as it is, and its ground.

    The circle around it grows with `uncertainty_km`. It does not shrink: the exact place is in it.
    """
    centre, far_km = before["geom"], before["uncertainty_km"]
    around = circle(centre, far_km)
    if given.get("footprint") is not None:
        row |= NO_GROUND | {"footprint": given["footprint"]}
    elif "footprint" in given or shapely.equals_exact(around, before["footprint"], UNMOVED):
        wider_km = min(max(far_km, row["uncertainty_km"] or 0), WIDEST_KM)
        row |= NO_GROUND | {"footprint": circle(centre, wider_km)}
