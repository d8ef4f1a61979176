"""The use cases of requirements but for executing them: ask, verify, fail, expire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from settlekit.challenge import challenge_hash, verify
from settlekit.money import TOKENS, Band
from settlekit_mock.kernel.problems import Conflict, Invalid, NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.checkout import check_billing
from settlekit_mock.payments.merchants import known_merchant
from settlekit_mock.payments.paying import (
    SPENT,
    as_spent,
    challenge_used,
)
from settlekit_mock.payments.requirements_tables import (
    INSERT_REQUIREMENT,
    UPDATE_REQUIREMENT,
    Requirement,
    receipt_of,
    requirement_with_challenge,
    requirement_with_id,
)
from settlekit_mock.payments.rules import merchants as merchant_rules
from settlekit_mock.payments.rules.checkout import payable_band
from settlekit_mock.payments.rules.requirements import (
    LIFETIME,
    Prepared,
    ReceiptKind,
    RequirementStatus,
    Terms,
    allowance_transaction,
    may_become,
    payment_transaction,
    status_at,
)
from settlekit_mock.payments.settled import settled_by
from settlekit_mock.payments.tables import Merchant, merchant_numbered
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.funds import open_purse
from settlekit_mock.settlement.rules.amounts import (
    LARGEST_AMOUNT_MINOR,
    plan_named,
    units_of,
)
from settlekit_mock.webhooks.service import emit, told_by

EXPIRE: Final = "requirement.expire"
"""The kind of due work that ends an unpaid requirement; its subject is the requirement's id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a buyer's agent asks to pay, and the merchant's proof of it ("" where none came)."""

    merchant: str
    amount_minor: int
    currency: str
    challenge: str
    token_symbol: str | None = None
    allowance_amount_minor: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


# -- asking --------------------------------------------------------------------------------


def ask(tx: Transaction, buyer_id: str, asked: Asked) -> Requirement:
    """Make a requirement of a challenge, or return the one the same buyer made of it before.

    Raises ``Invalid`` for a challenge that is missing or doesn't prove these terms,
    ``NotFound`` for an unknown merchant, ``Conflict`` for another buyer's challenge and where
    the merchant's billing forbids payments.
    """
    if not asked.challenge.strip():
        raise Invalid(
            "challenge: ask the merchant for a signed challenge",
            code="EXTERNAL_402_CHALLENGE_REQUIRED",
        )
    merchant = known_merchant(tx.connection, asked.merchant)
    asked = _normal(merchant, asked)
    _check_proof(merchant, asked)
    found = requirement_with_challenge(tx.connection, challenge_hash(asked.challenge))
    if found is not None:
        if found.buyer_id != buyer_id:
            raise challenge_used()
        return found
    check_billing(merchant, asked.currency)
    buyer_with_id(tx.connection, buyer_id)
    return _make(tx, buyer_id, merchant, asked)


def _normal(merchant: Merchant, asked: Asked) -> Asked:
    """Bring terms to their normal form; amount, token and allowance must fit the currency."""
    currency = merchant_rules.currency(asked.currency)
    if currency not in merchant.currencies:
        raise Invalid(f"currency: this merchant takes {' and '.join(merchant.currencies)}")
    payable_band(asked.amount_minor, currency)
    token = asked.token_symbol
    if token is not None and token.strip().upper() != TOKENS[currency]:
        raise Invalid(f"token_symbol: {currency} is paid in {TOKENS[currency]}")
    granted, most = asked.allowance_amount_minor, LARGEST_AMOUNT_MINOR[currency]
    if granted is not None and not asked.amount_minor <= granted <= most:
        raise Invalid(f"allowance_amount_minor: must be from {asked.amount_minor} to {most}")
    return replace(asked, currency=currency, challenge=asked.challenge.strip())


def _check_proof(merchant: Merchant, asked: Asked) -> None:
    proved = verify(
        asked.challenge,
        secret=merchant.challenge_secret,
        merchant=merchant.merchant,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
    )
    if not proved:
        raise Invalid(
            "the challenge isn't the merchant's for this amount and currency; ask for a new one",
            code="INVALID_EXTERNAL_402_CHALLENGE",
        )


def _make(tx: Transaction, buyer_id: str, merchant: Merchant, asked: Asked) -> Requirement:
    band = payable_band(asked.amount_minor, asked.currency)
    standard = band is Band.STANDARD
    made = Requirement(
        requirement_id=tx.new_id("dpr"),
        merchant_number=merchant.merchant_number,
        buyer_id=buyer_id,
        capability_key=None,
        allowance_amount_minor=asked.allowance_amount_minor,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        pricing_band=band.value,
        challenge=asked.challenge,
        challenge_hash=challenge_hash(asked.challenge),
        fee_bps=plan_named(merchant.billing_plan).settlement_fee_bps if standard else None,
        status=RequirementStatus.REQUIRES_PAYMENT,
        chain_receipt_id=None,
        metered_usage_id=None,
        confirmed_event_id=None,
        spent_event_id=None,
        metadata=msgspec.json.encode(asked.metadata).decode(),
        expires_at=tx.now + LIFETIME,
        confirmed_at=None,
        spent_at=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.connection.execute(INSERT_REQUIREMENT, made._asdict())
    tx.schedule(EXPIRE, made.requirement_id, made.expires_at)
    tx.record(
        "requirement.created", made.requirement_id, buyer=buyer_id, merchant=merchant.merchant
    )
    return made


# -- what a requirement prepares -------------------------------------------------------------


def terms_of(found: Requirement, merchant: Merchant) -> Terms:
    """Return what of a requirement never changes."""
    return Terms(
        requirement_id=found.requirement_id,
        merchant=merchant.merchant,
        buyer_id=found.buyer_id,
        amount_minor=found.amount_minor,
        currency=found.currency,
        challenge_hash=found.challenge_hash,
        expires_at=to_text(found.expires_at),
    )


def prepared(found: Requirement, merchant: Merchant, kind: ReceiptKind, key: bytes) -> Prepared:
    """Return the transaction that a requirement prepared for its payment or its allowance."""
    terms = terms_of(found, merchant)
    if kind is ReceiptKind.ALLOWANCE:
        return allowance_transaction(terms, found.granted_minor, key)
    return payment_transaction(terms, Band(found.pricing_band), key)


def needs_allowance(connection: Connection, found: Requirement, now: int) -> bool:
    """Say whether an unpaid requirement waits for an allowance: what there is doesn't hold it."""
    if status_at(found.status, found.expires_at, now) is not RequirementStatus.REQUIRES_PAYMENT:
        return False
    purse = open_purse(connection, buyer_with_id(connection, found.buyer_id), found.currency)
    return purse.allowance - purse.reserved < units_of(found.amount_minor, found.currency)


# -- what follows --------------------------------------------------------------------------


def verify_payment(
    tx: Transaction,
    buyer_id: str,
    requirement_id: str,
    *,
    receipt_id: str | None = None,
    chain_receipt_id: str | None = None,
) -> Requirement:
    """Consume a confirmed payment; a requirement in any other status is returned as it is.

    Raises ``NotFound`` for another's requirement, ``Invalid`` for a receipt that isn't its
    payment's.
    """
    found = own_requirement(tx.connection, buyer_id, requirement_id)
    _check_receipt(tx.connection, found, receipt_id, chain_receipt_id)
    if not may_become(found.status, RequirementStatus.SPENT):
        return found
    merchant = merchant_numbered(tx.connection, found.merchant_number)
    assert found.confirmed_event_id is not None
    data = as_spent(told_by(tx.connection, found.confirmed_event_id), tx.now)
    event_id = emit(tx, owner=merchant.merchant_user_id, event_type=SPENT, data=data)
    changes = {"spent_at": tx.now, "spent_event_id": event_id}
    return become(tx, found, RequirementStatus.SPENT, changes)


def _check_receipt(
    connection: Connection, found: Requirement, receipt_id: str | None, chain: str | None
) -> None:
    receipt = receipt_of(connection, found.requirement_id, ReceiptKind.PAYMENT)
    own = None if receipt is None else receipt.receipt_id
    settled = found.chain_receipt_id or settled_by(connection, found.requirement_id)
    for name, given, known in (
        ("receipt_id", receipt_id, own),
        ("chain_receipt_id", chain, settled),
    ):
        if given is not None and given != known:
            raise Invalid(f"{name}: isn't the receipt of this requirement's payment")


def fail(tx: Transaction, requirement_id: str) -> Requirement:
    """End an unpaid requirement as failed."""
    found = known_requirement(tx.connection, requirement_id)
    check_open(tx, found, RequirementStatus.FAILED)
    tx.cancel(EXPIRE, requirement_id)
    return become(tx, found, RequirementStatus.FAILED, {})


def expire_due(tx: Transaction, requirement_id: str) -> None:
    """End a requirement that nobody paid in time."""
    found = requirement_with_id(tx.connection, requirement_id)
    if found is not None and may_become(found.status, RequirementStatus.EXPIRED):
        become(tx, found, RequirementStatus.EXPIRED, {})


def known_requirement(connection: Connection, requirement_id: str) -> Requirement:
    """Return a requirement by its id, or raise ``NotFound``."""
    found = requirement_with_id(connection, requirement_id)
    if found is None:
        raise NotFound("no such requirement", code="REQUIREMENT_NOT_FOUND")
    return found


def own_requirement(connection: Connection, buyer_id: str, requirement_id: str) -> Requirement:
    """Return a buyer's own requirement; anyone else's is as if there were none."""
    found = known_requirement(connection, requirement_id)
    if found.buyer_id != buyer_id:
        raise NotFound("no such requirement", code="REQUIREMENT_NOT_FOUND")
    return found


def check_open(tx: Transaction, found: Requirement, wanted: RequirementStatus) -> None:
    """Raise ``Conflict`` where a requirement may not take a status now."""
    status = status_at(found.status, found.expires_at, tx.now)
    if not may_become(status, wanted):
        raise Conflict(
            f"the requirement is {status.value}; nothing more is executed for it",
            code="REQUIREMENT_NOT_OPEN",
        )


def become(
    tx: Transaction, found: Requirement, status: RequirementStatus, columns: Mapping[str, Any]
) -> Requirement:
    """Write a requirement's new status with what comes with it."""
    changes = {**columns, "updated_at": tx.now}
    row = {"given": found.requirement_id, "status": status.value, **changes}
    tx.connection.execute(UPDATE_REQUIREMENT, row)
    tx.record(f"requirement.{status.value}", found.requirement_id)
    return found._replace(status=status, **changes)
