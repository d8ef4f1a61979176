from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import RetryPolicy
from settlekit._calls.call import Answer, Call, Wait
from settlekit._flow import Chance, Outcome, Request, Send, perform, without_backoff
from settlekit.errors import ApiError, RateLimited, RequestTimeout, ServerError, TransportError

OK = Answer(status=200, headers={}, content=b"fine")
BROKEN = TransportError("broken")


def failing(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, content=b"")


@attrs.define
class World:
    """A clock that only waiting and sending move, and what was asked of it."""

    now: float = 1000.0
    seconds_per_send: float = 0.0
    spread: float = 1.0
    waits: list[float] = attrs.Factory(list)
    timeouts: list[float | None] = attrs.Factory(list)

    def chance(self) -> Chance:
        return Chance(monotonic=lambda: self.now, wall=lambda: self.now, spread=lambda: self.spread)

    def play(self, call: Call[Any], policy: RetryPolicy, outcomes: list[Outcome]) -> Any:
        """Drive a flow with these outcomes, one for each request."""
        left = iter(outcomes)
        steps = perform(call, lambda _: request(), policy, self.chance())
        outcome: Outcome = None
        try:
            step = next(steps)
            while True:
                outcome = self._take(step, left)
                step = steps.send(outcome)
        except StopIteration as done:
            return done.value

    def _take(self, step: Send | Wait, left: Any) -> Outcome:
        if isinstance(step, Wait):
            self.waits.append(step.seconds)
            self.now += step.seconds
            return None
        self.timeouts.append(step.request.timeout_seconds)
        self.now += self.seconds_per_send
        return next(left)

    @property
    def sends(self) -> int:
        return len(self.timeouts)


def request() -> Request:
    return Request(method="GET", url="http://localhost/v1/x", headers={}, timeout_seconds=30.0)


def call(*, repeatable: bool = True, read: Callable[[Answer], Any] | None = None) -> Call[Any]:
    return Call(method="GET", path="/x", read=read or (lambda a: a.content), repeatable=repeatable)


POLICY = RetryPolicy(attempts=4, backoff_seconds=1.0, backoff_max_seconds=3.0, total_seconds=60)


def test_a_success_is_read_at_once() -> None:
    """One request, no wait, the call's own reading."""
    world = World()
    assert world.play(call(), POLICY, [OK]) == b"fine"
    assert (world.sends, world.waits) == (1, [])


@pytest.mark.parametrize(
    "passing",
    [BROKEN, RequestTimeout("late"), *(failing(s) for s in (408, 429, 500, 502, 503, 504, 599))],
    ids=str,
)
def test_what_passes_is_tried_again(passing: Outcome) -> None:
    """Broken connections, timeouts, 408, 429 and 5xx are worth another attempt."""
    world = World()
    assert world.play(call(), POLICY, [passing, OK]) == b"fine"
    assert world.sends == 2


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 422, 501])
def test_what_stays_is_not_tried_again(status: int) -> None:
    """An answer that won't change is raised the first time."""
    world = World()
    with pytest.raises(ApiError, match=str(status)):
        world.play(call(), POLICY, [failing(status)])
    assert world.sends == 1


@pytest.mark.parametrize("outcome", [BROKEN, failing(503), failing(429, retry_after="1")], ids=str)
def test_an_unsafe_call_is_never_repeated(outcome: Outcome) -> None:
    """A POST without a key is sent once, whatever comes of it."""
    world = World()
    with pytest.raises((TransportError, ApiError)):
        world.play(call(repeatable=False), POLICY, [outcome])
    assert world.sends == 1


def test_attempts_are_bounded() -> None:
    """The last error is raised when the attempts are used up."""
    world = World()
    with pytest.raises(ServerError, match="504"):
        world.play(call(), POLICY, [BROKEN, failing(500), failing(502), failing(504)])
    assert world.sends == 4


def test_backoff_doubles_up_to_its_ceiling() -> None:
    """At the widest spread the waits are 1, 2 and 3 seconds."""
    world = World()
    world.play(call(), POLICY, [BROKEN, BROKEN, BROKEN, OK])
    assert world.waits == [1.0, 2.0, 3.0]


@given(spread=st.floats(0, 1), failures=st.integers(1, 5000))
def test_jitter_is_full(spread: float, failures: int) -> None:
    """A wait is anything from zero to its ceiling, however many failures there were."""
    world = World(spread=spread)
    world.play(call(), POLICY, [BROKEN, OK])
    assert sum(world.waits) == pytest.approx(spread)
    assert 0 < POLICY.ceiling_seconds(failures) <= 3.0


def test_the_servers_wait_comes_first() -> None:
    """Retry-After is waited out in full, whatever the jitter says."""
    world = World(spread=0.0)
    world.play(call(), POLICY, [failing(429, retry_after="7"), OK])
    assert world.waits == [7.0]


def test_retry_after_may_be_a_date() -> None:
    """A date is waited for by the wall clock."""
    world = World(now=1_000_000_000.0)
    answer = failing(503, retry_after="Sun, 09 Sep 2001 01:46:45 GMT")
    world.play(call(), POLICY, [answer, OK])
    assert world.waits == [5.0]


def test_a_wait_beyond_the_total_time_is_not_begun() -> None:
    """Where the server asks for more time than is left, its answer is raised at once."""
    world = World()
    with pytest.raises(RateLimited) as caught:
        world.play(call(), POLICY, [failing(429, retry_after="61"), OK])
    assert caught.value.retry_after == 61.0
    assert (world.sends, world.waits) == (1, [])


def test_total_time_bounds_slow_attempts() -> None:
    """No attempt starts when the total time is up, and none gets more time than is left."""
    world = World(seconds_per_send=25.0, spread=0.0)
    with pytest.raises(TransportError):
        world.play(call(), POLICY, [BROKEN, BROKEN, BROKEN, OK])
    assert world.timeouts == [30.0, 30.0, 10.0]


def test_each_attempt_is_prepared_anew() -> None:
    """A token that changes between attempts is asked for again."""
    made = 0

    def prepare(_: Call[Any]) -> Request:
        nonlocal made
        made += 1
        return request()

    steps = perform(call(), prepare, POLICY, World(spread=0.0).chance())
    next(steps)
    steps.send(BROKEN)
    assert made == 2


def test_without_backoff_retries_at_once() -> None:
    """In tests attempts are counted as ever, with no wait at all, Retry-After included."""
    world = World()
    with without_backoff():
        world.play(call(), POLICY, [BROKEN, failing(429, retry_after="9"), OK])
    assert (world.sends, world.waits) == (3, [])
    world.play(call(), POLICY, [BROKEN, OK])
    assert world.waits == [1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"total_seconds": 0},
        {"total_seconds": float("nan")},
        {"backoff_seconds": -1},
        {"backoff_max_seconds": -0.1},
    ],
)
def test_a_senseless_policy_is_refused(wrong: dict[str, float]) -> None:
    """No attempts, no time or negative waits raise ValueError."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
