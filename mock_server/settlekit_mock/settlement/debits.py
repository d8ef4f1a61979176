"""Submit the debit of a batch when it is due.

What an attempt can debit is moved into clearing as it is submitted, so two batches never
spend the same tokens. What it can't, the chain will refuse.
"""

from sqlalchemy import bindparam, insert, select

from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.settlement.batches import FINISH_DEBIT, BatchRow, batch_with_id, move
from settlekit_mock.settlement.buyers import buyer_numbered
from settlekit_mock.settlement.funds import open_purse, release
from settlekit_mock.settlement.rules.acceptance import NO_CAPS
from settlekit_mock.settlement.rules.batch_life import FAILED, Move, state_of
from settlekit_mock.settlement.rules.debits import Debit, FailureCode, debit_failure, debit_of
from settlekit_mock.settlement.simulations import Kind, finality_ms, take
from settlekit_mock.settlement.tables import ATTEMPTS, USAGE

UNKNOWN = "unknown"
"""What an attempt expects whose outcome nobody will know."""


def submit_due(tx: Transaction, batch_id: str) -> None:
    """Submit a batch's debit; the chain answers after its finality."""
    batch = batch_with_id(tx.connection, batch_id)
    expected = _expected(tx, batch)
    again = state_of(batch.status, batch.execution_status) == FAILED
    count, run = batch.attempt_count + 1, batch.run_attempts + 1
    in_flight = batch.gross if expected in (None, UNKNOWN) else 0
    move(
        tx,
        batch,
        Move.RESUBMIT if again else Move.SUBMIT,
        attempt_count=count,
        run_attempts=run,
        next_attempt_at=None,
    )
    tx.connection.execute(
        _INSERT,
        {
            "batch_number": batch.batch_number,
            "ordinal": count,
            "run_ordinal": run,
            "submitted_at": tx.now,
            "in_flight": in_flight,
            "expected": expected,
        },
    )
    if in_flight:
        into_clearing(tx, batch)
    tx.record("debit.submitted", batch_id, attempt=count)
    tx.schedule(FINISH_DEBIT, batch_id, tx.now + finality_ms(tx.connection))


def _expected(tx: Transaction, batch: BatchRow) -> str | None:
    """Return how the attempt will end: ``None`` well, a failure code, or unknown."""
    simulated = take(
        tx, Kind.DEBIT_FAILURE, subject=batch.settlement_batch_id, buyer_id=batch.buyer_id
    )
    short = _shortage(tx, batch)
    if simulated or short:
        return simulated or short
    unknown = take(
        tx, Kind.UNKNOWN_OUTCOME, subject=batch.settlement_batch_id, buyer_id=batch.buyer_id
    )
    return None if unknown is None else UNKNOWN


def _shortage(tx: Transaction, batch: BatchRow) -> FailureCode | None:
    buyer = buyer_numbered(tx.connection, batch.buyer_number)
    purse = open_purse(tx.connection, buyer, batch.currency)
    debit = Debit(batch.gross)
    if buyer.caps != NO_CAPS:
        rows = tx.connection.execute(_USAGE_OF, {"of_period": batch.period_number})
        debit = debit_of(((row.created_at, row.gross) for row in rows), buyer.timezone)
    return debit_failure(purse.at(tx.now), debit, batch.currency)


def into_clearing(tx: Transaction, batch: BatchRow) -> None:
    """Move what a batch debits from the buyer into clearing; its reservation has done its work."""
    _move_clearing(tx, batch, batch.gross, "batch_debit_submitted")
    release(tx.connection, batch.buyer_number, batch.currency, batch.gross, allowance=-batch.gross)


def out_of_clearing(tx: Transaction, batch: BatchRow) -> None:
    """Give back what a failed debit had in clearing, and reserve it again."""
    _move_clearing(tx, batch, -batch.gross, "batch_debit_returned")
    release(tx.connection, batch.buyer_number, batch.currency, -batch.gross, allowance=batch.gross)


def _move_clearing(tx: Transaction, batch: BatchRow, amount: int, reason: str) -> None:
    chain = ledger.chain_account(tx, batch.buyer_id, batch.currency)
    clearing = ledger.clearing_account(tx, batch.settlement_batch_id, batch.currency)
    ledger.post(
        tx,
        reason,
        [ledger.Leg(chain, -amount), ledger.Leg(clearing, amount)],
        subject=batch.settlement_batch_id,
    )


_USAGE_OF = select(USAGE.c.created_at, USAGE.c.gross).where(
    USAGE.c.period_number == bindparam("of_period")
)
_INSERT = insert(ATTEMPTS)
