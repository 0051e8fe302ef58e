"""The questions that are measured, and the statements that the service asks for each."""

import itertools
import json
import sys
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

import psycopg

from api import geometries, page, sight
from api.db import SESSION
from api.parameters import EventQuery, ItemsQuery, load

ITEMS = "/collections/events/items"
IRAQ = "38.8,29.1,48.5,37.3"
MIDDLE_EAST = "34,12,63,42"

BOXES = {
    "town": "44.2,33.0,44.8,33.6",
    "country, late": "22.1,44.4,40.2,52.3",
    "country, early": "79.6,5.9,81.9,9.8",
    "region": MIDDLE_EAST,
    "nothing there": "70,-42,95,-15",
    "world": "-180,-90,180,90",
}
PERIODS = {"days": "2025-05-10/2025-05-14", "year": "2005-01-01/2005-12-31", "all": None}


@dataclass(frozen=True)
class Case:
    """One request: how it is called, and its path with its query."""

    name: str
    says: str
    path: str

    @property
    def query(self):
        """What the service makes of it."""
        text = self.path.partition("?")[2]
        return load(ItemsQuery, text.encode(), parse_qsl(text))


def cases(conn) -> list[Case]:
    """Return the cases; two of them need to know what is in the database."""
    event = conn.execute("SELECT id FROM event WHERE public ORDER BY id LIMIT 1").fetchone()[0]
    deep = conn.execute(
        "SELECT sort_on, id FROM event WHERE public ORDER BY sort_on DESC, id DESC"
        " OFFSET (SELECT count(*) / 3 FROM event) LIMIT 1"
    ).fetchone()
    from api.cursors import cursor  # noqa: PLC0415 - beside its one use

    place = cursor("-starts_on", deep[0].isoformat(), str(deep[1]))
    return [
        Case("a", "the newest 10", f"{ITEMS}?limit=10"),
        Case("b", "Iraq, 30 days, 100", f"{ITEMS}?bbox={IRAQ}&datetime=2025-05-01/2025-05-30"),
        Case(
            "c",
            "the Middle East, a year, 1,000",
            f"{ITEMS}?bbox={MIDDLE_EAST}&datetime=2024-01-01/2024-12-31&limit=1000",
        ),
        Case("d", "the newest 10,000", f"{ITEMS}?limit=10000"),
        Case("e", "one event by its id", f"{ITEMS}/{event}"),
        Case("f", "10, behind a third of all", f"{ITEMS}?limit=10&cursor={place}"),
    ]


def statements(conn, case: Case) -> list[str]:
    """Return the statements that the service sends for `case`, with their values in them."""
    bind = psycopg.ClientCursor(conn).mogrify
    if "?" not in case.path:
        event, query = UUID(case.path.rpartition("/")[2]), load(EventQuery, b"", [])
        values = {"id": event} | geometries.values(query) | sight.values(query)
        return [bind(page.one(query), values)]
    sent = []
    values = page.parameters(case.query)
    for statement in page.statements(case.query):
        sent.append(bind(statement, values))
        if json.loads(conn.execute(statement, values).fetchone()[0])["enough"]:
            break
    return sent


def regimes(conn, limit: int) -> list[tuple[str, float]]:
    """Return each regime of box and period with the milliseconds of all its statements."""
    took = []
    for name, text in asked(limit).items():
        case = Case("", "", f"{ITEMS}?{text}")
        times = [cost(conn, case) for _ in range(4)]  # the first warms
        took.append((name, sorted(times[1:])[1]))
    return took


def asked(limit: int) -> dict[str, str]:
    """Return the queries of all regimes of box and period by their names."""
    return {
        f"{box}, {period}": f"bbox={corners}&limit={limit}" + (f"&datetime={days}" if days else "")
        for (box, corners), (period, days) in itertools.product(BOXES.items(), PERIODS.items())
    }


def cost(conn, case: Case) -> float:
    """Return the milliseconds of all statements of a case, planning included."""
    explained = [
        conn.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {s}").fetchone()[0][0]
        for s in statements(conn, case)
    ]
    return sum(e["Execution Time"] + e["Planning Time"] for e in explained)


def session(dsn: str) -> psycopg.Connection:
    """Return a connection with the settings of the service's."""
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    return psycopg.connect(dsn, autocommit=True, options=options)


def tell(text: str) -> None:
    """Say what is being done."""
    sys.stderr.write(text + "\n")
