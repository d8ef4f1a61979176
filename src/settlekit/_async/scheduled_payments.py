"""Scheduled payments: approved once by the buyer, then ordered by a schedule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from settlekit._async.core import AsyncCore
from settlekit._calls import scheduled_payments as calls
from settlekit.models import ScheduledAuthorization, ScheduledExecution


class AsyncScheduledPayments:
    """Approve runs and revoke them with a buyer's token; order them with the schedule's."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def authorize(
        self,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        challenge: str,
        token_symbol: str | None = None,
        max_runs: int | None = None,
        max_amount_minor: int | None = None,
        max_amount_minor_per_run: int | None = None,
        cadence: str | Mapping[str, Any] | None = None,
        cadence_limit: Mapping[str, int] | None = None,
        expires_at: datetime | str | None = None,
        valid_until: datetime | str | None = None,
        listing_id: str | None = None,
        product_listing_id: str | None = None,
        capability_key: str | None = None,
        operation_key: str | None = None,
        allowed_operation_key: str | None = None,
        expected_operation_key: str | None = None,
        expected_amount_minor: int | None = None,
        buyer_token: str | None = None,
        agent_id: str | None = None,
        authorization_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        user_signing: bool | None = None,
        user_signing_flow: bool | None = None,
        external_signature: str | None = None,
        external_safe_tx_hash: str | None = None,
    ) -> ScheduledAuthorization:
        """Approve runs of ``amount_minor`` units each by a recurring, daily challenge.

        ``schedule_token`` of the result is there this once: store it. The same challenge
        answers the same authorization without it. Should the answer that had it be lost,
        SetUpIncomplete has the authorization in ``done``: revoke it, and authorize again with
        a new challenge. ``cadence_limit`` has max_runs_per_day,
        max_runs_per_month, max_amount_minor_per_day and max_amount_minor_per_month.
        """
        return await self._core.run(
            calls.authorize(
                merchant=merchant,
                amount_minor=amount_minor,
                currency=currency,
                challenge=challenge,
                token_symbol=token_symbol,
                max_runs=max_runs,
                max_amount_minor=max_amount_minor,
                max_amount_minor_per_run=max_amount_minor_per_run,
                cadence=cadence,
                cadence_limit=cadence_limit,
                expires_at=expires_at,
                valid_until=valid_until,
                listing_id=listing_id,
                product_listing_id=product_listing_id,
                capability_key=capability_key,
                operation_key=operation_key,
                allowed_operation_key=allowed_operation_key,
                expected_operation_key=expected_operation_key,
                expected_amount_minor=expected_amount_minor,
                buyer_token=buyer_token,
                agent_id=agent_id,
                authorization_id=authorization_id,
                metadata=metadata,
                user_signing=user_signing,
                user_signing_flow=user_signing_flow,
                external_signature=external_signature,
                external_safe_tx_hash=external_safe_tx_hash,
            )
        )

    async def execute(
        self,
        slot_id: str,
        *,
        schedule_token: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002  (named as on the wire)
        arguments: Mapping[str, Any] | None = None,
        scheduled_for: datetime | str | None = None,
        draft_token: str | None = None,
        await_finality: bool | None = None,
        await_required_status: str | None = None,
        await_timeout_seconds: int | None = None,
        await_poll_seconds: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ScheduledExecution:
        """Order a run; a slot charges once, so the call is safe to repeat.

        The schedule's token is the bearer of this call, and the client's own stays home. Raises
        AuthenticationError for a revoked or expired one.
        """
        return await self._core.run(
            calls.execute(
                slot_id,
                schedule_token=schedule_token,
                input=input,
                arguments_=arguments,
                scheduled_for=scheduled_for,
                draft_token=draft_token,
                await_finality=await_finality,
                await_required_status=await_required_status,
                await_timeout_seconds=await_timeout_seconds,
                await_poll_seconds=await_poll_seconds,
                metadata=metadata,
            )
        )

    async def revoke(self, authorization_id: str) -> ScheduledAuthorization:
        """Revoke an authorization: its token orders nothing from then on."""
        return await self._core.run(calls.revoke(authorization_id))
