"""Texts that are too long for the property they are to be: prose in the column of a name, say.

The database would refuse what its indexes cannot hold, and with it the whole import.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.importers.rejections import Fault
from api.importers.store import Incoming
from api.schemas import PROPERTIES, longest

#: Sources join what many have said to one text, and no index has it: it may be as long as notes.
REPORTED = longest("notes")
#: Characters of a text that are told.
SHOWN = 60


def overlong(incoming: Incoming) -> list[Fault]:
    """Return a fault for each text of an event that is too long, with the column it is from."""
    return [
        Fault(
            _column(text, incoming.row) or name,
            f"{text[:SHOWN]}…",
            f"has {len(text):,} characters, where at most {most:,} are allowed",
        )
        for name, text, most in _texts(incoming.event)
        if len(text) > most
    ]


def _texts(event: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield the texts of an event, each with its property and how long it may be."""
    for name, value in event.items():
        if isinstance(value, str) and name in PROPERTIES:
            yield name, value, longest(name)
    for tag in event.get("tags") or ():
        yield "tags", tag, longest("tags")
    for actor in event.get("actors") or ():
        yield "actors", actor["name"], longest("name")
    for report in event.get("reports") or ():
        yield from (("reports", text, REPORTED) for text in report.values() if text)


def _column(text: str, row: Mapping[str, Any] | None) -> str | None:
    """Return the column of a row that holds a text, if it is there as it was read.

    >>> _column("Homs", {"id": 7, "adm_1": " Homs "})
    'adm_1'
    >>> _column("Homs", {"type": "Feature", "properties": {"Province": "Homs"}})
    'Province'
    """
    cells = dict(row or {})
    if isinstance(cells.get("properties"), dict):
        cells |= cells["properties"]
    found = (name for name, cell in cells.items() if isinstance(cell, str) and text in cell)
    return next(found, None)
