"""Options of an import that do not go together, however they are given."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from api.importers import FORMATS, TABLES


def misfits(
    kind: str, options: Mapping[str, Any], files: Collection[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield which option is wrong, and why: a sentence without its subject.

    `kind` is the name of a format. `files` are the roles of the files, of those that are known.
    """
    if options.get("dataset") and kind not in TABLES:
        yield "dataset", f"is not for {kind}, which is a data set."
    if options.get("force") and not options.get("replace"):
        yield "force", "is only for what is to replace."
    if options.get("replace") and options.get("lenient"):
        yield "replace", "excludes lenient: a bad row does not say that its event is gone."
    if files is None:
        return
    if "deleted" in files and FORMATS[kind].withdrawn is None:
        yield "deleted", f"is not for {kind}: it does not list what it has deleted."
    if options.get("replace") and "file" not in files:
        yield "replace", "needs the files that are the whole."
