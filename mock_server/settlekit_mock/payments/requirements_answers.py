"""What the routes of requirements take and answer."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from settlekit.challenge import request_hash, request_hash_v2
from settlekit.money import TOKENS, Band
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
)
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.ids import seed_key
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.payments.paying import PER_PAYMENT
from settlekit_mock.payments.requirements import needs_allowance, prepared, terms_of
from settlekit_mock.payments.requirements_execution import Execution
from settlekit_mock.payments.requirements_tables import Receipt, Requirement, receipt_of
from settlekit_mock.payments.rules.requirements import (
    CHAIN_ID,
    NETWORK,
    Prepared,
    ReceiptKind,
    RequirementStatus,
    described,
    platform_signature,
    requirement_hash,
    status_at,
)
from settlekit_mock.payments.settled import settled_by
from settlekit_mock.payments.tables import Merchant, merchant_numbered
from settlekit_mock.settlement.confirmations import AGGREGATED, CADENCES
from settlekit_mock.settlement.rules.amounts import split_metered, wire_minor

Mode = Literal["external_402"]
Finality = Literal["per_payment_onchain", "aggregated_onchain_settlement"]
SettlementStatus = Literal["pending_payment", "pending_settlement", "settled"]
ChallengeText = Annotated[str, Meta(max_length=1024)]
HexText = Annotated[str, Meta(max_length=4096)]
WholeSeconds = Annotated[int, Meta(ge=0, le=86_400)]


class TransactionAnswer(Answer, frozen=True, kw_only=True):
    """A transaction for the buyer's own wallet; the platform holds no keys."""

    network: str
    chain_id: int
    sender: str = msgspec.field(name="from")
    to: str
    data: str
    value: str
    metadata_jsonb: Metadata


class BuyerConfirmation(Answer, frozen=True, kw_only=True):
    """When the buyer executed the payment, and its receipt."""

    confirmed_at: Timestamp
    receipt_id: str


class RequirementAnswer(Answer, frozen=True, kw_only=True):
    """One payment asked of one buyer; ``protocol_fee_minor`` is null for a standard one."""

    id: str
    requirement_id: str
    direct_payment_requirement_id: str
    mode: Mode
    merchant: str
    challenge_hash: str
    buyer_user_id: str
    product_listing_id: str
    listing_id: str
    capability_key: str
    requirement_hash: str
    request_hash: str
    request_hash_v2: str
    siglume_signature: str
    token_symbol: Token
    currency: Currency
    amount_minor: int
    fee_bps: int | None
    pricing_band: Band
    settlement_cadence: Literal["per_payment", "weekly", "monthly"]
    finality: Finality
    protocol_fee_minor: MinorText | None
    settlement_status: SettlementStatus
    status: RequirementStatus
    expires_at: Timestamp
    confirmed_at: Timestamp | None
    spent_at: Timestamp | None
    agent_id: str | None
    access_grant_id: str | None
    buyer_confirmation: BuyerConfirmation | None
    chain_receipt_id: str | None
    transaction_request: TransactionAnswer
    approve_transaction_request: TransactionAnswer | None
    non_custodial: Literal[True]
    metadata_jsonb: Metadata
    created_at: Timestamp
    updated_at: Timestamp


class ReceiptAnswer(Answer, frozen=True, kw_only=True):
    """What was executed; ``chain_receipt_id`` is null where nothing was sent."""

    receipt_id: str
    chain_receipt_id: str | None
    receipt_kind: ReceiptKind
    reference_type: Literal["sdrp_direct_payment_requirement"]
    reference_id: str
    status: Literal["confirmed", "accepted"]
    network: str
    chain_id: int
    metadata_jsonb: Metadata
    created_at: Timestamp


class Finalization(Answer, frozen=True, kw_only=True):
    """Whether it is final: a transaction at once, accepted usage when its batch settles."""

    status: Literal["finalized", "accepted"]
    finality: Finality
    finalized_at: Timestamp | None


class PreparedExecuted(Answer, frozen=True, kw_only=True):
    """The receipt of a prepared transaction; repeated, it is the same one."""

    receipt: ReceiptAnswer
    finalization: Finalization


class RequirementBody(Body, frozen=True, kw_only=True):
    """What an agent asks to pay, and the merchant's challenge that proves it."""

    mode: Mode = "external_402"
    merchant: ShortText
    amount_minor: AmountMinor
    currency: ShortText
    challenge: ChallengeText | None = None
    token_symbol: ShortText | None = None
    allowance_amount_minor: AmountMinor | None = None
    metadata: Metadata = msgspec.field(default_factory=Metadata)


class VerifyBody(Body, frozen=True, kw_only=True):
    """The payment's receipt. Nothing is waited for: what was executed is final already."""

    receipt_id: ShortText | None = None
    chain_receipt_id: ShortText | None = None
    await_finality: bool | None = None
    await_required_status: ShortText | None = None
    await_timeout_seconds: WholeSeconds | None = None
    await_poll_seconds: WholeSeconds | None = None


class TransactionBody(Body, frozen=True, kw_only=True):
    """A prepared transaction, as the requirement gave it."""

    network: ShortText
    chain_id: int
    sender: ShortText = msgspec.field(name="from")
    to: ShortText
    data: HexText
    value: ShortText


class ExecuteBody(Body, frozen=True, kw_only=True):
    """A prepared transaction to execute; what was executed is final, so nothing is waited for."""

    transaction_request: TransactionBody
    receipt_kind: ReceiptKind
    reference_type: Literal["sdrp_direct_payment_requirement"]
    reference_id: ShortText
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    await_finality: bool | None = None


def requirement_answer(
    connection: Connection, found: Requirement, now: int | None = None
) -> RequirementAnswer:
    """Show a requirement as it is at an instant, the clock's unless given."""
    state = load_state(connection)
    now = state.now if now is None else now
    merchant = merchant_numbered(connection, found.merchant_number)
    band = Band(found.pricing_band)
    hashed = requirement_hash(terms_of(found, merchant))
    key = seed_key(state.seed)
    receipt = found.chain_receipt_id or settled_by(connection, found.requirement_id)
    short = needs_allowance(connection, found, now)
    return RequirementAnswer(
        id=found.requirement_id,
        requirement_id=found.requirement_id,
        direct_payment_requirement_id=found.requirement_id,
        buyer_user_id=found.buyer_id,
        **_sold(found, merchant, band),
        requirement_hash=hashed,
        siglume_signature=platform_signature(hashed, key),
        settlement_status=_settlement_status(found, receipt),
        status=status_at(found.status, found.expires_at, now),
        expires_at=to_text(found.expires_at),
        confirmed_at=optional_text(found.confirmed_at),
        spent_at=optional_text(found.spent_at),
        agent_id=None,
        access_grant_id=None,
        buyer_confirmation=_confirmation(connection, found),
        chain_receipt_id=receipt,
        transaction_request=_transaction(found, merchant, ReceiptKind.PAYMENT, key),
        approve_transaction_request=_transaction(found, merchant, ReceiptKind.ALLOWANCE, key)
        if short
        else None,
        non_custodial=True,
        metadata_jsonb=msgspec.json.decode(found.metadata),
        created_at=to_text(found.created_at),
        updated_at=to_text(found.updated_at),
    )


def _sold(found: Requirement, merchant: Merchant, band: Band) -> dict[str, Any]:
    request: dict[str, Any] = {
        "merchant": merchant.merchant,
        "amount_minor": found.amount_minor,
        "currency": found.currency,
    }
    return {
        **request,
        "mode": "external_402",
        "challenge_hash": found.challenge_hash,
        "request_hash": request_hash(challenge=found.challenge, **request),
        "request_hash_v2": request_hash_v2(challenge=found.challenge, **request),
        "product_listing_id": merchant.listing_id,
        "listing_id": merchant.listing_id,
        "capability_key": found.capability_key or merchant.capability_key,
        "token_symbol": TOKENS[found.currency],
        "fee_bps": found.fee_bps,
        "pricing_band": band,
        "settlement_cadence": CADENCES[band],
        "finality": _finality(per_payment=band is Band.STANDARD),
        "protocol_fee_minor": _fee(found, band),
    }


def _finality(*, per_payment: bool) -> Finality:
    finality: Any = PER_PAYMENT if per_payment else AGGREGATED
    return finality  # type: ignore[no-any-return]


def _fee(found: Requirement, band: Band) -> str | None:
    if band is Band.STANDARD:
        return None
    return wire_minor(split_metered(found.amount_minor, found.currency).fee, found.currency)


def _settlement_status(found: Requirement, receipt: str | None) -> SettlementStatus:
    if found.confirmed_at is None:
        return "pending_payment"
    return "pending_settlement" if receipt is None else "settled"


def _confirmation(connection: Connection, found: Requirement) -> BuyerConfirmation | None:
    receipt = receipt_of(connection, found.requirement_id, ReceiptKind.PAYMENT)
    if receipt is None:
        return None
    return BuyerConfirmation(
        confirmed_at=to_text(receipt.created_at), receipt_id=receipt.receipt_id
    )


def _transaction(
    found: Requirement, merchant: Merchant, kind: ReceiptKind, key: bytes
) -> TransactionAnswer:
    amount = found.amount_minor if kind is ReceiptKind.PAYMENT else found.granted_minor
    return TransactionAnswer(
        **prepared(found, merchant, kind, key)._asdict(),
        metadata_jsonb=described(terms_of(found, merchant), kind, amount),
    )


def given_execution(body: ExecuteBody) -> Execution:
    """Return what a caller executes."""
    given = body.transaction_request
    transaction = Prepared(**{name: getattr(given, name) for name in Prepared._fields})
    return Execution(body.reference_id, body.receipt_kind, transaction, body.metadata)


def executed_answer(receipt: Receipt) -> PreparedExecuted:
    """Show what was executed."""
    sent = receipt.chain_receipt_id is not None
    return PreparedExecuted(
        receipt=ReceiptAnswer(
            receipt_id=receipt.receipt_id,
            chain_receipt_id=receipt.chain_receipt_id,
            receipt_kind=receipt.kind,
            reference_type="sdrp_direct_payment_requirement",
            reference_id=receipt.requirement_id,
            status="confirmed" if sent else "accepted",
            network=NETWORK,
            chain_id=CHAIN_ID,
            metadata_jsonb=msgspec.json.decode(receipt.metadata),
            created_at=to_text(receipt.created_at),
        ),
        finalization=Finalization(
            status="finalized" if sent else "accepted",
            finality=_finality(per_payment=sent),
            finalized_at=to_text(receipt.created_at) if sent else None,
        ),
    )
