"""Why an amount is what it is: a tree whose leaves add up to its root."""

from collections.abc import Callable, Sequence
from typing import Literal

from sqlalchemy import Connection, select

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, MajorText
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.ids import order_of
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.ledger.service import Account, wallet_named
from settlekit_mock.ledger.service import balance as wallet_balance
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS
from settlekit_mock.operations.tables import PAYOUTS
from settlekit_mock.settlement.batches import find_batch
from settlekit_mock.settlement.tables import USAGE

MOST_LEAVES = 10_000
"""Rows shown one by one; a batch has no more, and a longer wallet tells the rest in one."""


class Explanation(Answer, frozen=True, kw_only=True):
    """An amount in major units and what it is made of; without parts it is a leaf."""

    id: str
    kind: Literal[
        "batch",
        "usage_event",
        "price",
        "protocol_fee",
        "payout",
        "wallet",
        "entry",
        "earlier",
        "mismatch",
    ]
    amount: MajorText
    currency: str
    because: str
    parts: "list[Explanation]"


def get_explanation(request: Request) -> Explanation:
    """Explain a batch, a payout or a wallet by its id."""
    wanted = request.path["id"]
    with request.world.snapshot() as connection:
        for explain in _EXPLAINERS:
            found = explain(connection, wanted)
            if found is not None:
                return found
    raise NotFound(f"no batch, payout or wallet {wanted!r}")


def _batch(connection: Connection, batch_id: str) -> Explanation | None:
    batch = find_batch(connection, batch_id)
    if batch is None:
        return None
    rows = connection.execute(
        select(USAGE.c.metered_usage_id, USAGE.c.created_at, USAGE.c.gross, USAGE.c.fee)
        .where(USAGE.c.period_number == batch.period_number)
        .order_by(USAGE.c.usage_number)
    )
    return Explanation(
        id=batch_id,
        kind="batch",
        amount=major_text(batch.gross - batch.fee),
        currency=batch.currency,
        because=f"the provider's receivable of {batch.usage_count} payments; it is {batch.status}",
        parts=[_usage(row, batch.currency) for row in rows],
    )


def _usage(row: AnyRow, currency: str) -> Explanation:
    usage_id = row.metered_usage_id

    def leaf(kind: Literal["price", "protocol_fee"], amount: int, because: str) -> Explanation:
        return Explanation(
            id=usage_id,
            kind=kind,
            amount=major_text(amount),
            currency=currency,
            because=because,
            parts=[],
        )

    return Explanation(
        id=usage_id,
        kind="usage_event",
        amount=major_text(row.gross - row.fee),
        currency=currency,
        because=f"accepted at {to_text(row.created_at)}",
        parts=[
            leaf("price", row.gross, "what the buyer is debited"),
            leaf("protocol_fee", -row.fee, "the band's fixed fee, borne by the seller"),
        ],
    )


def _wallet(connection: Connection, wallet_id: str) -> Explanation | None:
    wallet = wallet_named(connection, wallet_id)
    if wallet is None:
        return None
    amount = wallet_balance(connection, wallet.number)
    return Explanation(
        id=wallet_id,
        kind="wallet",
        amount=major_text(amount),
        currency=wallet.currency,
        because=f"the balance of {wallet.owner_scope} {wallet.owner_id}",
        parts=_parts(connection, wallet, amount, upto=None),
    )


def _payout(connection: Connection, payout_id: str) -> Explanation | None:
    payout = connection.execute(select(PAYOUTS).where(PAYOUTS.c.payout_id == payout_id)).first()
    if payout is None:
        return None
    wallet_id = connection.execute(
        select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.account_number == payout.wallet_number)
    ).scalar_one()
    wallet = wallet_named(connection, wallet_id)
    assert wallet is not None
    # The run took the balance as it stood: what was posted before it, if at the same instant.
    upto = next(
        (
            row.entry_number
            for row in connection.execute(
                select(ENTRIES.c.entry_number, TRANSACTIONS.c.transaction_id)
                .join(
                    TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number
                )
                .where(
                    ENTRIES.c.account_number == wallet.number,
                    TRANSACTIONS.c.created_at <= payout.created_at,
                )
                .order_by(ENTRIES.c.entry_number.desc())
            )
            if order_of(row.transaction_id) < order_of(payout_id)
        ),
        0,
    )
    return Explanation(
        id=payout_id,
        kind="payout",
        amount=major_text(payout.amount),
        currency=payout.currency,
        because=f"the whole balance of {wallet_id} at {to_text(payout.created_at)}; "
        f"it is {payout.status}",
        parts=_parts(connection, wallet, payout.amount, upto=upto),
    )


def _parts(
    connection: Connection, wallet: Account, amount: int, *, upto: int | None
) -> list[Explanation]:
    def leaf(kind: Literal["entry", "earlier", "mismatch"], units: int, **told: str) -> Explanation:
        named = {"id": wallet.account_id, **told}
        return Explanation(
            kind=kind, amount=major_text(units), currency=wallet.currency, parts=[], **named
        )

    rows = _newest(connection, wallet, upto)
    found = [
        leaf(
            "entry",
            row.amount,
            id=row.transaction_id,
            because=f"{row.reason} of {row.subject} at {to_text(row.created_at)}",
        )
        for row in rows
    ]
    earlier = rows[-1].balance_before if len(rows) == MOST_LEAVES else 0
    if earlier:
        found.append(leaf("earlier", earlier, because="the balance before these"))
    rest = amount - earlier - sum(row.amount for row in rows)
    if rest:
        found.append(leaf("mismatch", rest, because="in the balance, and in none of its entries"))
    return found


def _newest(connection: Connection, wallet: Account, upto: int | None) -> Sequence[AnyRow]:
    query = (
        select(
            ENTRIES.c.amount,
            ENTRIES.c.balance_before,
            TRANSACTIONS.c.transaction_id,
            TRANSACTIONS.c.reason,
            TRANSACTIONS.c.subject,
            TRANSACTIONS.c.created_at,
        )
        .join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
        .where(ENTRIES.c.account_number == wallet.number)
        .order_by(ENTRIES.c.entry_number.desc())
        .limit(MOST_LEAVES)
    )
    if upto is not None:
        query = query.where(ENTRIES.c.entry_number <= upto)
    return connection.execute(query).all()


_EXPLAINERS: tuple[Callable[[Connection, str], Explanation | None], ...] = (
    _batch,
    _payout,
    _wallet,
)
