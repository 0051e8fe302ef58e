"""Countries: names, adjectives, and the codes under which data sets of the field know them."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from geo.names import fold


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory with an ISO 3166-1 alpha-3 code, or Kosovo (XKX).

    What is disputed is decided in geo/data/make.md.
    """

    alpha3: str
    name: str
    names: tuple[str, ...]
    adjectives: tuple[str, ...]


def countries() -> Mapping[str, Country]:
    """Return all countries by their alpha-3 code.

    >>> countries()["JOR"].name
    'Jordan'
    """
    return _countries()


def country_named(name: str) -> str | None:
    """Return the alpha-3 code for a name or a code, in English, French or Arabic.

    >>> country_named("Syrian Arab Republic"), country_named("الأردن"), country_named("Mordor")
    ('SYR', 'JOR', None)
    """
    return _codes().get(fold(name)) or _codes().get(name.strip().upper())


def country_of_adjective(word: str) -> str | None:
    """Return the alpha-3 code for an adjective or demonym, singular or plural, of any gender.

    >>> country_of_adjective("Jordanian"), country_of_adjective("malienne")
    ('JOR', 'MLI')
    >>> country_of_adjective("السورية")
    'SYR'
    """
    return _adjectives().get(fold(word))


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


def alpha3_of_numeric(code: int) -> str | None:
    """Return the ISO 3166-1 alpha-3 code for a numeric one; None: there is none.

    >>> alpha3_of_numeric(760), alpha3_of_numeric(0)
    ('SYR', None)
    """
    return _numeric().get(code)


def alpha3_of_fips(code: str) -> str | None:
    """Return the ISO 3166-1 alpha-3 code for one of FIPS 10-4; None: ISO has no such country.

    Gaza and the West Bank are PSE. Seas, and islands that several states hold parts of, have none.

    >>> alpha3_of_fips("IZ"), alpha3_of_fips("GZ"), alpha3_of_fips("OS")
    ('IRQ', 'PSE', None)
    """
    return _fips().get(code)


@cache
def _numeric() -> Mapping[int, str]:
    return {int(row["numeric"]): row["alpha3"] for row in _country_codes() if row["numeric"]}


@cache
def _fips() -> Mapping[str, str]:
    return {
        code: row["alpha3"] for row in _country_codes() for code in row["fips"].split("|") if code
    }


@cache
def _country_codes() -> list[dict[str, str]]:
    with files("geo").joinpath("country_codes.csv").open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


@cache
def _alpha3() -> Mapping[int, str | None]:
    with files("geo").joinpath("gleditsch_ward.csv").open(encoding="utf-8") as table:
        return {int(row["code"]): row["alpha3"] or None for row in csv.DictReader(table)}


@cache
def _countries() -> Mapping[str, Country]:
    with files("geo").joinpath("data", "countries.csv").open(encoding="utf-8") as table:
        return {row["alpha3"]: _country(row) for row in csv.DictReader(table)}


def _country(row: Mapping[str, str]) -> Country:
    others = [row[column].split("|") for column in ("english", "french", "arabic")]
    adjectives = row["adjectives"].split("|")
    adjectives += [form for word in row["adjectives_fr"].split("|") for form in _french(word)]
    adjectives += [form for word in row["adjectives_ar"].split("|") for form in _arabic(word)]
    return Country(
        alpha3=row["alpha3"],
        name=row["name"],
        names=tuple(dict.fromkeys(name for names in others for name in names if name)),
        adjectives=tuple(dict.fromkeys(word for word in adjectives if word)),
    )


def _french(word: str) -> Iterator[str]:
    """Yield the genders and numbers of a French adjective."""
    if not word:
        return
    feminine = word if word.endswith("e") else word + ("ne" if word.endswith("en") else "e")
    yield from (word, word + "s", feminine, feminine + "s")


def _arabic(word: str) -> Iterator[str]:
    """Yield masculine, feminine and plural, each with and without the article."""
    if not word:
        return
    for form in (word, word + "ة", word + "ين", word + "ون"):
        yield form
        yield "".join("ال" + part + " " for part in form.split()).strip()


@cache
def _codes() -> Mapping[str, str]:
    codes: dict[str, str] = {}
    for country in countries().values():
        for name in (country.name, *country.names):
            codes.setdefault(fold(name), country.alpha3)
    return codes | {code: code for code in countries()}


@cache
def _adjectives() -> Mapping[str, str]:
    codes: dict[str, str] = {}
    for country in countries().values():
        for word in country.adjectives:
            codes.setdefault(fold(word), country.alpha3)
            if word.isascii() and word[-1] not in "he":
                codes.setdefault(fold(word + "s"), country.alpha3)
    return codes
