"""Webhook endpoints, and what was delivered to them."""

from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model
from settlekit.models.states import DeliveryStatus, EndpointStatus


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WebhookEndpoint(Model):
    """An address that is subscribed to event types.

    ``signing_secret`` is there once, when it was made: store it. repr never shows it;
    ``signing_secret_hint`` is its last four characters.
    """

    id: str
    callback_url: str
    event_types: tuple[str, ...] = ()
    status: EndpointStatus | None = None
    webhook_subscription_id: str | None = None
    subscription_id: str | None = None
    description: str | None = None
    metadata: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    signing_secret: str | None = attrs.field(default=None, repr=False)
    signing_secret_hint: str | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WebhookDelivery(Model):
    """One event on its way to one endpoint; the status is its last attempt's."""

    id: str
    delivery_status: DeliveryStatus
    subscription_id: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    response_status: int | None = None
    delivered_at: Instant | None = None
    attempt_count: int | None = None
    next_attempt_at: Instant | None = None
    error: str | None = None
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WebhookEventName(Model):
    """An event's id and type."""

    id: str
    type: str


@attrs.frozen(kw_only=True, getstate_setstate=False)
class WebhookTest(Model):
    """How a test event was received; the status is None where nobody listens.

    ``queued`` says how many deliveries there were, or that there were some.
    """

    event: WebhookEventName
    queued: Any = None
    delivery_status: DeliveryStatus | None = None
    response_status: int | None = None
