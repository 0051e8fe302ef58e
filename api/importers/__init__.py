"""The formats that can be imported. What reads one yields events; the rest is common to all."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from api.importers import ucdp
from api.importers.rejections import Rejections
from api.importers.store import Incoming


@dataclass(frozen=True)
class Format:
    """A format: the data set it carries, and how it is read.

    `read` takes an open file, its name and its release, and gives what it cannot read to the
    rejections; `release_of` finds the release in a file's name.
    """

    name: str
    dataset: str
    read: Callable[[BinaryIO, str, str | None, Rejections], Iterator[Incoming]]
    release_of: Callable[[str], str | None]


FORMATS: Mapping[str, Format] = {
    format_.name: format_ for format_ in [Format("ucdp", ucdp.DATASET, ucdp.read, ucdp.release_of)]
}
