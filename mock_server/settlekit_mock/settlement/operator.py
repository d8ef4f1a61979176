"""The operator's moves in the life of a batch."""

from typing import Literal

from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.batches import (
    SEND_NOTICE,
    SUBMIT_DEBIT,
    batch_with_id,
    move,
    record_notice,
)
from settlekit_mock.settlement.funds import release
from settlekit_mock.settlement.rules.batch_life import Move
from settlekit_mock.settlement.rules.timetable import requeued_attempt_at

_GIVEN_UP = {"uncollectible": Move.MARK_UNCOLLECTIBLE, "written_off": Move.WRITE_OFF}


def requeue(tx: Transaction, batch_id: str) -> None:
    """Start a new run of 28 attempts for a batch that is past due, the first at once."""
    batch = batch_with_id(tx.connection, batch_id)
    at = requeued_attempt_at(tx.now, batch.not_before_attempt_at)
    move(tx, batch, Move.REQUEUE, run_attempts=0, next_attempt_at=at)
    tx.record("batch.requeued", batch_id, next_attempt_at=to_text(at))
    tx.schedule(SUBMIT_DEBIT, batch_id, at)


def give_up(
    tx: Transaction, batch_id: str, status: Literal["uncollectible", "written_off"], reason: str
) -> None:
    """End a batch that is past due: nothing is collected, and its reservation ends."""
    batch = batch_with_id(tx.connection, batch_id)
    move(
        tx,
        batch,
        _GIVEN_UP[status],
        terminal_marked_at=tx.now,
        terminal_reason_code=reason,
        next_attempt_at=None,
    )
    release(tx.connection, batch.buyer_number, batch.currency, batch.gross)
    tx.record("batch.terminal", batch_id, status=status, reason_code=reason)


def redeliver_notice(tx: Transaction, batch_id: str) -> None:
    """Get a notice through that couldn't be delivered."""
    batch = batch_with_id(tx.connection, batch_id)
    record_notice(tx, batch, Move.REDELIVER_NOTICE)
    tx.cancel(SEND_NOTICE, batch_id)
