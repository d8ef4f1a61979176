"""The routes of top-ups: a buyer begins one, the card processor says that it was paid."""

import time
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType, field

from settlekit.errors import SignatureError
from settlekit.webhooks.signature import verify_signature
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.reading import read_json
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.http.wire import (
    AmountText,
    Answer,
    Body,
    MajorText,
    Metadata,
    ShortText,
    StrictBody,
    UrlText,
    positive_units,
)
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import Invalid, Problem
from settlekit_mock.kernel.times import SECOND
from settlekit_mock.operations.rules.top_ups import CENT, completed
from settlekit_mock.operations.top_ups import TopUp, begin_top_up, credit_top_up
from settlekit_mock.webhooks.rules import read_url

SIGNATURE_HEADER: Final = "stripe-signature"
TOLERANCE_SECONDS: Final = 300
OptionalMajor = MajorText | UnsetType


class TopUpBody(StrictBody, frozen=True, kw_only=True):
    """How many dollars of credits to buy, in whole cents, and where to go afterwards."""

    amount_usd: Annotated[AmountText, Meta(description="US dollars, in whole cents.")]
    success_url: UrlText
    cancel_url: UrlText


class TopUpBegun(Answer, frozen=True, kw_only=True):
    """A card checkout to be paid."""

    checkout_session_id: str
    checkout_url: str
    wallet_id: str
    amount_usd: MajorText
    status: Literal["pending"]


class TopUpAnswer(Answer, frozen=True, kw_only=True):
    """A top-up that was credited; the balance is told by the event that credited it alone."""

    id: str
    wallet_id: str
    provider: Literal["stripe"]
    provider_checkout_session_id: str
    provider_event_id: str
    amount_usd: MajorText
    checkout_url: str
    status: Literal["credited"]
    credited_wallet_balance_usd: OptionalMajor = UNSET


class CardEvent(Body, frozen=True, kw_only=True):
    """An event of the card processor; what this version doesn't know of it is ignored."""

    type: ShortText
    id: ShortText | None = None
    data: Metadata = field(default_factory=dict[str, Any])


class Received(Answer, frozen=True, kw_only=True):
    """What became of an event: a credited top-up, or nothing."""

    received: Literal[True] = True
    ignored: Literal[True] | UnsetType = UNSET
    topup: TopUpAnswer | UnsetType = UNSET


def _begin(request: Request) -> TopUpBegun:
    body: TopUpBody = request.body
    amount = positive_units(body.amount_usd, "amount_usd")
    if amount % CENT:
        raise Invalid("amount_usd: a card is charged whole cents")
    with request.world.transaction() as tx:
        begun = begin_top_up(
            tx,
            request.caller.subject,
            amount_cents=amount // CENT,
            success_url=read_url(body.success_url, "success_url").text,
            cancel_url=read_url(body.cancel_url, "cancel_url").text,
        )
    return TopUpBegun(
        checkout_session_id=begun.session_id,
        checkout_url=begun.checkout_url,
        wallet_id=begun.wallet_id,
        amount_usd=major_text(amount),
        status="pending",
    )


def _webhook(request: Request) -> Received:
    _verify(request)
    paid = completed(read_json(request.raw))
    if paid is None:
        return Received(ignored=True)
    with request.world.transaction() as tx:
        top_up, units = credit_top_up(tx, paid)
    return Received(topup=_top_up(top_up, units))


def _verify(request: Request) -> None:
    """Refuse a body that the processor didn't sign just now, where the secret is known."""
    secret = request.world.settings.stripe_webhook_secret
    if secret is None:
        return
    state = request.world.state()
    # The processor signs by the machine's time, as this server's own webhooks do.
    now = state.now / SECOND if state.sign_with_clock else time.time()
    header = request.headers.get(SIGNATURE_HEADER)
    try:
        verify_signature(
            request.raw, header, [secret], tolerance_seconds=TOLERANCE_SECONDS, now=lambda: now
        )
    except SignatureError as error:
        raise Problem(f"{SIGNATURE_HEADER}: {_WRONG[error.reason]}") from error


_WRONG: Final = {
    "missing": "there is none",
    "malformed": "expected t=<unix seconds>,v1=<hex>",
    "stale": f"the time differs by more than {TOLERANCE_SECONDS} s",
    "mismatch": "the secret made no such signature of this body",
}


def _top_up(top_up: TopUp, units: int | None) -> TopUpAnswer:
    event_id: Any = top_up.event_id
    return TopUpAnswer(
        id=top_up.top_up_id,
        wallet_id=top_up.wallet_id,
        provider="stripe",
        provider_checkout_session_id=top_up.session_id,
        provider_event_id=event_id,
        amount_usd=major_text(top_up.amount_cents * CENT),
        checkout_url=top_up.checkout_url,
        status="credited",
        credited_wallet_balance_usd=UNSET if units is None else major_text(units),
    )


TOP_UP_ROUTES: Final = (
    Route(
        "POST",
        "/v1/user/stripe/checkout-sessions",
        Role.BUYER,
        _begin,
        TopUpBegun,
        "Begin to buy credits by card",
        body=TopUpBody,
        status=201,
        dialect=OPERATIONS,
    ),
    Route(
        "POST",
        "/v1/stripe/webhook",
        Role.ANYONE,
        _webhook,
        Received,
        "Take the card processor's events: a completed checkout credits its top-up once",
        body=CardEvent,
        dialect=OPERATIONS,
        errors=((404, "invalid_request"),),
    ),
)
