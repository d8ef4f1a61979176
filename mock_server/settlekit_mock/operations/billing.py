"""A buyer's billing: credits that an operator sets, and the payments that bought them.

Balances are one roll-up in US cents, whatever currency was paid.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select

from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.service import (
    Account,
    Leg,
    balance,
    find_wallet,
    locked_balance,
    outside,
    post,
    wallet,
)
from settlekit_mock.operations.audit import audit
from settlekit_mock.operations.billing_tables import PAYMENT_EVENTS
from settlekit_mock.operations.rules.top_ups import CENT
from settlekit_mock.settlement.buyers import find_buyer

ADJUST_REASON = "balance_adjust"
PAYMENT_REASON = "payment_received"


class Payment(NamedTuple):
    """What a buyer paid by way of a provider; ``currency`` is the one that was paid in."""

    buyer_id: str
    external_ref: str
    amount_cents: int
    currency: str
    provider: str


class PaymentEvent(NamedTuple):
    """A payment that was kept, and the transaction that credited it."""

    payment: Payment
    transaction_id: str
    created_at: int


class Billing(NamedTuple):
    """What a buyer holds and has paid in all, in US cents; payments newest first."""

    credit_balance_cents: int
    lifetime_paid_cents: int
    payment_events: Sequence[PaymentEvent]


class Override(NamedTuple):
    """A balance that an operator set, in US cents."""

    before_cents: int
    after_cents: int
    lifetime_paid_cents: int


def credits_wallet(tx: Transaction, buyer_id: str) -> Account:
    """Find or open a buyer's wallet of USD credits."""
    return wallet(tx, owner_scope="end_user", owner_id=buyer_id, currency="USD")


def override_balance(tx: Transaction, buyer_id: str, balance_cents: int, *, actor: str) -> Override:
    """Bring a buyer's credits to exactly so many cents, below zero too, by one posting.

    What was paid in all stays as it was. Raises ``NotFound`` for an unknown buyer.
    """
    _known(tx.connection, buyer_id)
    held = credits_wallet(tx, buyer_id)
    before = locked_balance(tx, held)
    difference = balance_cents * CENT - before
    if difference:
        legs = [Leg(held, difference), Leg(outside(tx, "USD"), -difference)]
        post(tx, ADJUST_REASON, legs, subject=buyer_id, allow_negative=True)
    lifetime = _lifetime_paid(tx.connection, buyer_id)
    override = Override(before // CENT, balance_cents, lifetime)
    _tell_override(tx, buyer_id, override, actor)
    return override


def _tell_override(tx: Transaction, buyer_id: str, override: Override, actor: str) -> None:
    told: dict[str, Any] = {
        "prev_balance_cents": str(override.before_cents),
        "new_balance_cents": str(override.after_cents),
    }
    tx.record("balance.adjusted", buyer_id, **told)
    audit(tx, actor=actor, action="balance.adjusted", resource=buyer_id, **told)


def receive_payment(tx: Transaction, payment: Payment) -> PaymentEvent:
    """Keep a payment and credit it; the same payment again answers the first.

    Raises ``NotFound`` for an unknown buyer, ``Conflict`` for a provider's reference that
    came with another payment.
    """
    _known(tx.connection, payment.buyer_id)
    found = _payment_named(tx.connection, payment)
    if found is None:
        return credit_payment(tx, payment, reason=PAYMENT_REASON, subject=payment.external_ref)
    if found.payment != payment:
        raise Conflict(
            f"{payment.provider} {payment.external_ref} was recorded as another payment",
            code="PAYMENT_EVENT_EXISTS",
        )
    return found


def credit_payment(tx: Transaction, payment: Payment, *, reason: str, subject: str) -> PaymentEvent:
    """Credit a payment that is new, and keep it with the posting."""
    legs = [
        Leg(credits_wallet(tx, payment.buyer_id), payment.amount_cents * CENT),
        Leg(outside(tx, "USD"), -payment.amount_cents * CENT),
    ]
    transaction_id = post(
        tx,
        reason,
        legs,
        subject=subject,
        idempotency_key=f"payment:{payment.provider}:{payment.external_ref}",
        metadata={"provider": payment.provider, "currency": payment.currency},
    )
    event = PaymentEvent(payment, transaction_id, tx.now)
    row: dict[str, object] = {
        **payment._asdict(),
        "transaction_id": transaction_id,
        "created_at": tx.now,
    }
    tx.connection.execute(_INSERT, row)
    tx.record("payment_event.recorded", payment.external_ref, **payment._asdict())
    return event


def billing_of(connection: Connection, buyer_id: str) -> Billing:
    """Return a buyer's billing; raise ``NotFound`` for an unknown buyer."""
    _known(connection, buyer_id)
    held = find_wallet(connection, owner_scope="end_user", owner_id=buyer_id, currency="USD")
    units = 0 if held is None else balance(connection, held.number)
    rows = connection.execute(_OF_BUYER, {"of_buyer": buyer_id})
    return Billing(
        credit_balance_cents=units // CENT,
        lifetime_paid_cents=_lifetime_paid(connection, buyer_id),
        payment_events=[_event(row) for row in rows],
    )


def _known(connection: Connection, buyer_id: str) -> None:
    if find_buyer(connection, buyer_id) is None:
        raise NotFound(f"no customer {buyer_id}", code="BUYER_NOT_FOUND")


def _lifetime_paid(connection: Connection, buyer_id: str) -> int:
    paid: int | None = connection.execute(_PAID, {"of_buyer": buyer_id}).scalar()
    return int(paid or 0)


def _payment_named(connection: Connection, payment: Payment) -> PaymentEvent | None:
    given = {"by": payment.provider, "ref": payment.external_ref}
    row = connection.execute(_NAMED, given).first()
    return None if row is None else _event(row)


def _event(row: Any) -> PaymentEvent:
    *payment, transaction_id, created_at = row
    return PaymentEvent(Payment(*payment), transaction_id, created_at)


_INSERT = insert(PAYMENT_EVENTS)
_EVENT = select(
    PAYMENT_EVENTS.c.buyer_id,
    PAYMENT_EVENTS.c.external_ref,
    PAYMENT_EVENTS.c.amount_cents,
    PAYMENT_EVENTS.c.currency,
    PAYMENT_EVENTS.c.provider,
    PAYMENT_EVENTS.c.transaction_id,
    PAYMENT_EVENTS.c.created_at,
)
_OF_BUYER = _EVENT.where(PAYMENT_EVENTS.c.buyer_id == bindparam("of_buyer")).order_by(
    PAYMENT_EVENTS.c.event_number.desc()
)
_NAMED = _EVENT.where(
    PAYMENT_EVENTS.c.provider == bindparam("by"), PAYMENT_EVENTS.c.external_ref == bindparam("ref")
)
_PAID = select(func.sum(PAYMENT_EVENTS.c.amount_cents)).where(
    PAYMENT_EVENTS.c.buyer_id == bindparam("of_buyer")
)
