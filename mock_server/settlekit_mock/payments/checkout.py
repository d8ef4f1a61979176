"""The use cases of hosted checkout: open a session, sign in, pay, cancel, fail, expire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from settlekit.challenge import challenge_hash, normalize_nonce, sign
from settlekit_mock.kernel.idempotency import payload_hash
from settlekit_mock.kernel.problems import Conflict, Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.merchants import owned_merchant, readiness_of
from settlekit_mock.payments.paying import Payment, take
from settlekit_mock.payments.rules import merchants as merchant_rules
from settlekit_mock.payments.rules.checkout import (
    LIFETIME,
    SessionStatus,
    may_become,
    payable_band,
    status_at,
)
from settlekit_mock.payments.rules.readiness import BILLING_BLOCKERS
from settlekit_mock.payments.tables import (
    UPDATE_SESSION,
    CheckoutSession,
    Merchant,
    insert_session,
    merchant_numbered,
    session_with_id,
    session_with_nonce,
)
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.tables import BUYERS

EXPIRE: Final = "checkout.expire"
"""The kind of due work that ends a session; its subject is the session's id."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a merchant opens a session with."""

    merchant: str
    amount_minor: int
    currency: str
    nonce: str
    success_url: str
    cancel_url: str
    metadata: Mapping[str, Any]


def open_session(tx: Transaction, owner: str, given: NewSession) -> CheckoutSession:
    """Open a session, or return the one that the same nonce and input opened before.

    Raises ``Invalid`` naming a field, ``NotFound`` for an unknown merchant, ``Conflict``
    where hosted checkout isn't to be had, or the nonce came before with other input.
    """
    merchant = owned_merchant(tx.connection, owner, given.merchant)
    given = _normal(merchant, given)
    hashed = payload_hash(msgspec.to_builtins(given))
    found = session_with_nonce(tx.connection, merchant.merchant_number, given.nonce)
    if found is not None:
        if found.input_hash != hashed:
            raise Conflict(
                "this nonce opened a session with other input; use a new one for a new attempt",
                code="CHECKOUT_NONCE_REUSED",
            )
        return found
    _check_available(tx.connection, merchant, given.currency)
    return _open(tx, merchant, given, hashed)


def _normal(merchant: Merchant, given: NewSession) -> NewSession:
    currency = merchant_rules.currency(given.currency)
    if currency not in merchant.currencies:
        raise Invalid(f"currency: this merchant takes {' and '.join(merchant.currencies)}")
    payable_band(given.amount_minor, currency)
    with merchant_rules.refusing():
        nonce = normalize_nonce(given.nonce)
    return NewSession(
        merchant=merchant.merchant,
        amount_minor=given.amount_minor,
        currency=currency,
        nonce=nonce,
        success_url=merchant_rules.return_url(given.success_url, "success_url", merchant.origins),
        cancel_url=merchant_rules.return_url(given.cancel_url, "cancel_url", merchant.origins),
        metadata=given.metadata,
    )


def _check_available(connection: Connection, merchant: Merchant, currency: str) -> None:
    if merchant.hosted_checkout == "gone":
        raise NotFound("hosted checkout isn't offered here", code="FEATURE_DISABLED")
    if merchant.hosted_checkout == "off":
        raise Conflict(
            "hosted checkout isn't enabled for this merchant", code="HOSTED_CHECKOUT_NOT_ENABLED"
        )
    missing = readiness_of(connection, merchant).missing
    if missing:
        raise Conflict(
            f"the merchant isn't ready for hosted checkout: {', '.join(missing)}",
            code="HOSTED_CHECKOUT_READINESS_REQUIRED",
            data={"missing_requirements": list(missing)},
        )
    check_billing(merchant, currency)


def check_billing(merchant: Merchant, currency: str) -> None:
    """Raise ``Conflict`` where a merchant's billing, or its terms for a currency, forbid payments."""
    blocker = BILLING_BLOCKERS.get(merchant.billing_status)
    if blocker is not None:
        raise Conflict(f"the merchant's billing is {merchant.billing_status}", code=blocker)
    if currency == "USD" and not merchant.usd_terms_agreed:
        raise Conflict("the merchant hasn't agreed terms for USD", code="USD_TERMS_REQUIRED")


def _open(tx: Transaction, merchant: Merchant, given: NewSession, hashed: bytes) -> CheckoutSession:
    challenge = sign(
        secret=merchant.challenge_secret,
        merchant=merchant.merchant,
        amount_minor=given.amount_minor,
        currency=given.currency,
        nonce=given.nonce,
    )
    session = CheckoutSession(
        session_id=tx.new_id("chk"),
        merchant_number=merchant.merchant_number,
        nonce=given.nonce,
        input_hash=hashed,
        amount_minor=given.amount_minor,
        currency=given.currency,
        pricing_band=payable_band(given.amount_minor, given.currency).value,
        challenge=challenge,
        challenge_hash=challenge_hash(challenge),
        success_url=given.success_url,
        cancel_url=given.cancel_url,
        metadata=msgspec.json.encode(given.metadata).decode(),
        form_token=tx.ids.secret("form"),
        status=SessionStatus.OPEN,
        buyer_id=None,
        requirement_id=None,
        chain_receipt_id=None,
        confirmed_event_id=None,
        expires_at=tx.now + LIFETIME,
        authenticated_at=None,
        paid_at=None,
        cancelled_at=None,
        created_at=tx.now,
    )
    insert_session(tx.connection, session)
    tx.schedule(EXPIRE, session.session_id, session.expires_at)
    tx.record("checkout.opened", session.session_id, merchant=merchant.merchant)
    return session


def authenticate(tx: Transaction, session_id: str, buyer_id: str | None = None) -> CheckoutSession:
    """Sign a buyer in to a session; another buyer may still take its place."""
    session = known_session(tx.connection, session_id)
    _check_waiting(tx, session, SessionStatus.AUTHENTICATED)
    buyer = _payer(tx, session, buyer_id)
    changes = {"buyer_id": buyer, "authenticated_at": tx.now}
    return _become(tx, session, SessionStatus.AUTHENTICATED, buyer=buyer, columns=changes)


def approve(tx: Transaction, session_id: str, buyer_id: str | None = None) -> CheckoutSession:
    """Pay a session: its buyer, the one named, or else the server's first.

    A session that is paid already is returned as it is. Raises ``Conflict`` where it is
    over, and what ``take`` raises; it stays open then.
    """
    session = known_session(tx.connection, session_id)
    if session.status is SessionStatus.PAID:
        return session
    _check_waiting(tx, session, SessionStatus.PAID)
    buyer = _payer(tx, session, buyer_id)
    merchant = merchant_numbered(tx.connection, session.merchant_number)
    metadata = msgspec.json.decode(session.metadata)
    payment = Payment(
        buyer_id=buyer,
        amount_minor=session.amount_minor,
        currency=session.currency,
        challenge=session.challenge,
        expires_at=session.expires_at,
        metadata=metadata,
    )
    told = {"checkout_session_id": session_id, "session_id": session_id}
    taken = take(tx, merchant, payment, told=told)
    tx.cancel(EXPIRE, session_id)
    columns = {
        "buyer_id": buyer,
        "requirement_id": taken.requirement_id,
        "chain_receipt_id": taken.chain_receipt_id,
        "confirmed_event_id": taken.confirmed_event_id,
        "authenticated_at": session.authenticated_at or tx.now,
        "paid_at": tx.now,
    }
    return _become(tx, session, SessionStatus.PAID, buyer=buyer, columns=columns)


def cancel(tx: Transaction, session_id: str, buyer_id: str | None = None) -> CheckoutSession:
    """End a session by its buyer's wish."""
    return _end(tx, session_id, buyer_id, SessionStatus.CANCELLED, {"cancelled_at": tx.now})


def fail(tx: Transaction, session_id: str, buyer_id: str | None = None) -> CheckoutSession:
    """End a session as failed."""
    return _end(tx, session_id, buyer_id, SessionStatus.FAILED, {})


def _end(
    tx: Transaction,
    session_id: str,
    buyer_id: str | None,
    status: SessionStatus,
    columns: Mapping[str, Any],
) -> CheckoutSession:
    session = known_session(tx.connection, session_id)
    _check_waiting(tx, session, status)
    buyer = None if buyer_id is None else buyer_with_id(tx.connection, buyer_id).buyer_id
    tx.cancel(EXPIRE, session_id)
    return _become(tx, session, status, buyer=buyer, columns=columns)


def expire_due(tx: Transaction, session_id: str) -> None:
    """End a session that nobody paid in time."""
    session = session_with_id(tx.connection, session_id)
    if session is not None and may_become(session.status, SessionStatus.EXPIRED):
        _become(tx, session, SessionStatus.EXPIRED, columns={})


def known_session(connection: Connection, session_id: str) -> CheckoutSession:
    """Return a session by its id, or raise ``NotFound``."""
    session = session_with_id(connection, session_id)
    if session is None:
        raise NotFound("no such checkout session", code="CHECKOUT_SESSION_NOT_FOUND")
    return session


def _check_waiting(tx: Transaction, session: CheckoutSession, wanted: SessionStatus) -> None:
    status = status_at(session.status, session.expires_at, tx.now)
    if not may_become(status, wanted):
        raise Conflict(
            f"the checkout session is {status.value}; it can't become {wanted.value}",
            code="CHECKOUT_SESSION_NOT_OPEN",
        )


def _payer(tx: Transaction, session: CheckoutSession, buyer_id: str | None) -> str:
    chosen = buyer_id or session.buyer_id
    if chosen is not None:
        return buyer_with_id(tx.connection, chosen).buyer_id
    first: str | None = tx.connection.execute(_FIRST_BUYER).scalar()
    if first is None:
        raise Conflict("this server has no buyer; make one first", code="NO_BUYER")
    return first


def _become(
    tx: Transaction,
    session: CheckoutSession,
    status: SessionStatus,
    *,
    columns: Mapping[str, Any],
    buyer: str | None = None,
) -> CheckoutSession:
    tx.connection.execute(
        UPDATE_SESSION, {"given": session.session_id, "status": status.value, **columns}
    )
    tx.record(f"checkout.{status.value}", session.session_id, buyer=buyer)
    return session._replace(status=status, **columns)


_FIRST_BUYER = select(BUYERS.c.buyer_id).order_by(BUYERS.c.buyer_number).limit(1)
