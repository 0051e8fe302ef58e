"""What a full export takes: the peak memory of the worker, and features a second, by format.

`python -m tests.benchmarks.export [EVENTS ...]` writes so many synthetic events, 100,000 and then
1,000,000 if it is not said, and reads all of them over HTTP in each format. A worker is new for
each reading, so that its peak is that reading's own; the memory of a worker that has answered one
page stands beside it.
"""

import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))  # as pytest does

import synthetic
from api.cluster import Cluster
from api.db import migrate
from conftest import ITEMS, serving

from .cases import tell

FORMATS = ["geojsonseq", "csv", "fgb", "gpkg"]
SLICE = 1 << 20


def main(numbers: list[int]) -> None:
    """Measure every format at each size."""
    lines = [
        "| events | format | MB | s | features a second | worker before, MB | peak, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for number in numbers:
        with TemporaryDirectory(prefix="hudna-bench-") as folder:
            Path(folder).chmod(0o711)
            with Cluster(Path(folder) / "data") as cluster:
                tell(f"Writing {number:,} events ...")
                migrate(cluster.dsn)
                synthetic.write(cluster.dsn, number)
                for form in FORMATS:
                    tell(f"{number:,} events as {form} ...")
                    lines.append(measured(cluster.dsn, number, form))
    sys.stdout.write("\n".join(lines) + "\n")


def measured(dsn: str, number: int, form: str) -> str:
    """Return a row of the table: all events read in a format, from a worker that is new."""
    with serving(dsn, HUDNA_STATEMENT_TIMEOUT_S="60") as url:
        read(f"{url}{ITEMS}?limit=1000")
        before = peak(url)
        began = time.monotonic()
        size = read(f"{url}{ITEMS}?f={form}")
        took = time.monotonic() - began
        cells = [
            *(f"{number:,}", form, f"{size / 1e6:.0f}", f"{took:.1f}", f"{number / took:,.0f}"),
            *(f"{before:.0f}", f"{peak(url):.0f}"),
        ]
    return f"| {' | '.join(cells)} |"


def read(url: str) -> int:
    """Read an answer to its end, as fast as it comes; return its length in bytes."""
    size = 0
    with urllib.request.urlopen(url, timeout=600) as answer:  # noqa: S310 - it is our own server
        while piece := answer.read(SLICE):
            size += len(piece)
    return size


def peak(url: str) -> float:
    """Return the most memory, in MB, that any process which serves `url` has had resident."""
    port = f"--port\0{url.rpartition(':')[2]}\0"
    parents = [p for p in Path("/proc").glob("[0-9]*") if port in _text(p / "cmdline")]
    children = [p for p in Path("/proc").glob("[0-9]*") if _parent(p) in {q.name for q in parents}]
    return max(_status(p, "VmHWM") for p in children) / 1000


def _parent(process: Path) -> str:
    return str(round(_status(process, "PPid")))


def _status(process: Path, name: str) -> float:
    for line in _text(process / "status").splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    return 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:  # the process has ended meanwhile
        return ""


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100_000, 1_000_000])
