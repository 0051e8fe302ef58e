"""How geometries are written: in the reference system that is asked for, by the database."""

from collections.abc import Mapping
from typing import Any

import shapely
from psycopg.sql import Composable

from api.db import queries
from geo.systems import CRS84, SYSTEMS, System

Query = Mapping[str, Any]

#: The longest edge that is drawn straight on a plane, in degrees: it is off by 120 m at most.
LONGEST_EDGE = 1.0


def as_stored(query: Query) -> bool:
    """Tell whether `query` asks for longitude and latitude, in which all finished text is."""
    return bool(_system(query).uri == CRS84)


def written(geometry: Composable | None, query: Query) -> Composable:
    """Return what writes a geometry, an expression of SQL, as GeoJSON; None: it is not asked for.

    The coordinates are in the order of the axes of the system (OGC 18-058r1), with six decimals
    of a degree or two of a metre.
    """
    named = queries("geometries.sql")
    if geometry is None:
        return named["none"]
    return named["stored" if as_stored(query) else "transformed"].format(geometry=geometry)


def values(query: Query) -> dict[str, Any]:
    """Return what the expressions of `written` bind, by name."""
    system = _system(query)
    if system.uri == CRS84:
        return {}
    domain = shapely.set_srid(shapely.box(*system.domain), 4326)
    return {
        "srid": system.srid,
        "digits": system.digits,
        "north_first": system.north_first,
        "domain": shapely.to_wkb(domain, hex=True, include_srid=True),
        "longest": 360.0 if system.upright else LONGEST_EDGE,
    }


def _system(query: Query) -> System:
    return SYSTEMS[query.get("crs", CRS84)]
