"""What is declared is what the tests hold, and docs/conformance.md says which."""

import json
import subprocess
import sys

import pytest

import conformance
from api.collections import CONFORMS_TO
from conformance import CLASSES, DOCUMENT, OPEN, ROOT, ROWS, SPEC


@pytest.fixture(scope="module")
def held():
    """The tests of each row, collected in a process of its own: pytest is at work in this one."""
    code = "import json, conformance; print(json.dumps(conformance.collected()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "tests", check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_the_document_is_up_to_date(held):
    assert DOCUMENT.read_text(encoding="utf-8") == conformance.written(held), "run make conformance"


def test_make_conformance_writes_it():
    recipe = (ROOT / "Makefile").read_text().partition("\nconformance:")[2].split("\n\n")[0]
    assert "-m tests.conformance" in recipe


def test_what_is_declared_is_what_stands_on_rows():
    assert {SPEC + name for name in CLASSES} == set(CONFORMS_TO)
    assert len(CONFORMS_TO) == len(set(CONFORMS_TO))


@pytest.mark.parametrize("name", CLASSES)
def test_a_declared_class_stands_on_rows_that_tests_hold(held, name):
    assert CLASSES[name]
    assert all(held.get(row) for row in CLASSES[name])


def test_every_row_has_its_test_but_those_that_say_why_not(held):
    assert ROWS.keys() - held.keys() == OPEN.keys()


def test_every_mark_names_a_row(held):
    assert held.keys() <= ROWS.keys()


def test_the_ids_of_tests_are_those_that_there_are(held):
    for tests in held.values():
        for test in tests:
            path, name = test.split("::")[:2]
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
