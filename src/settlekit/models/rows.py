"""Rows of the CSV files: a batch's usage, and the operator's reports."""

from datetime import datetime
from decimal import Decimal

import attrs

from settlekit.models.states import (
    PayoutStatus,
    PlanType,
    RouteMode,
    SettlementCadence,
    UsageStatus,
)


@attrs.frozen(weakref_slot=False)
class UsageRow:
    """One accepted payment of a batch, its columns in the file's order.

    All amounts are Decimals of minor units. A text cell that a spreadsheet would run is
    made harmless by the server and kept as it came.
    """

    metered_usage_id: str
    created_at: datetime
    plan_type: PlanType
    settlement_cadence: SettlementCadence
    period_start: datetime | None
    period_end: datetime | None
    listing_id: str | None
    capability_key: str | None
    operation_key: str | None
    currency: str
    token_symbol: str
    provider_gross_amount_minor: Decimal
    provider_usage_amount_minor: Decimal
    provider_receivable_minor: Decimal
    protocol_fee_minor: Decimal
    gross_buyer_debit_minor: Decimal
    rounding_delta_minor: Decimal
    buyer_debit_minor: Decimal
    status: UsageStatus
    settlement_batch_id: str | None
    buyer_period_ref: str | None = attrs.field(repr=False)


@attrs.frozen(weakref_slot=False)
class PayoutRow:
    """One payout of the payouts report; amounts are Decimals of major units.

    The report of US dollars says ``amount_usd``, that of another currency ``amount``.
    """

    created_at: datetime
    updated_at: datetime | None
    payout_id: str
    developer_id: str
    developer_email: str | None = attrs.field(repr=False)
    status: PayoutStatus
    provider: str | None
    provider_payout_id: str | None
    amount_usd: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None


@attrs.frozen(weakref_slot=False, kw_only=True)
class UsageReportRow:
    """One use of a model; amounts are Decimals of major units.

    The report of US dollars says ``…_usd``, that of another currency the same without it.
    """

    created_at: datetime
    request_id: str
    public_app_id: str
    feature_key: str
    route_mode: RouteMode
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    upstream_cost_usd: Decimal | None = None
    retail_price_usd: Decimal | None = None
    channel_revenue_usd: Decimal | None = None
    platform_revenue_usd: Decimal | None = None
    currency: str | None = None
    upstream_cost: Decimal | None = None
    retail_price: Decimal | None = None
    channel_revenue: Decimal | None = None
    platform_revenue: Decimal | None = None


@attrs.frozen(weakref_slot=False, kw_only=True)
class RevenueReportRow:
    """One app's calls and revenue; amounts as in the usage report."""

    public_app_id: str
    developer_id: str
    developer_email: str | None = attrs.field(repr=False)
    total_calls: int
    upstream_cost_usd: Decimal | None = None
    retail_price_usd: Decimal | None = None
    channel_revenue_usd: Decimal | None = None
    platform_revenue_usd: Decimal | None = None
    currency: str | None = None
    upstream_cost: Decimal | None = None
    retail_price: Decimal | None = None
    channel_revenue: Decimal | None = None
    platform_revenue: Decimal | None = None
