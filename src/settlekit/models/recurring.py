"""Recurring payments: subscriptions, scheduled authorizations and their runs."""

from decimal import Decimal
from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model
from settlekit.models.mandate import Mandate
from settlekit.models.payment_requirement import Receipt
from settlekit.models.states import (
    AuthorizationStatus,
    Finality,
    PaymentSettlementStatus,
    PricingBand,
    RequirementStatus,
    ScheduledExecutionStatus,
    SettlementCadence,
    SubscriptionStatus,
)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Charge(Model):
    """The requirement that a recurring charge made and consumed, in minor units."""

    requirement_id: str | None = None
    id: str | None = None
    direct_payment_requirement_id: str | None = None
    charge_id: str | None = None
    charge_number: int | None = None
    charged_at: Instant | None = None
    mode: str | None = None
    merchant: str | None = None
    listing_id: str | None = None
    capability_key: str | None = None
    challenge_hash: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    token_symbol: str | None = None
    fee_bps: int | None = None
    pricing_band: PricingBand | None = None
    settlement_cadence: SettlementCadence | None = None
    finality: Finality | None = None
    protocol_fee_minor: Decimal | None = None
    settlement_status: PaymentSettlementStatus | None = None
    status: RequirementStatus | None = None
    metered_usage_id: str | None = None
    chain_receipt_id: str | None = None
    confirmed_at: Instant | None = None
    spent_at: Instant | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its money has come: settled, with a receipt of the chain."""
        return self.settlement_status is PaymentSettlementStatus.SETTLED and bool(
            self.chain_receipt_id
        )


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Subscription(Model):
    """A subscription as it began; it renews by itself at ``next_charge_at``."""

    subscription_status: SubscriptionStatus
    subscription_id: str | None = None
    mode: str | None = None
    merchant: str | None = None
    merchant_display_name: str | None = None
    challenge_hash: str | None = None
    mandate: Mandate | None = None
    receipt: Receipt | None = None
    initial_charge: Charge | None = None
    idempotent_replay: bool | None = None
    amount_minor: int | None = None
    currency: str | None = None
    token_symbol: str | None = None
    cadence: str | None = None
    fee_bps: int | None = None
    next_charge_at: Instant | None = None
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class CadenceLimit(Model):
    """The most runs and minor units of a day and a month, in the buyer's time zone."""

    max_runs_per_day: int | None = None
    max_runs_per_month: int | None = None
    max_amount_minor_per_day: int | None = None
    max_amount_minor_per_month: int | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ScheduledAuthorization(Model):
    """What a buyer approved to be charged by schedule; amounts are in minor units.

    ``schedule_token`` is there once, when it was made: store it. repr never shows it.
    """

    authorization_id: str
    status: AuthorizationStatus
    id: str | None = None
    mode: str | None = None
    merchant: str | None = None
    buyer_user_id: str | None = attrs.field(default=None, repr=False)
    agent_id: str | None = None
    product_listing_id: str | None = None
    listing_id: str | None = None
    access_grant_id: str | None = None
    capability_key: str | None = None
    operation_key: str | None = None
    challenge_hash: str | None = None
    expected_amount_minor: int | None = None
    max_amount_minor: int | None = None
    currency: str | None = None
    token_symbol: str | None = None
    max_runs: int | None = None
    run_count: int | None = None
    schedule_token: str | None = attrs.field(default=None, repr=False)
    token_hint: str | None = None
    cadence: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    cadence_limit: CadenceLimit | None = None
    metadata_jsonb: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    expires_at: Instant | None = None
    revoked_at: Instant | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    requires_user_signature: bool | None = None
    mandate: Mandate | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ScheduledSlot(Model):
    """A slot that was charged, and which run it was."""

    slot_id: str
    run_id: str | None = None
    run_number: int | None = None
    scheduled_for: Instant | None = None
    executed_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ScheduledExecution(Model):
    """A run: whether it was made, and what became of its charge."""

    status: ScheduledExecutionStatus
    charge_status: PaymentSettlementStatus | None = None
    authorization: ScheduledAuthorization | None = None
    slot: ScheduledSlot | None = None
    reason_code: str | None = None
    reason: str | None = None
    retryable: bool | None = None
    manual_reconciliation_required: bool | None = None
    direct_payment_requirement_id: str | None = None
    direct_payment_requirement: Charge | None = None
    direct_payment_execution: Receipt | None = None
    capability_result: JsonObject | None = attrs.field(default=None, repr=masked_repr)
