"""Versions of an event, and how entity tags name them."""

from typing import NamedTuple


class Version(NamedTuple):
    """A version of an event, by the transaction that wrote it and its number.

    The numbers of transactions are those of an epoch: a database that has been restored gives the
    same ones again, to other content.

    `exact_tx` is the transaction that wrote the exact place of the event. That has no versions, but
    for those who may see it a change of it makes another version; None: there is none, or who
    looks may not see it.
    """

    epoch: str
    tx_id: int
    number: int
    exact_tx: int | None = None

    def __str__(self) -> str:
        """Return its name: what the tags of all its representations begin with.

        >>> str(Version("9f2c41d7-03aa", 4, 1)), str(Version("9f2c41d7-03aa", 4, 1, 9))
        ('9f2c41d7.4.1', '9f2c41d7.4.1-9')
        """
        name = f"{self.epoch[:8]}.{self.tx_id}.{self.number}"
        return name if self.exact_tx is None else f"{name}-{self.exact_tx}"


def named_by(tag: str) -> str:
    """Return the name of the version of which `tag` is the entity tag.

    >>> named_by("9f2c41d7.4.1-9.point.CRS84.geo+json")
    '9f2c41d7.4.1-9'
    """
    return ".".join(tag.split(".")[:3])


def public(name: str) -> str:
    """Return what the version of that name is called for those who may see no exact place.

    >>> public("9f2c41d7.4.1-9")
    '9f2c41d7.4.1'
    """
    return name.partition("-")[0]
