"""Compare settlekit with what else there is: python benchmarks/run.py [--quick] [--only NAME].

Figures are not tests: whatever they are, the exit code is 0.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from figures import Figure, shown
from measuring import Scale
from rich.console import Console
from rich.table import Table

ROWS = (
    "importing",
    "construction",
    "webhook",
    "page",
    "loopback",
    "csv_client",
    "csv_server",
    "summary",
    "summary_growth",
    "checkout",
    "servers",
    "usage_single",
    "usage_bulk",
    "postgresql",
    "ledger_rebuild",
    "reports",
    "fresh_mock",
    "idle_year",
    "failing_batch",
    "due_among_settled",
    "batch_statements",
    "year_at_scale",
)
"""A module in ``rows`` each."""

COLUMNS = ("work", "ours", "against", "theirs", "ratio", "target", "met")
VERDICTS = {"yes": "[green]yes", "no": "[red]no", "–": "–"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small data, under a minute")
    parser.add_argument(
        "--only", action="append", choices=ROWS, metavar="NAME", help=", ".join(ROWS)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--official-sandbox",
        metavar="URL",
        help="measure the platform's own sandbox there, instead of its recorded figures",
    )
    return parser.parse_args()


def _measured(console: Console, name: str, scale: Scale) -> Iterator[tuple[str, Figure]]:
    started = time.perf_counter()
    try:
        for figure in import_module(f"rows.{name}").measure(scale):
            console.print(_line(figure), highlight=False)
            yield name, figure
    except Exception:  # noqa: BLE001 - one broken row doesn't cost the others
        console.print_exception()
    console.print(f"[dim]{name}: {time.perf_counter() - started:.1f} s[/dim]", highlight=False)


def _line(figure: Figure) -> str:
    ratio = "" if figure.ratio is None else f", ratio {figure.ratio:.3g}"
    theirs = f" · {figure.against} {shown(figure.theirs, figure.unit)}" if figure.against else ""
    return f"{figure.work}: {shown(figure.ours, figure.unit)}{theirs}{ratio}"


def _table(found: list[tuple[str, Figure]]) -> Table:
    table = Table(title=f"settlekit, {_machine()}")
    for heading in COLUMNS:
        numeric = heading in ("ours", "theirs", "ratio", "target")
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric)
    for _, figure in found:
        cells = figure.shown()
        cells["met"] = VERDICTS[cells["met"]]
        table.add_row(*(cells[heading] for heading in COLUMNS))
    return table


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def _report(console: Console, found: list[tuple[str, Figure]]) -> None:
    console.print(_table(found))
    for note in dict.fromkeys(figure.note for _, figure in found if figure.note):
        console.print(f"· {note}", highlight=False)


def _as_json(found: list[tuple[str, Figure]], scale: Scale) -> dict[str, Any]:
    return {
        "machine": _machine(),
        "quick": scale.quick,
        "figures": [{"row": name, **figure.as_dict()} for name, figure in found],
    }


def main() -> None:
    chosen = _arguments()
    scale = Scale(quick=chosen.quick, official_sandbox=chosen.official_sandbox)
    console = Console(width=None if os.isatty(1) else 140)
    found = [
        item
        for name in ROWS
        if name in (chosen.only or ROWS)
        for item in _measured(console, name, scale)
    ]
    _report(console, found)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(_as_json(found, scale), indent=2) + "\n")


if __name__ == "__main__":
    main()
