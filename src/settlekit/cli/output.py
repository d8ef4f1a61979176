"""What commands print: tables for people, JSON for programs.

Whatever a server or a file said is made visible first: no control character of it ever
reaches a terminal. Nothing is shortened: a table that a terminal is too narrow for is
written as one record under another. On a terminal rich (the extra ``cli``) draws tables and
progress, where it is installed.
"""

import json
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

Progress = Callable[[int, int | None], object]
GAP: Final = "  "
_WIDE: Final = frozenset("WF")
_ERROR_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")
_PLAIN: Final[Mapping[type[OSError], str]] = {
    FileNotFoundError: "there is no such file or folder; check the path",
    IsADirectoryError: "it is a folder; name a file",
    NotADirectoryError: "a part of the path is a file, not a folder; check the path",
    PermissionError: "you aren't allowed to; choose another path, or change its permissions",
}


def visible(value: object) -> str:
    """Return a text in which every character can be seen: escape those that control a terminal."""
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else _escaped(character)
        for character in str(value)
    )


def _escaped(character: str) -> str:
    # As JSON writes it, so that JSON stays JSON; it has no escape of its own for DEL.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n"):
        print(visible(line))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their columns, or one under another where a terminal is too narrow."""
    cells = [["" if cell is None else visible(cell) for cell in row] for row in rows]
    lines = list(_aligned([list(columns), *cells]))
    if max(map(_width, lines)) > _room():
        print("\n\n".join("\n".join(_record(columns, row)) for row in cells))
    elif not (sys.stdout.isatty() and _draw(columns, cells)):
        print("\n".join(lines))


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Draw a table that fits by rich; return whether it is there to do so."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    for column in columns:
        table.add_column(Text(column), no_wrap=True)
    for row in cells:
        table.add_row(*map(Text, row))
    Console(width=shutil.get_terminal_size().columns).print(table)
    return True


@contextmanager
def progress_line() -> Generator[Progress]:
    """Give a function that shows how far a download is, where somebody watches."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ImportError:
        with _plain_progress() as show:
            yield show
        return
    parts = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bar(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda received, total: bar.update(task, completed=received, total=total)


@contextmanager
def _plain_progress() -> Generator[Progress]:
    def show(received: int, total: int | None) -> None:
        share = f" of {total:,} bytes ({received / total:.0%})" if total else " bytes"
        print(f"\r{received:,}{share}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _say_nothing(received: int, total: int | None) -> None:
    del received, total


def in_plain_words(error: OSError) -> str:
    """Say what is wrong with a file: its path, and what to do."""
    reason = _PLAIN.get(type(error)) or error.strerror or _ERROR_NUMBER.sub("", str(error))
    return f"{error.filename}: {reason}" if error.filename else reason


def without_numbers(reason: object) -> str:
    """Leave out the system's numbers of errors, which say nothing to people."""
    return _ERROR_NUMBER.sub("", str(reason))


def _room() -> float:
    """Return how many columns there are; whoever reads through a pipe has all they want."""
    if not sys.stdout.isatty():
        return float("inf")
    return shutil.get_terminal_size().columns


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        filled = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        yield GAP.join(filled).rstrip()


def _record(columns: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    named = max(map(_width, columns))
    for column, cell in zip(columns, row, strict=True):
        yield f"{column.ljust(named)}{GAP}{cell}".rstrip()


def _width(text: str) -> int:
    """Count the columns that a text takes on a terminal."""
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in _WIDE
        else 1
        for character in text
    )
