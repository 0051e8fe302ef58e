"""Files of features: one question, any format, the same rows.

Each format turns the finished features of a page into bytes as they come, so that a file of any
length takes the memory of a short one. A file that is broken off must not look whole, although
the server ends the answer politely: each format sees to that in its own way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from api.formats import delimited, gis, sequence
from api.formats.table import Table
from api.links import CSV, FLATGEOBUF, GEOJSONSEQ, GEOPACKAGE


@dataclass(frozen=True)
class Format:
    """A format of files; `written` turns features, each the text of a GeoJSON feature, into it."""

    media: str
    suffix: str
    written: Callable[[Iterator[bytes], Table], Iterator[bytes]]


#: By what `f` is for them.
FILES = {
    "geojsonseq": Format(GEOJSONSEQ, ".geojsons", sequence.written),
    "csv": Format(CSV, ".csv", delimited.written),
    "fgb": Format(FLATGEOBUF, ".fgb", gis.flatgeobuf),
    "gpkg": Format(GEOPACKAGE, ".gpkg", gis.geopackage),
}
BY_MEDIA = {each.media: each for each in FILES.values()}
