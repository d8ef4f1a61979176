"""Top-ups by card."""

from decimal import Decimal

from settlekit._async.core import AsyncCore
from settlekit._calls import top_ups as calls
from settlekit.models import TopUp


class AsyncTopUps:
    """Buy credits by card; needs a buyer's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def create(
        self, *, amount_usd: Decimal | str | int, success_url: str, cancel_url: str
    ) -> TopUp:
        """Open a top-up of so many US dollars, in whole cents; send the buyer to its address.

        It has no key, so it is never repeated by itself.
        """
        return await self._core.run(
            calls.create(amount_usd=amount_usd, success_url=success_url, cancel_url=cancel_url)
        )
