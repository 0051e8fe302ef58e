"""`hudna gazetteer` and `hudna geocode`: places."""

import json
import signal
from pathlib import Path

import click
import psycopg

from api import gazetteer, geocoding
from api.cli.database import data_option, database, names_file, transaction
from api.cli.screen import Screen
from api.cluster import ClusterError
from geo import index
from geo.expressions import Unplaced
from geo.fixes import Fixer
from geo.gazetteer import Gazetteer
from geo.lookup import Fix


@click.group("gazetteer")
def places() -> None:
    """Look after the gazetteer: names, outlines and borders of the world's places."""


@places.command()
@data_option
def load(data: Path) -> None:
    """Load the gazetteer, unless the one of this version is there: half a minute, once.

    The names go to an index file (HUDNA_GAZETTEER, or places.sqlite in the data folder), the places
    to the database that DATABASE_URL names; without that it is the private one.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started has to be stopped
    try:
        with (
            Screen() as screen,
            database(data, screen.say) as dsn,
            transaction(dsn, "gazetteer") as conn,
        ):
            screen.begin("Loading the gazetteer", 100)
            done = gazetteer.ensure(
                conn,
                names_file(data),
                lambda stage, share: screen.reached(round(100 * share), stage),
            )
    except (ClusterError, psycopg.OperationalError, OSError) as error:
        raise click.ClickException(str(error).strip()) from error
    click.echo("The gazetteer is loaded." if done else "The gazetteer is there already.")


@click.command()
@click.argument("phrase")
@click.option("--country", help="Where to look, in ISO 3166-1 alpha-3.")
@click.option("--geojson", is_flag=True, help="Print the place and its ground as GeoJSON.")
@data_option
def geocode(phrase: str, country: str | None, data: Path, *, geojson: bool) -> None:
    """Find a place by its name or by a PHRASE, such as "40 km north-west of Deir ez-Zor"."""
    names = names_file(data)
    if not index.current(names):
        raise click.ClickException("No places are known here: run `hudna gazetteer load`.")
    try:
        found = Fixer(Gazetteer(names)).fix(phrase, country=country)
    except Unplaced as error:
        raise click.ClickException(f"{error}.") from error
    if geojson:
        click.echo(json.dumps(geocoding.fixed(found, footprint=True), ensure_ascii=False))
    else:
        click.echo("\n".join(_told(found)))


def _told(found: Fix) -> list[str]:
    """Return a place in words."""
    lines = [
        found.name,
        f"  {found.point.y:.4f}, {found.point.x:.4f} (latitude, longitude)",
        f"  {found.precision.value}, within {found.uncertainty_km:g} km of that",
        *(f"  {step}" for step in found.chain),
    ]
    others = [one for one in found.candidates if one.id != found.id]
    if others:
        doubt = "It may as well be" if found.ambiguous else "Others of that name"
        lines += [f"{doubt}:", *(f"  place:{one.id}  {one.label}" for one in others)]
    return lines
