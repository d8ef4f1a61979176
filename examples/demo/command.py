"""The demo's command line: 0 when all is as it was told, 1 when something differs, 2 for bad input."""

import argparse
import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from examples.demo.narrative import Narrator
from examples.demo.orders import BadFile, read_month
from examples.demo.report import BadOutput, Output
from examples.demo.shopping import Stuck
from examples.demo.story import tell
from settlekit import SettlekitError
from settlekit_mock.driver import ControlError


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the orders and check what was told."""
    chosen = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that can't show ✓ shows ?
    started = time.perf_counter()
    try:
        month = read_month(chosen.orders, chosen.customers)
        output = Output(chosen.output)
        output.prepare()
    except (BadFile, BadOutput) as problem:
        return _complain(str(problem), 2)
    narrator = Narrator()
    try:
        good = tell(narrator, month, chosen.orders, output)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except (ControlError, SettlekitError, Stuck) as problem:
        return _complain(f"the story broke off: {problem}", 1)
    seconds = time.perf_counter() - started
    if good:
        narrator.end(
            f"All of it is so, in {seconds:.1f} s. See {output.folder}/summary.md", good=True
        )
        return 0
    narrator.end(f"Some of it is not so: see ✗ above and in {output.folder}/summary.md", good=False)
    return 1


def _complain(problem: str, code: int) -> int:
    print(f"demo: {problem}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="demo", description="Play a month of a shop's orders, from checkout to payout."
    )
    parser.add_argument("--orders", type=Path, required=True, help="the orders, as CSV")
    parser.add_argument(
        "--customers", type=Path, help="where they live (default: customers.csv beside the orders)"
    )
    parser.add_argument("--output", type=Path, required=True, help="a folder for CSVs and summary")
    return parser
