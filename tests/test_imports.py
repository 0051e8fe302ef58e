"""Imports over HTTP: which files are taken, by whom, and what comes of them."""

import csv
import io
from base64 import b64encode

import psycopg
import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

import acled
import import_desk
from api import keys
from conftest import ITEMS, assert_problem, links, opened
from ged import ged
from import_desk import BAD, IMPORTS, Desk, signed, some
from importing import create
from test_import_formats import FILES
from test_tables import block

desk = import_desk.desk  # a fixture


# A file of every format.


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_every_format_is_imported_and_again_changes_nothing(desk, kind):
    content, options = FILES[kind]
    files = {"file": {"some.file": content}}
    if "--mapping" in options:
        files["mapping"] = {"mapping.toml": block("toml").encode()}
    first = desk.told(desk.send_form(query={"format": kind}, **files))
    assert (first["status"], first["progress"]) == ("successful", 100), first
    assert first["account"]["created"] > 0
    assert first["files"][0] | {"size": 0} == {
        "number": 0,
        "role": "file",
        "name": "some.file",
        "size": 0,
    }
    head = desk.head()
    again = desk.told(desk.send_form(query={"format": kind}, **files))
    assert again["account"]["created"] == again["account"]["changed"] == 0
    assert again["account"]["unchanged"] == first["account"]["created"]
    assert desk.head() == head


def test_a_body_that_is_the_file_itself_is_imported(desk):
    answer = desk.send(ged(), format="ucdp", name="GEDEvent_v25_1.csv")
    assert (answer.json["status"], answer.json["progress"]) == ("accepted", 0)
    assert desk.ask("SELECT count(*) FROM event") == 0
    told = desk.told(answer)
    assert told["status"] == "successful"
    assert told["files"] == [
        {"number": 0, "role": "file", "name": "GEDEvent_v25_1.csv", "size": len(ged())}
    ]
    assert desk.ask("SELECT DISTINCT source_release FROM event") == "25.1"
    assert str(desk.ask("SELECT id FROM import")) == told["account"]["import_id"]


def test_who_sent_it_is_the_author_of_what_it_wrote(desk):
    desk.told(desk.send(ged(), format="ucdp"))
    event = desk.ask("SELECT id FROM event")
    (version,) = desk.client.get(f"{ITEMS}/{event}/history").json["versions"]
    assert (version["actor"], version["source"]["format"]) == ("Desk", "ucdp")


def test_what_is_restricted_stays_so(desk):
    told = desk.told(desk.send(acled.as_csv(acled.row()), format="acled"))
    assert told["account"]["created"] == 1
    assert desk.client.get(ITEMS).json["features"] == []
    assert len(desk.client.get(ITEMS, headers=desk.reader).json["features"]) == 1


def test_several_files_and_a_list_of_deletions_are_one_import(desk):
    files = {
        f"{name}.csv": acled.as_csv(acled.row(event_id_cnty=name)) for name in ("RUR1", "RUR2")
    }
    deleted = {"deleted.csv": b"event_id_cnty,deleted_timestamp\nRUR2,1520900001\n"}
    told = desk.told(desk.send_form(query={"format": "acled"}, file=files, deleted=deleted))
    assert (told["account"]["created"], told["account"]["gone"]) == (2, 1)
    assert [file["role"] for file in told["files"]] == ["file", "file", "deleted"]
    assert desk.ask("SELECT count(*) FROM import") == 1


# What is wrong.


def test_bad_rows_forbid_the_whole_and_are_listed(desk):
    told = desk.told(desk.send(BAD, format="ucdp", name="bad.csv"))
    assert told["status"] == "failed"
    assert told["message"] == "Nothing was loaded: 2 of 3 rows are bad."
    assert {fault["column"] for fault in told["exceptions"]} == {"latitude", "best"}
    assert desk.ask("SELECT count(*) FROM event") == 0
    (report,) = links(told, "http://www.opengis.net/def/rel/ogc/1.0/exceptions")
    answer = desk.client.get(report["href"], headers=desk.key)
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [(r["file"], r["line"], r["source_id"]) for r in rows] == [
        ("bad.csv", "3", "2"),
        ("bad.csv", "4", "3"),
    ]


def test_a_text_that_no_index_could_hold_is_told_with_its_column(desk):
    """In a table of one's own by the name that the column has there."""
    prose = "Shelling went on in the whole of the province. " * 130
    mapping = b"""
dataset = "mine"
source_id = "No"
event_type = {value = "Battles"}
admin1 = "Province"
"""
    files = {"file": {"a.csv": f"No,Province\n1,Homs\n2,{prose}\n".encode()}}
    files["mapping"] = {"m.toml": mapping}
    told = desk.told(desk.send_form(query={"format": "csv"}, **files))
    assert told["message"] == "Nothing was loaded: 1 of 2 rows are bad."
    (fault,) = told["exceptions"]
    assert (fault["line"], fault["source_id"], fault["column"]) == (3, "2", "province")
    assert len(fault["value"]) < 100
    assert desk.ask("SELECT tries FROM import_job") == 1


def test_the_list_of_bad_rows_is_asked_for_once(desk):
    told = desk.told(desk.send(BAD, format="ucdp"))
    address = f"{IMPORTS}/{told['jobID']}/exceptions"
    tag = desk.client.get(address, headers=desk.key).headers["ETag"]
    again = desk.client.get(address, headers=desk.key | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert_problem(desk.client.get(address, headers=desk.key | {"Accept": "image/png"}), 406)


def test_the_good_rows_are_loaded_if_that_is_asked(desk):
    told = desk.told(desk.send(BAD, format="ucdp", lenient="true"))
    assert told["status"] == "successful"
    assert (told["account"]["created"], told["account"]["rejected"]) == (1, 2)
    assert links(told, "http://www.opengis.net/def/rel/ogc/1.0/exceptions")


def test_a_file_of_another_format_is_named(desk):
    told = desk.told(desk.send(b"a,b\n1,2\n", format="ucdp", name="odd.csv"))
    assert told["status"] == "failed"
    assert told["message"].startswith("odd.csv ")
    answer = desk.client.get(f"{IMPORTS}/{told['jobID']}/exceptions", headers=desk.key)
    assert_problem(answer, 404)


def test_what_is_no_whole_replaces_nothing(desk):
    desk.told(desk.send(some(*[{"id": str(n)} for n in range(1, 6)]), format="ucdp"))
    less = some({"id": "1"})
    told = desk.told(desk.send(less, format="ucdp", replace="true"))
    assert told["status"] == "failed"
    assert "4 of 5 events would vanish" in told["message"]
    assert told["account"]["gone"] == 4
    told = desk.told(desk.send(less, format="ucdp", replace="true", force="true"))
    assert (told["status"], told["account"]["gone"]) == ("successful", 4)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({}, "format"),
        ({"format": "shapefile"}, "format"),
        ({"format": "ucdp", "relase": "1"}, "relase"),
        ({"format": "ucdp", "dataset": "mine"}, "dataset"),
        ({"format": "ucdp", "force": "true"}, "force"),
        ({"format": "ucdp", "roots": "18"}, "roots"),
        ({"format": "gdelt", "roots": "99"}, "roots"),
        ({"format": "ucdp", "replace": "true", "lenient": "true"}, "replace"),
        ({"format": "ucdp", "visibility": "secret"}, "visibility"),
    ],
)
def test_a_bad_option_is_named(desk, query, named):
    assert_problem(desk.send(ged(), **query), 400, parameter=named)


@pytest.mark.parametrize(
    ("files", "pointer"),
    [
        ({"mapping": {"m.toml": b""}}, "/file"),
        ({"file": {"a.csv": ged()}, "report": {"b.csv": b"x"}}, "/report"),
        ({"file": {"a.csv": ged()}, "deleted": {"b.csv": b"x"}}, "/deleted"),
        ({"file": {"a.csv": ged()}, "mapping": {"m.toml": b""}}, "/mapping"),
        ({"file": {"a.csv": ged()}, "mapping": {"m.toml": b"", "n.toml": b""}}, "/mapping"),
    ],
)
def test_a_part_that_is_missing_or_does_not_fit_is_named(desk, files, pointer):
    body = assert_problem(desk.send_form(query={"format": "ucdp"}, **files), 400)
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert desk.ask("SELECT count(*) FROM import_job") == 0


def test_a_mapping_that_cannot_be_understood_is_refused_at_once(desk):
    files = {"file": {"a.csv": b"a\n"}, "mapping": {"m.toml": b"event_type = ["}}
    body = assert_problem(desk.send_form(query={"format": "csv"}, **files), 400)
    assert "is not TOML" in body["errors"][0]["detail"]


def test_a_file_that_is_sent_as_text_is_told_so(desk):
    sent = {"file": "id,latitude"}
    query = {"format": "ucdp"}
    answer = desk.client.post(IMPORTS, query_string=query, data=sent, headers=desk.key)
    assert_problem(answer, 415)  # a form without a file is of another type
    sent["deleted"] = (io.BytesIO(b"x"), "x.csv")
    answer = desk.client.post(IMPORTS, query_string=query, data=sent, headers=desk.key)
    body = assert_problem(answer, 400)
    assert {"pointer": "/file", "detail": "must be a file."} in body["errors"]


def test_a_body_of_another_type_or_none_is_refused(desk):
    assert_problem(desk.send(ged(), media="application/pdf", format="ucdp"), 415)
    assert_problem(desk.send(b"", format="ucdp"), 411)
    packed = desk.key | {"Content-Encoding": "gzip"}
    assert_problem(desk.send(ged(), key=packed, format="ucdp"), 415)
    assert desk.ask("SELECT count(*) FROM import_job") == 0


def test_a_body_that_is_too_large_is_refused(cluster, blank):
    dsn = create(cluster, blank)
    with opened(dsn, import_limit_mb=1) as client:
        desk = Desk(dsn, client)
        assert_problem(desk.send(bytes(2 << 20), format="ucdp"), 413)
        assert desk.ask("SELECT count(*) FROM import_job") == 0
        assert desk.ask("SELECT count(*) FROM import_piece") == 0


def test_a_number_that_no_list_has_is_refused(desk):
    answer = desk.client.get(IMPORTS, query_string={"cursor": 2**63}, headers=desk.key)
    assert_problem(answer, 400)


def form(*files, **texts) -> dict:
    """A form as a request has it; the files are all called alike."""
    sent = [FileStorage(io.BytesIO(content), "a.csv") for content in files]
    boundary, body = encode_multipart({"file": sent} | texts)
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def test_a_part_that_is_no_file_is_not_collected_without_end(desk):
    """Nor are many parts; what is said is of these, not of the body."""
    query = {"format": "ucdp"}
    for sent, said in [
        (form(ged(), note="x" * (1 << 20)), "131,072 bytes"),
        (form(*[b"x"] * 101), "100 parts"),
    ]:
        answer = desk.client.post(IMPORTS, query_string=query, headers=desk.key, **sent)
        body = assert_problem(answer, 413, type="urn:hudna:problem:too-large")
        assert said in body["detail"]
        assert "body" not in body["detail"]
    assert desk.ask("SELECT count(*) FROM import_job") == 0
    assert desk.ask("SELECT count(*) FROM import_piece") == 0


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_file_of_a_form_has_no_limit_but_that_of_the_body(desk, end):
    """Wherever its lines end in what is read at once."""
    content = b"".join(b"x" * (n % 97) + end for n in range(20_000))
    query = {"format": "ucdp"}
    answer = desk.client.post(IMPORTS, query_string=query, headers=desk.key, **form(content))
    assert answer.status_code == 201, answer.text
    (kept,) = answer.json["files"]
    assert kept["size"] == len(content)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_form_that_is_too_large_is_told_so_however_it_comes(cluster, blank, in_pieces):
    sent = form(bytes(2 << 20))
    if in_pieces:
        sent["input_stream"] = io.BytesIO(sent.pop("data"))
        sent["environ_overrides"] = {"wsgi.input_terminated": True}
    dsn = create(cluster, blank)
    with opened(dsn, import_limit_mb=1) as client:
        sent |= {"query_string": {"format": "ucdp"}, "headers": Desk(dsn, client).key}
        body = assert_problem(client.post(IMPORTS, **sent), 413)
        assert body["detail"] == "The body must be of at most 1,048,576 bytes."


# Who may.


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_on_a_page_of_another_site_writes_nothing(desk, told):
    """A browser sends the password that it has for this server along with it."""
    bearer = desk.key["Authorization"].removeprefix("Bearer ")
    basic = {"Authorization": "Basic " + b64encode(f"me:{bearer}".encode()).decode()}
    for media in ("text/plain", "multipart/form-data"):
        answer = desk.send(ged(), key=basic | told, media=media, format="ucdp")
        assert_problem(answer, 403, type="urn:hudna:problem:cross-site")
    assert desk.ask("SELECT count(*) FROM import_job") == 0
    assert desk.client.get(IMPORTS, headers=basic | told).status_code == 200
    assert desk.send(ged(), key=desk.key | told, format="ucdp").status_code == 201
    for here in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}):
        assert desk.send(ged(), key=basic | here, format="ucdp").status_code == 201


@pytest.mark.parametrize("scopes", [(), ("write",), ("read:restricted",)])
def test_without_a_key_for_imports_there_is_none(desk, scopes):
    key = {}
    if scopes:
        with psycopg.connect(desk.dsn) as conn:
            key = signed(conn, *scopes)
    status = 403 if scopes else 401
    query = {"format": "ucdp"}
    answer = desk.client.post(IMPORTS, query_string=query, data=ged(), headers=key)
    assert_problem(answer, status)
    some = desk.send(ged(), format="ucdp").headers["Location"]
    for address in (IMPORTS, some, f"{some}/exceptions"):
        assert_problem(desk.client.get(address, headers=key), status)


def test_an_import_is_seen_by_who_sent_it_and_by_administrators(desk):
    address = desk.send(ged(), format="ucdp").headers["Location"]
    seen = {
        name: desk.client.get(address, headers=getattr(desk, name)).status_code
        for name in ("key", "admin", "other")
    }
    assert seen == {"key": 200, "admin": 200, "other": 404}
    assert desk.client.get(IMPORTS, headers=desk.other).json["jobs"] == []
    (job,) = desk.client.get(IMPORTS, headers=desk.admin).json["jobs"]
    assert job["actor"] == "Desk"


def test_values_of_events_are_told_to_those_who_may_see_them(desk):
    desk.told(desk.send(ged(), format="ucdp", visibility="restricted"))
    changed = some({"best": "4", "high": "9"})
    for key, may in ((desk.key, False), (desk.reader, True)):
        answer = desk.send(changed, key=key, format="ucdp", visibility="restricted")
        told = desk.told(answer, key)
        assert ("examples" in told["account"], "lost" in told["account"]) == (may, may)
        changed = some({"best": "5", "high": "9"})
    assert told["account"]["examples"]["recoded"][0]["field"] == "fatalities_best"


def test_what_a_revoked_key_has_sent_is_not_done(desk):
    address = desk.send(ged(), format="ucdp").headers["Location"]
    with psycopg.connect(desk.dsn) as conn:
        keys.revoke(conn, "Desk")
    desk.do()
    told = desk.client.get(address, headers=desk.admin).json
    assert told["status"] == "failed"
    assert "key" in told["message"]
    assert desk.ask("SELECT count(*) FROM event") == 0
