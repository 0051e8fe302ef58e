"""A proxy that hears what clients ask, and docs/clients.md, which tells what was heard."""

import http.client
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

FILE = Path(__file__).parent.parent / "docs/clients.md"
#: Set to write what is heard into docs/clients.md, instead of comparing it.
WRITING = "HUDNA_WRITE_DOCS"


class Listening(ThreadingHTTPServer):
    """A proxy in front of the server that remembers what was asked for, and what was answered.

    It passes the Host header on, so that links lead back to it.
    """

    daemon_threads = True

    def __init__(self, server) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = urlsplit(server).netloc
        self.heard: list[tuple[str, int]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def queries(self, path="/collections/events/items") -> list[dict[str, str]]:
        """Return the queries for items, decoded."""
        split = [urlsplit(target) for target, _ in self.heard]
        return [
            {name: values[0] for name, values in parse_qs(target.query).items()}
            for target in split
            if target.path == path
        ]

    def lines(self) -> list[str]:
        """Return what was asked for, as a person would write it down.

        What is asked of the service itself stands in one line; a page and those behind it, too.
        """
        told: list[str] = []
        times = 1
        for target, _ in self.heard:
            line = re.sub(r"\bcursor=[^&]*", "cursor=…", unquote(target))
            times = times + 1 if told and told[-1].partition("  (")[0] == line else 1
            if times > 1:
                told[-1] = f"{line}  ({times} times)"
            elif told and "/items" not in told[-1] + line:
                told[-1] += f", {line}"
            else:
                told.append(line)
        return told


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listening

    def do_GET(self):
        connection = http.client.HTTPConnection(self.server.behind, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        self.server.heard.append((self.path, answer.status))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the names that the base class looks for

    def log_message(self, *_):
        """Say nothing: what was heard is remembered."""


@contextmanager
def listening(server) -> Iterator[Listening]:
    """Run a listening proxy in front of `server`."""
    with Listening(server) as proxy:
        thread = Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


def block(client) -> re.Match[str]:
    """Return the part of docs/clients.md that tells what a client asks: its version, its text."""
    pattern = rf"(?<=<!-- heard: {client}) ?([\d.]*) -->\n```text\n(.*?)```"
    found = re.search(pattern, FILE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found, f"{FILE} has no part for {client}"
    return found


def told(client) -> dict[str, list[str]]:
    """Return what docs/clients.md tells a client asks, by question."""
    parts = re.findall(r"^# (.*)\n((?:  .*\n)*)", block(client)[2], flags=re.MULTILINE)
    return {question: [x.strip() for x in lines.splitlines()] for question, lines in parts}


def hold_to(client, version, question, lines) -> None:
    """Hold docs/clients.md to what was heard; or, if that is asked for, write it there.

    It tells of one version of a client; of another there is nothing to compare.
    """
    if os.environ.get(WRITING):
        known = told(client) | {question: lines}
        text = "".join(f"# {q}\n" + "".join(f"  {x}\n" for x in ls) for q, ls in known.items())
        part = block(client)
        whole = part.string
        made = f"{whole[: part.start()]} {version} -->\n```text\n{text}```{whole[part.end() :]}"
        FILE.write_text(made, encoding="utf-8")
    elif block(client)[1] == version:
        assert told(client).get(question) == lines, f"{WRITING}=1 pytest tests/clients writes it"
