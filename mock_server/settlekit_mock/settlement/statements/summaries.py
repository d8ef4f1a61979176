"""Summaries: open periods, the newest batches, and what it all adds up to."""

from collections import defaultdict

from sqlalchemy import Connection

from settlekit.money import TOKENS
from settlekit_mock.settlement.buyers import Buyer
from settlekit_mock.settlement.funds import open_purse
from settlekit_mock.settlement.providers import Provider
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.standing import Bucket, bucket_of
from settlekit_mock.settlement.statements import queries
from settlekit_mock.settlement.statements.queries import Filter, Reader
from settlekit_mock.settlement.statements.rows import (
    buyer_settlement_batch,
    open_period,
    past_due_block,
    settlement_batch,
    totals,
)
from settlekit_mock.settlement.statements.shapes import (
    BalanceSufficiency,
    BuyerSummary,
    Filters,
    ProviderSummary,
    TotalsByToken,
)
from settlekit_mock.settlement.totals import provider_totals

NEWEST = 20
"""Batches that a summary carries; the lists carry all."""

Receivable = dict[str, dict[Bucket, int]]
"""Units by currency and bucket."""


def provider_summary(connection: Connection, provider: Provider, wanted: Filter) -> ProviderSummary:
    """Summarise a provider's metered revenue; reads running sums, no usage."""
    reader = Reader("provider", provider.provider_number)
    opened = queries.open_periods(connection, reader, wanted)
    newest = queries.batches(connection, reader, wanted, before=None, limit=NEWEST)
    if wanted.by_label:
        receivable = _narrowed_receivable(connection, reader, wanted)
    else:
        receivable = _receivable(connection, provider.provider_number, wanted)
        for row in opened:
            receivable[row.currency][Bucket.UNSETTLED] += row.gross - row.fee
    by_token = {token: totals(receivable[code], code) for code, token in TOKENS.items()}
    return ProviderSummary(
        role="provider",
        timezone="UTC",
        filters=Filters(
            plan_type=wanted.plan_type,  # type: ignore[arg-type]
            token_symbol=wanted.token_symbol,  # type: ignore[arg-type]
            listing_id=wanted.listing_id,
            capability_key=wanted.capability_key,
        ),
        open_periods=[open_period(row) for row in opened],
        periods=[settlement_batch(row) for row in newest],
        totals=by_token[TOKENS[wanted.currency or provider.billing_currency]],
        totals_by_token=TotalsByToken(**by_token),
    )


def _empty() -> Receivable:
    return defaultdict(lambda: defaultdict(int))


def _receivable(connection: Connection, provider_number: int, wanted: Filter) -> Receivable:
    found = _empty()
    for currency, band, bucket, units in provider_totals(connection, provider_number):
        if wanted.plan_type in (None, band) and wanted.currency in (None, currency):
            found[currency][bucket] += units
    return found


def _narrowed_receivable(connection: Connection, reader: Reader, wanted: Filter) -> Receivable:
    found = _empty()
    for currency, status, units in queries.receivable_by_status(connection, reader, wanted):
        found[currency][bucket_of(status)] += units
    return found


def buyer_summary(connection: Connection, buyer: Buyer, wanted: Filter) -> BuyerSummary:
    """Summarise what a buyer owes, and whether the funds cover it."""
    reader = Reader("buyer", buyer.buyer_number)
    opened = queries.open_periods(connection, reader, wanted)
    newest = queries.batches(connection, reader, wanted, before=None, limit=NEWEST)
    blocks = queries.paused_batches(connection, reader, wanted)
    shown = wanted.currency or next((row.currency for row in (*opened, *newest)), "JPY")
    return BuyerSummary(
        role="buyer",
        open_periods=[open_period(row) for row in opened],
        settlement_batches=[buyer_settlement_batch(row) for row in newest],
        past_due_blocks=[past_due_block(row) for row in blocks],
        balance_sufficiency=_sufficiency(connection, buyer, shown),
    )


def _sufficiency(connection: Connection, buyer: Buyer, currency: str) -> BalanceSufficiency:
    purse = open_purse(connection, buyer, currency)
    available = min(purse.balance, purse.allowance)
    return BalanceSufficiency(
        sufficient=available >= purse.reserved,
        currency=currency,  # type: ignore[arg-type]
        token_symbol=TOKENS[currency],  # type: ignore[arg-type]
        required_minor=wire_minor(purse.reserved, currency),
        available_minor=wire_minor(available, currency),
        wallet_balance_checked=True,
        allowance_checked=True,
    )
