"""Countries, by the codes under which the data sets of the field know them."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def alpha3_of_gw(code: int) -> str | None:
    """Return the ISO 3166-1 alpha-3 code for a code of Gleditsch and Ward's list of states.

    A state that is gone has the code of the one that took its place; None: no single one did,
    or ISO knows none. Kosovo has XKX, which ISO leaves to its users.

    >>> alpha3_of_gw(652), alpha3_of_gw(680), alpha3_of_gw(315)
    ('SYR', 'YEM', None)

    Raises:
        LookupError: the list, from 1946 on, has no such code.
    """
    try:
        return _alpha3()[code]
    except KeyError:
        raise LookupError(f"{code} is no code of a Gleditsch-Ward state") from None


@cache
def _alpha3() -> Mapping[int, str | None]:
    with files("geo").joinpath("gleditsch_ward.csv").open(encoding="utf-8") as table:
        return {int(row["code"]): row["alpha3"] or None for row in csv.DictReader(table)}
