"""Phrases for places, read by a grammar: what is said, not yet where it is.

English, French and Arabic. `parse` never looks a place up, so it can't guess; all it knows of the
world are the names and adjectives of countries, to tell "Guinea-Bissau" from "Mali-Niger".
"""

import re
from collections.abc import Callable

from geo.coordinates import coordinates
from geo.countries import country_named, country_of_adjective
from geo.expressions import (
    Between,
    Division,
    Expression,
    Known,
    Line,
    Name,
    Near,
    Offset,
    Part,
    Side,
    Unplaced,
    Within,
)
from geo.words import (
    ARABIC_WINDS,
    DIVISIONS,
    KILOMETRES,
    NEAR,
    OUTSKIRTS,
    TOWNS,
    WIND,
    number,
    plain,
    wind_of,
)

#: A sentence is no name for a place, and patterns need not be tried on a page.
LONGEST = 300

#: A word, or several with hyphens: no phrase is as short.
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")

#: An id instead of a name, for who has chosen among candidates.
_KNOWN = re.compile(r"place:([A-Za-z0-9-]+)")


def parse(phrase: str) -> Expression:
    """Read a phrase.

    >>> parse("40 km NW of Deir ez-Zor")
    Offset(distance_km=40.0, direction='north-west', start=Name(text='Deir ez-Zor'))
    >>> parse("the Jordan–Syria border") == parse("الحدود الأردنية السورية")
    True

    Raises:
        Unplaced: the phrase is empty, or says something that can't be.
    """
    text = plain(phrase)
    if not re.search(r"\w", text):
        raise Unplaced("the phrase is empty")
    if len(text) > LONGEST:
        raise Unplaced(f"the phrase is longer than {LONGEST} characters")
    if known := _KNOWN.fullmatch(text):
        return Known(known[1])
    if _WORD.fullmatch(text):  # most names, which none of the rules below would take apart
        return Name(text)
    try:
        pair = coordinates(text)
    except ValueError as error:
        raise Unplaced(str(error)) from None
    if pair is not None:
        return pair
    for rule in RULES:
        if (found := rule(text)) is not None:
            return found
    return Name(text)


Rule = Callable[[str], Expression | None]

_THE = r"(?:the|la|le|les|l'|du|des|de\sla|de\sl'|de|d')"
_LEAD = re.compile(
    r"(?:(?:somewhere\s+)?(?:in|at|on|along|inside|within|from|towards?)\s+(?:the\s+)?|the\s+"
    r"|(?:dans|sur|vers|à|au|aux|en)\s+(?:le\s+|la\s+|les\s+|l')?|l'|la\s+|le\s+|les\s+"
    r"|(?:في|على|عند|من)\s+)(?=\S)"
)


def _lead(text: str) -> Expression | None:
    """Drop "in", "on the", "dans le", "في"; in lower case only: "In Amenas" is a town."""
    match = _LEAD.match(text)
    return parse(text[match.end() :]) if match else None


_BORDER = r"(?:borders?|frontiers?|boundary|borderlands?|borderline)"
_BORDER_AREA = (
    rf"(?:international\s+)?{_BORDER}(?:\s+(?:area|areas|region|regions|zone|strip|line))?"
)
_BORDERS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        rf"{_BORDER_AREA}\s+(?:between|of|separating|dividing)\s+(?P<a>.+?)\s+(?:and|with|from)\s+(?P<b>.+)",
        rf"(?P<a>.+?)(?:'s)?\s+{_BORDER}\s+(?:with|to)\s+(?P<b>.+)",
        r"(?:zones?\s+(?:de\s+la\s+|des\s+)?)?fronti[eè]res?\s+(?:entre|de|du)\s+(?P<a>.+?)\s+(?:et|avec)\s+(?P<b>.+)",
        r"(?:منطقة\s+|المنطقة\s+)?(?:ال)?حدود(?:ية)?\s+(?:ما\s+)?بين\s+(?P<a>.+?)\s+و\s?(?P<b>.+)",
        r"حدود\s+(?P<a>.+?)\s+(?:مع|و)\s+(?P<b>.+)",
    )
]
_PAIRS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        rf"(?P<pair>.+?)\s+{_BORDER_AREA}",
        r"(?:zones?\s+)?fronti[eè]res?\s+(?P<pair>.+)",
        r"(?:المنطقة\s+)?الحدود(?:ية)?\s+(?P<pair>.+)",
    )
]
_SINGLE = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        rf"(?:{_BORDER_AREA}\s+(?:with|of)|fronti[eè]res?\s+(?:avec|de|du))\s+(?P<a>.+)",
        r"(?:ال)?حدود\s+(?:مع\s+)?(?P<a>.+)",
    )
]
_SIDES = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        r"(?P<side>[\w' -]+?)\s+side\s+of\s+(?:the\s+)?(?P<line>.+)",
        r"(?:le\s+|du\s+)?c[oô]t[eé]\s+(?P<side>[\w'-]+)\s+(?:de\s+la|des|de)\s+(?P<line>.+)",
        r"الجانب\s+(?P<side>\w+)\s+من\s+(?P<line>.+)",
    )
]


def _side(text: str) -> Expression | None:
    for pattern in _SIDES:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        country = _country(match["side"])
        line = _border(match["line"])
        if country is None or not isinstance(line, Line):
            continue
        if line.other is None and line.one != country:  # "the Syrian side of the border with Iraq"
            line = Line(country, line.one)
        return Side(country, line)
    return None


def _border(text: str) -> Expression | None:
    for pattern in _BORDERS:
        if match := pattern.fullmatch(text):
            one, other = _end(match["a"]), _end(match["b"])
            if one and other:
                return Line(one, other)
    for pattern in _PAIRS:
        if (match := pattern.fullmatch(text)) and (line := _pair(match["pair"])):
            return line
    for pattern in _SINGLE:
        if (match := pattern.fullmatch(text)) and (country := _country(match["a"])):
            return Line(country)
    return None


def _end(text: str) -> str:
    """Return the code of a country, or the name of a smaller place, at one end of a border."""
    bare = re.sub(rf"^{_THE}\s*(?<=[\s'])", "", text.strip(), flags=re.IGNORECASE)
    return _country(text) or _country(bare) or bare


def _pair(text: str) -> Line | None:
    """Split "Jordan-Syria", "Jordanian/Syrian", "syro-irakienne", "السورية الأردنية"."""
    ways = [
        (text[: cut.start()], text[cut.end() :])
        for cut in re.finditer(r"\s*[-/]\s*|\s+(?:and|et|و)\s*|\s+", text)
    ]
    for one, other in ways:
        codes = _country(one), _country(other)
        if codes[0] and codes[1]:
            return Line(codes[0], codes[1])
    if alone := _country(text):
        return Line(alone)
    parts = re.split(r"\s*[-/]\s*", text)
    if len(parts) == 2 and all(parts):  # divisions, or a division and a country
        return Line(_end(parts[0]), _end(parts[1]))
    return None


def _country(text: str) -> str | None:
    bare = re.sub(rf"^(?:{_THE}\s+|l'|d')", "", text.strip(), flags=re.IGNORECASE)
    bare = re.sub(r"'s$", "", bare)
    return next(
        (
            code
            for word in (text.strip(), bare)
            if (code := country_named(word) or country_of_adjective(word))
        ),
        None,
    )


_APPROX = (
    r"(?:(?:about|some|around|roughly|approximately|nearly|almost|over|just|less\sthan|more\sthan|"
    r"environ|près\sde|quelque|plus\sde|moins\sde|نحو|حوالي|قرابة|~)\s*)*"
)
_DISTANCE = (
    rf"(?:(?:à|a)\s+)?(?:على\s+(?:بعد|مسافة)\s+|بعد\s+)?{_APPROX}"
    rf"(?P<n>\d[\d.,\s]*)\s*-?\s*(?P<unit>{KILOMETRES})"
)
_OFFSETS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        rf"{_DISTANCE}\s+(?:to\s+the\s+|due\s+)?(?P<wind>{WIND})\s+(?:of|from)\s+(?:the\s+)?(?P<x>.+)",
        rf"{_DISTANCE}\s+(?:au\s+|à\s+l'|a\s+l')(?P<wind>{WIND})\s+(?:de\s+la\s+|de\s+l'|du\s+|des\s+|de\s+|d')(?P<x>.+)",
        rf"{_DISTANCE}\s+(?:إلى\s+(?:ال)?)?(?P<wind>{ARABIC_WINDS})\s+(?:من\s+|مدينة\s+|بلدة\s+)*(?P<x>.+)",
        rf"{_DISTANCE}\s+(?:away\s+)?(?:from|outside(?:\s+of)?|off|de|d'|عن|من)\s*(?:the\s+)?(?P<x>.+)",
    )
]


def _offset(text: str) -> Expression | None:
    for pattern in _OFFSETS:
        if match := pattern.fullmatch(text):
            wind = match.groupdict().get("wind")
            return Offset(
                distance_km=number(match["n"], match["unit"]),
                direction=wind_of(wind) if wind else None,
                start=parse(match["x"]),
            )
    return None


_NEAR = re.compile(rf"(?:{NEAR})\s*(?:the\s+)?(?P<x>\S.*)", re.IGNORECASE | re.VERBOSE)
_OUTSKIRTS = re.compile(
    rf"(?:(?P<wind>{WIND})\s+)?(?:{OUTSKIRTS})\s*(?:the\s+)?(?P<x>\S.*)", re.IGNORECASE | re.VERBOSE
)


def _near(text: str) -> Expression | None:
    if match := _OUTSKIRTS.fullmatch(text):
        wind = match["wind"]
        return Near(parse(match["x"]), outskirts=True, direction=wind_of(wind) if wind else None)
    if match := _NEAR.fullmatch(text):
        return Near(parse(match["x"]))
    return None


_BETWEENS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        r"(?P<road>(?:road|highway|motorway|route|railway)\s+)?(?:(?:linking|connecting)\s+|between\s+)(?P<a>.+?)\s+(?:and|to|with)\s+(?P<b>.+)",
        r"(?P<road>(?:road|highway|motorway|route)\s+)(?:from\s+)?(?P<a>.+?)\s+to\s+(?P<b>.+)",
        r"(?P<road>(?:route|axe)\s+)?entre\s+(?P<a>.+?)\s+et\s+(?P<b>.+)",
        r"(?P<road>طريق\s+|الطريق\s+)?(?:ما\s+)?بين\s+(?P<a>.+?)\s+و\s?(?P<b>.+)",
        r"(?P<a>[^-]+(?:\s?-\s?[^-]+)?)\s?-\s?(?P<b>[^-]+?)\s+(?P<road>road|highway|motorway)",
    )
]


def _between(text: str) -> Expression | None:
    for pattern in _BETWEENS:
        if match := pattern.fullmatch(text):
            return Between(parse(match["a"]), parse(match["b"]), road=bool(match["road"]))
    return None


_OF = r"(?:of|de\s+la|de\s+l'|du|des|de|d')"
_PARTS = [
    (re.compile(pattern, re.IGNORECASE | re.VERBOSE), outside)
    for pattern, outside in (
        (
            rf"(?:far\s+|extreme\s+|extr[eê]me\s+)?(?P<wind>{WIND})\s+(?:part|parts|side|corner|half|areas?|countryside|ern\s+part)\s+of\s+(?:the\s+)?(?P<x>.+)",
            False,
        ),
        (
            rf"(?:far\s+|extreme\s+|extr[eê]me\s+|just\s+)?(?P<wind>{WIND})\s+{_OF}\s*(?:the\s+)?(?P<x>.+)",
            True,
        ),
        (rf"(?:far\s+)?(?P<wind>{WIND})\s+(?P<x>.+)", False),
        (rf"(?P<wind>{ARABIC_WINDS})\s+(?P<x>.+)", True),
        (
            rf"ريف\s+(?P<x>.+?)\s+(?:ال)(?P<wind>{ARABIC_WINDS})(?:\s+ال(?P<wind2>{ARABIC_WINDS}))?",
            False,
        ),
    )
]


def _part(text: str) -> Expression | None:
    for pattern, outside in _PARTS:
        if match := pattern.fullmatch(text):
            second = match.groupdict().get("wind2")
            wind = wind_of(f"{match['wind']} {second}" if second else match["wind"])
            whole = parse(match["x"])
            # "North Kordofan state": the name goes on over the word for the direction.
            full = f"{match['wind']} {whole.text}" if isinstance(whole, Division) else text
            # A name begins with a capital; Arabic has none, so there a name may always be meant.
            named = full if not text[0].islower() or _country(text) else None
            return Part(wind, whole, name=named, outside=outside)
    return None


_DIVISIONS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        rf"(?P<kind>{DIVISIONS})\s+(?:(?:of|de\s+la|de\s+l'|du|des|de|d')\s*)?(?P<x>\S.*)",
        rf"(?P<x>.+?)\s+(?P<kind>{DIVISIONS})",
    )
]
_SMALL = re.compile(
    r"districts?|cercles?|count(?:y|ies)|rai?ons?|subdistricts?|municipality|township|townships|"
    r"locality|department|d[eé]partements?|communes?|قضاء|مديرية|ناحية|منطقة",
    re.IGNORECASE,
)
_RURAL = re.compile(
    r"(?:rural\s+|countryside\s+of\s+|(?:ال)?ريف\s+)(?P<x>.+)|(?P<y>.+?)\s+countryside",
    re.IGNORECASE,
)


def _division(text: str) -> Expression | None:
    for pattern in _DIVISIONS:
        if match := pattern.fullmatch(text):
            return Division(match["x"], small=bool(_SMALL.fullmatch(match["kind"])))
    if match := _RURAL.fullmatch(text):
        return Division(match["x"] or match["y"], name=text)
    return None


_TOWN = re.compile(rf"(?:(?P<land>[\w'-]+)\s+)?(?:{TOWNS})\s+(?P<x>\S.*)", re.IGNORECASE)
_OWNED = re.compile(r"(?P<land>[\w'. -]+?)'s\s+(?P<x>\S.*)", re.IGNORECASE)
_OWN_DIVISION = re.compile(rf"(?P<land>[\w'-]+)\s+(?P<x>(?:{DIVISIONS})\s+.+)", re.IGNORECASE)


def _owned(text: str) -> Expression | None:
    """Read "Iraq's Anbar province", "the Syrian town of Palmyra", "مدينة حلب"."""
    for pattern in (_TOWN, _OWNED, _OWN_DIVISION):
        match = pattern.fullmatch(text)
        if match is None:
            continue
        land = match["land"]
        if land is None:
            return parse(match["x"])
        if country := _country(land):
            return Within(parse(match["x"]), (Name(country),))
    return None


_NEAR_TAIL = re.compile(r"(?P<x>.+?)\s+(?P<near>(?:near|close\s+to)\s+.+)", re.IGNORECASE)
_IN = re.compile(r"(?P<x>.+?)\s+(?:in|dans|في|located\s+in)\s+(?:the\s+|le\s+|la\s+)?(?P<y>.+)")
_COMMA = re.compile(r"\s*[,،;]\s*")
_BRACKET = re.compile(r"(?P<x>[^(]+?)\s*\((?P<y>[^()]+)\)")


def _within(text: str) -> Expression | None:
    if match := _BRACKET.fullmatch(text):
        text = f"{match['x']}, {match['y']}"
    place, *containers = [piece for piece in _COMMA.split(text) if piece]
    if containers:
        return Within(parse(place), tuple(parse(piece) for piece in containers))
    if match := _NEAR_TAIL.fullmatch(text):
        return Within(parse(match["x"]), (parse(match["near"]),))
    if match := _IN.fullmatch(text):
        return Within(parse(match["x"]), (parse(match["y"]),))
    return None


def _comma_first(text: str) -> Expression | None:
    """Cut off containers before anything else, but leave decimal commas alone."""
    return _within(text) if _COMMA.search(re.sub(r"\d,\d", "", text)) else None


#: The rules in the order in which they are tried: the first that fits, holds.
RULES: tuple[Rule, ...] = (
    *(_comma_first, _lead, _offset, _near, _side, _border, _between),
    *(_owned, _within, _part, _division),
)
