"""Top-ups: credits bought by card, credited when the processor says that they were paid."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from settlekit_mock.kernel.problems import Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.service import balance
from settlekit_mock.ledger.tables import ACCOUNTS
from settlekit_mock.operations.billing import Payment, credit_payment, credits_wallet
from settlekit_mock.operations.billing_tables import TOP_UPS
from settlekit_mock.operations.rules.top_ups import Completed

CREDIT_REASON = "stripe_checkout_topup"
CHECKOUT = "https://checkout.stripe.example/c/pay/"
"""Where a card would be asked for; nobody answers there."""


class TopUp(NamedTuple):
    """A top-up as it stands; ``event_id`` is the processor's event that credited it."""

    number: int
    top_up_id: str
    session_id: str
    wallet_number: int
    wallet_id: str
    buyer_id: str
    amount_cents: int
    checkout_url: str
    event_id: str | None


def begin_top_up(
    tx: Transaction, buyer_id: str, *, amount_cents: int, success_url: str, cancel_url: str
) -> TopUp:
    """Open a checkout session in which a buyer pays for credits by card."""
    session_id = tx.new_id("cs_test")
    row: dict[str, object] = {
        "top_up_id": tx.new_id("topup"),
        "session_id": session_id,
        "wallet_number": credits_wallet(tx, buyer_id).number,
        "buyer_id": buyer_id,
        "amount_cents": amount_cents,
        "checkout_url": f"{CHECKOUT}{session_id}",
        "success_url": success_url,
        "cancel_url": cancel_url,
        "created_at": tx.now,
    }
    tx.connection.execute(_INSERT, row)
    begun = _find(tx.connection, session_id=session_id)
    assert begun is not None
    tx.record("topup.created", begun.top_up_id, buyer_id=buyer_id, amount_cents=amount_cents)
    return begun


def credit_top_up(tx: Transaction, paid: Completed) -> tuple[TopUp, int | None]:
    """Credit a top-up that was paid; return it, with the wallet's new balance the first time.

    An event or a session that credited before moves nothing. Raises ``NotFound`` for a
    session that nobody opened here, ``Invalid`` for another amount than was asked.
    """
    found = _find(tx.connection, session_id=paid.session_id, event_id=paid.event_id)
    if found is None:
        raise NotFound("Stripe checkout top-up was not found")
    if found.event_id is not None:
        return found, None
    if found.amount_cents != paid.amount_cents:
        raise Invalid(f"amount_total: this top-up is of {found.amount_cents} cents")
    return _credit(tx, found, paid.event_id), balance(tx.connection, found.wallet_number)


def _credit(tx: Transaction, found: TopUp, event_id: str) -> TopUp:
    payment = Payment(found.buyer_id, found.session_id, found.amount_cents, "USD", "stripe")
    credit_payment(tx, payment, reason=CREDIT_REASON, subject=found.top_up_id)
    credited: dict[str, object] = {
        "of_number": found.number,
        "by_event": event_id,
        "at": tx.now,
    }
    tx.connection.execute(_UPDATE, credited)
    told: dict[str, Any] = {"buyer_id": found.buyer_id, "amount_cents": found.amount_cents}
    tx.record("topup.credited", found.top_up_id, event_id=event_id, **told)
    return found._replace(event_id=event_id)


def _find(connection: Connection, *, session_id: str, event_id: str | None = None) -> TopUp | None:
    """Return the top-up that an event credited, or else the one of a session."""
    rows = connection.execute(_NAMED, {"of_session": session_id, "by_event": event_id}).all()
    found = [TopUp(*row) for row in rows]
    known = [top_up for top_up in found if event_id and top_up.event_id == event_id]
    return next(iter(known or found), None)


_INSERT = insert(TOP_UPS)
_NAMED = (
    select(
        TOP_UPS.c.top_up_number,
        TOP_UPS.c.top_up_id,
        TOP_UPS.c.session_id,
        TOP_UPS.c.wallet_number,
        ACCOUNTS.c.account_id,
        TOP_UPS.c.buyer_id,
        TOP_UPS.c.amount_cents,
        TOP_UPS.c.checkout_url,
        TOP_UPS.c.event_id,
    )
    .join(ACCOUNTS, ACCOUNTS.c.account_number == TOP_UPS.c.wallet_number)
    .where(
        or_(
            TOP_UPS.c.session_id == bindparam("of_session"),
            TOP_UPS.c.event_id == bindparam("by_event"),
        )
    )
    .with_for_update(of=TOP_UPS)
)
_UPDATE = (
    update(TOP_UPS)
    .where(TOP_UPS.c.top_up_number == bindparam("of_number"))
    .values(event_id=bindparam("by_event"), credited_at=bindparam("at"))
)
