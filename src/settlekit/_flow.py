"""What happens between a call and its result: retry, back-off, status → error.

One generator and no I/O. It yields ``Send`` (make this request) or ``Wait`` (this many
seconds); it is sent the ``Answer`` or the ``TransportError`` that came of a request, and
returns what the call reads or raises. Two small pumps, one async and one sync, drive it.
"""

import random
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import attrs
from attrs import validators

from settlekit._calls.call import Answer, Call, Wait
from settlekit._refusals import is_refusal, refusal
from settlekit.errors import TransportError

T = TypeVar("T")

_backing_off: ContextVar[bool] = ContextVar("settlekit_backing_off", default=True)


@attrs.frozen(kw_only=True)
class Request:
    """One request as it goes out, its body encoded."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    timeout_seconds: float | None = None


@attrs.frozen
class Send:
    """Make this request, and send back its answer or its TransportError."""

    request: Request


Outcome = Answer | TransportError | None
Flow = Generator[Send | Wait, Outcome, T]


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How a call that is safe to repeat is repeated, and when to give up.

    ``attempts`` counts the first one; ``total_seconds`` bounds attempts and waits together.
    The wait before the nth retry is drawn evenly from zero to ``backoff_seconds`` doubled
    n-1 times, at most ``backoff_max_seconds``; a server's Retry-After is waited out.
    """

    attempts: int = attrs.field(default=3, validator=validators.gt(0))
    total_seconds: float = attrs.field(default=60.0, validator=validators.gt(0))
    backoff_seconds: float = attrs.field(default=0.5, validator=validators.ge(0))
    backoff_max_seconds: float = attrs.field(default=8.0, validator=validators.ge(0))

    def ceiling_seconds(self, failures: int) -> float:
        """Return the longest wait after so many failures."""
        # 2^30 doublings are beyond any ceiling, and more would overflow a float.
        doubled = self.backoff_seconds * 2.0 ** min(failures - 1, 30)
        return min(doubled, self.backoff_max_seconds)


@attrs.frozen(kw_only=True)
class Chance:
    """What a flow asks of the world: the time, and a number to spread its waits."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    spread: Callable[[], float] = random.random


@contextmanager
def without_backoff() -> Generator[None]:
    """Retry at once inside this block, for tests: as often as ever, with no wait at all."""
    token = _backing_off.set(False)
    try:
        yield
    finally:
        _backing_off.reset(token)


def perform(
    call: Call[T],
    prepare: Callable[[Call[T]], Request],
    policy: RetryPolicy,
    chance: Chance,
) -> Flow[T]:
    """Make a call: send it, repeat it where that is safe, read the answer.

    ``prepare`` makes the request anew for each attempt, so that a token can change.
    """
    started = chance.monotonic()
    failures = 0
    while True:
        request = _within(prepare(call), policy.total_seconds - chance.monotonic() + started)
        outcome = yield Send(request)
        error = _problem(call, outcome, chance.wall)
        if error is None:
            assert isinstance(outcome, Answer)
            return call.read(outcome)
        failures += 1
        left = policy.total_seconds - (chance.monotonic() - started)
        seconds = _pause(call, error, failures, policy, chance)
        if seconds is None or seconds >= left:
            raise error
        if seconds > 0:
            yield Wait(seconds)


def _problem(call: Call[T], outcome: Outcome, wall: Callable[[], float]) -> Exception | None:
    if isinstance(outcome, Answer):
        return refusal(call, outcome, wall) if is_refusal(outcome) else None
    assert outcome is not None, "a flow is sent what came of its request"
    return outcome


def _pause(
    call: Call[T], error: Exception, failures: int, policy: RetryPolicy, chance: Chance
) -> float | None:
    """Return the seconds before the next attempt, or None when there is none."""
    if failures >= policy.attempts or not (call.repeatable and _passing(error)):
        return None
    if not _backing_off.get():
        return 0.0
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        return float(asked)
    return chance.spread() * policy.ceiling_seconds(failures)


def _passing(error: Exception) -> bool:
    status = getattr(error, "status", None)
    if status is None:
        return isinstance(error, TransportError)
    return status in {408, 429} or (status >= 500 and status != 501)


def _within(request: Request, left: float) -> Request:
    """Give a request no more time than the call has left."""
    left = max(left, 0.001)
    timeout = request.timeout_seconds
    return attrs.evolve(request, timeout_seconds=left if timeout is None else min(timeout, left))
