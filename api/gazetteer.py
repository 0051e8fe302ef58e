"""The gazetteer of a deployment: names in an index file, places and shapes in the database."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import shapely
from shapely.geometry.base import BaseGeometry

from api.db import Connection, queries
from geo import index
from geo.fixes import Fixer
from geo.footprints import Footprints
from geo.gazetteer import Gazetteer
from geo.lookup import Fix
from geo.places import Place, all_areas, all_outlines, all_spots

#: The share of the work that the index of names is; the rest is the database's.
_INDEX_SHARE = 0.6

Progress = Callable[[str, float], None]


class NoGazetteerError(Exception):
    """A place was asked for, and there is no index of names."""


class Names:
    """The index of names, opened with the first question: most workers of a test never ask one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def version(self) -> str:
        """What names this version of the index: all answers may change with it."""
        return index.version()

    @property
    def known(self) -> Self:
        """The names, if they are there.

        Raises:
            NoGazetteerError: there is no index, or it is of another version of the code.
        """
        if "gazetteer" not in vars(self) and not index.current(self.path):
            raise NoGazetteerError("No places are known here: run `hudna gazetteer load`.")
        return self

    @cached_property
    def footprints(self) -> Footprints:
        """What others have coded to the ground that it stands for."""
        return Footprints(self.gazetteer)

    def fixed(self, text: str) -> Fix:
        """Return where a name or a phrase is, as `Fixer.fix` does, remembering the last ones."""
        return self._remembered(text)

    @cached_property
    def _remembered(self) -> Callable[[str], Fix]:
        return lru_cache(maxsize=1024)(self.fixer.fix)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """Names to places."""
        return Gazetteer(self.path)

    @cached_property
    def fixer(self) -> Fixer:
        """Phrases to places on the ground."""
        return Fixer(self.gazetteer)

    @cached_property
    def quick_fixer(self) -> Fixer:
        """The same without a search for mistyped names, for many at once."""
        return Fixer(self.gazetteer, typos=False)


def version(conn: Connection) -> str | None:
    """Return the version of the gazetteer that the database has; None: it has none."""
    row = conn.execute(queries("places.sql")["version"]).fetchone()
    return str(row[0]) if row else None


def ensure(conn: Connection, path: Path, progress: Progress = lambda _stage, _share: None) -> bool:
    """Load the gazetteer of this version of the code unless it is there; tell whether it was done.

    The index goes to the file `path`, the places into the transaction of `conn`. `progress` is told
    the stage and the share that is done.
    """
    wanted = version(conn) != index.version()
    if not index.current(path):
        with ThreadPoolExecutor(1) as aside:  # the database cuts outlines while names are read
            kept = aside.submit(_keep, conn, all_outlines()) if wanted else None
            index.build(path, lambda stage, share: progress(stage, share * _INDEX_SHARE))
        if kept:
            kept.result()
    if wanted:
        _load(conn, path, progress)
    return wanted


def grounds(conn: Connection) -> dict[str, int]:
    """Return the shared shapes in the database, by the ids of their places."""
    return dict(conn.execute(queries("places.sql")["grounds"]).fetchall())


def _load(conn: Connection, path: Path, progress: Progress) -> None:
    def reading(stage: str, share: float) -> None:
        progress(stage, _INDEX_SHARE + 0.1 + share * 0.25)

    named = queries("places.sql")
    conn.execute(named["begin"])
    conn.execute(named["clear"])
    progress("outlines and borders", _INDEX_SHARE)
    areas = list(all_areas(path))
    _keep(conn, (area.shape for area in areas if area.shape is not None))
    known = dict(conn.execute(named["known_grounds"]).fetchall())
    with conn.cursor() as cursor, cursor.copy(named["fill"]) as copy:
        for area in areas:
            ground = None if area.shape is None else known[_digest(area.shape)]
            copy.write_row([*_cells(area), ground])
        for spot in all_spots(path, reading):
            copy.write_row([*_cells(spot), None])
    conn.execute(named["record"], [index.version()])
    conn.execute(named["measure"])
    progress("done", 1.0)


def _cells(place: Place) -> list[Any]:
    return [
        place.id,
        place.kind,
        place.name,
        list(place.names),
        place.country,
        place.admin1,
        place.population,
        place.precision.value,
        place.uncertainty_km,
        f"SRID=4326;POINT({place.point.x} {place.point.y})",
    ]


def _keep(conn: Connection, shapes: Iterable[BaseGeometry]) -> None:
    """Store the shapes that are new, and their pieces."""
    named = queries("places.sql")
    conn.execute(named["stage"])
    with conn.cursor() as cursor, cursor.copy(named["fill_shapes"]) as copy:
        for shape in shapes:
            copy.write_row([_digest(shape), shapely.to_wkb(shape, hex=True)])
    conn.execute(named["keep_grounds"])
    conn.execute(named["unstage"])


def _digest(shape: BaseGeometry) -> bytes:
    return hashlib.sha256(shapely.to_wkb(shape, byte_order=1) or b"").digest()
