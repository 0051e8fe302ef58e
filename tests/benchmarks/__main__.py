"""`make bench`: measures, prints, and writes the tables of docs/performance.md.

EVENTS sets how many events there are; with --short everything is small and nothing is written.
"""

import os
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # as pytest does

import synthetic
from api.cluster import Cluster
from api.db import migrate
from conftest import ROOT, serving
from tests.benchmarks.cases import Case, cases, regimes, session, statements, tell
from tests.benchmarks.load import pgbench, wrk

FILE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Bench:
    """What is measured, and for how long."""

    conn: psycopg.Connection
    dsn: str
    url: str
    rounds: int
    seconds: int


def main(*, short: bool) -> None:
    """Measure everything once."""
    number = int(os.environ.get("EVENTS", "20000" if short else "300000"))
    rounds, seconds = (1, 1) if short else (5, 3)
    with TemporaryDirectory(prefix="hudna-bench-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data") as cluster:
            tell(f"Writing {number:,} events ...")
            migrate(cluster.dsn)
            wrote = synthetic.write(cluster.dsn, number)
            cores = len(os.sched_getaffinity(0))
            with session(cluster.dsn) as conn, serving(cluster.dsn, workers=cores) as url:
                bench = Bench(conn, cluster.dsn, url, rounds, seconds)
                text = report(bench, number, wrote)
    sys.stdout.write(text + "\n")
    if not short:
        before, _, rest = FILE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        FILE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
        tell(f"Written to {FILE.relative_to(ROOT)}.")


def report(bench: Bench, number: int, wrote: float) -> str:
    """Return everything that is measured, as Markdown."""
    asked = cases(bench.conn)
    parts = [
        machine(bench, number),
        rates(bench, asked),
        unchanged(bench, asked),
        export(bench),
        worst(bench.conn),
        f"Written by one statement, triggers and all: {number / wrote:,.0f} events/s.",
    ]
    return "\n\n".join(parts)


def machine(bench: Bench, number: int) -> str:
    """Say where and how it was measured."""
    postgres = bench.conn.execute("SHOW server_version").fetchone()[0].split()[0]
    postgis = bench.conn.execute("SELECT postgis_lib_version()").fetchone()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB;"
        f" PostgreSQL {postgres}, PostGIS {postgis}, Python {sys.version.split()[0]};"
        f" {number:,} events; {bench.rounds} rounds of {bench.seconds} s, medians."
    )


def rates(bench: Bench, asked: list[Case]) -> str:
    """Compare the service with the database alone, in turn."""
    lines = [
        "| case | | service, requests/s | p50, p99 ms | database alone | service/database |",
        "|---|---|---|---|---|---|",
    ]
    for case in asked:
        tell(f"Case {case.name}: {case.says} ...")
        url, sent = bench.url + case.path, statements(bench.conn, case)
        wrk(url, 1)
        got, alone = [], []
        for _ in range(bench.rounds):
            got.append(wrk(url, bench.seconds))
            alone.append(pgbench(bench.dsn, sent, bench.seconds))
        rate, half, most = (statistics.median(column) for column in zip(*got, strict=True))
        limit = statistics.median(alone)
        lines.append(
            f"| {case.name} | {case.says} | {rate:,.0f} | {half:.1f}, {most:.1f}"
            f" | {limit:,.0f} | {rate / limit:.0%} |"
        )
    return "\n".join(lines)


def unchanged(bench: Bench, asked: list[Case]) -> str:
    """Compare asking again for what has not changed with asking for one event."""
    tell("Asking again ...")
    one = next(case for case in asked if case.name == "e")
    lines = ["| asked again, unchanged (304) | requests/s | of case e |", "|---|---|---|"]
    for case in asked:
        if case.name not in "cd":
            continue
        url = bench.url + case.path
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
            etag = answer.headers["ETag"]
        again, plain = [], []
        for _ in range(bench.rounds):
            again.append(wrk(url, bench.seconds, f"If-None-Match: {etag}")[0])
            plain.append(wrk(bench.url + one.path, bench.seconds)[0])
        rate, base = statistics.median(again), statistics.median(plain)
        lines.append(f"| {case.name}, {case.says} | {rate:,.0f} | {rate / base:.2f} |")
    return "\n".join(lines)


def export(bench: Bench) -> str:
    """Compare a walk of everything, in pages of 10,000, with COPY."""
    tell("Case h: everything, page by page ...")
    first = f"{bench.url}/collections/events/items?limit=10000"
    walked, copied = [], []
    for _ in range(min(bench.rounds, 3)):
        walked.append(timed(lambda: walk(first)))
        copied.append(timed(lambda: copy(bench.dsn)))
    count, took = walked[0][0], statistics.median(seconds for _, seconds in walked)
    rows, limit = copied[0][0], statistics.median(seconds for _, seconds in copied)
    return (
        f"h: everything, {count:,} events, by one client in pages of 10,000: {count / took:,.0f}"
        f" events/s; COPY of the same text: {rows / limit:,.0f}; {limit / took:.0%}."
    )


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """Return what `work` returned, and the seconds it took."""
    before = time.monotonic()
    return work(), time.monotonic() - before


def walk(url: str | None) -> int:
    """Follow the next links to the end, reading all; return the number of events."""
    count = 0
    while url:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
            links = answer.headers["Link"].split(", ")
            url = next((x[1 : x.index(">")] for x in links if 'rel="next"' in x), None)
            count += answer.read().count(b'\n{"type":"Feature"')
    return count


def copy(dsn: str) -> int:
    """Copy the text of every public event out; return how many there were."""
    count = 0
    with psycopg.connect(dsn) as conn:
        statement = "COPY (SELECT feature FROM event WHERE public) TO STDOUT"
        with conn.cursor().copy(statement) as rows:
            count = sum(bytes(block).count(b"\n") for block in rows)
    return count


def worst(conn) -> str:
    """Say what the worst regimes cost the database."""
    lines = ["| limit | worst regime | ms | median ms |", "|---|---|---|---|"]
    for limit in (100, 1000):
        tell(f"Regimes, limit {limit} ...")
        took = regimes(conn, limit)
        name, most = max(took, key=lambda pair: pair[1])
        middle = statistics.median(ms for _, ms in took)
        lines.append(f"| {limit:,} | {name} | {most:.1f} | {middle:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(short="--short" in sys.argv)
