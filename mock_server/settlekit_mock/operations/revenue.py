"""What a developer holds, waits for, and has earned in all."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.ledger.service import balance, find_wallet
from settlekit_mock.ledger.tables import ENTRIES, TRANSACTIONS, exact_sum, joined
from settlekit_mock.operations.rules.payouts import OPEN
from settlekit_mock.operations.tables import PAYOUTS
from settlekit_mock.operations.usage import CHANNEL_REASON
from settlekit_mock.operations.usage_tables import APPS
from settlekit_mock.payments.tables import merchants_of

EARNED_BY = ("batch_settled", "direct_payment", CHANNEL_REASON)
"""Postings that pay a developer for what was sold; credits of other kinds aren't earned."""


class Revenue(NamedTuple):
    """A developer's money in one currency, in units."""

    wallet_balance: int
    pending_payout: int
    lifetime_revenue: int


def revenue_of(connection: Connection, developer_id: str, currency: str) -> Revenue:
    """Return a developer's revenue in a currency; raise ``NotFound`` for an unknown one."""
    owner = {"owner_scope": "developer", "owner_id": developer_id}
    found = find_wallet(connection, **owner, currency=currency)
    if found is None:
        _known(connection, developer_id)
        return Revenue(0, 0, 0)
    return Revenue(
        wallet_balance=balance(connection, found.number),
        pending_payout=joined(*connection.execute(_PENDING, {"of_wallet": found.number}).one()),
        lifetime_revenue=joined(*connection.execute(_EARNED, {"of_wallet": found.number}).one()),
    )


def _known(connection: Connection, developer_id: str) -> None:
    if merchants_of(connection, developer_id):
        return
    if connection.execute(_APP_OF, {"of_developer": developer_id}).first() is not None:
        return
    if not any(
        find_wallet(connection, owner_scope="developer", owner_id=developer_id, currency=currency)
        for currency in ("JPY", "USD")
    ):
        raise NotFound(f"no developer {developer_id}")


_APP_OF = select(APPS.c.app_number).where(APPS.c.developer_id == bindparam("of_developer"))
_PENDING = select(*exact_sum(PAYOUTS.c.amount)).where(
    PAYOUTS.c.wallet_number == bindparam("of_wallet"), PAYOUTS.c.status.in_(OPEN)
)
_EARNED = (
    select(*exact_sum(ENTRIES.c.amount))
    .join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
    .where(
        ENTRIES.c.account_number == bindparam("of_wallet"),
        ENTRIES.c.amount > 0,
        TRANSACTIONS.c.reason.in_(EARNED_BY),
    )
)
