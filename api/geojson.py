"""Feature collections as bytes: finished features are spliced in and never looked into."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

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
    number = 0
    try:
        yield b'{"type":"FeatureCollection","features":['
        piece: list[bytes] = []
        size = 0
        for feature in page.features:
            piece.append(b",\n" if number else b"\n")
            piece.append(feature)
            number += 1
            size += len(feature)
            if size > 1 << 16:
                yield b"".join(piece)
                piece, size = [], 0
        yield b"".join(piece)
        matched = page.counted(number)
        rest = {**members(page, number, matched, links), **further}
        yield (b"\n]," if number else b"],") + _dumped(rest)[1:-1] + b"}\n"
    finally:
        page.close()


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


def stamp() -> str:
    """Return the present instant, as answers are stamped with it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
