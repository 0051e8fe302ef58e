"""HTML as tests read it: strictly, by what it says and where it leads."""

import json
import re
from functools import cached_property
from urllib.parse import urlencode

import html5lib

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class HtmlPage:
    """A page; what is not HTML 5 is an error."""

    def __init__(self, text) -> None:
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        self.root = parser.parse(text)

    def all(self, *tags):
        return [element for element in self.root.iter() if element.tag in tags]

    @cached_property
    def texts(self) -> set[str]:
        """Everything that is said in the body: each text by itself, each item of a row of them."""
        (body,) = self.all("body")
        whole = {" ".join(text.split()) for text in body.itertext()}
        rows = {item for text in whole for item in re.split(r" · | ·$|, ", text)}
        return whole | rows | {str(number) for row in self.positions for number in row}

    @property
    def positions(self) -> list[list[float]]:
        """The coordinates of every geometry, as flat lists."""
        found = [e for e in self.all("code") if e.get("class") == "coordinates"]
        return [list(flat(json.loads(element.text))) for element in found]

    @cached_property
    def hrefs(self) -> set[str]:
        """Where links in the body lead."""
        return {element.get("href") for element in self.all("a")}

    @property
    def heads(self) -> list[str]:
        """The ids of features, by the links of their rows."""
        rows = [e for e in self.all("th") if e.get("scope") == "row"]
        links = [a.get("href") for row in rows for a in row.iter() if a.tag == "a"]
        return [href.rpartition("/")[2] for href in links]

    def filled(self, **values) -> str:
        """Return the query that a browser sends when its user has filled a form in so."""
        (form,) = [each for each in self.all("form") if each.get("class") == "ask"]
        assert form.get("method") == "get"
        assert form.get("action") is None
        sent = []
        for field in form.iter():
            if field.tag == "input":
                sent.append((field.get("name"), field.get("value")))
            elif field.tag == "select":
                options = list(field)
                chosen = [each for each in options if each.get("selected") is not None]
                sent.append((field.get("name"), (chosen or options)[0].get("value")))
                choices = {each.get("value") for each in options}
                assert values.get(field.get("name"), "") in choices
        assert values.keys() <= {name for name, _ in sent}
        return urlencode([(name, values.get(name, value)) for name, value in sent])


def flat(coordinates):
    """Yield the numbers of coordinates."""
    for each in coordinates:
        if isinstance(each, list):
            yield from flat(each)
        else:
            yield each


def scalars(value):
    """Yield every value of a JSON document that is no object, no list, and not null."""
    if isinstance(value, dict):
        if set(value) == {"type", "coordinates"} and isinstance(value["type"], str):
            yield value["type"]
        elif value.get("type") in ("Feature", "FeatureCollection"):
            value = {name: each for name, each in value.items() if name != "type"}
        for name, each in value.items():
            if name not in {"href", "timeStamp", "templated"}:
                yield from scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from scalars(each)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None:
        yield str(value)


def hrefs(value):
    """Yield where the links of a JSON document lead."""
    if isinstance(value, dict):
        if isinstance(value.get("href"), str) and not value.get("templated"):
            yield value["href"]
        for each in value.values():
            yield from hrefs(each)
    elif isinstance(value, list):
        for each in value:
            yield from hrefs(each)
