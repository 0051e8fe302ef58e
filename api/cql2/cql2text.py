"""Reading CQL2 text, and the dialect before it (OGC 21-065r2, 8.2 and Annex B).

An LALR parser keeps its own stack, so that parentheses can nest as deeply as they like, and calls
a function of `RULES` for each rule it has read: there is no tree but that of `api.cql2.nodes`.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from api.cql2.errors import LIMITS, Cql2Error, Limits, checked, within
from api.cql2.nodes import Node
from api.cql2.rules import RULES, at
from api.cql2.words import unexpected

GRAMMAR = Path(__file__).parent / "cql2.lark"
#: The words that a dialect lacks: ILIKE is not of the standard, IN is not of what came before it.
LACKING = {"cql2-text": "ILIKE", "cql-text": "IN"}


def read(text: str, dialect: str = "cql2-text", limits: Limits = LIMITS) -> Node:
    """Return what `text` says in a `dialect` of LACKING.

    Raises:
        Cql2Error: it says nothing, or is larger than `limits`.
    """
    parser = _parser().parse_interactive(checked(text, limits))
    tokens: list[Token] = []
    try:
        for token in _counted(parser, limits):
            tokens.append(token)
            if token.type == LACKING[dialect]:
                raise Cql2Error(f"There is no {token.type} in {dialect}.", at(token))
        last = tokens[-1] if tokens else None
        node: Node = parser.feed_eof(last)  # type: ignore[no-untyped-call]
    except UnexpectedInput as error:
        raise _explained(text, tokens, error) from None
    return node


@cache
def _parser() -> Lark:
    return Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        transformer=SimpleNamespace(**RULES),
        maybe_placeholders=False,
    )


def _counted(parser: InteractiveParser, limits: Limits) -> Iterator[Token]:
    """Feed the words to `parser` and give each, while they keep within `limits`."""
    items = [0]
    vertices = arithmetic = 0
    for count, token in enumerate(parser.iter_parse(), start=1):
        match token.type:
            case "_LPAR":
                items.append(1)
                within("parentheses in one another", len(items) - 1, limits.depth, at(token))
            case "_RPAR":
                items.pop()
            case "_COMMA":
                items[-1] += 1
                within("items in a list", items[-1], limits.items, at(token))
            case "POSITIONS":
                vertices += token.count(",") + 1
                within("positions", vertices, limits.vertices, at(token))
            case "PLUS" | "MINUS" | "STAR" | "SLASH" | "PERCENT" | "DIV" | "CARET":
                arithmetic += 1
                within("signs of arithmetic", arithmetic, limits.arithmetic, at(token))
        within("words and signs", count, limits.nodes, at(token))
        yield token


def _explained(text: str, tokens: list[Token], error: UnexpectedInput) -> Cql2Error:
    """Return what is wrong where the reading of `tokens` ended.

    They are read once more: by now the parser has closed all that the wrong word could have
    closed, and has forgotten what else could have stood there.
    """
    offset, word = len(text), ""
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        offset, word = error.token.start_pos or 0, str(error.token)
    elif isinstance(error, UnexpectedCharacters):
        offset = error.pos_in_stream or 0
        word = text[offset]
    parser = _parser().parse_interactive("")
    for token in tokens:
        if token.start_pos != offset:
            parser.feed_token(token)
    return unexpected(text, offset, word, parser.accepts())  # type: ignore[no-untyped-call]
