"""Paid capabilities."""

from collections.abc import Mapping
from typing import Any

from settlekit._async.core import AsyncCore
from settlekit._calls import capabilities as calls
from settlekit.models import CapabilityExecution


class AsyncCapabilities:
    """Run what providers offer by the use; needs a buyer's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def execute(
        self,
        capability_key: str,
        *,
        listing_id: str,
        operation_key: str,
        amount_minor: int,
        currency: str,
        idempotency_key: str | None = None,
        input: Mapping[str, Any] | None = None,  # noqa: A002  (named as on the wire)
    ) -> CapabilityExecution:
        """Run a capability for ``amount_minor`` units, charged at most once for a key.

        Without an ``idempotency_key`` one is drawn for this call and all its repeats. Raises
        SettlementPastDue while the buyer's scope is paused, BudgetExceeded where the amount
        doesn't fit, IdempotencyConflict for a key used with other input.
        """
        return await self._core.run(
            calls.execute(
                capability_key,
                listing_id=listing_id,
                operation_key=operation_key,
                amount_minor=amount_minor,
                currency=currency,
                idempotency_key=idempotency_key,
                input=input,
            )
        )
