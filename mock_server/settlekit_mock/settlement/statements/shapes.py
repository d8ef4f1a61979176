"""The shapes of statements on the wire."""

from typing import Annotated, Literal

from msgspec import Meta

from settlekit_mock.http.wire import Answer, Body, Currency, Listing, MinorText, Timestamp, Token

PlanType = Literal["micro", "nano"]
Cadence = Literal["weekly", "monthly"]
UsageStatusText = Literal[
    "pending_settlement", "settled", "failed_chargeable", "past_due", "uncollectible", "written_off"
]
BatchStatusText = Literal[
    "notice_pending",
    "notice_delivery_failed",
    "ready",
    "submitted",
    "failed",
    "past_due",
    "settled",
    "uncollectible",
    "written_off",
]
ExecutionStatusText = Literal[
    "scheduled",
    "submitted",
    "submitted_reconcile_required",
    "failed_retryable",
    "retrying",
    "past_due",
    "settled",
    "uncollectible",
    "written_off",
]
Trigger = Literal["amount_threshold", "scheduled_close"]
UsageLimit = Annotated[int, Meta(ge=1, le=500)]
BatchLimit = Annotated[int, Meta(ge=1, le=200)]
FilterText = Annotated[str, Meta(max_length=255)]


class SummaryQuery(Body, frozen=True, kw_only=True):
    """Filters of a summary."""

    plan_type: PlanType | None = None
    token_symbol: Token | None = None


class ProviderSummaryQuery(SummaryQuery, frozen=True, kw_only=True):
    """Filters of a provider's summary; amounts count the matching rows only."""

    listing_id: FilterText | None = None
    capability_key: FilterText | None = None


class UsageQuery(SummaryQuery, frozen=True, kw_only=True):
    """Filters and page of a list of usage events."""

    status: UsageStatusText | None = None
    cursor: FilterText | None = None
    limit: UsageLimit = 50


class ProviderUsageQuery(ProviderSummaryQuery, frozen=True, kw_only=True):
    """Filters and page of a provider's list of usage events."""

    status: UsageStatusText | None = None
    cursor: FilterText | None = None
    limit: UsageLimit = 50


class BatchQuery(SummaryQuery, frozen=True, kw_only=True):
    """Filters and page of a list of batches."""

    status: BatchStatusText | None = None
    cursor: FilterText | None = None
    limit: BatchLimit = 50


class ProviderBatchQuery(ProviderSummaryQuery, frozen=True, kw_only=True):
    """Filters and page of a provider's list of batches."""

    status: BatchStatusText | None = None
    cursor: FilterText | None = None
    limit: BatchLimit = 50


class LabelQuery(Body, frozen=True, kw_only=True):
    """Filters of one batch and of its CSV."""

    listing_id: FilterText | None = None
    capability_key: FilterText | None = None


class OpenPeriod(Answer, frozen=True, kw_only=True):
    """A period that is still accruing."""

    plan_type: PlanType
    settlement_cadence: Cadence
    currency: Currency
    token_symbol: Token
    period_start: Timestamp
    period_end: Timestamp
    close_at: Timestamp
    expected_scheduled_debit_at: Timestamp
    settlement_trigger: Trigger
    settlement_threshold_minor: MinorText
    threshold_reached_at: Timestamp | None
    provider_gross_amount_minor: MinorText
    provider_usage_amount_minor: MinorText
    gross_buyer_debit_minor: MinorText
    buyer_debit_minor: MinorText
    protocol_fee_minor: MinorText
    provider_receivable_minor: MinorText
    rounding_delta_minor: MinorText
    total_unsettled_exposure_minor: MinorText


class UsageEvent(Answer, frozen=True, kw_only=True):
    """One accepted payment, as its buyer sees it."""

    metered_usage_id: str
    created_at: Timestamp
    plan_type: PlanType
    settlement_cadence: Cadence
    period_start: Timestamp
    period_end: Timestamp
    listing_id: str
    product_listing_id: str
    capability_key: str
    operation_key: str
    currency: Currency
    token_symbol: Token
    provider_gross_amount_minor: MinorText
    provider_usage_amount_minor: MinorText
    gross_buyer_debit_minor: MinorText
    buyer_debit_minor: MinorText
    protocol_fee_minor: MinorText
    rounding_delta_minor: MinorText
    status: UsageStatusText
    settlement_batch_id: str | None
    expected_scheduled_debit_at: Timestamp


class ProviderUsageEvent(UsageEvent, frozen=True, kw_only=True):
    """One accepted payment, as its provider sees it."""

    provider_receivable_minor: MinorText
    buyer_period_ref: str


class SettlementBatch(Answer, frozen=True, kw_only=True):
    """A closed period of one scope and what became of its debit."""

    settlement_batch_id: str
    plan_type: PlanType
    settlement_cadence: Cadence
    currency: Currency
    token_symbol: Token
    status: BatchStatusText
    notice_status: Literal["pending", "delivered", "failed"]
    period_start: Timestamp
    period_end: Timestamp
    close_at: Timestamp
    settlement_trigger: Trigger
    settlement_threshold_minor: MinorText
    threshold_reached_at: Timestamp | None
    total_unsettled_exposure_minor: MinorText
    expected_scheduled_debit_at: Timestamp
    scheduled_debit_at: Timestamp | None
    not_before_attempt_at: Timestamp
    execution_status: ExecutionStatusText
    latest_execution_attempt_status: Literal["succeeded", "failed", "unknown"] | None
    attempt_count: Annotated[int, Meta(ge=0)]
    next_attempt_at: Timestamp | None
    chain_receipt_id: str | None
    settled_at: Timestamp | None
    usage_event_digest: str
    provider_gross_amount_minor: MinorText
    provider_usage_amount_minor: MinorText
    gross_buyer_debit_minor: MinorText
    buyer_debit_minor: MinorText
    protocol_fee_minor: MinorText
    provider_receivable_minor: MinorText
    rounding_delta_minor: MinorText
    settled_provider_receivable_minor: MinorText
    unsettled_provider_receivable_minor: MinorText
    past_due_provider_receivable_minor: MinorText
    terminal_provider_receivable_minor: MinorText
    uncollectible_provider_receivable_minor: MinorText
    written_off_provider_receivable_minor: MinorText
    terminal_status: Literal["uncollectible", "written_off"] | None
    terminal_marked_at: Timestamp | None
    terminal_reason_code: str | None
    failure_reason_code: str | None
    failure_reason_label: str | None
    failure_reason_help: str | None
    support_reference: str | None
    buyer_period_ref: str


class BuyerSettlementBatch(SettlementBatch, frozen=True, kw_only=True):
    """A batch as its buyer sees it."""

    estimated_buyer_debit_minor: MinorText
    past_due_block_reason: Literal["METERED_SETTLEMENT_PAST_DUE"] | None


class PastDueBlock(Answer, frozen=True, kw_only=True):
    """A batch that keeps its scope from accruing."""

    settlement_batch_id: str
    plan_type: PlanType
    currency: Currency
    token_symbol: Token
    past_due_block_reason: Literal["METERED_SETTLEMENT_PAST_DUE"]
    total_unsettled_exposure_minor: MinorText
    past_due_provider_receivable_minor: MinorText
    failure_reason_code: str | None
    failure_reason_label: str | None
    failure_reason_help: str | None
    support_reference: str | None


class BalanceSufficiency(Answer, frozen=True, kw_only=True):
    """Whether a buyer's funds cover what is reserved."""

    sufficient: bool
    currency: Currency
    token_symbol: Token
    required_minor: MinorText
    available_minor: MinorText
    wallet_balance_checked: bool
    allowance_checked: bool


class BuyerSummary(Answer, frozen=True, kw_only=True):
    """A buyer's open periods, newest batches and blocks."""

    role: Literal["buyer"]
    open_periods: list[OpenPeriod]
    settlement_batches: list[BuyerSettlementBatch]
    past_due_blocks: list[PastDueBlock]
    balance_sufficiency: BalanceSufficiency


class Totals(Answer, frozen=True, kw_only=True):
    """A provider's receivable by bucket; the buckets add up to all that was accepted."""

    settled_provider_receivable_minor: MinorText
    unsettled_provider_receivable_minor: MinorText
    past_due_provider_receivable_minor: MinorText
    terminal_provider_receivable_minor: MinorText
    uncollectible_provider_receivable_minor: MinorText
    written_off_provider_receivable_minor: MinorText


class TotalsByToken(Answer, frozen=True, kw_only=True):
    """A provider's totals in each token."""

    JPYC: Totals
    USDC: Totals


class Filters(Answer, frozen=True, kw_only=True):
    """The filters that a summary was made with."""

    plan_type: PlanType | None
    token_symbol: Token | None
    listing_id: str | None
    capability_key: str | None


class ProviderSummary(Answer, frozen=True, kw_only=True):
    """A provider's open periods, newest batches and totals."""

    role: Literal["provider"]
    timezone: str
    filters: Filters
    open_periods: list[OpenPeriod]
    periods: list[SettlementBatch]
    totals: Totals
    totals_by_token: TotalsByToken


class UsageEvents(Listing, frozen=True, kw_only=True):
    """A page of a buyer's usage events, newest first."""

    items: list[UsageEvent]


class ProviderUsageEvents(Listing, frozen=True, kw_only=True):
    """A page of a provider's usage events, newest first."""

    items: list[ProviderUsageEvent]


class SettlementBatches(Listing, frozen=True, kw_only=True):
    """A page of a provider's batches, newest first."""

    items: list[SettlementBatch]


class BuyerSettlementBatches(Listing, frozen=True, kw_only=True):
    """A page of a buyer's batches, newest first."""

    items: list[BuyerSettlementBatch]
