"""What the routes of recurring payments answer."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from settlekit.money import TOKENS, Band
from settlekit_mock.http.wire import (
    Answer,
    Currency,
    Metadata,
    MinorText,
    Timestamp,
    Token,
)
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.payments.paying import PER_PAYMENT
from settlekit_mock.payments.tables import Merchant
from settlekit_mock.recurring.authorizations import Approved
from settlekit_mock.recurring.charges import Charge
from settlekit_mock.recurring.rules import AuthorizationStatus
from settlekit_mock.recurring.tables import Authorization, Subscription
from settlekit_mock.settlement.confirmations import AGGREGATED, CADENCES
from settlekit_mock.settlement.rules.amounts import wire_minor

Cadence = Annotated[
    Metadata,
    Meta(
        description="A tag: its unit, and what the buyer said of it.",
        extra_json_schema={"properties": {"unit": {"type": "string"}}, "required": ["unit"]},
    ),
]


class RecurringMandate(Answer, frozen=True, kw_only=True):
    """What the buyer approved; nothing is left to sign."""

    mandate_id: str
    status: Literal["active", "cancelled"]
    cadence: str
    max_amount_minor: int
    currency: Currency
    token_symbol: Token


class ChargeReceipt(Answer, frozen=True, kw_only=True):
    """The receipt of a charge: of its settlement, or of its acceptance where it is metered."""

    receipt_id: str
    chain_receipt_id: str | None
    status: Literal["settled", "accepted"]
    finality: Literal["per_payment_onchain", "aggregated_onchain_settlement"]
    finalized_at: Timestamp | None
    created_at: Timestamp


class ChargeRequirement(Answer, frozen=True, kw_only=True):
    """The requirement that a charge made and consumed."""

    id: str
    requirement_id: str
    direct_payment_requirement_id: str
    mode: Literal["external_402"]
    merchant: str
    listing_id: str
    capability_key: str
    challenge_hash: str
    amount_minor: int
    currency: Currency
    token_symbol: Token
    fee_bps: int | None
    pricing_band: Band
    settlement_cadence: Literal["per_payment", "weekly", "monthly"]
    finality: Literal["per_payment_onchain", "aggregated_onchain_settlement"]
    protocol_fee_minor: MinorText | None
    settlement_status: Literal["settled", "pending_settlement"]
    status: Literal["spent"]
    metered_usage_id: str | None
    chain_receipt_id: str | None
    confirmed_at: Timestamp
    spent_at: Timestamp


class InitialCharge(ChargeRequirement, frozen=True, kw_only=True):
    """The first month's charge."""

    charge_id: str
    charge_number: int
    charged_at: Timestamp


class PaymentSubscriptionAnswer(Answer, frozen=True, kw_only=True):
    """A subscription as it began; it renews by itself at ``next_charge_at``."""

    subscription_id: str
    subscription_status: Literal["created"]
    mode: Literal["external_402"]
    merchant: str
    merchant_display_name: str
    challenge_hash: str
    mandate: RecurringMandate
    receipt: ChargeReceipt
    initial_charge: InitialCharge
    idempotent_replay: bool
    amount_minor: int
    currency: Currency
    token_symbol: Token
    cadence: Literal["monthly"]
    fee_bps: int | None
    next_charge_at: Timestamp | None
    created_at: Timestamp


class AuthorizationAnswer(Answer, frozen=True, kw_only=True):
    """A scheduled authorization; ``schedule_token`` is there once, when it is made."""

    authorization_id: str
    id: str
    mode: Literal["external_402"]
    merchant: str
    buyer_user_id: str
    agent_id: str | None
    product_listing_id: str
    listing_id: str
    access_grant_id: str | None
    capability_key: str
    operation_key: str | None
    challenge_hash: str
    expected_amount_minor: int
    max_amount_minor: int
    currency: Currency
    token_symbol: Token
    max_runs: int | None
    run_count: int
    status: AuthorizationStatus
    schedule_token: str | None
    token_hint: str
    cadence: Cadence
    cadence_limit: "CadenceLimitAnswer"
    metadata_jsonb: Metadata
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    requires_user_signature: bool
    mandate: RecurringMandate


class CadenceLimitAnswer(Answer, frozen=True, kw_only=True):
    """The most runs and minor units of a day and a month, in the buyer's time zone."""

    max_runs_per_day: int | None
    max_runs_per_month: int | None
    max_amount_minor_per_day: int | None
    max_amount_minor_per_month: int | None


class Slot(Answer, frozen=True, kw_only=True):
    """A slot that was charged, and which run it was."""

    slot_id: str
    run_id: str
    run_number: int
    scheduled_for: Timestamp | None
    executed_at: Timestamp


class ExecutedAnswer(Answer, frozen=True, kw_only=True):
    """A run that was made. What is refused is an error, with the same reason fields in it."""

    status: Literal["executed"]
    charge_status: Literal["settled", "pending_settlement"]
    authorization: AuthorizationAnswer
    slot: Slot
    reason_code: str | None
    reason: str | None
    retryable: bool
    manual_reconciliation_required: bool
    direct_payment_requirement_id: str
    direct_payment_requirement: ChargeRequirement
    direct_payment_execution: ChargeReceipt
    capability_result: Metadata | None


def receipt_answer(charge: Charge) -> ChargeReceipt:
    """Write the receipt of a charge."""
    settled = charge.taken.usage is None
    return ChargeReceipt(
        receipt_id=charge.receipt_id,
        chain_receipt_id=charge.taken.chain_receipt_id,
        status="settled" if settled else "accepted",
        finality=PER_PAYMENT if settled else AGGREGATED,  # type: ignore[arg-type]
        finalized_at=to_text(charge.charged_at) if settled else None,
        created_at=to_text(charge.charged_at),
    )


def charge_fields(
    charge: Charge, merchant: Merchant, of: Subscription | Authorization, capability_key: str
) -> dict[str, Any]:
    """Return the fields of the requirement that a charge made."""
    taken, usage = charge.taken, charge.taken.usage
    return {
        "id": taken.requirement_id,
        "requirement_id": taken.requirement_id,
        "direct_payment_requirement_id": taken.requirement_id,
        "mode": "external_402",
        "merchant": merchant.merchant,
        "listing_id": merchant.listing_id,
        "capability_key": capability_key,
        "challenge_hash": charge.challenge_hash,
        "amount_minor": of.amount_minor,
        "currency": of.currency,
        "token_symbol": TOKENS[of.currency],
        "fee_bps": charge.fee_bps,
        "pricing_band": taken.band,
        "settlement_cadence": CADENCES[taken.band],
        "finality": PER_PAYMENT if usage is None else AGGREGATED,
        "protocol_fee_minor": None if usage is None else wire_minor(usage.fee, usage.currency),
        "settlement_status": "settled" if usage is None else "pending_settlement",
        "status": "spent",
        "metered_usage_id": None if usage is None else usage.metered_usage_id,
        "chain_receipt_id": taken.chain_receipt_id,
        "confirmed_at": to_text(charge.charged_at),
        "spent_at": to_text(charge.charged_at),
    }


def mandate_answer(of: Subscription | Authorization, cadence: str, most: int) -> RecurringMandate:
    """Write the mandate under which charges are made."""
    ended = of.status.value in ("cancelled", "revoked", "expired", "exhausted")
    return RecurringMandate(
        mandate_id=of.mandate_id,
        status="cancelled" if ended else "active",
        cadence=cadence,
        max_amount_minor=most,
        currency=of.currency,  # type: ignore[arg-type]
        token_symbol=TOKENS[of.currency],  # type: ignore[arg-type]
    )


def authorization_answer(approved: Approved) -> AuthorizationAnswer:
    """Write an authorization, with its token where it is shown."""
    found, merchant, token = approved
    return AuthorizationAnswer(
        authorization_id=found.authorization_id,
        id=found.authorization_id,
        mode="external_402",
        merchant=merchant.merchant,
        buyer_user_id=found.buyer_id,
        agent_id=found.agent_id,
        product_listing_id=merchant.listing_id,
        listing_id=merchant.listing_id,
        access_grant_id=None,
        capability_key=found.capability_key,
        operation_key=found.operation_key,
        challenge_hash=found.challenge_hash,
        expected_amount_minor=found.amount_minor,
        max_amount_minor=found.max_amount_minor,
        currency=found.currency,  # type: ignore[arg-type]
        token_symbol=TOKENS[found.currency],  # type: ignore[arg-type]
        max_runs=found.max_runs,
        run_count=found.run_count,
        status=found.status,
        schedule_token=token,
        token_hint=found.token_hint,
        cadence=msgspec.json.decode(found.cadence),
        cadence_limit=CadenceLimitAnswer(
            max_runs_per_day=found.max_runs_per_day,
            max_runs_per_month=found.max_runs_per_month,
            max_amount_minor_per_day=found.max_amount_minor_per_day,
            max_amount_minor_per_month=found.max_amount_minor_per_month,
        ),
        metadata_jsonb=msgspec.json.decode(found.metadata),
        expires_at=optional_text(found.expires_at),
        revoked_at=optional_text(found.revoked_at),
        created_at=to_text(found.created_at),
        updated_at=to_text(found.updated_at),
        requires_user_signature=False,
        mandate=mandate_answer(found, "daily", found.max_amount_minor),
    )
