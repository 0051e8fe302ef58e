"""The contract, openapi.yaml: as it is served, and what pages and forms take from it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent.parent / "openapi.yaml"

_VARIABLE = re.compile(r"\{[^}]*\}|<[^>]*>")


@cache
def served(base: str) -> dict[str, Any]:
    """Return the contract as served at `base`."""
    contract: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    contract["servers"] = [{"url": base}]
    return contract


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the contract, or what it refers to."""
    while "$ref" in part:
        found = served("")
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


@cache
def parameters(rule: str) -> tuple[dict[str, Any], ...]:
    """Return the query parameters of GET at a route, in the contract's order.

    `rule` is written as Flask does or as OpenAPI does: the names of its variables do not matter.
    """
    return tuple(_parameters(_VARIABLE.sub("{}", rule)))


def _parameters(rule: str) -> Iterator[dict[str, Any]]:
    for path, item in served("")["paths"].items():
        if _VARIABLE.sub("{}", path) == rule:
            listed = map(resolved, item.get("get", {}).get("parameters", []))
            yield from (each for each in listed if each["in"] == "query")
