"""The errand that delivers: sign afresh, send with no transaction open, write how it went."""

from dataclasses import dataclass
from typing import Final

from settlekit.webhooks.signature import SIGNATURE_HEADER, sign_all
from settlekit_mock.kernel.clock import machine_now
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.webhooks import rules
from settlekit_mock.webhooks.sender import Outcome, Sender
from settlekit_mock.webhooks.tables import (
    UPDATE_DELIVERY,
    Delivery,
    Subscription,
    body_of,
    delivery_of,
    subscription_of,
)

_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": "settlekit-mock",
    "x-siglume-environment": "sandbox",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt, ready to be sent."""

    delivery: Delivery
    url: str
    headers: dict[str, str]
    body: bytes


class DeliveryErrand:
    """Delivers what falls due."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def prepare(self, tx: Transaction, subject: str) -> Job | None:
        """Sign an attempt; a delivery to a paused subscription is held instead."""
        delivery = delivery_of(tx.connection, subject)
        if delivery is None:
            return None
        to = subscription_of(tx.connection, delivery.subscription_id)
        if to is None or to.status != "active":
            tx.connection.execute(UPDATE_DELIVERY, {"given": subject, "next_attempt_at": None})
            return None
        body = body_of(tx.connection, delivery.event_id)
        headers = {**_HEADERS, SIGNATURE_HEADER: _signature(tx, to, body)}
        return Job(delivery, to.callback_url, headers, body)

    def perform(self, job: Job) -> Outcome:
        """Send it once."""
        return self._sender.send(job.url, job.headers, job.body)

    def finish(self, tx: Transaction, subject: str, job: Job, outcome: Outcome) -> None:
        """Write how the attempt went, and when the next one comes if one must."""
        attempt = job.delivery.attempt_count + 1
        arrived = rules.delivered(outcome.status)
        again_at = None if arrived else rules.next_attempt_at(attempt, tx.now)
        tx.connection.execute(
            UPDATE_DELIVERY,
            {
                "given": subject,
                "delivery_status": "delivered" if arrived else "failed",
                "attempt_count": attempt,
                "response_status": outcome.status,
                "error": None if arrived else outcome.error,
                "next_attempt_at": again_at,
                "delivered_at": tx.now if arrived else None,
            },
        )
        if again_at is not None:
            tx.schedule("webhook.deliver", subject, again_at)
        _journal(tx, job.delivery, attempt, outcome, arrived=arrived)


def _journal(
    tx: Transaction, delivery: Delivery, attempt: int, outcome: Outcome, *, arrived: bool
) -> None:
    tx.record(
        "webhook.delivered" if arrived else "webhook.failed",
        delivery.delivery_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        subscription_id=delivery.subscription_id,
        attempt=attempt,
        response_status=outcome.status,
        error=None if arrived else outcome.error,
    )


def _signature(tx: Transaction, to: Subscription, body: bytes) -> str:
    secrets = rules.signing_secrets(
        to.signing_secret, to.previous_secret, to.previous_expires_at, tx.now
    )
    signed_at = tx.now if tx.state.sign_with_clock else machine_now()
    return sign_all(body, secrets, timestamp=signed_at // 1000)
