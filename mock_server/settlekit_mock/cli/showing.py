"""Print what a control route answered: as text, or as JSON, a value a line.

No control character of an answer reaches a terminal, and nothing is shortened.
"""

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.cells import cell_len

GAP = "  "
LONGEST_LINE = 160
"""What is longer has a line for each field."""


class Table(NamedTuple):
    """Answers to be shown as rows; ``columns`` names the field of each heading."""

    columns: Mapping[str, str]
    rows: Sequence[Any]


def show(answer: Any, *, as_json: bool) -> None:
    """Print one answer; journal entries in it come a line each."""
    if isinstance(answer, Table):
        _show_table(answer, as_json=as_json)
        return
    if isinstance(answer, str):
        print(visible(answer))
        return
    read = msgspec.to_builtins(answer)
    if as_json:
        _print_json(read)
        return
    if "violations" in read:
        _show_check(read)
        return
    for entry in read.pop("events", None) or ():
        _show_entry(entry)
    if "seq" in read:
        _show_entry(read)
    else:
        _show_fields(read)


def visible(text: str) -> str:
    """Return a text in which every character can be seen: escape those that control a terminal."""
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    # As JSON writes it; it has no escape of its own for DEL.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def _print_json(value: Any) -> None:
    print(visible(json.dumps(value)))


def _show_fields(read: dict[str, Any]) -> None:
    fields = {name: visible(_text(value)) for name, value in read.items()}
    line = GAP.join(f"{name}={value}" for name, value in fields.items())
    if len(line) > LONGEST_LINE:
        line = "\n".join(_record(list(fields), list(fields.values())))
    print(line)


def _show_check(read: dict[str, Any]) -> None:
    for violation in read["violations"]:
        print(visible(GAP.join(f"{name}={_text(value)}" for name, value in violation.items())))
    print(f"{len(read['checked'])} invariants checked, {len(read['violations'])} violations")


def _show_entry(entry: dict[str, Any]) -> None:
    data = " ".join(f"{name}={_text(value)}" for name, value in entry["data"].items())
    print(visible(f"{entry['at']}  {entry['kind']:<20} {entry['subject']}  {data}"))


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return "-" if value is None else str(value)


# -- tables ------------------------------------------------------------------------------


def _show_table(table: Table, *, as_json: bool) -> None:
    rows = [msgspec.to_builtins(row) for row in table.rows]
    if as_json:
        for row in rows:
            _print_json(row)
        return
    headings = list(table.columns)
    cells = [[visible(_cell(row, field)) for field in table.columns.values()] for row in rows]
    lines = list(_aligned([headings, *cells]))
    if max(map(cell_len, lines)) <= _room():
        print("\n".join(lines))
    else:
        print("\n\n".join("\n".join(_record(headings, row)) for row in cells))


def _cell(row: dict[str, Any], field: str) -> str:
    """Read a field, or one within another: ``balances.JPYC``."""
    value: Any = row
    for name in field.split("."):
        value = value[name] if value is not None else None
    return _text(value)


def _room() -> float:
    # Whoever reads through a pipe has all the room they want.
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else float("inf")


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        filled = [
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        yield GAP.join(filled).rstrip()


def _record(headings: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    named = max(map(len, headings))
    for heading, cell in zip(headings, row, strict=True):
        yield f"{heading.ljust(named)}{GAP}{cell}".rstrip()
