"""The standard's own examples (OGC 21-065r2, cql2/standard/schema/examples), if they are there."""

import json
import os
from pathlib import Path

import pytest

from api import cql2
from conformance import EXAMPLES

DIALECTS = {"text": ("*.txt", "cql2-text"), "json": ("*.json", "cql2-json")}


@pytest.fixture(scope="module")
def examples():
    """Both kinds of examples, by the name of their file."""
    folder = Path(os.environ.get("HUDNA_REAL_DATA", "nowhere")) / "cql2" / "examples"
    if not (folder / "text").exists():
        pytest.skip("HUDNA_REAL_DATA names no folder with cql2/examples in it")
    return {
        kind: {path.stem: path.read_text() for path in (folder / kind).glob(pattern)}
        for kind, (pattern, _) in DIALECTS.items()
    }


@pytest.mark.requirement("Q12")
@pytest.mark.parametrize("kind", DIALECTS)
def test_every_example_of_the_standard_is_read_and_written_again(examples, kind):
    assert len(examples[kind]) == EXAMPLES[kind]
    for name, text in examples[kind].items():
        made = cql2.parse(text, DIALECTS[kind][1])
        assert cql2.parse(cql2.to_text(made)) == made, name
        assert cql2.parse(json.dumps(cql2.to_json(made)), "cql2-json") == made, name


@pytest.mark.requirement("Q12", "Q13")
def test_an_example_says_the_same_in_text_and_in_json(examples):
    both = examples["text"].keys() & examples["json"].keys()
    assert len(both) == EXAMPLES["json"]
    for name in both:
        text, as_json = examples["text"][name], examples["json"][name]
        assert cql2.parse(text) == cql2.parse(as_json, "cql2-json"), name
