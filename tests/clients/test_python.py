"""GeoPandas and DuckDB, as people of Python use them: each in a process of its own."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from questions import BY_NAME, answer

from listening import hold_to, told

PROGRAMS = {
    "geopandas": """
import geopandas

events = geopandas.read_file(f"OAPIF:{url}", layer="events", bbox=box and tuple(box), where=where)
print(json.dumps(sorted(events["source_id"])))
""",
    "duckdb": """
import duckdb, duckdb_extension_spatial, pathlib

folder = pathlib.Path(duckdb_extension_spatial.__file__).parent
(extension,) = folder.rglob("spatial.duckdb_extension")
duckdb.sql(f"LOAD '{extension}'")
found = duckdb.sql(
    f"SELECT source_id FROM ST_Read('OAPIF:{url}', layer = 'events') WHERE {where or 'true'}"
)
print(json.dumps(sorted(name for (name,) in found.fetchall())))
""",
}
ASKED = {"geopandas": ["everything", "a box", "a country"], "duckdb": ["everything", "a country"]}


@pytest.mark.parametrize(
    ("client", "name"), [(client, name) for client, names in ASKED.items() for name in names]
)
def test_a_library_finds_what_is_there(proxy, walked, client, name):
    question = BY_NAME[name]
    head = "import json, sys\nurl, box, where = json.loads(sys.argv[1])\n"
    asked = json.dumps([proxy.url, question.box, question.where or None])
    done = subprocess.run(
        [sys.executable, "-c", head + PROGRAMS[client], asked],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == answer(question, walked)
    hold_to(client, version(client), name, proxy.lines())


@pytest.mark.parametrize("client", PROGRAMS)
def test_the_documents_tell_of_these_questions_and_no_others(client):
    assert list(told(client)) == ASKED[client]
