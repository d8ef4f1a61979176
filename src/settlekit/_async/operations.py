"""The operator's side: payouts, wallets, usage of models, reconciliation, reports."""

from datetime import datetime
from decimal import Decimal

from settlekit._async.core import AsyncCore
from settlekit._async.pages import AsyncPageCall, page_of
from settlekit._async.rows import AsyncRows
from settlekit._calls import app_usage as usage_calls
from settlekit._calls import operations as calls
from settlekit._calls import reports as report_calls
from settlekit._calls import wallets as wallet_calls
from settlekit.models import (
    AppUsage,
    AuditEntry,
    BalanceChange,
    Billing,
    DeveloperRevenue,
    Hold,
    LedgerReconciliation,
    Payout,
    PayoutRow,
    PayoutRun,
    RevenueReportRow,
    UsageReportRow,
    Wallet,
    WalletAdjustment,
    WalletCredit,
)


class AsyncOperations:
    """What an operator does; needs the admin token, ``wallet`` a buyer's.

    Amounts are Decimals of major units with eight places, but whole cents in the balance
    routes, which need the admin secret. Nothing pays without approval.
    """

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def wallet(self) -> Wallet:
        """Look at the caller's own credits and their newest entries; needs a buyer's token."""
        return await self._core.run(wallet_calls.wallet())

    async def adjust_wallet(
        self,
        wallet_id: str,
        *,
        kind: str,
        direction: str,
        amount_usd: Decimal | str | int | None = None,
        amount: Decimal | str | int | None = None,
        currency: str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> WalletAdjustment:
        """Move a wallet's balance: an adjustment, a refund or a chargeback.

        ``amount_usd`` is of a wallet in US dollars; ``amount`` and ``currency`` of another. A
        key applies once; without one it is drawn for this call and all its repeats. Raises
        InsufficientBalance for a debit beyond the balance, IdempotencyConflict for a key used
        with another payload.
        """
        return await self._core.run(
            wallet_calls.adjust_wallet(
                wallet_id,
                kind=kind,
                direction=direction,
                amount_usd=amount_usd,
                amount=amount,
                currency=currency,
                reason=reason,
                idempotency_key=idempotency_key,
            )
        )

    async def credit_test_balance(
        self,
        wallet_id: str,
        *,
        amount_usd: Decimal | str | int | None = None,
        amount: Decimal | str | int | None = None,
        currency: str | None = None,
    ) -> WalletCredit:
        """Credit a wallet out of nothing, for rehearsals; it has no key and isn't repeated."""
        return await self._core.run(
            wallet_calls.credit_test_balance(
                wallet_id, amount_usd=amount_usd, amount=amount, currency=currency
            )
        )

    async def set_balance(
        self, sid: str, *, balance_cents: int, admin_secret: str | None = None
    ) -> BalanceChange:
        """Set a customer's credits to exactly so many US cents, below zero too.

        ``admin_secret`` is the client's unless given; the token doesn't travel. What the
        customer paid in all never changes by it.
        """
        return await self._core.run(
            wallet_calls.set_balance(sid, balance_cents=balance_cents, admin_secret=admin_secret)
        )

    async def billing(self, sid: str, *, admin_secret: str | None = None) -> Billing:
        """Look at a customer's credits and payments, in US cents.

        ``admin_secret`` is the client's unless given; the token doesn't travel.
        """
        return await self._core.run(wallet_calls.billing(sid, admin_secret=admin_secret))

    async def record_usage(
        self,
        *,
        public_app_id: str,
        feature_key: str,
        route_mode: str,
        provider: str,
        model: str,
        request_id: str | None = None,
        developer_id: str | None = None,
        buyer_id: str | None = None,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cached_tokens: int = 0,
        input_price_per_million_usd: Decimal | str | int | None = None,
        output_price_per_million_usd: Decimal | str | int | None = None,
        cached_price_per_million_usd: Decimal | str | int | None = None,
        markup_percent: Decimal | str | int | None = None,
        share_bps: int | None = None,
        fee_usd: Decimal | str | int | None = None,
        upstream_cost_usd: Decimal | str | int | None = None,
        retail_price_usd: Decimal | str | int | None = None,
        channel_revenue_usd: Decimal | str | int | None = None,
        platform_revenue_usd: Decimal | str | int | None = None,
    ) -> AppUsage:
        """Record one use of a model: priced by all four amounts, or rated by its tokens.

        A ``request_id`` counts once; without one it is drawn for this call and all its
        repeats. In the modes byok and local the cost is zero, and ``fee_usd`` the price.
        """
        return await self._core.run(
            usage_calls.record_usage(
                public_app_id=public_app_id,
                feature_key=feature_key,
                route_mode=route_mode,
                provider=provider,
                model=model,
                request_id=request_id,
                developer_id=developer_id,
                buyer_id=buyer_id,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cached_tokens=cached_tokens,
                input_price_per_million_usd=input_price_per_million_usd,
                output_price_per_million_usd=output_price_per_million_usd,
                cached_price_per_million_usd=cached_price_per_million_usd,
                markup_percent=markup_percent,
                share_bps=share_bps,
                fee_usd=fee_usd,
                upstream_cost_usd=upstream_cost_usd,
                retail_price_usd=retail_price_usd,
                channel_revenue_usd=channel_revenue_usd,
                platform_revenue_usd=platform_revenue_usd,
            )
        )

    def app_usage(
        self, public_app_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> AsyncPageCall[AppUsage]:
        """List an app's uses, newest first."""
        return page_of(self._core, usage_calls.app_usage(public_app_id, cursor=cursor, limit=limit))

    async def developer_revenue(
        self, developer_id: str, *, currency: str | None = None
    ) -> DeveloperRevenue:
        """Look at what a developer holds, waits for and has earned."""
        return await self._core.run(usage_calls.developer_revenue(developer_id, currency=currency))

    def audit(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        resource: str | None = None,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncPageCall[AuditEntry]:
        """List who did what to which resource, newest first; ``to`` itself is left out."""
        return page_of(
            self._core,
            calls.audit(
                actor=actor,
                action=action,
                resource=resource,
                from_=from_,
                to=to,
                cursor=cursor,
                limit=limit,
            ),
        )

    async def reconcile_ledger(self) -> LedgerReconciliation:
        """Compare every wallet with the entries it is made of; nothing is repaired."""
        return await self._core.run(calls.reconcile_ledger())

    def holds(
        self, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> AsyncPageCall[Hold]:
        """List the wallets that may not pay out, newest first."""
        return page_of(self._core, calls.holds(status=status, cursor=cursor, limit=limit))

    async def release_hold(self, hold_id: str, *, note: str) -> Hold:
        """Let a wallet pay out again, with a note that says why."""
        return await self._core.run(calls.release_hold(hold_id, note=note))

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

    async def cancel_payout(self, payout_id: str, *, reason: str | None = None) -> Payout:
        """Cancel a pending payout."""
        return await self._core.run(calls.cancel_payout(payout_id, reason=reason))

    async def fail_payout(self, payout_id: str, *, reason: str | None = None) -> Payout:
        """Say that a processing payout failed: nothing is debited."""
        return await self._core.run(calls.fail_payout(payout_id, reason=reason))

    async def payout(self, payout_id: str) -> Payout:
        """Look at one payout."""
        return await self._core.run(calls.payout(payout_id))

    def payouts(
        self, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> AsyncPageCall[Payout]:
        """List payouts, newest first."""
        return page_of(self._core, calls.payouts(status=status, cursor=cursor, limit=limit))

    def usage_report(
        self,
        *,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        currency: str | None = None,
    ) -> AsyncRows[UsageReportRow]:
        """Stream each use of a model in a half-open span of time, newest first, or save them."""
        asked = report_calls.usage_report(from_=from_, to=to, currency=currency)
        return AsyncRows(self._core, asked)

    def revenue_report(
        self,
        *,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        currency: str | None = None,
    ) -> AsyncRows[RevenueReportRow]:
        """Stream what each app sold in a half-open span of time, idle apps too, or save it."""
        asked = report_calls.revenue_report(from_=from_, to=to, currency=currency)
        return AsyncRows(self._core, asked)

    def payouts_report(
        self,
        *,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        currency: str | None = None,
    ) -> AsyncRows[PayoutRow]:
        """Stream the payouts of a half-open span of time, newest first, or save them."""
        asked = report_calls.payouts_report(from_=from_, to=to, currency=currency)
        return AsyncRows(self._core, asked)
