"""The HTTP server: granian's processes around the application."""

import ipaddress
import multiprocessing
import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from api import create_app
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
    hangup = signal.getsignal(signal.SIGHUP)
    server = _Server(
        "api.serving:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        factory=True,
        # As many as database connections. A body in pieces holds its thread until it is read: 4
        # readers of 13 MB who stand still stop a worker of 4 threads. A body in one piece holds
        # none: with 40 such readers the others have their answers in 3 ms. One thread made the
        # p99 half as long (33 for 66 ms), but leaves a worker at the mercy of its slowest query.
        blocking_threads=Settings.from_env(os.environ).pool_size,
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
    try:
        server.serve()
    except SystemExit as end:
        return 0 if server.interrupt_signal else int(end.code or 0)
    finally:
        stopped.set()
    return 0


def application() -> WSGIApplication:
    """Make the application of one worker, from the environment."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return breaking_off(create_app(Settings.from_env(os.environ)))


def breaking_off(app: WSGIApplication) -> WSGIApplication:
    """Return `app` with streamed answers that, when they fail, can be seen to be incomplete.

    granian ends the body of a failed answer as if it were whole. So the connection is cut before.
    Which one it is cannot be told: all of that client's with this worker are.
    """

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = app(environ, start_response)
        return _Body(body, environ["REMOTE_ADDR"], int(environ["SERVER_PORT"]))

    return wrapped


class _Body:
    """An answer's body, which cuts the connection when it fails."""

    def __init__(self, body: Iterable[bytes], client: str, port: int) -> None:
        self._body = body
        self._chunks = iter(body)
        self._client = client
        self._port = port

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except BaseException:
            cut(self._client, self._port)
            raise

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close:
            close()


def cut(client: str, port: int) -> None:
    """Shut this process's connections from the address `client` to its own `port`."""
    for entry in list(Path("/dev/fd").iterdir()):
        with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as connection:
            theirs, ours = connection.getpeername(), connection.getsockname()
            if isinstance(theirs, tuple) and ours[1] == port and _plain(theirs[0]) == client:
                connection.shutdown(socket.SHUT_RDWR)


def _plain(address: str) -> str:
    """Return `address` without the IPv6 clothes that an IPv4 address may wear.

    >>> _plain("::ffff:192.0.2.1"), _plain("::1")
    ('192.0.2.1', '::1')
    """
    parsed = ipaddress.ip_address(address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


class _Server(Granian):  # type: ignore[misc, valid-type] # it is one of two by the interpreter
    def _spawn_workers(self, *args: Any) -> None:
        # A terminal's signals are for the parent, who then stops the workers in order: they
        # inherit that these are blocked, which the tracker would undo if it came with the first.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
        try:
            super()._spawn_workers(*args)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL)


def _announce(url: str, ready: Callable[[str], None], stopped: threading.Event) -> None:
    while not stopped.wait(0.05):
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/collections/events", timeout=5).close()  # noqa: S310 -- it is http
            ready(url)
            return


def _url(host: str, port: int) -> str:
    """Return the address at which this machine itself reaches the service.

    >>> _url("0.0.0.0", 8000), _url("::1", 80)
    ('http://127.0.0.1:8000', 'http://[::1]:80')
    """
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- only compared
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"
