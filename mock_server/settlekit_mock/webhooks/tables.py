"""Subscriptions, events with their exact bytes, and the deliveries of events."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.kernel.discretion import discreet_repr
from settlekit_mock.kernel.tables import METADATA, Number

SUBSCRIPTIONS = Table(
    "webhook_subscriptions",
    METADATA,
    Column("subscription_number", Number, primary_key=True),
    Column("subscription_id", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("callback_url", Text, nullable=False),
    Column("event_types", Text, nullable=False),
    Column("description", Text),
    Column("metadata", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("signing_secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_expires_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("webhook_subscriptions_by_owner", "owner", "subscription_number"),
)
"""``event_types`` holds the types between spaces, one at each end too."""

EVENTS = append_only(
    Table(
        "webhook_events",
        METADATA,
        Column("event_number", Number, primary_key=True),
        Column("event_id", Text, nullable=False, unique=True),
        Column("owner", Text, nullable=False),
        Column("event_type", Text, nullable=False),
        Column("about", Text),
        Column("occurred_at", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
)
"""The outbox: what was told, byte for byte, whoever listened.

``about`` is the requirement or batch that changed; null for what a test made up."""

DELIVERIES = Table(
    "webhook_deliveries",
    METADATA,
    Column("delivery_number", Number, primary_key=True),
    Column("delivery_id", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("subscription_id", Text, ForeignKey(SUBSCRIPTIONS.c.subscription_id), nullable=False),
    Column("event_id", Text, ForeignKey(EVENTS.c.event_id), nullable=False),
    Column("event_type", Text, nullable=False),
    Column("delivery_status", Text, nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("response_status", Integer),
    Column("error", Text),
    Column("next_attempt_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Index("webhook_deliveries_by_owner", "owner", "delivery_number"),
    Index("webhook_deliveries_by_subscription", "subscription_id", "delivery_number"),
    Index("webhook_deliveries_by_event", "event_id", "delivery_number"),
)
"""``delivery_status`` is how the last attempt went; ``next_attempt_at`` says if another comes."""

DeliveryStatus = Literal["queued", "delivered", "failed"]


class Subscription(NamedTuple):
    """A subscription; ``previous_secret`` signs too until ``previous_expires_at``."""

    subscription_number: int
    subscription_id: str
    owner: str
    callback_url: str
    event_types: str
    description: str | None
    metadata: str
    status: str
    signing_secret: str
    previous_secret: str | None
    previous_expires_at: int | None
    created_at: int
    updated_at: int

    def __repr__(self) -> str:
        return discreet_repr(self)

    @property
    def types(self) -> tuple[str, ...]:
        """The event types it listens to."""
        return tuple(self.event_types.split())


class Delivery(NamedTuple):
    """One event on its way to one subscription."""

    delivery_number: int
    delivery_id: str
    owner: str
    subscription_id: str
    event_id: str
    event_type: str
    delivery_status: DeliveryStatus
    attempt_count: int
    response_status: int | None
    error: str | None
    next_attempt_at: int | None
    delivered_at: int | None
    created_at: int


def types_text(types: tuple[str, ...]) -> str:
    """Write event types as their column holds them."""
    return f" {' '.join(types)} "


def subscription_of(connection: Connection, subscription_id: str) -> Subscription | None:
    """Return a subscription by its id."""
    row = connection.execute(_SUBSCRIPTION, {"given": subscription_id}).first()
    return None if row is None else Subscription(*row)


def subscriptions_of(connection: Connection, owner: str) -> list[Subscription]:
    """Return an owner's subscriptions, oldest first."""
    return [Subscription(*row) for row in connection.execute(_OF_OWNER, {"given": owner})]


def delivery_of(connection: Connection, delivery_id: str) -> Delivery | None:
    """Return a delivery by its id."""
    row = connection.execute(_DELIVERY, {"given": delivery_id}).first()
    return None if row is None else Delivery(*row)


def deliveries_of_event(connection: Connection, event_id: str) -> list[Delivery]:
    """Return the deliveries of an event, oldest first."""
    return [Delivery(*row) for row in connection.execute(_OF_EVENT, {"given": event_id})]


class Outgoing(NamedTuple):
    """What an attempt needs: how often it was tried, where it goes, who signs, and the bytes."""

    delivery_id: str
    attempt_count: int
    event_id: str
    event_type: str
    subscription_id: str
    callback_url: str
    status: str
    signing_secret: str
    previous_secret: str | None
    previous_expires_at: int | None
    body: bytes

    def __repr__(self) -> str:
        return discreet_repr(self)


def outgoing(connection: Connection, delivery_id: str) -> Outgoing | None:
    """Return a delivery with its subscription and its event's exact bytes."""
    row = connection.execute(_OUTGOING, {"given": delivery_id}).first()
    return None if row is None else Outgoing(*row)


def insert_events(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Write events, each in the order of ``EVENT_COLUMNS``."""
    insert_rows(connection, EVENTS, EVENT_COLUMNS, rows)


def insert_deliveries(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Write deliveries, each in the order of ``DELIVERY_COLUMNS``."""
    insert_rows(connection, DELIVERIES, DELIVERY_COLUMNS, rows)


def body_of(connection: Connection, event_id: str) -> bytes:
    """Return an event's exact bytes."""
    found: bytes = connection.execute(_BODY, {"given": event_id}).scalar_one()
    return found


def newest_deliveries(
    connection: Connection,
    owner: str,
    *,
    subscription_id: str | None = None,
    event_type: str | None = None,
    status: str | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """Return an owner's deliveries, newest first."""
    query = select(*DELIVERIES.c).where(DELIVERIES.c.owner == owner)
    if subscription_id is not None:
        query = query.where(DELIVERIES.c.subscription_id == subscription_id)
    if event_type is not None:
        query = query.where(DELIVERIES.c.event_type == event_type)
    if status is not None:
        query = query.where(DELIVERIES.c.delivery_status == status)
    query = query.order_by(DELIVERIES.c.delivery_number.desc()).limit(limit)
    return [Delivery(*row) for row in connection.execute(query)]


def held_deliveries(
    connection: Connection, subscription_id: str, *, max_attempts: int
) -> list[str]:
    """Return the deliveries that a pause holds back, oldest first: unfinished, and not due."""
    query = (
        select(DELIVERIES.c.delivery_id)
        .where(
            DELIVERIES.c.subscription_id == subscription_id,
            DELIVERIES.c.delivery_status != "delivered",
            DELIVERIES.c.next_attempt_at.is_(None),
            DELIVERIES.c.attempt_count < max_attempts,
        )
        .order_by(DELIVERIES.c.delivery_number)
    )
    return list(connection.execute(query).scalars())


_SUBSCRIPTION = select(*SUBSCRIPTIONS.c).where(
    SUBSCRIPTIONS.c.subscription_id == bindparam("given")
)
_OF_OWNER = (
    select(*SUBSCRIPTIONS.c)
    .where(SUBSCRIPTIONS.c.owner == bindparam("given"))
    .order_by(SUBSCRIPTIONS.c.subscription_number)
)
_BODY = select(EVENTS.c.body).where(EVENTS.c.event_id == bindparam("given"))
_DELIVERY = select(*DELIVERIES.c).where(DELIVERIES.c.delivery_id == bindparam("given"))
_OF_EVENT = (
    select(*DELIVERIES.c)
    .where(DELIVERIES.c.event_id == bindparam("given"))
    .order_by(DELIVERIES.c.delivery_number)
)
_OUTGOING = (
    select(
        DELIVERIES.c.delivery_id,
        DELIVERIES.c.attempt_count,
        DELIVERIES.c.event_id,
        DELIVERIES.c.event_type,
        DELIVERIES.c.subscription_id,
        SUBSCRIPTIONS.c.callback_url,
        SUBSCRIPTIONS.c.status,
        SUBSCRIPTIONS.c.signing_secret,
        SUBSCRIPTIONS.c.previous_secret,
        SUBSCRIPTIONS.c.previous_expires_at,
        EVENTS.c.body,
    )
    .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.subscription_id == DELIVERIES.c.subscription_id)
    .join(EVENTS, EVENTS.c.event_id == DELIVERIES.c.event_id)
    .where(DELIVERIES.c.delivery_id == bindparam("given"))
)
EVENT_COLUMNS = ("event_id", "owner", "event_type", "about", "occurred_at", "body")
DELIVERY_COLUMNS = (
    "delivery_id",
    "owner",
    "subscription_id",
    "event_id",
    "event_type",
    "delivery_status",
    "attempt_count",
    "next_attempt_at",
    "created_at",
)
INSERT_SUBSCRIPTION = insert(SUBSCRIPTIONS)
UPDATE_DELIVERY = update(DELIVERIES).where(DELIVERIES.c.delivery_id == bindparam("given"))
