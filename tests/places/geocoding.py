"""How well phrases are placed: the table of phrases.csv against the code.

`python tests/places/geocoding.py INDEX` writes the score and every failure to docs/geocoding.md.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from shapely import Point

from geo import index
from geo.compass import apart_km
from geo.expressions import Unplaced
from geo.fixes import Fix, Fixer
from geo.gazetteer import Gazetteer

TABLE = Path(__file__).parent / "phrases.csv"
REPORT = Path(__file__).parents[2] / "docs" / "geocoding.md"
MARK = "<!-- written by tests/places/geocoding.py from here on -->"

HEADING = "| phrase | expected | got | what is wrong |\n|---|---|---|---|"


#: How many phrases of the table are right; raise it when more are.
RIGHT = 182


def cases() -> list[Mapping[str, str]]:
    with TABLE.open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def wrongs(case: Mapping[str, str], fix: Fix | None) -> Iterator[str]:
    """Say what is wrong with an answer; nothing, if nothing is."""
    if fix is None:
        if case["precision"] != "refused":
            yield "refused"
        return
    if case["precision"] == "refused":
        yield "should have been refused"
        return
    truth = Point(float(case["longitude"]), float(case["latitude"]))
    off_km = apart_km(truth, fix.point)
    if off_km > float(case["within_km"]):
        yield f"{off_km:.0f} km off"
    if off_km > fix.uncertainty_km + 2:  # 2 km: the table rounds to a hundredth of a degree
        yield f"outside its own uncertainty of {fix.uncertainty_km:g} km"
    if case["country"] != (fix.country or ""):
        yield f"country {fix.country}"
    if case["precision"] != fix.precision:
        yield f"precision {fix.precision}"
    if (case["verdict"] == "ambiguous") != fix.ambiguous:
        yield f"said to be {fix.verdict}"


def failures(fixer: Fixer) -> list[tuple[Mapping[str, str], Fix | None, str]]:
    failed = []
    for case in cases():
        try:
            fix = fixer.fix(case["phrase"])
        except Unplaced:
            fix = None
        if wrong := "; ".join(wrongs(case, fix)):
            failed.append((case, fix, wrong))
    return failed


def report(fixer: Fixer) -> str:
    failed, total = failures(fixer), len(cases())
    lines = [f"\n**{total - len(failed)} of {total}** phrases are right.", "", HEADING]
    for case, fix, wrong in failed:
        expected = f"{case['latitude']}, {case['longitude']} {case['country']} {case['precision']}"
        got = f"{fix.point.y:.2f}, {fix.point.x:.2f} {fix.name}" if fix else "nothing"
        lines.append(f"| {case['phrase']} | {expected} | {got} | {wrong} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    gazetteer = Gazetteer(index.ensure(Path(sys.argv[1])))
    above = REPORT.read_text(encoding="utf-8").partition(MARK)[0]
    REPORT.write_text(above + MARK + "\n" + report(Fixer(gazetteer)), encoding="utf-8")
    gazetteer.close()
