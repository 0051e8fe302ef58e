"""What a file of features has in it: its columns, and what its geometries are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from api import sight
from api.schemas import PLACE_PROPERTIES, PROPERTIES
from geo.systems import SYSTEMS, System

_PROPERTIES = {"events": PROPERTIES, "places": PLACE_PROPERTIES}

#: Bytes that are worth handing on at once.
PIECE = 1 << 16


@dataclass(frozen=True)
class Table:
    """The columns of a file, in their order, each with the field that describes it."""

    name: str
    columns: Mapping[str, fields.Field[Any]]
    has_geometry: bool
    only_points: bool
    system: System
    #: The instant of which it has the features, if that is past.
    at: str | None = None

    @property
    def geometry_type(self) -> str | None:
        """What GDAL calls the geometries."""
        return ("Point" if self.only_points else "Unknown") if self.has_geometry else None


def table(collection: str, query: Mapping[str, Any]) -> Table:
    """Return what the file holds that `query` asks for."""
    known: Mapping[str, fields.Field[Any]] = _PROPERTIES[collection]
    past = sight.of(query).past
    return Table(
        name=collection,
        columns={name: known[name] for name in query.get("properties", known)},
        has_geometry=not query["skipGeometry"],
        only_points=collection == "events" and query["geometry"] != "footprint",
        system=SYSTEMS[query["crs"]],
        at=past.at if past else None,
    )


def pieces(texts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces that are worth handing on, even those before a failure."""
    gathered: list[bytes] = []
    size = 0
    try:
        for text in texts:
            gathered.append(text)
            size += len(text)
            if size > PIECE:
                yield b"".join(gathered)
                gathered, size = [], 0
    except Exception:
        yield b"".join(gathered)
        raise
    if gathered:
        yield b"".join(gathered)
