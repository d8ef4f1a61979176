"""Usage events: accepted micro and nano payments."""

from decimal import Decimal
from typing import Any, cast

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import PlanType, SettlementCadence, UsageStatus

UNSTATED: Any = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class UsageEvent(Model):
    """One accepted micro or nano payment; all amounts are Decimals of minor units.

    ``provider_receivable_minor`` is gross less fee, also where the answer doesn't say it.
    """

    metered_usage_id: str
    created_at: Instant
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
    status: UsageStatus
    provider_receivable_minor: Decimal = UNSTATED
    period_start: Instant | None = None
    period_end: Instant | None = None
    listing_id: str | None = None
    product_listing_id: str | None = None
    capability_key: str | None = None
    operation_key: str | None = None
    settlement_batch_id: str | None = None
    expected_scheduled_debit_at: Instant | None = None
    buyer_period_ref: str | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if cast("Decimal | None", self.provider_receivable_minor) is None:
            receivable = self.provider_gross_amount_minor - self.protocol_fee_minor
            object.__setattr__(self, "provider_receivable_minor", receivable)
