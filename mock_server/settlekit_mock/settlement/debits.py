"""Debit attempts: submitted when due, confirmed or refused when the chain is final.

What an attempt can debit is moved into clearing as it is submitted, so two batches never
spend the same tokens; confirmed, it goes on to the provider and the platform.
"""

from typing import Any

from sqlalchemy import bindparam, insert, select, update

from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.settlement.batches import (
    FINISH_DEBIT,
    SUBMIT_DEBIT,
    BatchRow,
    batch_with_id,
    move,
    reference_key,
)
from settlekit_mock.settlement.buyers import buyer_numbered
from settlekit_mock.settlement.confirmations import tell_settled
from settlekit_mock.settlement.funds import open_purse, release
from settlekit_mock.settlement.notices import Notice, send_notice
from settlekit_mock.settlement.rules.acceptance import NO_CAPS
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.batch_life import FAILED, Move, state_of
from settlekit_mock.settlement.rules.debits import (
    FAILURE_REASONS,
    Debit,
    FailureCode,
    debit_failure,
    debit_of,
)
from settlekit_mock.settlement.rules.references import support_reference
from settlekit_mock.settlement.rules.timetable import FINALITY_MS, next_attempt_at
from settlekit_mock.settlement.tables import ATTEMPTS, USAGE


def submit_due(tx: Transaction, batch_id: str) -> None:
    """Submit a batch's debit; the chain answers after its finality."""
    batch = batch_with_id(tx.connection, batch_id)
    failure = _failure(tx, batch)
    made = (
        Move.RESUBMIT if state_of(batch.status, batch.execution_status) == FAILED else Move.SUBMIT
    )
    count, run = batch.attempt_count + 1, batch.run_attempts + 1
    in_flight = 0 if failure else batch.gross
    move(tx, batch, made, attempt_count=count, run_attempts=run, next_attempt_at=None)
    tx.connection.execute(
        insert(ATTEMPTS).values(
            batch_number=batch.batch_number,
            ordinal=count,
            run_ordinal=run,
            submitted_at=tx.now,
            in_flight=in_flight,
            expected_failure=failure,
        )
    )
    if in_flight:
        _into_clearing(tx, batch)
    tx.record("debit.submitted", batch_id, attempt=count)
    tx.schedule(FINISH_DEBIT, batch_id, tx.now + FINALITY_MS)


def _failure(tx: Transaction, batch: BatchRow) -> FailureCode | None:
    buyer = buyer_numbered(tx.connection, batch.buyer_number)
    purse = open_purse(tx.connection, buyer, batch.currency)
    debit = Debit(batch.gross)
    if buyer.caps != NO_CAPS:
        rows = tx.connection.execute(_USAGE_OF, {"of_period": batch.period_number})
        debit = debit_of(((row.created_at, row.gross) for row in rows), buyer.timezone)
    return debit_failure(purse.at(tx.now), debit, batch.currency)


def _into_clearing(tx: Transaction, batch: BatchRow) -> None:
    chain = ledger.chain_account(tx, batch.buyer_id, batch.currency)
    clearing = ledger.clearing_account(tx, batch.settlement_batch_id, batch.currency)
    ledger.post(
        tx,
        "batch_debit_submitted",
        [ledger.Leg(chain, -batch.gross), ledger.Leg(clearing, batch.gross)],
        subject=batch.settlement_batch_id,
    )
    release(tx.connection, batch.buyer_number, batch.currency, 0, allowance=-batch.gross)


def finish_due(tx: Transaction, batch_id: str) -> None:
    """Write what the chain says of the debit under way."""
    batch = batch_with_id(tx.connection, batch_id)
    attempt = tx.connection.execute(
        _LATEST, {"of_batch": batch.batch_number, "is_ordinal": batch.attempt_count}
    ).one()
    if attempt.expected_failure is None:
        _settle(tx, batch, attempt)
    else:
        _fail(tx, batch, attempt)


def _settle(tx: Transaction, batch: BatchRow, attempt: AnyRow) -> None:
    receipt = tx.new_id("chain")
    _end_attempt(tx, attempt, "succeeded")
    move(
        tx,
        batch,
        Move.CONFIRM,
        chain_receipt_id=receipt,
        settled_at=tx.now,
        failure_reason_code=None,
        support_reference=None,
    )
    _out_of_clearing(tx, batch)
    release(tx.connection, batch.buyer_number, batch.currency, batch.gross)
    tx.record("batch.settled", batch.settlement_batch_id, chain_receipt_id=receipt)
    amount = f"{wire_minor(batch.gross, batch.currency)} {batch.currency} (minor units)"
    for audience in ("buyer", "provider"):
        send_notice(
            tx,
            Notice(
                audience, "debit_succeeded", batch, "A debit was settled", f"{amount}: {receipt}."
            ),
        )
    tell_settled(tx, batch_with_id(tx.connection, batch.settlement_batch_id))


def _out_of_clearing(tx: Transaction, batch: BatchRow) -> None:
    clearing = ledger.clearing_account(tx, batch.settlement_batch_id, batch.currency)
    provider = ledger.wallet(
        tx, owner_scope="developer", owner_id=batch.provider_id, currency=batch.currency
    )
    platform = ledger.wallet(
        tx, owner_scope="platform", owner_id="platform", currency=batch.currency
    )
    ledger.post(
        tx,
        "batch_settled",
        [
            ledger.Leg(clearing, -batch.gross),
            ledger.Leg(provider, batch.gross - batch.fee),
            ledger.Leg(platform, batch.fee),
        ],
        subject=batch.settlement_batch_id,
    )


def _fail(tx: Transaction, batch: BatchRow, attempt: AnyRow) -> None:
    code = attempt.expected_failure
    _end_attempt(tx, attempt, "failed")
    again = next_attempt_at(scheduled_at=attempt.submitted_at, run_attempts=attempt.run_ordinal)
    move(
        tx,
        batch,
        Move.REFUSE,
        failure_reason_code=code,
        support_reference=support_reference(
            reference_key(tx), batch.settlement_batch_id, batch.attempt_count
        ),
        next_attempt_at=again,
    )
    tx.record("debit.failed", batch.settlement_batch_id, attempt=attempt.ordinal, code=code)
    if again is None:
        move(tx, batch_with_id(tx.connection, batch.settlement_batch_id), Move.EXHAUST)
        tx.record("batch.past_due", batch.settlement_batch_id, attempts=attempt.ordinal)
        _tell_failure(tx, batch, code, "past_due", "no further attempt is made")
    else:
        _tell_failure(tx, batch, code, "debit_failed", f"the next attempt is at {to_text(again)}")
        tx.schedule(SUBMIT_DEBIT, batch.settlement_batch_id, again)


def _tell_failure(tx: Transaction, batch: BatchRow, code: str, kind: Any, then: str) -> None:
    reason = FAILURE_REASONS[code]
    for audience in ("buyer", "provider"):
        send_notice(
            tx, Notice(audience, kind, batch, reason.label, f"{reason.help_text} Now {then}.")
        )


def _end_attempt(tx: Transaction, attempt: AnyRow, outcome: str) -> None:
    tx.connection.execute(
        update(ATTEMPTS)
        .where(ATTEMPTS.c.attempt_number == attempt.attempt_number)
        .values(outcome=outcome, resolved_at=tx.now)
    )


_USAGE_OF = select(USAGE.c.created_at, USAGE.c.gross).where(
    USAGE.c.period_number == bindparam("of_period")
)
_LATEST = select(ATTEMPTS).where(
    ATTEMPTS.c.batch_number == bindparam("of_batch"),
    ATTEMPTS.c.ordinal == bindparam("is_ordinal"),
)
