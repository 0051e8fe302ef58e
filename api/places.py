"""The store of places: reads of the gazetteer."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier

from api import conditions, geometries
from api.db import Pool, queries, read, retried
from api.schemas import PLACE_PROPERTIES, PLACE_SCALARS
from api.stream import Opening, Page, State, opened, patient

Query = Mapping[str, Any]


@dataclass(frozen=True)
class Summary:
    """How many places there are, and the bounds of their points: west, south, east, north."""

    state: State
    bbox: tuple[float, float, float, float] | None


def summary(pool: Pool) -> Summary:
    """Return what there is to say of all places together."""
    version, number, *bounds = _row(pool, queries("places.sql")["summary"], {})
    west, south, east, north = bounds
    return Summary(_state(version, number), None if west is None else (west, south, east, north))


def state(pool: Pool) -> State:
    """Return which gazetteer there is: it changes as a whole."""
    row = _row(pool, queries("places.sql")["version"], {})
    return _state(row[0] if row else None, 0)


def page(pool: Pool, query: Query) -> Page:
    """Open the page that `query` asks for; its features are read as they are taken."""
    statement, values = _features("page", query), _values(query)
    return _page(pool, query, lambda conn, held: opened(conn, [statement], values, held))


def whole(pool: Pool, query: Query, patience_s: int) -> Page:
    """Open all that `query` asks for from its cursor on, as one page, which may take so long."""
    statement, values = _features("whole", query), _values(query)
    return _page(pool, query, lambda conn, held: patient(conn, statement, values, patience_s, held))


def _page(pool: Pool, query: Query, begin: Opening) -> Page:
    def attempt() -> Page:
        with ExitStack() as held:
            header, rows = begin(held.enter_context(pool.connection()), held)
            return Page(
                state=_state(header["version"], 0),
                first="cursor" not in query,
                more=header["more"],
                last=header["last"],
                matched=None,
                features=rows,
                number=header.get("number"),
                held=held.pop_all(),
            )

    return retried(pool, attempt)


def _features(name: str, query: Query) -> Composed:
    return queries("places.sql")[name].format(
        touched=_touched(query),
        where=_where(query),
        direction=SQL("DESC" if query["sortby"].startswith("-") else "ASC"),
        feature=_feature(query),
    )


def count(pool: Pool, query: Query) -> tuple[State, int]:
    """Return how many places `query` asks for, exactly."""
    statement = queries("places.sql")["count"].format(touched=_touched(query), where=_where(query))
    version, number = _row(pool, statement, _values(query))
    return _state(version, number), number


def one(pool: Pool, place: str, query: Query) -> tuple[State, bytes] | None:
    """Return a place as a feature; None: there is none of that id."""
    statement = queries("places.sql")["one"].format(feature=_feature(query))
    row = _row(pool, statement, {"id": place} | geometries.values(query))
    return (_state(row[0], 0), row[1].encode()) if row else None


def _state(version: str | None, total: int) -> State:
    return State(version or "none", 0, total)


def _values(query: Query) -> dict[str, Any]:
    values = {"limit": query["limit"]} | geometries.values(query)
    values |= {name: query[name] for name in PLACE_SCALARS if name in query}
    if "condition" in query:
        values |= query["condition"].values
    if "region" in query:
        values |= conditions.region_values(query["region"], rims=True)
    if "cursor" in query:
        values |= {"after_key": query["cursor"].key, "after_id": query["cursor"].id}
    return values


def _where(query: Query) -> Composable:
    names = [name for name in PLACE_SCALARS if name in query]
    tests: list[Composable] = [conditions.equals("p", name) for name in names]
    if "condition" in query:
        tests.append(query["condition"].sql)
    if "region" in query:
        tests.append(conditions.place_in(query["region"]))
    if "cursor" in query:
        less = SQL("<" if query["sortby"].startswith("-") else ">")
        behind = SQL("(p.sort_population, p.id) {} (%(after_key)s, %(after_id)s)")
        tests.append(behind.format(less))
    return conditions.conjoined(tests)


def _touched(query: Query) -> Composable:
    return SQL("{}, ").format(queries("grounds.sql")["possible"]) if "region" in query else SQL("")


def _feature(query: Query) -> Composed:
    named = queries("places.sql")
    names = query.get("properties", list(PLACE_PROPERTIES))
    return named["feature"].format(
        geometry=geometries.written(None if query.get("skipGeometry") else named["shape"], query),
        columns=SQL(", ").join(Identifier("p", name) for name in names),
    )


def _row(pool: Pool, statement: SQL | Composed, values: Mapping[str, Any]) -> Any:
    return read(pool, lambda conn: conn.execute(statement, values).fetchone())
