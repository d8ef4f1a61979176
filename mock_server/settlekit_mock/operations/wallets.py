"""Wallets as their owners and operators see them."""

from typing import NamedTuple

from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.history import Line, newest_lines
from settlekit_mock.ledger.service import (
    Account,
    Leg,
    balance,
    find_wallet,
    outside,
    post,
    wallet,
)
from settlekit_mock.operations.adjustments import wallet_in
from settlekit_mock.operations.audit import audit

ENTRIES_SHOWN = 20
TEST_CREDIT_REASON = "admin_test_balance_credit"


class Credits(NamedTuple):
    """A buyer's USD credits: the wallet, its balance in units, its newest entries."""

    wallet: Account
    balance: int
    lines: list[Line]


def credits_of(world: World, buyer_id: str) -> Credits:
    """Return a buyer's wallet of USD credits, opened where nothing was credited yet."""
    owner = {"owner_scope": "end_user", "owner_id": buyer_id, "currency": "USD"}
    with world.snapshot() as connection:
        found = find_wallet(connection, **owner)
    if found is None:
        with world.transaction() as tx:
            found = wallet(tx, **owner)
    with world.snapshot() as connection:
        lines = newest_lines(connection, found.number, limit=ENTRIES_SHOWN)
        return Credits(found, balance(connection, found.number), lines)


def credit_test_balance(
    tx: Transaction, wallet_id: str, *, currency: str, amount: int, actor: str
) -> tuple[Account, int]:
    """Credit a wallet out of nothing, for rehearsals; return it with its new balance.

    Raises ``NotFound``, and ``Invalid`` for an amount in another currency than the wallet's.
    """
    credited = wallet_in(tx, wallet_id, currency)
    legs = [Leg(credited, amount), Leg(outside(tx, currency), -amount)]
    post(tx, TEST_CREDIT_REASON, legs, subject=wallet_id)
    audit(
        tx,
        actor=actor,
        action="wallet.test_balance_credited",
        resource=wallet_id,
        currency=currency,
        amount=major_text(amount),
    )
    return credited, balance(tx.connection, credited.number)
