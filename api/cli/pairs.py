"""Query parameters as words of a command: NAME=VALUE."""

from collections.abc import Container, Iterable, Iterator

import click


def pairs(words: Iterable[str], left_out: Container[str], why: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of `words`; those `left_out` have no place, which is said.

    Raises:
        UsageError: a word is not NAME=VALUE, or is left out.
    """
    for text in words:
        name, is_, value = text.partition("=")
        if not is_:
            raise click.UsageError(f"{text!r} is not NAME=VALUE.")
        if name in left_out:
            raise click.UsageError(f"{name} has no place here: {why}.")
        yield name, value
