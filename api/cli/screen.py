"""How long work goes on, on stderr: bars, or plain lines if nobody is watching."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Screen:
    """Shows what is being done, and how far it is."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """Show what is being done."""
        self._console.print(escape(text))

    def reading(self, name: str, size: int | None) -> None:
        """Begin the bar of a file."""
        self.begin(f"Reading {name}", size)

    def at(self, position: int, rows: int) -> None:
        """Move the bar."""
        self._bars.update(self._bars.task_ids[-1], completed=position, rows=f"{rows:,} rows")

    def writing(self) -> None:
        """Begin the bar of the rest, which has no known length."""
        self.begin("Comparing and writing", None)

    def reached(self, position: int, stage: str) -> None:
        """Move the bar, and say what is being done."""
        self._bars.update(self._bars.task_ids[-1], completed=position, rows=stage)

    def begin(self, text: str, total: int | None) -> None:
        """Begin a bar."""
        if not self._console.is_terminal:
            self.say(text)
        self._bars.add_task(escape(text), total=total, rows="")
