"""The use cases of webhooks: tell an event, manage subscriptions, deliver again."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, update

from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.webhooks import rules
from settlekit_mock.webhooks.tables import (
    INSERT_SUBSCRIPTION,
    SUBSCRIPTIONS,
    UPDATE_DELIVERY,
    Delivery,
    DeliveryStatus,
    Subscription,
    body_of,
    deliveries_of_event,
    delivery_of,
    held_deliveries,
    insert_deliveries,
    insert_events,
    subscription_of,
    subscriptions_of,
    types_text,
)

DELIVER: Final = "webhook.deliver"
"""The kind of due work that delivers; its subject is a delivery's id."""
SAMPLE: Final = "webhook.sample"
"""The topic by which rooms above fill in a test event: the message is a ``Sample``."""

_JSON = msgspec.json.Encoder()


class Sample(NamedTuple):
    """The data of a test event, to be filled in for its owner."""

    owner: str
    data: dict[str, object]


# -- telling -----------------------------------------------------------------------------


def emit(tx: Transaction, *, owner: str, event_type: str, data: Mapping[str, object]) -> str:
    """Tell an owner's active subscriptions what happened; return the event's id.

    The event is kept and its deliveries become due within this transaction.
    """
    (event_id,) = emit_all(tx, owner=owner, events=[(event_type, data)])
    return event_id


def emit_all(
    tx: Transaction, *, owner: str, events: Sequence[tuple[str, Mapping[str, object]]]
) -> list[str]:
    """Tell several events in order, as ``emit`` tells one; return their ids."""
    return _tell(
        tx,
        owner,
        [
            (event_type, data, listening, _about(data))
            for event_type, data, listening in _heard(tx, owner, events)
        ],
    )


def _heard(
    tx: Transaction, owner: str, events: Sequence[tuple[str, Mapping[str, object]]]
) -> list[tuple[str, Mapping[str, object], list[Subscription]]]:
    """Return events with who listens to them."""
    active = [one for one in subscriptions_of(tx.connection, owner) if one.status == "active"]
    return [
        (event_type, data, [one for one in active if f" {event_type} " in one.event_types])
        for event_type, data in events
    ]


def _about(data: Mapping[str, object]) -> object:
    return data.get("requirement_id") or data.get("settlement_batch_id")


def emit_test(
    tx: Transaction,
    *,
    owner: str,
    event_type: str,
    data: Mapping[str, object],
    subscription_ids: Sequence[str] | None,
) -> str:
    """Tell a made-up event: to the subscriptions named, or to all that listen to its type.

    ``data`` is the caller's, over the fields of a settled standard payment. Raises
    ``NotFound`` for another owner's subscription, ``Conflict`` for a paused one.
    """
    rules.event_types([event_type])
    sample = Sample(owner, {})
    tx.publish(SAMPLE, sample)
    whole = {**sample.data, **data}
    if subscription_ids is None:
        ((_, _, listening),) = _heard(tx, owner, [(event_type, whole)])
    else:
        listening = [_active(tx, owner, name) for name in dict.fromkeys(subscription_ids)]
    (event_id,) = _tell(tx, owner, [(event_type, whole, listening, None)])
    tx.record(
        "webhook_test.requested",
        event_id,
        event_type=event_type,
        subscription_ids=[one.subscription_id for one in listening],
    )
    return event_id


def _tell(
    tx: Transaction,
    owner: str,
    events: Sequence[tuple[str, Mapping[str, object], Sequence[Subscription], object]],
) -> list[str]:
    rows: list[tuple[object, ...]] = []
    told: list[str] = []
    deliveries: list[tuple[object, ...]] = []
    for event_type, data, listening, about in events:
        event_id = tx.new_id("evt")
        told.append(event_id)
        body = _body(tx, event_id, event_type, data)
        rows.append((event_id, owner, event_type, about, tx.now, body))
        deliveries += [
            _delivery(tx, owner, one.subscription_id, event_id, event_type) for one in listening
        ]
    insert_events(tx.connection, rows)
    insert_deliveries(tx.connection, deliveries)
    return told


def _body(tx: Transaction, event_id: str, event_type: str, data: Mapping[str, object]) -> bytes:
    return _JSON.encode(
        {
            "id": event_id,
            "type": event_type,
            "api_version": rules.API_VERSION,
            "occurred_at": to_text(tx.now),
            "data": {**data, "environment": "sandbox"},
        }
    )


def _delivery(
    tx: Transaction, owner: str, subscription_id: str, event_id: str, event_type: str
) -> tuple[object, ...]:
    """Make a delivery due at once and return its row, in the order of its columns."""
    delivery_id = tx.new_id("whdel")
    tx.schedule(DELIVER, delivery_id, tx.now)
    return (
        delivery_id,
        owner,
        subscription_id,
        event_id,
        event_type,
        "queued",
        0,
        tx.now,
        tx.now,
    )


def _again(tx: Transaction, old: Delivery) -> str:
    row = _delivery(tx, old.owner, old.subscription_id, old.event_id, old.event_type)
    insert_deliveries(tx.connection, [row])
    return str(row[0])


def redeliver(tx: Transaction, owner: str, delivery_id: str) -> str:
    """Send a delivery's event to its subscription again; return the new delivery's id."""
    old = delivery_of(tx.connection, delivery_id)
    if old is None or old.owner != owner:
        raise NotFound(f"no webhook delivery {delivery_id}")
    _active(tx, owner, old.subscription_id)
    return _again(tx, old)


def redeliver_event(tx: Transaction, event_id: str) -> list[str]:
    """Send an event again to every active subscription it went to; return the new deliveries."""
    went = {old.subscription_id: old for old in deliveries_of_event(tx.connection, event_id)}
    new: list[str] = []
    for subscription_id, old in went.items():
        found = subscription_of(tx.connection, subscription_id)
        if found is not None and found.status == "active":
            new.append(_again(tx, old))
    return new


def told_by(connection: Connection, event_id: str) -> dict[str, object]:
    """Return the data of an event, as it was told."""
    told: dict[str, object] = msgspec.json.decode(body_of(connection, event_id))["data"]
    return told


# -- how it went -------------------------------------------------------------------------


class Verdict(NamedTuple):
    """How the deliveries of an event went together."""

    queued: int
    delivery_status: DeliveryStatus | None
    response_status: int | None


def verdict(deliveries: Sequence[Delivery]) -> Verdict:
    """Sum deliveries up: the first that isn't delivered speaks for all."""
    if not deliveries:
        return Verdict(0, None, None)
    speaker = next((one for one in deliveries if one.delivery_status != "delivered"), deliveries[0])
    return Verdict(len(deliveries), speaker.delivery_status, speaker.response_status)


# -- subscriptions -----------------------------------------------------------------------


def subscribe_endpoint(
    tx: Transaction,
    *,
    owner: str,
    callback_url: str,
    event_types: Sequence[str] = rules.DEFAULT_EVENT_TYPES,
    secret: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, object] | None = None,
    told: bool = True,
) -> Subscription:
    """Subscribe an address to event types, from now on; a secret is drawn unless given.

    Raises ``Invalid`` for an address that isn't https (or http on a loopback name). ``told``
    is false where the journal tells it otherwise.
    """
    subscription_id = tx.new_id("whsub")
    types = rules.event_types(event_types)
    row = {
        "subscription_id": subscription_id,
        "owner": owner,
        "callback_url": rules.read_url(callback_url, "callback_url").text,
        "event_types": types_text(types),
        "description": description,
        "metadata": _JSON.encode(metadata or {}).decode(),
        "status": "active",
        "signing_secret": secret or tx.ids.secret("whsec"),
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    tx.connection.execute(INSERT_SUBSCRIPTION, row)
    if told:  # Not the address: paths and queries of some hold a secret.
        tx.record("webhook_subscription.created", subscription_id, owner=owner, event_types=types)
    return _owned(tx.connection, owner, subscription_id)


def set_endpoint(
    tx: Transaction,
    *,
    owner: str,
    callback_url: str,
    secret: str | None = None,
    told: bool = True,
) -> Subscription:
    """Make or replace an owner's active subscription to ``direct_payment.confirmed``.

    A subscription that is there keeps its id, and its secret unless one is given. ``told`` is
    as with ``subscribe_endpoint``.
    """
    types = rules.DEFAULT_EVENT_TYPES[:1]
    for found in subscriptions_of(tx.connection, owner):
        if found.status == "active" and found.types == types:
            address = rules.read_url(callback_url, "webhook_url").text
            kept = secret or found.signing_secret
            _change(tx, found, callback_url=address, signing_secret=kept, previous_secret=None)
            if told and (fields := _replaced(found, address, kept, tx.now)):
                tx.record("webhook_subscription.changed", found.subscription_id, fields=fields)
            return _owned(tx.connection, owner, found.subscription_id)
    return subscribe_endpoint(
        tx, owner=owner, callback_url=callback_url, event_types=types, secret=secret, told=told
    )


def _replaced(found: Subscription, address: str, secret: str, now: int) -> list[str]:
    """Name what a new address and secret change; an old secret that still signed is one."""
    signing = rules.signing_secrets(
        found.signing_secret, found.previous_secret, found.previous_expires_at, now
    )
    changed = {
        "callback_url": address != found.callback_url,
        "signing_secret": signing != (secret,),
    }
    return [name for name, differs in changed.items() if differs]


def rotate_secret(tx: Transaction, owner: str, subscription_id: str) -> Subscription:
    """Draw a new secret; the old one signs beside it for 24 hours of the clock."""
    found = _owned(tx.connection, owner, subscription_id)
    _change(
        tx,
        found,
        signing_secret=tx.ids.secret("whsec"),
        previous_secret=found.signing_secret,
        previous_expires_at=tx.now + rules.ROTATION,
    )
    tx.record("webhook_subscription.secret_rotated", subscription_id)
    return _owned(tx.connection, owner, subscription_id)


def pause(tx: Transaction, owner: str, subscription_id: str) -> Subscription:
    """Stop telling a subscription; what is on its way to it is held."""
    found = _owned(tx.connection, owner, subscription_id)
    if found.status == "active":
        _change(tx, found, status="paused")
        tx.record("webhook_subscription.paused", subscription_id)
    return _owned(tx.connection, owner, subscription_id)


def resume(tx: Transaction, owner: str, subscription_id: str) -> Subscription:
    """Tell a subscription again from now on; what was held goes at once."""
    found = _owned(tx.connection, owner, subscription_id)
    if found.status == "paused":
        _change(tx, found, status="active")
        for held in held_deliveries(
            tx.connection, subscription_id, max_attempts=rules.MAX_ATTEMPTS
        ):
            tx.connection.execute(UPDATE_DELIVERY, {"given": held, "next_attempt_at": tx.now})
            tx.schedule(DELIVER, held, tx.now)
        tx.record("webhook_subscription.resumed", subscription_id)
    return _owned(tx.connection, owner, subscription_id)


def _change(tx: Transaction, found: Subscription, **values: object) -> None:
    statement = update(SUBSCRIPTIONS).where(
        SUBSCRIPTIONS.c.subscription_number == found.subscription_number
    )
    tx.connection.execute(statement.values(updated_at=tx.now, **values))


def _owned(connection: Connection, owner: str, subscription_id: str) -> Subscription:
    found = subscription_of(connection, subscription_id)
    if found is None or found.owner != owner:
        raise NotFound(f"no webhook subscription {subscription_id}")
    return found


def _active(tx: Transaction, owner: str, subscription_id: str) -> Subscription:
    found = _owned(tx.connection, owner, subscription_id)
    if found.status != "active":
        raise Conflict(
            f"the webhook subscription {subscription_id} is paused; resume it first",
            code="WEBHOOK_SUBSCRIPTION_PAUSED",
        )
    return found
