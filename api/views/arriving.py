"""Files that a request brings: kept piece by piece as they come, never whole in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import IO, cast
from uuid import UUID

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from api.db import Pool
from api.jobs.kept import PIECE, Part
from api.problems import Problem, body_invalid

FORM = "multipart/form-data"
#: What may be a file by itself.
MEDIA = [
    *("text/csv", "text/tab-separated-values", "text/plain"),
    *("application/json", "application/geo+json", "application/zip", "application/octet-stream"),
]
#: The parts that a form may have; every other one is an error.
ROLES = ("file", "mapping", "deleted")
#: Parts of a form, and characters of a name.
MOST, LONGEST = 100, 200
#: Bytes of a part that is no file, which is collected in memory. The parser holds what it reads at
#: once, of files too, to the same limit: 64 KB and what is left of those before.
TEXT = 1 << 17


def files(pool: Pool, job: UUID, name: str, largest: int) -> dict[str, list[Part]]:
    """Keep the files that the present request brings, and return them by their roles.

    The body is one file called `name`, or a form of files. It has at most `largest` bytes.

    Raises:
        Problem: it is of another type or unknown length, compressed, too large, empty, breaks off,
            or is no form.
    """
    if request.mimetype not in {FORM, *MEDIA}:
        raise Problem("unsupported-media-type", f"The body must be {', '.join([FORM, *MEDIA])}.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported-media-type", "The body must not be compressed.")
    request.max_content_length = largest
    with _told(largest):
        if request.mimetype == FORM:
            return _form(pool, job, largest)
        return {"file": [_whole(pool, job, name)]}


@contextmanager
def _told(largest: int) -> Iterator[None]:
    """Tell what can go wrong with a body."""
    try:
        yield
    except RequestEntityTooLarge:
        text = f"The body must be of at most {largest:,} bytes."
        raise Problem("too-large", text) from None
    except (ClientDisconnected, ConnectionError):
        raise _broken_off() from None


def _whole(pool: Pool, job: UUID, name: str) -> Part:
    """Keep the body as one file.

    In pieces it comes to an end for the server also when its client has gone (a form does not).
    """
    if request.content_length is None:
        raise Problem("length-required", "Send Content-Length, or the file in a form.")
    part = Part(pool, job, 0, name)
    while piece := request.stream.read(PIECE):
        part.write(piece)
    if not part.size:
        raise Problem("invalid-body", "The body is empty: it must be the file.")
    if part.size < request.content_length:
        raise _broken_off()
    part.whole("file")
    return part


def _form(pool: Pool, job: UUID, largest: int) -> dict[str, list[Part]]:
    """Keep the files of a form, which with all that is around them has at most `largest` bytes."""
    numbers = count()

    def part(
        total_content_length: int | None,  # noqa: ARG001 -- as werkzeug calls it
        content_type: str | None,  # noqa: ARG001
        filename: str | None,
        content_length: int | None = None,  # noqa: ARG001
    ) -> IO[bytes]:
        return cast("IO[bytes]", Part(pool, job, next(numbers), _named(filename)))

    parser = FormDataParser(part, TEXT, silent=False, max_form_parts=MOST)
    stream = request.stream
    try:
        _, texts, found = parser.parse(
            stream, FORM, request.content_length, request.mimetype_params
        )
    except (ValueError, UnicodeError):
        raise Problem("invalid-body", "The body is no form, or it breaks off.") from None
    except RequestEntityTooLarge:
        if request.content_length is None and stream.tell() >= largest:
            raise  # it is the body: one of a known length has been found too large before
        text = f"A form has at most {MOST} parts, and {TEXT:,} bytes in one that is no file."
        raise Problem("too-large", text) from None
    errors = {name: ["must be a file."] for name in texts if name in ROLES}
    errors |= {name: ["is not known here."] for name in (*texts, *found) if name not in ROLES}
    if "file" not in found and "deleted" not in found:
        errors.setdefault("file", ["is required."])
    if len(found.getlist("mapping")) > 1:
        errors["mapping"] = ["is given more than once."]
    if errors:
        raise body_invalid(errors)
    made = {
        role: [cast("Part", each.stream) for each in found.getlist(role)]
        for role in ROLES
        if role in found
    }
    for role, parts in made.items():
        for each in parts:
            each.whole(role)
    return made


def _named(filename: str | None) -> str:
    """Return the name of a file without the folders it lay in."""
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, name))[:LONGEST] or "upload"


def _broken_off() -> Problem:
    return Problem("invalid-body", "The body breaks off: send it again.")
