"""What tiles cost: time and size at every zoom, revalidation, and what the counts cost a writer.

`python -m tests.benchmarks.tiles [EVENTS]` writes so many synthetic events, 1,000,000 if it is not
said, and prints tables. Tiles are asked of the application itself, without a server in front.
"""

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # as pytest does

import synthetic
from api import create_app
from api.cluster import Cluster
from api.db import migrate
from api.settings import Settings
from geo.tiles import Tile

from .cases import session, tell

QUAD = "/collections/events/tiles/WebMercatorQuad"
QUERIES = {
    "everything": "",
    "one year": "datetime=2023-05-10/2024-05-09",
    "one country": "country=IRQ",
}
ROUNDS = 9
#: So many of the busiest tiles of a zoom are asked for; the figures are of the worst of them.
BUSIEST = 3
#: Events of the measured writes: a bulk, and transactions of one event each.
BULK, SMALL = 50_000, 400


def main(number: int) -> None:
    """Measure and print."""
    with TemporaryDirectory(prefix="hudna-bench-") as folder:
        Path(folder).chmod(0o711)
        with Cluster(Path(folder) / "data") as cluster:
            tell("Writing, without and with counts ...")
            writes(cluster.dsn)
            tell(f"Writing {number:,} events ...")
            dsn = database(cluster.dsn, "tiles")
            synthetic.write(dsn, number)
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute("VACUUM (ANALYZE) event_cell")
            with session(dsn) as conn:
                sizes(conn, number)
                tiles = {zoom: busiest(conn, zoom) for zoom in range(11)}
            app = create_app(Settings(database_url=dsn, statement_timeout_s=60))
            try:
                table(app.test_client(), tiles)
                revalidation(app.test_client(), tiles[4][0])
            finally:
                app.extensions["hudna"].pool.close()


def database(dsn: str, name: str) -> str:
    """Make a database with the schema."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    made = psycopg.conninfo.make_conninfo(dsn, dbname=name)
    migrate(made)
    return made


def writes(dsn: str) -> None:
    """Print how many events a second are written with the counts, and without."""
    lines = ["| written | without counts, events/s | with counts, events/s |", "|---|---|---|"]
    bulk, small = {}, {}
    for counts in (False, True):
        made = database(dsn, f"writes_{counts}".lower())
        if not counts:
            with psycopg.connect(made) as conn:
                conn.execute(
                    "CREATE OR REPLACE FUNCTION event_cell_add(tx bigint) RETURNS void"
                    " LANGUAGE sql AS ''"
                )
        bulk[counts] = BULK / synthetic.write(made, BULK)
        before = perf_counter()
        with psycopg.connect(made) as conn:
            for n in range(SMALL):
                conn.execute(
                    "INSERT INTO event (id, dataset, source_id, event_type, geom, starts_on)"
                    " VALUES (gen_random_uuid(), 'small', %s, 'Riots',"
                    " ST_Point(30 + %s %% 10, 15, 4326), '2024-01-01')",
                    [str(n), n],
                )
                conn.commit()
        small[counts] = SMALL / (perf_counter() - before)
    lines.append(f"| {BULK:,} in one transaction | {bulk[False]:,.0f} | {bulk[True]:,.0f} |")
    lines.append(f"| each in its own | {small[False]:,.0f} | {small[True]:,.0f} |")
    sys.stdout.write("\n".join(lines) + "\n\n")


def sizes(conn: psycopg.Connection, number: int) -> None:
    """Print how large the table of counts is."""
    row = conn.execute(
        "SELECT count(*), pg_total_relation_size('event_cell') / 1e6,"
        " pg_total_relation_size('event') / 1e6 FROM event_cell"
    ).fetchone()
    text = "{:,} events; {:,} counts, {:,.0f} MB beside {:,.0f} MB of events.\n\n"
    sys.stdout.write(text.format(number, *row))


def busiest(conn: psycopg.Connection, zoom: int) -> list[Tile]:
    """Return the tiles with the most events."""
    return [
        Tile(zoom, row, column)
        for row, column in conn.execute(
            "SELECT map_y(geom) >> 34 - %(zoom)s, map_x(geom) >> 34 - %(zoom)s FROM event"
            " WHERE public AND map_y(geom) IS NOT NULL GROUP BY 1, 2"
            " ORDER BY count(*) DESC LIMIT %(most)s",
            {"zoom": zoom, "most": BUSIEST},
        )
    ]


def table(client, tiles: dict[int, list[Tile]]) -> None:
    """Print median milliseconds and kilobytes of the worst of the busiest tiles of each zoom."""
    titles = " | ".join(f"{name}, ms | kB" for name in QUERIES)
    lines = [f"| zoom | {titles} |", "|---" * (1 + 2 * len(QUERIES)) + "|"]
    for zoom, found in tiles.items():
        cells = []
        for text in QUERIES.values():
            asked = [took(client, f"{QUAD}/{at.zoom}/{at.row}/{at.column}?{text}") for at in found]
            cells += [f"{max(ms for ms, _ in asked):.1f}", f"{max(kb for _, kb in asked):.1f}"]
        lines.append(f"| {zoom} | {' | '.join(cells)} |")
    sys.stdout.write("\n".join(lines) + "\n\n")


def took(client, path: str, **headers: str) -> tuple[float, float]:
    """Return the median milliseconds of an answer, and its kilobytes before compression."""
    times = []
    for _ in range(1 + ROUNDS):  # the first warms
        before = perf_counter()
        answer = client.get(path, headers=headers)
        times.append((perf_counter() - before) * 1000)
        if answer.status_code not in {200, 204, 304}:
            raise SystemExit(f"{path}: {answer.status} {answer.text}")
    return statistics.median(times[1:]), len(answer.data) / 1000


def revalidation(client, at: Tile) -> None:
    """Print what it costs to learn that a tile is unchanged, beside the head alone."""
    path = f"{QUAD}/{at.zoom}/{at.row}/{at.column}"
    tag = client.get(path).headers["ETag"]
    again, _ = took(client, path, **{"If-None-Match": tag})
    items = "/collections/events/items?limit=10"
    page, _ = took(client, items, **{"If-None-Match": client.get(items).headers["ETag"]})
    whole, _ = took(client, path)
    sys.stdout.write(
        f"Unchanged (304): {again:.2f} ms; a page of items, unchanged: {page:.2f} ms;"
        f" the tile itself: {whole:.1f} ms.\n"
    )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    main(numbers[0] if numbers else 1_000_000)
