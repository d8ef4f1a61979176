"""Every story keeps its word: what it claims is read off statements, in process and over HTTP."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from settlekit.models import BatchStatus, SettlementBatch
from settlekit.models.states import PlanType, SettlementTrigger
from settlekit_mock.control.scenarios.stories import STORIES
from tests.stories.conftest import Tell, Told

pytestmark = pytest.mark.both_databases
THREE_DAYS = timedelta(hours=72)
FINALITY = timedelta(seconds=30)
FORTY = (Decimal(4000), Decimal(80), Decimal(3920))
"""Gross, fee and receivable of forty payments of 100 yen."""


def amounts(batch: SettlementBatch) -> tuple[Decimal, Decimal, Decimal]:
    assert batch.buyer_debit_minor == batch.provider_gross_amount_minor
    return (
        batch.provider_gross_amount_minor,
        batch.protocol_fee_minor,
        batch.provider_receivable_minor,
    )


def closes_at(told: Told) -> datetime:
    """Return when the buyer's weekly slot first comes after the story began."""
    slot = told.buyer().weekly_slot
    day = told.began_at.replace(hour=slot.hour, minute=slot.minute)
    day += timedelta(days=(slot.weekday - day.weekday()) % 7)
    return day if day > told.began_at else day + timedelta(days=7)


def is_settled(told: Told, attempts: int) -> None:
    """Hold a settled batch to its receipt, and the buyer's wallet to one debit."""
    batch = told.batch()
    assert batch.status is BatchStatus.SETTLED
    assert batch.chain_receipt_id is not None
    assert batch.attempt_count == attempts
    assert batch.failure_reason_code is None
    assert told.totals().settled_provider_receivable_minor == batch.provider_receivable_minor
    buyer = told.buyer()
    assert Decimal(buyer.balances.JPYC) == 1_000_000 - batch.provider_gross_amount_minor
    assert buyer.reserved.JPYC == "0"


def was_never_debited(told: Told) -> None:
    buyer = told.buyer()
    assert (buyer.balances.JPYC, buyer.allowances.JPYC) == ("1000000", "1000000")


def test_weekly_micro_settles(tell: Tell) -> None:
    """Forty payments close at the buyer's weekly slot and settle 72 hours and 30 seconds later."""
    told = tell("weekly_micro_settles")
    batch = told.batch()
    is_settled(told, attempts=1)
    assert amounts(batch) == FORTY
    assert batch.plan_type is PlanType.MICRO
    assert batch.settlement_trigger is SettlementTrigger.SCHEDULED_CLOSE
    assert batch.close_at == batch.period_end == closes_at(told)
    assert told.times("debit.submitted") == [closes_at(told) + THREE_DAYS]
    assert batch.settled_at == closes_at(told) + THREE_DAYS + FINALITY
    assert told.played.batches == {"settled": 1}


def test_threshold_close(tell: Tell) -> None:
    """The hundredth payment of 100 yen closes the period it belongs to, at once."""
    told = tell("threshold_close")
    batch = told.batch()
    is_settled(told, attempts=1)
    assert amounts(batch) == (Decimal(10_000), Decimal(200), Decimal(9_800))
    assert batch.settlement_trigger is SettlementTrigger.AMOUNT_THRESHOLD
    assert batch.threshold_reached_at == batch.close_at == batch.period_end == told.began_at
    assert (told.played.accepted, told.played.refused) == (100, {})
    assert {fate.batch and fate.batch.settlement_batch_id for fate in told.fates()} == {
        batch.settlement_batch_id
    }


def test_recovers_at_third_attempt(tell: Tell) -> None:
    """Two debits fail on the chain; the third settles, twelve hours after the first."""
    told = tell("recovers_at_third_attempt")
    is_settled(told, attempts=3)
    assert amounts(told.batch()) == FORTY
    first = closes_at(told) + THREE_DAYS
    six_hours = timedelta(hours=6)
    assert told.times("debit.submitted") == [first, first + six_hours, first + 2 * six_hours]
    assert [entry.data["code"] for entry in told.events("debit.failed")] == ["ONCHAIN_FAILURE"] * 2
    assert {fate.batch and fate.batch.settled_by_attempt for fate in told.fates()} == {3}


def test_past_due_then_written_off(tell: Tell) -> None:
    """After 28 failed attempts the operator writes the batch off: nothing was collected."""
    told = tell("past_due_then_written_off")
    batch, totals = told.batch(), told.totals()
    assert batch.status is batch.terminal_status is BatchStatus.WRITTEN_OFF
    assert (batch.attempt_count, batch.terminal_reason_code) == (28, "buyer_unreachable")
    assert batch.failure_reason_code == "INSUFFICIENT_BALANCE"
    assert batch.chain_receipt_id is None
    assert len(told.times("debit.submitted")) == 28
    assert told.gaps("debit.submitted") == {6.0}
    assert totals.written_off_provider_receivable_minor == FORTY[2]
    assert totals.terminal_provider_receivable_minor == FORTY[2]
    assert totals.past_due_provider_receivable_minor == 0
    was_never_debited(told)
    assert told.buyer().reserved.JPYC == "0"


def test_past_due_then_requeued(tell: Tell) -> None:
    """After 28 failed attempts the operator requeues the batch, and the 29th, at once, settles."""
    told = tell("past_due_then_requeued")
    is_settled(told, attempts=29)
    attempts, (requeued,) = told.times("debit.submitted"), told.times("batch.requeued")
    assert len(attempts) == 29
    assert told.times("batch.past_due") == [attempts[27] + FINALITY]
    assert attempts[28] == requeued
    assert [entry.data["attempt"] for entry in told.events("debit.submitted")] == [*range(1, 30)]


def test_notice_fails_then_delivered(tell: Tell) -> None:
    """The notice fails twice and goes through at the third try; the debit waits its 72 hours."""
    told = tell("notice_fails_then_delivered")
    is_settled(told, attempts=1)
    close, hour = closes_at(told), timedelta(hours=1)
    assert told.times("notice.failed") == [close, close + hour]
    assert told.times("notice.recorded") == [close + 2 * hour]
    (notice,) = told.notices("final_debit")
    assert notice.audience == "buyer"
    assert told.times("debit.submitted") == [close + THREE_DAYS]
    assert told.batch().not_before_attempt_at == close + THREE_DAYS


def test_outcome_unknown_then_settled(tell: Tell) -> None:
    """A debit whose outcome was lost settles by its receipt, without a second submission."""
    told = tell("outcome_unknown_then_settled")
    is_settled(told, attempts=1)
    assert len(told.events("debit.unknown")) == len(told.events("debit.submitted")) == 1
    assert told.events("debit.failed") == []


def test_monthly_nano(tell: Tell) -> None:
    """Five hundred payments of 3 yen settle as one monthly batch."""
    told = tell("monthly_nano")
    batch = told.batch()
    is_settled(told, attempts=1)
    assert batch.plan_type is PlanType.NANO
    assert amounts(batch) == (Decimal(1500), Decimal(100), Decimal(1400))
    assert batch.close_at is not None
    slot = told.buyer().monthly_slot
    assert (batch.close_at.day, batch.close_at.hour, batch.close_at.minute) == (
        slot.day,
        slot.hour,
        slot.minute,
    )
    assert len(list(told.provider.provider_statements.usage_events())) == 500


def test_refused_over_budget(tell: Tell) -> None:
    """Of five payments of 100 from 250 yen two are accepted; the refused left no usage."""
    told = tell("refused_over_budget")
    assert (told.played.accepted, told.played.refused) == (2, {"BUDGET_EXCEEDED": 3})
    assert [(fate.accepted, fate.code, fate.reason) for fate in told.fates()] == [
        (True, None, None),
        (True, None, None),
        *[(False, "BUDGET_EXCEEDED", "balance")] * 3,
    ]
    (period,) = told.open_periods()
    assert period.provider_gross_amount_minor == 200
    assert told.totals().unsettled_provider_receivable_minor == 196
    assert told.buyer().reserved.JPYC == "200"


def test_every_short_story_is_told_here() -> None:
    """No story goes without a test of what it claims."""
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(STORIES) - tested == {"year_at_scale"}


def test_every_story_is_listed(tell: Tell) -> None:
    """The list of stories names each with what it tells."""
    told = tell("refused_over_budget")
    listed = {story.name: story.tells for story in told.driver.scenarios.all()}
    assert listed == {story.name: story.tells for story in STORIES.values()}
    assert all(listed.values())
