"""How far a place reaches: from its point to its farthest ground."""

from math import asin, ceil, sqrt

import numpy as np
import numpy.typing as npt
import shapely
from geopy.distance import EARTH_RADIUS
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geo.areas import Ground


def town_km(population: int) -> float:
    """Return how far from its centre a town of that size may reach; a rule of thumb.

    >>> town_km(0), town_km(100_000), town_km(7_000_000)
    (2.0, 4.7, 20.0)
    """
    return round(min(20.0, max(2.0, 0.015 * sqrt(population))), 1)


def inside(ground: Ground) -> Point:
    """Return the centroid, or where that lies outside, a point well inside."""
    return ground.centroid if ground.contains(ground.centroid) else ground.representative_point()


def reach_km(where: Point, ground: BaseGeometry) -> float:
    """Return how far the farthest corner of `ground` is from a point, in whole kilometres."""
    return farthest_km(where, corners(ground))


def corners(ground: BaseGeometry) -> npt.NDArray[np.float64]:
    """Return the corners of `ground`, to a hundredth of a degree, each once."""
    return np.unique(np.round(shapely.get_coordinates(ground), 2), axis=0)


def farthest_km(where: Point, places: npt.NDArray[np.float64]) -> float:
    """Return how far the farthest of (longitude, latitude) is from a point, rounded up to 1 km."""
    latitudes = np.radians(places[:, 1])
    here = np.radians(where.y)
    across = np.sin(np.radians(places[:, 0] - where.x) / 2) ** 2
    along = np.sin((latitudes - here) / 2) ** 2 + np.cos(here) * np.cos(latitudes) * across
    chord = sqrt(float(along.max()))
    return float(ceil(2 * EARTH_RADIUS * asin(chord)))
