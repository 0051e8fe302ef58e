"""How fast names become places and points become names.

`python -m tests.benchmarks.geocode [INDEX]` prints one line for each; without a path the index is
built first, and timed.
"""

import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shapely import Point

from geo import index
from geo.expressions import Unplaced
from geo.fixes import Fixer
from geo.footprints import Footprints
from geo.gazetteer import Gazetteer
from geo.precision import Precision
from geo.reverse import Towns

NAMES = (
    *("Baghdad", "Mosul", "Al-Qaim", "Deir ez-Zor", "Abu Kamal", "Tripoli", "Homs", "Idlib"),
    *("الحديدة", "دير الزور", "Gao", "Ménaka", "Bakhmut", "Kyiv", "El Fasher", "Lashio"),
    *("Anbar", "Rutba, Anbar, Iraq", "Ain al-Asad", "Syria", "Culiacán", "Tower 22", "Raqqa"),
)
MISTYPED = ("Bagdhad", "Qamishly", "Tel Rifaat", "Bakhmutt", "Khartoom", "Culliacan")
PHRASES = (
    *("the Jordan–Syria border", "40 km NW of Deir ez-Zor", "southern Lebanon", "Anbar province"),
    *("near Ain al-Asad", "between Palmyra and Deir ez-Zor", "le nord du Mali", "33.31, 38.70"),
    *("the Syrian side of the border with Iraq", "outskirts of Aleppo", "الحدود السورية الأردنية"),
)


def times_ms(do: Callable[[str], object], questions: Sequence[str], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        for question in questions:
            started = time.perf_counter()
            do(question)
            times.append((time.perf_counter() - started) * 1000)
    return times


def line(what: str, times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"| {what} | p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms |"


def rate(what: str, count: int, seconds: float) -> str:
    return f"| {what} | {count / seconds:,.0f} /s |"


def fixed(fixer: Fixer, phrase: str) -> None:
    try:
        fixer.fix(phrase)
    except Unplaced as reason:
        raise SystemExit(f"{phrase}: {reason}") from reason


def footprint_rates(gazetteer: Gazetteer) -> None:
    """Print how fast the ground of coded events is found; borders are asked for by their names."""
    dice = random.Random(7)  # noqa: S311
    points = [Point(dice.uniform(39, 48), dice.uniform(29, 37)) for _ in range(3000)]
    for precision in (Precision.SETTLEMENT, Precision.ADMIN1, Precision.COUNTRY, Precision.LINEAR):
        footprints, name = Footprints(gazetteer), "border between Iraq and Iran"
        for what in ("fresh points", "repeated points"):
            started = time.perf_counter()
            for point in points:
                footprints.of(
                    precision, point=point, country="IRQ", admin1="Anbar", place_name=name
                )
            seconds = time.perf_counter() - started
            print(rate(f"footprints, {precision}, {what}", len(points), seconds))  # noqa: T201


def main(path: Path) -> None:
    if not path.exists():
        started = time.perf_counter()
        index.build(path)
        print(f"| building the index | {time.perf_counter() - started:.0f} s |")  # noqa: T201
    print(f"| size of the index | {path.stat().st_size / 1e6:.0f} MB |")  # noqa: T201
    gazetteer = Gazetteer(path)
    fixer = Fixer(gazetteer)
    started = time.perf_counter()
    fixed(fixer, PHRASES[0])
    print(f"| the first border, with reading all shapes | {time.perf_counter() - started:.1f} s |")  # noqa: T201
    for name in (*NAMES, *PHRASES):
        fixed(fixer, name)
    print(line("geocode a name", times_ms(gazetteer.geocode, NAMES, 100)))  # noqa: T201
    print(line("geocode a mistyped name", times_ms(gazetteer.geocode, MISTYPED, 5)))  # noqa: T201
    print(line("fix a phrase", times_ms(lambda one: fixed(fixer, one), PHRASES, 20)))  # noqa: T201
    print(line("fix a name", times_ms(lambda one: fixed(fixer, one), NAMES, 100)))  # noqa: T201
    strict = Fixer(gazetteer, typos=False)
    batch = NAMES * 1000
    started = time.perf_counter()
    for name in batch:
        fixed(strict, name)
    print(rate("names in a batch, typos off", len(batch), time.perf_counter() - started))  # noqa: T201
    footprint_rates(gazetteer)
    dice = random.Random(22)  # noqa: S311
    points = [(dice.uniform(34, 48), dice.uniform(28, 37)) for _ in range(20_000)]
    towns = Towns(path)
    towns.whereabouts_of(*zip(*points, strict=True))
    started = time.perf_counter()
    for point in points[:2000]:
        towns.whereabouts(*point)
    print(rate("reverse, one by one", 2000, time.perf_counter() - started))  # noqa: T201
    started = time.perf_counter()
    towns.whereabouts_of(*zip(*points, strict=True))
    print(rate("reverse, many at once", len(points), time.perf_counter() - started))  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"| memory at the most, with towns and shapes | {peak:.0f} MB |")  # noqa: T201
    gazetteer.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "places.sqlite")
