"""Write the figures into docs/performance.md from a run of the benchmarks.

    make bench ARGS='--json docs/figures.json'
    python scripts/performance_page.py            # writes docs/performance.md
    python scripts/performance_page.py --check    # exits 1 where it is out of date

The figures are of one machine on one day; what holds on another is the ratios.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
FIGURES = DOCS / "figures.json"
BEGIN = "<!-- figures: written by scripts/performance_page.py -->"
END = "<!-- end of figures -->"
COLUMNS = ("work", "ours", "against", "theirs", "ratio", "target", "met")
HEADER = "| work | ours | held against | theirs | ratio | to reach | reached |"
RULE = "| --- | ---: | --- | ---: | ---: | ---: | --- |"


def table(measured: dict[str, Any]) -> str:
    """Return the figures as Markdown, a row each, in the order they were measured."""
    rows = "\n".join(_row(figure) for figure in measured["figures"])
    return f"Measured on {measured['machine']}.\n\n{HEADER}\n{RULE}\n{rows}"


def _row(figure: dict[str, Any]) -> str:
    return f"| {' | '.join(figure['shown'][column] for column in COLUMNS)} |"


def page_with_figures(page: str, measured: dict[str, Any]) -> str:
    """Return the page with what is between its two markers written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, behind = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(measured)}\n\n{END}{behind}"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/performance.md.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if out of date")
    page = PAGE.read_text("utf-8")
    wanted = page_with_figures(page, json.loads(FIGURES.read_text("utf-8")))
    if parser.parse_args(arguments).check:
        if wanted != page:
            print(f"{PAGE.name} is out of date", file=sys.stderr)
        return int(wanted != page)
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
