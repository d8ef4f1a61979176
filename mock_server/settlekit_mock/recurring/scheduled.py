"""Order a run of a scheduled authorization: one slot is charged once, within what was approved."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from settlekit_mock.kernel.idempotency import once
from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.times import optional_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.tables import Merchant, merchant_numbered
from settlekit_mock.recurring.authorizations import become, token_holder
from settlekit_mock.recurring.charges import Charge, Due, charge
from settlekit_mock.recurring.rules import AuthorizationStatus, RunRefused, Runs, run_refusal
from settlekit_mock.recurring.tables import INSERT_RUN, UPDATE_AUTHORIZATION, Authorization
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.rules.local_time import local_day

SLOT_REUSED = "IDEMPOTENCY_KEY_REUSED_WITH_DIFFERENT_PAYLOAD"


class Order(NamedTuple):
    """What a merchant's scheduler orders; ``input`` is for whoever does the work."""

    slot_id: str
    scheduled_for: int | None
    input: Mapping[str, Any] | None
    arguments: Mapping[str, Any] | None
    metadata: Mapping[str, Any]


class Executed(NamedTuple):
    """A run that was made, with the authorization as it stands after it."""

    authorization: Authorization
    merchant: Merchant
    order: Order
    charge: Charge


def execute(
    tx: Transaction, token: str, order: Order, *, write: Callable[[Executed], bytes]
) -> bytes:
    """Charge a slot and return what ``write`` makes of it; a slot repeated answers its first.

    Raises ``Unauthenticated`` for the token, ``Conflict`` for a slot ordered otherwise before,
    for an authorization that is used up and for too many runs, 402 ``BUDGET_EXCEEDED`` beyond
    what was approved or what the buyer has. A refused slot may be ordered again.
    """
    found = token_holder(tx.connection, token, tx.now, to_write=True)
    return once(
        tx,
        scope=f"scheduled:{found.authorization_id}",
        key=order.slot_id,
        payload=order,
        effect=lambda: write(_run(tx, found, order)),
        conflict_code=SLOT_REUSED,
    )


def _run(tx: Transaction, found: Authorization, order: Order) -> Executed:
    today = local_day(tx.now, buyer_with_id(tx.connection, found.buyer_id).timezone)
    runs = found.runs.on(today, found.counted_day)
    refused = run_refusal(found.limits, runs, found.amount_minor)
    if refused is not None:
        raise _refusal(tx, found, order, refused)
    merchant = merchant_numbered(tx.connection, found.merchant_number)
    try:
        charged = charge(tx, merchant, _due(tx, found, order))
    except Problem as problem:
        problem.data |= _explained(order, problem.code)
        raise
    _write(tx, found, order, charged)
    return Executed(_counted(tx, found, runs.and_one(), today), merchant, order, charged)


def _refusal(tx: Transaction, found: Authorization, order: Order, refused: RunRefused) -> Problem:
    tx.when_refused(
        lambda after: after.record(
            "authorization.run_refused",
            found.authorization_id,
            slot_id=order.slot_id,
            reason_code=refused.reason_code,
        )
    )
    return Problem(
        refused.message,
        code=refused.code,
        status=refused.status,
        data=_explained(order, refused.reason_code),
    )


def _explained(order: Order, reason_code: str) -> dict[str, object]:
    return {
        "slot_id": order.slot_id,
        "reason_code": reason_code,
        "retryable": reason_code != "MAX_RUNS_REACHED",
        "manual_reconciliation_required": False,
    }


def _due(tx: Transaction, found: Authorization, order: Order) -> Due:
    approved: dict[str, Any] = msgspec.json.decode(found.metadata)
    return Due(
        charge_id=tx.new_id("sar"),
        buyer_id=found.buyer_id,
        amount_minor=found.amount_minor,
        currency=found.currency,
        billing_plan=found.billing_plan,
        told={
            "scheduled_authorization_id": found.authorization_id,
            "authorization_challenge_hash": found.challenge_hash,
            "slot_id": order.slot_id,
            "scheduled_for": optional_text(order.scheduled_for),
        },
        metadata={**approved, **order.metadata},
        capability_key=found.capability_key,
        operation_key=found.operation_key,
    )


def _write(tx: Transaction, found: Authorization, order: Order, charged: Charge) -> None:
    row: dict[str, object] = {
        "run_id": charged.charge_id,
        "authorization_number": found.authorization_number,
        "slot_id": order.slot_id,
        "ordinal": found.run_count + 1,
        "scheduled_for": order.scheduled_for,
        "requirement_id": charged.taken.requirement_id,
        "run_at": tx.now,
    }
    tx.connection.execute(INSERT_RUN, row)
    tx.record(
        "authorization.executed",
        found.authorization_id,
        slot_id=order.slot_id,
        run_id=charged.charge_id,
        requirement_id=charged.taken.requirement_id,
    )


def _counted(tx: Transaction, found: Authorization, runs: Runs, today: str) -> Authorization:
    counted = found._replace(
        run_count=runs.in_all,
        counted_day=today,
        day_runs=runs.in_day,
        month_runs=runs.in_month,
        updated_at=tx.now,
    )
    changed = {name: getattr(counted, name) for name in _COUNTED}
    tx.connection.execute(UPDATE_AUTHORIZATION, {"given": found.authorization_id, **changed})
    if runs.in_all == found.max_runs:
        return become(tx, counted, AuthorizationStatus.EXHAUSTED)
    return counted


_COUNTED = ("run_count", "counted_day", "day_runs", "month_runs", "updated_at")
