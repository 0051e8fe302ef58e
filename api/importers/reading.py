"""What a format is: how its files are read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from api.importers.rejections import Rejections
from api.importers.store import Incoming


@dataclass(frozen=True)
class Format:
    """A format: the data set it carries, and how it is read.

    `dataset` is None where each row names its own. `read` takes an open file, its name and its
    release, and gives what it cannot read to the rejections; `withdrawn` does the same with a list
    of what the source has deleted, and yields ids of the source. `release_of` finds the release in
    a file's name. `visibility` is that of events which say nothing of it, `options` what was
    decided about the format.
    """

    name: str
    dataset: str | None
    read: Callable[..., Iterator[Incoming]]
    release_of: Callable[[str], str | None] = lambda _: None
    withdrawn: Callable[[IO[bytes], str, Rejections], Iterator[str]] | None = None
    visibility: str = "public"
    options: Mapping[str, Any] = field(default_factory=dict)
