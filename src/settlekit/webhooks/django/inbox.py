"""The inbox on Django's ORM: the handler writes in the transaction that marks the event."""
# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportAssignmentType=false

from datetime import UTC, datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from settlekit.webhooks.inbox import LEASE_SECONDS, Effect, Record, State

NOBODY: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DjangoInbox:
    """Keeps events in the table of the app ``settlekit.webhooks.django``.

    ``using`` is the database that your handlers write to: they get it as their second argument.
    """

    def __init__(self, *, using: str = "default", lease_seconds: float = LEASE_SECONDS) -> None:
        self.lease_seconds = lease_seconds
        self._using = using

    def claim(self, record: Record, claim: str, now: float) -> State | None:
        """Claim an event; None where it is claimed now, else where it stands."""
        begin, until = _instant(now), _instant(now + self.lease_seconds)
        try:
            with transaction.atomic(using=self._using):
                self._events.create(
                    event_id=record.event_id,
                    event_type=record.event_type,
                    kind=record.kind,
                    state=record.state.value,
                    reason=record.reason,
                    body=record.body,
                    occurred_at=record.occurred_at,
                    received_at=record.received_at,
                    claim=claim,
                    claimed_until=until,
                )
            return None
        except IntegrityError:
            pass
        free = self._of(record.event_id, State.RECEIVED).filter(claimed_until__lte=begin)
        if free.update(
            claim=claim,
            claimed_until=until,
            attempts=F("attempts") + 1,
            kind=record.kind,
            reason=record.reason,
        ):
            return None
        return State(self._events.values_list("state", flat=True).get(event_id=record.event_id))

    def take(self, event_id: str, claim: str, state: State, effect: Effect) -> bool:
        """Write effect and state in one transaction; False, and nothing, if the claim is lost."""
        # Durable: within another transaction the answer would precede the commit.
        with transaction.atomic(using=self._using, durable=True):
            mine = self._of(event_id, State.RECEIVED).filter(claim=claim)
            if not mine.update(state=state.value, finished_at=datetime.now(UTC), error=None):
                return False
            effect(self._using)
        return True

    def keep(self, event_id: str, claim: str, reason: str) -> bool:
        """Put a claimed event into review, with no effect; False if the claim is lost."""
        mine = self._of(event_id, State.RECEIVED).filter(claim=claim)
        review, now = State.REVIEW.value, datetime.now(UTC)
        return bool(mine.update(state=review, reason=reason, finished_at=now, error=None))

    def release(self, event_id: str, claim: str, error: str) -> None:
        """Give a claim back, with the error's name."""
        mine = self._of(event_id, State.RECEIVED).filter(claim=claim)
        mine.update(claimed_until=NOBODY, error=error)

    def waiting(self, now: float, limit: int = 100) -> list[Record]:
        """Return events that are neither done nor claimed, the oldest first."""
        return self._oldest(limit, state=State.RECEIVED.value, claimed_until__lte=_instant(now))

    def review(self, limit: int = 100) -> list[Record]:
        """Return events that somebody should look at, the oldest first."""
        return self._oldest(limit, state=State.REVIEW.value)

    def resolve(self, event_id: str) -> bool:
        """Say that a reviewed event needs no effect; False if it isn't in review."""
        return bool(self._of(event_id, State.REVIEW).update(state=State.DONE.value))

    def reopen(self, event_id: str) -> bool:
        """Let a reviewed event be taken again; False if it isn't in review."""
        reviewed = self._of(event_id, State.REVIEW)
        return bool(reviewed.update(state=State.RECEIVED.value, claimed_until=NOBODY))

    @property
    def _events(self) -> Any:
        from settlekit.webhooks.django.models import WebhookEvent

        return WebhookEvent.objects.using(self._using)

    def _of(self, event_id: str, state: State) -> Any:
        return self._events.filter(event_id=event_id, state=state.value)

    def _oldest(self, limit: int, **asked: object) -> list[Record]:
        found = self._events.filter(**asked).order_by("received_at", "event_id")[:limit]
        return [_record(event) for event in found]


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _record(event: Any) -> Record:
    return Record(
        event_id=event.event_id,
        event_type=event.event_type,
        kind=event.kind,
        body=event.body,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        reason=event.reason,
        state=State(event.state),
        attempts=event.attempts,
        error=event.error,
    )
