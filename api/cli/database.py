"""The database that a command works on."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from api.cluster import Cluster
from api.db import Connection, migrate, pending, writing
from api.settings import DATA, NAMES

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    envvar="HUDNA_DATA",
    show_envvar=True,
    help="Where the data is kept; if not given, in data/ of this checkout.",
)


@contextmanager
def database(data: Path, say: Callable[[str], None]) -> Iterator[str]:
    """Give the address of the database to work on, and keep its server running.

    It is the one that DATABASE_URL names; without that the private one, started if it must be.
    """
    url = os.environ.get("DATABASE_URL")
    cluster = Cluster(data, say=say)
    if url or cluster.pid is not None:
        yield url or cluster.dsn
    else:
        with cluster:
            migrate(cluster.dsn, say)
            yield cluster.dsn


@contextmanager
def transaction(dsn: str, actor: str) -> Iterator[Connection]:
    """Open a connection for one transaction on a database whose schema is up to date."""
    with writing(dsn, actor) as conn:
        demand_present(conn)
        yield conn


def demand_present(conn: Connection) -> None:
    """Refuse a database whose schema is not up to date."""
    missing = pending(conn)
    if missing:
        raise click.ClickException(f"The database lacks {', '.join(missing)}: run `hudna migrate`.")


def names_file(data: Path) -> Path:
    """Return where the index of place names is kept."""
    return Path(os.environ.get("HUDNA_GAZETTEER") or data / NAMES)
