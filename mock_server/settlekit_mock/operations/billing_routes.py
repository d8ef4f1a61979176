"""The balance routes: an operator sets a customer's credits, and reads their billing."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.http.wire import Answer, ShortText, StrictBody, Timestamp
from settlekit_mock.kernel.times import to_text
from settlekit_mock.operations.billing import PaymentEvent, billing_of, override_balance
from settlekit_mock.operations.rules.top_ups import MOST_CENTS
from settlekit_mock.operations.wire import NoFields

Provider = Literal["stripe", "clickpesa"]
Cents = Annotated[int, Meta(ge=-MOST_CENTS, le=MOST_CENTS, description="US cents.")]


class BalanceBody(StrictBody, frozen=True, kw_only=True):
    """Which customer's balance to set, and to what; below zero is allowed."""

    sid: ShortText
    balance_cents: Cents


class BalanceAnswer(Answer, frozen=True, kw_only=True):
    """A balance that was set: cents before and after, and what was ever paid."""

    sid: str
    prev_balance: int
    new_balance: int
    lifetime_paid_cents: int


class PaymentEventAnswer(Answer, frozen=True, kw_only=True):
    """A payment: US cents, the currency it was made in, and the provider's own reference."""

    external_ref: str
    amount_cents: int
    currency: str
    provider: Provider
    created_at: Timestamp


class BillingAnswer(Answer, frozen=True, kw_only=True):
    """A customer's credits and payments; cents that aren't whole are rounded down."""

    sid: str
    credit_balance_cents: int
    lifetime_paid_cents: int
    payment_events: list[PaymentEventAnswer]


def _override(request: Request) -> BalanceAnswer:
    body: BalanceBody = request.body
    with request.world.transaction() as tx:
        override = override_balance(tx, body.sid, body.balance_cents, actor=request.caller.subject)
    return BalanceAnswer(
        sid=body.sid,
        prev_balance=override.before_cents,
        new_balance=override.after_cents,
        lifetime_paid_cents=override.lifetime_paid_cents,
    )


def _billing(request: Request) -> BillingAnswer:
    sid = request.path["sid"]
    with request.world.snapshot() as connection:
        found = billing_of(connection, sid)
    return BillingAnswer(
        sid=sid,
        credit_balance_cents=found.credit_balance_cents,
        lifetime_paid_cents=found.lifetime_paid_cents,
        payment_events=[payment_answer(event) for event in found.payment_events],
    )


def payment_answer(event: PaymentEvent) -> PaymentEventAnswer:
    """Shape a payment event for the wire."""
    payment: Any = event.payment
    return PaymentEventAnswer(
        external_ref=payment.external_ref,
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        provider=payment.provider,
        created_at=to_text(event.created_at),
    )


BILLING_ROUTES: Final = (
    Route(
        "POST",
        "/admin/balance-adjust",
        Role.ADMIN_SECRET,
        _override,
        BalanceAnswer,
        "Set a customer's credits, as after a refund in the payment provider's console",
        body=BalanceBody,
        dialect=OPERATIONS,
        errors=((404, "invalid_request"),),
    ),
    Route(
        "GET",
        "/admin/billing/<sid>",
        Role.ADMIN_SECRET,
        _billing,
        BillingAnswer,
        "Read a customer's credits, what they paid in all, and each payment",
        query=NoFields,
        dialect=OPERATIONS,
    ),
)
