"""GeoJSON text sequences (RFC 8142): a feature a line, each begun by a record separator."""

from collections.abc import Iterator

from api.formats.table import Table, pieces

#: A record that cannot be read, which is how the RFC has a reader notice what is missing.
BROKEN_OFF = b'\x1e{"incomplete":'


def written(features: Iterator[bytes], _: Table) -> Iterator[bytes]:
    """Yield `features` as a sequence; if they break off, so does its last record."""
    yield from pieces(_records(features))


def _records(features: Iterator[bytes]) -> Iterator[bytes]:
    try:
        for feature in features:
            yield b"\x1e" + feature + b"\n"
    except Exception:
        yield BROKEN_OFF
        raise
