"""What came of an import, on the screen."""

import json
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

from api.importers.account import Account, Seen
from api.importers.placing import Remarks
from api.importers.rejections import Rejections

#: Characters of a value that the screen shows.
WIDTH = 60

#: The kinds of changes, as they are told.
KINDS = {
    "moved": "moved (place)",
    "redated": "re-dated",
    "recoded": "re-coded (the rest)",
    "back": "back from deletion",
}


def told(account: Account) -> Iterator[str]:
    """Yield the lines that tell what came of an import, with examples."""
    yield f"{account.read:,} rows read"
    for name in ("created", "changed", "unchanged", "gone", "repeated", "rejected"):
        count = getattr(account, name)
        if count or name in {"created", "changed", "unchanged"}:
            yield f"{count:>9,} {name}"
    for why, count in account.passed.items():
        yield f"{count:>9,} passed over: {why}"
    if account.fields:
        yield "What changed, and how often:"
        yield from (f"{count:>9,} {name}" for name, count in account.fields.items())
    for kind, label in KINDS.items():
        if kind in account.examples:
            yield f"Events {label}: {getattr(account, kind):,}"
            for change in account.examples[kind]:
                values = " -> ".join(_shown(change.before, change.after))
                yield f"  {change.source_id}  {change.field}: {values}"
    if account.changed or account.unchanged or account.gone:  # else all of it is new
        yield from _seen("new", account.created, account.new)
    yield from _seen("gone", account.gone, account.lost)
    if not account.created and not account.changed and not account.gone:
        yield "Nothing has changed."


def remarked(remarks: Remarks) -> Iterator[str]:
    """Yield the lines that tell what there is to say of the places."""
    if remarks.counts:
        yield "Places:"
    for kind, count in sorted(remarks.counts.items()):
        yield f"{count:>9,} {kind}"
        yield from (f"           {source_id}  {text}" for source_id, text in remarks.examples[kind])


def refusal(rejections: Rejections, read: int) -> Iterator[str]:
    """Yield the lines that tell why nothing was loaded."""
    yield f"Nothing was loaded: {rejections.rows:,} of {read:,} rows are bad."
    for problem in rejections.first:
        name = f"{problem.column} {_shown(problem.value)[0]} " if problem.column else ""
        yield f"  {problem.file}:{problem.line}  id {problem.source_id}: {name}{problem.message}"
    yield f"All that is wrong is listed in {rejections.report}."
    yield "To load the good rows, add --lenient."


def vanishing(account: Account, living: int) -> Iterator[str]:
    """Yield the lines that tell what a replacement would have deleted."""
    yield f"Nothing was loaded: {account.gone:,} of {living:,} events would vanish."
    yield from _seen("gone", account.gone, account.lost)
    yield "If the files are really the whole of their data set, add --force."


def _seen(label: str, count: int, examples: Sequence[Seen]) -> Iterator[str]:
    if examples:
        yield f"Events {label}: {count:,}"
        yield from (f"  {one.source_id}  {one.words}" for one in examples)


def _shown(*values: Any) -> list[str]:
    """Return values as the screen shows them: on one line, and only where they differ if long."""
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    if max(map(len, texts)) <= WIDTH:
        return texts
    alike = takewhile(lambda signs: len({*signs}) == 1, zip(*texts, strict=False))
    start = max(0, len([*alike]) - WIDTH // 3) if len(texts) > 1 else 0
    return [_window(text, start) for text in texts]


def _window(text: str, start: int) -> str:
    end = start + WIDTH
    return f"{'…' if start else ''}{text[start:end]}{'…' if text[end:] else ''}"
