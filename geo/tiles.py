"""Tiles of the square map of Web Mercator: which there are, where they lie, how they are numbered.

The set is OGC's WebMercatorQuad (17-083r4): at zoom z the map is 2^z tiles wide and
high, rows from the north, columns from the west.
"""

from dataclasses import dataclass
from math import asinh, atan, degrees, pi, radians, sinh, tan

#: A place on the map is counted in 2^-34 of its width: 4096 steps in a tile of the last zoom.
BITS, LAST_ZOOM = 34, 22
#: Steps in a tile, of any zoom.
EXTENT = 4096
#: Where the map ends in the north and in the south, so that it is as high as wide, in degrees.
LATITUDE = degrees(atan(sinh(pi)))
#: Half of its width, in the metres of EPSG:3857.
HALF_M = 20037508.342789244


@dataclass(frozen=True)
class Tile:
    """One tile: with its western and northern edges, without the others unless it is the last.

    Raises:
        ValueError: there is no such tile.
    """

    zoom: int
    row: int
    column: int

    def __post_init__(self) -> None:
        width = 1 << self.zoom
        if not (self.zoom <= LAST_ZOOM and self.row < width and self.column < width):
            raise ValueError(f"there is no tile {self.zoom}/{self.row}/{self.column}")

    @classmethod
    def at(cls, zoom: int, longitude: float, latitude: float) -> "Tile":
        """Return the tile of a point, in degrees; of one beyond the map the nearest."""
        width = 1 << zoom
        latitude = min(max(latitude, -LATITUDE), LATITUDE)
        row = (0.5 - asinh(tan(radians(latitude))) / (2 * pi)) * width
        column = (longitude + 180) / 360 * width
        return cls(zoom, *(min(max(int(n), 0), width - 1) for n in (row, column)))

    @property
    def shift(self) -> int:
        """How many bits of a place on the map are beneath the tile's column and row."""
        return BITS - self.zoom

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Its west, south, east and north, in degrees."""
        width = 1 << self.zoom
        west, east = (360 * x / width - 180 for x in (self.column, self.column + 1))
        south, north = (
            degrees(atan(sinh(pi * (1 - 2 * y / width)))) for y in (self.row + 1, self.row)
        )
        return west, south, east, north

    def cells(self, level: int) -> range:
        """Return the numbers of its cells, where the map is 2^`level` cells wide.

        >>> Tile(1, row=0, column=1).cells(2)
        range(4, 8)
        """
        each = 1 << 2 * (level - self.zoom)
        number = _turns(self.column) | _turns(self.row) << 1
        return range(number * each, (number + 1) * each)


def _turns(number: int) -> int:
    """Return a number with a 0 before each of its bits."""
    return int(f"{number:b}", 4)
