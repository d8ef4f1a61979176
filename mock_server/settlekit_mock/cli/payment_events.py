"""The command ``payment-event``: record that a buyer paid for credits."""

import argparse
from collections.abc import Iterable
from typing import Any, get_args

from settlekit_mock.cli.declaring import declare
from settlekit_mock.driver import Driver
from settlekit_mock.operations.billing_routes import Provider


def add_payment_event(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command = declare(commands, "payment-event", "record that a buyer paid for credits")
    command.add_argument(
        "--sid", default="sandbox_buyer", help="the buyer's id (default: sandbox_buyer)"
    )
    command.add_argument("--external-ref", required=True, help="the provider's own reference")
    command.add_argument("--amount-cents", type=int, required=True, help="its worth in US cents")
    command.add_argument("--currency", default="USD", help="what was paid in (default: USD)")
    command.add_argument(
        "--provider",
        choices=get_args(Provider),
        default="stripe",
        help="by way of whom (default: stripe)",
    )
    return command


def payment_event(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command."""
    yield driver.payment_events.create(
        chosen.sid,
        external_ref=chosen.external_ref,
        amount_cents=chosen.amount_cents,
        currency=chosen.currency,
        provider=chosen.provider,
    )
