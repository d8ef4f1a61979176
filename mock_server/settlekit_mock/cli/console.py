"""The commands that show the whole: batches, periods, revenue, flow, deliveries, accounts."""

import argparse
from collections.abc import Iterable
from typing import Any, get_args

from settlekit_mock.cli.declaring import declare
from settlekit_mock.cli.showing import Table
from settlekit_mock.cli.usage import WrongUsage
from settlekit_mock.console.accounts import AccountKind
from settlekit_mock.console.rules import By
from settlekit_mock.driver import Driver
from settlekit_mock.settlement.statements.shapes import BatchStatusText
from settlekit_mock.webhooks.tables import DeliveryStatus

BATCH_COLUMNS = {
    "batch": "settlement_batch_id",
    "closed": "close_at",
    "buyer": "buyer",
    "provider": "provider",
    "band": "plan_type",
    "payments": "usage_count",
    "gross": "provider_gross_amount_minor",
    "currency": "currency",
    "status": "status",
    "attempts": "attempt_count",
    "settled": "settled_at",
}
PERIOD_COLUMNS = {
    "closes": "close_at",
    "buyer": "buyer",
    "provider": "provider",
    "band": "plan_type",
    "payments": "usage_count",
    "gross": "provider_gross_amount_minor",
    "currency": "currency",
}
REVENUE_COLUMNS = {
    "at": "at",
    "unsettled": "unsettled_minor",
    "past due": "past_due_minor",
    "settled": "settled_minor",
    "uncollectible": "uncollectible_minor",
    "written off": "written_off_minor",
    "standard": "standard_minor",
}
FLOW_COLUMNS = {"from": "source", "to": "target", "amount": "amount_minor"}
DELIVERY_COLUMNS = {
    "delivery": "id",
    "made": "created_at",
    "event": "event_type",
    "status": "delivery_status",
    "answer": "response_status",
    "attempts": "attempt_count",
    "next": "next_attempt_at",
    "to": "callback_url",
}
ACCOUNT_COLUMNS = {
    "account": "account_id",
    "kind": "kind",
    "owner": "owner_id",
    "currency": "currency",
    "balance": "balance",
}
ENTRY_COLUMNS = {
    "at": "at",
    "transaction": "transaction_id",
    "reason": "reason",
    "subject": "subject",
    "amount": "amount",
    "balance": "balance_after",
}
_CURRENCIES = ("JPY", "USD")


def add_console(commands: Any) -> tuple[argparse.ArgumentParser, ...]:
    """Declare the commands."""
    return (
        _add_batches(commands),
        _add_periods(commands),
        _add_revenue(commands),
        _add_flow(commands),
        _add_deliveries(commands),
        _add_accounts(commands),
    )


def _add_batches(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "batches", "list every batch, newest first, or show one")
    _add_actions(command, "show", "its id, msb_…")
    command.add_argument(
        "--status",
        choices=get_args(BatchStatusText),
        metavar="STATUS",
        help=f"in this status: {', '.join(get_args(BatchStatusText))} (default: all)",
    )
    _add_parties(command)
    _add_limit(command)
    return command


def _add_periods(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "periods", "list the open periods, the next to close first")
    _add_parties(command)
    command.add_argument(
        "--limit", type=int, default=100, help="at most so many, up to 1000 (default: 100)"
    )
    return command


def _add_revenue(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "revenue", "show revenue by bucket over time, in minor units")
    _add_one_currency(command)
    command.add_argument(
        "--by", choices=get_args(By), help="a line for each (default: what makes up to 120 lines)"
    )
    return command


def _add_flow(commands: Any) -> argparse.ArgumentParser:
    command = declare(
        commands, "flow", "show what customers promised and where it is, in minor units"
    )
    _add_one_currency(command)
    return command


def _add_deliveries(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "deliveries", "list webhook deliveries, or deliver one again")
    _add_actions(command, "redeliver", "its id, whdel_…")
    command.add_argument(
        "--status", choices=get_args(DeliveryStatus), help="in this status (default: all)"
    )
    command.add_argument("--event-type", help="of this type (default: all)")
    _add_limit(command)
    return command


def _add_accounts(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "accounts", "list the ledger's accounts, or the entries of one")
    _add_actions(command, "entries", "its id, wal_… or acc_…")
    command.add_argument(
        "--kind", choices=get_args(AccountKind), help="of this kind (default: all)"
    )
    command.add_argument("--owner", help="this owner's (default: everybody's)")
    command.add_argument("--currency", choices=_CURRENCIES, help="in this currency (default: all)")
    _add_limit(command)
    return command


def _add_actions(command: argparse.ArgumentParser, other: str, key: str) -> None:
    command.add_argument(
        "action", choices=("list", other), nargs="?", default="list", help="(default: list)"
    )
    command.add_argument("key", nargs="?", help=key)


def _add_parties(command: argparse.ArgumentParser) -> None:
    command.add_argument("--buyer", help="this buyer's (default: everybody's)")
    command.add_argument(
        "--merchant", help="what this merchant's owner, or this provider, sold (default: all)"
    )
    command.add_argument("--currency", choices=_CURRENCIES, help="in this currency (default: all)")


def _add_one_currency(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--currency", choices=_CURRENCIES, default="JPY", help="in this currency (default: JPY)"
    )


def _add_limit(command: argparse.ArgumentParser) -> None:
    command.add_argument("--limit", type=int, help="at most so many (default: all)")


def batches(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """List every batch, or show one."""
    if chosen.action == "show":
        return [driver.batches.get(_key(chosen))]
    _demand_no_key(chosen)
    found = driver.batches.all(
        status=chosen.status,
        buyer=chosen.buyer,
        merchant=chosen.merchant,
        currency=chosen.currency,
        limit=chosen.limit,
    )
    return [Table(BATCH_COLUMNS, found)]


def periods(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """List the open periods."""
    found = driver.periods(
        buyer=chosen.buyer,
        merchant=chosen.merchant,
        currency=chosen.currency,
        limit=chosen.limit,
    )
    return [Table(PERIOD_COLUMNS, found)]


def revenue(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Show revenue over time."""
    found = driver.revenue(currency=chosen.currency, by=chosen.by)
    return [found if chosen.json else Table(REVENUE_COLUMNS, found.points)]


def flow(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Show the flow of money."""
    found = driver.flow(currency=chosen.currency)
    return [found if chosen.json else Table(FLOW_COLUMNS, found.links)]


def deliveries(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """List deliveries, or deliver one again."""
    if chosen.action == "redeliver":
        return [driver.deliveries.redeliver(_key(chosen))]
    _demand_no_key(chosen)
    found = driver.deliveries.all(
        status=chosen.status, event_type=chosen.event_type, limit=chosen.limit
    )
    return [Table(DELIVERY_COLUMNS, found)]


def accounts(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """List the ledger's accounts, or the entries of one."""
    if chosen.action == "entries":
        entries = driver.accounts.entries(_key(chosen), limit=chosen.limit)
        return [Table(ENTRY_COLUMNS, entries)]
    _demand_no_key(chosen)
    found = driver.accounts.all(
        kind=chosen.kind, owner=chosen.owner, currency=chosen.currency, limit=chosen.limit
    )
    return [Table(ACCOUNT_COLUMNS, found)]


def _key(chosen: argparse.Namespace) -> str:
    key: str | None = chosen.key
    if not key:
        raise WrongUsage(
            f"{chosen.command} {chosen.action}: say which one, by its id; "
            f"settlekit-mock {chosen.command} lists them"
        )
    return key


def _demand_no_key(chosen: argparse.Namespace) -> None:
    if chosen.key is not None:
        raise WrongUsage(f"{chosen.command} list takes no id")
