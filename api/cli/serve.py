"""Commands that start things: all of it, the service alone, the schema."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.markup import escape

from api import gazetteer, sample, serving
from api.cli.database import data_option, database, demand_present, names_file, transaction
from api.cluster import Cluster, ClusterError
from api.db import begin_epoch, check_epoch, writing
from api.db import migrate as bring_up_to_date
from api.gazetteer import Names
from api.settings import Settings

WELCOME = """
Hudna answers at {url}

  curl {url}/collections/events
  curl '{url}/collections/events/items?limit=1'
  curl '{url}{border}'

The data is in {data}. Ctrl-C stops it all.
"""
#: What happened along the Jordan-Syria border in the last days of January 2024.
BORDER = "/collections/events/items?bbox=35.5,31.5,42.5,37.5&datetime=2024-01-15/2024-01-31"

port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes a free one.",
)
host_option = click.option("--host", default="127.0.0.1", show_default=True)
workers_option = click.option(
    "--workers", type=click.IntRange(1), help="Processes; if not given, as many as cores."
)


@click.command()
@port_option
@host_option
@data_option
@workers_option
@click.option("--no-sample", is_flag=True, help="Leave a new database empty.")
def up(port: int, host: str, data: Path, workers: int | None, *, no_sample: bool) -> None:
    """Start all of it: a private PostGIS, the sample data, the service.

    Everything is in the data folder, and nothing is left running when this ends.
    """
    with _stoppable(), _explained(), ExitStack() as stack:
        host, port = serving.free_address(host, port)
        with _progress() as say:
            cluster = Cluster(data, say=say)
            os.environ["DATABASE_URL"] = cluster.dsn
            _settings()
            stack.enter_context(cluster)
            bring_up_to_date(cluster.dsn, say)
            _load_gazetteer(cluster.dsn, names_file(data), say)
            if not no_sample:
                say("Looking after the sample data")
                sample.load(cluster.dsn, Names(names_file(data)))

        def ready(url: str) -> None:
            click.echo(WELCOME.format(url=url, border=BORDER, data=cluster.folder))

        host, port = serving.free_address(host, port)
        code = serving.serve(host, port, workers or _cores(), ready)
    sys.exit(code)


@click.command()
@port_option
@host_option
@workers_option
def serve(port: int, host: str, workers: int | None) -> None:
    """Serve the database that DATABASE_URL names."""
    with _stoppable(), _explained():
        host, port = serving.free_address(host, port)
        with psycopg.connect(_settings().database_url, connect_timeout=5) as conn:
            demand_present(conn)
            check_epoch(conn)
        code = serving.serve(
            host, port, workers or _cores(), lambda url: click.echo(f"Hudna answers at {url}")
        )
    sys.exit(code)


@click.command()
def migrate() -> None:
    """Bring the schema of the database that DATABASE_URL names up to date."""
    with _explained(), _progress() as say:
        done = bring_up_to_date(_settings().database_url, say)
    click.echo(f"Done: {', '.join(done) or 'the schema was up to date'}.")


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@data_option
def url(data: Path) -> None:
    """Print the private database's address, for psql and DATABASE_URL; fail if it is not running.

    Only who started it, and root, can use it.
    """
    cluster = Cluster(data)
    click.echo(cluster.dsn)
    if cluster.pid is None:
        raise click.ClickException("It is not running: `hudna up` starts it.")


@db.command()
@data_option
def restored(data: Path) -> None:
    """Say that the database was restored from a backup.

    Heads, cursors and entity tags that were handed out after the backup was made are refused from
    now on: their numbers will be given out again, for other things. It is the database that
    DATABASE_URL names, or the private one.
    """
    say = partial(click.echo, err=True)
    with database(data, say) as dsn, transaction(dsn, "command line") as conn:
        begin_epoch(conn)
    click.echo("A new epoch has begun.")


def _load_gazetteer(dsn: str, names: Path, say: Callable[[str], None]) -> None:
    """Load the gazetteer if it is not there, and let the service know where its names are."""
    os.environ["HUDNA_GAZETTEER"] = str(names)
    with writing(dsn, "gazetteer") as conn:
        gazetteer.ensure(conn, names, lambda stage, share: say(f"Gazetteer: {share:.0%}, {stage}"))


def _settings() -> Settings:
    try:
        return Settings.from_env(os.environ)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _cores() -> int:
    """Return how many cores this process may use, which in a container are not all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM and a closed terminal do what Ctrl-C does, and all be a good end (code 0)."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(0)


@contextmanager
def _explained() -> Iterator[None]:
    """Tell what the user can mend in a line, without a traceback."""
    try:
        yield
    except serving.AddressError as error:
        raise click.ClickException(
            f"{error}. Choose another place with --port and --host, or `make run PORT=8001`."
        ) from error
    except (ClusterError, psycopg.OperationalError) as error:
        raise click.ClickException(str(error).strip()) from error


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield whom to tell what is being done: one changing line, or lines if nobody is watching."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if console.is_terminal:
        with console.status("Starting") as status:
            yield lambda text: status.update(escape(text))
    else:
        yield lambda text: click.echo(text, err=True)
