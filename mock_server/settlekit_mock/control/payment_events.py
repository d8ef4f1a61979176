"""Record that a buyer paid for credits by way of a provider."""

from typing import Annotated

from msgspec import Meta

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import ShortText, StrictBody
from settlekit_mock.operations.billing import Payment, receive_payment
from settlekit_mock.operations.billing_routes import PaymentEventAnswer, Provider, payment_answer
from settlekit_mock.operations.rules.top_ups import MOST_CENTS

Cents = Annotated[int, Meta(ge=1, le=MOST_CENTS, description="US cents, the roll-up.")]
CurrencyCode = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z]{3}$(?!\n)", description="Three letters, ISO 4217: what was paid in."),
]


class NewPaymentEvent(StrictBody, frozen=True, kw_only=True):
    """A payment: who paid, the provider's own reference, and its worth in US cents."""

    sid: ShortText
    external_ref: ShortText
    amount_cents: Cents
    currency: CurrencyCode
    provider: Provider


class PaymentEvent(PaymentEventAnswer, frozen=True, kw_only=True):
    """A payment that was recorded, and whose it is."""

    sid: str


def create(request: Request) -> PaymentEvent:
    """Record a payment and credit it; the same one again answers the first."""
    body: NewPaymentEvent = request.body
    payment = Payment(
        buyer_id=body.sid,
        external_ref=body.external_ref,
        amount_cents=body.amount_cents,
        currency=body.currency.upper(),
        provider=body.provider,
    )
    with request.world.transaction() as tx:
        answer = payment_answer(receive_payment(tx, payment))
    fields = {name: getattr(answer, name) for name in answer.__struct_fields__}
    return PaymentEvent(sid=body.sid, **fields)
