"""The command line, `hudna`."""

import click

from api.cli.export import export
from api.cli.load import import_events
from api.cli.mirror import command as mirror
from api.cli.places import geocode, places
from api.cli.serve import db, migrate, serve, up


@click.group()
def main() -> None:
    """Conflict events as a live, citable, standards-conformant map layer."""


for command in (up, serve, migrate, import_events, export, mirror, places, geocode, db):
    main.add_command(command)
