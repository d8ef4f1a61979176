"""Every webhook delivery with the event's exact text, and to deliver one again."""

from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import asdict
from sqlalchemy import select

from settlekit_mock.console.pages import cut
from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Listing, ShortText, StrictBody
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.webhooks import service
from settlekit_mock.webhooks.routes import DeliveryAnswer, delivery_answer
from settlekit_mock.webhooks.tables import (
    DELIVERIES,
    EVENTS,
    SUBSCRIPTIONS,
    DeliveryStatus,
    delivery_of,
)


class ControlDeliveriesQuery(StrictBody, frozen=True, kw_only=True):
    """Which deliveries."""

    status: DeliveryStatus | None = None
    event_type: ShortText | None = None
    cursor: ShortText | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class ControlDelivery(DeliveryAnswer, frozen=True, kw_only=True):
    """A delivery as its merchant sees it, with whose it is, where it goes, and its exact text."""

    merchant_user_id: str
    callback_url: str
    body: str


class ControlDeliveries(Listing, frozen=True, kw_only=True):
    """A page of all merchants' deliveries, newest first."""

    items: list[ControlDelivery]


def list_deliveries(request: Request) -> ControlDeliveries:
    """Answer a page of all deliveries."""
    asked: ControlDeliveriesQuery = request.query
    listing = f"all-deliveries:{(asked.status, asked.event_type)}"
    query = _DELIVERIES.order_by(DELIVERIES.c.delivery_number.desc()).limit(asked.limit + 1)
    if asked.status is not None:
        query = query.where(DELIVERIES.c.delivery_status == asked.status)
    if asked.event_type is not None:
        query = query.where(DELIVERIES.c.event_type == asked.event_type)
    before = read_cursor(listing, asked.cursor)
    if before is not None:
        query = query.where(DELIVERIES.c.delivery_number < before)
    with request.world.snapshot() as connection:
        found = connection.execute(query).all()
    rows, cursor = cut(found, asked.limit, listing, DELIVERIES.c.delivery_number.name)
    return ControlDeliveries(items=[_shaped(row) for row in rows], next_cursor=cursor)


def redeliver(request: Request) -> ControlDelivery:
    """Deliver an event again, as its merchant would."""
    delivery_id = request.path["delivery_id"]
    with request.world.transaction() as tx:
        old = delivery_of(tx.connection, delivery_id)
        if old is None:
            raise NotFound(f"no webhook delivery {delivery_id}")
        new = service.redeliver(tx, old.owner, delivery_id)
    request.world.settle()
    with request.world.snapshot() as connection:
        found = connection.execute(_DELIVERIES.where(DELIVERIES.c.delivery_id == new)).first()
    if found is None:  # a world that was renewed meanwhile doesn't have it
        raise NotFound(f"no webhook delivery {new}")
    return _shaped(found)


def _shaped(row: AnyRow) -> ControlDelivery:
    as_merchant: dict[str, Any] = asdict(delivery_answer(row))
    return ControlDelivery(
        **as_merchant,
        merchant_user_id=row.owner,
        callback_url=row.callback_url,
        body=row.body.decode(),
    )


_DELIVERIES = (
    select(*DELIVERIES.c, SUBSCRIPTIONS.c.callback_url, EVENTS.c.body)
    .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.subscription_id == DELIVERIES.c.subscription_id)
    .join(EVENTS, EVENTS.c.event_id == DELIVERIES.c.event_id)
)
