"""The timetable of a batch: when its notice, its debit and its attempts come.

Hours here are elapsed time, the same whatever a wall clock does.

Sources: docs/platform.md, "The life of a batch", "Attempts" and "Notices";
docs/decisions.md, "Batches".
"""

from typing import Final

_SECOND_MS: Final = 1_000
_HOUR_MS: Final = 3_600 * _SECOND_MS

NOTICE_PERIOD_MS: Final = 72 * _HOUR_MS
"""From the close to the first debit, at least."""
ATTEMPT_INTERVAL_MS: Final = 6 * _HOUR_MS
ATTEMPTS_A_RUN: Final = 28
"""Automatic attempts of a run, the first counted."""
NOTICE_RETRY_INTERVAL_MS: Final = _HOUR_MS
NOTICE_RETRIES: Final = 24
"""Tries after the first; then the operator's turn."""
ESTIMATE_AHEAD_MS: Final = 24 * _HOUR_MS
"""How long before the close the buyer is told an estimate."""
FINALITY_MS: Final = 30 * _SECOND_MS
"""How long the chain takes to confirm a batch's debit, unless it is set otherwise."""


def estimate_notice_at(opened_at: int, period_end: int) -> int | None:
    """Return when the buyer is told an estimate: 24 h before the close.

    None where the period opens with its first usage later than that.
    """
    estimate_at = period_end - ESTIMATE_AHEAD_MS
    return estimate_at if opened_at <= estimate_at else None


def expected_scheduled_debit_at(close_at: int) -> int:
    """Return when a debit is expected before its notice is recorded: 72 h after the close."""
    return close_at + NOTICE_PERIOD_MS


def not_before_attempt_at(close_at: int, notice_at: int) -> int:
    """Return the gate that no attempt passes: 72 h after the close, or the later notice.

    The first attempt is scheduled right there. Where the notice is the later one, the
    attempt follows it at the same instant.
    """
    return max(close_at + NOTICE_PERIOD_MS, notice_at)


def next_notice_try_at(first_try_at: int, failed_tries: int) -> int | None:
    """Return when a notice is tried again, or None once the 24 hourly retries have failed.

    ``failed_tries`` counts the first. The hours count from the first try, not from now.
    """
    if failed_tries > NOTICE_RETRIES:
        return None
    return first_try_at + failed_tries * NOTICE_RETRY_INTERVAL_MS


def next_attempt_at(
    *, scheduled_at: int, run_attempts: int, resolved_at: int | None = None
) -> int | None:
    """Return when the attempt after a failed one is due, or None where the run is used up.

    It comes 6 h after the failed one's scheduled time, not after its failure was seen;
    or, where that one's outcome was unknown, 6 h after it was resolved as failed.
    ``run_attempts`` counts the attempts of this run, the failed one included.
    """
    if run_attempts >= ATTEMPTS_A_RUN:
        return None
    return (scheduled_at if resolved_at is None else resolved_at) + ATTEMPT_INTERVAL_MS


def requeued_attempt_at(requeued_at: int, gate_at: int) -> int:
    """Return when a requeued batch is debited: at once, never before its gate.

    The run starts anew with no attempts; the batch's own attempt count goes on.
    """
    return max(requeued_at, gate_at)
