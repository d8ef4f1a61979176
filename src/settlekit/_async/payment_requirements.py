"""Payment requirements: a buyer's agent pays."""

from collections.abc import Mapping
from typing import Any

from settlekit._async.core import AsyncCore
from settlekit._calls import payment_requirements as calls
from settlekit.models import ExecutedTransaction, PaymentRequirement


class AsyncPaymentRequirements:
    """Ask for a payment, execute it, prove it; needs a buyer's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def create(
        self,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        challenge: str,
        token_symbol: str | None = None,
        allowance_amount_minor: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> PaymentRequirement:
        """Make a requirement of a merchant's one-time challenge over ``amount_minor`` units.

        The same challenge from the same buyer answers the same requirement, so the call is
        safe to repeat. Raises Conflict for a challenge that another buyer used.
        """
        return await self._core.run(
            calls.create(
                merchant=merchant,
                amount_minor=amount_minor,
                currency=currency,
                challenge=challenge,
                token_symbol=token_symbol,
                allowance_amount_minor=allowance_amount_minor,
                metadata=metadata,
            )
        )

    async def get(self, requirement_id: str) -> PaymentRequirement:
        """Look at a requirement."""
        return await self._core.run(calls.fetch(requirement_id))

    async def verify(
        self,
        requirement_id: str,
        *,
        receipt_id: str | None = None,
        chain_receipt_id: str | None = None,
        await_finality: bool | None = None,
        await_required_status: str | None = None,
        await_timeout_seconds: int | None = None,
        await_poll_seconds: int | None = None,
    ) -> PaymentRequirement:
        """Prove a payment by its receipt, which consumes a standard one."""
        return await self._core.run(
            calls.verify(
                requirement_id,
                receipt_id=receipt_id,
                chain_receipt_id=chain_receipt_id,
                await_finality=await_finality,
                await_required_status=await_required_status,
                await_timeout_seconds=await_timeout_seconds,
                await_poll_seconds=await_poll_seconds,
            )
        )

    async def execute(
        self,
        requirement: PaymentRequirement,
        *,
        await_finality: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> ExecutedTransaction:
        """Execute the payment that a requirement prepared.

        It moves money, so it is never repeated by itself: after a TransportError look at the
        requirement. Raises BudgetExceeded where it doesn't fit the buyer's budget.
        """
        return await self._core.run(
            calls.execute(requirement, await_finality=await_finality, metadata=metadata)
        )

    async def execute_allowance(
        self,
        requirement: PaymentRequirement,
        *,
        await_finality: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> ExecutedTransaction:
        """Execute the allowance that a requirement needs first.

        Raises InvalidArgument where ``approve_transaction_request`` is None: none is needed.
        """
        return await self._core.run(
            calls.execute_allowance(requirement, await_finality=await_finality, metadata=metadata)
        )
