"""What it costs to delete many events: one by one, and by one statement as an import does.

`python -m tests.benchmarks.deleting [EVENTS [ROUNDS]]` writes so many synthetic events, 100,000 if
it is not said, and deletes 1,000, 5,000 and 20,000 of them in both ways, in turn, three times.
Nothing of a deletion stays.
"""

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # as pytest does

import synthetic
from api.cluster import Cluster
from api.db import migrate

from .cases import tell

NUMBERS = (1_000, 5_000, 20_000)
WAYS = {
    "one by one": "SELECT count(event_delete(id)) FROM absent",
    "at once": "SELECT count(*) FROM events_delete(ARRAY(SELECT id FROM absent))",
}


class Cost(NamedTuple):
    """What a deletion took, in seconds: itself, and its end."""

    deleting: float
    committing: float


def main(number: int = 100_000, rounds: int = 3) -> None:
    """Measure both ways for each number, in turn, and print a table."""
    numbers = [n for n in NUMBERS if n <= number / 2]
    took: dict[tuple[int, str], list[Cost]] = {(n, way): [] for n in numbers for way in WAYS}
    with TemporaryDirectory(prefix="hudna-bench-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data") as cluster:
            migrate(cluster.dsn)
            tell(f"Writing {number:,} events ...")
            synthetic.write(cluster.dsn, number)
            with psycopg.connect(cluster.dsn, autocommit=True) as conn:
                for n in range(rounds):
                    for (many, way), costs in took.items():
                        costs.append(cost(conn, many, WAYS[way]))
                        tell(f"Round {n + 1}, {many:,} {way}: {sum(costs[-1]):.1f} s")
    table(number, took)


def cost(conn: psycopg.Connection, many: int, deletion: str) -> Cost:
    """Return what it takes to delete so many events; nothing of it stays."""
    with conn.transaction(force_rollback=True):
        conn.execute("CREATE TEMP TABLE absent (id uuid) ON COMMIT DROP")
        conn.execute(
            "INSERT INTO absent SELECT id FROM event WHERE NOT deleted"
            " ORDER BY source_id::int LIMIT %s",
            [many],
        )
        begun = monotonic()
        found = conn.execute(deletion).fetchone()
        deleted = monotonic()
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as a commit does
        ended = monotonic()
    if found != (many,):
        raise ValueError(f"{many} were to be deleted, and {found} were")
    conn.execute("VACUUM event, event_history, event_cell, feed.tx")
    conn.execute("CHECKPOINT")
    return Cost(deleted - begun, ended - deleted)


def table(number: int, took: dict[tuple[int, str], list[Cost]]) -> None:
    """Print the medians of each number, and how they compare."""
    lines = [
        f"| deleted of {number:,} | one by one, s | at once, s | × | of that the end, s |",
        "|---|---|---|---|---|",
    ]
    for many in dict.fromkeys(many for many, _ in took):
        one, all_ = (statistics.median(map(sum, took[many, way])) for way in WAYS)
        end = statistics.median(cost.committing for cost in took[many, "at once"])
        lines.append(f"| {many:,} | {one:.2f} | {all_:.2f} | {one / all_:.1f} | {end:.2f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
