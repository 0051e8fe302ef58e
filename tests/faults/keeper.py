"""Those who write over HTTP and keep a ledger of what has been acknowledged."""

import random
import threading
import time
from collections import Counter
from http import HTTPStatus
from typing import NamedTuple
from uuid import uuid4

import psycopg
import requests

from conftest import ITEMS

#: How long a request is sent again and again.
PATIENCE_S = 120
#: How long an answer may take: longer than any wait of the server's own.
ANSWER_S = 30
#: How often somebody does not wait for an answer, and after how many seconds at most he is gone.
IMPATIENCE, INSTANT_S = 0.1, 0.02
#: How long to wait before a request is sent again, if the server does not say it.
PAUSE_S = 0.05
#: What is answered to a request that may be sent again, besides 503.
IN_FLIGHT = "urn:hudna:problem:in-flight"


class Known(NamedTuple):
    """An event as its writer knows it."""

    version: int
    notes: str | None
    deleted: bool


class Keeper(threading.Thread):
    """One who writes until told to stop, and sends what is not answered again until it is.

    A request keeps its Idempotency-Key when it is sent again. Now and then he hangs up after an
    instant, so that the same request comes while the first one is still at work.
    """

    #: How often he hangs up; and whether he forgets then how he has named his request.
    impatience, forgets = IMPATIENCE, False

    def __init__(self, url, key, number, stopped) -> None:
        super().__init__(daemon=True)
        self.items, self.stopped = f"{url}{ITEMS}", stopped
        self.chance = random.Random(number)  # noqa: S311 -- events, not secrets
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        #: Each event as it was acknowledged; and its entity tag.
        self.ledger: dict[str, Known] = {}
        self.tags: dict[str, str] = {}
        #: The notes of each request that was acknowledged: no two have the same.
        self.words: list[str] = []
        self.acknowledged = 0
        #: How many requests were sent again, and why.
        self.again: Counter[str] = Counter()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with self.session:
                while not self.stopped.is_set():
                    self.write()
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            self.error = error

    def write(self) -> None:
        there = [event for event, known in self.ledger.items() if not known.deleted]
        if not there or self.chance.random() < 0.5:
            self.create()
        elif self.chance.random() < 0.2:
            self.delete(self.chance.choice(there[-200:]))
        else:
            self.change(self.chance.choice(there[-200:]))

    def create(self) -> None:
        word = str(uuid4())
        place = {"type": "Point", "coordinates": [self.chance.uniform(30, 50), 33]}
        sent = {"type": "Feature", "geometry": place}
        sent["properties"] = {"event_type": "Riots", "notes": word}
        (made,) = self.send("POST", self.items, 201, json=sent).json()["events"]
        self.keep(made["id"], made["etag"], Known(1, word, deleted=False))

    def change(self, event) -> None:
        word = str(uuid4())
        headers = {"If-Match": self.tags[event], "Content-Type": "application/merge-patch+json"}
        sent = {"properties": {"notes": word}}
        answer = self.send("PATCH", f"{self.items}/{event}", 200, headers, json=sent)
        told = answer.json()["properties"]
        made = Known(self.ledger[event].version + 1, word, deleted=False)
        assert (told["version"], told["notes"]) == made[:2], (told, made)
        self.keep(event, answer.headers["ETag"], made)

    def delete(self, event) -> None:
        headers = {"If-Match": self.tags.pop(event)}
        self.send("DELETE", f"{self.items}/{event}", 204, headers)
        self.keep(event, None, Known(self.ledger[event].version + 1, None, deleted=True))

    def keep(self, event, tag, known) -> None:
        self.ledger[event] = known
        if tag:
            self.tags[event] = tag
        if known.notes:
            self.words.append(known.notes)
        self.acknowledged += 1

    def send(self, method, url, expected, headers=None, **more) -> requests.Response:
        """Send a request until it is answered, always the same one, and return the answer."""
        sent = {"Content-Type": "application/geo+json"} | (headers or {}) | named()
        hangs_up = self.chance.random() < self.impatience
        end = time.monotonic() + PATIENCE_S
        while True:
            seconds = self.chance.uniform(0.001, INSTANT_S) if hangs_up else ANSWER_S
            pause = PAUSE_S
            try:
                answer = self.session.request(method, url, headers=sent, timeout=seconds, **more)
            except requests.Timeout:
                why = "hung up" if hangs_up else "no answer in time"
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                why = "connection lost"
            else:
                if answer.status_code == expected:
                    return answer
                kind = answer.json()["type"]
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE and kind != IN_FLIGHT:
                    raise RefusedError(f"{method} {url}: {answer.status_code} {answer.text}")
                why = kind.rpartition(":")[2]
                pause = int(answer.headers.get("Retry-After", 0)) or PAUSE_S
            assert time.monotonic() < end, f"{method} {url} is not answered: {why}"
            self.again[why] += 1
            hangs_up = False
            if self.forgets:
                sent |= named()
            time.sleep(pause)


def named() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


class RefusedError(Exception):
    """An answer is neither what was expected nor one that asks to send the request again."""


def versions(dsn, words) -> dict[str, int]:
    """Return in how many versions of events, present and past, each of the words is."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "SELECT w, count(v.id) FROM unnest(%s::text[]) AS w"
            " LEFT JOIN event_version AS v ON v.notes = w GROUP BY w",
            [list(words)],
        ).fetchall()
    return dict(rows)


def present(dsn) -> dict[str, Known]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT id::text, version, notes, deleted FROM event").fetchall()
    return {event: Known(*rest) for event, *rest in rows}


def losses(dsn, ledger, words=()) -> list[tuple]:
    """Return what was acknowledged and is not there, unless something later is."""
    there = present(dsn)
    return [
        (event, known, there.get(event))
        for event, known in ledger.items()
        if event not in there
        or there[event].version < known.version
        or (there[event].version == known.version and there[event] != known)
    ] + [(word, number) for word, number in versions(dsn, words).items() if not number]


def doubles(dsn, ledger, words) -> list[tuple]:
    """Return what was written more often than it was acknowledged."""
    there = present(dsn)
    return [
        (event, known, there[event])
        for event, known in ledger.items()
        if event in there and there[event].version > known.version
    ] + [(word, number) for word, number in versions(dsn, words).items() if number > 1]
