"""The route by which a buyer subscribes."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from settlekit.money import TOKENS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Reply, Request, Route
from settlekit_mock.http.wire import AmountMinor, Body, ShortText
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.recurring.challenges import INVALID, REQUIRED, USED, Asked
from settlekit_mock.recurring.subscriptions import CADENCE, Made, subscribe
from settlekit_mock.recurring.wire import (
    InitialCharge,
    PaymentSubscriptionAnswer,
    charge_fields,
    mandate_answer,
    receipt_answer,
)

ChallengeText = Annotated[str, Meta(max_length=1000)]
CHALLENGE_ERRORS: Final = (
    (402, "BUDGET_EXCEEDED"),
    (404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
    (404, "BUYER_NOT_FOUND"),
    (409, USED),
    (409, "METERED_SETTLEMENT_PAST_DUE"),
    (409, "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
    (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
    (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
    (409, "USD_TERMS_REQUIRED"),
    (422, REQUIRED),
    (422, INVALID),
)


class PaymentSubscriptionBody(Body, frozen=True, kw_only=True):
    """The merchant's terms, and its recurring challenge for them."""

    merchant: ShortText
    amount_minor: AmountMinor
    currency: ShortText
    challenge: ChallengeText | None = None
    cadence: ShortText = CADENCE
    token_symbol: ShortText | None = None


def _subscribe(request: Request) -> PaymentSubscriptionAnswer | Reply:
    body: PaymentSubscriptionBody = request.body
    asked = Asked(
        body.merchant, body.amount_minor, body.currency, body.challenge, body.token_symbol
    )
    with request.world.transaction() as tx:
        answer, new = subscribe(
            tx, request.caller.subject, asked, cadence=body.cadence, write=_written
        )
    told = msgspec.json.decode(answer, type=PaymentSubscriptionAnswer)
    return told if new else Reply(200, msgspec.structs.replace(told, idempotent_replay=True))


def _written(made: Made) -> bytes:
    subscription, merchant, charge = made
    fields = charge_fields(charge, merchant, subscription, merchant.capability_key)
    first = InitialCharge(
        **fields,
        charge_id=charge.charge_id,
        charge_number=1,
        charged_at=to_text(charge.charged_at),
    )
    return msgspec.json.encode(
        PaymentSubscriptionAnswer(
            subscription_id=subscription.subscription_id,
            subscription_status="created",
            mode="external_402",
            merchant=merchant.merchant,
            merchant_display_name=merchant.display_name,
            challenge_hash=subscription.challenge_hash,
            mandate=mandate_answer(subscription, CADENCE, subscription.amount_minor),
            receipt=receipt_answer(charge),
            initial_charge=first,
            idempotent_replay=False,
            amount_minor=subscription.amount_minor,
            currency=subscription.currency,  # type: ignore[arg-type]
            token_symbol=TOKENS[subscription.currency],  # type: ignore[arg-type]
            cadence=CADENCE,
            fee_bps=charge.fee_bps,
            next_charge_at=optional_text(subscription.next_charge_at),
            created_at=to_text(subscription.started_at),
        )
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/sdrp/direct-payments/subscriptions",
        Role.BUYER,
        _subscribe,
        PaymentSubscriptionAnswer,
        "Subscribe and pay the first month (201); the same challenge answers the same (200)",
        body=PaymentSubscriptionBody,
        status=201,
        also_statuses=((200, "Redeemed before, by this buyer"),),
        errors=CHALLENGE_ERRORS,
        tag="recurring",
    ),
)
