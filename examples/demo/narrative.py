"""Tell the story on a console: chapters, one line a fact, tables, and progress where it is seen."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

WIDTH = 96


class Tick(Protocol):
    """Says that a piece of long work is done."""

    def __call__(self) -> None:
        """Count one more."""
        ...


class Narrator:
    """Tells the story; nothing of what users gave is read as markup."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal or self.console.width > WIDTH:
            self.console.width = WIDTH
        self._chapters = 0
        self._after_table = False

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._chapters += 1
        self._after_table = False
        self.console.print()
        self.console.print(Text(f"{self._chapters}. {title}", style="bold"))

    def fact(self, text: str) -> None:
        """Tell one fact."""
        if self._after_table:
            self.console.print()
            self._after_table = False
        self._wrapped(text)

    def check(self, title: str, difference: str | None) -> None:
        """Tell how a check went, and what differs."""
        if difference is None:
            self._wrapped(title, mark=Text("✓ ", "green"))
        else:
            self._wrapped(title, mark=Text("✗ ", "bold red"))
            self._wrapped(difference, mark=Text("  "), style="red")

    def end(self, text: str, *, good: bool) -> None:
        """Say how it all ended."""
        self.console.print()
        style = "bold green" if good else "bold red"
        self.console.print(Text(text, style=style), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> None:
        """Show a table; all but the first ``words`` columns are numbers.

        One that is too wide for the console is turned on its side.
        """
        shown = _table(columns, rows, words)
        if self.console.measure(shown).maximum > self.console.width - 2:
            turned = [list(line) for line in zip(columns, *rows, strict=True)]
            shown = _table(turned[0], turned[1:], 1)
        self.console.print()
        self.console.print(Padding(shown, (0, 0, 0, 2), expand=False))
        self._after_table = True

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Tick]:
        """Show how far long work has come; on a terminal alone, and gone when it is done."""
        bar = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with bar:
            task = bar.add_task(title, total=total)
            yield lambda: bar.advance(task)

    def _wrapped(self, text: str, mark: Text | None = None, style: str = "") -> None:
        mark = mark or Text()
        room = self.console.width - 2 - len(mark)
        for number, line in enumerate(textwrap.wrap(text, room) or [""]):
            lead = mark if number == 0 else Text(" " * len(mark))
            self.console.print(Text("  ").append(lead).append(line, style), soft_wrap=True)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> Table:
    shown = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        header_style="dim",
    )
    for number, name in enumerate(columns):
        shown.add_column(
            Text(name),
            justify="left" if number < words else "right",
            no_wrap=True,
            overflow="fold",
        )
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    return shown
