"""`make bench` still measures what the service does: run with few events, and short."""

import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_every_case_is_measured_and_nothing_is_written():
    written = (ROOT / "docs" / "performance.md").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--short"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=ROOT,
        env=os.environ | {"EVENTS": "1000"},
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ")[0] for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[1:7] == [f"| {case}" for case in "abcdef"]
    assert (ROOT / "docs" / "performance.md").read_bytes() == written
