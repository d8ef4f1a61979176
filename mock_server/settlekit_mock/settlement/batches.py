"""The life of a batch: made when its period closes, noticed, debited, settled.

Each step asks the transition table in ``rules.batch_life`` and updates one batch row, its
scope's row and its provider's totals, however many payments the batch holds.
"""

from sqlalchemy import Connection, bindparam, insert, select, update

from settlekit.digest import render
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.ids import seed_key
from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.notices import Notice, send_notice
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.batch_life import (
    INITIAL,
    BatchState,
    IllegalMove,
    Move,
    after,
    state_of,
)
from settlekit_mock.settlement.rules.standing import (
    attempt_status_after,
    bucket_of,
    counts_in_exposure,
    pauses_scope,
)
from settlekit_mock.settlement.rules.timetable import (
    expected_scheduled_debit_at,
    next_notice_try_at,
    not_before_attempt_at,
)
from settlekit_mock.settlement.simulations import Kind, take
from settlekit_mock.settlement.tables import BATCHES, BUYERS, MOVES, PERIODS, PROVIDERS, SCOPES
from settlekit_mock.settlement.totals import add_receivable

SEND_NOTICE = "notice.send"
SUBMIT_DEBIT = "debit.submit"
FINISH_DEBIT = "debit.finish"

NOTICED = "batch.noticed"
"""The topic of a batch whose final debit notice was recorded; the message is its id."""

BatchRow = AnyRow
"""A batch with the columns of its period, its scope's exposure, its buyer and provider."""


def make_batch(tx: Transaction, period: AnyRow) -> str:
    """Make the batch of a closed period; its notice is due at once."""
    batch_id = tx.new_id("msb")
    tx.connection.execute(
        _INSERT,
        {
            "settlement_batch_id": batch_id,
            "period_number": period.period_number,
            "scope_number": period.scope_number,
            "buyer_number": period.buyer_number,
            "provider_number": period.provider_number,
            "status": INITIAL.status.value,
            "execution_status": INITIAL.execution_status.value,
            "not_before_attempt_at": expected_scheduled_debit_at(period.close_at),
            "failed_notices": 0,
            "attempt_count": 0,
            "run_attempts": 0,
        },
    )
    add_receivable(
        tx.connection,
        provider_number=period.provider_number,
        currency=period.currency,
        band=period.band,
        bucket=bucket_of(INITIAL.status),
        receivable=period.gross - period.fee,
    )
    tx.schedule(SEND_NOTICE, batch_id, tx.now)
    return batch_id


def notice_due(tx: Transaction, batch_id: str) -> None:
    """Send the final debit notice; one that can't be delivered is tried again."""
    batch = batch_with_id(tx.connection, batch_id)
    if take(tx, Kind.NOTICE_FAILURE, subject=batch_id, buyer_id=batch.buyer_id) is None:
        record_notice(tx, batch, Move.RECORD_NOTICE)
        return
    failed = batch.failed_notices + 1
    move(tx, batch, Move.FAIL_NOTICE, failed_notices=failed)
    again = next_notice_try_at(batch.closed_at, failed)
    tx.record("notice.failed", batch_id, tries=failed, next_try_at=optional_text(again))
    if again is not None:
        tx.schedule(SEND_NOTICE, batch_id, again)


def record_notice(tx: Transaction, batch: BatchRow, made: Move) -> None:
    """Record the notice as sent; the debit is due 72 h after the close, never before it."""
    gate = not_before_attempt_at(batch.close_at, tx.now)
    move(
        tx,
        batch,
        made,
        noticed_at=tx.now,
        not_before_attempt_at=gate,
        scheduled_debit_at=gate,
        next_attempt_at=gate,
    )
    batch_id = batch.settlement_batch_id
    tx.record("notice.recorded", batch_id, not_before_attempt_at=to_text(gate))
    amount = f"{wire_minor(batch.gross, batch.currency)} {batch.currency} (minor units)"
    debited = f"{amount} will be debited at {to_text(gate)} at the earliest."
    send_notice(tx, Notice("buyer", "final_debit", batch, "Your debit is scheduled", debited))
    summary = f"Gross {amount} in {batch.usage_count} payments."
    send_notice(tx, Notice("provider", "period_summary", batch, "A period has closed", summary))
    tx.publish(NOTICED, batch_id)
    tx.schedule(SUBMIT_DEBIT, batch_id, gate)


def move(tx: Transaction, batch: BatchRow, made: Move, **columns: object) -> BatchState:
    """Make a move of the table; its scope and its provider's totals follow.

    Raises ``Conflict`` for a move that the batch's state doesn't have; nothing changed then.
    """
    before, target = state_of(batch.status, batch.execution_status), target_of(batch, made)
    latest = attempt_status_after(made, batch.latest_attempt_status)
    tx.connection.execute(
        _UPDATE,
        {
            "this_batch": batch.batch_number,
            "status": target.status.value,
            "execution_status": target.execution_status.value,
            "latest_attempt_status": latest,
            **columns,
        },
    )
    tx.connection.execute(
        _KEEP_MOVE,
        {
            "batch_number": batch.batch_number,
            "move": made.value,
            "from_status": before.status.value,
            "from_execution_status": before.execution_status.value,
            "to_status": target.status.value,
            "to_execution_status": target.execution_status.value,
            "moved_at": tx.now,
        },
    )
    _follow_scope(tx.connection, batch, before, target)
    _follow_totals(tx.connection, batch, before, target)
    return target


def target_of(batch: BatchRow, made: Move) -> BatchState:
    """Return the state that a move leads to; raises ``Conflict`` where there is none."""
    try:
        return after(state_of(batch.status, batch.execution_status), made)
    except IllegalMove as error:
        raise Conflict(
            f"{batch.settlement_batch_id}: {error}", code="ILLEGAL_BATCH_MOVE"
        ) from error


def _follow_scope(
    connection: Connection, batch: BatchRow, before: BatchState, target: BatchState
) -> None:
    pauses = pauses_scope(target) - pauses_scope(before)
    owed = batch.gross * (counts_in_exposure(target) - counts_in_exposure(before))
    if pauses or owed:
        connection.execute(
            _FOLLOW_SCOPE,
            {"this_scope": batch.scope_number, "more_owed": owed, "more_pauses": pauses},
        )


def _follow_totals(
    connection: Connection, batch: BatchRow, before: BatchState, target: BatchState
) -> None:
    left, entered = bucket_of(before.status), bucket_of(target.status)
    if left is entered:
        return
    receivable = batch.gross - batch.fee
    for bucket, change in ((left, -receivable), (entered, receivable)):
        add_receivable(
            connection,
            provider_number=batch.provider_number,
            currency=batch.currency,
            band=batch.band,
            bucket=bucket,
            receivable=change,
        )


def find_batch(connection: Connection, batch_id: str) -> BatchRow | None:
    """Return a batch by id, if there is one."""
    return connection.execute(_BY_ID, {"with_id": batch_id}).first()


def batch_with_id(connection: Connection, batch_id: str) -> BatchRow:
    """Return a batch by id; raises ``NotFound``."""
    batch = find_batch(connection, batch_id)
    if batch is None:
        raise NotFound(f"no batch {batch_id!r}", code="SETTLEMENT_BATCH_NOT_FOUND")
    return batch


def digest_text(period: AnyRow) -> str:
    """Return the digest over a period's usage, as statements show it."""
    return render(period.digest)


def reference_key(tx: Transaction) -> bytes:
    """Return the key of references that tell nothing."""
    return seed_key(tx.state.seed)


#: The sums of the payments that a statement is about: all, unless it is narrowed.
MATCHING = (PERIODS.c.gross.label("matching_gross"), PERIODS.c.fee.label("matching_fee"))
BATCH_QUERY = (
    select(
        *BATCHES.c,
        PERIODS.c.period_id,
        PERIODS.c.currency,
        PERIODS.c.band,
        PERIODS.c.buyer_period_ref,
        PERIODS.c.period_start,
        PERIODS.c.period_end,
        PERIODS.c.close_at,
        PERIODS.c.closed_at,
        PERIODS.c.settlement_trigger,
        PERIODS.c.threshold_reached_at,
        PERIODS.c.usage_count,
        PERIODS.c.gross,
        PERIODS.c.fee,
        *MATCHING,
        PERIODS.c.digest,
        SCOPES.c.exposure,
        BUYERS.c.buyer_id,
        PROVIDERS.c.provider_id,
    )
    .join(PERIODS, PERIODS.c.period_number == BATCHES.c.period_number)
    .join(SCOPES, SCOPES.c.scope_number == BATCHES.c.scope_number)
    .join(BUYERS, BUYERS.c.buyer_number == BATCHES.c.buyer_number)
    .join(PROVIDERS, PROVIDERS.c.provider_number == BATCHES.c.provider_number)
)
_BY_ID = BATCH_QUERY.where(BATCHES.c.settlement_batch_id == bindparam("with_id"))
_UPDATE = update(BATCHES).where(BATCHES.c.batch_number == bindparam("this_batch"))
_KEEP_MOVE = insert(MOVES)
_FOLLOW_SCOPE = (
    update(SCOPES)
    .where(SCOPES.c.scope_number == bindparam("this_scope"))
    .values(
        exposure=SCOPES.c.exposure + bindparam("more_owed"),
        paused_batches=SCOPES.c.paused_batches + bindparam("more_pauses"),
    )
)
_INSERT = insert(BATCHES)
