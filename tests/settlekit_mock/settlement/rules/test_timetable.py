"""The timetable of a batch: its notice, its gate, its attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.settlement.rules.timetable import (
    ATTEMPTS_A_RUN,
    FINALITY_MS,
    NOTICE_RETRIES,
    estimate_notice_at,
    expected_scheduled_debit_at,
    next_attempt_at,
    next_notice_try_at,
    not_before_attempt_at,
    requeued_attempt_at,
)

HOUR = 3_600_000
CLOSE_AT = 1_780_000_000_000


def test_a_debit_waits_seventy_two_hours_from_the_close() -> None:
    """A notice recorded at the close opens the gate 72 hours later, as was expected."""
    assert not_before_attempt_at(CLOSE_AT, CLOSE_AT) == CLOSE_AT + 72 * HOUR
    assert expected_scheduled_debit_at(CLOSE_AT) == CLOSE_AT + 72 * HOUR


@pytest.mark.parametrize(
    ("notice_hours", "gate_hours"), [(0, 72), (24, 72), (72, 72), (73, 73), (500, 500)]
)
def test_a_late_notice_holds_the_gate_shut(notice_hours: int, gate_hours: int) -> None:
    """The gate is the later of 72 hours after the close and the notice."""
    gate_at = not_before_attempt_at(CLOSE_AT, CLOSE_AT + notice_hours * HOUR)
    assert gate_at == CLOSE_AT + gate_hours * HOUR


def test_a_notice_is_tried_again_every_hour_twenty_four_times() -> None:
    """After the first try come 24, an hour apart; then none."""
    tries = [next_notice_try_at(CLOSE_AT, failed) for failed in range(1, NOTICE_RETRIES + 2)]
    assert tries == [CLOSE_AT + hour * HOUR for hour in range(1, 25)] + [None]


def test_an_attempt_follows_the_one_before_by_six_hours() -> None:
    """The next attempt is 6 hours after the failed one's scheduled time."""
    assert next_attempt_at(scheduled_at=CLOSE_AT, run_attempts=1) == CLOSE_AT + 6 * HOUR


def test_a_run_has_twenty_eight_attempts_the_first_counted() -> None:
    """A run that fails throughout makes 28 attempts, the last 162 hours after the first."""
    attempts, due_at = [CLOSE_AT], next_attempt_at(scheduled_at=CLOSE_AT, run_attempts=1)
    while due_at is not None:
        attempts.append(due_at)
        due_at = next_attempt_at(scheduled_at=due_at, run_attempts=len(attempts))
    assert len(attempts) == ATTEMPTS_A_RUN == 28
    assert attempts[-1] == CLOSE_AT + 27 * 6 * HOUR


def test_an_unknown_outcome_counts_six_hours_from_its_resolution() -> None:
    """Where an unknown outcome is resolved as failed, the next attempt is 6 hours later."""
    resolved_at = CLOSE_AT + 50 * HOUR
    due_at = next_attempt_at(scheduled_at=CLOSE_AT, run_attempts=3, resolved_at=resolved_at)
    assert due_at == resolved_at + 6 * HOUR


def test_a_resolved_last_attempt_has_no_next_one() -> None:
    """The 28th attempt is the last, however its failure became known."""
    assert next_attempt_at(scheduled_at=0, run_attempts=28, resolved_at=CLOSE_AT) is None


def test_a_requeued_batch_is_debited_at_once() -> None:
    """The gate is long past when a batch is requeued: its new run starts there and then."""
    gate_at = CLOSE_AT + 72 * HOUR
    assert requeued_attempt_at(CLOSE_AT + 300 * HOUR, gate_at) == CLOSE_AT + 300 * HOUR


@given(st.integers(0, 2**42), st.integers(0, 2**42), st.integers(0, 2**42))
def test_no_attempt_passes_its_gate(close_at: int, notice_at: int, requeued_at: int) -> None:
    """Neither the first attempt nor a requeued one comes before 72 hours or the notice."""
    gate_at = not_before_attempt_at(close_at, notice_at)
    assert gate_at >= notice_at
    assert gate_at >= close_at + 72 * HOUR
    assert requeued_attempt_at(requeued_at, gate_at) >= gate_at


def test_an_estimate_comes_a_day_before_the_close() -> None:
    """A period that has usage by then is estimated 24 hours before its end."""
    assert estimate_notice_at(CLOSE_AT - 25 * HOUR, CLOSE_AT) == CLOSE_AT - 24 * HOUR
    assert estimate_notice_at(CLOSE_AT - 24 * HOUR, CLOSE_AT) == CLOSE_AT - 24 * HOUR


def test_a_period_that_opens_on_its_last_day_has_no_estimate() -> None:
    """Where there was no chargeable usage a day before the close, nothing is estimated."""
    assert estimate_notice_at(CLOSE_AT - 24 * HOUR + 1, CLOSE_AT) is None


def test_the_chain_takes_thirty_seconds() -> None:
    """A batch's debit is final after 30 seconds, unless it is set otherwise."""
    assert FINALITY_MS == 30_000
