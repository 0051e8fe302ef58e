"""What it costs to ask where events may have been, against where their points are.

`python -m tests.benchmarks.certainty [EVENTS]` writes so many synthetic events, 1,000,000 if it is
not said, of which three in ten are known to no more than a country or a province, and prints a
table; --plans prints the plans of the costliest regime too.
"""

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # as pytest does

import synthetic
from api.cluster import Cluster
from api.db import migrate

from .cases import ITEMS, Case, asked, cost, session, statements, tell

CERTAINTIES = ["reported", "possible", "certain"]
#: Beside the provinces of any synthetic world, every twelfth event, to make three in ten.
COARSE = 0.2
ROUNDS = 5


def main(number: int, *, plans: bool) -> None:
    """Measure every regime at each certainty."""
    with TemporaryDirectory(prefix="hudna-bench-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data") as cluster:
            tell(f"Writing {number:,} events ...")
            migrate(cluster.dsn)
            synthetic.write(cluster.dsn, number, coarse=COARSE)
            with session(cluster.dsn) as conn:
                share = conn.execute("SELECT avg((ground IS NOT NULL)::int) FROM event").fetchone()
                sys.stdout.write(f"{number:,} events, {share[0]:.0%} on shared ground.\n\n")
                for limit in (100, 1000):
                    table(conn, limit)
                if plans:
                    explain(conn)


def table(conn: psycopg.Connection, limit: int) -> None:
    """Print the milliseconds of every regime, and how many times those of `reported` they are."""
    tell(f"Regimes, limit {limit} ...")
    lines = [
        f"| limit {limit:,}: box, period | reported ms | possible ms | × | certain ms | × |",
        "|---|---|---|---|---|---|",
    ]
    ratios: dict[str, list[float]] = {"possible": [], "certain": []}
    for regime, text in asked(limit).items():
        took: dict[str, list[float]] = {certainty: [] for certainty in CERTAINTIES}
        for _ in range(1 + ROUNDS):  # in turn, so that what disturbs one disturbs all
            for certainty, times in took.items():
                times.append(cost(conn, Case("", "", f"{ITEMS}?{text}&certainty={certainty}")))
        base, *others = (statistics.median(times[1:]) for times in took.values())
        cells = [f"{base:.1f}"]
        for found, ms in zip(ratios.values(), others, strict=True):
            found.append(ms / base)
            cells += [f"{ms:.1f}", f"{ms / base:.1f}"]
        lines.append(f"| {regime} | {' | '.join(cells)} |")
    lines += [
        f"\n{kind}: median {statistics.median(found):.1f} times reported, worst {max(found):.1f}."
        for kind, found in ratios.items()
    ]
    sys.stdout.write("\n".join(lines) + "\n\n")


def explain(conn: psycopg.Connection) -> None:
    """Print the plans of `possible` for every regime that is answered by its last statement."""
    for regime, text in asked(100).items():
        sent = statements(conn, Case("", "", f"{ITEMS}?{text}&certainty=possible"))
        if len(sent) < 2:
            continue
        plan = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sent[-1]}").fetchall()
        sys.stdout.write(f"{regime}\n" + "\n".join(row[0] for row in plan) + "\n\n")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    main(numbers[0] if numbers else 1_000_000, plans="--plans" in sys.argv)
