"""The errand that delivers: sign afresh, send with no transaction open, write how it went."""

from dataclasses import dataclass
from typing import Final

from settlekit.webhooks.signature import SIGNATURE_HEADER, sign_all
from settlekit_mock.http.roles import DELIVERY_AGENT
from settlekit_mock.kernel.clock import machine_now
from settlekit_mock.kernel.faults import Door
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.webhooks import faults, rules
from settlekit_mock.webhooks.sender import Outcome, Sender
from settlekit_mock.webhooks.tables import (
    UPDATE_DELIVERY,
    Outgoing,
    outgoing,
)

_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": DELIVERY_AGENT,
    "x-siglume-environment": "sandbox",
}
_OTHER_SECRET: Final = "whsec_of_somebody_else"


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt, ready to be sent."""

    delivery: Outgoing
    headers: dict[str, str]
    fault: str | None = None


class DeliveryErrand:
    """Delivers what falls due."""

    def __init__(self, sender: Sender, door: Door) -> None:
        self._sender = sender
        self._door = door

    def prepare(self, tx: Transaction, subject: str) -> Job | None:
        """Sign an attempt; a delivery to a paused subscription is held instead."""
        delivery = outgoing(tx.connection, subject)
        if delivery is None:
            return None
        if delivery.status != "active":
            tx.connection.execute(UPDATE_DELIVERY, {"given": subject, "next_attempt_at": None})
            return None
        fault = faults.meet(tx, self._door, delivery)
        if fault is not None and fault.kind in ("delay", "reorder"):
            faults.keep_back(tx, fault, delivery)
            return None
        kind = None if fault is None else fault.kind
        return Job(delivery, {**_HEADERS, SIGNATURE_HEADER: _signature(tx, delivery, kind)}, kind)

    def perform(self, job: Job) -> Outcome:
        """Send it once, unless a fault wants it lost or doubled; the last answer counts."""
        if job.fault == "drop":
            return Outcome(None, "lost on the way, as a fault asked")
        if job.fault == "duplicate":
            self._sender.send(job.delivery.callback_url, job.headers, job.delivery.body)
        return self._sender.send(job.delivery.callback_url, job.headers, job.delivery.body)

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
        faults.let_go(tx, self._door, job.delivery)
        _journal(tx, job.delivery, attempt, outcome, arrived=arrived)


def _journal(
    tx: Transaction, delivery: Outgoing, attempt: int, outcome: Outcome, *, arrived: bool
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


def _signature(tx: Transaction, delivery: Outgoing, fault: str | None) -> str:
    secrets = rules.signing_secrets(
        delivery.signing_secret, delivery.previous_secret, delivery.previous_expires_at, tx.now
    )
    signed_at = tx.now if tx.state.sign_with_clock else machine_now()
    if fault == "other_secret":
        secrets = (_OTHER_SECRET,)
    signed = delivery.body[:-1] if fault == "bad_signature" else delivery.body
    return sign_all(signed, secrets, timestamp=signed_at // 1000)
