"""The contract, openapi.yaml, as it is served."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent.parent / "openapi.yaml"


@cache
def served(base: str) -> dict[str, Any]:
    """Return the contract as served at `base`."""
    contract: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    contract["servers"] = [{"url": base}]
    return contract
