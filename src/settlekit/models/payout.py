"""Payouts: reviewed transfers of a wallet's balance to its developer."""

from decimal import Decimal

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import PayoutStatus


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Payout(Model):
    """A payout; amounts are Decimals of major units with eight places.

    A wallet in US dollars says ``amount_usd``, one in another currency ``amount``.
    """

    id: str
    developer_id: str
    status: PayoutStatus
    amount_usd: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None
    provider: str | None = None
    provider_payout_id: str | None = None
    operator_note: str | None = None
    reason: str | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    approved_at: Instant | None = None
    paid_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class PayoutRun(Model):
    """The payouts that one run made."""

    items: tuple[Payout, ...]
