"""What is decided of a job: whether it goes together, and how its files are read."""

from collections.abc import Collection, Mapping
from typing import Any

from api.importers import format_named
from api.importers.mapping import Mapping as Columns
from api.importers.mapping import MappingError
from api.importers.misfits import misfits
from api.importers.reading import Format

#: Bytes that a mapping may have.
LARGEST_MAPPING = 1 << 18


def kind(name: str, options: Mapping[str, Any], mapping: bytes | None = None) -> Format:
    """Return the format of a job, with what its options and its mapping, in TOML, decide.

    Raises:
        ValueError: the mapping says something that no mapping has, or the format takes none.
    """
    roots = options.get("roots")
    try:
        columns = None if mapping is None else Columns.of_toml(mapping.decode("utf-8-sig"))
    except MappingError as error:
        raise ValueError(str(error)) from error
    return format_named(name, roots=roots.split(",") if roots else None, mapping=columns)


def errors(
    name: str,
    options: Mapping[str, Any],
    roles: Collection[str] | None = None,
    mapping: bytes | None = None,
) -> dict[str, list[str]]:
    """Return what of a job does not go together, by the options and roles that are wrong.

    `roles` are those of its files, once they are known.
    """
    found: dict[str, list[str]] = {}
    for option, text in misfits(name, options, roles):
        found.setdefault(option, []).append(text)
    try:
        kind(name, options, mapping)
    except ValueError as error:
        found["roots" if mapping is None else "mapping"] = [f"cannot be taken: {error}."]
    return found
