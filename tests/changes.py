"""The feed of changes, asked page by page."""

import json

import pytest

from conftest import CHANGES


@pytest.fixture
def ask(client):
    """Ask for a page of changes; give its document."""

    def get(cursor=None, **query) -> dict:
        query |= {"cursor": cursor} if cursor else {}
        answer = client.get(CHANGES, query_string=query)
        assert answer.status_code == 200, answer.text[:500]
        return json.loads(answer.text)

    return get


def ops(body) -> list[tuple[str, str]]:
    return [(change["op"], change["id"]) for change in body["changes"]]
