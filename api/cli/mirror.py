"""`hudna mirror`: a copy of the events of a service, kept in step with it."""

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import click
import psycopg

from api.cli.pairs import pairs
from api.cli.screen import Screen
from api.mirror import Origin, Progress, TargetError, mirror
from api.mirror.client import AwayError, Feed, RefusedError
from api.mirror.geopackage import GeoPackage
from api.mirror.postgis import PostGIS
from api.parameters import LIMIT_MAXIMUM

#: What has no place in a copy, which has everything, in longitude and latitude.
_LEFT_OUT = {"f", "limit", "cursor", "wait", "crs"}
#: How long a service may be away, unless the copy is to follow it for ever.
PATIENCE_S = 300


@click.command("mirror")
@click.argument("url")
@click.argument("target")
@click.argument("parameters", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--follow", is_flag=True, help="Go on: take every change as soon as there is one.")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the key to send; without it, HUDNA_KEY has it.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, LIMIT_MAXIMUM),
    default=1000,
    show_default=True,
    help="Changes in one transaction.",
)
@click.option("--table", default="events", show_default=True, help="The table in schema hudna.")
def command(  # noqa: PLR0913, PLR0917 -- click gives each by its name
    url: str,
    target: str,
    parameters: tuple[str, ...],
    key_file: Path | None,
    limit: int,
    table: str,
    *,
    follow: bool,
) -> None:
    """Keep a copy of a service's events in step: all, or those that the parameters ask for.

    URL is the address of the service. TARGET is a FILE.gpkg, or the postgresql:// address of a
    PostGIS. Run it again, or with --follow, and it takes what has changed, deletions included. It
    may be broken off at any time.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    filters = sorted(pairs(parameters, _LEFT_OUT, "the copy has everything"))
    key = key_file.read_text().strip() if key_file else os.environ.get("HUDNA_KEY")
    patience_s = None if follow else PATIENCE_S
    with _explained(), Screen() as screen:
        feed = Feed(url, filters, limit=limit, key=key, patience_s=patience_s, say=screen.say)
        copy = _opened(target, table, Origin(feed.url, urlencode(filters)), filters)
        with closing(copy):
            screen.begin(f"Mirroring {feed.url}", None)

            def tell(progress: Progress) -> None:
                screen.at(0, progress.changes)

            number = mirror(feed, copy, follow=follow, tell=tell)
    click.echo(f"{number:,} changes applied; {target} is up to date.", err=True)


def _opened(
    target: str, table: str, origin: Origin, filters: list[tuple[str, str]]
) -> GeoPackage | PostGIS:
    if target.startswith(("postgresql://", "postgres://")):
        return PostGIS(target, table, origin, filters)
    path = Path(target)
    if path.suffix != ".gpkg":
        raise click.UsageError("TARGET must be a FILE.gpkg, or begin with postgresql://.")
    return GeoPackage(path, origin, filters)


@contextmanager
def _explained() -> Iterator[None]:
    """Tell what the user can mend without a traceback; to be stopped is a good end."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(0)
    except (TargetError, RefusedError, AwayError) as error:
        raise click.ClickException(str(error)) from error
    except (psycopg.Error, sqlite3.Error, OSError) as error:
        raise click.ClickException(str(error).strip()) from error
