"""The private server comes up wherever it is put, and goes away whatever happens."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest

from api.cluster import Cluster, ClusterError, binaries

CLUSTER = Path(sys.modules[Cluster.__module__].__file__)

#: Starts a cluster without anything of the project but its one module, and says where it is.
STARTER = f"""
import importlib.util, os, pathlib, signal, sys
spec = importlib.util.spec_from_file_location("cluster", {str(CLUSTER)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
cluster = module.Cluster(pathlib.Path(sys.argv[1]), durable=False)
cluster.start()
print(cluster.dsn, cluster.pid, flush=True)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a stopped cluster and a table of one row."""
    data = tmp_path_factory.mktemp("made") / "data"
    with Cluster(data, durable=False) as cluster, psycopg.connect(cluster.dsn) as conn:
        conn.execute("CREATE EXTENSION postgis")
        conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
    return data


@pytest.fixture
def data(made, tmp_path):
    """A copy of it, of the test's own."""
    copy = tmp_path / "data"
    shutil.copytree(made, copy)
    for path in [copy / "postgres", *(copy / "postgres").rglob("*")]:
        owner = (made / "postgres").stat()
        os.chown(path, owner.st_uid, owner.st_gid)
    return copy


def rows(cluster):
    with psycopg.connect(cluster.dsn) as conn:
        return conn.execute("SELECT one FROM kept").fetchall()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def ended(command, **how):
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, **how)
    return done.stdout.split()


def test_it_keeps_its_data_from_run_to_run(data):
    for _ in range(2):
        with Cluster(data, durable=False) as cluster:
            assert rows(cluster) == [(1,)]


def test_any_path_will_do_however_long_and_odd(tmp_path):
    data = tmp_path / 'it\'s a "pläce" of $HOME `x`; \\' / ("long" * 40) / "data"
    with Cluster(data, durable=False) as cluster, psycopg.connect(cluster.dsn) as conn:
        assert conn.execute("SELECT current_database(), current_user").fetchone() == (
            "hudna",
            "hudna",
        )
        assert len(unquote(cluster.dsn)) < 107 + len("postgresql://hudna@/hudna?host=&port=5432")


def test_two_folders_are_two_servers(data, tmp_path):
    with (
        Cluster(data, durable=False) as one,
        Cluster(tmp_path / "other", durable=False) as other,
        psycopg.connect(other.dsn) as conn,
    ):
        assert rows(one) == [(1,)]
        assert conn.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_a_folder_is_used_once_at_a_time(data):
    with Cluster(data, durable=False) as cluster:
        with pytest.raises(ClusterError, match=f"already in use by process {os.getpid()}"):
            Cluster(data).start()
        assert rows(cluster) == [(1,)]


def test_nothing_is_left_when_it_stops(data):
    with Cluster(data, durable=False) as cluster:
        pid, socket = cluster.pid, socket_folder(cluster)
        assert is_alive(pid)
        assert socket.is_dir()
    assert cluster.pid is None
    assert not is_alive(pid)
    assert not socket.exists()


def test_only_its_owner_can_reach_it(data):
    with Cluster(data, durable=False) as cluster, psycopg.connect(cluster.dsn) as conn:
        assert stat.S_IMODE(socket_folder(cluster).stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "postgres").stat().st_mode) == 0o700
        assert conn.execute("SHOW listen_addresses").fetchone() == ("",)


def socket_folder(cluster):
    return Path(unquote(cluster.dsn.partition("host=")[2].partition("&")[0]))


def test_a_server_whose_starter_was_killed_makes_way(data):
    command = [sys.executable, "-c", STARTER + "os.kill(os.getpid(), signal.SIGKILL)", data]
    died = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr
    orphan = int(died.stdout.split()[1])
    assert is_alive(orphan)
    said = []
    with Cluster(data, durable=False, say=said.append) as cluster:
        assert cluster.pid != orphan
        assert rows(cluster) == [(1,)]
    assert "left behind" in said[0]
    assert not is_alive(orphan)


def test_it_recovers_when_everything_was_killed(data):
    cluster = Cluster(data)
    cluster.start()
    with psycopg.connect(cluster.dsn) as conn:
        conn.execute("INSERT INTO kept VALUES (2)")
    os.kill(cluster.pid, signal.SIGKILL)
    cluster.stop()
    assert (data / "postgres" / "postmaster.pid").exists()
    with Cluster(data) as cluster:
        assert rows(cluster) == [(1,), (2,)]


def test_a_pid_that_is_another_programs_by_now_is_let_live(data):
    with subprocess.Popen(["sleep", "60"], user=(data / "postgres").stat().st_uid) as innocent:
        pid_file = data / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{innocent.pid}\n/nowhere\n0\n5432\n\n\n  5432001  0\nready\n")
        with Cluster(data, durable=False) as cluster:
            assert rows(cluster) == [(1,)]
        assert innocent.poll() is None
        innocent.terminate()


def test_a_half_made_cluster_is_made_anew(tmp_path):
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    with Cluster(tmp_path, durable=False) as cluster:
        assert cluster.pid
    assert not half.exists()


def test_what_postgresql_says_is_told(data):
    (data / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ClusterError, match="no_such_setting"):
        Cluster(data, durable=False).start()


def test_without_postgis_there_is_advice():
    with pytest.raises(ClusterError, match=r"PostgreSQL 99 with PostGIS.*make install"):
        binaries(99)


@pytest.mark.skipif(os.geteuid() != 0, reason="this run is by an ordinary user anyway")
def test_an_ordinary_user_runs_it_as_himself():
    nobody = pwd.getpwnam("nobody")
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    pythons = [sys.executable, "/usr/bin/python3"]
    reads = ["-c", f"import sys; sys.version_info < (3, 11) or open({str(CLUSTER)!r})"]
    for python in pythons:
        try:
            if subprocess.run([python, *reads], check=False, **who).returncode == 0:
                break
        except OSError:
            continue
    else:
        pytest.skip(f"nobody can neither run {pythons} nor read {CLUSTER}")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        stop = "print(os.stat(cluster.folder / 'postgres').st_uid); cluster.stop()"
        _, pid, owner = ended([python, "-c", STARTER + stop, Path(folder, "data")], **who)
    assert int(owner) == nobody.pw_uid
    assert not is_alive(int(pid))
