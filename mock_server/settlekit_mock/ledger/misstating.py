"""Misstate a wallet's balance, so that the alarms for it can be seen to work.

The one place that changes a stored balance without an entry. Nothing but the control route
for it comes here.
"""

from sqlalchemy import bindparam, update

from settlekit_mock.kernel.money import LIMIT, major_text
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.rebuild import Rebuilt, rebuild_wallet
from settlekit_mock.ledger.service import Account, balance
from settlekit_mock.ledger.tables import ACCOUNTS


def misstate(tx: Transaction, wallet: Account, units: int) -> Rebuilt:
    """Add units to a wallet's stored balance alone, and return how it compares now.

    Raises ``Invalid`` where the balance would leave 63 bits.
    """
    stated = balance(tx.connection, wallet.number) + units
    if abs(stated) > LIMIT:
        raise Invalid("amount: the wallet's balance would exceed what the ledger can hold")
    tx.connection.execute(_MISSTATE, {"number": wallet.number, "stated": stated})
    tx.record(
        "ledger.misstated", wallet.account_id, currency=wallet.currency, amount=major_text(units)
    )
    return rebuild_wallet(tx.connection, wallet.number)


_MISSTATE = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.account_number == bindparam("number"))
    .values(balance=bindparam("stated"))
)
