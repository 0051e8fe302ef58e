"""A fixed grid over the earth: what is published of a place that must not be known exactly."""

from math import ceil, cos, floor, radians, sqrt

from shapely import Point

#: No degree of latitude, nor of longitude at the equator, is longer than this.
_DEGREE_KM = 111.7


def cell_centre(point: Point, within_km: float) -> Point:
    """Return the centre of the cell in which `point` lies; it is less than `within_km` away.

    `point` is longitude and latitude in degrees. The grid is the same for ever: all points of a
    cell have the same centre, so that asking often, or for many of them, tells no more than once.
    Rows are of the same height; a row has so many cells that none is wider than high where the row
    is nearest to the equator.

    >>> cell_centre(Point(36.31, 33.51), 10) == cell_centre(Point(36.33, 33.52), 10)
    True
    """
    side_km = within_km * sqrt(2)
    rows = ceil(180 * _DEGREE_KM / side_km)
    height = 180 / rows
    row = min(floor((point.y + 90) / height), rows - 1)
    south, north = row * height - 90, (row + 1) * height - 90
    nearest = 0.0 if south < 0 < north else min(abs(south), abs(north))
    columns = max(1, ceil(360 * _DEGREE_KM * cos(radians(nearest)) / side_km))
    width = 360 / columns
    column = min(floor((point.x + 180) / width), columns - 1)
    return Point((column + 0.5) * width - 180, (south + north) / 2)
