"""A buyer's statements."""

from settlekit._async.core import AsyncCore
from settlekit._async.pages import AsyncPageCall, page_of
from settlekit._calls import buyer_statements as calls
from settlekit.models import BuyerSummary, SettlementBatch, UsageEvent


class AsyncBuyerStatements:
    """What was used, what is due, what is past due; needs a buyer's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def summary(
        self, *, plan_type: str | None = None, token_symbol: str | None = None
    ) -> BuyerSummary:
        """Ask for open periods, the newest batches and what is past due."""
        return await self._core.run(calls.summary(plan_type=plan_type, token_symbol=token_symbol))

    def usage_events(
        self,
        *,
        plan_type: str | None = None,
        token_symbol: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncPageCall[UsageEvent]:
        """List accepted payments, newest first, 1 to 500 a page."""
        return page_of(
            self._core,
            calls.usage_events(
                plan_type=plan_type,
                token_symbol=token_symbol,
                status=status,
                cursor=cursor,
                limit=limit,
            ),
        )

    def settlement_batches(
        self,
        *,
        plan_type: str | None = None,
        token_symbol: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncPageCall[SettlementBatch]:
        """List closed periods, newest first, 1 to 200 a page."""
        return page_of(
            self._core,
            calls.settlement_batches(
                plan_type=plan_type,
                token_symbol=token_symbol,
                status=status,
                cursor=cursor,
                limit=limit,
            ),
        )
