"""Files into the database: all of them or nothing."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from api.db import Connection
from api.identity import event_id
from api.importers import store
from api.importers.account import Account
from api.importers.lengths import SHOWN, overlong
from api.importers.placing import Placing
from api.importers.reading import Format
from api.importers.rejections import Fault, Rejections
from api.importers.sources import Source, opened
from api.importers.store import Incoming, Origin
from api.importers.table import FormatError
from geo import index

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


@dataclass(frozen=True)
class Wishes:
    """What an operator may decide of an import.

    `release` and `visibility` are those of the format, unless they are given, and `dataset` that of
    the rows or the format. `lenient` leaves out the bad rows, which otherwise forbid the whole.
    `replace` says that the files are the whole of their data sets, so that what they lack is
    deleted, and `force` that it is, however much that may be. `placing` completes places out of the
    gazetteer.
    """

    release: str | None = None
    dataset: str | None = None
    visibility: str | None = None
    lenient: bool = False
    replace: bool = False
    force: bool = False
    placing: Placing | None = None

    def told(self, kind: Format) -> dict[str, Any]:
        """Return all that decides what becomes of a file, as plain values."""
        return {
            **kind.options,
            "release": self.release,
            "dataset": self.dataset,
            "visibility": self.visibility,
            "lenient": self.lenient,
            "gazetteer": self.placing and index.version(),
        }


def load(  # noqa: PLR0913 -- what, where from, how, and where it is told
    conn: Connection,
    kind: Format,
    sources: Sequence[Source],
    wishes: Wishes,
    *,
    withdrawn: Sequence[Source] = (),
    rejections: Rejections,
    watch: Watch,
) -> Account:
    """Load the events of `sources` in the transaction of `conn`, and return what that came to.

    What their source has `withdrawn` is deleted behind that, in the same transaction.

    Raises:
        FormatError: a file is not of this kind; it is named.
        RefusedError: there are bad rows.
        VanishingError: what is to be replaced would lose more than a fifth.
        The transaction has to be rolled back then.
    """
    reading = _Reading(kind, wishes, rejections, watch)
    dataset = wishes.dataset or kind.dataset
    events: Iterable[Incoming] = reading.events(sources)
    if wishes.placing is not None:
        events = map(wishes.placing.placed, events)
    count = store.stage(conn, events, dataset)
    ids = list(reading.withdrawn(withdrawn))
    count += rejections.rows + rejections.passed.total()
    watch.writing()
    for clash in store.clashes(conn):
        other = f"line {clash.other_line} of {clash.other_file}"
        fault = Fault("", "", f"says something else of this event than {other}")
        rejections.add(clash.file, clash.line, clash.source_id, [fault])
    if rejections.rows and (wishes.replace or not wishes.lenient):
        raise RefusedError(count)
    account = store.apply(conn, read=count, rejected=rejections.rows, passed=rejections.passed)
    if wishes.replace:
        store.replace(conn, account, dataset, force=wishes.force)
    if dataset and ids:
        store.withdraw(conn, account, [event_id(dataset, source_id) for source_id in ids])
    store.record(conn, reading.origin(), account)
    store.clear(conn)
    return account


def known(conn: Connection, kind: Format, source: Source, wishes: Wishes) -> bool:
    """Tell whether this very file has been imported before, with the same wishes."""
    with opened(source) as file:
        origin = Origin(kind.name, kind.dataset, sha256=[file.sha256], options=wishes.told(kind))
    return store.known(conn, origin)


@dataclass
class _Reading:
    """The reading of the files of one import, and what it has found out about them."""

    kind: Format
    wishes: Wishes
    rejections: Rejections
    watch: Watch
    files: list[str] = field(default_factory=list)
    releases: list[str | None] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)

    def origin(self) -> Origin:
        """Return where the events come from: all of it is known when all has been read."""
        return Origin(
            format=self.kind.name,
            dataset=self.wishes.dataset or self.kind.dataset,
            files=self.files,
            release=self.releases[0] if len(set(self.releases)) == 1 else None,
            sha256=self.sha256,
            options=self.wishes.told(self.kind),
        )

    def events(self, sources: Iterable[Source]) -> Iterator[Incoming]:
        """Yield the events of the files, one file after the other."""
        for source in sources:
            release = self.wishes.release or self.kind.release_of(source.name)
            self.releases.append(release)
            self.watch.reading(source.name, source.size)
            yield from self._events(source, release)

    def withdrawn(self, sources: Iterable[Source]) -> Iterator[str]:
        """Yield the ids that these files say their source has withdrawn."""
        for source in sources:
            with opened(source) as file, _named(source):
                if self.kind.withdrawn is None:
                    raise FormatError(f"cannot be read: {self.kind.name} tells of no deletions")
                yield from self.kind.withdrawn(file.stream, source.name, self.rejections)
            self.files.append(source.name)
            self.sha256.append(file.sha256)

    def _events(self, source: Source, release: str | None) -> Iterator[Incoming]:
        rows = 0
        with opened(source) as file, _named(source):
            self.files.append(source.name)
            self.sha256.append(file.sha256)
            for event in self.kind.read(file.stream, source.name, release, self.rejections):
                if rows % STRIDE == 0:
                    self.watch.at(file.stream.tell() if source.size else 0, rows)
                rows += 1
                wished = self._as_wished(event)
                if faults := overlong(wished):
                    source_id = wished.event["source_id"][:SHOWN]
                    self.rejections.add(wished.file, wished.line, source_id, faults)
                else:
                    yield wished
        self.watch.at(source.size or 0, rows)

    def _as_wished(self, incoming: Incoming) -> Incoming:
        event = dict(incoming.event)
        if self.wishes.dataset:
            event.pop("dataset", None)
        elif not event.get("dataset", self.kind.dataset):
            line = incoming.line
            raise FormatError(f"names no data set, line {line}: give one, or put it in the mapping")
        said = event.get("visibility") or self.kind.visibility
        event["visibility"] = self.wishes.visibility or said
        return replace(incoming, event=event)


@contextmanager
def _named(source: Source) -> Iterator[None]:
    """Name the file that is not of its format."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{source.name} {error}") from error
