"""Rows of the CSV files: a batch's usage, and the payouts report."""

from datetime import datetime
from decimal import Decimal

import attrs

from settlekit.models.states import (
    PayoutStatus,
    PlanType,
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
    buyer_period_ref: str | None


@attrs.frozen(weakref_slot=False)
class PayoutRow:
    """One payout of the payouts report; amounts are Decimals of major units.

    The report of US dollars says ``amount_usd``, that of another currency ``amount``.
    """

    created_at: datetime
    updated_at: datetime | None
    payout_id: str
    developer_id: str
    developer_email: str | None
    status: PayoutStatus
    provider: str | None
    provider_payout_id: str | None
    amount_usd: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None
