"""Print what a control route answered: as text, or as JSON, a value a line."""

import json
from typing import Any

import msgspec


def show(answer: Any, *, as_json: bool) -> None:
    """Print one answer; journal entries in it come a line each."""
    if isinstance(answer, str):
        print(answer)
        return
    read = msgspec.to_builtins(answer)
    if as_json:
        print(json.dumps(read))
        return
    for entry in read.pop("events", None) or ():
        _show_entry(entry)
    if "seq" in read:
        _show_entry(read)
    else:
        print("  ".join(f"{name}={_text(value)}" for name, value in read.items()))


def _show_entry(entry: dict[str, Any]) -> None:
    data = " ".join(f"{name}={_text(value)}" for name, value in entry["data"].items())
    print(f"{entry['at']}  {entry['kind']:<20} {entry['subject']}  {data}")


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    return "-" if value is None else str(value)
