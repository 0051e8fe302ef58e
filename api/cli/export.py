"""`hudna export`: what the service would answer, as a file."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import psycopg
from marshmallow import Schema, ValidationError

from api import events, geojson, places, problems, regions, sight
from api.cli.database import data_option, database, names_file
from api.cli.pairs import pairs
from api.cli.screen import Screen
from api.cluster import ClusterError
from api.db import Lent, reading
from api.formats import FILES
from api.formats.table import table
from api.gazetteer import Names, NoGazetteerError
from api.parameters import ItemsQuery, PlacesQuery, load
from api.problems import Problem
from api.stream import Page, Store

COLLECTIONS: dict[str, tuple[Store, type[Schema]]] = {
    "events": (events, ItemsQuery),
    "places": (places, PlacesQuery),
}
SUFFIXES = {form.suffix: name for name, form in FILES.items()} | {".geojson": "geojson"}
FORMATS = sorted(SUFFIXES.values())
#: Features between two looks at the bar.
STEP = 500
#: What there is no place for in a file that has everything.
_LEFT_OUT = {"f", "limit", "cursor", "resultType"}
NO_LIMIT_S = 0


@click.command()
@click.argument(
    "file", type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path)
)
@click.argument("parameters", metavar="[NAME=VALUE]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="The format.  [default: what the suffix of FILE says]",
)
@click.option(
    "--collection", type=click.Choice(list(COLLECTIONS)), default="events", show_default=True
)
@data_option
def export(
    file: Path, parameters: tuple[str, ...], form: str | None, collection: str, data: Path
) -> None:
    """Write events to a file: all, or those that the parameters ask for, as the service would.

    A parameter is one of `items`, such as country=IRQ, datetime=2024-01-01/.. or "near=Palmyra".
    A FILE of - is the standard output. The public events alone are written.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started has to be stopped
    form = form or SUFFIXES.get(file.suffix)
    if form is None:
        raise click.UsageError(f"--format is needed: one of {', '.join(FORMATS)}.")
    store, schema = COLLECTIONS[collection]
    with _explained(), ExitStack() as held:
        query = load(schema, b"", pairs(parameters, _LEFT_OUT, "the file has everything"))
        query, _ = regions.narrowed(query, Names(names_file(data)))
        screen = held.enter_context(Screen())
        dsn = held.enter_context(database(data, screen.say))
        conn = held.enter_context(reading(dsn))
        query = sight.resolved(Lent(conn), query)
        page = store.whole(Lent(conn), query, NO_LIMIT_S)
        held.callback(page.close)
        screen.begin(f"Writing {file}", page.number)
        page.features = _watched(page.features, screen)
        write(file, _pieces(page, form, collection, query))
    click.echo(f"{page.number:,} {collection} written.", err=True)


def _pieces(page: Page, form: str, collection: str, query: dict[str, Any]) -> Iterator[bytes]:
    if form == "geojson":
        return geojson.collection(page, [])
    return FILES[form].written(page.features, table(collection, query))


def _watched(features: Iterator[bytes], screen: Screen) -> Iterator[bytes]:
    number = 0
    for number, feature in enumerate(features, 1):
        yield feature
        if number % STEP == 0:
            screen.at(number, number)
    screen.at(number, number)


def write(file: Path, pieces: Iterator[bytes]) -> None:
    """Write a file that is there whole or not at all."""
    if file == Path("-"):
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with unfinished.open("wb") as out:
            out.writelines(pieces)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _explained() -> Iterator[None]:
    """Tell what the user can mend without a traceback."""
    try:
        yield
    except ValidationError as error:
        raise click.UsageError(problems.of_validation(error).detail) from error
    except Problem as error:
        listed = [
            one for each in error.members.get("errors", []) for one in each.get("candidates", [])
        ]
        places_ = "".join(f"\n  place:{one['id']}  {one['name']}" for one in listed)
        raise click.UsageError(error.detail + places_) from error
    except (ClusterError, NoGazetteerError, psycopg.OperationalError, OSError) as error:
        raise click.ClickException(str(error).strip()) from error
