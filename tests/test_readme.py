"""The examples of the README and of docs/geocoding.md are run, and answer what they say."""

import re
import shlex
import subprocess

import pytest

from api.gazetteer import Names
from api.sample import load
from conftest import ROOT, serving

ADDRESS = "http://127.0.0.1:8000"
TEXTS = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/geocoding.md")]
EXAMPLES = [
    found
    for text in TEXTS
    for found in re.findall(r"```console\n\$ (.+?)\n(.+?)```", text, flags=re.DOTALL)
]


@pytest.fixture(scope="module")
def sample_server(make_atlas, places):
    dsn = make_atlas()
    load(dsn, Names(places))
    with serving(dsn, HUDNA_GAZETTEER=str(places)) as url:
        yield url


def test_there_are_examples():
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize(("command", "expected"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_answers_what_it_says(sample_server, command, expected):
    said = subprocess.run(
        shlex.split(command.replace(ADDRESS, sample_server)), check=True, capture_output=True
    ).stdout.decode()
    answer = said.replace(sample_server, ADDRESS)
    for line in expected.strip().splitlines():
        promised, *rest = line.split("...")
        assert promised in answer
        assert rest in ([], [""])
