"""The words of place phrases in English, French and Arabic."""

import re
import unicodedata

from geo.compass import WINDS

#: Words for the eight winds and the centre, as patterns; the longest come first.
_WINDS = {
    "north-north-east": r"NNE|north[-\s]north[-\s]?east",
    "east-north-east": r"ENE|east[-\s]north[-\s]?east",
    "east-south-east": r"ESE|east[-\s]south[-\s]?east",
    "south-south-east": r"SSE|south[-\s]south[-\s]?east",
    "south-south-west": r"SSW|south[-\s]south[-\s]?west",
    "west-south-west": r"WSW|west[-\s]south[-\s]?west",
    "west-north-west": r"WNW|west[-\s]north[-\s]?west",
    "north-north-west": r"NNW|north[-\s]north[-\s]?west",
    "north-east": r"north[-\s]?east(?:ern)?|nord[-\s]?est|NE",
    "south-east": r"south[-\s]?east(?:ern)?|sud[-\s]?est|SE",
    "south-west": r"south[-\s]?west(?:ern)?|sud[-\s]?ouest|SW|SO",
    "north-west": r"north[-\s]?west(?:ern)?|nord[-\s]?ouest|NW|NO",
    "north": r"north(?:ern)?|nord|N",
    "south": r"south(?:ern)?|sud|S",
    "east": r"east(?:ern)?|est|E",
    "west": r"west(?:ern)?|ouest|W",
    "centre": r"central|cent(?:er|re)|middle",
}
WIND = "(?:" + "|".join(_WINDS.values()) + r")(?![\w])"

_ARABIC = {
    "north-east": "شمال(?:ي)?\\s?[-\\s]\\s?(?:ال)?شرق(?:ي)?",
    "north-west": "شمال(?:ي)?\\s?[-\\s]\\s?(?:ال)?غرب(?:ي)?",
    "south-east": "جنوب(?:ي)?\\s?[-\\s]\\s?(?:ال)?شرق(?:ي)?",
    "south-west": "جنوب(?:ي)?\\s?[-\\s]\\s?(?:ال)?غرب(?:ي)?",
    "north": "شمال(?:ي)?",
    "south": "جنوب(?:ي)?",
    "east": "شرق(?:ي)?",
    "west": "غرب(?:ي)?",
    "centre": "وسط",
}
ARABIC_WINDS = "(?:" + "|".join(_ARABIC.values()) + r")(?!\w)"

KILOMETRES = (
    r"km|kms|kilomet(?:er|re)s?|kilom[eè]tres?|mi|miles?|m|met(?:er|re)s?|m[eè]tres?"
    r"|كم|كلم|كيلومتر(?:ا|اً|ات)?|كيلو\s?متر(?:ا|اً|ات)?|ميل|أميال"
)

NEAR = (
    r"(?:(?:the\s+)?vicinity\s+of|in\s+the\s+vicinity\s+of|near(?:by|\s+to)?|close\s+to|adjacent\s+to"
    r"|next\s+to|not\s+far\s+from|in\s+the\s+area\s+of|(?:the\s+)?area\s+(?:of|around)|around"
    r"|pr[eè]s\s+(?:de\s+la|de\s+l'|du|des|de|d')|à\s+proximit[eé]\s+(?:de\s+la|de\s+l'|du|des|de|d')"
    r"|proximit[eé]\s+(?:de|d')|non\s+loin\s+(?:du|de|d')|aux?\s+alentours\s+(?:du|de|d')|autour\s+(?:du|de|d')"
    r"|alentours\s+(?:du|de|d')|aux\s+environs\s+(?:du|de|d')|environs\s+(?:du|de|d')"
    r"|بالقرب\s+من|القرب\s+من|قرب|قرابة|بجوار|جوار|في\s+محيط|محيط)(?<=[\s\w'])(?:\s+|(?<='))"
)

OUTSKIRTS = (
    r"(?:outskirts\s+of|suburbs?\s+of|environs\s+of|(?:just\s+)?outside(?:\s+of)?"
    r"|(?:la\s+)?p[eé]riph[eé]rie\s+(?:du|de|d')|(?:la\s+)?banlieue\s+(?:du|de|d')|à\s+la\s+sortie\s+(?:du|de|d')"
    r"|ضواحي|مشارف|على\s+مشارف|أطراف|خارج)(?:\s+|(?<='))"
)

#: Words that say "division"; which of them mean one below the first level is for the grammar.
DIVISIONS = (
    r"(?:province|governorate|region|state|district|oblast|muhafaza[th]?|mohafazat|wilaya[t]?|cercle"
    r"|county|department|rai?on|prefecture|subdistrict|municipality|township|territory|republic"
    r"|r[eé]gion|gouvernorat|[eé]tat|d[eé]partement|estado|locality|commune|division|kraj"
    r"|محافظة|ولاية|منطقة|إقليم|اقليم|قضاء|مديرية|ناحية|مقاطعة)"
)

TOWNS = (
    r"(?:(?:border\s+|port\s+|northern\s+|southern\s+|eastern\s+|western\s+|capital\s+)?"
    r"(?:town|city|village|capital|port)\s+of|ville\s+(?:de|d')|village\s+(?:de|d')"
    r"|localit[eé]\s+(?:de|d')|مدينة|بلدة|قرية)"
)

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_QUOTES = dict.fromkeys(map(ord, "’‘ʼ`´"), "'")
_COMPILED = [
    (name, re.compile(pattern, re.IGNORECASE))
    for table in (_WINDS, _ARABIC)
    for name, pattern in table.items()
]


def plain(phrase: str) -> str:
    """Return a phrase with one sort of dash, quote, digit and space, and no full stop.

    >>> plain(" the Mali–Niger  border. "), plain("٤٠ كم")
    ('the Mali-Niger border', '40 كم')
    """
    text = phrase.translate(_DASHES).translate(_QUOTES)
    text = "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)
    return re.sub(r"\s+", " ", text).strip(" .;:,،")


def wind_of(word: str) -> str:
    """Return the name of a direction, one of the 16 winds or `centre`.

    >>> wind_of("NW"), wind_of("southern"), wind_of("شمال شرق"), wind_of("ouest")
    ('north-west', 'south', 'north-east', 'west')

    Raises:
        LookupError: it is none.
    """
    for name, pattern in _COMPILED:
        if pattern.fullmatch(word.strip()):
            return name
    raise LookupError(word)


def number(digits: str, unit: str) -> float:
    """Return kilometres; "1,200" is a thousand and more, "2,5" has a French comma.

    >>> number("1,200", "km"), number("2,5", "km"), round(number("10", "miles"), 1)
    (1200.0, 2.5, 16.1)
    """
    text = re.sub(r"\s", "", digits).strip(".,")
    text = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", text).replace(",", ".")
    if re.fullmatch(r"mi|miles?|ميل|أميال", unit, re.IGNORECASE):
        return float(text) * 1.609344
    if re.fullmatch(r"m|met.*|m[eè]t.*", unit, re.IGNORECASE):
        return float(text) / 1000
    return float(text)


def bearing_of(direction: str) -> float:
    """Return the bearing of one of the 16 winds, in degrees."""
    return 22.5 * WINDS.index(direction)
