"""Summaries: where a provider's revenue and a buyer's debts stand."""

from decimal import Decimal
from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import JsonObject, Model
from settlekit.models.open_period import OpenPeriod
from settlekit.models.settlement_batch import SettlementBatch
from settlekit.models.states import PlanType


@attrs.frozen(kw_only=True, getstate_setstate=False)
class RevenueTotals(Model):
    """All receivable accepted, in buckets; Decimals of minor units.

    Terminal is what was uncollectible or written off; the two add up to it.
    """

    settled_provider_receivable_minor: Decimal
    unsettled_provider_receivable_minor: Decimal
    past_due_provider_receivable_minor: Decimal
    terminal_provider_receivable_minor: Decimal
    uncollectible_provider_receivable_minor: Decimal
    written_off_provider_receivable_minor: Decimal


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ProviderSummary(Model):
    """A provider's open periods, newest batches and revenue by bucket."""

    totals: RevenueTotals
    role: str | None = None
    timezone: str | None = None
    filters: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    open_periods: tuple[OpenPeriod, ...] = ()
    periods: tuple[SettlementBatch, ...] = ()
    totals_by_token: dict[str, RevenueTotals] = attrs.Factory(dict[str, RevenueTotals])


@attrs.frozen(kw_only=True, getstate_setstate=False)
class PastDueBlock(Model):
    """A past-due batch that pauses a buyer's scope; Decimals of minor units."""

    settlement_batch_id: str
    plan_type: PlanType
    currency: str
    token_symbol: str
    past_due_block_reason: str | None = None
    total_unsettled_exposure_minor: Decimal | None = None
    past_due_provider_receivable_minor: Decimal | None = None
    failure_reason_code: str | None = None
    failure_reason_label: str | None = None
    failure_reason_help: str | None = None
    support_reference: str | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class BalanceSufficiency(Model):
    """Whether a buyer's wallet covers what is coming; Decimals of minor units."""

    sufficient: bool | None = None
    currency: str | None = None
    token_symbol: str | None = None
    required_minor: Decimal | None = None
    available_minor: Decimal | None = None
    wallet_balance_checked: bool | None = None
    allowance_checked: bool | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class BuyerSummary(Model):
    """A buyer's open periods, newest batches and what is past due."""

    role: str | None = None
    open_periods: tuple[OpenPeriod, ...] = ()
    settlement_batches: tuple[SettlementBatch, ...] = ()
    past_due_blocks: tuple[PastDueBlock, ...] = ()
    balance_sufficiency: BalanceSufficiency | None = None
