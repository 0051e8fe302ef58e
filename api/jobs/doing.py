"""Jobs are done: one after another, by one attendant of a database."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from time import monotonic, sleep
from typing import Any

import psycopg

from api.db import Connection, Lent, is_passing, writing
from api.gazetteer import NoGazetteerError
from api.importers.account import Account
from api.importers.files import RefusedError, Wishes, load
from api.importers.placing import Placing
from api.importers.rejections import Rejections
from api.importers.sources import Source
from api.importers.store import VanishingError
from api.importers.table import FormatError
from api.jobs import kept
from api.jobs.kept import File, Job, Outcome, Part
from api.jobs.kinds import kind
from api.settings import Settings

#: How often the attendant looks for a job, and how long it waits for a database that is away.
EVERY_S, AWAY_S = 1, 2
#: How often it takes away what nobody needs any more, if there are no jobs.
TIDIED_EVERY_S = 3600
#: How often a job is begun: what kills its attendant again and again may be the job.
TRIES = 3
#: The share of a job that reading is, and how often it is told how far that has come.
READING, TOLD_EVERY_S = 0.8, 0.5

#: Why a job has failed that would fail again, by the class of the database's error; or else.
REASONS = {
    "53": "the database has no room for it. Tell who runs it, and send it again then.",
    "54": "something in it is too large for the database. It has been logged what it is.",
    "55": "somebody else held for too long what it has to write. Send it again.",
    "57": "the database was told to stop it, or to give it no more time. Send it again.",
}
FAULT = "a fault of this server; it has been logged."

#: Nobody reads this: the job says why it is so.
NOT_OURS = "It has been called off, or another attendant has it."

#: Options of a job that are wishes about its import.
WISHED = {each.name for each in fields(Wishes)} - {"placing"}

log = logging.getLogger("hudna")


def attend(settings: Settings) -> None:
    """Do the jobs of a database as they come, for ever."""
    while True:
        try:
            # closing: a signal may have come between a query and its answer, where there is nothing
            # to commit, and no rolling back.
            with closing(psycopg.connect(settings.database_url, autocommit=True)) as conn:
                folders = f"hudna-import-{kept.lock(conn)[:8]}-"
                sweep(folders)
                next_tidy = monotonic()
                while True:
                    drain(conn, settings, folders)
                    if monotonic() >= next_tidy:
                        kept.tidy(conn)
                        next_tidy = monotonic() + TIDIED_EVERY_S
                    sleep(EVERY_S)
        except psycopg.OperationalError as error:
            log.warning("imports: %s", type(error).__name__)
            sleep(AWAY_S)


def sweep(folders: str) -> None:
    """Take away the folders so named, of an attendant that was killed: there is but one."""
    for left in Path(gettempdir()).glob(f"{folders}*"):
        rmtree(left)


def drain(conn: Connection, settings: Settings, folders: str) -> int:
    """Do all jobs that there are, and return how many; `conn` has the lock, and commits at once.

    Their files are put out in folders whose names begin with `folders`.
    """
    done = 0
    while job := kept.take(conn):
        _do(conn, job, settings, folders)
        kept.tidy(conn)
        done += 1
    return done


def _do(conn: Connection, job: Job, settings: Settings, folders: str) -> None:
    """Do a job, whatever comes of it."""
    try:
        with _put_out(conn, job, folders) as files:
            _import(conn, job, files, settings)
    except _FailedError as error:
        kept.fail(conn, job, error.outcome)
    except Exception as error:
        if is_passing(error):
            raise  # the next attendant begins it again
        log.exception("the import %s has failed", job.id)
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        text = REASONS.get((state or "")[:2], FAULT)
        kept.fail(conn, job, Outcome(f"Nothing was loaded: {text}"))


class _FailedError(Exception):
    """Nothing comes of a job; the outcome says why."""

    def __init__(self, text: str, *parts: Any) -> None:
        super().__init__(text)
        self.outcome = Outcome(text, *parts)


@dataclass
class _Files:
    """The files of a job on the disk."""

    folder: Path
    paths: dict[str, list[tuple[str, Path]]] = field(default_factory=dict)

    def sources(self, role: str) -> list[Source]:
        """Return the files of this role, under the names that they were sent with."""
        found = self.paths.get(role, ())
        return [replace(Source.of_path(path), name=name) for name, path in found]

    def mapping(self) -> bytes | None:
        """Return the mapping, if there is one."""
        for _, path in self.paths.get("mapping", ()):
            return path.read_bytes()
        return None


@contextmanager
def _put_out(conn: Connection, job: Job, folders: str) -> Iterator[_Files]:
    """Put the files of a job on the disk, where only this user may read them."""
    with TemporaryDirectory(prefix=folders) as folder:
        files = _Files(Path(folder))
        for each in kept.files(conn, job.id):
            if each.role != "exceptions":
                _put(conn, job, each, files)
        yield files


def _put(conn: Connection, job: Job, file: File, files: _Files) -> None:
    path = files.folder / str(file.number)
    with path.open("wb") as out:
        for piece in kept.pieces(Lent(conn), job.id, file.number):
            out.write(piece)
    if path.stat().st_size != file.size:
        raise _FailedError(f"{file.name} is not whole: send it again.")
    files.paths.setdefault(file.role, []).append((file.name, path))


def _import(conn: Connection, job: Job, files: _Files, settings: Settings) -> None:
    if not job.valid:
        raise _FailedError("The key that it was sent with is none any more.")
    if job.tries > TRIES:
        raise _FailedError(f"It was begun {TRIES} times, and broken off each time.")
    told = Teller(conn, job, sum(one.size or 0 for one in files.sources("file")))
    with Rejections(files.folder / "exceptions.csv") as rejections:
        try:
            _load(job, files, rejections, told, settings)
        except (FormatError, NoGazetteerError) as error:
            raise _FailedError(f"{error}.".replace("..", ".")) from error
        except RefusedError as error:
            text = f"Nothing was loaded: {rejections.rows:,} of {error.read:,} rows are bad."
            _keep_exceptions(conn, job, rejections)
            raise _FailedError(text, None, _faults(rejections)) from error
        except VanishingError as error:
            text = f"Nothing was loaded: {error}. If that is meant, say force."
            raise _FailedError(text, account(error.account)) from error
        except psycopg.errors.UniqueViolation as error:
            text = (
                "Nothing was loaded: somebody else wrote one of these events just now. Try again."
            )
            raise _FailedError(text) from error


def _load(
    job: Job, files: _Files, rejections: Rejections, told: "Teller", settings: Settings
) -> None:
    """Load the files of a job, and tell what came of that in the same transaction."""
    wished = {name: job.options[name] for name in WISHED & job.options.keys()}
    with writing(settings.database_url, job.actor) as loading, ExitStack() as stack:
        placing = None
        if job.options["places"]:
            known = Placing.of(loading, Path(settings.gazetteer), settings)
            placing = stack.enter_context(known)
        came = load(
            loading,
            kind(job.format, job.options, files.mapping()),
            files.sources("file"),
            Wishes(**wished, placing=placing),
            withdrawn=files.sources("deleted"),
            rejections=rejections,
            watch=told,
        )
        _keep_exceptions(told.conn, job, rejections)
        outcome = Outcome(_summary(came), account(came, placing), _faults(rejections))
        if not kept.succeed(loading, job, outcome):
            raise _FailedError(NOT_OURS)


@dataclass
class Teller:
    """Who hears how an import goes on, and writes it into the job now and then."""

    conn: Connection
    job: Job
    size: int
    _name: str = ""
    _before: int = 0
    _in_file: int = 0
    _last: float = field(default_factory=monotonic)

    def reading(self, name: str, size: int | None) -> None:
        """Hear that a file is begun."""
        self._before += self._in_file
        self._name, self._in_file = name, size or 0

    def at(self, position: int, rows: int) -> None:
        """Hear how much of it has been read."""
        if monotonic() - self._last >= TOLD_EVERY_S:
            share = (self._before + position) / max(1, self.size)
            self._tell(share * READING, f"Reading {self._name}: {rows:,} rows.")

    def writing(self) -> None:
        """Hear that all has been read."""
        self._tell(READING, "Comparing and writing.")

    def _tell(self, share: float, message: str) -> None:
        if not kept.progress(self.conn, self.job, share, message):
            raise _FailedError(NOT_OURS)
        self._last = monotonic()


def account(came: Account, placing: Placing | None = None) -> dict[str, Any]:
    """Return what came of an import as JSON has it."""
    told = asdict(came) | {"import_id": str(came.import_id)}
    told["examples"] = {
        kind: [one._asdict() for one in changes] for kind, changes in came.examples.items()
    }
    for name in ("new", "lost"):
        told[name] = [one._asdict() for one in getattr(came, name)]
    if placing:
        told["places"] = dict(sorted(placing.remarks.counts.items()))
    plain: dict[str, Any] = json.loads(json.dumps(told))
    return plain


def _summary(came: Account) -> str:
    counts = {"created": came.created, "changed": came.changed, "deleted": came.gone}
    counts |= {"unchanged": came.unchanged, "rejected": came.rejected}
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f"{came.read:,} rows read: {told or 'nothing'}."


def _faults(rejections: Rejections) -> list[Mapping[str, Any]]:
    return [asdict(problem) for problem in rejections.first]


def _keep_exceptions(conn: Connection, job: Job, rejections: Rejections) -> None:
    """Keep the report on the rejected rows; that of an earlier try is gone."""
    kept.forget_exceptions(conn, job)
    if not rejections.rows or rejections.report is None:
        return
    rejections.close()
    number = len(kept.files(conn, job.id))
    part = Part(Lent(conn), job.id, number, "exceptions.csv")
    with rejections.report.open("rb") as report:
        while piece := report.read(kept.PIECE):
            part.write(piece)
    part.whole("exceptions")
