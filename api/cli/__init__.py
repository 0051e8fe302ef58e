"""The command line, `hudna`."""

import click

from api.cli.export import export
from api.cli.keys import keys_group
from api.cli.load import import_events
from api.cli.mirror import command as mirror
from api.cli.places import geocode, places
from api.cli.serve import db, migrate, serve, up


@click.group()
def main() -> None:
    """Conflict events as a live, citable, standards-conformant map layer."""


COMMANDS = [up, serve, migrate, import_events, export, mirror, places, geocode, keys_group, db]
for command in COMMANDS:
    main.add_command(command)
