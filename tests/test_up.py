"""`hudna up`: one command starts it all, one signal ends it all, and no crash is in the way."""

import json
import os
import pwd
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import requests

HUDNA = Path(sys.executable).parent / "hudna"
ITEMS = "/collections/events/items"

#: An application whose answer fails in its middle, served as the real one is.


class Up:
    """A running `hudna up`."""

    def __init__(self, data, *options, **how):
        self.data = data
        command = [HUDNA, "up", "--port", "0", "--data", data, "--workers", "2", *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **how,
        )
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError(self.process.communicate()[1])
        self.url = re.search(r"http://\S+", self.said)[0]
        self.family = family(self.process.pid)

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def end(self, number=signal.SIGTERM):
        """End it, as a terminal does: the signal goes to all in the foreground."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        self.errors = self.process.communicate(timeout=20)[1]
        return self.process.returncode


@contextmanager
def running(data, *options, **how):
    up = Up(data, *options, **how)
    try:
        yield up
    finally:
        up.end(signal.SIGKILL if sys.exc_info()[0] else signal.SIGTERM)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The first run of all, without the sample, and what there was in it."""
    with running(tmp_path_factory.mktemp("up") / "data", "--no-sample") as up:
        up.features = json.loads(get(f"{up.url}{ITEMS}"))["features"]
    return up


@pytest.fixture
def data(first):
    """The data folder of all these runs, which never are at the same time."""
    return first.data


def family(pid):
    """Return the processes that `pid` is the ancestor of."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids):
    return {pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists() and not zombie(pid)}


def zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def get(url):
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return answer.content


def refused(*options, environ=os.environ):
    """Run what must fail, and fail soon; return what it says."""
    done = subprocess.run(
        [HUDNA, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env=environ,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_printed_lines_work_as_they_stand(data):
    with running(data) as up:
        assert str(data) in up.said
        lines = [shlex.split(x) for x in up.said.splitlines() if x.strip().startswith("curl")]
        answers = [json.loads(get(url)) for _, url in lines]
    assert len(answers) == 3
    assert answers[0]["id"] == "events"
    assert answers[1]["numberReturned"] == 1
    assert any("border" in json.dumps(x["properties"]).lower() for x in answers[2]["features"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(data, number):
    with running(data) as up:
        assert len(up.family) > 5
        assert up.end(number) == 0
        wait_until(lambda: not alive(up.family), 2)
        assert up.errors.splitlines()[-1].startswith("Looking after the sample")


def test_the_second_start_finds_all_made(data):
    with running(data) as up:
        before = json.loads(get(f"{up.url}{ITEMS}"))["features"]
    with running(data) as up:
        assert json.loads(get(f"{up.url}{ITEMS}"))["features"] == before
    assert "Creating" not in up.errors
    assert "Migrating" not in up.errors


def test_without_the_sample_it_starts_empty(first):
    assert first.features == []


def test_the_same_data_is_not_served_twice(data):
    with running(data) as up:
        said = refused("up", "--port", "0", "--data", data)
    assert f"already in use by process {up.process.pid}" in said


def test_a_taken_port_is_told_before_anything_is_made(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("up", "--port", str(port), "--data", tmp_path / "data")
    assert f":{port}" in said
    assert "--port" in said
    assert not (tmp_path / "data").exists()


def test_after_a_kill_it_starts_again_on_the_same_port(data):
    with running(data) as up:
        os.kill(up.process.pid, signal.SIGKILL)
        up.process.wait()
        with running(data, "--port", str(up.port)) as again:
            assert again.port == up.port
            assert json.loads(get(f"{again.url}{ITEMS}"))["features"]
            assert not alive(up.family)
        assert "left behind" in again.errors


def test_a_killed_worker_is_replaced(data):
    with running(data) as up:
        workers = {pid for pid in up.family if b"spawn_main" in command(pid)}
        assert len(workers) == 2 + 1  # who does the imports that arrive
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: answers(f"{up.url}{ITEMS}"))
        assert up.end() == 0


def command(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def answers(url):
    try:
        get(url)
    except OSError:
        return False
    return True


def test_db_url_is_the_address_of_what_runs(data):
    with running(data):
        asked = [HUDNA, "db", "url", "--data", data]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        with psycopg.connect(done.stdout.strip()) as conn:
            assert conn.execute("SELECT count(*) > 0 FROM event").fetchone() == (True,)
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("postgresql://")
    assert "not running" in done.stderr


def test_serve_wants_a_database_with_the_schema(cluster):
    environ = os.environ | {"DATABASE_URL": cluster.dsn}
    assert "hudna migrate" in refused("serve", "--port", "0", environ=environ)
    environ = os.environ | {"DATABASE_URL": "postgresql:///x?host=/nowhere"}
    assert "/nowhere" in refused("serve", "--port", "0", environ=environ)
    environ = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    assert "DATABASE_URL is not set" in refused("serve", "--port", "0", environ=environ)


@pytest.mark.skipif(os.geteuid() != 0, reason="this run is by an ordinary user anyway")
def test_an_ordinary_user_can_have_his_own():
    nobody = pwd.getpwnam("nobody")
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    try:
        subprocess.run([HUDNA, "--help"], check=True, capture_output=True, cwd="/", **who)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"nobody cannot run {HUDNA} here: {error}")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        with running(Path(folder, "data"), cwd="/", env=environ, **who) as up:
            assert json.loads(get(f"{up.url}{ITEMS}"))["features"]
            assert up.end(signal.SIGINT) == 0
            wait_until(lambda: not alive(up.family), 2)
