"""`hudna import`: events from files."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import psycopg

from api.cli.database import data_option, database, names_file, transaction
from api.cli.screen import Screen
from api.cluster import ClusterError
from api.db import Connection, Lent
from api.gazetteer import Names, grounds, version
from api.geocoders import cascade
from api.importers import FORMATS
from api.importers.files import RefusedError, load, name_of
from api.importers.placing import Placing, Remarks
from api.importers.rejections import Rejections
from api.importers.store import Account
from api.importers.table import FormatError
from api.settings import Settings
from geo import index
from geo.geocoders import Cascade

#: Characters of a value that the screen shows.
WIDTH = 60


@click.command("import")
@click.argument("kind", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option("--lenient", is_flag=True, help="Load the good rows even if there are bad ones.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to list the bad rows: as JSON lines if it ends in .jsonl, else as CSV."
    "  [default: FILE.rejected.csv, here]",
)
@click.option("--no-places", is_flag=True, help="Leave places as they come, without footprints.")
@click.option("--release", help="Such as 25.1.  [default: what the name of each file says]")
@data_option
def import_events(  # noqa: PLR0913 -- the options of a command
    kind: str,
    files: tuple[Path, ...],
    report: Path | None,
    release: str | None,
    data: Path,
    *,
    lenient: bool,
    no_places: bool,
) -> None:
    """Load events from files: all of them or, if one row is bad, nothing.

    What is there already and reads the same stays untouched, so that the same file again changes
    nothing. FORMAT is `ucdp`: UCDP GED, as CSV. A FILE of - is the standard input.

    The database is the one that DATABASE_URL names; without that it is the private one, which is
    started for the import if `hudna up` is not running.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started has to be stopped
    rejections = Rejections(report or Path(f"{name_of(files[0])}.rejected.csv"))
    with _explained(rejections), ExitStack() as stack:
        screen = stack.enter_context(Screen())
        stack.enter_context(rejections)
        dsn = stack.enter_context(database(data, screen.say))
        conn = stack.enter_context(transaction(dsn, "import"))
        placing = None if no_places else _placing(conn, names_file(data))
        account = load(
            conn,
            FORMATS[kind],
            files,
            release=release,
            lenient=lenient,
            placing=placing,
            rejections=rejections,
            watch=screen,
        )
    click.echo("\n".join([*_account(account), *(_remarks(placing.remarks) if placing else ())]))
    if account.rejected:
        click.echo(f"The bad rows are listed in {rejections.report}.")


def _placing(conn: Connection, names: Path) -> Placing:
    """Return what completes places, if the gazetteer is there."""
    if not index.current(names) or version(conn) != index.version():
        raise click.ClickException(
            "There is no gazetteer: run `hudna gazetteer load`, or import with --no-places."
        )
    return Placing(Names(names), grounds(conn), _geocoders(conn))


def _geocoders(conn: Connection) -> Cascade | None:
    """Return the geocoders that the settings name, remembering in the transaction of `conn`."""
    settings = Settings.from_env({"DATABASE_URL": "-"} | os.environ)
    return cascade(Lent(conn), settings.geocoders, settings.user_agent, settings.geocoder_pause_s)


@contextmanager
def _explained(rejections: Rejections) -> Iterator[None]:
    """Tell what the user can mend without a traceback."""
    try:
        yield
    except RefusedError as error:
        click.echo("\n".join(_refusal(rejections, error.read)), err=True)
        raise click.exceptions.Exit(1) from error
    except psycopg.errors.UniqueViolation as error:
        raise click.ClickException(
            "Nothing was loaded: somebody else wrote one of these events just now. Try again."
        ) from error
    except (ClusterError, FormatError, psycopg.OperationalError, OSError) as error:
        raise click.ClickException(str(error).strip()) from error


def _refusal(rejections: Rejections, read: int) -> Iterator[str]:
    yield f"Nothing was loaded: {rejections.rows:,} of {read:,} rows are bad."
    for problem in rejections.first:
        name = f"{problem.column} {_shown(problem.value)[0]} " if problem.column else ""
        yield f"  {problem.file}:{problem.line}  id {problem.source_id}: {name}{problem.message}"
    yield f"All that is wrong is listed in {rejections.report}."
    yield "To load the good rows, add --lenient."


def _account(account: Account) -> Iterator[str]:
    yield f"{account.read:,} rows read"
    for name in ("created", "changed", "unchanged", "repeated", "rejected"):
        count = getattr(account, name)
        if count or name in {"created", "changed", "unchanged"}:
            yield f"{count:>9,} {name}"
    if account.fields:
        yield "What changed, and how often:"
        yield from (f"{count:>9,} {name}" for name, count in account.fields.items())
        yield "For example:"
        for change in account.examples:
            values = " -> ".join(_shown(change.before, change.after))
            yield f"  {change.source_id}  {change.field}: {values}"
    if not account.created and not account.changed:
        yield "Nothing has changed."


def _remarks(remarks: Remarks) -> Iterator[str]:
    if remarks.counts:
        yield "Places:"
    for kind, count in sorted(remarks.counts.items()):
        yield f"{count:>9,} {kind}"
        yield from (f"           {source_id}  {text}" for source_id, text in remarks.examples[kind])


def _shown(*values: Any) -> list[str]:
    """Return values as the screen shows them: on one line, and only where they differ if long."""
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    if max(map(len, texts)) <= WIDTH:
        return texts
    alike = takewhile(lambda signs: len({*signs}) == 1, zip(*texts, strict=False))
    start = max(0, len([*alike]) - WIDTH // 3) if len(texts) > 1 else 0
    return [_window(text, start) for text in texts]


def _window(text: str, start: int) -> str:
    end = start + WIDTH
    return f"{'…' if start else ''}{text[start:end]}{'…' if text[end:] else ''}"
