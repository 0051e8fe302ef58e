"""Keys: made, recognised, refused, revoked; and what is written down of it."""

import base64
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.sql import SQL, Identifier

from api import keys
from api.access import require
from api.cli import main
from api.keys import NOBODY, SCOPES, Caller
from conftest import ITEMS, PLACES, RESOURCES, assert_problem, insert, opened, serving, settle

KEY = re.compile(r"hudna_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
#: What a key is looked for in.
SOME = ["/", "/nowhere", "/collections", ITEMS, f"{ITEMS}?f=csv", f"{ITEMS}/none", PLACES, "/api"]


@pytest.fixture
def key(conn):
    """Make a key; return it."""

    def make(*scopes, name="Ada", expires_at=None):
        return keys.make(conn, name, scopes or ["write"], expires_at)[1]

    return make


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def basic(text, user="qgis"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{text}".encode()).decode()}


def secret_of(text):
    """The last part of a key, in which there may be underscores too."""
    return text.split("_", 2)[2]


# Made and kept.


def test_a_key_is_kept_nowhere_but_as_a_digest(conn):
    made, text = keys.make(conn, "Ada", ["write"])
    assert KEY.fullmatch(text)
    secret = secret_of(text)
    for table in ("api_key", "audit"):
        query = SQL("SELECT t::text FROM {} AS t").format(Identifier(table))
        rows = str(conn.execute(query).fetchall())
        assert made.prefix in rows
        assert secret not in rows


def test_no_two_keys_are_the_same(conn):
    assert len({keys.make(conn, "Ada", ["write"])[1] for _ in range(20)}) == 20


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(conn, name):
    with pytest.raises(ValueError, match="name"):
        keys.make(conn, name, ["write"])


@pytest.mark.parametrize("scopes", [[], ["read"], ["write", "all"]])
def test_a_key_is_for_something_that_there_is(conn, scopes):
    with pytest.raises(ValueError, match="for one or more"):
        keys.make(conn, "Ada", scopes)


# Recognised.


@pytest.mark.parametrize("how", [bearer, basic])
@pytest.mark.parametrize("path", RESOURCES)
def test_a_key_is_taken_everywhere(client, key, path, how):
    answer = client.get(path, headers=how(key()))
    assert answer.status_code in {200, 404, 503}  # the database of these tests is empty
    assert answer.status_code == client.get(path).status_code


@pytest.mark.parametrize("path", SOME)
@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer hudna_000000000000_" + 43 * "A",
        "Bearer nonsense",
        "Bearer",
        "Basic " + base64.b64encode(b"qgis:nonsense").decode(),
        "Basic !",
        "Digest username=x",
        "nonsense",
        "",
    ],
)
def test_a_bad_key_is_refused_everywhere(client, path, authorization):
    answer = client.get(path, headers={"Authorization": authorization})
    assert_problem(answer, 401, type="urn:hudna:problem:unauthorized")
    challenges = answer.headers.getlist("WWW-Authenticate")
    assert [each.split()[0] for each in challenges] == ["Bearer", "Basic"]
    assert 'error="invalid_token"' in challenges[0]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_key_with_another_secret_is_none(client, key):
    text = key()
    other = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert client.get("/", headers=bearer(text)).status_code == 200
    assert_problem(client.get("/", headers=bearer(other)), 401)


def test_a_key_in_the_address_is_no_key(client, key):
    for name in ("key", "api_key", "access_token"):
        assert_problem(client.get(ITEMS, query_string={name: key()}), 400, parameter=name)


def test_an_expired_key_is_none(conn, client, key):
    text = key(expires_at=datetime.now(UTC) + timedelta(days=1))
    assert client.get("/", headers=bearer(text)).status_code == 200
    conn.execute("UPDATE api_key SET expires_at = clock_timestamp()")
    assert_problem(client.get("/", headers=bearer(text)), 401)


def test_revoking_works_at_once(conn, client):
    made, text = keys.make(conn, "Ada", ["write"])
    assert client.get("/", headers=bearer(text)).status_code == 200
    keys.revoke(conn, made.prefix)
    assert_problem(client.get("/", headers=bearer(text)), 401)


def test_an_answer_to_a_key_is_for_its_holder_alone(client, key):
    for path in ("/", ITEMS, "/collections/events"):
        open_, keyed = client.get(path), client.get(path, headers=bearer(key()))
        assert open_.headers["Cache-Control"] == "public, no-cache"
        assert keyed.headers["Cache-Control"] == "private, no-cache"
        for answer in (open_, keyed):
            assert {"Accept", "Authorization"} <= set(answer.headers["Vary"].split(", "))


def test_who_brings_no_key_costs_no_query(dsn):
    """A table that is locked cannot be read: only who brings a key waits for it."""
    with opened(dsn, statement_timeout_s=1) as client, psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE")
        assert client.get(ITEMS).status_code == 200
        text = "hudna_000000000000_" + 43 * "A"
        assert_problem(client.get(ITEMS, headers=bearer(text)), 503)


# What it is for.


def test_a_key_is_for_its_scopes_and_admin_for_all():
    for scope in SCOPES:
        assert not NOBODY.may(scope)
        assert Caller("a", None, frozenset({"admin"})).may(scope)
        for other in SCOPES.keys() - {scope, "admin"}:
            assert not Caller("a", None, frozenset({other})).may(scope)
        assert Caller("a", None, frozenset({scope})).may(scope)


def test_a_scope_that_there_is_not_is_a_slip():
    with pytest.raises(ValueError, match="no scope"):
        NOBODY.may("writes")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_key_is_401_and_a_lesser_one_403(client, key, scope):
    client.application.add_url_rule("/needs", view_func=lambda: require(scope).actor)
    missing = client.get("/needs")
    assert_problem(missing, 401)
    assert "invalid_token" not in missing.headers["WWW-Authenticate"]
    for other in SCOPES:
        answer = client.get("/needs", headers=bearer(key(other, name="Ada")))
        if other in {scope, "admin"}:
            assert answer.text == "Ada"
        else:
            assert_problem(answer, 403, type="urn:hudna:problem:forbidden", scope=scope)
            assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]


# What is written down.


def test_what_is_done_to_keys_is_audited(conn):
    conn.execute("SET hudna.actor = 'Grace'")
    made, _ = keys.make(conn, "Ada", ["write"])
    keys.revoke(conn, "Ada")
    rows = conn.execute(
        "SELECT actor, action, subject, old ->> 'state', new ->> 'state' FROM audit ORDER BY id"
    ).fetchall()
    assert rows == [
        ("Grace", "key made", made.prefix, None, "valid"),
        ("Grace", "key revoked", made.prefix, "valid", "revoked"),
    ]


def test_who_changed_an_event_and_when_is_on_record(conn):
    def act(actor, statement, *values):
        conn.execute("SELECT set_config('hudna.actor', %s, false)", [actor])
        conn.execute(statement, values)
        settle(conn)

    conn.execute("SET hudna.actor = 'Ada'")
    event = insert(conn)
    settle(conn)
    act("Grace", "UPDATE event SET notes = 'x' WHERE id = %s", event)
    act("Edsger", "SELECT event_delete(%s)", event)
    rows = conn.execute(
        "SELECT actor, action, old_version, new_version FROM event_change"
        " WHERE event_id = %s AND at IS NOT NULL AND seq IS NOT NULL ORDER BY new_version",
        [event],
    ).fetchall()
    assert rows == [
        ("Ada", "create", None, 1),
        ("Grace", "update", 1, 2),
        ("Edsger", "delete", 2, 3),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE event_history SET notes = 'x'",
        "DELETE FROM event_history",
        "TRUNCATE event_history",
        "UPDATE feed.tx SET actor = 'x'",
        "DELETE FROM feed.tx",
        "TRUNCATE feed.tx",
    ],
)
def test_the_record_is_append_only(conn, statement):
    keys.make(conn, "Ada", ["write"])
    event = insert(conn)
    settle(conn)
    conn.execute("UPDATE event SET notes = 'x' WHERE id = %s", [event])
    settle(conn)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute(statement)


def test_erasing_is_the_one_way_past_the_record(conn):
    event = insert(conn, notes="secret")
    settle(conn)
    conn.execute("UPDATE event SET notes = 'other' WHERE id = %s", [event])
    settle(conn)
    conn.execute("SELECT event_erase(%s)", [event])
    settle(conn)
    assert conn.execute("SELECT notes FROM event_history").fetchall() == 3 * [(None,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute("UPDATE event_history SET notes = 'x'")


# The command.


@pytest.fixture(scope="module")
def ours(make_database):
    """A database of these tests' own, which keeps what they write."""
    return make_database()


@pytest.fixture
def hudna(ours, monkeypatch):
    """Run the command on it; return its result."""
    monkeypatch.setenv("DATABASE_URL", ours)
    return lambda *words: CliRunner().invoke(main, ["keys", *words])


def test_the_command_makes_lists_and_revokes(ours, hudna):
    done = hudna("create", "--name", "Desk", "--scope", "write", "--expires", "2127-01-01")
    assert done.exit_code == 0, done.output
    text = done.stdout.splitlines()[-1]
    assert KEY.fullmatch(text)
    with opened(ours) as client:
        assert client.get("/", headers=bearer(text)).status_code == 200
        shown = hudna("list").stdout
        assert re.search(r"valid +2127-01-01 00:00 +write +Desk", shown)
        assert secret_of(text) not in shown
        assert hudna("revoke", "Desk").exit_code == 0
        assert client.get("/", headers=bearer(text)).status_code == 401
    assert "revoked" in hudna("list").stdout


def test_a_name_of_several_keys_is_not_revoked_by_chance(hudna):
    for _ in range(2):
        assert hudna("create", "--name", "Twin", "--scope", "import").exit_code == 0
    failed = hudna("revoke", "Twin")
    assert failed.exit_code == 1
    prefixes = re.findall(r"\b[0-9a-f]{12}\b", failed.stderr)
    assert len(prefixes) == 2
    for prefix in prefixes:
        assert hudna("revoke", prefix).exit_code == 0
    assert "no key" in hudna("revoke", "Twin").stderr


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--name", "Desk"],
        ["create", "--scope", "write"],
        ["create", "--name", "Desk", "--scope", "all"],
        ["create", "--name", "", "--scope", "write"],
        ["create", "--name", "Desk", "--scope", "write", "--expires", "2020-01-01"],
    ],
)
def test_the_command_refuses_in_words(hudna, words):
    failed = hudna(*words)
    assert failed.exit_code != 0
    assert failed.exception is None or isinstance(failed.exception, SystemExit)
    assert failed.stdout == ""


def test_keys_stand_in_no_log(ours, hudna, capfd):
    text = hudna("create", "--name", "Log", "--scope", "write").stdout.splitlines()[-1]
    capfd.readouterr()
    with serving(ours) as url, psycopg.connect(ours) as conn:
        conn.execute("ALTER TABLE api_key RENAME TO away")  # a fault is logged with its traceback
        conn.commit()
        ask = urllib.request.Request(url, headers=bearer(text))  # noqa: S310 - our own server
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(ask)  # noqa: S310 - the same
        assert failed.value.code == 500
        assert text not in failed.value.read().decode()
        conn.execute("ALTER TABLE away RENAME TO api_key")
    logged = "".join(capfd.readouterr())
    assert "api_key" in logged
    assert secret_of(text) not in logged
