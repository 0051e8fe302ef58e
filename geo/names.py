"""Names of places in one spelling, so that different spellings of one name can meet."""

import re
import unicodedata
from collections.abc import Iterator

_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "ə": "a",
        "ħ": "h",
        # Arabic: Persian and Urdu forms, ta marbuta, alef maqsura, alef wasla, loose hamza
        "ک": "ك",
        "گ": "ك",
        "ی": "ي",
        "ى": "ي",
        "ې": "ي",
        "ے": "ي",
        "ة": "ه",
        "ۀ": "ه",
        "ە": "ه",
        "ہ": "ه",
        "ھ": "ه",
        "ٱ": "ا",
        "ء": None,
        "ـ": None,  # tatweel only stretches
    }
)

#: The same, and accents and other marks away: in one pass, as an index has a million names.
_BARE = _LETTERS | {
    code: None for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code))
}

#: Apostrophes, backticks and the marks for ayn and hamza: written or left out at will.
_MARKS = dict.fromkeys(map(ord, "'`´\"’‘‛“”ʼʻʽʾʿˈ′\u200e\u200f"))

#: What the article ال becomes before a sun letter, and the letters that it then doubles.
_SUN = {
    vowel + letters: letters
    for vowel in "ae"
    for letters in ("d", "dh", "n", "r", "s", "sh", "t", "th", "z")
}

_ARTICLE = "ال"
_PLAIN = re.compile(r"[a-z0-9]+( [a-z0-9]+)*")
_WORD = re.compile(r"[^\W_]+")

#: Arabic letters as GeoNames romanises them where it has nothing better.
_ROMAN = str.maketrans(
    dict(zip("ابتجحدرزسصضطظفقكلمنهوي", "abtjhdrzssdtzfqklmnhwy", strict=True))
    | {"ة": "t", "ى": "y", "ث": "th", "خ": "kh", "ذ": "dh", "ش": "sh", "غ": "gh"}
    | {"ع": None, "ء": None, "ـ": None}
)
_ROMAN_HAMZA = str.maketrans("أإآؤئٱ", "اااويا")


def fold(name: str) -> str:
    """Return `name` without what differs between spellings of one name.

    Gone are case, accents, hyphens, spaces, the marks for ayn and hamza, and the Arabic article in
    both scripts; the forms of alef, ya and ta marbuta are one. Folding again changes nothing.

    >>> fold("Al-Qāʼim"), fold("el Qaim"), fold("Deir ez-Zor"), fold("الحُدَيْدة")
    ('qaim', 'qaim', 'deirzor', 'حديده')
    """
    folded = _folded(name)
    if folded.isascii():  # one word without an article: folding it again changes nothing
        return folded
    while (again := _folded(folded)) != folded:  # joining two words may make a new article
        folded = again
    return folded


def words(name: str) -> list[str]:
    """Return the words of `name` in lower case, without accents and marks, articles kept.

    >>> words("Frontière entre l’Iraq et la Syrie")
    ['frontiere', 'entre', 'liraq', 'et', 'la', 'syrie']
    """
    return _WORD.findall(_bare(name))


def romanised(name: str) -> str | None:
    """Return the folded romanisation of a name in Arabic script; None for any other script.

    Vowels that Arabic does not write are missing, as they are in GeoNames' own romanisations,
    which this is meant to meet.

    >>> romanised("طرابلس"), romanised("Tripoli")
    ('trabls', None)
    """
    if name.isascii():
        return None
    bare = "".join(c for c in name if not unicodedata.combining(c)).translate(_ROMAN_HAMZA)
    if not any("\u0600" <= c <= "\u06ff" for c in bare):
        return None
    return "".join(_WORD.findall(_bare(bare.translate(_ROMAN))))


def _folded(name: str) -> str:
    lower = name.lower()
    if not _PLAIN.fullmatch(lower):
        lower = _bare(name)
    found = lower.split() if _PLAIN.fullmatch(lower) else _WORD.findall(lower)
    if len(found) == 1 and not found[0].startswith(_ARTICLE):
        return found[0]
    return "".join(_without_articles(found))


def _bare(name: str) -> str:
    text = name.translate(_MARKS)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = text.translate(_BARE)
    return text.lower()


def _without_articles(found: list[str]) -> Iterator[str]:
    last = len(found) - 1
    for place, word in enumerate(found):
        if place < last and (
            word in {"al", "el"} or (word in _SUN and found[place + 1].startswith(_SUN[word]))
        ):
            continue
        stem = word
        while stem.startswith(_ARTICLE) and len(stem) > 4:
            stem = stem[2:]
        yield stem
