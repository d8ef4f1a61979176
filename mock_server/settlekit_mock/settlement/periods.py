"""Periods close: at their slot, or at once when the threshold is reached."""

from typing import Any

from sqlalchemy import bindparam, select, update

from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.batches import make_batch
from settlekit_mock.settlement.notices import Notice, send_notice
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.scopes import CLOSE, ESTIMATE
from settlekit_mock.settlement.tables import PERIODS, SCOPES

AMOUNT_THRESHOLD = "amount_threshold"


def close_due(tx: Transaction, period_id: str) -> None:
    """Close a period at its slot."""
    close_period(tx, period_id, at=tx.now)


def estimate_due(tx: Transaction, period_id: str) -> None:
    """Tell the buyer what the open period has come to."""
    period = tx.connection.execute(_FIND, {"with_id": period_id}).one()
    amount = wire_minor(period.gross, period.currency)
    send_notice(
        tx,
        Notice(
            audience="buyer",
            kind="estimate",
            period=period,
            subject="Estimate of your next debit",
            text=f"So far {amount} {period.currency} (minor units) will be debited "
            "after this period closes.",
        ),
    )


def close_period(
    tx: Transaction, period_id: str, *, at: int, threshold_reached_at: int | None = None
) -> None:
    """Close a period with its usage and make the batch that settles it.

    After a threshold close the period ends when the threshold was reached, and the
    scope's next period starts there.
    """
    tx.cancel(CLOSE, period_id)
    tx.cancel(ESTIMATE, period_id)
    values: dict[str, Any] = {"closed_at": at}
    if threshold_reached_at is not None:
        values |= {
            "period_end": threshold_reached_at,
            "close_at": threshold_reached_at,
            "settlement_trigger": AMOUNT_THRESHOLD,
            "threshold_reached_at": threshold_reached_at,
        }
    tx.connection.execute(_CLOSE, values | {"this_period": period_id})
    period: AnyRow = tx.connection.execute(_FIND, {"with_id": period_id}).one()
    tx.connection.execute(_LEAVE, {"this_scope": period.scope_number, "new_end": period.period_end})
    batch_id = make_batch(tx, period)
    tx.record(
        "period.closed",
        period_id,
        settlement_batch_id=batch_id,
        settlement_trigger=period.settlement_trigger,
        usage_count=period.usage_count,
        provider_gross_amount_minor=wire_minor(period.gross, period.currency),
    )


_CLOSE = update(PERIODS).where(PERIODS.c.period_id == bindparam("this_period"))
_FIND = select(PERIODS).where(PERIODS.c.period_id == bindparam("with_id"))
_LEAVE = (
    update(SCOPES)
    .where(SCOPES.c.scope_number == bindparam("this_scope"))
    .values(open_period=None, last_period_end=bindparam("new_end"))
)
