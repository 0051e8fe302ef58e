"""A copy of the events of a service that is kept in step with it, by the feed of changes.

It needs no database of the service's: one page of the feed after the other is applied to a target,
and in the same transaction the cursor behind it is kept. So the copy can be broken off anywhere,
even by `kill -9`, and goes on where it was.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from api.mirror.client import Feed, GoneError

#: For how many seconds the service is asked to wait for a change.
WAIT_S = 55


class TargetError(Exception):
    """The target cannot be used; the message says why."""


class Origin(NamedTuple):
    """What a copy is a copy of: the feed's address, and what is asked of it, in order."""

    url: str
    filters: str


class Progress(NamedTuple):
    """How far a copy is: the head it has come to, how many changes were applied in this run."""

    head: int
    changes: int
    up_to_date: bool


class Target(Protocol):
    """Where the copy is. Each method is a transaction."""

    @property
    def cursor(self) -> str | None:
        """Where to go on; None: at the beginning."""

    def apply(
        self,
        upserts: Sequence[dict[str, Any]],
        deletes: Sequence[str],
        cursor: str,
        *,
        up_to_date: bool,
    ) -> None:
        """Write features, remove ids, and keep the cursor behind them.

        When it is up to date for the first time since a restart, what the restart found and has not
        met again is removed as well.
        """

    def restart(self) -> None:
        """Go back to the beginning, and remember what is there."""


def mirror(
    feed: Feed, target: Target, *, follow: bool, tell: Callable[[Progress], None] = lambda _: None
) -> int:
    """Bring `target` up to date with `feed`, and return how many changes that took.

    With `follow` it goes on, and never returns.

    Raises:
        RefusedError: the service refuses the question; the message is the service's.
        AwayError: the service cannot be reached, and the patience of `feed` is at its end.
    """
    applied, caught_up = 0, False
    while True:
        try:
            page = feed.page(target.cursor, WAIT_S if caught_up else 0)
        except GoneError:
            target.restart()
            caught_up = False
            continue
        caught_up = page.up_to_date
        if page.next != target.cursor:
            target.apply(page.upserts, page.deletes, page.next, up_to_date=caught_up)
        applied += len(page.upserts) + len(page.deletes)
        tell(Progress(page.head, applied, caught_up))
        if caught_up and not follow:
            return applied
