"""Load: wrk for the service, pgbench for the database alone."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from api.cluster import binaries
from api.db import SESSION

CONNECTIONS = 8
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def wrk(url: str, seconds: int, *headers: str) -> tuple[float, float, float]:
    """Return requests a second, and the milliseconds within which 50 and 99 % were answered.

    Raises:
        RuntimeError: there is no wrk, or an answer was an error.
    """
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("make bench needs wrk: apt-get install wrk")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    for header in headers:
        command += ["-H", header]
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said and not headers:
        raise RuntimeError(f"{url} was answered with errors:\n{said}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    half, most = (_latency(said, share) for share in ("50%", "99%"))
    return rate, half, most


def _latency(said: str, share: str) -> float:
    number, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", said).groups()
    return float(number) * _MS[unit]


def pgbench(dsn: str, statements: list[str], seconds: int) -> float:
    """Return how often a second the database alone answers `statements`, prepared."""
    where = conninfo_to_dict(dsn)
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    environment = os.environ | {
        "PGHOST": where["host"],
        "PGPORT": where["port"],
        "PGUSER": where["user"],
        "PGDATABASE": where["dbname"],
        "PGOPTIONS": options,
    }
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "case.sql"
        script.write_text("".join(f"{' '.join(s.split())};\n" for s in statements), "utf-8")
        command = [binaries() / "pgbench", "-n", f"-c{CONNECTIONS}", "-j1", "-M", "prepared"]
        said = subprocess.run(
            [*command, f"-T{seconds}", "-f", script],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        ).stdout
    return float(re.search(r"tps = ([\d.]+)", said)[1])
