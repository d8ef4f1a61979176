"""Plant a mismatch between a wallet and its entries, to see the alarms for it."""

from typing import Annotated

from msgspec import Meta

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import (
    Answer,
    Currency,
    MajorText,
    ShortText,
    StrictBody,
    positive_units,
)
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.ledger.misstating import misstate
from settlekit_mock.ledger.service import wallet_named


class LedgerMismatch(StrictBody, frozen=True, kw_only=True):
    """Whose balance is misstated, and by how much; a second one of the other sign heals it."""

    wallet_id: ShortText
    amount: Annotated[
        str, Meta(max_length=32, description="Major units, up to eight places; - takes away.")
    ]


class Mismatch(Answer, frozen=True, kw_only=True):
    """What the wallet says, what its entries say, and the difference."""

    wallet_id: str
    currency: Currency
    wallet_balance: MajorText
    ledger_balance: MajorText
    delta: MajorText


def ledger_mismatch(request: Request) -> Mismatch:
    """Misstate a wallet's balance."""
    body: LedgerMismatch = request.body
    sign, amount = (-1, body.amount[1:]) if body.amount.startswith("-") else (1, body.amount)
    units = sign * positive_units(amount, "amount")
    with request.world.transaction() as tx:
        wallet = wallet_named(tx.connection, body.wallet_id)
        if wallet is None:
            raise NotFound(f"no wallet {body.wallet_id}", code="WALLET_NOT_FOUND")
        found = misstate(tx, wallet, units)
    currency: Currency = "USD" if found.currency == "USD" else "JPY"
    return Mismatch(
        wallet_id=found.wallet_id,
        currency=currency,
        wallet_balance=major_text(found.stored),
        ledger_balance=major_text(found.rebuilt),
        delta=major_text(found.delta),
    )
