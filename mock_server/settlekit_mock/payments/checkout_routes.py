"""The routes of hosted checkout, of its sandbox helpers, and of the platform's status."""

from typing import Any, Literal

import msgspec

from settlekit.money import TOKENS, Band
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Reply, Request, Route
from settlekit_mock.http.wire import (
    AmountMinor,
    Answer,
    Body,
    Currency,
    Metadata,
    MinorText,
    ShortText,
    Timestamp,
    Token,
    UrlText,
)
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.payments import checkout
from settlekit_mock.payments.paying import PER_PAYMENT
from settlekit_mock.payments.rules.checkout import SessionStatus, status_at, with_session
from settlekit_mock.payments.settled import settled_by
from settlekit_mock.payments.tables import CheckoutSession, Merchant, merchant_numbered
from settlekit_mock.settlement.confirmations import AGGREGATED, CADENCES, CONFIRMED
from settlekit_mock.settlement.rules.amounts import split_metered, wire_minor
from settlekit_mock.webhooks import service as webhooks
from settlekit_mock.webhooks.routes import EventName
from settlekit_mock.webhooks.tables import DeliveryStatus, delivery_of

SettlementStatus = Literal["pending_payment", "provisional", "settled", "pending_settlement"]


class NewSessionAnswer(Answer, frozen=True, kw_only=True):
    """Where to send the buyer."""

    checkout_url: str
    session_id: str
    challenge_hash: str
    status: SessionStatus
    expires_at: Timestamp


class SessionAnswer(Answer, frozen=True, kw_only=True):
    """A checkout session: never the challenge itself, never who pays."""

    session_id: str
    merchant: str
    currency: Currency
    token_symbol: Token
    amount_minor: int
    status: SessionStatus
    challenge_hash: str
    requirement_id: str | None
    pricing_band: Band
    settlement_cadence: Literal["per_payment", "weekly", "monthly"]
    finality: Literal["per_payment_onchain", "aggregated_onchain_settlement"]
    protocol_fee_minor: MinorText | None
    settlement_status: SettlementStatus
    chain_receipt_id: str | None
    success_url: str
    cancel_url: str
    checkout_url: str
    expires_at: Timestamp
    authenticated_at: Timestamp | None
    paid_at: Timestamp | None
    cancelled_at: Timestamp | None
    created_at: Timestamp
    metadata_jsonb: Metadata


class ConfirmAnswer(Answer, frozen=True, kw_only=True):
    """A session that is paid, and where its buyer goes."""

    status: Literal["paid"]
    redirect_url: str
    event: EventName


class RedeliverAnswer(Answer, frozen=True, kw_only=True):
    """How the event of a paid session was received again."""

    redelivered: bool
    event: EventName
    delivery_status: DeliveryStatus | None
    response_status: int | None


class StatusAnswer(Answer, frozen=True, kw_only=True):
    """The platform's state."""

    status: Literal["operational"]


class SessionBody(Body, frozen=True, kw_only=True):
    """What a session is opened with."""

    merchant: ShortText
    amount_minor: AmountMinor
    currency: ShortText
    nonce: ShortText
    success_url: UrlText
    cancel_url: UrlText
    metadata: Metadata = msgspec.field(default_factory=Metadata)


class ConfirmBody(Body, frozen=True, kw_only=True):
    """Who pays; the server's first buyer unless named."""

    buyer: ShortText | None = None


def checkout_url(request: Request, session: CheckoutSession) -> str:
    """Return the address of a session's page."""
    return f"{request.public_url}/pay/{session.session_id}"


def _open(request: Request) -> NewSessionAnswer:
    body: SessionBody = request.body
    given = checkout.NewSession(
        merchant=body.merchant,
        amount_minor=body.amount_minor,
        currency=body.currency,
        nonce=body.nonce,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        metadata=body.metadata,
    )
    with request.world.transaction() as tx:
        session = checkout.open_session(tx, request.caller.subject, given)
        now = tx.now
    return NewSessionAnswer(
        checkout_url=checkout_url(request, session),
        session_id=session.session_id,
        challenge_hash=session.challenge_hash,
        status=status_at(session.status, session.expires_at, now),
        expires_at=to_text(session.expires_at),
    )


def _get(request: Request) -> SessionAnswer:
    with request.world.snapshot() as connection:
        now = load_state(connection).now
        session = checkout.known_session(connection, request.path["session_id"])
        merchant = merchant_numbered(connection, session.merchant_number)
        if merchant.merchant_user_id != request.caller.subject:
            raise NotFound("no such checkout session", code="CHECKOUT_SESSION_NOT_FOUND")
        receipt = session.chain_receipt_id or settled_by(connection, session.requirement_id)
    shown = session._replace(chain_receipt_id=receipt)
    return session_answer(request, shown, merchant, now)


def session_answer(
    request: Request, session: CheckoutSession, merchant: Merchant, now: int
) -> SessionAnswer:
    """Show a session as it is at an instant; one with a chain receipt has settled."""
    band = Band(session.pricing_band)
    currency: Any = session.currency
    token: Any = TOKENS[currency]
    cadence: Any = CADENCES[band]
    finality: Any = PER_PAYMENT if band is Band.STANDARD else AGGREGATED
    return SessionAnswer(
        session_id=session.session_id,
        merchant=merchant.merchant,
        currency=currency,
        token_symbol=token,
        amount_minor=session.amount_minor,
        status=status_at(session.status, session.expires_at, now),
        challenge_hash=session.challenge_hash,
        requirement_id=session.requirement_id,
        pricing_band=band,
        settlement_cadence=cadence,
        finality=finality,
        protocol_fee_minor=_fee(session, band),
        settlement_status=_settlement_status(session),
        chain_receipt_id=session.chain_receipt_id,
        success_url=session.success_url,
        cancel_url=session.cancel_url,
        checkout_url=checkout_url(request, session),
        expires_at=to_text(session.expires_at),
        authenticated_at=optional_text(session.authenticated_at),
        paid_at=optional_text(session.paid_at),
        cancelled_at=optional_text(session.cancelled_at),
        created_at=to_text(session.created_at),
        metadata_jsonb=msgspec.json.decode(session.metadata),
    )


def _fee(session: CheckoutSession, band: Band) -> str | None:
    if band is Band.STANDARD:
        return None
    return wire_minor(split_metered(session.amount_minor, session.currency).fee, session.currency)


def _settlement_status(session: CheckoutSession) -> SettlementStatus:
    if session.status is not SessionStatus.PAID:
        return "pending_payment"
    return "pending_settlement" if session.chain_receipt_id is None else "settled"


def _confirm(request: Request) -> ConfirmAnswer:
    body: ConfirmBody = request.body
    with request.world.transaction() as tx:
        session = checkout.approve(tx, request.path["session_id"], body.buyer)
    return ConfirmAnswer(
        status="paid",
        redirect_url=with_session(session.success_url, session.session_id),
        event=_event(session),
    )


def _redeliver(request: Request) -> Reply:
    with request.world.transaction() as tx:
        session = checkout.known_session(tx.connection, request.path["session_id"])
        if session.confirmed_event_id is None:
            raise Conflict(
                "confirm the checkout session first", code="CHECKOUT_SESSION_NOT_CONFIRMED"
            )
        sent = webhooks.redeliver_event(tx, session.confirmed_event_id)
    request.world.settle()
    with request.world.snapshot() as connection:
        found = [delivery_of(connection, one) for one in sent]
    result = webhooks.verdict([one for one in found if one is not None])
    answer = RedeliverAnswer(
        redelivered=result.delivery_status == "delivered",
        event=_event(session),
        delivery_status=result.delivery_status,
        response_status=result.response_status,
    )
    return Reply(502 if result.delivery_status == "failed" else 200, answer)


def _event(session: CheckoutSession) -> EventName:
    assert session.confirmed_event_id is not None
    return EventName(id=session.confirmed_event_id, type=CONFIRMED)


def _status(_request: Request) -> StatusAnswer:
    return StatusAnswer(status="operational")


_SESSIONS = "/v1/sdrp/direct-payments/checkout-sessions"
_SANDBOX = "/sandbox/checkout-sessions/<session_id>"
_UNKNOWN = (404, "CHECKOUT_SESSION_NOT_FOUND")

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _SESSIONS,
        Role.MERCHANT,
        _open,
        NewSessionAnswer,
        "Open a checkout session; the same nonce and input answer the same one",
        body=SessionBody,
        status=201,
        invalid_code="INVALID_CHECKOUT_SESSION_REQUEST",
        errors=(
            (404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
            (404, "FEATURE_DISABLED"),
            (409, "CHECKOUT_NONCE_REUSED"),
            (409, "HOSTED_CHECKOUT_NOT_ENABLED"),
            (409, "HOSTED_CHECKOUT_READINESS_REQUIRED"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
            (409, "USD_TERMS_REQUIRED"),
        ),
        tag="checkout",
    ),
    Route(
        "GET",
        f"{_SESSIONS}/<session_id>",
        Role.MERCHANT,
        _get,
        SessionAnswer,
        "Read a checkout session",
        errors=(_UNKNOWN,),
        tag="checkout",
    ),
    Route(
        "POST",
        f"/v1{_SANDBOX}/confirm",
        Role.ANYONE,
        _confirm,
        ConfirmAnswer,
        "Pay a session without its page; the webhook is delivered before the answer",
        body=ConfirmBody,
        errors=(
            _UNKNOWN,
            (402, "BUDGET_EXCEEDED"),
            (404, "BUYER_NOT_FOUND"),
            (409, "CHECKOUT_SESSION_NOT_OPEN"),
            (409, "METERED_SETTLEMENT_PAST_DUE"),
            (409, "NO_BUYER"),
        ),
        also=(f"{_SANDBOX}/confirm",),
        tag="sandbox",
    ),
    Route(
        "POST",
        f"/v1{_SANDBOX}/redeliver",
        Role.ANYONE,
        _redeliver,
        RedeliverAnswer,
        "Deliver a paid session's event again; 502 where it doesn't arrive",
        errors=(_UNKNOWN, (409, "CHECKOUT_SESSION_NOT_CONFIRMED")),
        also_statuses=((502, "Not delivered"),),
        also=(f"{_SANDBOX}/redeliver",),
        tag="sandbox",
    ),
    Route(
        "GET",
        "/v1/sdrp/direct-payments/status",
        Role.ANYONE,
        _status,
        StatusAnswer,
        "Say that the platform works",
        tag="platform",
    ),
)
