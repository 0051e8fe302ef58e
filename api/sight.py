"""Whose eyes a query has, and as of when: which events there are for it.

(docs/decisions/0014-sight.md)

The public sees what is public, now. A key may see what is restricted as well, and anybody may ask
for the past: the events as they were at a head. Of the past nothing is shown that has been erased
or, to the public, restricted since; how many events are missing for that is said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields
from psycopg.sql import SQL, Composable, Literal, Placeholder

from api.db import Pool, queries, read
from api.fields import Reader

Query = Mapping[str, Any]

_NUMBER = re.compile(r"(?:([0-9a-f]{8})\.)?([1-9][0-9]{0,17})", re.ASCII)
NOW = SQL("event")
EVER = SQL("event_version")
#: The instant of a head before the first.
BEFORE_ALL = "0001-01-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Asked:
    """A moment of the past as it is asked for: a head, maybe of a certain epoch, or an instant."""

    number: int | None = None
    epoch: str | None = None
    instant: datetime | None = None


class AsOf(Reader, fields.Field[Asked]):
    """A head, ``1234`` or ``3f2a9c01.1234``, or an instant of RFC 3339."""

    def _read(self, text: str) -> Asked:
        number = _NUMBER.fullmatch(text)
        if number:
            return Asked(int(number[2]), number[1])
        try:
            instant = datetime.fromisoformat(text.replace(" ", "+"))
        except ValueError:
            raise ValidationError(
                "must be a head, such as 1234 or 3f2a9c01.1234, or an instant such as"
                " 2026-02-04T12:00:00Z."
            ) from None
        if instant.tzinfo is None:
            raise ValidationError("must say in which time zone: end it with Z, or +03:00.")
        if not 1 < instant.year < 9999:
            raise ValidationError("is no instant of this service.")
        return Asked(instant=instant.astimezone(UTC))


@dataclass(frozen=True)
class Past:
    """A head that was: its instant, and how many events there were that the public could see."""

    head: int
    at: str
    total: int | None


@dataclass(frozen=True)
class Sight:
    """What a query sees: what is restricted too, or not; now, or as it was."""

    restricted: bool = False
    past: Past | None = None


PUBLIC = Sight()


class LostHeadError(Exception):
    """A head that was handed out and is no more: the database has been restored from before it."""


def of(query: Query) -> Sight:
    """Return the sight of `query`: the public's, now, unless it says otherwise."""
    found: Sight = query.get("sight", PUBLIC)
    return found


def resolved(pool: Pool, query: Query, *, restricted: bool = False) -> dict[str, Any]:
    """Return `query` with its sight.

    Raises:
        ValidationError: `as_of` asks for what has not been yet, or for exact places.
        LostHeadError: it asks for a head of which nothing is left.
    """
    if "as_of" in query and not has_past(query):
        text = "cannot be asked for with geometry=exact: where an event really was has no past."
        raise ValidationError({"as_of": [text]})
    past = _past(pool, query["as_of"], restricted=restricted) if "as_of" in query else None
    return {**query, "sight": Sight(restricted, past)}


def has_past(query: Query) -> bool:
    """Tell whether `query` may ask for what was: of exact places only the present one is kept."""
    return query.get("geometry") != "exact"


def _past(pool: Pool, asked: Asked, *, restricted: bool) -> Past:
    named = queries("sight.sql")
    holes = {
        "newest": SQL("s.head" if restricted else "s.public_head"),
        "told": Literal(True) if restricted else SQL("t.public"),  # noqa: FBT003 - a value
    }
    if asked.instant is None:
        number = asked.number or 0
        if asked.epoch:
            _check_epoch(pool, asked.epoch, number)
        statement = named["by_number"].format(**holes)
        newest, head, at, total = _row(pool, statement, {"number": number})
        if number > newest:
            raise ValidationError({"as_of": [f"is a head that has not been yet: {newest} is."]})
        return Past(number, at or BEFORE_ALL, total or 0)
    if asked.instant > datetime.now(UTC):
        raise ValidationError({"as_of": ["has not been yet."]})
    _row(pool, named["settled"], {})
    statement = named["by_instant"].format(**holes)
    _, head, at, total = _row(pool, statement, {"instant": asked.instant})
    return Past(head or 0, at or _instant(asked.instant), total or 0)


def _check_epoch(pool: Pool, epoch: str, number: int) -> None:
    def ask(conn: Any) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = conn.execute(queries("sight.sql")["epochs"]).fetchall()
        return found

    known = {name[:8]: until for name, until in read(pool, ask)}
    if epoch not in known:
        raise ValidationError({"as_of": [f"is of an epoch, {epoch}, that this server never had."]})
    if number > known[epoch]:
        raise LostHeadError(f"{epoch}.{number}")


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _row(pool: Pool, statement: Any, values: Mapping[str, Any]) -> Any:
    return read(pool, lambda conn: conn.execute(statement, values).fetchone())


# What goes into statements.


def values(query: Query) -> dict[str, Any]:
    """Return what the fragments below bind, by name."""
    past = of(query).past
    return {"as_of": past.head, "as_of_total": past.total} if past else {}


def events(query: Query) -> SQL:
    """Return the table of the events: as they are, or all versions of them."""
    return EVER if of(query).past else NOW


def moment(query: Query) -> list[Composable]:
    """Return the test that a version is the one of the moment that is asked for."""
    return [queries("sight.sql")["past"]] if of(query).past else []


def eyes(query: Query) -> list[list[Composable]]:
    """Return the test that an event is there for a query, as parts that have an index each."""
    sight, named = of(query), queries("sight.sql")
    then = [*moment(query), named["erased" if sight.restricted else "kept"]] if sight.past else []
    kinds = ["e.public", "e.hidden"] if sight.restricted else ["e.public"]
    return [[SQL(kind), *then] for kind in kinds]


def seen(query: Query) -> Composable:
    """Return the same test as one."""
    parts = [SQL(" AND ").join(part) for part in eyes(query)]
    return SQL("({})").format(SQL(" OR ").join(parts)) if len(parts) > 1 else parts[0]


def told(query: Query) -> dict[str, Composable]:
    """Return what an answer says of its state: `head`, `total`, `mark` and `withheld`.

    `mark` tells the answers of one head apart that differ by the sight; `withheld` is how many
    events of a past head are missing.
    """
    sight, named = of(query), queries("sight.sql")
    if sight.past is None:
        head, total = (
            ("s.head", "NULL::bigint") if sight.restricted else ("s.public_head", "s.total")
        )
        return {
            "head": SQL(head),
            "total": SQL(total),
            "mark": Literal("r" if sight.restricted else ""),
            "withheld": SQL("0"),
        }
    missing = named["erasures" if sight.restricted else "missing"].format(past=named["past"])
    total_then = SQL("{} - {}").format(Placeholder("as_of_total"), missing)
    # What the public never saw moves no head that it sees: for other eyes its erasures are counted.
    kind = SQL("'r' || {} || ").format(missing) if sight.restricted else SQL("")
    return {
        "head": SQL("{}::bigint").format(Placeholder("as_of")),
        "total": SQL("NULL::bigint") if sight.restricted else total_then,
        "mark": SQL("{}'w' || s.withheld_head").format(kind),
        "withheld": missing,
    }
