"""The operator's side: payouts under review, reconciliation, reports."""

from datetime import datetime
from decimal import Decimal

from settlekit._async.core import AsyncCore
from settlekit._async.pages import AsyncPageCall, page_of
from settlekit._async.rows import AsyncRows
from settlekit._calls import operations as calls
from settlekit.models import LedgerReconciliation, Payout, PayoutRow, PayoutRun


class AsyncOperations:
    """Payouts, reconciliation and reports; needs the admin token.

    Amounts are Decimals of major units with eight places. Nothing pays without approval.
    """

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def run_payouts(
        self,
        *,
        threshold_usd: Decimal | str | int | None = None,
        threshold: Decimal | str | int | None = None,
        currency: str | None = None,
    ) -> PayoutRun:
        """Make a pending payout for each developer's wallet at or above the threshold.

        ``threshold_usd`` is for wallets in US dollars; ``threshold`` and ``currency`` for
        others. A wallet with a payout under way gets no second one.
        """
        return await self._core.run(
            calls.run_payouts(threshold_usd=threshold_usd, threshold=threshold, currency=currency)
        )

    async def approve_payout(self, payout_id: str, *, operator_note: str | None = None) -> Payout:
        """Approve a pending payout: it becomes processing."""
        return await self._core.run(calls.approve_payout(payout_id, operator_note=operator_note))

    async def mark_payout_paid(self, payout_id: str) -> Payout:
        """Say that a processing payout was paid: the wallet is debited, once."""
        return await self._core.run(calls.mark_payout_paid(payout_id))

    async def payout(self, payout_id: str) -> Payout:
        """Look at one payout."""
        return await self._core.run(calls.payout(payout_id))

    def payouts(
        self, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> AsyncPageCall[Payout]:
        """List payouts, newest first."""
        return page_of(self._core, calls.payouts(status=status, cursor=cursor, limit=limit))

    async def reconcile_ledger(self) -> LedgerReconciliation:
        """Compare every wallet with the entries it is made of; nothing is repaired."""
        return await self._core.run(calls.reconcile_ledger())

    def payouts_report(
        self,
        *,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        currency: str | None = None,
    ) -> AsyncRows[PayoutRow]:
        """Stream the payouts of a half-open span of time, newest first, or save them."""
        return AsyncRows(self._core, calls.payouts_report(from_=from_, to=to, currency=currency))
