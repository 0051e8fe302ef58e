"""What became of one event: who changed what, field by field.

A version is told of if it is seen; where one that was seen is followed by one that is not, it is
told that the event went, and not why.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from api.db import Pool, queries, read

#: What every version has another of.
OWN = {"version", "updated_at"}
LAST = 2**62


@dataclass(frozen=True)
class Version:
    """A version of an event as the database has it; `feature` is GeoJSON text."""

    version: int
    head: int
    at: str
    actor: str | None
    format: str | None
    release: str | None
    public: bool
    hidden: bool
    deleted: bool
    erased: bool
    feature: str | None
    ground: str

    def seen(self, *, restricted: bool) -> bool:
        """Tell whether those who may, or may not, see what is restricted see this."""
        return self.public or (restricted and self.hidden)


def of(
    pool: Pool, event: UUID, limit: int, newest: int | None = None, *, restricted: bool = False
) -> tuple[list[dict[str, Any]], int | None] | None:
    """Return the versions of an event, newest first, and from which to go on, if there are more.

    None: there is nothing to be told of it. `newest` is the version at which to begin.
    """
    named, number = queries("history.sql"), LAST if newest is None else newest
    asked = {"id": event, "newest": number, "limit": limit + 1}

    def ask(conn: Any) -> tuple[Any, list[Version]]:
        with conn.transaction():
            known = conn.execute(named["known"], {"id": event}).fetchone()
            rows = conn.execute(named["versions"], asked).fetchall()
        return known, [Version(*row) for row in rows]

    known, versions = read(pool, ask)
    if known is None or not (restricted or (known[0] and not known[1])):
        return None
    more = versions[limit].version if len(versions) > limit else None
    first = versions[-1:] if more is None else []
    told = [
        entry
        for later, earlier in [*pairwise(versions), *((one, None) for one in first)]
        if (entry := _entry(earlier, later, restricted=restricted))
    ]
    return told, None if more is None else versions[limit - 1].version - 1


def _entry(earlier: Version | None, later: Version, *, restricted: bool) -> dict[str, Any] | None:
    """Return what is told of a version and how it differs from the one before; None: nothing."""
    before = earlier is not None and earlier.seen(restricted=restricted)
    after = later.seen(restricted=restricted)
    if not (before or after):
        return None
    change = ("update" if before else "create") if after else "delete"
    told: dict[str, Any] = {
        "version": later.version,
        "head": later.head,
        "at": later.at,
        "actor": later.actor,
        "change": change,
    }
    if later.format:
        told["source"] = {"format": later.format, "release": later.release}
    if (after and later.erased) or (before and earlier is not None and earlier.erased):
        told["erased"] = True
    elif after and before and earlier is not None:
        told["changes"] = list(_changes(earlier, later))
    return told


def _changes(earlier: Version, later: Version) -> Iterator[dict[str, Any]]:
    old, new = _flat(earlier), _flat(later)
    for name in new:
        if name not in OWN and old[name] != new[name]:
            yield {"field": name, "before": old[name], "after": new[name]}
    if earlier.ground != later.ground:
        yield {"field": "footprint"}


def _flat(version: Version) -> Mapping[str, Any]:
    feature = json.loads(version.feature or "")
    return {"geometry": feature["geometry"], **feature["properties"]}
