"""Feature collections as bytes: finished features are spliced in and never looked into."""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from api.feed import Changes
from api.links import Link
from api.stream import Page

#: How much of a page is made before its headers are sent. Up to here an error still becomes a
#: problem document and a small page has its length; beyond it the page is streamed.
BUFFER = 1 << 20


def collection(
    page: Page, links: list[Link], further: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[bytes]:
    """Yield a FeatureCollection in pieces, with `further` members, and close `page` at the end.

    The features come first, for their number is known only behind them.
    """
    try:
        number = yield from _listed(b'{"type":"FeatureCollection","features":[', page.features)
        rest = {**members(page, number, page.counted(number), links), **further}
        yield _dumped(rest)[1:-1] + b"}\n"
    finally:
        page.close()


def changes(page: Changes, links: list[Link]) -> Iterator[bytes]:
    """Yield a page of the feed of changes in pieces, and close `page` at the end."""
    rest = {
        "next": str(page.following),
        "upToDate": not page.more,
        "head": page.state.head,
        "links": links,
    }
    try:
        yield from _listed(b'{"changes":[', page.changes)
        yield _dumped(rest)[1:] + b"\n"
    finally:
        page.close()


def _listed(before: bytes, texts: Iterable[bytes]) -> Generator[bytes, None, int]:
    """Yield a list of finished texts in pieces, up to the next member; return how many they are."""
    number = size = 0
    piece = [before]
    for text in texts:
        piece.append(b",\n" if number else b"\n")
        piece.append(text)
        number += 1
        size += len(text)
        if size > 1 << 16:
            yield b"".join(piece)
            piece, size = [], 0
    piece.append(b"\n]," if number else b"],")
    yield b"".join(piece)
    return number


def members(page: Page, returned: int, matched: int | None, links: list[Link]) -> dict[str, Any]:
    """Return the members of a collection besides its features.

    `head` says at which head it was made, and `withheld` how many events of a past one cannot be
    shown any more.
    """
    state = page.state
    return {
        **({"numberMatched": matched} if matched is not None else {}),
        "numberReturned": returned,
        "timeStamp": page.at or stamp(),
        **({"head": state.head} if state.head else {}),
        **({"withheld": state.withheld} if state.withheld else {}),
        "links": links,
    }


def stamp(at: datetime | None = None) -> str:
    """Return an instant as answers are stamped with it; the present one, if none is given."""
    there = (at or datetime.now(UTC)).astimezone(UTC)
    return there.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def feature(text: bytes, links: list[Link]) -> bytes:
    """Return a feature with links."""
    return text[:-1] + b',"links":' + _dumped(links) + b"}\n"


def begin(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """Return the first pieces, up to `BUFFER`, and the others; None: there are no others."""
    made, size = [], 0
    for piece in pieces:
        made.append(piece)
        size += len(piece)
        if size > BUFFER:
            return b"".join(made), pieces
    return b"".join(made), None
