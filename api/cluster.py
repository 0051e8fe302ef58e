"""A private PostgreSQL server with PostGIS: a folder, a Unix socket, no port, no password."""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

OLDEST = 15

#: For a small machine of its own. Nothing here weakens durability.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # only a part of the socket's name
    "unix_socket_permissions": "0700",
    "cluster_name": "hudna",
    "max_connections": "500",  # those of 64 workers, 6 each, and some
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",  # containers have but 64 MB of /dev/shm
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
VOLATILE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class ClusterError(Exception):
    """The private server cannot be had; the message says why, and what to do."""


class Cluster:
    """A PostGIS server which keeps all it has in the folder `data`, for one process at a time.

    It is made at its first start, and stopped with the ``with`` block. A server which an earlier
    process left behind, by dying, is stopped before the new one starts. Root, whom PostgreSQL
    refuses, runs it as ``postgres`` or ``nobody``.

    A cluster that is not `durable` is faster and loses data when the machine crashes: for tests.
    """

    def __init__(
        self,
        data: Path,
        *,
        durable: bool = True,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.durable = durable
        self.say = say
        self.folder = data.expanduser().resolve()
        self._account = _account(self._pgdata)
        self._lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """The database's address for its owner and for root, as a libpq URL."""
        return f"postgresql://hudna@/hudna?host={quote(str(self._socket), safe='')}&port=5432"

    @property
    def pid(self) -> int | None:
        """The process of the server that runs on this folder, whoever started it, or None."""
        try:
            pid = int(self._pid_file()[0])
            if _works_in(pid, self._pgdata):
                return pid
        except (OSError, ValueError, IndexError):
            pass
        return None

    def start(self) -> None:
        """Start the server, and return when it accepts connections.

        Raises:
            ClusterError: another process uses the folder, or PostgreSQL is missing or refuses.
        """
        programs = binaries(self._major())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._end_orphan()
            if not self._pgdata.exists():
                self._create(programs)
            self._launch(programs)
        except OSError as error:
            self.stop()
            raise ClusterError(f"The data folder {self.folder} cannot be used: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server that this object started; nothing is left running."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)  # "fast": breaks off what clients are doing
            try:
                self._server.wait(30)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)  # the next start will recover
                self._server.wait()
            self._server = None
            shutil.rmtree(self._socket, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def _pgdata(self) -> Path:
        return self.folder / "postgres"

    @property
    def _socket(self) -> Path:
        """The folder of the socket: a short path, because the kernel allows 107 bytes."""
        owner = self._account.pw_uid if self._account else os.getuid()
        name = hashlib.sha256(b"%d %s" % (owner, os.fsencode(self.folder))).hexdigest()[:12]
        run = Path("/run")  # where only root can be, and no stranger have taken the name
        return (run if self._account and run.is_dir() else Path("/tmp")) / f"hudna-{name}"  # noqa: S108 -- its owner is checked

    def _major(self) -> int | None:
        try:
            return int((self._pgdata / "PG_VERSION").read_text())
        except OSError:
            return None

    def _pid_file(self) -> list[str]:
        return (self._pgdata / "postmaster.pid").read_text(errors="replace").splitlines()

    def _take_lock(self) -> None:
        # Closed in children by default, so that it ends with this process, however it ends.
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode()
            os.close(lock)
            raise ClusterError(
                f"The data folder {self.folder} is already in use by process {holder}. "
                "Stop that, or choose another folder with --data."
            ) from None
        self._lock = lock
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)

    def _end_orphan(self) -> None:
        pid = self.pid
        if pid is not None:
            self.say("Stopping the server which an earlier run left behind")
            os.kill(pid, signal.SIGINT)
            if not any(self.pid is None for _ in _moments(30)):
                os.kill(pid, signal.SIGQUIT)
                any(self.pid is None for _ in _moments(30))
        else:
            self._forget_reused_pid()

    def _forget_reused_pid(self) -> None:
        """Remove a pid file left by a crash if its number is another program's by now.

        PostgreSQL would take that program for a server, and refuse to start.
        """
        try:
            os.kill(int(self._pid_file()[0]), 0)
        except (OSError, ValueError, IndexError):
            return
        (self._pgdata / "postmaster.pid").unlink()

    def _create(self, programs: Path) -> None:
        """Make a new cluster with an empty database; half of one is never left as a whole one."""
        self.say(f"Creating the database in {self.folder}")
        new = self.folder / "postgres.new"
        if new.exists():
            shutil.rmtree(new)
        self._own(new)
        options = ["--username=hudna", "--auth=trust", "--encoding=UTF8"]
        options.append(f"--locale={'C' if sys.platform == 'darwin' else 'C.UTF-8'}")
        options += [] if self.durable else ["--no-sync"]
        self._run(new, programs / "initdb", *options)
        single = ["--single", "-c", "exit_on_error=on", "postgres"]
        self._run(new, programs / "postgres", *single, text="CREATE DATABASE hudna")
        new.rename(self._pgdata)

    def _own(self, folder: Path) -> None:
        """Make `folder`, which nobody but the server's account and root may enter."""
        owner = self._account.pw_uid if self._account else os.getuid()
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._account and folder.lstat().st_uid == 0:
            os.chown(folder, owner, self._account.pw_gid, follow_symlinks=False)
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid != owner or found.st_mode & 0o077:
            raise ClusterError(f"{folder} belongs to somebody else: remove it, or use other --data")

    def _launch(self, programs: Path) -> None:
        self.say("Starting PostgreSQL")
        shutil.rmtree(self._socket, ignore_errors=True)
        self._own(self._socket)
        settings = SETTINGS | {"unix_socket_directories": str(self._socket)}
        settings |= {} if self.durable else VOLATILE
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        for _ in _moments(30):
            with (
                (self.folder / "postgres.log").open("w+b") as log,
                self._circumstances(self._pgdata) as circumstances,
            ):
                # A session of its own, or Ctrl-C would stop it together with its clients.
                self._server = subprocess.Popen(  # noqa: S603 -- no shell, no word from outside
                    [programs / "postgres", *options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    **circumstances,
                )
                if self._becomes_ready(self._server):
                    return
                log.seek(0)
                said = log.read().decode(errors="replace").strip()
                self._server = None
            if "still in use" not in said:  # by the last children of a server that was killed
                break
        raise ClusterError(f"PostgreSQL does not start on {self._pgdata}:\n{said}")

    def _becomes_ready(self, server: subprocess.Popen[bytes]) -> bool:
        while server.poll() is None:
            try:
                lines = self._pid_file()
                if int(lines[0]) == server.pid and lines[7].startswith("ready"):
                    return True
            except (OSError, ValueError, IndexError):
                pass
            time.sleep(0.02)
        return False

    def _run(self, pgdata: Path, program: Path, *options: str, text: str = "") -> None:
        with self._circumstances(pgdata) as circumstances:
            done = subprocess.run(  # noqa: S603 -- no shell, and no word of it from outside
                [program, *options],
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                **circumstances,
            )
        if done.returncode:
            raise ClusterError(f"{program} failed on {pgdata}:\n{done.stdout.strip()}")

    @contextmanager
    def _circumstances(self, pgdata: Path) -> Iterator[dict[str, Any]]:
        """Yield as whom, where and with what environment a program of PostgreSQL runs.

        Root may have put the folder where the server's account cannot follow, as under /root.
        So root opens it, and the program knows it by the number of the open file.
        """
        opened = os.open(pgdata, os.O_RDONLY | os.O_DIRECTORY)
        here = f"/proc/self/fd/{opened}" if sys.platform == "linux" else str(pgdata)
        environ = {"PATH": os.defpath, "HOME": "/", "LC_ALL": "C", "PGDATA": here}
        who: dict[str, Any] = {}
        if self._account:
            who = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        try:
            yield {"cwd": "/", "env": environ, "umask": 0o077, "pass_fds": [opened], **who}
        finally:
            os.close(opened)


def binaries(major: int | None = None) -> Path:
    """Return the folder of the programs of a PostgreSQL with PostGIS, of version `major` if given.

    Raises:
        ClusterError: there is none.
    """
    for folder in _candidates():
        config = folder / "pg_config"
        if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            continue
        version, sharedir = subprocess.run(  # noqa: S603 -- a program of the machine's owner
            [config, "--version", "--sharedir"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        found = int("".join(re.findall(r"\d+", version)[:1]))
        suits = found == major if major else found >= OLDEST
        if suits and Path(sharedir, "extension", "postgis.control").exists():
            return folder
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} or newer"
    raise ClusterError(f"There is no {wanted} with PostGIS on this machine: run `make install`.")


def _candidates() -> Iterator[Path]:
    if "PG_BINDIR" in os.environ:
        yield Path(os.environ["PG_BINDIR"])
    on_path = shutil.which("pg_config")
    if on_path:
        asked = subprocess.run([on_path, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603 -- the same
        yield Path(asked.stdout.strip())
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(installed, key=lambda folder: int(folder.parent.name), reverse=True)
    yield from sorted(Path("/opt/homebrew/opt").glob("postgresql@*/bin"), reverse=True)
    yield from sorted(Path("/Applications/Postgres.app/Contents/Versions").glob("*/bin"))[::-1]


def _account(pgdata: Path) -> pwd.struct_passwd | None:
    """Return whose account root uses for PostgreSQL; None for anybody else, who uses his own."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwuid(pgdata.stat().st_uid) if pgdata.exists() else pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _works_in(pid: int, folder: Path) -> bool:
    """Tell whether the process `pid` is alive and works in `folder`, as a server does in its own.

    A pid file alone proves nothing after a crash: its number may be another program's by now.
    """
    if sys.platform == "linux":
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    asked = subprocess.run(  # noqa: S603 -- a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return b"postgres" in asked.stdout


def _moments(seconds: float) -> Iterator[None]:
    """Yield at once, and then now and again until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)


if __name__ == "__main__":  # as `make install` asks, before there is any package
    try:
        print(binaries())  # noqa: T201 -- its answer
    except ClusterError as missing:
        sys.exit(str(missing))
