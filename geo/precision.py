"""How exactly an event's place is known, and the ground it may have happened on."""

import re
from enum import StrEnum
from math import atan, atan2, cos, degrees, hypot, pi, radians, sin, tan

import shapely
from geopy.distance import ELLIPSOIDS
from shapely import MultiPolygon, Point, Polygon
from shapely.affinity import translate

#: The widest circle that reaches over one pole at most, wherever its centre lies.
WIDEST_KM = 10_000

#: The words by which a fuzzy place gives itself away as a line.
_LINE = re.compile(
    r"""\b(?: borders? | borderline | frontier | boundary
          | roads? | highways? | motorway | route | railways? | railroad | pipeline
          | rivers?(?!\s+(?:nile\s+)?(?:state|province|region|county|district|basin|delta|valley))
          | canal | coast | coastline
          | lines?\s+of\s+(?:contact|control|separation) | loc | front\s?lines?
          | (?<!area\s)between )\b""",
    re.IGNORECASE | re.VERBOSE,
)


class Precision(StrEnum):
    """The normalised scale of place, finest first where there is an order.

    It is no radius: an `area` can be a village's fields or half a country, and the finest place
    of UCDP is a whole town.
    """

    EXACT = "exact"  #: the very site
    SETTLEMENT = "settlement"  #: somewhere in a town or village; the point is its centre
    NEAR = "near"  #: within about 25 km of the point
    ADMIN2 = "admin2"  #: somewhere in a district; the point stands for it
    ADMIN1 = "admin1"  #: somewhere in a province; the point stands for it
    LINEAR = "linear"  #: along a border, a road or a river; the point lies somewhere on it
    AREA = "area"  #: in a region with a name but without administrative bounds
    COUNTRY = "country"  #: somewhere in the country; the point is its centre
    SEA_AIR = "sea_air"  #: at sea or in the air


_OF_UCDP = {
    1: Precision.SETTLEMENT,
    2: Precision.NEAR,
    3: Precision.ADMIN2,
    4: Precision.ADMIN1,
    6: Precision.COUNTRY,
    7: Precision.SEA_AIR,
}


def from_ucdp(where_prec: int, description: str) -> Precision:
    """Return the class of a UCDP `where_prec`; 5 is a line or an area, as `description` has it.

    UCDP's 1 is `settlement` and not `exact`: its coders never place anything finer than a town.

    >>> from_ucdp(5, "Border between Uganda and Sudan"), from_ucdp(5, "Southern Lebanon")
    (<Precision.LINEAR: 'linear'>, <Precision.AREA: 'area'>)

    Raises:
        ValueError: there is no such code.
    """
    if where_prec == 5:
        return Precision.LINEAR if _LINE.search(description) else Precision.AREA
    try:
        return _OF_UCDP[where_prec]
    except KeyError:
        raise ValueError(f"{where_prec} is no where_prec: they go from 1 to 7") from None


#: ACLED's codebook: 1 a particular town, 2 part of a region or near a town, 3 a larger region.
_OF_ACLED = {1: Precision.SETTLEMENT, 2: Precision.NEAR, 3: Precision.ADMIN1}


def from_acled(geo_precision: int) -> Precision:
    """Return the class of an ACLED `geo_precision`.

    1 says that the town is known, and no more: it has the town's coordinates. 2 has those of a town
    in the part of a region, or near the place. 3 has those of the nearest natural feature or, for
    want of one, of the provincial capital, so it is `admin1`: drawn as a point, all that happened
    somewhere in a province happened in its capital.

    >>> from_acled(3)
    <Precision.ADMIN1: 'admin1'>

    Raises:
        ValueError: there is no such code.
    """
    try:
        return _OF_ACLED[geo_precision]
    except KeyError:
        raise ValueError(f"{geo_precision} is no geo_precision: they go from 1 to 3") from None


#: GDELT's codebook: 1 country, 2 US state, 3 US city, 4 world city, 5 world state. 3 and 4 are
#: for landmarks, too, and nothing tells them apart.
_OF_GDELT = {
    0: None,
    1: Precision.COUNTRY,
    2: Precision.ADMIN1,
    3: Precision.SETTLEMENT,
    4: Precision.SETTLEMENT,
    5: Precision.ADMIN1,
}


def from_gdelt(geo_type: int) -> Precision | None:
    """Return the class of a GDELT `ActionGeo_Type`; None for 0, no place at all.

    An empty field is 0, too. The type says how fine the *name* is that a machine found nearest to
    the act in a text, not that the act happened there: a report from Bristol pins what it reports
    on Bristol. With 0 the coordinates are empty, and must not be read as 0° N 0° E.

    >>> from_gdelt(4), from_gdelt(0)
    (<Precision.SETTLEMENT: 'settlement'>, None)

    Raises:
        ValueError: there is no such type.
    """
    try:
        return _OF_GDELT[geo_type]
    except KeyError:
        raise ValueError(f"{geo_type} is no Geo_Type: they go from 0 to 5") from None


def circle(centre: Point, radius_km: float, quarter: int = 8) -> Polygon | MultiPolygon:
    """Return the ground within `radius_km` of `centre`, measured on the ellipsoid.

    A planar buffer in degrees would shrink towards the poles. The rim has `4 * quarter` corners,
    all at `radius_km`. What crosses the antimeridian is cut there, as RFC 7946 wants it; over a
    pole the ground reaches up to the pole along all meridians.

    >>> [round(x, 2) for x in circle(Point(44.4, 33.3), 25).bounds]
    [44.13, 33.07, 44.67, 33.53]
    >>> circle(Point(180, 10), 25).geom_type, circle(Point(0, 90), 25).bounds[3]
    ('MultiPolygon', 90.0)

    Raises:
        ValueError: the radius is not above 0 and below 10,000 km.
    """
    if not 0 < radius_km < WIDEST_KM:
        raise ValueError(f"a radius of {radius_km} km is not between 0 and {WIDEST_KM}")
    east = _eastern_rim(centre, radius_km, 2 * quarter)
    west = [(-offset, latitude) for offset, latitude in reversed(east[1:-1])]
    first, last = east[0], east[-1]
    ring = [first, *east[1:-1], last, *west]
    if first[0] > 90:  # due north lies on the opposite meridian: the pole is inside
        ring = [(180.0, 90.0), *east, *west, (-180.0, first[1]), (-180.0, 90.0)]
    elif last[0] > 90:
        ring = [(-180.0, -90.0), (-180.0, last[1]), *west, *east, (180.0, -90.0)]
    return cut(Polygon([(centre.x + offset, latitude) for offset, latitude in ring]))


def _eastern_rim(centre: Point, radius_km: float, steps: int) -> list[tuple[float, float]]:
    """Return the rim from due north to due south as (degrees east of the centre, latitude).

    The western rim is its mirror image. It is Vincenty's direct solution (Survey Review 23, 1975),
    good to a millimetre at a fifth of the cost of geopy's: an import draws thousands of circles.
    """
    major, minor, flattening = ELLIPSOIDS["WGS-84"]
    u = atan((1 - flattening) * tan(radians(centre.y)))  # the reduced latitude
    sin_u, cos_u = sin(u), cos(u)
    rim = []
    for step in range(steps + 1):
        azimuth = pi * step / steps
        sin_alpha = cos_u * sin(azimuth)
        cos2_alpha = 1 - sin_alpha**2
        k = cos2_alpha * (major**2 / minor**2 - 1)
        a = 1 + k / 16384 * (4096 + k * (-768 + k * (320 - 175 * k)))
        b = k / 1024 * (256 + k * (-128 + k * (74 - 47 * k)))
        twice_start = 2 * atan2(sin_u, cos_u * cos(azimuth))
        sphere = sigma = radius_km / (minor * a)
        for _ in range(4):
            middle = cos(twice_start + sigma)
            square = 2 * middle**2 - 1
            tail = b / 6 * middle * (4 * sin(sigma) ** 2 - 3) * (2 * square - 1)
            sigma = sphere + b * sin(sigma) * (middle + b / 4 * (cos(sigma) * square - tail))
        sin_s, cos_s, cos_a = sin(sigma), cos(sigma), cos(azimuth)
        across = hypot(sin_alpha, sin_u * sin_s - cos_u * cos_s * cos_a)
        latitude = atan2(sin_u * cos_s + cos_u * sin_s * cos_a, (1 - flattening) * across)
        turn = atan2(sin_s * sin(azimuth), cos_u * cos_s - sin_u * sin_s * cos_a)
        c = flattening / 16 * cos2_alpha * (4 + flattening * (4 - 3 * cos2_alpha))
        bend = sigma + c * sin_s * (middle + c * cos_s * square)
        rim.append((degrees(turn - (1 - c) * flattening * sin_alpha * bend), degrees(latitude)))
    return rim


def cut(ground: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """Return `ground`, whose longitudes may leave -180..180, cut at the antimeridian."""
    west, _, east, _ = ground.bounds
    if west >= -180 and east <= 180:
        return ground
    worlds = [translate(ground, xoff=shift) for shift in (-360, 0, 360)]
    parts = shapely.get_parts(shapely.intersection(worlds, shapely.box(-180, -90, 180, 90)))
    # A union, because the parts of a circle over a pole meet on the far side of it.
    whole = shapely.union_all([part for part in parts if isinstance(part, Polygon)])
    if not isinstance(whole, Polygon | MultiPolygon):
        raise TypeError(whole.geom_type)
    return whole
