"""`hudna import`: events from files."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
import psycopg

from api.cli.account import refusal, remarked, told, vanishing
from api.cli.database import data_option, database, names_file, transaction
from api.cli.screen import Screen
from api.cluster import ClusterError
from api.db import Connection
from api.gazetteer import NoGazetteerError
from api.importers import FORMATS, format_named
from api.importers.files import RefusedError, Wishes, known, load
from api.importers.mapping import Mapping, MappingError
from api.importers.misfits import misfits
from api.importers.placing import Placing
from api.importers.reading import Format
from api.importers.rejections import Rejections
from api.importers.sources import Source
from api.importers.store import VanishingError
from api.importers.table import FormatError
from api.settings import Settings

STDIN = Path("-")
_existing = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command("import")
@click.argument("name", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.argument("files", metavar="FILE...", nargs=-1, type=_existing)
@click.option("--lenient", is_flag=True, help="Load the good rows even if there are bad ones.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to list the bad rows: as JSON lines if it ends in .jsonl, else as CSV."
    "  [default: FILE.rejected.csv, here]",
)
@click.option("--no-places", is_flag=True, help="Leave places as they come, without footprints.")
@click.option("--release", help="Such as 25.1.  [default: what the name of each file says]")
@click.option(
    "--replace",
    is_flag=True,
    help="The files are the whole of their data set: delete what they lack.",
)
@click.option("--force", is_flag=True, help="Even if that is more than a fifth.")
@click.option(
    "--each",
    is_flag=True,
    help="Each file in a transaction of its own; skip those that were imported before.",
)
@click.option(
    "--visibility",
    type=click.Choice(["public", "restricted"]),
    help="Who may see the events.  [default: public; of acled restricted]",
)
@click.option("--dataset", help="Of csv and geojson: the name of the data set.")
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of csv and geojson: what the columns are, in TOML.",
)
@click.option("--roots", help="Of gdelt: the CAMEO roots to load.  [default: 18,19,20]")
@click.option(
    "--deleted",
    multiple=True,
    type=_existing,
    help="Of acled: the list of deleted events, as CSV or JSON.",
)
@data_option
def import_events(name: str, files: tuple[Path, ...], data: Path, **options: Any) -> None:
    """Load events from files: all of them or, if one row is bad, nothing.

    What is there already and reads the same stays untouched, so that the same file again changes
    nothing. FORMAT is `acled`, `ucdp`, `gdelt`, or `csv` and `geojson` for tables of your own. A
    FILE of - is the standard input.

    The database is the one that DATABASE_URL names; without that it is the private one, which is
    started for the import if `hudna up` is not running.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started has to be stopped
    for wrong in _misfits(name, files, options):
        raise click.UsageError(wrong)
    kind = _format(name, options["roots"], options["mapping_file"])
    named = {field.name for field in fields(Wishes)} & options.keys()
    wishes = Wishes(**{option: options[option] for option in named})
    names = None if options["no_places"] else names_file(data)
    with _explained(), ExitStack() as stack:
        screen = stack.enter_context(Screen())
        dsn = stack.enter_context(database(data, screen.say))
        for batch in [[file] for file in files] if options["each"] else [files]:
            first = _source([*batch, *options["deleted"]][0]).name
            rejections = Rejections(options["report"] or Path(f"{first}.rejected.csv"))
            with (
                rejections,
                _refused(rejections),
                transaction(dsn, "import") as conn,
                _placing(conn, dsn, names) as placing,
            ):
                wished = replace(wishes, placing=placing)
                sources = [_source(path) for path in batch]
                if options["each"] and known(conn, kind, sources[0], wished):
                    click.echo(f"{first}: skipped, it has been imported before.")
                    continue
                account = load(
                    conn,
                    kind,
                    sources,
                    wished,
                    withdrawn=[_source(path) for path in options["deleted"]],
                    rejections=rejections,
                    watch=screen,
                )
            lines = [*told(account), *(remarked(placing.remarks) if placing else ())]
            click.echo("\n".join([f"{first}:", *lines] if options["each"] else lines))
            if account.rejected:
                click.echo(f"The bad rows are listed in {rejections.report}.")


def _misfits(name: str, files: Sequence[Path], options: dict[str, Any]) -> Iterator[str]:
    """Yield what of the options does not go together."""
    each = options["each"]
    if not files and not options["deleted"]:
        yield "Missing argument 'FILE...'."
    given = {"file": files, "deleted": options["deleted"]}
    roles = [role for role, paths in given.items() if paths]
    yield from (f"--{option} {text}" for option, text in misfits(name, options, roles))
    if each and (options["replace"] or options["deleted"] or options["report"]):
        yield "--each has no place beside --replace, --deleted or --report."
    if each and STDIN in files:
        yield "--each needs files that can be read twice."


def _format(name: str, roots: str | None, mapping: Path | None) -> Format:
    """Return the format with what is decided about it."""
    try:
        return format_named(
            name,
            roots=None if roots is None else roots.split(","),
            mapping=Mapping.of_toml(mapping.read_text(encoding="utf-8")) if mapping else None,
        )
    except MappingError as error:
        raise click.UsageError(f"{mapping} {error}") from error
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error


def _source(path: Path) -> Source:
    return Source.of_stream("stdin", sys.stdin.buffer) if path == STDIN else Source.of_path(path)


@contextmanager
def _placing(conn: Connection, dsn: str, names: Path | None) -> Iterator[Placing | None]:
    """Give what completes places, if that is wished and the gazetteer is there."""
    if names is None:
        yield None
        return
    settings = Settings.from_env(os.environ | {"DATABASE_URL": dsn})
    try:
        with Placing.of(conn, names, settings) as placing:
            yield placing
    except NoGazetteerError as error:
        raise click.ClickException(
            "There is no gazetteer: run `hudna gazetteer load`, or import with --no-places."
        ) from error


@contextmanager
def _refused(rejections: Rejections) -> Iterator[None]:
    """Tell why files were refused, and leave."""
    try:
        yield
    except RefusedError as error:
        click.echo("\n".join(refusal(rejections, error.read)), err=True)
        raise click.exceptions.Exit(1) from error
    except VanishingError as error:
        click.echo("\n".join(vanishing(error.account, error.living)), err=True)
        raise click.exceptions.Exit(1) from error


@contextmanager
def _explained() -> Iterator[None]:
    """Tell what the user can mend without a traceback."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise click.ClickException(
            "Nothing was loaded: somebody else wrote one of these events just now. Try again."
        ) from error
    except (ClusterError, FormatError, psycopg.OperationalError, OSError) as error:
        raise click.ClickException(str(error).strip()) from error
