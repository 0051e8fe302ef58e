"""Names with one or two letters wrong."""

from collections.abc import Iterator

_VOWELS = dict.fromkeys(map(ord, "eiou"), "a")


def distance(one: str, other: str, most: int) -> int:
    """Return how many letters to add, drop, change or swap with the next; `most + 1` if more.

    >>> distance("bagdhad", "baghdad", 2), distance("homs", "hims", 2), distance("a", "wxyz", 2)
    (1, 1, 3)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def grams(key: str, errors: int) -> Iterator[str]:
    """Yield full-text patterns, of which one at least fits every key within `errors` of `key`.

    The key is cut into `errors + 1` pieces: whatever the errors, one piece is untouched (Navarro).
    A piece below three letters can't be looked up by trigrams, so short keys have fewer chances.

    >>> list(grams("baghdad", 1))
    ['"bag"', '"hda"', '"dad"']
    """
    size = max(3, len(key) // (errors + 1))
    starts = sorted({min(place, len(key) - size) for place in range(0, len(key), size)})
    for place, start in enumerate(starts):
        stop = len(key) if place == len(starts) - 1 else starts[place + 1]
        piece = key[start : max(stop, start + size)]
        if len(piece) >= 3:
            yield " AND ".join(f'"{piece[i : i + 3]}"' for i in range(len(piece) - 2))


def but_for_vowels(one: str, other: str) -> bool:
    """Tell whether two folded names differ only in which vowels they have, each in its place.

    >>> but_for_vowels("janin", "jenin"), but_for_vowels("homs", "hama")
    (True, False)
    """
    return len(one) == len(other) and one.translate(_VOWELS) == other.translate(_VOWELS)
