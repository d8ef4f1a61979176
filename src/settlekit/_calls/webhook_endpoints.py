"""Webhook endpoints: subscribe an address, test it, see what was delivered."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, get, post
from settlekit._codec import Listing
from settlekit.models import WebhookDelivery, WebhookEndpoint, WebhookTest

PATH = "/market/webhooks"
EVENT_TYPES: Final = ("direct_payment.confirmed", "direct_payment.spent")


def create(
    *,
    callback_url: str,
    event_types: Sequence[str] | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[WebhookEndpoint]:
    """Subscribe an address; not repeated, for its secret comes once."""
    return post(
        f"{PATH}/subscriptions",
        _codec.one(WebhookEndpoint),
        callback_url=arguments.web_url(callback_url, "callback_url"),
        event_types=arguments.texts(event_types, "event_types") or list(EVENT_TYPES),
        description=arguments.optional(description, "description"),
        metadata=arguments.metadata(metadata),
    )


def listing() -> Call[Listing[WebhookEndpoint]]:
    """Ask for all endpoints, which come without their secrets."""
    return get(f"{PATH}/subscriptions", _codec.listing(WebhookEndpoint))


def rotate_secret(subscription_id: str) -> Call[WebhookEndpoint]:
    """Draw a new signing secret; not repeated, for it comes once."""
    return post(f"{_path(subscription_id)}/rotate-secret", _codec.one(WebhookEndpoint))


def pause(subscription_id: str) -> Call[WebhookEndpoint]:
    """Hold deliveries back."""
    return post(f"{_path(subscription_id)}/pause", _codec.one(WebhookEndpoint))


def resume(subscription_id: str) -> Call[WebhookEndpoint]:
    """Deliver again."""
    return post(f"{_path(subscription_id)}/resume", _codec.one(WebhookEndpoint))


def send_test(
    *,
    event_type: str,
    data: Mapping[str, Any] | None = None,
    subscription_ids: Sequence[str] | None = None,
) -> Call[WebhookTest]:
    """Have a made-up event delivered."""
    return post(
        f"{PATH}/test-deliveries",
        _codec.one(WebhookTest),
        event_type=arguments.required(event_type, "event_type"),
        data=arguments.metadata(data, "data"),
        subscription_ids=arguments.texts(subscription_ids, "subscription_ids"),
    )


def deliveries(
    *,
    subscription_id: str | None = None,
    event_type: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> Call[Listing[WebhookDelivery]]:
    """Ask for the newest deliveries."""
    return get(
        f"{PATH}/deliveries",
        _codec.listing(WebhookDelivery),
        subscription_id=arguments.optional(subscription_id, "subscription_id"),
        event_type=arguments.optional(event_type, "event_type"),
        status=arguments.status(status),
        limit=arguments.limit(limit, arguments.MAX_DELIVERIES),
    )


def redeliver(delivery_id: str) -> Call[WebhookDelivery]:
    """Have an event delivered again."""
    segment = arguments.path_segment(delivery_id, "delivery_id")
    return post(f"{PATH}/deliveries/{segment}/redeliver", _codec.one(WebhookDelivery))


def _path(subscription_id: str) -> str:
    segment = arguments.path_segment(subscription_id, "subscription_id")
    return f"{PATH}/subscriptions/{segment}"
