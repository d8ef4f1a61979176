"""Paid capabilities: what ran, and what it charged."""

from decimal import Decimal

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import (
    ExecutionOutcome,
    PaymentSettlementStatus,
    PricingBand,
    SettlementCadence,
    UsageStatus,
)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ChargedUsage(Model):
    """The usage event that a run charged; amounts are Decimals of minor units."""

    metered_usage_id: str
    requirement_id: str | None = None
    challenge_hash: str | None = None
    pricing_band: PricingBand | None = None
    settlement_cadence: SettlementCadence | None = None
    settlement_status: PaymentSettlementStatus | None = None
    status: UsageStatus | None = None
    provider_gross_amount_minor: Decimal | None = None
    provider_usage_amount_minor: Decimal | None = None
    gross_buyer_debit_minor: Decimal | None = None
    buyer_debit_minor: Decimal | None = None
    protocol_fee_minor: Decimal | None = None
    rounding_delta_minor: Decimal | None = None
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class CapabilityExecution(Model):
    """How a run ended; ``retryable`` where the same key runs the provider again."""

    outcome: ExecutionOutcome
    charged: bool
    execution_id: str | None = None
    listing_id: str | None = None
    capability_key: str | None = None
    operation_key: str | None = None
    merchant: str | None = None
    idempotency_key: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    token_symbol: str | None = None
    provider_status: int | None = None
    retryable: bool | None = None
    attempt: int | None = None
    usage_event: ChargedUsage | None = None
    executed_at: Instant | None = None
