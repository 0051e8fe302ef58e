"""What a filter asks of texts alone, apart from what else it asks."""

from collections.abc import Container

from api.cql2.nodes import And, Compare, Node, Property, Text


def equalities(expression: Node, names: Container[str]) -> tuple[dict[str, str], Node | None]:
    """Return the texts that properties must equal for `expression` to be true, and what remains.

    Only the properties `names` are taken out, each once. Taken together, the two say what the
    whole does: `expression` is true exactly where all the texts are equal and the rest is true.

    >>> from api.cql2 import parse, to_text
    >>> texts, rest = equalities(parse("a = 'x' AND (n > 1 AND 'y' = b)"), {"a", "b"})
    >>> texts, to_text(rest)
    ({'a': 'x', 'b': 'y'}, 'n > 1')
    """
    texts: dict[str, str] = {}
    rest: list[Node] = []
    waiting = [expression]
    while waiting:
        match node := waiting.pop():
            case And(operands=operands):
                waiting.extend(reversed(operands))
            case (
                Compare(op="=", left=Property(name=name), right=Text(value=text))
                | Compare(op="=", left=Text(value=text), right=Property(name=name))
            ) if name in names and name not in texts:
                texts[name] = text
            case _:
                rest.append(node)
    if len(rest) > 1:
        return texts, And(tuple(rest))
    return texts, rest[0] if rest else None
