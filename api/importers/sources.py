"""Files to be read, whether they lie on a disk or come as a stream."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Self

#: Of a stream that cannot go back, no more than this is kept in memory until it is read.
IN_MEMORY = 1 << 24
#: Bytes that are digested at once.
PIECE = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file: the name it is spoken of by, how it is opened, and its size in bytes if known."""

    name: str
    opened: Callable[[], AbstractContextManager[BinaryIO]]
    size: int | None = None

    @classmethod
    def of_path(cls, path: Path) -> Self:
        """Return the source that is the file at `path`."""
        return cls(path.name, lambda: path.open("rb"), path.stat().st_size)

    @classmethod
    def of_stream(cls, name: str, stream: BinaryIO) -> Self:
        """Return the source that is an open stream, which is read once, and closed behind that."""
        return cls(name, lambda: nullcontext(stream))


@dataclass(frozen=True)
class Opened:
    """A source that is open at its beginning, can be read anywhere, and whose digest is known."""

    stream: IO[bytes]
    sha256: str


@contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """Open a source; one that cannot go back is put aside on the disk first.

    The digest is of the bytes that will be read, unless somebody writes into the file meanwhile.
    """
    with source.opened() as stream, SpooledTemporaryFile(IN_MEMORY) as kept:
        seekable: IO[bytes] = stream
        if not stream.seekable():
            shutil.copyfileobj(stream, kept)
            kept.seek(0)
            seekable = kept
        digest = hashlib.sha256()
        while piece := seekable.read(PIECE):
            digest.update(piece)
        seekable.seek(0)
        yield Opened(seekable, digest.hexdigest())
