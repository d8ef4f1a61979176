"""The revenue page: what the provider's statements say, in the order in which money arrives.

Only what settled is revenue. What isn't settled yet, what is past due and what will never come
stand apart, and nothing adds them up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from examples.shop_parts.money import money_text
from settlekit.models import ProviderSummary, SettlementBatch
from settlekit.models.summary import RevenueTotals

CURRENCIES = {"JPYC": "JPY", "USDC": "USD"}


@dataclass(frozen=True, slots=True)
class RevenueLine:
    """One currency's receivables, as text."""

    currency: str
    settled: str
    unsettled: str
    past_due: str
    terminal: str


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch, as text."""

    period: str
    band: str
    status: str
    receivable: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What the page shows."""

    lines: tuple[RevenueLine, ...]
    batches: tuple[BatchLine, ...]


def statement_of(summary: ProviderSummary) -> Statement:
    """Read a provider's summary as the page shows it."""
    return Statement(
        lines=tuple(_lines(summary.totals_by_token)),
        batches=tuple(_batch(batch) for batch in summary.periods),
    )


def _lines(totals_by_token: Mapping[str, RevenueTotals]) -> Iterator[RevenueLine]:
    for token, totals in sorted(totals_by_token.items()):
        currency = CURRENCIES.get(token, token)
        buckets: tuple[Decimal, ...] = (
            totals.settled_provider_receivable_minor,
            totals.unsettled_provider_receivable_minor,
            totals.past_due_provider_receivable_minor,
            totals.terminal_provider_receivable_minor,
        )
        yield RevenueLine(currency, *(money_text(amount, currency) for amount in buckets))


def _batch(batch: SettlementBatch) -> BatchLine:
    return BatchLine(
        period=_period(batch),
        band=str(batch.plan_type),
        status=str(batch.status).replace("_", " "),
        receivable=money_text(batch.provider_receivable_minor, batch.currency),
    )


def _period(batch: SettlementBatch) -> str:
    if batch.period_start is None or batch.period_end is None:
        return batch.settlement_batch_id
    return f"{batch.period_start:%d %b} – {batch.period_end:%d %b %Y}"
