"""Rebuild balances from entries, to compare them with the stored ones."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select

from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, exact_sum, joined


class Rebuilt(NamedTuple):
    """A wallet's stored balance beside the sum of its entries, in units."""

    number: int
    wallet_id: str
    owner_scope: str
    owner_id: str
    currency: str
    stored: int
    rebuilt: int

    @property
    def delta(self) -> int:
        """How much more is stored than the entries say."""
        return self.stored - self.rebuilt


def rebuild_wallets(connection: Connection) -> list[Rebuilt]:
    """Rebuild every wallet, in the order in which they were opened.

    One statement reads it all, so it sees one moment on any database.
    """
    return [_rebuilt(row) for row in connection.execute(_REBUILD_ALL)]


def rebuild_wallet(connection: Connection, number: int) -> Rebuilt:
    """Rebuild one wallet."""
    return _rebuilt(connection.execute(_REBUILD_ONE, {"number": number}).one())


def _rebuilt(row: Row[Any, Any, Any, Any, Any, Any, Any, Any]) -> Rebuilt:
    number, wallet_id, owner_scope, owner_id, currency, stored, high, low = row
    rebuilt = joined(high, low)
    return Rebuilt(number, wallet_id, owner_scope, owner_id, currency, stored, rebuilt)


_REBUILD = (
    select(
        ACCOUNTS.c.account_number,
        ACCOUNTS.c.account_id,
        ACCOUNTS.c.owner_scope,
        ACCOUNTS.c.owner_id,
        ACCOUNTS.c.currency,
        ACCOUNTS.c.balance,
        *exact_sum(ENTRIES.c.amount),
    )
    .select_from(ACCOUNTS.outerjoin(ENTRIES, ENTRIES.c.account_number == ACCOUNTS.c.account_number))
    .where(ACCOUNTS.c.kind == "wallet")
    .group_by(ACCOUNTS.c.account_number)
    .order_by(ACCOUNTS.c.account_number)
)
_REBUILD_ALL = _REBUILD
_REBUILD_ONE = _REBUILD.where(ACCOUNTS.c.account_number == bindparam("number"))
