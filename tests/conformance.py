"""What the service declares, and the tests that hold it: this writes docs/conformance.md.

    python -m tests.conformance

A conformance class stands on rows of a checklist of requirements, and a test names the rows that it
holds: `@pytest.mark.requirement("I11")`. A new class needs its line in CLASSES, and its rows in
ROWS; which tests there are, pytest tells.
"""

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs/conformance.md"
SPEC = "http://www.opengis.net/spec/"


class Row(NamedTuple):
    """A row of the checklist: who wants it (C: OGC's own tests, S: the standard), and what."""

    wanted: str
    text: str


#: All rows. R: recommended only, or wanted by clients.
ROWS = {
    "G1": Row("C", "HTTP/1.1; the content type is the negotiated one; `Vary: Accept`"),
    "G2": Row("C", "the landing page leads to the contract, the conformance and the data"),
    "G3": Row("C", "`service-desc` has the exact type of OpenAPI 3.0"),
    "G4": Row("C", "behind it is valid OpenAPI 3.0"),
    "G5": Row("C", "which has the paths of the standard"),
    "G6": Row("S", "and every status that an operation answers with"),
    "G7": Row("C", "`/conformance` lists the core"),
    "G8": Row("R", "HEAD and OPTIONS"),
    "G9": Row("R", "pages of other origins may ask, and read the headers"),
    "G10": Row("R", "errors are RFC 9457"),
    "G11": Row("R", "`f` wins over `Accept`; what cannot be given is 406; JSON by default"),
    "G12": Row("S", "as HTML: all links and all data of the JSON"),
    "G13": Row("C", "every link has a relation and a type, and leads to that type"),
    "K1": Row("C", "`/collections`: itself, alternates, collections"),
    "K2": Row("C", "each has an id, and its items as GeoJSON"),
    "K3": Row("C", "and an extent in space, within the world, and in time"),
    "K4": Row("C", "one collection is what it is in the list"),
    "K5": Row("S", "an unknown one is 404"),
    "K6": Row("C", "a list of systems for all collections begins with CRS84"),
    "K7": Row("C", "`crs` and `storageCrs`"),
    "I1": Row("C", "items are a FeatureCollection in GeoJSON"),
    "I2": Row("C", "`self`, `alternate`, and `next` only if there is more"),
    "I3": Row("C", "`timeStamp`, `numberReturned`"),
    "I4": Row("C", "`numberMatched` is the sum of all pages, and `next` can be followed"),
    "I5": Row("C", "coordinates are longitude and latitude"),
    "I6": Row("C", "`limit` as the contract describes it"),
    "I7": Row("C", "no more than `limit`"),
    "I8": Row("S", "a limit above the maximum is the maximum"),
    "I9": Row("C", "a bad limit is 400"),
    "I10": Row("C", "`bbox` as the contract describes it"),
    "I11": Row("C", "only what meets the box, on all pages, across the antimeridian too"),
    "I12": Row("S", "six numbers: heights are ignored"),
    "I13": Row("S", "a bad box is 400"),
    "I14": Row("S", "the edges of a box belong to it; it may be a line or a point"),
    "I15": Row("S", "what has no geometry is in every box"),
    "I16": Row("C", "`datetime` as the contract describes it"),
    "I17": Row("S", "instants and intervals, open ones too; both ends belong to them"),
    "I18": Row("S", "an event that lasts meets what it has in common"),
    "I19": Row("S", "what has no time is in every period"),
    "I20": Row("S", "a bad period is 400"),
    "I21": Row("S", "offsets, fractions, lower-case letters, leap seconds"),
    "I22": Row("R", "days, and the open ends that clients write"),
    "I23": Row("C", "an unknown parameter of items is 400"),
    "I24": Row("S", "and of everything else"),
    "I25": Row("S", "a bad value of any parameter is 400"),
    "I26": Row("S", "all that is asked for has to be so"),
    "I27": Row("R", "a walk gets everything once while others write"),
    "I28": Row("R", "the header `Link` repeats the links"),
    "F1": Row("C", "an item is a Feature with its id and its links"),
    "F2": Row("S", "an unknown one is 404"),
    "F3": Row("C", "features of a list have ids"),
    "F4": Row("R", "entity tags"),
    "F5": Row("S", "ids that need escaping"),
    "R1": Row("C", "`Content-Crs` without `crs`"),
    "R2": Row("C", "`Content-Crs` of every system"),
    "R3": Row("S", "the axes are in the order of the authority"),
    "R4": Row("C", "an unknown system is 400"),
    "R5": Row("C", "boxes in every system"),
    "R6": Row("C", "a box in CRS84, said to be so, is the same"),
    "R7": Row("C", "an unknown `bbox-crs` is 400"),
    "R8": Row("R", "links keep `crs` and `bbox-crs`"),
    "R9": Row("S", "an item takes no `bbox-crs`"),
    "Q1": Row("S", "a collection leads to its queryables"),
    "Q2": Row("S", "which are JSON Schema, and closed"),
    "Q3": Row("R", "also as plain JSON, for GDAL"),
    "Q4": Row("S", "each simple queryable is a parameter"),
    "Q5": Row("S", "`filter-lang` lists the languages, and has a default"),
    "Q6": Row("S", "`filter-crs`"),
    "Q7": Row("S", "a filter that cannot be is 400"),
    "Q8": Row("S", "what is false and what is not known are left out"),
    "Q9": Row("S", "a filter is for items alone"),
    "Q10": Row("S", "the predicates of CQL2's abstract tests have their counts, in text and JSON"),
    "Q11": Row("S", "every queryable, operator and connective, against another reading"),
    "Q12": Row("S", "the constructs of the standard's examples are read, and written again"),
    "Q13": Row("S", "text and JSON give the same"),
    "Q14": Row("S", "keywords, quotes, patterns, folding, times, boxes: as the standard has them"),
    "Q15": Row("S", "`/functions`"),
    "D1": Row("S", "a collection leads to its schema and its sortables"),
    "D2": Row("S", "which are JSON Schema, in the terms that the draft allows"),
    "D3": Row("S", "with every property, its order, and the roles of id, geometry and interval"),
    "D4": Row("S", "every item fits the schema, and what is broken does not"),
    "D5": Row("S", "what the server sets itself is marked"),
    "D6": Row("S", "what can be sorted by is what the sortables have"),
    "D7": Row("R", "GDAL takes the types of fields from the schema of the feature"),
    "E1": Row("S", "OPTIONS of items, and of any item: `Allow` has what this caller may do"),
    "E2": Row("S", "POST: 201, with the address of what was created; the id is the server's"),
    "E3": Row("S", "PUT: what was sent, under the same id; what is not there is not made"),
    "E4": Row("S", "PATCH: a merge patch changes what it names, and no id"),
    "E5": Row("S", "DELETE: it is gone, and cannot be deleted twice"),
    "E6": Row("S", "`Content-Crs` of what is sent; an unknown one is refused"),
    "E7": Row("S", "strong entity tags, and `If-Match`: nobody's change is lost"),
    "E9": Row("S", "what is no event is refused, by media type, form, type and name"),
    "E10": Row("S", "the schema of what is to be sent takes what the server takes"),
    "T1": Row("S", "tilesets are found from the landing page and the collection"),
    "T2": Row("S", "a tileset leads to its tiles, by a template, and to its tile matrix set"),
    "T3": Row("S", "its limits hold all tiles; what lies outside the matrix is 404"),
    "T4": Row("S", "a tile is a Mapbox Vector Tile, as others read it; an empty one may be 204"),
    "T5": Row("S", "all tiles of a zoom together have each event once"),
    "T6": Row("S", "the tile matrix set is the registered one"),
    "T7": Row("S", "a parameter that a tile does not have is 400"),
}
ITEMS = [f"I{n}" for n in range(1, 29)]
LANGUAGE = ["Q10", "Q11"]

#: What is declared, by what stands behind SPEC, and the rows on which it stands.
CLASSES: dict[str, list[str]] = {
    "ogcapi-features-1/1.0/conf/core": [
        *("G1", "G2", "G7", "G8", "G9", "G10", "G11", "G13"),
        *("K1", "K2", "K3", "K4", "K5", *ITEMS, "F1", "F2", "F3", "F4", "F5"),
    ],
    "ogcapi-features-1/1.0/conf/oas30": ["G3", "G4", "G5", "G6", "I6", "I10", "I16"],
    "ogcapi-features-1/1.0/conf/geojson": ["G1", "I1", "I2", "I3", "I5", "F1", "F3"],
    "ogcapi-features-1/1.0/conf/html": ["G11", "G12", "G13"],
    "ogcapi-features-2/1.0/conf/crs": ["K6", "K7", *(f"R{n}" for n in range(1, 10))],
    "ogcapi-features-3/1.0/conf/queryables": ["Q1", "Q2", "Q3"],
    "ogcapi-features-3/1.0/conf/queryables-query-parameters": ["Q4"],
    "ogcapi-features-3/1.0/conf/filter": ["Q5", "Q6", "Q7", "Q8"],
    "ogcapi-features-3/1.0/conf/features-filter": ["Q9", "I26"],
    "ogcapi-features-5/1.0/conf/schemas": ["D1", "D2", "D4", "D7"],
    "ogcapi-features-5/1.0/conf/core-roles-features": ["D3"],
    "ogcapi-features-5/1.0/conf/returnables-and-receivables": ["D5"],
    "ogcapi-features-5/1.0/conf/sortables": ["D6"],
    "ogcapi-features-4/1.0/conf/create-replace-delete": ["E1", "E2", "E3", "E5", "E9", "E10"],
    "ogcapi-features-4/1.0/conf/update": ["E1", "E4", "E9"],
    "ogcapi-features-4/1.0/conf/features": ["E2", "E3", "E6", "E9", "E10"],
    "ogcapi-features-4/1.0/conf/optimistic-locking-etags": ["E7"],
    "cql2/1.0/conf/cql2-text": [*LANGUAGE, "Q12", "Q13", "Q14"],
    "cql2/1.0/conf/cql2-json": [*LANGUAGE, "Q12", "Q13"],
    "cql2/1.0/conf/basic-cql2": [*LANGUAGE, "Q8", "Q14"],
    "cql2/1.0/conf/advanced-comparison-operators": LANGUAGE,
    "cql2/1.0/conf/case-insensitive-comparison": ["Q11", "Q14"],
    "cql2/1.0/conf/accent-insensitive-comparison": ["Q11", "Q14"],
    "cql2/1.0/conf/basic-spatial-functions": LANGUAGE,
    "cql2/1.0/conf/basic-spatial-functions-plus": LANGUAGE,
    "cql2/1.0/conf/spatial-functions": LANGUAGE,
    "cql2/1.0/conf/temporal-functions": LANGUAGE,
    "cql2/1.0/conf/array-functions": ["Q11", "Q14"],
    "cql2/1.0/conf/property-property": ["Q11"],
    "cql2/1.0/conf/functions": ["Q15", "Q14"],
    "cql2/1.0/conf/arithmetic": ["Q11", "Q14"],
    "cql2/1.0/conf/basic-spatial-operators": LANGUAGE,
    "ogcapi-tiles-1/1.0/conf/core": ["T2", "T3", "T4", "T7"],
    "ogcapi-tiles-1/1.0/conf/tileset": ["T2", "T3"],
    "ogcapi-tiles-1/1.0/conf/tilesets-list": ["T1"],
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets": ["T1", "T5"],
    "ogcapi-tiles-1/1.0/conf/mvt": ["T4"],
    "tms/2.0/conf/tilematrixset": ["T6"],
    "tms/2.0/conf/json-tilematrixset": ["T6"],
}

#: Rows that no test holds, and why.
OPEN: dict[str, str] = {}

#: How many predicates the abstract tests of CQL2 have (OGC 21-065r2, Annex A), by class.
PREDICATES = {
    "basic-cql2": 48,
    "advanced-comparison-operators": 14,
    "basic-spatial-functions": 8,
    "basic-spatial-functions-plus": 7,
    "spatial-functions": 26,
    "temporal-functions": 36,
}

#: How many examples the standard has in each encoding.
EXAMPLES = {"text": 120, "json": 109}

HEAD = """# Conformance

`/conformance` declares what the tests check, and nothing else. Here is each class with the
requirements on which it stands, and each requirement with the tests that hold it.
`make conformance` writes this page from the tests, which name the rows they hold; a test fails if a
declared class has no test, or if this page is out of date.

CQL2's abstract tests have {total} predicates, and **{total} of {total}** have the counts of the
standard, in text, in JSON and written back. `tests/cql2/test_cql2_ats.py` fails if one has not; it
is skipped without the standard's own data, which is not part of this repository. It wants a folder
`cql2` with `ne110m4cql2.gpkg` (of opengeospatial/ogcapi-features, `cql2/standard/data`) and the
predicates of Annex A as `ats_predicates.json`, a list of `cls`, `table`, `expr` and `n`:

```sh
HUDNA_REAL_DATA=/folder/above/it .venv/bin/pytest -s tests/cql2/test_cql2_ats.py
```

The classes that have none there, of arrays, arithmetic, folding and functions, are held by tests of
our own.

Of the standard's examples (`cql2/standard/schema/examples` there), **{text} of {text}** in text and
**{json} of {json}** in JSON are read and written again, and each that is in both says the same in
both. `tests/cql2/test_cql2_examples.py` runs those that it finds as `text` and `json` in the folder
`cql2/examples` of that data; Q12 has their constructs without it.

## Classes

The names stand behind `{spec}`; the last column counts predicates.

| class | requirements | |
|---|---|---|
{classes}

`basic-spatial-operators` is what drafts called `basic-spatial-functions`; QGIS asks for that name.

## Requirements

C: OGC's own test suite asserts it. S: the standard demands it. R: it is recommended, or a client
needs it. Without a test: {without}.
"""

Held = dict[str, list[str]]


class _Collected:
    """A plugin of pytest that keeps what it has collected."""

    def __init__(self) -> None:
        self.held: Held = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note each test with the rows that it holds; once, however many its parameters are."""
        for item in session.items:
            name = item.nodeid.partition("[")[0]
            for mark in item.iter_markers("requirement"):
                for row in mark.args:
                    tests = self.held.setdefault(row, [])
                    if name not in tests:
                        tests.append(name)


def collected() -> Held:
    """Return the tests of each row, as pytest collects them.

    Raises:
        RuntimeError: pytest could not.
    """
    found = _Collected()
    marked = [
        str(path)
        for path in sorted(ROOT.glob("tests/**/test_*.py"))
        if "mark.requirement(" in path.read_text(encoding="utf-8")
    ]
    with redirect_stdout(sys.stderr):
        code = pytest.main(["--collect-only", "-qq", "--rootdir", str(ROOT), *marked], [found])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"pytest ended with {code!r}")
    return found.held


def written(held: Held) -> str:
    """Return the document."""
    total = sum(PREDICATES.values())
    classes = "\n".join(_classes())
    head = HEAD.format(total=total, spec=SPEC, classes=classes, without=_without(), **EXAMPLES)
    return "\n".join([head, *_rows(held)])


def _classes() -> Iterator[str]:
    for name, rows in CLASSES.items():
        number = PREDICATES.get(name.rpartition("/")[2], "")
        yield f"| `{name}` | {' '.join(f'[{row}](#{row.lower()})' for row in rows)} | {number} |"


def _without() -> str:
    wanted = [f"{name} ({OPEN[name]})" for name, row in ROWS.items() if name in OPEN]
    return ", ".join(wanted) or "none"


def _rows(held: Held) -> Iterator[str]:
    for name, row in ROWS.items():
        yield from [f"### {name}", "", f"{row.wanted}: {row.text}.", ""]
        yield from [f"- `{test}`" for test in held.get(name, ["no test"])]
        yield ""


def main() -> None:
    """Write the document, or print it if an argument says `-`."""
    text = written(collected())
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(text)
    else:
        DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
