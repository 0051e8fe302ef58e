"""Imports over HTTP: sent, kept, done by the attendant, and told of."""

import csv
import io
import json

import psycopg
import pytest

import acled
from api import keys
from api.jobs import doing, kept
from conftest import ITEMS, assert_problem, links, opened
from ged import ROW, ged
from importing import create
from test_import_formats import FILES
from test_tables import block

IMPORTS = "/collections/events/imports"


def some(*rows) -> bytes:
    """The bytes of a file whose rows are right, but for these cells."""
    return ged(*[ROW | cells for cells in rows])


def signed(conn, *scopes, **further):
    """Make a key; return the header that has it."""
    text = keys.make(conn, further.pop("name", "Desk"), scopes, **further)[1]
    conn.commit()
    return {"Authorization": f"Bearer {text}"}


class Desk:
    """One who sends files to a service, and an attendant who does them when told to."""

    def __init__(self, dsn, client) -> None:
        self.dsn, self.client = dsn, client
        self.settings = client.application.extensions["hudna"].settings
        with psycopg.connect(dsn) as conn:
            self.key = signed(conn, "import")
            self.admin = signed(conn, "admin", name="Admin")
            self.other = signed(conn, "import", name="Other")
            self.reader = signed(conn, "import", "read:restricted", name="Reader")

    def send(self, content=None, *, key=None, media="text/csv", **query):
        query = {"places": "false"} | query
        headers = (key or self.key) | {"Content-Type": media}
        return self.client.post(IMPORTS, query_string=query, data=content, headers=headers)

    def send_form(self, *, key=None, query=None, **files):
        data = {
            role: [(io.BytesIO(content), name) for name, content in some.items()]
            for role, some in files.items()
        }
        query = {"places": "false"} | query
        return self.client.post(IMPORTS, query_string=query, data=data, headers=key or self.key)

    def do(self) -> int:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            return doing.drain(conn, self.settings, "a-database")

    def told(self, answer, key=None) -> dict:
        """Let what was sent be done; return what is told of it then."""
        assert answer.status_code == 201, answer.text
        self.do()
        told = self.client.get(answer.headers["Location"], headers=key or self.key)
        assert told.status_code == 200, told.text
        return told.json

    def ask(self, query):
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(query).fetchone()[0]

    def head(self):
        return self.ask("SELECT head FROM feed.state")


@pytest.fixture
def desk(cluster, blank):
    with opened(dsn := create(cluster, blank)) as client:
        yield Desk(dsn, client)


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


BAD = some({"id": "1"}, {"id": "2", "latitude": "99"}, {"id": "3", "best": "many"})


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


# Who may.


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


# The list.


def test_the_list_has_the_newest_first_and_goes_on(desk):
    sent = [desk.send(ged(), format="ucdp").json["jobID"] for _ in range(5)]
    found, url = [], f"{IMPORTS}?limit=2"
    while url:
        page = desk.client.get(url, headers=desk.key).json
        found.append([job["jobID"] for job in page["jobs"]])
        url = next((link["href"] for link in links(page, "next")), None)
    assert found == [sent[:2:-1], sent[2:0:-1], sent[:1]]


@pytest.mark.parametrize("which", ["list", "job"])
def test_people_can_read_it(desk, which):
    sent = desk.send(BAD, format="ucdp", name="bad.csv")
    desk.do()
    address = IMPORTS if which == "list" else sent.headers["Location"]
    answer = desk.client.get(address, headers=desk.key | {"Accept": "text/html"})
    assert answer.content_type.startswith("text/html")
    assert "2 of 3 rows are bad" in answer.text


# The attendant.


def test_jobs_are_done_in_the_order_in_which_they_came_and_leave_no_files(desk):
    for best in ("4", "5", "6"):
        desk.send(some({"best": best, "high": "9"}), format="ucdp")
    assert desk.do() == 3
    assert desk.ask("SELECT fatalities_best FROM event") == 6
    assert desk.ask("SELECT count(*) FROM import_piece") == 0
    assert desk.do() == 0


def test_a_job_that_was_broken_off_is_done_by_the_next_attendant(desk):
    sent = desk.send(ged(), format="ucdp")
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        assert kept.take(conn).tries == 1
    told = desk.told(sent)
    assert told["status"] == "successful"
    assert desk.ask("SELECT tries FROM import_job") == 2


def test_a_job_that_ends_every_attendant_is_given_up(desk):
    sent = desk.send(ged(), format="ucdp")
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        for _ in range(doing.TRIES):
            kept.take(conn)
    told = desk.told(sent)
    assert told["status"] == "failed"
    assert "begun 3 times" in told["message"]


def test_who_has_lost_a_job_to_another_writes_nothing(desk):
    desk.send(ged(), format="ucdp")
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        mine = kept.take(conn)
        theirs = kept.take(conn)
        outcome = kept.Outcome("done")
        assert not kept.succeed(conn, mine, outcome)
        assert not kept.fail(conn, mine, outcome)
        assert kept.succeed(conn, theirs, outcome)


def test_a_fault_of_our_own_is_logged_and_told_without_its_words(desk, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(doing, "load", fail)
    told = desk.told(desk.send(ged(), format="ucdp"))
    assert told["status"] == "failed"
    assert "division" not in json.dumps(told)
    assert "division by zero" in caplog.text


def test_without_a_gazetteer_places_cannot_be_completed(desk):
    told = desk.told(desk.send(ged(), format="ucdp", places="true"))
    assert (told["status"], desk.ask("SELECT count(*) FROM event")) == ("failed", 0)
    assert "hudna gazetteer load" in told["message"]


def test_old_jobs_and_those_whose_files_never_came_are_taken_away(desk):
    for _ in range(3):
        desk.send(ged(), format="ucdp")
    desk.do()
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        conn.execute(
            "UPDATE import_job SET finished = finished - interval '31 days' WHERE number = 1"
        )
        conn.execute(
            "UPDATE import_job SET status = 'arriving', finished = NULL,"
            " created = created - interval '2 days' WHERE number = 2"
        )
        kept.tidy(conn)
    assert desk.ask("SELECT array_agg(number) FROM import_job") == [3]
