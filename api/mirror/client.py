"""The feed of changes over HTTP, asked again and again until it answers."""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PATH = "/collections/events/changes"
#: Seconds between two attempts: at first, and at most.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30
#: How long an answer may say nothing, besides what it was asked to wait.
TIMEOUT_S = 30
#: What a server answers that may answer otherwise in a moment.
PASSING = {408, 425, 429, 500, 502, 503, 504}


class GoneError(Exception):
    """The cursor is too old; what was read so far is to be read anew."""


class RefusedError(Exception):
    """The service does not take the question; the message is its own."""


class AwayError(Exception):
    """The service cannot be reached."""


@dataclass(frozen=True)
class Page:
    """A page of the feed."""

    upserts: Sequence[dict[str, Any]]
    deletes: Sequence[str]
    next: str
    up_to_date: bool
    head: int


class Feed:
    """The feed of a service, as `filters` ask for it, in pages of `limit` changes.

    `url` is the address of the service, or of its collection of events. A question that fails is
    asked again, less and less often, for `patience_s` seconds; None: for ever. `say` is told of it.
    """

    def __init__(  # noqa: PLR0913 -- the further ones by name
        self,
        url: str,
        filters: Sequence[tuple[str, str]],
        *,
        limit: int,
        key: str | None = None,
        patience_s: float | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/collections/events") + PATH
        if urllib.parse.urlsplit(self.url).scheme not in {"http", "https"}:
            raise RefusedError(
                f"{url} is no address of a service: it begins with neither http nor https."
            )
        self.filters = sorted(filters)
        self._limit = limit
        self._headers = {"Accept": "application/json"}
        self._headers |= {"Authorization": f"Bearer {key}"} if key else {}
        self._patience_s = patience_s
        self._say = say

    def page(self, cursor: str | None, wait_s: int = 0) -> Page:
        """Return the page behind the cursor, or the first.

        Raises:
            GoneError: changes may be missing behind the cursor.
            RefusedError: the service does not take the question.
            AwayError: it does not answer, for longer than there is patience.
        """
        begun, pause = time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                return self._ask(cursor, wait_s)
            except urllib.error.HTTPError as error:
                with error:
                    problem, least = _problem(error), error.headers.get("Retry-After", "")
                if problem.get("type") == "urn:hudna:problem:cursor-gone":
                    raise GoneError(problem["detail"]) from None
                detail = problem.get("detail") or f"{error.code} {error.reason}"
                if error.code not in PASSING:
                    raise RefusedError(f"{detail} ({self.url})") from None
                least_s = float(least) if least.isdecimal() else 0.0
            # An answer that breaks off in its middle is no JSON.
            except (OSError, http.client.HTTPException, ValueError) as error:
                detail, least_s = str(getattr(error, "reason", error)), 0.0
            if self._patience_s is not None and time.monotonic() - begun > self._patience_s:
                raise AwayError(f"{self.url} does not answer: {detail}")
            wait = min(max(pause, least_s), LONGEST_PAUSE_S)
            if pause > 1:
                self._say(f"{detail} Trying again in {wait:.0f} s.")
            time.sleep(wait * random.uniform(0.75, 1))  # noqa: S311 -- so that not all come at once
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _ask(self, cursor: str | None, wait_s: int) -> Page:
        further: dict[str, object] = {"limit": self._limit}
        further |= {"cursor": cursor} if cursor else {}
        further |= {"wait": wait_s} if wait_s else {}
        query = urllib.parse.urlencode([*self.filters, *further.items()])
        request = urllib.request.Request(f"{self.url}?{query}", headers=self._headers)  # noqa: S310 -- it is http
        with urllib.request.urlopen(request, timeout=TIMEOUT_S + wait_s) as answer:  # noqa: S310 -- the same
            body = json.loads(answer.read())
        if not isinstance(body, dict) or not isinstance(body.get("changes"), list):
            raise RefusedError(f"{self.url} is no feed of changes.")
        told = body["changes"]
        return Page(
            upserts=[change["feature"] for change in told if change["op"] == "upsert"],
            deletes=[change["id"] for change in told if change["op"] == "delete"],
            next=body["next"],
            up_to_date=body["upToDate"],
            head=body["head"],
        )


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    """Return the problem document of an answer; nothing, if it is somebody else's."""
    try:
        body = json.loads(error.read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
