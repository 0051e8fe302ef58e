"""The ids of places: text of `[A-Za-z0-9-]`, unique, and the same in every build of the index.

| id | of |
|---|---|
| `country-IRQ` | a country, by its alpha-3 code |
| `admin1-IQ-AN` | a division, by its ISO 3166-2 code |
| `admin1-XKX-prizren` | a division that has no such code, or shares it: by country and name |
| `region-darfur`, `site-tower-22` | by their names |
| `settlement-98182` | by the number that GeoNames gives it |
| `border-JOR-SYR` | the land border of two countries, the codes in alphabetical order |

An id is what another system may keep. It outlives the correction of a name only where it is a code
or a number: who renames a site, a region or a division without a code makes another place of it.
"""

from collections import Counter
from functools import cache

from geo.areas import units
from geo.names import words


def country_id(alpha3: str) -> str:
    """Return the id of a country."""
    return f"country-{alpha3}"


def admin1_id(key: int) -> str:
    """Return the id of a division, by the key of its unit.

    Natural Earth ends a code in `~` where ISO has none, and gives some codes to several units,
    not always to the right one first; those are known by country and name, and by a number from
    the second of the same name on, in the order of the file.

    >>> [admin1_id(unit.key) for unit in units() if unit.code in {"IQ-AN", "XK-X21~", "KZ-ALA"}]
    ['admin1-KAZ-almaty', 'admin1-XKX-prizren', 'admin1-IQ-AN', 'admin1-KAZ-almaty-city']
    """
    return _admin1_ids()[key]


def border_id(one: str, other: str) -> str:
    """Return the id of the border of two countries, whichever is named first.

    >>> border_id("SYR", "JOR")
    'border-JOR-SYR'
    """
    return f"border-{min(one, other)}-{max(one, other)}"


def border_ends(place: str) -> tuple[str, str] | None:
    """Return the two countries of a border's id; None for any other text."""
    match place.split("-"):
        case ["border", one, other] if one < other:
            return one, other
    return None


def region_id(name: str) -> str:
    """Return the id of a region."""
    return f"region-{slug(name)}"


def site_id(name: str) -> str:
    """Return the id of a site."""
    return f"site-{slug(name)}"


def settlement_id(geonames: int) -> str:
    """Return the id of a settlement."""
    return f"settlement-{geonames}"


def slug(name: str) -> str:
    """Return a name in small letters without accents, its words joined by hyphens.

    >>> slug("Tower 22"), slug("Podujevo/Podujeva"), slug("Şəki")
    ('tower-22', 'podujevo-podujeva', 'saki')
    """
    ascii_words = ("".join(c for c in word if c.isascii()) for word in words(name))
    return "-".join(word for word in ascii_words if word)


@cache
def _admin1_ids() -> tuple[str, ...]:
    shared = Counter(unit.code for unit in units())
    named: Counter[str] = Counter()
    ids = []
    for unit in units():
        if shared[unit.code] == 1 and not unit.code.endswith("~"):
            ids.append(f"admin1-{unit.code}")
            continue
        told = f"admin1-{unit.country}-{slug(unit.name) or 'unnamed'}"
        named[told] += 1
        ids.append(told if named[told] == 1 else f"{told}-{named[told]}")
    return tuple(ids)
