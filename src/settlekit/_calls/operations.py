"""The operator's side: payouts under review, the ledger's reconciliation, reports.

No part of payment requests: these routes need the admin token and answer bare objects.
"""

from datetime import datetime
from decimal import Decimal

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, get, post, stated
from settlekit._calls.download import Download, download
from settlekit._codec import Listing
from settlekit._csv import PAYOUT_ROWS, PAYOUT_ROWS_OF_CURRENCY
from settlekit.errors import InvalidArgument
from settlekit.models import LedgerReconciliation, Payout, PayoutRow, PayoutRun

PATH = "/admin"


def run_payouts(
    *,
    threshold_usd: Decimal | str | int | None = None,
    threshold: Decimal | str | int | None = None,
    currency: str | None = None,
) -> Call[PayoutRun]:
    """Make a pending payout for each wallet at or above a threshold of major units."""
    if threshold_usd is not None and (threshold is not None or currency is not None):
        raise InvalidArgument("threshold_usd", "goes without threshold and currency")
    return post(
        f"{PATH}/payouts/run-mock",
        _codec.one(PayoutRun),
        threshold_usd=arguments.major_units(threshold_usd, "threshold_usd"),
        threshold=arguments.major_units(threshold, "threshold"),
        currency=arguments.currency(currency),
    )


def approve_payout(payout_id: str, *, operator_note: str | None = None) -> Call[Payout]:
    """Approve a pending payout: it becomes processing."""
    return post(
        f"{_payout_path(payout_id)}/approve",
        _codec.one(Payout),
        operator_note=arguments.bounded(operator_note, "operator_note", 1000),
    )


def mark_payout_paid(payout_id: str) -> Call[Payout]:
    """Say that a processing payout was paid: it debits the wallet once."""
    return post(f"{_payout_path(payout_id)}/mark-paid", _codec.one(Payout))


def payout(payout_id: str) -> Call[Payout]:
    """Ask for one payout."""
    return get(_payout_path(payout_id), _codec.one(Payout))


def payouts(
    *, status: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[Listing[Payout]]:
    """Ask for payouts, newest first."""
    return get(
        f"{PATH}/payouts",
        _codec.listing(Payout),
        status=arguments.optional(status, "status"),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )


def reconcile_ledger() -> Call[LedgerReconciliation]:
    """Ask for every wallet's balance beside the sum of its entries."""
    return get(f"{PATH}/reconciliation/ledger", _codec.one(LedgerReconciliation))


def payouts_report(
    *,
    from_: datetime | str | None = None,
    to: datetime | str | None = None,
    currency: str | None = None,
) -> Download[PayoutRow]:
    """Ask for the payouts of a half-open span of time, newest first."""
    query = stated(
        {
            "from": arguments.instant(from_, "from_"),
            "to": arguments.instant(to, "to"),
            "currency": arguments.currency(currency),
        }
    )
    in_dollars = query.get("currency", "USD") == "USD"
    rows = PAYOUT_ROWS if in_dollars else PAYOUT_ROWS_OF_CURRENCY
    return download(f"{PATH}/reports/payouts.csv", rows, query)


def _payout_path(payout_id: str) -> str:
    return f"{PATH}/payouts/{arguments.path_segment(payout_id, 'payout_id')}"
