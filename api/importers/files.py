"""Files into the database: all of them or nothing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Protocol

from api.db import Connection
from api.importers import Format, store
from api.importers.placing import Placing
from api.importers.rejections import Fault, Rejections
from api.importers.store import Account, Incoming, Origin
from api.importers.table import FormatError

STDIN = Path("-")
#: Rows between two looks at how far the reading has come.
STRIDE = 500


class Watch(Protocol):
    """Who is told how an import goes on."""

    def reading(self, name: str, size: int | None) -> None:
        """Hear that a file is begun, of so many bytes, if that is known."""

    def at(self, position: int, rows: int) -> None:
        """Hear how many of its bytes and rows have been read."""

    def writing(self) -> None:
        """Hear that all has been read, and that the database is at work."""


class RefusedError(Exception):
    """There are bad rows, so that nothing may be loaded; the rejections have them."""

    def __init__(self, read: int) -> None:
        super().__init__("there are bad rows")
        self.read = read


def load(  # noqa: PLR0913 -- what a user decides, and where it is told
    conn: Connection,
    kind: Format,
    files: Sequence[Path],
    *,
    release: str | None,
    lenient: bool,
    placing: Placing | None,
    rejections: Rejections,
    watch: Watch,
) -> Account:
    """Load the events of `files` in the transaction of `conn`, and return what that came to.

    What the sources leave open of places is completed by `placing`, if it is given.

    The release is what the name of each file says, unless it is given. `lenient` leaves out the
    bad rows, which otherwise forbid the whole.

    Raises:
        FormatError: a file is not of this kind; it is named.
        RefusedError: there are bad rows. The transaction has to be rolled back.
    """
    releases = [release or kind.release_of(path.name) for path in files]
    events = _events(kind, files, releases, rejections, watch)
    if placing is not None:
        events = map(placing.placed, events)
    count = store.stage(conn, events, kind.dataset)
    count += rejections.rows
    watch.writing()
    for clash in store.clashes(conn):
        other = f"line {clash.other_line} of {clash.other_file}"
        fault = Fault("", "", f"says something else of this event than {other}")
        rejections.add(clash.file, clash.line, clash.source_id, [fault])
    if rejections.rows and not lenient:
        raise RefusedError(count)
    origin = Origin(
        format=kind.name,
        dataset=kind.dataset,
        files=[name_of(path) for path in files],
        release=releases[0] if len(set(releases)) == 1 else None,
    )
    return store.apply(conn, origin, read=count, rejected=rejections.rows)


def name_of(path: Path) -> str:
    """Return the name under which a file is spoken of."""
    return "stdin" if path == STDIN else path.name


def _events(
    kind: Format,
    files: Sequence[Path],
    releases: Sequence[str | None],
    rejections: Rejections,
    watch: Watch,
) -> Iterator[Incoming]:
    for path, release in zip(files, releases, strict=True):
        name = name_of(path)
        size = None if path == STDIN else path.stat().st_size
        watch.reading(name, size)
        rows = 0
        with _opened(path) as stream:
            try:
                for event in kind.read(stream, name, release, rejections):
                    if rows % STRIDE == 0:
                        watch.at(stream.tell() if size else 0, rows)
                    rows += 1
                    yield event
            except FormatError as error:
                raise FormatError(f"{name} {error}") from error
        watch.at(size or 0, rows)


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb")
