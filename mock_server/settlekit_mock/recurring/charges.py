"""Charge a buyer under what was approved before: no challenge is asked for any more."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from settlekit.challenge import challenge_hash, sign
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.checkout import check_billing
from settlekit_mock.payments.paying import OPERATION_KEY, Payment, Taken, take
from settlekit_mock.payments.rules.checkout import LIFETIME
from settlekit_mock.payments.tables import Merchant
from settlekit_mock.settlement.rules.amounts import plan_named


class Due(NamedTuple):
    """A charge to make. ``billing_plan`` is the one whose fee was agreed at the start.

    Without a ``challenge`` the server makes one, named after ``charge_id``.
    """

    charge_id: str
    buyer_id: str
    amount_minor: int
    currency: str
    billing_plan: str
    told: Mapping[str, object]
    metadata: Mapping[str, Any]
    challenge: str | None = None
    capability_key: str | None = None
    operation_key: str | None = None


class Charge(NamedTuple):
    """A charge that was made. ``fee_bps`` is null for a metered one."""

    charge_id: str
    receipt_id: str
    taken: Taken
    challenge_hash: str
    fee_bps: int | None
    charged_at: int


def charge(tx: Transaction, merchant: Merchant, due: Due) -> Charge:
    """Take a payment for a merchant and tell it; raises what taking any payment raises."""
    check_billing(merchant, due.currency)
    challenge = due.challenge or sign(
        secret=merchant.challenge_secret,
        merchant=merchant.merchant,
        amount_minor=due.amount_minor,
        currency=due.currency,
        nonce=due.charge_id,
    )
    payment = Payment(
        buyer_id=due.buyer_id,
        amount_minor=due.amount_minor,
        currency=due.currency,
        challenge=challenge,
        expires_at=tx.now + LIFETIME,
        metadata=due.metadata,
        operation_key=due.operation_key or OPERATION_KEY,
        capability_key=due.capability_key,
    )
    # The fee is that of the plan at the start, whatever the merchant's plan is now.
    agreed = merchant._replace(billing_plan=due.billing_plan)
    taken = take(tx, agreed, payment, told=due.told)
    fee_bps = plan_named(due.billing_plan).settlement_fee_bps if taken.usage is None else None
    return Charge(
        due.charge_id, tx.new_id("rcp"), taken, challenge_hash(challenge), fee_bps, tx.now
    )


def note_refusals(tx: Transaction) -> None:
    """Write into the journal what a refused charge left to write, for due work that goes on."""
    writes = tx.take_refusals()
    for write in writes:
        write(tx)
    writes.clear()
