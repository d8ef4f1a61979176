"""What happens between a call and its result: retry, back-off, status → error.

One generator and no I/O. It yields ``Send`` (make this request) or ``Wait`` (this many
seconds); it is sent the ``Answer`` or the error that came of a request, and returns what
the call reads or raises. Two small pumps, one async and one sync, drive it.
"""

import math
import random
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, TypeVar

import attrs

from settlekit._calls.call import Answer, Call, Wait
from settlekit._observing import AttemptEnded, AttemptStarted, Observer, RetryPlanned
from settlekit._refusals import is_refusal, refusal
from settlekit.errors import DecodeError, InvalidArgument, SetUpIncomplete, TransportError

T = TypeVar("T")

MAX_ANSWER_BYTES: Final = 64 << 20


@attrs.frozen(kw_only=True)
class Request:
    """One request as it goes out, its body encoded.

    ``timeout_seconds`` is for each step on the network, where None leaves it to the pool;
    ``left_seconds`` for the whole request, the answer's body included. Neither bounds a
    streamed body's length; ``max_bytes`` bounds any other. ``token_source`` is for people.
    """

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    timeout_seconds: float | None = None
    left_seconds: float | None = None
    max_bytes: int = MAX_ANSWER_BYTES
    token_source: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What it carries that nobody else should read."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer, self.headers.get("x-admin-secret", "")


@attrs.frozen
class Send:
    """Make this request, and send back its answer or the error that came of it."""

    request: Request


Outcome = Answer | TransportError | DecodeError | None
Flow = Generator[Send | Wait, Outcome, T]


def _number(
    least: float, *, above: bool = False
) -> "Callable[[object, attrs.Attribute[Any], Any], None]":
    def check(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or math.isnan(value) or value < least or (above and value == least):
            told = f"above {least:g}" if above else f"at least {least:g}"
            raise InvalidArgument(field.name, f"must be a number, {told}")

    return check


def _count(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if type(value) is not int or value < 1:
        raise InvalidArgument(field.name, "must be a whole number from 1")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How a call that is safe to repeat is repeated, and when to give up.

    ``attempts`` counts the first one; ``total_seconds`` bounds all attempts and waits of a
    call together. The wait before the nth retry is drawn evenly from zero to
    ``backoff_seconds`` doubled n-1 times, at most ``backoff_max_seconds``. A server's
    Retry-After is waited out; one beyond ``retry_after_max_seconds``, or beyond the time
    that is left, isn't begun: the server's answer is raised at once.
    """

    attempts: int = attrs.field(default=3, validator=_count)
    total_seconds: float = attrs.field(default=60.0, validator=_number(0, above=True))
    backoff_seconds: float = attrs.field(default=0.5, validator=_number(0))
    backoff_max_seconds: float = attrs.field(default=8.0, validator=_number(0))
    retry_after_max_seconds: float = attrs.field(default=60.0, validator=_number(0))

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


class _TestMode:
    """How many blocks without back-off are open in this process, in all its threads."""

    depth = 0


@contextmanager
def without_backoff() -> Generator[None]:
    """Retry at once inside this block, for tests: as often as ever, with no wait at all.

    It holds for the whole process, other threads included.
    """
    _TestMode.depth += 1
    try:
        yield
    finally:
        _TestMode.depth -= 1


_call_ids = count(1)


def perform(
    call: Call[T],
    prepare: Callable[[Call[T], float | None], Request],
    policy: RetryPolicy,
    chance: Chance,
    observer: Observer,
) -> Flow[T]:
    """Make a call: send it, repeat it where that is safe, read the answer.

    ``prepare`` makes the request anew for each attempt, with the seconds that the call has
    left, so that a token can change.
    """
    deadline = chance.monotonic() + policy.total_seconds
    failure: Exception | None = None
    call_id = next(_call_ids)
    for attempt in count(1):
        request = prepare(call, _left(deadline - chance.monotonic()))
        started = AttemptStarted(
            call_id=call_id, attempt=attempt, method=call.method, path=call.path
        )
        outcome = yield from _send(request, started, chance, observer)
        error = _problem(call, outcome, request, chance.wall)
        if error is None:
            assert isinstance(outcome, Answer)
            return _whole(call, call.read(outcome), failure)
        failure = error
        seconds = _pause(call, error, attempt, policy, chance)
        if seconds is None or seconds >= deadline - chance.monotonic():
            raise error
        planned = RetryPlanned(**_fields(started), error=error, wait_seconds=seconds)
        observer.retrying(planned)
        if seconds > 0:
            yield Wait(seconds)
    raise AssertionError("attempts are counted without end")


def _whole(call: Call[T], result: T, failure: Exception | None) -> T:
    """Return a result, unless an answer that was lost had what none has any more."""
    name = call.shown_once
    if name is None or failure is None or getattr(result, name) is not None:
        return result
    told = f"the {name} was in an answer that was lost ({failure}): revoke what was made, in done"
    raise SetUpIncomplete(f"{told}, and begin again", result) from failure


def _send(
    request: Request, started: AttemptStarted, chance: Chance, observer: Observer
) -> Generator[Send, Outcome, Outcome]:
    observer.started(started)
    begun = chance.monotonic()
    try:
        outcome = yield Send(request)
    except BaseException as error:
        # Cancelled, interrupted or refused by the pool: who counts what began hears the end.
        observer.ended(_ended(started, error, chance.monotonic() - begun))
        raise
    observer.ended(_ended(started, outcome, chance.monotonic() - begun))
    return outcome


def _ended(
    started: AttemptStarted, outcome: Answer | BaseException | None, elapsed: float
) -> AttemptEnded:
    known = _fields(started)
    if isinstance(outcome, Answer):
        request_id = outcome.headers.get("x-request-id")
        return AttemptEnded(
            **known, elapsed_seconds=elapsed, status=outcome.status, request_id=request_id
        )
    return AttemptEnded(**known, elapsed_seconds=elapsed, error=outcome)


def _fields(started: AttemptStarted) -> dict[str, Any]:
    return {
        "call_id": started.call_id,
        "attempt": started.attempt,
        "method": started.method,
        "path": started.path,
    }


def _problem(
    call: Call[T], outcome: Outcome, request: Request, wall: Callable[[], float]
) -> Exception | None:
    if isinstance(outcome, Answer):
        if not is_refusal(outcome):
            return None
        error = refusal(call, outcome, wall, request.secrets)
        if request.token_source is not None and error.status in {401, 403}:
            error.add_note(f"the token is from {request.token_source}")
        return error
    assert outcome is not None, "a flow is sent what came of its request"
    return outcome


def _pause(
    call: Call[T], error: Exception, failures: int, policy: RetryPolicy, chance: Chance
) -> float | None:
    """Return the seconds before the next attempt, or None when there is none."""
    if failures >= policy.attempts or not (call.repeatable and _passing(error)):
        return None
    if _TestMode.depth:
        return 0.0
    asked = getattr(error, "retry_after", None) or 0.0
    if asked > policy.retry_after_max_seconds:
        return None
    # A server that says "at once" is still spared a herd.
    return max(float(asked), chance.spread() * policy.ceiling_seconds(failures))


def _passing(error: Exception) -> bool:
    status = getattr(error, "status", None)
    if status is None:
        return isinstance(error, TransportError)
    return status in {408, 429} or (status >= 500 and status != 501)


def _left(seconds: float) -> float | None:
    """Return what an attempt has of a call's time, or None where that has no end."""
    return None if math.isinf(seconds) else max(seconds, 0.001)
