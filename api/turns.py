"""Turns: how many requests of a worker go on at the same time, however many threads it has."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Condition, local
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Turns:
    """So many requests go on at a time; the others queue. Who waits for something gives his back.

    A request has its turn until its answer has been sent.
    """

    def __init__(self, number: int) -> None:
        self._free = BoundedSemaphore(number)
        self._going = 0
        self._over = Condition()
        self._mine = local()

    def taken(self, app: WSGIApplication) -> WSGIApplication:
        """Return `app`, whose requests take turns."""

        def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            with self._over:
                self._going += 1
            self._free.acquire()
            self._mine.held = True
            try:
                body = app(environ, start_response)
            except BaseException:
                self._end()
                raise
            finally:
                self._mine.held = False
            return _Body(body, self._end)

        return call

    def are_over(self, seconds: float) -> bool:
        """Wait until no request goes on or waits, for so many seconds at most."""
        with self._over:
            return self._over.wait_for(lambda: not self._going, seconds)

    def _end(self) -> None:
        self._free.release()
        with self._over:
            self._going -= 1
            self._over.notify_all()

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """Let others go on in a ``with`` block."""
        if not getattr(self._mine, "held", False):
            yield
            return
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()


class _Body:
    """The body of an answer; behind it, or when nobody has any use for it, the turn is over."""

    def __init__(self, body: Iterable[bytes], end: Callable[[], None]) -> None:
        self._body = body
        self._pieces = iter(body)
        self._end: Callable[[], None] | None = end

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        try:
            close: Any = getattr(self._body, "close", None)
            if close:
                close()
        finally:
            end, self._end = self._end, None
            if end:
                end()

    def __del__(self) -> None:
        self.close()
