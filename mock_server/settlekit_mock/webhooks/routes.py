"""The routes of webhooks: what a merchant sets up, tests and reads back."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.http.wire import Answer, Body, Metadata, ShortText, Timestamp, UrlText
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.webhooks import rules, service
from settlekit_mock.webhooks.tables import (
    Delivery,
    DeliveryStatus,
    Subscription,
    deliveries_of_event,
    delivery_of,
    newest_deliveries,
    subscriptions_of,
)

EventTypes = Annotated[list[ShortText], Meta(min_length=1, max_length=50)]


class SubscriptionAnswer(Answer, frozen=True, kw_only=True):
    """A subscription, without its secret."""

    id: str
    webhook_subscription_id: str
    subscription_id: str
    callback_url: str
    event_types: list[str]
    status: Literal["active", "paused"]
    description: str | None
    metadata: Metadata
    signing_secret_hint: str
    created_at: Timestamp
    updated_at: Timestamp


class SubscriptionWithSecret(SubscriptionAnswer, frozen=True, kw_only=True):
    """A subscription with its new secret, shown this once."""

    signing_secret: str


class DeliveryAnswer(Answer, frozen=True, kw_only=True):
    """One event on its way to one subscription; the status is its last attempt's."""

    id: str
    subscription_id: str
    event_id: str
    event_type: str
    delivery_status: DeliveryStatus
    response_status: int | None
    delivered_at: Timestamp | None
    attempt_count: int
    next_attempt_at: Timestamp | None
    error: str | None
    created_at: Timestamp


class EventName(Answer, frozen=True, kw_only=True):
    """An event's id and type."""

    id: str
    type: str


class TestDeliveryAnswer(Answer, frozen=True, kw_only=True):
    """How a test event was received; null where nobody listened."""

    queued: int
    event: EventName
    delivery_status: DeliveryStatus | None
    response_status: int | None


class SubscriptionBody(Body, frozen=True, kw_only=True):
    """What to subscribe to, and where to deliver it."""

    callback_url: UrlText
    event_types: EventTypes = msgspec.field(default_factory=lambda: [*rules.DEFAULT_EVENT_TYPES])
    description: Annotated[str, Meta(max_length=1000)] | None = None
    metadata: Metadata = msgspec.field(default_factory=Metadata)


class TestDeliveryBody(Body, frozen=True, kw_only=True):
    """A made-up event."""

    event_type: ShortText
    data: Metadata = msgspec.field(default_factory=Metadata)
    subscription_ids: Annotated[list[ShortText], Meta(max_length=100)] | None = None


class DeliveriesQuery(Body, frozen=True, kw_only=True):
    """Which deliveries to list."""

    subscription_id: ShortText | None = None
    event_type: ShortText | None = None
    status: DeliveryStatus | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


def _create(request: Request) -> SubscriptionWithSecret:
    body: SubscriptionBody = request.body
    with request.world.transaction() as tx:
        made = service.subscribe_endpoint(
            tx,
            owner=request.caller.subject,
            callback_url=body.callback_url,
            event_types=body.event_types,
            description=body.description,
            metadata=body.metadata,
        )
    return _with_secret(made)


def _list(request: Request) -> list[SubscriptionAnswer]:
    with request.world.snapshot() as connection:
        found = subscriptions_of(connection, request.caller.subject)
    return [SubscriptionAnswer(**_fields(one)) for one in reversed(found)]


def _rotate(request: Request) -> SubscriptionWithSecret:
    with request.world.transaction() as tx:
        found = service.rotate_secret(tx, request.caller.subject, request.path["subscription_id"])
    return _with_secret(found)


def _pause(request: Request) -> SubscriptionAnswer:
    with request.world.transaction() as tx:
        found = service.pause(tx, request.caller.subject, request.path["subscription_id"])
    return SubscriptionAnswer(**_fields(found))


def _resume(request: Request) -> SubscriptionAnswer:
    with request.world.transaction() as tx:
        found = service.resume(tx, request.caller.subject, request.path["subscription_id"])
    return SubscriptionAnswer(**_fields(found))


def _test(request: Request) -> TestDeliveryAnswer:
    body: TestDeliveryBody = request.body
    with request.world.transaction() as tx:
        event_id = service.emit_test(
            tx,
            owner=request.caller.subject,
            event_type=body.event_type,
            data=body.data,
            subscription_ids=body.subscription_ids,
        )
    request.world.settle()
    with request.world.snapshot() as connection:
        result = service.verdict(deliveries_of_event(connection, event_id))
    return TestDeliveryAnswer(
        queued=result.queued,
        event=EventName(id=event_id, type=body.event_type),
        delivery_status=result.delivery_status,
        response_status=result.response_status,
    )


def _deliveries(request: Request) -> list[DeliveryAnswer]:
    query: DeliveriesQuery = request.query
    with request.world.snapshot() as connection:
        found = newest_deliveries(
            connection,
            request.caller.subject,
            subscription_id=query.subscription_id,
            event_type=query.event_type,
            status=query.status,
            limit=query.limit,
        )
    return [delivery_answer(one) for one in found]


def _redeliver(request: Request) -> DeliveryAnswer:
    with request.world.transaction() as tx:
        new = service.redeliver(tx, request.caller.subject, request.path["delivery_id"])
    request.world.settle()
    with request.world.snapshot() as connection:
        found = delivery_of(connection, new)
    if found is None:  # a world that was renewed meanwhile doesn't have it
        raise NotFound(f"no webhook delivery {new}")
    return delivery_answer(found)


def _fields(found: Subscription) -> dict[str, Any]:
    return {
        "id": found.subscription_id,
        "webhook_subscription_id": found.subscription_id,
        "subscription_id": found.subscription_id,
        "callback_url": found.callback_url,
        "event_types": list(found.types),
        "status": found.status,
        "description": found.description,
        "metadata": msgspec.json.decode(found.metadata),
        "signing_secret_hint": found.signing_secret[-4:],
        "created_at": to_text(found.created_at),
        "updated_at": to_text(found.updated_at),
    }


def _with_secret(found: Subscription) -> SubscriptionWithSecret:
    return SubscriptionWithSecret(**_fields(found), signing_secret=found.signing_secret)


def delivery_answer(found: Delivery | AnyRow) -> DeliveryAnswer:
    """Shape a delivery, or a row with its columns, for the wire."""
    return DeliveryAnswer(
        id=found.delivery_id,
        subscription_id=found.subscription_id,
        event_id=found.event_id,
        event_type=found.event_type,
        delivery_status=found.delivery_status,
        response_status=found.response_status,
        delivered_at=optional_text(found.delivered_at),
        attempt_count=found.attempt_count,
        next_attempt_at=optional_text(found.next_attempt_at),
        error=found.error,
        created_at=to_text(found.created_at),
    )


_PAUSED = (409, "WEBHOOK_SUBSCRIPTION_PAUSED")
_SUBSCRIPTIONS = "/v1/market/webhooks/subscriptions"
_ONE = f"{_SUBSCRIPTIONS}/<subscription_id>"
_DELIVERIES = "/v1/market/webhooks/deliveries"

ROUTES: tuple[Route, ...] = tuple(
    replace(route, tag="webhooks")
    for route in (
        Route(
            "POST",
            _SUBSCRIPTIONS,
            Role.MERCHANT,
            _create,
            SubscriptionWithSecret,
            "Subscribe an address to event types; the secret is shown this once",
            body=SubscriptionBody,
            status=201,
        ),
        Route(
            "GET",
            _SUBSCRIPTIONS,
            Role.MERCHANT,
            _list,
            list[SubscriptionAnswer],
            "List the subscriptions, newest first, without their secrets",
        ),
        Route(
            "POST",
            f"{_ONE}/rotate-secret",
            Role.MERCHANT,
            _rotate,
            SubscriptionWithSecret,
            "Draw a new secret; the old one signs too for 24 hours",
        ),
        Route(
            "POST",
            f"{_ONE}/pause",
            Role.MERCHANT,
            _pause,
            SubscriptionAnswer,
            "Stop deliveries; what is on its way is held",
        ),
        Route(
            "POST",
            f"{_ONE}/resume",
            Role.MERCHANT,
            _resume,
            SubscriptionAnswer,
            "Deliver again; what was held goes at once",
        ),
        Route(
            "POST",
            "/v1/market/webhooks/test-deliveries",
            Role.MERCHANT,
            _test,
            TestDeliveryAnswer,
            "Deliver a made-up event before answering",
            body=TestDeliveryBody,
            status=201,
            errors=(_PAUSED, (404, "NOT_FOUND")),
        ),
        Route(
            "GET",
            _DELIVERIES,
            Role.MERCHANT,
            _deliveries,
            list[DeliveryAnswer],
            "List deliveries, newest first",
            query=DeliveriesQuery,
        ),
        Route(
            "POST",
            f"{_DELIVERIES}/<delivery_id>/redeliver",
            Role.MERCHANT,
            _redeliver,
            DeliveryAnswer,
            "Deliver the same event again, signed afresh",
            errors=(_PAUSED,),
        ),
    )
)
