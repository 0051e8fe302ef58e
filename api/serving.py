"""The HTTP server: granian's processes around the application."""

import atexit
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, cast
from wsgiref.types import WSGIApplication

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from api import create_app
from api.jobs.doing import attend
from api.settings import Settings

#: How long a worker that is told to stop may go on with what it is sending.
DRAIN_S = 10

TERMINAL = [signal.SIGINT, signal.SIGHUP]

_STDERR = {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}
LOGGING = {"handlers": {"console": _STDERR, "access": _STDERR}}


class AddressError(Exception):
    """The service cannot listen where it should."""


def free_address(host: str, port: int, patience_s: float = 2) -> tuple[str, int]:
    """Return the IP address of `host`, and `port` or a free one if it is 0: nobody listens there.

    The patience is for what a killed service left behind: its workers need a moment to notice.
    granian itself would share the port with another server of the same user, and say nothing.

    Raises:
        AddressError: the port is taken, or is not for this user, or the host is not here.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                return str(address[0]), int(probe.getsockname()[1])
        except OSError as error:
            if time.monotonic() > end:
                raise AddressError(f"Cannot listen at {host}:{port}: {error.strerror}") from error
        time.sleep(0.1)


def serve(host: str, port: int, workers: int, ready: Callable[[str], None]) -> int:
    """Serve at an IP address until SIGINT, SIGTERM or SIGHUP; return the exit code.

    `ready` is told the service's address as soon as it answers there. The workers read the
    settings from the environment.
    """
    multiprocessing.set_start_method("spawn", force=True)  # a fork would copy held locks
    url = _url(host, port)
    stopped = threading.Event()
    settings = Settings.from_env(os.environ)
    hangup = signal.getsignal(signal.SIGHUP)
    server = _Server(
        "api.serving:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        factory=True,
        # As many as database connections go on at a time (api/turns.py), and more may wait for a
        # change. A body in pieces holds its thread until it is read: 4
        # readers of 13 MB who stand still stop a worker of 4 threads. A body in one piece holds
        # none: with 40 such readers the others have their answers in 3 ms. One thread made the
        # p99 half as long (33 for 66 ms), but leaves a worker at the mercy of its slowest query.
        blocking_threads=settings.pool_size + settings.waiters,
        workers_kill_timeout=DRAIN_S,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        log_level=LogLevels.error,
        log_dictconfig=LOGGING,
    )

    def begin() -> None:
        # granian would reload. Who closes the terminal means to stop it, but not with nohup.
        ignored = hangup is signal.SIG_IGN
        signal.signal(signal.SIGHUP, hangup if ignored else server.signal_handler_interrupt)
        threading.Thread(target=_announce, args=(url, ready, stopped), daemon=True).start()

    server.on_startup(begin)
    threading.Thread(target=_keep_attending, args=(settings, stopped), daemon=True).start()
    try:
        server.serve()
    except SystemExit as end:
        return 0 if server.interrupt_signal else int(end.code or 0)
    finally:
        stopped.set()
    return 0


def application() -> WSGIApplication:
    """Make the application of one worker, from the environment.

    An answer that fails in the middle is broken off by granian as if it were whole: that is why
    no format may look complete before its end.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    app = create_app(Settings.from_env(os.environ))
    service = app.extensions["hudna"]
    for pool in (service.pool, service.writing):
        atexit.register(pool.close)  # later its threads cannot be stopped
    _when_told_to_stop(service.watch.stop)
    # A thread that comes back to Python when that has ended takes the whole process down, and
    # granian waits for no request whose client has gone.
    atexit.register(service.turns.are_over, DRAIN_S)
    return cast("WSGIApplication", service.turns.taken(app))


def _keep_attending(settings: Settings, stopped: threading.Event) -> None:
    """Let there be an attendant for imports, in a process of its own, until the service stops.

    Its work would take the time of a worker's requests. If it is killed there is another.
    """
    while not stopped.is_set():
        process = multiprocessing.Process(target=attendant, args=(settings,), daemon=True)
        with _deaf_children():
            process.start()
        while process.is_alive() and not stopped.wait(0.5):
            process.join(0)
        process.terminate()
        process.join()


def attendant(settings: Settings) -> None:
    """Do the imports that arrive, for ever."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, _stop_once)
    attend(settings)


def _stop_once(*_: Any) -> None:
    """End this process in order: its query is cancelled, its files are taken away.

    A second signal would break that off, and there is one where the first went to a whole group.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def _when_told_to_stop(act: Callable[[], None]) -> None:
    """Let `act` be done at the first signal, whoever handles it; granian puts its own handlers."""
    heard, told = socket.socketpair()
    told.settimeout(0)  # as a wake-up has to be
    signal.set_wakeup_fd(told.detach(), warn_on_full_buffer=False)

    def listen() -> None:
        while heard.recv(1):  # for ever: a second signal would find the other end closed
            act()

    threading.Thread(target=listen, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


class _Server(Granian):  # type: ignore[misc, valid-type] # it is one of two by the interpreter
    def _spawn_workers(self, *args: Any) -> None:
        with _deaf_children():
            super()._spawn_workers(*args)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that are started in this block not hear a terminal's signals.

    Those are for the parent, who then stops the others in order: they inherit that the signals are
    blocked, which the tracker would undo if it came with the first of them.
    """
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL)


def _announce(url: str, ready: Callable[[str], None], stopped: threading.Event) -> None:
    while not stopped.wait(0.05):
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 -- it is http
            ready(url)
            return


def _url(host: str, port: int) -> str:
    """Return the address at which this machine itself reaches the service.

    >>> _url("0.0.0.0", 8000), _url("::1", 80)
    ('http://127.0.0.1:8000', 'http://[::1]:80')
    """
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- only compared
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"
