"""Subscriptions: one approval, and a charge every month."""

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Call, post
from settlekit.challenge import normalize_currency, normalize_merchant
from settlekit.errors import InvalidArgument
from settlekit.models import Subscription
from settlekit.money import check_amount_minor

PATH = "/sdrp/direct-payments/subscriptions"
CADENCE = "monthly"


def create(
    *,
    merchant: str,
    amount_minor: int,
    currency: str,
    challenge: str,
    cadence: str | None = None,
    token_symbol: str | None = None,
    user_signing: bool | None = None,
    user_signing_flow: bool | None = None,
    external_signature: str | None = None,
    external_safe_tx_hash: str | None = None,
) -> Call[Subscription]:
    """Subscribe by a recurring challenge, whose nonce makes the call safe to repeat."""
    call = post(
        PATH,
        _codec.one(Subscription),
        merchant=normalize_merchant(merchant),
        amount_minor=check_amount_minor(amount_minor),
        currency=normalize_currency(currency),
        challenge=terms.recurring_challenge(challenge),
        cadence=_cadence(cadence),
        token_symbol=arguments.token_symbol(token_symbol),
        user_signing=arguments.flag(user_signing, "user_signing"),
        user_signing_flow=arguments.flag(user_signing_flow, "user_signing_flow"),
        external_signature=arguments.optional(external_signature, "external_signature"),
        external_safe_tx_hash=arguments.optional(external_safe_tx_hash, "external_safe_tx_hash"),
    )
    return attrs.evolve(call, repeatable=True)


def _cadence(value: str | None) -> str | None:
    cadence = arguments.optional(value, "cadence")
    if cadence is not None and cadence.lower() != CADENCE:
        raise InvalidArgument("cadence", "must be monthly")
    return None if cadence is None else CADENCE
