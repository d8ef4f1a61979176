"""An inbox in memory: for tests and first steps, for a restart forgets it."""

import math
import threading
from dataclasses import dataclass

import attrs

from settlekit.webhooks.inbox import LEASE_SECONDS, Effect, Record, State


@dataclass
class _Held:
    record: Record
    claim: str
    claimed_until: float


class MemoryInbox:
    """Keeps events in this process. Its handlers get None for a transaction.

    A handler's effect must be in memory too, and be its last step: nothing undoes it, whatever
    it raises.
    """

    def __init__(self, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self.lease_seconds = lease_seconds
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def claim(self, record: Record, claim: str, now: float) -> State | None:
        """Claim an event; None where it is claimed now, else where it stands."""
        until = now + self.lease_seconds
        with self._lock:
            held = self._held.get(record.event_id)
            if held is None:
                self._held[record.event_id] = _Held(record, claim, until)
                return None
            if held.record.state is not State.RECEIVED or held.claimed_until > now:
                return held.record.state
            tries = held.record.attempts + 1
            self._held[record.event_id] = _Held(attrs.evolve(record, attempts=tries), claim, until)
            return None

    def take(self, event_id: str, claim: str, state: State, effect: Effect) -> bool:
        """Let the effect happen, and note the state; False if the claim is lost."""
        with self._lock:
            held = self._held[event_id]
            if held.claim != claim or held.record.state is not State.RECEIVED:
                return False
            # As a transaction's lock does: no lease ends while the effect is at work.
            lease_end, held.claimed_until = held.claimed_until, math.inf
        try:
            effect(None)
        except BaseException:
            with self._lock:
                held.claimed_until = lease_end
            raise
        self._change(event_id, state)
        return True

    def keep(self, event_id: str, claim: str, reason: str) -> bool:
        """Put a claimed event into review, with no effect; False if the claim is lost."""
        with self._lock:
            held = self._held[event_id]
            if held.claim != claim or held.record.state is not State.RECEIVED:
                return False
            held.record = attrs.evolve(held.record, state=State.REVIEW, reason=reason)
            return True

    def release(self, event_id: str, claim: str, error: str) -> None:
        """Give a claim back, with the error's name."""
        with self._lock:
            held = self._held[event_id]
            if held.claim == claim:
                held.record, held.claimed_until = attrs.evolve(held.record, error=error), 0

    def waiting(self, now: float, limit: int = 100) -> list[Record]:
        """Return events that are neither done nor claimed, the oldest first."""
        with self._lock:
            free = [held.record for held in self._held.values() if held.claimed_until <= now]
        return [record for record in free if record.state is State.RECEIVED][:limit]

    def review(self, limit: int = 100) -> list[Record]:
        """Return events that somebody should look at, the oldest first."""
        with self._lock:
            kept = [held.record for held in self._held.values()]
        return [record for record in kept if record.state is State.REVIEW][:limit]

    def resolve(self, event_id: str) -> bool:
        """Say that a reviewed event needs no effect; False if it isn't in review."""
        return self._reviewed(event_id, State.DONE)

    def reopen(self, event_id: str) -> bool:
        """Let a reviewed event be taken again; False if it isn't in review."""
        return self._reviewed(event_id, State.RECEIVED)

    def _reviewed(self, event_id: str, state: State) -> bool:
        if event_id not in {record.event_id for record in self.review(len(self._held))}:
            return False
        self._change(event_id, state)
        return True

    def _change(self, event_id: str, state: State) -> None:
        with self._lock:
            held = self._held[event_id]
            held.record = attrs.evolve(held.record, state=state)
            held.claimed_until = 0
