"""Coordinate reference systems: how each writes a place, and in which part of the earth it may.

The order of the axes is that of the authority, EPSG, as OGC 18-058r1 demands for `crs` and
`bbox-crs` alike. Inside, everything is longitude and latitude on WGS 84, in this order.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.enums import TransformDirection
from shapely.geometry.base import BaseGeometry

from geo.region import Region

Box = tuple[float, float, float, float]
Corners = NDArray[np.float64]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"

WORLD = (-180.0, -90.0, 180.0, 90.0)
#: A transverse Mercator is right to a hundredth of a millimetre this far from its meridian, in
#: degrees; at 80 it is off by 20 m, and from 90 on it gives nonsense or nothing.
FAR_FROM_MERIDIAN = 60

#: What is straight in degrees is bent in metres, and the other way about: between corners that are
#: so far apart by less than 100 m and by less than 10 m. A domain is drawn by so much too large.
EDGE_DEGREES, TOO_LARGE = 0.25, 0.001
EDGE_METRES = 10_000
#: An edge of the world may be written with its digits rounded, by so much.
ROUNDED_DEGREES, ROUNDED_METRES = 1e-6, 1
#: A geometry has at most so many edges of that length, 1,000,000 km.
MOST_EDGES = 100_000


@dataclass(frozen=True)
class System:
    """A coordinate reference system of two axes, in degrees or metres.

    `domain` is the part of the earth in which it is used: west, south, east, north, in degrees. In
    an `upright` one meridians and parallels are parallel to the axes and meridians evenly apart, so
    that a box of its coordinates is one of longitude and latitude.
    """

    uri: str
    srid: int
    name: str
    domain: Box = WORLD
    degrees: bool = False
    upright: bool = False
    north_first: bool = False

    @property
    def digits(self) -> int:
        """The decimals of a coordinate: it is exact to 0.1 m or, in metres, to 1 cm."""
        return 6 if self.degrees else 2

    def in_degrees(self, bounds: Box) -> Box:
        """Return a box of an upright system in degrees; south exceeds north if none is in use.

        `bounds` are west, south, east, north in the unit of the system, as the answer is in
        degrees. West may exceed east, and both may be wound past the antimeridian: so they stay.
        """
        if self.degrees:
            return bounds
        west, south, east, north = bounds
        edge, bottom, top = self._edges
        west, east = 180 * west / edge, 180 * east / edge
        south, north = max(south, bottom), min(north, top)
        if south > north:
            return west, 90.0, east, -90.0
        (_, low), (_, high) = self._upright(np.array([(0.0, south), (0.0, north)]))
        return west, float(low), east, float(high)

    def region(self, bounds: Box) -> Region:
        """Return the part of the domain whose coordinates lie in a box.

        `bounds` are west, south, east, north in metres, whatever the order of the axes is, and may
        reach beyond the domain. The region's edges are bent as the box's are on the earth.
        """
        outline = self._outline
        left, bottom, right, top = outline.bounds
        west, south = max(bounds[0], left), max(bounds[1], bottom)
        east, north = min(bounds[2], right), min(bounds[3], top)
        if west > east or south > north:
            return Region(())
        box = Region.of_boxes([(west, south, east, north)]).whole
        plane = shapely.segmentize(shapely.intersection(box, outline), EDGE_METRES)
        ground = shapely.make_valid(shapely.transform(plane, self._unproject))
        return Region.of_window(shapely.intersection(ground, shapely.box(*self.domain)))

    def on_earth(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry of the system, its axes in the authority's order, in degrees.

        All of it has to lie in the domain: of what is cut off nobody could ask what is not in it.

        Raises:
            ValueError: it leaves the domain, or is too long to be bent as the earth is.
        """
        if self.north_first:
            geometry = shapely.transform(geometry, lambda corners: corners[:, ::-1])
        self._hold(geometry, shapely.box(*self._bounds))
        if self.degrees:
            return geometry
        if geometry.length > MOST_EDGES * EDGE_METRES:
            raise ValueError("it has edges of more than 1,000,000 km")
        geometry = shapely.segmentize(geometry, EDGE_METRES)
        if not self.upright:
            self._hold(geometry, self._outline)
        return shapely.transform(geometry, self._upright if self.upright else self._unproject)

    def _hold(self, geometry: BaseGeometry, area: BaseGeometry) -> None:
        """Raise ValueError if a corner of a geometry is not in `area`, the domain on the plane."""
        if not shapely.intersects_xy(area, shapely.get_coordinates(geometry)).all():
            west, south, east, north = (f"{x:g}" for x in self.domain)
            wound = self.upright and np.abs(geometry.bounds[::2]).max() > self._bounds[2]
            hint = "; across the antimeridian it is written in two parts" if wound else ""
            raise ValueError(
                f"it leaves the part of the earth in which {self.name} is used, longitudes from"
                f" {west} to {east} and latitudes from {south} to {north}{hint}"
            )

    @cached_property
    def _bounds(self) -> Box:
        """The box around the domain in the system's coordinates, east first."""
        if not self.upright:
            return self._outline.bounds
        edge, bottom, top = (180, -90, 90) if self.degrees else self._edges
        more = ROUNDED_DEGREES if self.degrees else ROUNDED_METRES
        return -edge - more, bottom - more, edge + more, top + more

    @cached_property
    def _edges(self) -> tuple[float, float, float]:
        """Where the domain of an upright system in metres ends: in the east, south and north."""
        corners = np.array([(180.0, self.domain[1]), (180.0, self.domain[3])])
        (edge, bottom), (_, top) = self._project(corners)
        return float(edge), float(bottom), float(top)

    def _upright(self, corners: Corners) -> Corners:
        """Return what has coordinates of an upright system in metres, in degrees."""
        edge, bottom, top = self._edges
        north = np.clip(corners[:, 1], bottom, top)
        degrees = self._unproject(np.column_stack([np.zeros(len(north)), north]))
        degrees[:, 0] = np.clip(180 * corners[:, 0] / edge, -180, 180)
        return degrees

    @cached_property
    def _outline(self) -> BaseGeometry:
        """The domain in the system's coordinates, east first, and a little around it."""
        whole = shapely.buffer(shapely.box(*self.domain), TOO_LARGE, join_style="mitre")
        outline = shapely.transform(shapely.segmentize(whole, EDGE_DEGREES), self._project)
        shapely.prepare(outline)
        return outline

    def _project(self, corners: Corners) -> Corners:
        return self._moved(corners, TransformDirection.FORWARD)

    def _unproject(self, corners: Corners) -> Corners:
        return self._moved(corners, TransformDirection.INVERSE)

    def _moved(self, corners: Corners, direction: TransformDirection) -> Corners:
        east, north = corners.T
        return np.column_stack(_transformer(self.srid).transform(east, north, direction=direction))


@cache
def _transformer(srid: int) -> Transformer:
    """Return what takes longitude and latitude to a system, east first; threads may share it."""
    return Transformer.from_crs("OGC:CRS84", f"EPSG:{srid}", always_xy=True)


def _metric(srid: int, name: str, domain: Box, **traits: bool) -> System:
    return System(f"{EPSG}{srid}", srid, name, domain, **traits)


def _utm(zone: int, hemisphere: str = "N") -> System:
    meridian = 6 * zone - 183
    west, east = meridian - FAR_FROM_MERIDIAN, meridian + FAR_FROM_MERIDIAN
    srid = zone + (32600 if hemisphere == "N" else 32700)
    return _metric(srid, f"WGS 84 / UTM zone {zone}{hemisphere}", (west, -80, east, 84))


def _ukrainian(srid: int, zone: int, domain: Box) -> System:
    return _metric(srid, f"UCS-2000 / Gauss-Kruger zone {zone}", domain, north_first=True)


EUROPE = (-35.58, 24.6, 44.83, 84.73)
MEXICO = (-122.19, 12.1, -84.64, 32.72)

#: All that can be asked for, by their URIs; the first is how everything is stored. Those of another
#: datum end where the authority says, for no further is the datum tied to WGS 84.
SYSTEMS: dict[str, System] = {
    system.uri: system
    for system in (
        System(CRS84, 4326, "WGS 84 (CRS84)", degrees=True, upright=True),
        System(f"{EPSG}4326", 4326, "WGS 84", degrees=True, upright=True, north_first=True),
        _metric(3857, "WGS 84 / Pseudo-Mercator", (-180, -85.06, 180, 85.06), upright=True),
        _metric(6933, "WGS 84 / NSIDC EASE-Grid 2.0 Global", (-180, -86, 180, 86), upright=True),
        *map(_utm, (11, 12, 13, 14, 15, 16)),  # Mexico, Central America
        *map(_utm, (17, 18, 19)),  # Colombia, Venezuela, Haiti
        *map(_utm, (28, 29, 30, 31, 32, 33)),  # the Sahel, Nigeria
        *map(_utm, (34, 35, 36, 37)),  # Libya, Sudan, Ukraine, the Levant
        *map(_utm, (38, 39, 40, 41, 42, 43)),  # Iraq, Yemen, Somalia, Iran, Afghanistan, Pakistan
        *map(_utm, (46, 47)),  # Myanmar
        *(_utm(zone, "S") for zone in (33, 34, 35, 36, 37)),  # the Congo, Mozambique
        _metric(3035, "ETRS89-extended / LAEA Europe", EUROPE, north_first=True),
        _metric(2039, "Israel 1993 / Israeli TM Grid", (34.17, 29.45, 35.69, 33.28)),
        _ukrainian(5562, 4, (22.15, 47.95, 24, 51.66)),
        _ukrainian(5563, 5, (24, 45.1, 30, 51.96)),
        _ukrainian(5564, 6, (30, 43.18, 36, 52.38)),
        _ukrainian(5565, 7, (36, 43.43, 40.18, 50.44)),
        _metric(6372, "Mexico ITRF2008 / LCC", MEXICO, north_first=True),
    )
}
