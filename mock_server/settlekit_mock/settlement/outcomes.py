"""What the chain says of a debit: settled, failed, or nothing that anybody knows."""

from typing import Literal

from sqlalchemy import bindparam, select, update

from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.settlement.batches import (
    SUBMIT_DEBIT,
    BatchRow,
    batch_with_id,
    move,
    reference_key,
    target_of,
)
from settlekit_mock.settlement.confirmations import tell_settled
from settlekit_mock.settlement.debits import UNKNOWN, out_of_clearing
from settlekit_mock.settlement.notices import Notice, send_notice
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.batch_life import Move
from settlekit_mock.settlement.rules.debits import FAILURE_REASONS
from settlekit_mock.settlement.rules.references import support_reference
from settlekit_mock.settlement.rules.timetable import next_attempt_at
from settlekit_mock.settlement.tables import ATTEMPTS


def finish_due(tx: Transaction, batch_id: str) -> None:
    """Write what the chain says of the debit under way."""
    batch = batch_with_id(tx.connection, batch_id)
    attempt = latest_attempt(tx, batch)
    if attempt.expected is None:
        settle(tx, batch, attempt, Move.CONFIRM)
    elif attempt.expected == UNKNOWN:
        _lose(tx, batch, attempt)
    else:
        fail(tx, batch, attempt, Move.REFUSE, attempt.expected)


def latest_attempt(tx: Transaction, batch: BatchRow) -> AnyRow:
    """Return a batch's latest attempt."""
    return tx.connection.execute(
        _LATEST, {"of_batch": batch.batch_number, "is_ordinal": batch.attempt_count}
    ).one()


def _lose(tx: Transaction, batch: BatchRow, attempt: AnyRow) -> None:
    move(tx, batch, Move.LOSE_OUTCOME)
    _end_attempt(tx, attempt, "unknown", resolved=False)
    tx.record("debit.unknown", batch.settlement_batch_id, attempt=attempt.ordinal)


def settle(tx: Transaction, batch: BatchRow, attempt: AnyRow, made: Move) -> None:
    """Settle a batch: receipt, ledger, notices, webhook."""
    receipt = tx.new_id("chain")
    move(
        tx,
        batch,
        made,
        chain_receipt_id=receipt,
        settled_at=tx.now,
        failure_reason_code=None,
        support_reference=None,
    )
    _end_attempt(tx, attempt, "succeeded")
    _pay_out_of_clearing(tx, batch)
    tx.record("batch.settled", batch.settlement_batch_id, chain_receipt_id=receipt)
    amount = f"{wire_minor(batch.gross, batch.currency)} {batch.currency} (minor units)"
    settled = Notice(
        "provider", "debit_succeeded", batch, "A debit was settled", f"{amount}: {receipt}."
    )
    send_notice(tx, settled)
    tell_settled(tx, batch_with_id(tx.connection, batch.settlement_batch_id))


def _pay_out_of_clearing(tx: Transaction, batch: BatchRow) -> None:
    currency = batch.currency
    clearing = ledger.clearing_account(tx, batch.settlement_batch_id, currency)
    provider = ledger.wallet(
        tx, owner_scope="developer", owner_id=batch.provider_id, currency=currency
    )
    platform = ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency=currency)
    legs = [
        ledger.Leg(clearing, -batch.gross),
        ledger.Leg(provider, batch.gross - batch.fee),
        ledger.Leg(platform, batch.fee),
    ]
    ledger.post(tx, "batch_settled", legs, subject=batch.settlement_batch_id)


def fail(
    tx: Transaction,
    batch: BatchRow,
    attempt: AnyRow,
    made: Move,
    code: str,
    *,
    resolved_at: int | None = None,
) -> None:
    """Fail an attempt: schedule the next one, or let the batch fall past due."""
    batch_id = batch.settlement_batch_id
    again = next_attempt_at(
        scheduled_at=attempt.submitted_at,
        run_attempts=attempt.run_ordinal,
        resolved_at=resolved_at,
    )
    reference = support_reference(reference_key(tx), batch_id, batch.attempt_count)
    move(
        tx,
        batch,
        made,
        failure_reason_code=code,
        support_reference=reference,
        next_attempt_at=again,
    )
    _end_attempt(tx, attempt, "failed")
    tx.record("debit.failed", batch_id, attempt=attempt.ordinal, code=code)
    reason = FAILURE_REASONS[code]
    if again is None:
        move(tx, batch_with_id(tx.connection, batch_id), Move.EXHAUST)
        tx.record("batch.past_due", batch_id, attempts=attempt.ordinal)
        then = "No further attempt is made by itself."
        _tell_both(tx, batch, "past_due", reason.label, f"{reason.help_text} {then}")
    else:
        tx.schedule(SUBMIT_DEBIT, batch_id, again)
        then = f"The next attempt is at {to_text(again)}."
        _tell_both(tx, batch, "debit_failed", reason.label, f"{reason.help_text} {then}")


def resolve(
    tx: Transaction, batch_id: str, outcome: Literal["settled", "failed"], code: str
) -> None:
    """Resolve an unknown outcome by evidence; raises ``Conflict`` where none is unknown.

    ``code`` is the public failure code of one that failed.
    """
    batch = batch_with_id(tx.connection, batch_id)
    made = Move.FIND_RECEIPT if outcome == "settled" else Move.RESOLVE_FAILED
    target_of(batch, made)
    attempt = latest_attempt(tx, batch)
    if made is Move.FIND_RECEIPT:
        settle(tx, batch, attempt, made)
    else:
        out_of_clearing(tx, batch)
        fail(tx, batch, attempt, made, code, resolved_at=tx.now)


def _tell_both(tx: Transaction, batch: BatchRow, kind: str, subject: str, text: str) -> None:
    for audience in ("buyer", "provider"):
        send_notice(tx, Notice(audience, kind, batch, subject, text))


def _end_attempt(tx: Transaction, attempt: AnyRow, outcome: str, *, resolved: bool = True) -> None:
    tx.connection.execute(
        _END,
        {
            "this_attempt": attempt.attempt_number,
            "outcome": outcome,
            "resolved_at": tx.now if resolved else None,
        },
    )


_END = update(ATTEMPTS).where(ATTEMPTS.c.attempt_number == bindparam("this_attempt"))
_LATEST = select(ATTEMPTS).where(
    ATTEMPTS.c.batch_number == bindparam("of_batch"),
    ATTEMPTS.c.ordinal == bindparam("is_ordinal"),
)
