"""Ledger reconciliation: every wallet against the entries it is made of."""

from decimal import Decimal

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import OwnerScope, WalletCheckStatus


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ReconciliationSummary(Model):
    """How many wallets were checked, and how many hold."""

    wallet_count: int
    balanced_count: int
    mismatch_count: int


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WalletCheck(Model):
    """One wallet's balance beside the sum of its entries; Decimals of major units.

    A wallet in US dollars says ``…_usd``, one in another currency the same without it.
    """

    wallet_id: str
    status: WalletCheckStatus
    owner_scope: OwnerScope | None = None
    owner_id: str | None = None
    currency: str | None = None
    wallet_balance_usd: Decimal | None = None
    ledger_balance_usd: Decimal | None = None
    delta_usd: Decimal | None = None
    wallet_balance: Decimal | None = None
    ledger_balance: Decimal | None = None
    delta: Decimal | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class LedgerReconciliation(Model):
    """The ledger rebuilt from its entries; a mismatch is reported, never repaired."""

    summary: ReconciliationSummary
    generated_at: Instant | None = None
    items: tuple[WalletCheck, ...] = ()
