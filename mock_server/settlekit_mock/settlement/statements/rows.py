"""Turn rows into the shapes of statements."""

from typing import Any, Final

from settlekit.digest import render
from settlekit.money import TOKENS, Band
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.settlement.confirmations import CADENCES, metered_amounts
from settlekit_mock.settlement.rules.acceptance import SETTLEMENT_THRESHOLD_MINOR
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.batch_life import state_of
from settlekit_mock.settlement.rules.debits import FAILURE_REASONS
from settlekit_mock.settlement.rules.standing import (
    TERMINAL_BUCKETS,
    Bucket,
    bucket_of,
    notice_status_of,
    pauses_scope,
    usage_status,
)
from settlekit_mock.settlement.rules.timetable import expected_scheduled_debit_at
from settlekit_mock.settlement.statements.shapes import (
    BuyerSettlementBatch,
    OpenPeriod,
    PastDueBlock,
    ProviderUsageEvent,
    SettlementBatch,
    Totals,
    UsageEvent,
)

PAST_DUE_REASON: Final = "METERED_SETTLEMENT_PAST_DUE"


def amounts_of(row: AnyRow) -> dict[str, Any]:
    """Return a row's amounts, of the matching payments alone where it was narrowed."""
    return metered_amounts(row.matching_gross, row.matching_fee, row.currency)


def receivable_of(row: AnyRow) -> int:
    """Return a row's receivable in units, of the matching payments alone."""
    units: int = row.matching_gross - row.matching_fee
    return units


def _kind(row: AnyRow) -> dict[str, Any]:
    return {
        "plan_type": row.band,
        "settlement_cadence": CADENCES[Band(row.band)],
        "currency": row.currency,
        "token_symbol": TOKENS[row.currency],
    }


def _closing(row: AnyRow) -> dict[str, Any]:
    return {
        "period_start": to_text(row.period_start),
        "period_end": to_text(row.period_end),
        "close_at": to_text(row.close_at),
        "settlement_trigger": row.settlement_trigger,
        "settlement_threshold_minor": str(SETTLEMENT_THRESHOLD_MINOR),
        "threshold_reached_at": optional_text(row.threshold_reached_at),
        "total_unsettled_exposure_minor": wire_minor(row.exposure, row.currency),
        "expected_scheduled_debit_at": to_text(expected_scheduled_debit_at(row.close_at)),
    }


def open_period(row: AnyRow) -> OpenPeriod:
    """Shape an open period."""
    return OpenPeriod(**_kind(row), **_closing(row), **amounts_of(row))


def usage_event(row: AnyRow) -> UsageEvent:
    """Shape a usage event for its buyer."""
    return UsageEvent(**_usage(row))


def provider_usage_event(row: AnyRow) -> ProviderUsageEvent:
    """Shape a usage event for its provider, who never learns who the buyer is."""
    return ProviderUsageEvent(
        **_usage(row),
        provider_receivable_minor=wire_minor(row.gross - row.fee, row.currency),
        buyer_period_ref=row.buyer_period_ref,
    )


def _usage(row: AnyRow) -> dict[str, Any]:
    amounts = metered_amounts(row.gross, row.fee, row.currency)
    del amounts["provider_receivable_minor"]
    expected = row.scheduled_debit_at or expected_scheduled_debit_at(row.close_at)
    status = usage_status(row.batch_status, failed_chargeable=row.outcome is not None)
    return {
        "metered_usage_id": row.metered_usage_id,
        "created_at": to_text(row.created_at),
        **_kind(row),
        "period_start": to_text(row.period_start),
        "period_end": to_text(row.period_end),
        "listing_id": row.listing_id,
        "product_listing_id": row.product_listing_id,
        "capability_key": row.capability_key,
        "operation_key": row.operation_key,
        **amounts,
        "status": status.value,
        "settlement_batch_id": row.settlement_batch_id,
        "expected_scheduled_debit_at": to_text(expected),
    }


def settlement_batch(row: AnyRow) -> SettlementBatch:
    """Shape a batch for its provider."""
    return SettlementBatch(**_batch(row))


def buyer_settlement_batch(row: AnyRow) -> BuyerSettlementBatch:
    """Shape a batch for its buyer."""
    blocks = pauses_scope(state_of(row.status, row.execution_status))
    return BuyerSettlementBatch(
        **_batch(row),
        estimated_buyer_debit_minor=wire_minor(row.gross, row.currency),
        past_due_block_reason=PAST_DUE_REASON if blocks else None,
    )


def past_due_block(row: AnyRow) -> PastDueBlock:
    """Shape a batch that keeps its scope from accruing."""
    kind = _kind(row)
    del kind["settlement_cadence"]  # the one kind of row without it
    return PastDueBlock(
        settlement_batch_id=row.settlement_batch_id,
        **kind,
        past_due_block_reason=PAST_DUE_REASON,
        total_unsettled_exposure_minor=wire_minor(row.exposure, row.currency),
        past_due_provider_receivable_minor=wire_minor(row.gross - row.fee, row.currency),
        **_failure(row),
    )


def _batch(row: AnyRow) -> dict[str, Any]:
    bucket = bucket_of(row.status)
    terminal = bucket in TERMINAL_BUCKETS
    return {
        "settlement_batch_id": row.settlement_batch_id,
        **_kind(row),
        "status": row.status,
        "notice_status": notice_status_of(row.status).value,
        **_closing(row),
        "scheduled_debit_at": optional_text(row.scheduled_debit_at),
        "not_before_attempt_at": to_text(row.not_before_attempt_at),
        "execution_status": row.execution_status,
        "latest_execution_attempt_status": row.latest_attempt_status,
        "attempt_count": row.attempt_count,
        "next_attempt_at": optional_text(row.next_attempt_at),
        "chain_receipt_id": row.chain_receipt_id,
        "settled_at": optional_text(row.settled_at),
        "usage_event_digest": render(row.digest),
        **amounts_of(row),
        **bucket_texts({bucket: receivable_of(row)}, row.currency),
        "terminal_status": row.status if terminal else None,
        "terminal_marked_at": optional_text(row.terminal_marked_at),
        "terminal_reason_code": row.terminal_reason_code,
        **_failure(row),
        "buyer_period_ref": row.buyer_period_ref,
    }


def _failure(row: AnyRow) -> dict[str, Any]:
    code = row.failure_reason_code
    reason = None if code is None else FAILURE_REASONS[code]
    return {
        "failure_reason_code": code,
        "failure_reason_label": None if reason is None else reason.label,
        "failure_reason_help": None if reason is None else reason.help_text,
        "support_reference": row.support_reference,
    }


def bucket_texts(receivable: dict[Bucket, int], currency: str) -> dict[str, str]:
    """Write receivable by bucket; ``terminal`` is uncollectible and written off together."""
    amounts = {bucket.value: receivable.get(bucket, 0) for bucket in Bucket}
    amounts["terminal"] = sum(receivable.get(bucket, 0) for bucket in TERMINAL_BUCKETS)
    return {
        f"{name}_provider_receivable_minor": wire_minor(amount, currency)
        for name, amount in amounts.items()
    }


def totals(receivable: dict[Bucket, int], currency: str) -> Totals:
    """Shape a provider's totals."""
    return Totals(**bucket_texts(receivable, currency))
