"""``settlekit webhooks exam``: adversarial deliveries at a shop's endpoint, graded.

The exam is in ``settlekit.testing``, and loaded when it is asked for.
"""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from settlekit.cli.output import print_json, print_table, visible
from settlekit.errors import ConfigurationError, InvalidArgument

if TYPE_CHECKING:
    from settlekit.testing.exam import Mark, Report
    from settlekit.testing.exam.sitting import Candidate

Commands = Any  # argparse keeps the type of its subparsers to itself

RESTART_SECONDS = 60
CLEAR = "\r\x1b[K"
"""Empties a terminal's line."""

SHOWN = {"passed": "pass", "failed": "FAIL", "not examined": "–"}


def add_command(kinds: Commands) -> None:
    """Add the command to those of ``webhooks``."""
    parser: argparse.ArgumentParser = kinds.add_parser(
        "exam",
        help="examine an endpoint with adversarial deliveries",
        description="Deliver what the world may deliver to your endpoint, and grade what it does. "
        "It moves no money. Without --start-checkout and --probe only its answers are graded; "
        "without --restart nothing of crashes and restarts is.",
    )
    parser.add_argument("url", metavar="URL", help="the endpoint")
    parser.add_argument("--secret", help="its signing secret (else SIGLUME_WEBHOOK_SECRET)")
    parser.add_argument(
        "--merchant", default="sandbox_merchant", help="its merchant (default: %(default)s)"
    )
    parser.add_argument(
        "--start-checkout",
        metavar="URL",
        help="POST to it opens an order and answers key, challenge_hash, amount_minor, currency, "
        "merchant and success_url of it as JSON",
    )
    parser.add_argument(
        "--probe",
        metavar="URL",
        help="GET of it, with {order} for the key, answers the order's state as JSON, with no ids "
        "and no times; with nothing for the key the shop's revenue_minor and review, or 404",
    )
    parser.add_argument(
        "--restart", metavar="COMMAND", help="kills the shop and returns once it answers again"
    )
    parser.add_argument("--only", metavar="NAMES", help="make these checks alone, with commas")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit's XML there")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    from settlekit.testing.exam import grade

    try:
        report = grade(
            _candidate(asked),
            only=asked.only.split(",") if asked.only else None,
            told=_progress if sys.stderr.isatty() else None,
        )
    except InvalidArgument as error:
        raise InvalidArgument(_option(error.field), error.problem) from None
    if sys.stderr.isatty():
        print(CLEAR, end="", file=sys.stderr, flush=True)
    if asked.junit is not None:
        asked.junit.write_text(report.to_junit(), encoding="utf-8")
    if asked.json:
        print_json(report.to_dict())
    else:
        _print(report)
    return 0 if report.passed else 1


def _candidate(asked: argparse.Namespace) -> "Candidate":
    from settlekit.testing.exam.endpoint import AtUrl
    from settlekit.testing.exam.orders import checkout_at, probe_at
    from settlekit.testing.exam.sitting import Candidate

    return Candidate(
        endpoint=AtUrl(asked.url),
        secret=_secret(asked.secret),
        merchant=asked.merchant,
        start_checkout=None if asked.start_checkout is None else checkout_at(asked.start_checkout),
        probe=None if asked.probe is None else probe_at(asked.probe),
        restart=_restart(asked.restart),
        word=_option,
    )


def _option(name: str) -> str:
    """Return a means' name as it is written on a shell."""
    return f"--{name.replace('_', '-')}"


def _print(report: "Report") -> None:
    rows = [
        (SHOWN[mark.verdict], mark.check.name, mark.seen or mark.check.title)
        for mark in report.marks
    ]
    print_table(["", "check", "what holds, or what was seen"], rows)
    for mark in report.failed:
        print(f"\n{visible(mark.check.name)}: {visible(mark.seen)}")
        print(f"  why: {mark.check.why}\n  fix: {mark.check.fix}")
    counted = f"{len(report.marks)} checks, {len(report.failed)} failed"
    print(f"\n{counted}, {len(report.not_examined)} not examined")


def _progress(mark: "Mark") -> None:
    print(f"{CLEAR}{mark.check.name}: {mark.verdict}", end="", file=sys.stderr, flush=True)


def _restart(command: str | None) -> Any:
    if command is None:
        return None
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"--restart: {error}") from None
    if not words:
        raise ConfigurationError("--restart: names no command")

    def run() -> None:
        try:
            # The user's own command, with no shell between.
            subprocess.run(words, check=True, timeout=RESTART_SECONDS)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            raise ConfigurationError(f"--restart: {error}") from None

    return run


def _secret(given: str | None) -> str:
    secret = (given or os.environ.get("SIGLUME_WEBHOOK_SECRET", "")).strip()
    if not secret:
        raise ConfigurationError("no secret: give --secret, or set SIGLUME_WEBHOOK_SECRET")
    return secret
