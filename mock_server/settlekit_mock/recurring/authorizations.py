"""Scheduled authorizations: what a buyer approves ahead, until it is used up, over or revoked."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from settlekit_mock.kernel.discretion import discreet_repr
from settlekit_mock.kernel.problems import Conflict, Invalid, NotFound, Unauthenticated
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.checkout import check_billing
from settlekit_mock.payments.tables import Merchant, merchant_numbered
from settlekit_mock.recurring.challenges import Asked, Offer, proven, redeem
from settlekit_mock.recurring.rules import (
    MOVES,
    AuthorizationStatus,
    Limits,
    authorization_status_at,
)
from settlekit_mock.recurring.tables import (
    INSERT_AUTHORIZATION,
    UPDATE_AUTHORIZATION,
    Authorization,
    authorization_with_id,
    authorization_with_token,
)
from settlekit_mock.settlement.buyers import buyer_with_id

CADENCE: Final = "daily"
"""What the merchant's challenge is tagged with; it limits nothing."""
EXPIRE: Final = "authorization.expire"
"""The kind of due work that ends an authorization; its subject is the authorization's id."""
NOT_ACTIVE: Final = "SCHEDULED_AUTHORIZATION_NOT_ACTIVE"

_HINT_LENGTH = 4


class Approval(NamedTuple):
    """What a buyer approves beyond the merchant's terms."""

    max_amount_minor: int
    limits: Limits
    cadence: Mapping[str, Any]
    expires_at: int | None
    metadata: Mapping[str, Any]
    capability_key: str | None
    operation_key: str | None
    agent_id: str | None


class Approved(NamedTuple):
    """An authorization; its ``schedule_token`` only where it was made by this very call."""

    authorization: Authorization
    merchant: Merchant
    schedule_token: str | None

    def __repr__(self) -> str:
        return discreet_repr(self)


def authorize(tx: Transaction, buyer_id: str, asked: Asked, approval: Approval) -> Approved:
    """Approve runs ahead and draw the token that orders them, shown this once.

    The same challenge and approval from the same buyer answer the same authorization, without
    its token. Raises what ``proven`` raises, and ``Invalid`` for an approval that no run fits.
    """
    offer = proven(tx.connection, asked, CADENCE)
    if approval.max_amount_minor < offer.amount_minor:
        raise Invalid("max_amount_minor_per_run: a run costs more than that")
    if approval.expires_at is not None and approval.expires_at <= tx.now:
        raise Invalid("expires_at: lies in the past of the server's clock")
    buyer_with_id(tx.connection, buyer_id)
    drawn: list[str] = []

    def write() -> bytes:
        # Drawn here, so that a repeated call draws nothing and leaves everything as it was.
        drawn.append(tx.ids.secret("sched"))
        return _write(tx, buyer_id, offer, approval, drawn[0]).encode()

    payload = ["authorization", buyer_id, approval]
    answer, _ = redeem(tx, offer, payload=payload, effect=write)
    made = authorization_with_id(tx.connection, answer.decode())
    assert made is not None
    return Approved(_as_of(made, tx.now), offer.merchant, drawn[0] if drawn else None)


def _write(tx: Transaction, buyer_id: str, offer: Offer, approval: Approval, token: str) -> str:
    merchant = offer.merchant
    check_billing(merchant, offer.currency)
    authorization_id = tx.new_id("saa")
    row: dict[str, object] = {
        "authorization_id": authorization_id,
        "buyer_id": buyer_id,
        "merchant_number": merchant.merchant_number,
        "agent_id": approval.agent_id,
        "capability_key": approval.capability_key or merchant.capability_key,
        "operation_key": approval.operation_key,
        "amount_minor": offer.amount_minor,
        "max_amount_minor": approval.max_amount_minor,
        "currency": offer.currency,
        "cadence": msgspec.json.encode(approval.cadence).decode(),
        **approval.limits._asdict(),
        "challenge_hash": offer.challenge_hash,
        "mandate_id": tx.new_id("mnd"),
        "billing_plan": merchant.billing_plan,
        "token_hash": token_hash(token),
        "token_hint": token[-_HINT_LENGTH:],
        "metadata": msgspec.json.encode(approval.metadata).decode(),
        "status": AuthorizationStatus.ACTIVE.value,
        "run_count": 0,
        "counted_day": "",
        "day_runs": 0,
        "month_runs": 0,
        "expires_at": approval.expires_at,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    tx.connection.execute(INSERT_AUTHORIZATION, row)
    if approval.expires_at is not None:
        tx.schedule(EXPIRE, authorization_id, approval.expires_at)
    tx.record("authorization.created", authorization_id, buyer=buyer_id, merchant=merchant.merchant)
    return authorization_id


def token_hash(token: str) -> str:
    """Return what is kept of a schedule token."""
    return sha256(token.encode()).hexdigest()


def token_holder(
    connection: Connection, token: str, now: int, *, to_write: bool = False
) -> Authorization:
    """Return the authorization that a token orders runs of; who is to write keeps others waiting.

    Raises ``Unauthenticated`` for a token that is unknown, revoked or expired.
    """
    found = authorization_with_token(connection, token_hash(token), to_write=to_write)
    if found is None:
        raise Unauthenticated("this schedule token is unknown")
    status = _as_of(found, now).status
    over = found.expires_at is not None and now >= found.expires_at
    if status is AuthorizationStatus.REVOKED or over:
        raise Unauthenticated("this schedule token was revoked or has expired")
    return found


def revoke(tx: Transaction, buyer_id: str, authorization_id: str) -> Approved:
    """End a buyer's own authorization; its token orders nothing from now on.

    A revoked one is returned as it is. Raises ``NotFound`` for another buyer's, ``Conflict``
    for one that ended otherwise.
    """
    found = authorization_with_id(tx.connection, authorization_id)
    if found is None or found.buyer_id != buyer_id:
        raise NotFound("no such scheduled authorization")
    if found.status is not AuthorizationStatus.REVOKED:
        found = become(tx, _as_of(found, tx.now), AuthorizationStatus.REVOKED, revoked_at=tx.now)
    return Approved(found, merchant_numbered(tx.connection, found.merchant_number), None)


def expire_due(tx: Transaction, authorization_id: str) -> None:
    """End an authorization at its time, unless it ended before."""
    found = authorization_with_id(tx.connection, authorization_id)
    if found is not None and found.status is AuthorizationStatus.ACTIVE:
        become(tx, found, AuthorizationStatus.EXPIRED)


def become(
    tx: Transaction,
    found: Authorization,
    status: AuthorizationStatus,
    *,
    revoked_at: int | None = None,
) -> Authorization:
    """Move an authorization to its end; raises ``Conflict`` where it has ended already."""
    if found.status not in MOVES[status]:
        raise Conflict(
            f"the authorization is {found.status.value}; it can't become {status.value}",
            code=NOT_ACTIVE,
        )
    tx.connection.execute(
        UPDATE_AUTHORIZATION,
        {
            "given": found.authorization_id,
            "status": status.value,
            "revoked_at": revoked_at,
            "updated_at": tx.now,
        },
    )
    tx.record(f"authorization.{status.value}", found.authorization_id, buyer=found.buyer_id)
    return found._replace(status=status, revoked_at=revoked_at, updated_at=tx.now)


def _as_of(found: Authorization, now: int) -> Authorization:
    return found._replace(status=authorization_status_at(found.status, found.expires_at, now))
