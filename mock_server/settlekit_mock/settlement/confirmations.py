"""What webhooks say of metered money: accepted usage, and settled batches."""

from sqlalchemy import select

from settlekit.money import TOKENS, Band
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.batches import BatchRow, digest_text
from settlekit_mock.settlement.rules.acceptance import SETTLEMENT_THRESHOLD_MINOR
from settlekit_mock.settlement.rules.amounts import UNITS_PER_MINOR, wire_minor
from settlekit_mock.settlement.tables import LABELS, PERIOD_LABELS
from settlekit_mock.webhooks.service import emit

CONFIRMED = "direct_payment.confirmed"
BATCH_MODE = "metered_settlement_batch"
AGGREGATED = "aggregated_onchain_settlement"
CADENCES = {Band.STANDARD: "per_payment", Band.MICRO: "weekly", Band.NANO: "monthly"}


def metered_amounts(gross: int, fee: int, currency: str) -> dict[str, str]:
    """Return the amounts that every metered row and batch carries, as decimal strings.

    The buyer is debited the gross: the fee is the seller's.
    """
    gross_text = wire_minor(gross, currency)
    return {
        "provider_gross_amount_minor": gross_text,
        "provider_usage_amount_minor": gross_text,
        "gross_buyer_debit_minor": gross_text,
        "buyer_debit_minor": gross_text,
        "protocol_fee_minor": wire_minor(fee, currency),
        "provider_receivable_minor": wire_minor(gross - fee, currency),
        "rounding_delta_minor": "0",
    }


def tell_settled(tx: Transaction, batch: BatchRow) -> str:
    """Send the webhook of a settled batch to its provider and return the event's id."""
    data: dict[str, object] = {
        "mode": BATCH_MODE,
        "settlement_batch_id": batch.settlement_batch_id,
        "merchant": _only_merchant(tx, batch),
        "amount_minor": batch.gross // UNITS_PER_MINOR[batch.currency],
        "currency": batch.currency,
        "token_symbol": TOKENS[batch.currency],
        "pricing_band": batch.band,
        "settlement_cadence": CADENCES[Band(batch.band)],
        "finality": AGGREGATED,
        "settlement_status": "settled",
        "status": batch.status,
        "chain_receipt_id": batch.chain_receipt_id,
        "settled_at": to_text(batch.settled_at),
        "usage_event_digest": digest_text(batch),
        "period_start": to_text(batch.period_start),
        "period_end": to_text(batch.period_end),
        "settlement_trigger": batch.settlement_trigger,
        "settlement_threshold_minor": str(SETTLEMENT_THRESHOLD_MINOR),
        "threshold_reached_at": optional_text(batch.threshold_reached_at),
        "total_unsettled_exposure_minor": wire_minor(batch.exposure, batch.currency),
        **metered_amounts(batch.gross, batch.fee, batch.currency),
    }
    return emit(tx, owner=batch.provider_id, event_type=CONFIRMED, data=data)


def _only_merchant(tx: Transaction, batch: BatchRow) -> str | None:
    # One person's merchants share a scope, so a batch can hold sales of several.
    names = tx.connection.execute(
        select(LABELS.c.merchant)
        .join(PERIOD_LABELS, PERIOD_LABELS.c.label_number == LABELS.c.label_number)
        .where(PERIOD_LABELS.c.period_number == batch.period_number)
        .distinct()
    ).all()
    return names[0].merchant if len(names) == 1 else None
