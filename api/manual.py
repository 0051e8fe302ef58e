"""The interface as a page shows it: the contract's operations, in groups."""

from dataclasses import dataclass
from typing import Any

from api.openapi import resolved

Part = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """What can be done at an address."""

    method: str
    path: str
    told: Part
    parameters: list[Part]
    responses: dict[str, Part]

    @property
    def name(self) -> str:
        """Its name in the contract, which is its anchor too."""
        return str(self.told["operationId"])


def groups(contract: Part) -> list[tuple[Part, list[Operation]]]:
    """Return the tags of the contract, each with its operations, in the contract's order."""
    made = [
        Operation(
            method=method.upper(),
            path=path,
            told=told,
            parameters=[resolved(each) for each in told.get("parameters", [])],
            responses={status: resolved(each) for status, each in told["responses"].items()},
        )
        for path, item in contract["paths"].items()
        for method, told in item.items()
    ]
    return [
        (tag, [each for each in made if tag["name"] in each.told["tags"]])
        for tag in contract["tags"]
    ]
