"""What became of a payment: accepted or refused, settled by what, in which wallet and payout."""

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, bindparam, select

from settlekit.money import TOKENS
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Currency, MinorText, Timestamp, Token
from settlekit_mock.kernel import journal
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.ids import order_of
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.ledger.service import find_wallet
from settlekit_mock.ledger.tables import TRANSACTIONS
from settlekit_mock.operations.tables import PAYOUTS
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.standing import usage_status
from settlekit_mock.settlement.tables import (
    ATTEMPTS,
    BATCHES,
    BUYERS,
    LABELS,
    PERIODS,
    PROVIDERS,
    USAGE,
)


class FateOfPeriod(Answer, frozen=True, kw_only=True):
    """The period in which a payment accrued."""

    period_id: str
    plan_type: Literal["micro", "nano"]
    period_start: Timestamp
    period_end: Timestamp
    closed_at: Timestamp | None
    settlement_trigger: Literal["amount_threshold", "scheduled_close"]


class FateOfBatch(Answer, frozen=True, kw_only=True):
    """The batch that settles a payment, and how far it has come."""

    settlement_batch_id: str
    status: str
    execution_status: str
    attempt_count: int
    settled_by_attempt: int | None
    settled_at: Timestamp | None
    chain_receipt_id: str | None


class FateOfPayout(Answer, frozen=True, kw_only=True):
    """The payout that took a settled payment's money out of the wallet."""

    payout_id: str
    status: str


class Fate(Answer, frozen=True, kw_only=True):
    """What became of one payment; ``code`` and ``reason`` say why it was refused."""

    id: str
    accepted: bool
    at: Timestamp
    buyer: str
    merchant: str
    amount_minor: MinorText
    currency: Currency
    token_symbol: Token
    status: str
    code: str | None = None
    reason: str | None = None
    protocol_fee_minor: MinorText | None = None
    provider_receivable_minor: MinorText | None = None
    period: FateOfPeriod | None = None
    batch: FateOfBatch | None = None
    wallet_id: str | None = None
    payout: FateOfPayout | None = None


def get_fate(request: Request) -> Fate:
    """Answer what became of a payment."""
    usage_id = request.path["usage_id"]
    with request.world.snapshot() as connection:
        row = connection.execute(_USAGE.where(USAGE.c.metered_usage_id == usage_id)).first()
        if row is not None:
            return _accepted(connection, row)
        refused = journal.entries(connection, kind="payment.refused", subject=usage_id, limit=1)
    if not refused:
        raise NotFound(f"no payment {usage_id!r}, neither accepted nor refused")
    return _refused(refused[0])


def _refused(entry: journal.Entry) -> Fate:
    data: dict[str, Any] = msgspec.json.decode(entry.data)
    return Fate(
        id=entry.subject,
        accepted=False,
        at=to_text(entry.at),
        buyer=data["buyer"],
        merchant=data["merchant"],
        amount_minor=data["amount_minor"],
        currency=data["currency"],
        token_symbol=TOKENS[data["currency"]],  # type: ignore[arg-type]
        status="refused",
        code=data["code"],
        reason=data.get("reason"),
    )


def _accepted(connection: Connection, row: AnyRow) -> Fate:
    settled = row.settled_at is not None
    owner: dict[str, str] = {"owner_scope": "developer", "owner_id": row.provider_id}
    wallet = find_wallet(connection, **owner, currency=row.currency) if settled else None
    status = usage_status(row.status, failed_chargeable=row.outcome is not None)
    return Fate(
        id=row.metered_usage_id,
        accepted=True,
        at=to_text(row.created_at),
        buyer=row.buyer_id,
        merchant=row.merchant,
        amount_minor=wire_minor(row.usage_gross, row.currency),
        currency=row.currency,
        token_symbol=TOKENS[row.currency],  # type: ignore[arg-type]
        status=status.value,
        protocol_fee_minor=wire_minor(row.usage_fee, row.currency),
        provider_receivable_minor=wire_minor(row.usage_gross - row.usage_fee, row.currency),
        period=_period(row),
        batch=_batch(connection, row),
        wallet_id=None if wallet is None else wallet.account_id,
        payout=None if wallet is None else _payout(connection, wallet.number, row),
    )


def _period(row: AnyRow) -> FateOfPeriod:
    return FateOfPeriod(
        period_id=row.period_id,
        plan_type=row.band,
        period_start=to_text(row.period_start),
        period_end=to_text(row.period_end),
        closed_at=optional_text(row.closed_at),
        settlement_trigger=row.settlement_trigger,
    )


def _batch(connection: Connection, row: AnyRow) -> FateOfBatch | None:
    if row.settlement_batch_id is None:
        return None
    by_attempt: int | None = connection.execute(
        select(ATTEMPTS.c.ordinal).where(
            ATTEMPTS.c.batch_number == row.batch_number, ATTEMPTS.c.outcome == "succeeded"
        )
    ).scalar()
    return FateOfBatch(
        settlement_batch_id=row.settlement_batch_id,
        status=row.status,
        execution_status=row.execution_status,
        attempt_count=row.attempt_count,
        settled_by_attempt=by_attempt,
        settled_at=optional_text(row.settled_at),
        chain_receipt_id=row.chain_receipt_id,
    )


def _payout(connection: Connection, wallet: int, row: AnyRow) -> FateOfPayout | None:
    # A payout takes the whole balance, so the first one made behind the posting holds this
    # money; at the same instant their ids tell which came first.
    posting = connection.execute(_POSTING, {"of_batch": row.settlement_batch_id}).scalar_one()
    payouts = connection.execute(_PAYOUTS, {"of_wallet": wallet, "since": row.settled_at})
    for payout in payouts:
        if order_of(payout.payout_id) > order_of(posting):
            return FateOfPayout(payout_id=payout.payout_id, status=payout.status)
    return None


_POSTING = select(TRANSACTIONS.c.transaction_id).where(
    TRANSACTIONS.c.subject == bindparam("of_batch"), TRANSACTIONS.c.reason == "batch_settled"
)
_PAYOUTS = (
    select(PAYOUTS.c.payout_id, PAYOUTS.c.status)
    .where(
        PAYOUTS.c.wallet_number == bindparam("of_wallet"),
        PAYOUTS.c.created_at >= bindparam("since"),
        PAYOUTS.c.status.in_(("pending", "processing", "paid")),
    )
    .order_by(PAYOUTS.c.payout_number)
)
_USAGE = (
    select(
        USAGE.c.metered_usage_id,
        USAGE.c.created_at,
        USAGE.c.outcome,
        USAGE.c.gross.label("usage_gross"),
        USAGE.c.fee.label("usage_fee"),
        *PERIODS.c,
        *(column for column in BATCHES.c if column.name not in PERIODS.c),
        BUYERS.c.buyer_id,
        PROVIDERS.c.provider_id,
        LABELS.c.merchant,
    )
    .join(PERIODS, PERIODS.c.period_number == USAGE.c.period_number)
    .join(BUYERS, BUYERS.c.buyer_number == USAGE.c.buyer_number)
    .join(PROVIDERS, PROVIDERS.c.provider_number == USAGE.c.provider_number)
    .join(LABELS, LABELS.c.label_number == USAGE.c.label_number)
    .outerjoin(BATCHES, BATCHES.c.period_number == USAGE.c.period_number)
)
