"""ACLED's vocabulary, as it is and as it was."""

import re

from api.importers.cells import pieces
from api.schemas import EVENT_TYPES

#: Kinds of actors, by code.
INTER = {
    1: "State forces",
    2: "Rebel group",
    3: "Political militia",
    4: "Identity militia",
    5: "Rioters",
    6: "Protesters",
    7: "Civilians",
    8: "External/Other forces",
}
#: How the name of each begins, in every spelling it has had.
_BEGINNINGS = {
    "state": 1,
    "government": 1,
    "rebel": 2,
    "political": 3,
    "identity": 4,
    "ethnic": 4,
    "communal": 4,
    "riot": 5,
    "protest": 6,
    "civilian": 7,
    "external": 8,
    "other": 8,
    "outside": 8,
}
#: The types of events until 2019 that are no longer there.
_FORMER_TYPES = {
    "remote violence": "Explosions/Remote violence",
    "strategic development": "Strategic developments",
    "headquarters or base established": "Strategic developments",
    "non-violent transfer of territory": "Strategic developments",
    "riots/protests": "Protests",
}
_TYPES = {name.casefold(): name for name in EVENT_TYPES} | _FORMER_TYPES


def event_type(name: str, sub_event_type: str) -> str | None:
    """Return the type of an event in today's vocabulary; None: ACLED has never had such a type.

    >>> event_type("Battle-No change of territory", "")
    'Battles'
    >>> event_type("Riots/Protests", "Mob violence")
    'Riots'
    """
    key = name.casefold()
    if key.startswith("battle-"):
        return "Battles"
    riot = re.search("mob|riot|violent demonstration", sub_event_type.casefold())
    return "Riots" if key == "riots/protests" and riot else _TYPES.get(key)


def inter_code(text: str) -> int | None:
    """Return the code of a kind of actor, which may be written as a code or as a name.

    >>> inter_code("2"), inter_code("Rebel Groups"), inter_code("0"), inter_code("9")
    (2, 2, 0, None)
    """
    if text.isascii() and text.isdecimal():
        return int(text) if len(text) == 1 and text != "9" else None
    key = text.casefold()
    return next((code for start, code in _BEGINNINGS.items() if key.startswith(start)), None)


def disorder_types(text: str | None) -> list[str]:
    """Return the types of disorder, there may be two; the exports of 2022 have one misspelt.

    >>> disorder_types("Political violence; Demostrations")
    ['Political violence', 'Demonstrations']
    """
    return [name.replace("Demostrations", "Demonstrations") for name in pieces(text)]
