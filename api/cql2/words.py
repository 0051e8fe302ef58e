"""What a reader of text expected and what it found, in words."""

from collections.abc import Iterable

from api.cql2.errors import Cql2Error, place

#: What begins a value of any kind.
VALUE: tuple[str, ...] = (
    *("NAME", "QUOTED", "STRING", "NUMBER", "PLUS", "MINUS", "TRUTH", "INSENSITIVE"),
    *("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON"),
    *("COLLECTION", "BBOX", "DATE", "TIMESTAMP", "INTERVAL", "SPATIAL", "TEMPORAL", "ARRAY"),
)
#: The terminals of cql2.lark by what they are called, in the order in which they are listed.
KINDS: dict[str, tuple[str, ...]] = {
    "a value": VALUE,
    "a property": ("NAME", "QUOTED"),
    "a text in single quotes": ("STRING",),
    "a number": ("NUMBER",),
    "positions, such as 10.5 20, 11 21": ("POSITIONS",),
    "a geometry": ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTIPOLYGON", "COLLECTION"),
    "DATE, TIMESTAMP or INTERVAL": ("DATE", "TIMESTAMP", "INTERVAL"),
    "TRUE or FALSE": ("TRUTH",),
    "CASEI or ACCENTI": ("INSENSITIVE",),
    "a relation, such as S_INTERSECTS": ("SPATIAL", "TEMPORAL", "ARRAY"),
    "a comparison": ("COMPARISON",),
    "LIKE, IN, BETWEEN or IS NULL": ("LIKE", "ILIKE", "IN", "BETWEEN", "IS"),
    "arithmetic": ("PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "DIV", "CARET"),
    "AND": ("_AND",),
    "OR": ("_OR",),
    "NOT": ("NOT",),
    "NULL": ("_NULL",),
    "'('": ("_LPAR",),
    "')'": ("_RPAR",),
    "','": ("_COMMA",),
    "the end": ("$END",),
}


def expected(terminals: Iterable[str]) -> str:
    """Return what `terminals` are called, joined to one phrase.

    >>> expected({"_RPAR", "$END", "_COMMA"})
    "')', ',' or the end"
    """
    wanted, names = set(terminals), []
    for name, members in KINDS.items():
        if wanted >= set(members) if members is VALUE else wanted.intersection(members):
            names.append(name)
            wanted.difference_update(members)
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def unexpected(text: str, offset: int, word: str, terminals: Iterable[str]) -> Cql2Error:
    """Return the error of finding `word` at `offset` where one of `terminals` could stand."""
    if offset >= len(text):
        found = "the filter ends"
    elif text[offset] in "'\"":
        found = "a quote opens that is not closed" if len(word) == 1 else f"{_short(word)} stands"
    else:
        found = f"{_short(word)} stands"
    return Cql2Error(f"Here {found}; expected {expected(terminals)}.", place(text, offset))


def _short(word: str) -> str:
    return repr(word if len(word) <= 40 else word[:37] + "...")
