"""Open periods: the slots in which usage accrues now."""

from decimal import Decimal

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import PlanType, SettlementCadence, SettlementTrigger


@attrs.frozen(kw_only=True, getstate_setstate=False)
class OpenPeriod(Model):
    """A period that accrues; all amounts are Decimals of minor units."""

    plan_type: PlanType
    settlement_cadence: SettlementCadence
    currency: str
    token_symbol: str
    provider_gross_amount_minor: Decimal
    provider_usage_amount_minor: Decimal
    gross_buyer_debit_minor: Decimal
    buyer_debit_minor: Decimal
    protocol_fee_minor: Decimal
    rounding_delta_minor: Decimal
    provider_receivable_minor: Decimal | None = None
    period_start: Instant | None = None
    period_end: Instant | None = None
    close_at: Instant | None = None
    expected_scheduled_debit_at: Instant | None = None
    settlement_trigger: SettlementTrigger | None = None
    settlement_threshold_minor: Decimal | None = None
    threshold_reached_at: Instant | None = None
    total_unsettled_exposure_minor: Decimal | None = None
