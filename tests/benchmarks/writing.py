"""What the indexes and the column cost a bulk insert that are there for grounds.

`python -m tests.benchmarks.writing [EVENTS [ROUNDS]]` inserts so many synthetic events, 200,000 if
it is not said, of which three in ten stand on shared ground, with the schema as it is and without
each in turn, three times. The processor time is the server process's own, so that little of what
else runs shows in it.
"""

import os
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
from .certainty import COARSE

_INDEXES = ["event_own_ground", "event_ground", "event_precision"]
#: The walks keep their indexes, without what the column adds to them.
_REACH = """ALTER TABLE event DROP COLUMN reach CASCADE;
CREATE INDEX event_newest ON event (sort_on DESC, id DESC) INCLUDE (geom, ground) WHERE public;
CREATE INDEX event_deadliest ON event (sort_toll DESC, id DESC) INCLUDE (geom, ground)
  WHERE public"""
#: What is changed before the insert.
VARIANTS: dict[str, list[str]] = {
    "as it is": [],
    **{f"without {name}": [f"DROP INDEX {name}"] for name in _INDEXES},
    "without reach": [_REACH],
    "without all four": [*(f"DROP INDEX {name}" for name in _INDEXES), _REACH],
}


class Cost(NamedTuple):
    """What an insert took: processor seconds, seconds, and megabytes of the log of writes."""

    cpu: float
    wall: float
    wal: float


def main(number: int = 200_000, rounds: int = 3) -> None:
    """Measure every variant, in turn, and print a table."""
    with TemporaryDirectory(prefix="hudna-bench-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data") as cluster:
            migrate(cluster.dsn)
            tell(f"Staging {number:,} events ...")
            with psycopg.connect(cluster.dsn, autocommit=True) as conn:
                insert = synthetic.stage(conn, number, coarse=COARSE)
                conn.execute("ANALYZE staged")
                took: dict[str, list[Cost]] = {name: [] for name in VARIANTS}
                for n in range(rounds):
                    for name, costs in took.items():
                        costs.append(cost(conn, insert, VARIANTS[name]))
                        tell(
                            f"Round {n + 1}, {name}: {costs[-1].cpu:.1f} s, {costs[-1].wal:.0f} MB"
                        )
    table(number, took)


def cost(conn: psycopg.Connection, insert, changes: list[str]) -> Cost:
    """Return what `insert` takes after some changes of the schema; nothing of it stays."""
    pid = conn.info.backend_pid
    with conn.transaction(force_rollback=True):
        for change in changes:
            conn.execute(change)
        written, cpu, wall = _written(conn), _cpu(pid), monotonic()
        conn.execute(insert)
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as a commit does
        found = Cost(_cpu(pid) - cpu, monotonic() - wall, (_written(conn) - written) / 1e6)
    conn.execute("VACUUM FULL event")  # what was rolled back is still in its files
    conn.execute("CHECKPOINT")
    return found


def _cpu(pid: int) -> float:
    """Return the seconds that a process has had of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _written(conn: psycopg.Connection) -> int:
    return int(conn.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()[0])


def table(number: int, took: dict[str, list[Cost]]) -> None:
    """Print the medians of every variant, and what share of the whole each would save."""
    base = Cost(*(statistics.median(values) for values in zip(*took["as it is"], strict=True)))
    lines = [
        f"| {number:,} events | processor s | saves | s | MB of WAL | saves |",
        "|---|---|---|---|---|---|",
    ]
    for name, costs in took.items():
        cpu, wall, wal = (statistics.median(values) for values in zip(*costs, strict=True))
        saved = [f"{1 - cpu / base.cpu:.0%}", f"{1 - wal / base.wal:.0%}"]
        lines.append(f"| {name} | {cpu:.1f} | {saved[0]} | {wall:.1f} | {wal:.0f} | {saved[1]} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
