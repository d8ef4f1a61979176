"""Webhook endpoints: where events go, and what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from settlekit._async.core import AsyncCore
from settlekit._async.pages import AsyncPageCall, page_of
from settlekit._calls import webhook_endpoints as calls
from settlekit.models import WebhookDelivery, WebhookEndpoint, WebhookTest


class AsyncWebhookEndpoints:
    """Subscribe addresses to events, test them; needs a merchant's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def create(
        self,
        *,
        callback_url: str,
        event_types: Sequence[str] | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> WebhookEndpoint:
        """Subscribe an address, to ``direct_payment.confirmed`` and ``.spent`` unless told.

        ``signing_secret`` of the result is there this once: store it.
        """
        return await self._core.run(
            calls.create(
                callback_url=callback_url,
                event_types=event_types,
                description=description,
                metadata=metadata,
            )
        )

    def list(self) -> AsyncPageCall[WebhookEndpoint]:
        """List the endpoints, newest first, without their secrets."""
        return page_of(self._core, calls.listing())

    async def rotate_secret(self, subscription_id: str) -> WebhookEndpoint:
        """Draw a new signing secret, shown this once; for a day both sign."""
        return await self._core.run(calls.rotate_secret(subscription_id))

    async def pause(self, subscription_id: str) -> WebhookEndpoint:
        """Hold deliveries back."""
        return await self._core.run(calls.pause(subscription_id))

    async def resume(self, subscription_id: str) -> WebhookEndpoint:
        """Deliver again; what was held back goes at once."""
        return await self._core.run(calls.resume(subscription_id))

    async def send_test(
        self,
        *,
        event_type: str,
        data: Mapping[str, Any] | None = None,
        subscription_ids: Sequence[str] | None = None,
    ) -> WebhookTest:
        """Have a made-up event delivered before the answer.

        Put ``readiness_probe: True`` into ``data``, and handlers skip it.
        """
        return await self._core.run(
            calls.send_test(event_type=event_type, data=data, subscription_ids=subscription_ids)
        )

    def deliveries(
        self,
        *,
        subscription_id: str | None = None,
        event_type: str | None = None,
        status: str | None = None,
        limit: int | None = None,
    ) -> AsyncPageCall[WebhookDelivery]:
        """List the newest deliveries, 1 to 100."""
        return page_of(
            self._core,
            calls.deliveries(
                subscription_id=subscription_id, event_type=event_type, status=status, limit=limit
            ),
        )

    async def redeliver(self, delivery_id: str) -> WebhookDelivery:
        """Have an event delivered again: the same id, a fresh signature."""
        return await self._core.run(calls.redeliver(delivery_id))
