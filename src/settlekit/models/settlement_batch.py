"""Settlement batches: closed periods on their way to one debit."""

from decimal import Decimal

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import (
    AttemptStatus,
    BatchStatus,
    ExecutionStatus,
    NoticeStatus,
    PlanType,
    SettlementCadence,
    SettlementTrigger,
)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class SettlementBatch(Model):
    """A closed period of one buyer, provider, token and band.

    All amounts are Decimals of minor units. Only ``settled`` with a ``chain_receipt_id``
    is settled revenue.
    """

    settlement_batch_id: str
    plan_type: PlanType
    settlement_cadence: SettlementCadence
    currency: str
    token_symbol: str
    status: BatchStatus
    provider_gross_amount_minor: Decimal
    provider_usage_amount_minor: Decimal
    gross_buyer_debit_minor: Decimal
    buyer_debit_minor: Decimal
    protocol_fee_minor: Decimal
    provider_receivable_minor: Decimal
    rounding_delta_minor: Decimal
    notice_status: NoticeStatus | None = None
    period_start: Instant | None = None
    period_end: Instant | None = None
    close_at: Instant | None = None
    settlement_trigger: SettlementTrigger | None = None
    settlement_threshold_minor: Decimal | None = None
    threshold_reached_at: Instant | None = None
    total_unsettled_exposure_minor: Decimal | None = None
    expected_scheduled_debit_at: Instant | None = None
    scheduled_debit_at: Instant | None = None
    not_before_attempt_at: Instant | None = None
    execution_status: ExecutionStatus | None = None
    latest_execution_attempt_status: AttemptStatus | None = None
    attempt_count: int = 0
    next_attempt_at: Instant | None = None
    chain_receipt_id: str | None = None
    settled_at: Instant | None = None
    usage_event_digest: str | None = None
    settled_provider_receivable_minor: Decimal | None = None
    unsettled_provider_receivable_minor: Decimal | None = None
    past_due_provider_receivable_minor: Decimal | None = None
    terminal_provider_receivable_minor: Decimal | None = None
    uncollectible_provider_receivable_minor: Decimal | None = None
    written_off_provider_receivable_minor: Decimal | None = None
    terminal_status: BatchStatus | None = None
    terminal_marked_at: Instant | None = None
    terminal_reason_code: str | None = None
    failure_reason_code: str | None = None
    failure_reason_label: str | None = None
    failure_reason_help: str | None = None
    support_reference: str | None = None
    buyer_period_ref: str | None = attrs.field(default=None, repr=False)
    estimated_buyer_debit_minor: Decimal | None = None
    past_due_block_reason: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its money has come: settled, with a receipt of the chain."""
        return self.status is BatchStatus.SETTLED and bool(self.chain_receipt_id)
