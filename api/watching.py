"""Waiting for a change: one watcher for all who wait in a worker, and none while nobody waits."""

import logging
from collections.abc import Callable
from threading import BoundedSemaphore, Condition, Thread
from time import monotonic
from typing import NamedTuple

import psycopg

from api.turns import Turns

#: How often the watcher looks at the head.
EVERY_S = 0.25


class Heads(NamedTuple):
    """How far everything has come: the head that the public sees, and that of all there is."""

    epoch: str
    public: int
    whole: int


log = logging.getLogger("hudna")


class Watch:
    """Lets requests wait for a head; they hold neither a connection nor a turn meanwhile.

    `look` tells the head. At most `room` wait at a time.
    """

    def __init__(self, look: Callable[[], Heads], turns: Turns, room: int) -> None:
        self._look = look
        self._turns = turns
        self._room = BoundedSemaphore(room) if room else None
        self._changed = Condition()
        self._waiting = 0
        self._seen: Heads | None = None
        self._watching = False
        self._stopped = False

    def wait(self, seconds: float, enough: Callable[[Heads], bool]) -> Heads | None:
        """Wait until a head is `enough`, and return it.

        Returns None at once if there is no room to wait, or the service stops; and when the time
        is up, or the head cannot be told.
        """
        if self._room is None or not self._room.acquire(blocking=False):
            return None
        try:
            with self._turns.given_back():
                return self._wait(seconds, enough)
        finally:
            self._room.release()

    def stop(self) -> None:
        """Let all go on who wait, and nobody wait any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait(self, seconds: float, enough: Callable[[Heads], bool]) -> Heads | None:
        end = monotonic() + seconds
        with self._changed:
            self._waiting += 1
            try:
                self._seen = None
                if not self._watching:
                    self._watching = True
                    Thread(target=self._watch, name="watch", daemon=True).start()
                while not self._stopped and monotonic() < end:
                    if self._seen and enough(self._seen):
                        return self._seen
                    if not self._watching:  # it could not look
                        return None
                    self._changed.wait(end - monotonic())
                return None
            finally:
                self._waiting -= 1
                self._changed.notify_all()

    def _watch(self) -> None:
        """Look at the head again and again, for as long as somebody waits for it."""
        while True:
            try:
                seen = self._look()
            except psycopg.Error as error:
                # Whoever waits asks for himself, and is told that the database is away.
                log.warning("watch: %s", type(error).__name__)
                seen = None
            with self._changed:
                news = seen != self._seen
                self._seen = seen
                if seen is None or self._stopped or not self._waiting:
                    self._watching = False
                if news or not self._watching:
                    self._changed.notify_all()
                if not self._watching:
                    return
                self._changed.wait_for(self._idle, EVERY_S)

    def _idle(self) -> bool:
        return self._stopped or not self._waiting
