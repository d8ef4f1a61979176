"""The operator's side: payouts under review, the ledger's reconciliation, holds, audit.

No part of payment requests: these routes need the admin token and answer bare objects.
"""

from datetime import datetime
from decimal import Decimal

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, get, post
from settlekit._codec import Listing
from settlekit.errors import InvalidArgument
from settlekit.models import (
    AuditEntry,
    Hold,
    LedgerReconciliation,
    Payout,
    PayoutRun,
)

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
    if threshold is not None and currency is None:
        raise InvalidArgument("currency", "must be given with threshold")
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
        operator_note=arguments.bounded(operator_note, "operator_note", arguments.MAX_NOTE),
    )


def mark_payout_paid(payout_id: str) -> Call[Payout]:
    """Say that a processing payout was paid: it debits the wallet once."""
    return post(f"{_payout_path(payout_id)}/mark-paid", _codec.one(Payout))


def cancel_payout(payout_id: str, *, reason: str | None = None) -> Call[Payout]:
    """Cancel a pending payout."""
    return _give_up(payout_id, "cancel", reason)


def fail_payout(payout_id: str, *, reason: str | None = None) -> Call[Payout]:
    """Say that a processing payout failed."""
    return _give_up(payout_id, "fail", reason)


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
        status=arguments.status(status),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )


def reconcile_ledger() -> Call[LedgerReconciliation]:
    """Ask for every wallet's balance beside the sum of its entries."""
    return get(f"{PATH}/reconciliation/ledger", _codec.one(LedgerReconciliation))


def holds(
    *, status: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[Listing[Hold]]:
    """Ask for holds on wallets, newest first."""
    return get(
        f"{PATH}/reconciliation/holds",
        _codec.listing(Hold),
        status=arguments.status(status),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )


def release_hold(hold_id: str, *, note: str) -> Call[Hold]:
    """Release a hold, with a note that says why."""
    segment = arguments.path_segment(hold_id, "hold_id")
    return post(
        f"{PATH}/reconciliation/holds/{segment}/release",
        _codec.one(Hold),
        note=arguments.bounded(arguments.required(note, "note"), "note", arguments.MAX_NOTE),
    )


def audit(
    *,
    actor: str | None = None,
    action: str | None = None,
    resource: str | None = None,
    from_: datetime | str | None = None,
    to: datetime | str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[Listing[AuditEntry]]:
    """Ask for audit entries, newest first."""
    return get(
        f"{PATH}/audit",
        _codec.listing(AuditEntry),
        actor=arguments.optional(actor, "actor"),
        action=arguments.optional(action, "action"),
        resource=arguments.optional(resource, "resource"),
        **arguments.span(from_, to),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )


def _give_up(payout_id: str, step: str, reason: str | None) -> Call[Payout]:
    return post(
        f"{_payout_path(payout_id)}/{step}",
        _codec.one(Payout),
        reason=arguments.bounded(reason, "reason", arguments.MAX_NOTE),
    )


def _payout_path(payout_id: str) -> str:
    return f"{PATH}/payouts/{arguments.path_segment(payout_id, 'payout_id')}"
