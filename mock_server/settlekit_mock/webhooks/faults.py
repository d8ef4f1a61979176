"""Faults of deliveries: what was asked to go wrong on a webhook's way.

A fault strikes one attempt, before it is sent; the oldest that fires goes first. What a
delay or a reordering keeps back comes due again, and then no fault strikes it.
docs/decisions.md ("The control surface") says what each kind does.
"""

from typing import Final, Literal, Protocol

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.faults import Door, DoorName, Fault, faults_at, remove_fault, strikes
from settlekit_mock.kernel.tables import METADATA
from settlekit_mock.kernel.times import HOUR
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.webhooks.service import DELIVER
from settlekit_mock.webhooks.tables import DELIVERIES, UPDATE_DELIVERY

FaultKind = Literal["delay", "duplicate", "reorder", "bad_signature", "drop", "other_secret"]
DOOR: Final[DoorName] = "webhook"
LONGEST_WAIT: Final = 1 * HOUR
"""How long a delivery is kept back for a next one that may never come."""

KEPT_BACK = Table(
    "webhooks_kept_back",
    METADATA,
    Column("delivery_id", Text, ForeignKey(DELIVERIES.c.delivery_id), primary_key=True),
    Column("subscription_id", Text, nullable=False),
    Column("for_next", Integer, nullable=False),
)
"""Attempts that a fault put off; ``for_next`` is 1 while one waits for the next to go."""


class Attempt(Protocol):
    """What a fault asks of an attempt: whose it is, and where it goes."""

    @property
    def delivery_id(self) -> str:
        """The delivery."""
        ...

    @property
    def subscription_id(self) -> str:
        """The subscription it goes to."""
        ...


def meet(tx: Transaction, door: Door, delivery: Attempt) -> Fault | None:
    """Return the fault that strikes an attempt, if one does."""
    if door.quiet or _came_back(tx, delivery):
        return None
    asked = faults_at(tx.connection, DOOR)
    if not asked and not tx.connection.execute(_ANY).scalar():
        door.rest()
    for fault in asked:
        if fault.kind == "reorder" and _waiting(tx.connection, delivery.subscription_id):
            continue
        if strikes(tx, fault):
            tx.record(
                "webhook_fault.applied",
                fault.fault_id,
                fault=fault.kind,
                delivery_id=delivery.delivery_id,
            )
            return fault
    return None


def keep_back(tx: Transaction, fault: Fault, delivery: Attempt) -> None:
    """Put an attempt off: for a time, or until the next one to its subscription has gone."""
    for_next = fault.kind == "reorder"
    wait = LONGEST_WAIT if for_next else fault.option("ms")
    tx.connection.execute(
        _KEEP,
        {
            "delivery_id": delivery.delivery_id,
            "subscription_id": delivery.subscription_id,
            "for_next": int(for_next),
        },
    )
    _due(tx, delivery.delivery_id, tx.now + wait)


def let_go(tx: Transaction, door: Door, gone: Attempt) -> None:
    """Let what waited for this delivery follow it."""
    if door.quiet:
        return
    for delivery_id in _waiting(tx.connection, gone.subscription_id):
        _follow(tx, delivery_id)


def remove(tx: Transaction, fault: Fault) -> None:
    """Let a fault strike no more; what waits for a next delivery goes at once."""
    remove_fault(tx, fault)
    if fault.kind == "reorder":
        for delivery_id in tx.connection.execute(_ALL_WAITING).scalars().all():
            _follow(tx, delivery_id)


def _follow(tx: Transaction, delivery_id: str) -> None:
    tx.cancel(DELIVER, delivery_id)
    tx.connection.execute(_WAIT_NO_MORE, {"of_delivery": delivery_id})
    _due(tx, delivery_id, tx.now)


def _due(tx: Transaction, delivery_id: str, at: int) -> None:
    tx.connection.execute(UPDATE_DELIVERY, {"given": delivery_id, "next_attempt_at": at})
    tx.schedule(DELIVER, delivery_id, at)


def _came_back(tx: Transaction, delivery: Attempt) -> bool:
    """Say whether an attempt was kept back, and forget it."""
    return tx.connection.execute(_FORGET, {"of_delivery": delivery.delivery_id}).rowcount > 0


def _waiting(connection: Connection, subscription_id: str) -> list[str]:
    found = connection.execute(_WAITING, {"of_subscription": subscription_id})
    return list(found.scalars())


_OF_DELIVERY = KEPT_BACK.c.delivery_id == bindparam("of_delivery")
_FOR_NEXT = KEPT_BACK.c.for_next == 1
_KEEP = insert(KEPT_BACK)
_ANY = select(exists().select_from(KEPT_BACK))
_ALL_WAITING = select(KEPT_BACK.c.delivery_id).where(_FOR_NEXT).order_by(KEPT_BACK.c.delivery_id)
_WAITING = _ALL_WAITING.where(KEPT_BACK.c.subscription_id == bindparam("of_subscription"))
_WAIT_NO_MORE = update(KEPT_BACK).where(_OF_DELIVERY).values(for_next=0)
_FORGET = delete(KEPT_BACK).where(_OF_DELIVERY)
