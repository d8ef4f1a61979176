"""Wallets, and what an operator moves in them.

Amounts are Decimals of major units. A wallet in US dollars says ``…_usd``, one in another
currency the same names without it, beside ``currency``.
"""

from decimal import Decimal
from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model
from settlekit.models.states import (
    AdjustmentKind,
    AdjustmentStatus,
    Direction,
    HoldStatus,
    OwnerScope,
)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WalletEntry(Model):
    """One movement of a wallet; the balance before it is the one after the last."""

    transaction_id: str
    direction: Direction
    reason: str | None = None
    amount_usd: Decimal | None = None
    balance_before_usd: Decimal | None = None
    balance_after_usd: Decimal | None = None
    idempotency_key: str | None = None
    metadata: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Wallet(Model):
    """A buyer's credits in US dollars, with the newest entries first."""

    wallet_id: str
    wallet_balance_usd: Decimal
    owner_scope: OwnerScope | None = None
    owner_id: str | None = None
    entries: tuple[WalletEntry, ...] = ()


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WalletCredit(Model):
    """A wallet after a test credit."""

    wallet_id: str
    reason: str | None = None
    owner_scope: OwnerScope | None = None
    owner_id: str | None = None
    currency: str | None = None
    amount_usd: Decimal | None = None
    wallet_balance_usd: Decimal | None = None
    amount: Decimal | None = None
    wallet_balance: Decimal | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WalletAdjustment(Model):
    """An adjustment, refund or chargeback as it was applied."""

    id: str
    wallet_id: str
    kind: AdjustmentKind
    direction: Direction
    status: AdjustmentStatus | None = None
    reason: str | None = None
    idempotency_key: str | None = None
    currency: str | None = None
    amount_usd: Decimal | None = None
    wallet_balance_usd: Decimal | None = None
    amount: Decimal | None = None
    wallet_balance: Decimal | None = None
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Hold(Model):
    """A wallet that may not pay out until an operator releases it, as it was found."""

    id: str
    wallet_id: str
    status: HoldStatus
    owner_scope: OwnerScope | None = None
    owner_id: str | None = None
    currency: str | None = None
    wallet_balance_usd: Decimal | None = None
    ledger_balance_usd: Decimal | None = None
    delta_usd: Decimal | None = None
    wallet_balance: Decimal | None = None
    ledger_balance: Decimal | None = None
    delta: Decimal | None = None
    created_at: Instant | None = None
    released_at: Instant | None = None
    released_by: str | None = None
    note: str | None = None
