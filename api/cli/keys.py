"""`hudna keys`: keys for those who may do more than read what is public."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg

from api import keys
from api.cli.database import data_option, database, transaction
from api.cluster import ClusterError
from api.db import Connection
from api.keys import SCOPES, Key

#: In whose name keys are made and revoked here.
ACTOR = "command line"


@click.group("keys")
def keys_group() -> None:
    """Make, list and revoke the keys of those who may do more than read what is public."""


@keys_group.command()
@click.option(
    "--name",
    required=True,
    help="Whose key it is. The public history of an event names its authors so: take a name that"
    " may be published, and none that endangers anybody.",
)
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice([*SCOPES]),
    help="What it is for; may be repeated. " + "; ".join(f"{s}: {d}" for s, d in SCOPES.items()),
)
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="The instant from which on it is none, in UTC; if not given, it is one until revoked.",
)
@data_option
def create(name: str, scopes: tuple[str, ...], expires: datetime | None, data: Path) -> None:
    """Make a key and print it, once: it is kept nowhere.

    The key alone is the last line of the output.
    """
    until = expires.replace(tzinfo=UTC) if expires else None
    if until and until <= datetime.now(UTC):
        raise click.BadParameter("it has to be in the future.", param_hint="--expires")
    with _opened(data) as conn:
        try:
            made, text = keys.make(conn, name, scopes, until)
        except ValueError as error:
            raise click.ClickException(f"{str(error).capitalize()}.") from error
    click.echo(f"A key for {', '.join(made.scopes)}. It is not shown again:", err=True)
    click.echo(text)


@keys_group.command("list")
@data_option
def list_(data: Path) -> None:
    """List all keys, the newest first."""
    with _opened(data) as conn:
        found = keys.listed(conn)
    if not found:
        click.echo("There are no keys.", err=True)
    for key in found:
        click.echo(_told(key))


@keys_group.command()
@click.argument("which", metavar="NAME_OR_PREFIX")
@data_option
def revoke(which: str, data: Path) -> None:
    """End a key at once, by its name or its prefix."""
    with _opened(data) as conn:
        try:
            ended = keys.revoke(conn, which)
        except LookupError as error:
            raise click.ClickException(str(error.args[0])) from error
    click.echo(f"The key {ended.prefix} of {ended.name} is revoked.")


def _told(key: Key) -> str:
    until = f"{key.expires_at.astimezone(UTC):%Y-%m-%d %H:%M}" if key.expires_at else "-"
    return f"{key.prefix}  {key.state:<8} {until:<17} {','.join(key.scopes):<30} {key.name}"


@contextmanager
def _opened(data: Path) -> Iterator[Connection]:
    try:
        with (
            database(data, lambda text: click.echo(text, err=True)) as dsn,
            transaction(dsn, ACTOR) as conn,
        ):
            yield conn
    except (ClusterError, psycopg.OperationalError, OSError) as error:
        raise click.ClickException(str(error).strip()) from error
