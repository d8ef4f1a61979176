"""The inbox: each event takes effect once, in the handler's own database transaction.

A delivery is claimed for a while (the lease), and then one transaction holds both the handler's
effect and the note that the event is done. A process that dies in between leaves the claim, which
lapses: the sender's next try, or ``recover``, takes the event again. Whoever is late finds another
claim and writes nothing, so no clock has to be right for an effect to happen once.
"""

import contextlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

import attrs

from settlekit._pumps import Flow
from settlekit.webhooks.classification import Told
from settlekit.webhooks.handlers import NeedsReview

LEASE_SECONDS: Final = 60.0
LONGEST_REASON: Final = 255
TxT_co = TypeVar("TxT_co", covariant=True)
Effect = Callable[[Any], Any]


class State(StrEnum):
    """Where an event stands in the inbox."""

    RECEIVED = "received"
    DONE = "done"
    REVIEW = "review"


class Outcome(StrEnum):
    """What became of a delivery."""

    TAKEN = "taken"
    KEPT_FOR_REVIEW = "kept_for_review"
    DUPLICATE = "duplicate"
    BUSY = "busy"


@attrs.frozen(kw_only=True)
class Record:
    """An event as the inbox keeps it: ``body`` is what was signed, ``reason`` why to review it."""

    event_id: str
    event_type: str
    kind: str
    body: str
    occurred_at: datetime
    received_at: datetime
    reason: str | None = None
    state: State = State.RECEIVED
    attempts: int = 1
    error: str | None = None


class Inbox(Protocol[TxT_co]):
    """What a store of events can do; ``TxT_co`` is what its handlers get."""

    lease_seconds: float

    def claim(self, record: Record, claim: str, now: float) -> State | None:
        """Claim an event; None where it is claimed now, else where it stands."""
        ...

    def take(self, event_id: str, claim: str, state: State, effect: Effect) -> bool:
        """Write effect and state in one transaction; False, and nothing, if the claim is lost."""
        ...

    def keep(self, event_id: str, claim: str, reason: str) -> bool:
        """Put a claimed event into review, with no effect; False if the claim is lost."""
        ...

    def release(self, event_id: str, claim: str, error: str) -> None:
        """Give a claim back, with the error's name."""
        ...

    def waiting(self, now: float, limit: int = 100) -> list[Record]:
        """Return events that are neither done nor claimed, the oldest first."""
        ...

    def review(self, limit: int = 100) -> list[Record]:
        """Return events that somebody should look at, the oldest first."""
        ...

    def resolve(self, event_id: str) -> bool:
        """Say that a reviewed event needs no effect; False if it isn't in review."""
        ...

    def reopen(self, event_id: str) -> bool:
        """Let a reviewed event be taken again, as after an upgrade; False if it isn't in review."""
        ...


class AsyncInbox(Protocol[TxT_co]):
    """The same as Inbox, to be awaited."""

    lease_seconds: float

    async def claim(self, record: Record, claim: str, now: float) -> State | None:
        """Claim an event; None where it is claimed now, else where it stands."""
        ...

    async def take(self, event_id: str, claim: str, state: State, effect: Effect) -> bool:
        """Write effect and state in one transaction; False, and nothing, if the claim is lost."""
        ...

    async def keep(self, event_id: str, claim: str, reason: str) -> bool:
        """Put a claimed event into review, with no effect; False if the claim is lost."""
        ...

    async def release(self, event_id: str, claim: str, error: str) -> None:
        """Give a claim back, with the error's name."""
        ...

    async def waiting(self, now: float, limit: int = 100) -> list[Record]:
        """Return events that are neither done nor claimed, the oldest first."""
        ...

    async def review(self, limit: int = 100) -> list[Record]:
        """Return events that somebody should look at, the oldest first."""
        ...

    async def resolve(self, event_id: str) -> bool:
        """Say that a reviewed event needs no effect; False if it isn't in review."""
        ...

    async def reopen(self, event_id: str) -> bool:
        """Let a reviewed event be taken again, as after an upgrade; False if it isn't in review."""
        ...


def record_of(told: Told, body: bytes | str, now: float, reason: str | None) -> Record:
    """Return what the inbox keeps of an event."""
    return Record(
        event_id=told.event.id,
        event_type=told.event.type,
        kind=told.kind,
        body=body if isinstance(body, str) else body.decode(),
        occurred_at=told.event.occurred_at,
        received_at=datetime.fromtimestamp(now, UTC),
        reason=reason,
    )


def taking(inbox: Any, record: Record, state: State, effect: Effect, now: float) -> Flow[Outcome]:
    """Claim an event and let it take effect, unless it did or somebody else is at it."""
    claim, event_id = uuid.uuid4().hex, record.event_id
    stands: State | None = yield lambda: inbox.claim(record, claim, now)
    if stands is not None:
        return Outcome.BUSY if stands is State.RECEIVED else Outcome.DUPLICATE
    try:
        return (yield from _effecting(inbox, event_id, claim, state, effect))
    except Exception as error:
        name = type(error).__name__
        # A database that refuses this too needs no claim to be given back: it lapses.
        with contextlib.suppress(Exception):
            yield lambda: inbox.release(event_id, claim, name)
        raise


def _effecting(
    inbox: Any, event_id: str, claim: str, state: State, effect: Effect
) -> Flow[Outcome]:
    try:
        held: bool = yield lambda: inbox.take(event_id, claim, state, effect)
    except NeedsReview as asked:
        # The effect's transaction is undone; the note has one of its own, under the same claim.
        state, reason = State.REVIEW, readable(asked.reason)
        held = yield lambda: inbox.keep(event_id, claim, reason)
    if not held:
        return Outcome.BUSY
    return Outcome.TAKEN if state is State.DONE else Outcome.KEPT_FOR_REVIEW


def readable(reason: str) -> str:
    """Return a reason as every database takes it: in one line, of a bounded length."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in str(reason))
    return shown[:LONGEST_REASON]
