"""Redeem a merchant's recurring challenge: who sells what for how much, once, to one buyer."""

from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection

from settlekit.challenge import challenge_hash, verify_recurring
from settlekit.money import TOKENS
from settlekit_mock.kernel.idempotency import once
from settlekit_mock.kernel.problems import Conflict, Invalid
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.merchants import known_merchant
from settlekit_mock.payments.rules import merchants as merchant_rules
from settlekit_mock.payments.rules.checkout import payable_band
from settlekit_mock.payments.tables import Merchant

REQUIRED: Final = "EXTERNAL_402_CHALLENGE_REQUIRED"
INVALID: Final = "INVALID_EXTERNAL_402_CHALLENGE"
USED: Final = "EXTERNAL_402_CHALLENGE_ALREADY_USED"


class Asked(NamedTuple):
    """The terms of a recurring payment as a buyer gives them."""

    merchant: str
    amount_minor: int
    currency: str
    challenge: str | None
    token_symbol: str | None = None


class Offer(NamedTuple):
    """Terms that a merchant has signed."""

    merchant: Merchant
    amount_minor: int
    currency: str
    challenge: str

    @property
    def challenge_hash(self) -> str:
        """The public name of the challenge."""
        return challenge_hash(self.challenge)


def proven(connection: Connection, asked: Asked, cadence: str) -> Offer:
    """Return the terms if the merchant's challenge proves them for a cadence.

    Raises ``NotFound`` for an unknown merchant, ``Invalid`` for terms it doesn't sell on, and
    for a challenge that is missing or isn't its own for these very terms.
    """
    challenge = (asked.challenge or "").strip()
    if not challenge:
        raise Invalid("challenge: the merchant's recurring challenge is required", code=REQUIRED)
    merchant = known_merchant(connection, asked.merchant)
    currency = _currency(merchant, asked)
    payable_band(asked.amount_minor, currency)
    offer = Offer(merchant, asked.amount_minor, currency, challenge)
    if not _signed(offer, cadence):
        raise Invalid(
            f"challenge: isn't the merchant's {cadence} challenge for this amount and currency",
            code=INVALID,
        )
    return offer


def _currency(merchant: Merchant, asked: Asked) -> str:
    currency = merchant_rules.currency(asked.currency)
    if currency not in merchant.currencies:
        raise Invalid(f"currency: this merchant takes {' and '.join(merchant.currencies)}")
    token = asked.token_symbol
    if token is not None and token.strip().upper() != TOKENS[currency]:
        raise Invalid(f"token_symbol: {currency} pairs with {TOKENS[currency]}")
    return currency


def _signed(offer: Offer, cadence: str) -> bool:
    with merchant_rules.refusing():
        return verify_recurring(
            offer.challenge,
            secret=offer.merchant.challenge_secret,
            merchant=offer.merchant.merchant,
            amount_minor=offer.amount_minor,
            currency=offer.currency,
            cadence=cadence,
        )


def redeem(
    tx: Transaction, offer: Offer, *, payload: object, effect: Callable[[], bytes]
) -> tuple[bytes, bool]:
    """Run an effect once for a challenge; return its first answer, and whether it is new.

    Raises ``Conflict`` where the challenge was redeemed with another payload, which names
    the buyer. A refused effect leaves the challenge free.
    """
    ran: list[bytes] = []

    def first() -> bytes:
        ran.append(effect())
        return ran[0]

    try:
        answer = once(
            tx,
            scope="recurring_challenge",
            key=offer.challenge_hash,
            payload=payload,
            effect=first,
            conflict_code=USED,
        )
    except Conflict as conflict:
        if conflict.code != USED:
            raise
        raise Conflict(
            "this challenge was redeemed before; ask the merchant for a new one", code=USED
        ) from conflict
    return answer, bool(ran)
