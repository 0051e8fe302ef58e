"""The formats that can be imported. What reads one yields events; the rest is common to all."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any

from api.importers import acled, gdelt, tables, ucdp
from api.importers.mapping import Mapping
from api.importers.reading import Format

#: What each format is, if nothing is decided about it.
FORMATS = {
    each.name: each
    for each in [
        Format(
            "acled", acled.DATASET, acled.read, withdrawn=acled.withdrawn, visibility="restricted"
        ),
        Format("ucdp", ucdp.DATASET, ucdp.read, release_of=ucdp.release_of),
        Format("gdelt", gdelt.DATASET, gdelt.read),
        Format("csv", None, tables.read_csv),
        Format("geojson", None, tables.read_geojson),
    ]
}

#: Those whose columns a mapping can name.
TABLES = {"csv", "geojson"}


def format_named(
    name: str, *, roots: Collection[str] | None = None, mapping: Mapping | None = None
) -> Format:
    """Return a format with what is decided about it.

    `roots` are the CAMEO roots that are wanted of GDELT; `mapping` says what the columns of a table
    are.

    Raises:
        ValueError: nothing of the kind can be decided about this format, or there is no such root.
    """
    kind = FORMATS[name]
    if roots is not None:
        if name != "gdelt":
            raise ValueError(f"{name} has no roots")
        odd = set(roots) - gdelt.ALL_ROOTS
        if odd:
            raise ValueError(f"{', '.join(sorted(odd))} is no root: they go from 01 to 20")
        return _with(kind, "roots", sorted(roots), frozenset(roots))
    if mapping is not None:
        if name not in TABLES:
            raise ValueError(f"{name} needs no mapping")
        return _with(kind, "mapping", mapping.sha256, mapping)
    return kind


def _with(kind: Format, option: str, told: Any, value: Any) -> Format:
    read = partial(kind.read, **{option: value})
    return replace(kind, read=read, options={option: told})
