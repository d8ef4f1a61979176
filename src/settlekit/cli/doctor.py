"""``settlekit doctor preflight | verify``: whether a shop is ready to take payments.

Every check is made in one run, and each that fails says how to fix it. ``preflight`` needs
no running shop; ``verify`` also has the platform deliver a test webhook to it.
"""

import argparse
from typing import Any

from settlekit._flow import RetryPolicy
from settlekit._sync.client import Client
from settlekit.cli.doctor_platform import Examination
from settlekit.cli.doctor_report import Check, Report, State
from settlekit.cli.doctor_settings import ShopSettings, check_settings, read_settings
from settlekit.cli.output import print_json, print_table

Commands = Any  # argparse keeps the type of its subparsers to itself

MARKS = {State.PASSED: "ok", State.FAILED: "FAIL", State.WARNING: "note", State.SKIPPED: "-"}
NEEDED = ("base_url", "merchant_key", "merchant_token")


def add_commands(commands: Commands) -> None:
    """Add these commands to the parser."""
    told = "see whether a shop is ready to take payments"
    group = commands.add_parser("doctor", help=told, description=f"{told.capitalize()}.")
    kinds = group.add_subparsers(required=True, metavar="WHEN")
    _add(kinds, "preflight", "before the shop runs: settings, account, endpoint, checkout")
    _add(kinds, "verify", "with the shop running: all of preflight, and a webhook's delivery")


def _add(kinds: Commands, name: str, told: str) -> None:
    parser: argparse.ArgumentParser = kinds.add_parser(name, help=told, description=told)
    parser.add_argument("--merchant", help="(else SIGLUME_DIRECT_PAYMENT_MERCHANT)")
    parser.add_argument("--origin", help="the shop's origin (else SHOP_PUBLIC_ORIGIN)")
    parser.add_argument("--webhook-url", help="the shop's endpoint (else SHOP_WEBHOOK_URL)")
    parser.add_argument("--currency", choices=["JPY", "USD"], help="of the probe (JPY)")
    parser.add_argument("--amount-minor", type=int, help="of the probe (501 or 301)")
    parser.add_argument("--base-url", help="the API (else SIGLUME_API_BASE)")
    parser.add_argument("--sandbox", action="store_true", help="look at the local sandbox")
    parser.add_argument("--no-api", action="store_true", help="look at the settings alone")
    parser.add_argument("--no-probe", action="store_true", help="open no checkout, send no webhook")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run, delivery=name == "verify")


def _run(asked: argparse.Namespace) -> int:
    shop = read_settings(asked)
    report = Report()
    check_settings(report, shop)
    if asked.no_api:
        report.skip("platform_reachable", "--no-api: nothing was asked of the platform")
    elif report.passed(*NEEDED):
        _examine(asked, shop, report)
    else:
        report.skip("platform_reachable", f"needs {', '.join(NEEDED)}")
    if asked.no_probe and asked.delivery:
        fix = "Leave out --no-probe: without the probes nothing shows that payments arrive."
        report.check("probes_made", False, "skipped by --no-probe", fix)
    _print(report, as_json=asked.json)
    return 0 if report.ready else 1


def _examine(asked: argparse.Namespace, shop: ShopSettings, report: Report) -> None:
    retries = RetryPolicy(attempts=2, total_seconds=20)
    token = None if shop.token is None else shop.token.token
    with Client(token=token, base_url=shop.base_url, timeout=15, retries=retries) as client:
        probe = not asked.no_probe
        Examination(client, shop, report).run(checkout=probe, delivery=probe and asked.delivery)


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": report.ready, "checks": [_as_json(check) for check in report.checks]})
        return
    rows = [(MARKS[check.state], check.name, check.found) for check in report.checks]
    print_table(["", "check", "found"], rows)
    fixes = [(check.name, check.fix) for check in report.checks if check.fix]
    if fixes:
        print()
        print_table(["to fix", "do"], fixes)
    failed = sum(check.state is State.FAILED for check in report.checks)
    print(f"\n{'Ready.' if report.ready else f'Not ready: {failed} to fix.'}")


def _as_json(check: Check) -> dict[str, str | None]:
    return {"name": check.name, "status": check.state, "found": check.found, "fix": check.fix}
