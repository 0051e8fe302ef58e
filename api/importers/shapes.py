"""Geometries as they come: checked, and told apart into a point and the ground around it."""

import json
from typing import Any

import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

KINDS = {
    *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
    "GeometryCollection",
}


def of_geojson(said: Any) -> BaseGeometry:
    """Return the geometry of a GeoJSON feature.

    Raises:
        ValueError: it is none, or not valid on the earth.
    """
    if not isinstance(said, dict) or said.get("type") not in KINDS:
        raise ValueError("is no geometry of GeoJSON")
    try:
        return checked(shapely.from_geojson(json.dumps(said)))
    except shapely.errors.GEOSException as error:
        raise ValueError(f"is no geometry: {error}") from error


def of_wkt(text: str) -> BaseGeometry:
    """Return the geometry that `text` writes, longitude before latitude.

    Raises:
        ValueError: it is none, or not valid on the earth.
    """
    try:
        return checked(shapely.from_wkt(text))
    except shapely.errors.GEOSException as error:
        raise ValueError("is no geometry in WKT") from error


def checked(geometry: BaseGeometry) -> BaseGeometry:
    """Return a geometry without heights, if it is valid and lies on the earth.

    Nothing is repaired: what a crossed outline was meant to be, nobody can tell.

    Raises:
        ValueError: it is empty, crosses itself or leaves ±180 and ±90 degrees.
    """
    flat = shapely.force_2d(geometry)
    if flat.is_empty:
        raise ValueError("is empty")
    west, south, east, north = flat.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("is not within ±180 and ±90 degrees")
    if not flat.is_valid:
        raise ValueError(f"is not valid: {shapely.is_valid_reason(flat)}")
    return flat


def placed(geometry: BaseGeometry) -> dict[str, Any]:
    """Return the columns of a geometry: a point is a point, the rest is ground with one on it."""
    if isinstance(geometry, Point):
        return {"geom": geometry}
    return {"geom": shapely.point_on_surface(geometry), "footprint": geometry}
