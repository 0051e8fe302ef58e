"""What every client is asked to find, and what it is to find."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from world import event_id

Feature = dict[str, Any]
BOX = (29, 14, 31, 16)


def in_box(feature: Feature) -> bool:
    """Whether a feature is in the box; clients leave out themselves what has no place."""
    if feature["geometry"] is None:
        return False
    x, y = feature["geometry"]["coordinates"]
    return BOX[0] <= x <= BOX[2] and BOX[1] <= y <= BOX[3]


def of(name: str, test: Callable[[Any], bool]) -> Callable[[Feature], bool]:
    """Whether the value of a property passes a test; that which there is not does not."""
    return lambda f: f["properties"][name] is not None and test(f["properties"][name])


def both(*tests: Callable[[Feature], bool]) -> Callable[[Feature], bool]:
    """Whether a feature passes all tests."""
    return lambda feature: all(test(feature) for test in tests)


@dataclass(frozen=True)
class Question:
    """A question in the words of GDAL: a box, a condition in its SQL; and what answers it."""

    name: str
    matches: Callable[[Feature], bool]
    where: str = ""
    box: tuple[int, int, int, int] | None = None


IN_SUDAN = of("country", lambda c: c == "SDN")
QUESTIONS = [
    Question("everything", lambda _: True),
    Question("a box", in_box, box=BOX),
    Question("a country", IN_SUDAN, "country = 'SDN'"),
    Question("from a day on", of("starts_on", "2024-01-01".__le__), "starts_on >= '2024/01/01'"),
    Question(
        "a period",
        of("starts_on", {"2020-01-05", "2020-01-06"}.__contains__),
        "starts_on >= '2020/01/05' AND starts_on <= '2020/01/06'",
    ),
    Question("a number", of("fatalities_best", lambda n: n > 3), "fatalities_best > 3"),
    Question(
        "text in any case",
        both(IN_SUDAN, of("fatalities_best", lambda n: n >= 4)),
        "country ILIKE 'sd%' AND fatalities_best >= 4",
    ),
    Question(
        "a pattern",
        of("notes", lambda t: len(t) == 10 and t.startswith("Number 1")),
        "notes LIKE 'Number 1_.'",
    ),
    Question(
        "one or another",
        of("country", {"FJI", "WSM"}.__contains__),
        "country = 'FJI' OR country = 'WSM'",
    ),
    Question(
        "a box, a country and a number",
        both(in_box, IN_SUDAN, of("fatalities_best", lambda n: n == 5)),
        "country = 'SDN' AND fatalities_best = 5",
        box=BOX,
    ),
    Question("an id", lambda f: f["id"] == event_id("fiji"), f"id = '{event_id('fiji')}'"),
]
BY_NAME = {question.name: question for question in QUESTIONS}


def answer(question: Question, features: list[Feature]) -> list[str]:
    """Return what is to be found: the `source_id` of each feature, sorted."""
    return sorted(f["properties"]["source_id"] for f in features if question.matches(f))
