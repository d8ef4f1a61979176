"""A provider's statements."""

from settlekit._async.core import AsyncCore
from settlekit._async.pages import AsyncPageCall, page_of
from settlekit._async.rows import AsyncUsageRows
from settlekit._calls import provider_statements as calls
from settlekit.models import ProviderSummary, SettlementBatch, UsageEvent


class AsyncProviderStatements:
    """Revenue by bucket, usage and batches; needs a provider's or a merchant's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def summary(
        self,
        *,
        plan_type: str | None = None,
        token_symbol: str | None = None,
        listing_id: str | None = None,
        capability_key: str | None = None,
    ) -> ProviderSummary:
        """Ask for open periods, the newest batches and revenue by bucket."""
        return await self._core.run(
            calls.summary(
                plan_type=plan_type,
                token_symbol=token_symbol,
                listing_id=listing_id,
                capability_key=capability_key,
            )
        )

    def usage_events(
        self,
        *,
        plan_type: str | None = None,
        token_symbol: str | None = None,
        listing_id: str | None = None,
        capability_key: str | None = None,
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
                listing_id=listing_id,
                capability_key=capability_key,
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
        listing_id: str | None = None,
        capability_key: str | None = None,
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
                listing_id=listing_id,
                capability_key=capability_key,
                status=status,
                cursor=cursor,
                limit=limit,
            ),
        )

    async def settlement_batch(
        self,
        settlement_batch_id: str,
        *,
        listing_id: str | None = None,
        capability_key: str | None = None,
    ) -> SettlementBatch:
        """Look at one batch."""
        return await self._core.run(
            calls.settlement_batch(
                settlement_batch_id, listing_id=listing_id, capability_key=capability_key
            )
        )

    def usage_csv(
        self,
        settlement_batch_id: str,
        *,
        listing_id: str | None = None,
        capability_key: str | None = None,
        verify: bool = False,
    ) -> AsyncUsageRows:
        """Stream a batch's rows in the order of acceptance, typed, or save them to a file.

        With ``verify`` the batch is asked for its digest when the rows have come, and other
        rows raise DecodeError.
        """
        return AsyncUsageRows(
            self._core,
            calls.usage_csv(
                settlement_batch_id, listing_id=listing_id, capability_key=capability_key
            ),
            verify=verify,
        )
