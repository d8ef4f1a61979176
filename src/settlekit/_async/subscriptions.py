"""Subscriptions."""

from settlekit._async.core import AsyncCore
from settlekit._calls import subscriptions as calls
from settlekit.models import Subscription


class AsyncSubscriptions:
    """Approve a charge every month; needs a buyer's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def create(
        self,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        challenge: str,
        cadence: str | None = None,
        token_symbol: str | None = None,
        user_signing: bool | None = None,
        user_signing_flow: bool | None = None,
        external_signature: str | None = None,
        external_safe_tx_hash: str | None = None,
    ) -> Subscription:
        """Subscribe by a recurring, monthly challenge, and pay the first ``amount_minor`` units.

        The same challenge answers the same subscription, so the call is safe to repeat;
        ``idempotent_replay`` says that it was.
        """
        return await self._core.run(
            calls.create(
                merchant=merchant,
                amount_minor=amount_minor,
                currency=currency,
                challenge=challenge,
                cadence=cadence,
                token_symbol=token_symbol,
                user_signing=user_signing,
                user_signing_flow=user_signing_flow,
                external_signature=external_signature,
                external_safe_tx_hash=external_safe_tx_hash,
            )
        )
