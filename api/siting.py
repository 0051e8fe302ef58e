"""Where an event that is written is: what its writer leaves open, out of the gazetteer.

It is done as for imports, by `Placing`, but geocoders on other machines are not asked, and a name
that may mean several places is refused: here is somebody who can say which.
"""

from collections.abc import Mapping
from typing import Any

import shapely
from marshmallow import ValidationError
from shapely import Point

from api.db import Connection
from api.gazetteer import Names, NoGazetteerError, grounds, version
from api.geocoding import GEOCODER
from api.importers.placing import Placing
from api.importers.store import CONTENT, Incoming
from geo.candidates import Candidate
from geo.grid import cell_centre
from geo.precision import Precision, circle

#: What the ground of an event depends on, besides its point.
PLACE = ("place_name", "country", "admin1", "admin2", "geo_precision", "uncertainty_km")
#: Of these, what is found with the place of a name.
FOUND = ("country", "admin1", "geo_precision", "uncertainty_km")
#: The value of `geocoder` that says: nobody is to look this up.
NOBODY = "none"
#: A point that has moved by no more was only written with fewer digits, in degrees.
UNMOVED = 6e-7
#: How far off a point may be published.
WIDEST_KM = 1000

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
        changed = before is None or moved or any(row[name] != before[name] for name in PLACE)
        if given.get("footprint") is not None:
            row |= {"footprint": given["footprint"], "ground": None}
            if row["geom"] is None:
                row["geom"] = shapely.point_on_surface(given["footprint"])
        elif not changed and "footprint" not in given:
            return []
        else:
            row |= {"footprint": None, "ground": None}
        if before is not None and changed:
            _forget(row, before, moved=moved)
        if row["geocoder"] == NOBODY and row["geom"] is None:
            return []
        return self._placed(conn, row)

    def _placed(self, conn: Connection, row: Row) -> list[str]:
        try:
            placing = Placing(self._names.known, self._shared(conn))
        except NoGazetteerError:
            return ["no gazetteer"]
        placed = placing.placed(Incoming(row | {"source_id": ""}))
        if placing.remarks.doubt:
            raise AmbiguousError(*placing.remarks.doubt)
        row |= {name: placed.event[name] for name in CONTENT}
        return list(placing.remarks.counts)

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
    elif row["geocoder"] == GEOCODER:
        row["geom"] = None
        row |= {name: None for name in FOUND if row[name] == before[name]}


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
