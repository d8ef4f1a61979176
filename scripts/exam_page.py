"""Write the checks into docs/howto/webhook-exam.md from the exam itself.

python scripts/exam_page.py            # writes docs/
python scripts/exam_page.py --check    # exits 1 where docs/ is out of date
"""

import argparse
import sys
from itertools import groupby
from pathlib import Path

from settlekit.testing.exam import CHECKS, Check

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "webhook-exam.md"
BEGIN = "<!-- checks: written by scripts/exam_page.py -->"
END = "<!-- end of checks -->"
HEADINGS = {
    "signatures": "Who is believed",
    "kinds": "What is believed",
    "effects": "What an event does, and how often",
    "schedules": "In any order",
}


def checks() -> str:
    """Return every check as Markdown, part by part."""
    return "\n\n".join(
        f"### {HEADINGS[part]}\n\n" + "\n\n".join(map(_entry, found))
        for part, found in groupby(CHECKS, key=_part)
    )


def _part(check: Check) -> str:
    return check.run.__module__.rpartition(".")[2]


def _entry(check: Check) -> str:
    return f"**`{check.name}`** — {check.title}.\n{check.why}\n*Fix:* {check.fix}"


def page_with_checks(page: str) -> str:
    """Return the page with what is between its two markers written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, behind = rest.partition(END)
    return f"{before}{BEGIN}\n\n{checks()}\n\n{END}{behind}"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/howto/webhook-exam.md.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if out of date")
    page = PAGE.read_text("utf-8")
    wanted = page_with_checks(page)
    if parser.parse_args(arguments).check:
        if wanted != page:
            print(f"{PAGE.name} is out of date", file=sys.stderr)
        return int(wanted != page)
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
