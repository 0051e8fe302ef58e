"""R: sf, which reads through GDAL."""

import shutil
import subprocess
from pathlib import Path

import pytest
from questions import BOX, BY_NAME, answer

from listening import hold_to, told

ASKED = ["everything", "a box", "a country"]
WKT = "POLYGON (({0} {1}, {2} {1}, {2} {3}, {0} {3}, {0} {1}))".format(*BOX)


@pytest.mark.parametrize("name", ASKED)
def test_sf_finds_what_is_there(proxy, walked, name):
    if not shutil.which("Rscript"):
        pytest.fail("R is missing: `make test` installs r-cran-sf.")
    question = BY_NAME[name]
    script = Path(__file__).with_name("ask_sf.R")
    done = subprocess.run(
        ["Rscript", "--vanilla", script, proxy.url, WKT if question.box else "", question.where],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    version, *found = done.stdout.removesuffix("\n").split("\n")
    assert sorted(filter(None, found)) == answer(question, walked)
    # What has no place is in every box: counted by the server, left out by GDAL. R shows its room.
    placeless = sum(f["geometry"] is None for f in walked)
    assert found.count("") == (placeless if question.box else 0)
    assert all("bbox" in q for q in proxy.queries()[1:]) or not question.box
    assert all("filter" in q for q in proxy.queries()[1:]) or not question.where
    hold_to("sf", version, name, proxy.lines())


def test_the_documents_tell_of_these_questions_and_no_others():
    assert list(told("sf")) == ASKED
