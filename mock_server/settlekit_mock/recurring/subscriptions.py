"""Subscriptions: a month paid at the start, and one each month after, until none can be paid."""

from collections.abc import Callable
from typing import Final, NamedTuple

from settlekit.money import TOKENS
from settlekit_mock.kernel.problems import Invalid, Problem
from settlekit_mock.kernel.times import optional_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.tables import Merchant, merchant_numbered
from settlekit_mock.recurring.challenges import Asked, Offer, proven, redeem
from settlekit_mock.recurring.charges import Charge, Due, charge, note_refusals
from settlekit_mock.recurring.rules import SubscriptionStatus, next_try_at, renewal_at
from settlekit_mock.recurring.tables import (
    INSERT_CHARGE,
    INSERT_SUBSCRIPTION,
    UPDATE_SUBSCRIPTION,
    Subscription,
    subscription_with_id,
)
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.webhooks.service import emit

CADENCE: Final = "monthly"
RENEW: Final = "subscription.renew"
"""The kind of due work that renews, or tries to again; its subject is the subscription's id."""


class Made(NamedTuple):
    """A subscription as it began."""

    subscription: Subscription
    merchant: Merchant
    charge: Charge


def subscribe(
    tx: Transaction, buyer_id: str, asked: Asked, *, cadence: str, write: Callable[[Made], bytes]
) -> tuple[bytes, bool]:
    """Begin a subscription and charge its first month; return the answer, and whether it is new.

    The same challenge from the same buyer answers the first again. Raises what ``proven``
    and taking a payment raise; nothing is written then, and the challenge stays free.
    """
    if cadence.strip().lower() != CADENCE:
        raise Invalid("cadence: a subscription is monthly")
    offer = proven(tx.connection, asked, CADENCE)
    buyer_with_id(tx.connection, buyer_id)
    return redeem(
        tx,
        offer,
        payload=["subscription", buyer_id],
        effect=lambda: write(_begin(tx, buyer_id, offer)),
    )


def _begin(tx: Transaction, buyer_id: str, offer: Offer) -> Made:
    merchant = offer.merchant
    row: dict[str, object] = {
        "subscription_id": tx.new_id("dps"),
        "buyer_id": buyer_id,
        "merchant_number": merchant.merchant_number,
        "amount_minor": offer.amount_minor,
        "currency": offer.currency,
        "challenge_hash": offer.challenge_hash,
        "mandate_id": tx.new_id("mnd"),
        "billing_plan": merchant.billing_plan,
        "status": SubscriptionStatus.ACTIVE.value,
        "charge_count": 0,
        "failed_tries": 0,
        "started_at": tx.now,
        "updated_at": tx.now,
    }
    tx.connection.execute(INSERT_SUBSCRIPTION, row)
    begun = subscription_with_id(tx.connection, str(row["subscription_id"]))
    charged = _charge(tx, merchant, begun, challenge=offer.challenge)
    paid = _paid(tx, begun, charged, due_at=tx.now)
    _tell(tx, "subscription.created", merchant, paid, requirement_id=charged.taken.requirement_id)
    return Made(paid, merchant, charged)


# -- renewals ------------------------------------------------------------------------------


def renew_due(tx: Transaction, subscription_id: str) -> None:
    """Charge a month that begins; where that is refused, try again later or give up."""
    found = subscription_with_id(tx.connection, subscription_id)
    merchant = merchant_numbered(tx.connection, found.merchant_number)
    try:
        charged = _charge(tx, merchant, found)
    except Problem as problem:
        note_refusals(tx)
        _unpaid(tx, merchant, found, problem)
        return
    paid = _paid(tx, found, charged, due_at=renewal_at(found.started_at, found.charge_count))
    _tell(tx, "subscription.renewed", merchant, paid, requirement_id=charged.taken.requirement_id)


def _charge(
    tx: Transaction, merchant: Merchant, found: Subscription, challenge: str | None = None
) -> Charge:
    told = {
        "subscription_id": found.subscription_id,
        "subscription_charge_number": found.charge_count + 1,
        "subscription_challenge_hash": found.challenge_hash,
    }
    due = Due(
        charge_id=tx.new_id("dpsc"),
        buyer_id=found.buyer_id,
        amount_minor=found.amount_minor,
        currency=found.currency,
        billing_plan=found.billing_plan,
        told=told,
        metadata={},
        challenge=challenge,
    )
    return charge(tx, merchant, due)


def _paid(tx: Transaction, found: Subscription, charged: Charge, *, due_at: int) -> Subscription:
    ordinal = found.charge_count + 1
    next_at = renewal_at(found.started_at, ordinal)
    row: dict[str, object] = {
        "charge_id": charged.charge_id,
        "subscription_number": found.subscription_number,
        "ordinal": ordinal,
        "due_at": due_at,
        "requirement_id": charged.taken.requirement_id,
        "charged_at": tx.now,
    }
    tx.connection.execute(INSERT_CHARGE, row)
    tx.schedule(RENEW, found.subscription_id, next_at)
    return _keep(
        tx,
        found._replace(
            status=SubscriptionStatus.ACTIVE,
            charge_count=ordinal,
            failed_tries=0,
            next_charge_at=next_at,
        ),
    )


def _unpaid(tx: Transaction, merchant: Merchant, found: Subscription, problem: Problem) -> None:
    failed_tries = found.failed_tries + 1
    again_at = next_try_at(failed_tries, tx.now)
    final = again_at is None
    kept = _keep(
        tx,
        found._replace(
            status=SubscriptionStatus.CANCELLED if final else SubscriptionStatus.PAST_DUE,
            failed_tries=failed_tries,
            next_charge_at=again_at,
            cancelled_at=tx.now if final else None,
        ),
    )
    _tell(
        tx,
        "payment.failed",
        merchant,
        kept,
        reason_code=problem.code,
        will_retry=not final,
        final_failure=final,
    )
    if again_at is None:
        _tell(tx, "subscription.cancelled", merchant, kept, reason_code=problem.code)
    else:
        tx.schedule(RENEW, found.subscription_id, again_at)


def _keep(tx: Transaction, kept: Subscription) -> Subscription:
    kept = kept._replace(updated_at=tx.now)
    changed = {"given": kept.subscription_id, **{name: getattr(kept, name) for name in _CHANGING}}
    tx.connection.execute(UPDATE_SUBSCRIPTION, changed)
    return kept


_CHANGING = (
    "status",
    "charge_count",
    "failed_tries",
    "next_charge_at",
    "cancelled_at",
    "updated_at",
)


def _tell(
    tx: Transaction, event_type: str, merchant: Merchant, of: Subscription, **more: object
) -> None:
    """Tell the merchant what became of a subscription: never whose it is."""
    data: dict[str, object] = {
        "subscription_id": of.subscription_id,
        "merchant": merchant.merchant,
        "listing_id": merchant.listing_id,
        "challenge_hash": of.challenge_hash,
        "amount_minor": of.amount_minor,
        "currency": of.currency,
        "token_symbol": TOKENS[of.currency],
        "cadence": CADENCE,
        "status": of.status.value,
        "charge_count": of.charge_count,
        "failed_tries": of.failed_tries,
        "next_charge_at": optional_text(of.next_charge_at),
        "cancelled_at": optional_text(of.cancelled_at),
        **more,
    }
    emit(tx, owner=merchant.merchant_user_id, event_type=event_type, data=data)
    kind = event_type if event_type != "payment.failed" else "subscription.charge_failed"
    tx.record(
        kind,
        of.subscription_id,
        buyer=of.buyer_id,
        merchant=merchant.merchant,
        charge_count=of.charge_count,
        reason_code=more.get("reason_code"),
    )
