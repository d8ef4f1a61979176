"""Wrong variants of the rules, each to be put in for a while and found out.

Each is a function that puts one in by ``monkeypatch``; its docstring says what is wrong.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import pytest

from settlekit_mock.ledger import service as ledger
from settlekit_mock.operations import payouts
from settlekit_mock.operations.rules import payouts as payout_rules
from settlekit_mock.settlement import (
    batches,
    debits,
    funds,
    invariants,
    operator,
    outcomes,
    scopes,
    usage,
)
from settlekit_mock.settlement.rules import acceptance, standing, timetable
from settlekit_mock.settlement.rules.acceptance import ACCEPTED
from settlekit_mock.settlement.rules.batch_life import Move
from settlekit_mock.settlement.rules.standing import Bucket

Plant = Callable[[pytest.MonkeyPatch], None]


def balance_without_an_entry(patch: pytest.MonkeyPatch) -> None:
    """A platform's share is added to its balance, and no entry says so."""
    write = ledger._write_entries

    def wrong(connection: Any, number: int, movements: Any) -> None:
        moved = list(movements)
        entered = [one for one in moved if one.leg.account.owner_scope != "platform"]
        write(connection, number, entered)
        for one in moved:
            if one not in entered:
                given = {"number": one.leg.account.number, "by": one.leg.amount}
                connection.execute(ledger._MOVE_BALANCE, given)

    patch.setattr(ledger, "_write_entries", wrong)


def fee_added_to_the_buyer(patch: pytest.MonkeyPatch) -> None:
    """The buyer is debited gross and fee, the provider gets the gross: the ledger is sound."""
    move, pay_out = debits._move_clearing, outcomes._pay_out_of_clearing
    patch.setattr(
        debits,
        "_move_clearing",
        lambda tx, batch, amount, reason: move(
            tx, batch, amount + batch.fee * (1 if amount > 0 else -1), reason
        ),
    )

    def wrong(tx: Any, batch: Any) -> None:
        columns = batch._asdict()
        pay_out(tx, _Row({**columns, "gross": columns["gross"] + columns["fee"]}))

    patch.setattr(outcomes, "_pay_out_of_clearing", wrong)


class _Row:
    """A batch with other columns."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.__dict__.update(columns)


def threshold_event_left_out(patch: pytest.MonkeyPatch) -> None:
    """The payment that reaches the threshold opens the next period instead."""
    accept = usage.Desk._accept

    def wrong(self: Any, at: int, decision: Any, outcome: str | None) -> Any:
        if decision.closes_period and self._scope.period is not None:
            self._end_period(at, threshold_reached_at=at)
            decision = ACCEPTED
        return accept(self, at, decision, outcome)

    patch.setattr(usage.Desk, "_accept", wrong)


def a_29th_attempt(patch: pytest.MonkeyPatch) -> None:
    """A run has one attempt too many."""
    patch.setattr(timetable, "ATTEMPTS_A_RUN", 29)


def six_hours_from_now(patch: pytest.MonkeyPatch) -> None:
    """The next attempt comes six hours after the failure was seen, not after its schedule."""
    fail = outcomes.fail
    patch.setattr(
        outcomes,
        "fail",
        lambda tx, *given, **more: fail(tx, *given, **{"resolved_at": tx.now, **more}),
    )


def reservation_never_released(patch: pytest.MonkeyPatch) -> None:
    """What is given up stays reserved for ever."""
    patch.setattr(operator, "release", lambda *_given, **_more: None)


def exposure_not_lowered_on_settle(patch: pytest.MonkeyPatch) -> None:
    """What is settled still counts as owed."""
    patch.setattr(batches, "counts_in_exposure", lambda _state: True)


def bucket_not_moved(patch: pytest.MonkeyPatch) -> None:
    """A batch's receivable stays unsettled whatever becomes of it."""
    patch.setattr(batches, "_follow_totals", lambda *_given: None)


def failed_counts_as_unsettled(patch: pytest.MonkeyPatch) -> None:
    """A failed debit's receivable isn't past due, and the server's own checks agree."""
    wrong = MappingProxyType({**standing.BUCKETS_BY_STATUS, "failed": Bucket.UNSETTLED})
    patch.setattr(standing, "BUCKETS_BY_STATUS", wrong)
    patch.setattr(invariants, "BUCKETS_BY_STATUS", wrong)


def blind_resubmission(patch: pytest.MonkeyPatch) -> None:
    """A debit whose outcome is unknown is taken for failed, and submitted again."""

    def wrong(tx: Any, batch: Any, attempt: Any) -> None:
        debits.out_of_clearing(tx, batch)
        outcomes.fail(tx, batch, attempt, Move.REFUSE, "ONCHAIN_FAILURE")

    patch.setattr(outcomes, "_lose", wrong)


def notice_after_the_debit(patch: pytest.MonkeyPatch) -> None:
    """A batch is ready though the buyer was told nothing; the notice goes with the debit."""
    send = batches.send_notice
    patch.setattr(
        batches,
        "send_notice",
        lambda tx, notice: None if notice.kind == "final_debit" else send(tx, notice),
    )


def debit_after_71_hours(patch: pytest.MonkeyPatch) -> None:
    """The debit comes an hour before its gate."""
    patch.setattr(batches, "not_before_attempt_at", lambda close_at, _at: close_at + 71 * 3_600_000)


def settled_twice(patch: pytest.MonkeyPatch) -> None:
    """A debit that went through at a further attempt pays the provider a second time."""
    settle = outcomes.settle

    def wrong(tx: Any, batch: Any, attempt: Any, made: Move) -> None:
        settle(tx, batch, attempt, made)
        if attempt.ordinal > 1:
            outcomes._pay_out_of_clearing(tx, batch)

    patch.setattr(outcomes, "settle", wrong)


def pause_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A batch that failed doesn't keep its scope from accruing."""
    pause = acceptance.pause_of
    patch.setattr(
        acceptance,
        "pause_of",
        lambda scope, currency: pause(scope._replace(paused_batches=0), currency),
    )


def pause_above_the_threshold_alone(patch: pytest.MonkeyPatch) -> None:
    """A scope that owes the threshold exactly goes on."""
    pause = acceptance.pause_of
    patch.setattr(
        acceptance,
        "pause_of",
        lambda scope, currency: pause(scope._replace(exposure=scope.exposure - 1), currency),
    )


def reservations_overlooked_at_checkout(patch: pytest.MonkeyPatch) -> None:
    """A standard payment may spend what metered payments have reserved."""
    refusal = funds.budget_refusal
    patch.setattr(
        funds,
        "budget_refusal",
        lambda given, *more: refusal(given._replace(reserved=0), *more),
    )


def days_counted_in_utc(patch: pytest.MonkeyPatch) -> None:
    """A buyer's caps count days in UTC."""
    patch.setattr(funds, "_day", lambda minute, _zone: funds.local_day(minute * 60_000, "UTC"))


def slots_read_in_utc(patch: pytest.MonkeyPatch) -> None:
    """A period closes when clocks in Greenwich show the slot, not the buyer's."""
    bounds = scopes.period_bounds
    patch.setattr(
        scopes, "period_bounds", lambda at, slot, _zone, before: bounds(at, slot, "UTC", before)
    )


def allowance_kept_after_a_failure(patch: pytest.MonkeyPatch) -> None:
    """A debit resolved as failed gives the tokens back, and not the allowance."""

    def wrong(tx: Any, batch: Any) -> None:
        debits._move_clearing(tx, batch, -batch.gross, "batch_debit_returned")
        debits.release(tx.connection, batch.buyer_number, batch.currency, -batch.gross)

    patch.setattr(outcomes, "out_of_clearing", wrong)


def requeued_without_a_new_run(patch: pytest.MonkeyPatch) -> None:
    """A requeued batch has no attempts left."""
    move = operator.move
    patch.setattr(
        operator,
        "move",
        lambda tx, batch, made, **columns: move(
            tx,
            batch,
            made,
            **{name: value for name, value in columns.items() if name != "run_attempts"},
        ),
    )


def paid_without_approval(patch: pytest.MonkeyPatch) -> None:
    """A pending payout may be marked paid, and is approved with that."""
    steps = {
        **payout_rules.STEPS,
        (payout_rules.Status.PENDING, payout_rules.Step.MARK_PAID): payout_rules.Status.PAID,
    }
    patch.setattr(payout_rules, "STEPS", steps)
    effect = payouts._effect

    def wrong(tx: Any, step: Any, payout: Any) -> dict[str, Any]:
        approved = {"approved_at": tx.now} if step is payout_rules.Step.MARK_PAID else {}
        return approved | effect(tx, step, payout)

    patch.setattr(payouts, "_effect", wrong)


PLANTED: Final[tuple[Plant, ...]] = (
    balance_without_an_entry,
    fee_added_to_the_buyer,
    threshold_event_left_out,
    a_29th_attempt,
    six_hours_from_now,
    reservation_never_released,
    exposure_not_lowered_on_settle,
    bucket_not_moved,
    failed_counts_as_unsettled,
    blind_resubmission,
    notice_after_the_debit,
    debit_after_71_hours,
    settled_twice,
    pause_forgotten,
    pause_above_the_threshold_alone,
    reservations_overlooked_at_checkout,
    days_counted_in_utc,
    slots_read_in_utc,
    allowance_kept_after_a_failure,
    requeued_without_a_new_run,
    paid_without_approval,
)
