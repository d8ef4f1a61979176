from collections.abc import Callable
from threading import Thread
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import RetryPolicy
from settlekit._calls.call import Answer, Call, Wait
from settlekit._flow import Chance, Outcome, Request, Send, perform, without_backoff
from settlekit._observing import AttemptEnded, AttemptStarted, Observer, RetryPlanned
from settlekit.errors import (
    ApiError,
    ConfigurationError,
    InvalidArgument,
    RateLimited,
    RequestTimeout,
    ServerError,
    SetUpIncomplete,
    TransportError,
)

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
    lefts: list[float | None] = attrs.Factory(list)
    observer: Observer = attrs.Factory(Observer)

    def chance(self) -> Chance:
        return Chance(monotonic=lambda: self.now, wall=lambda: self.now, spread=lambda: self.spread)

    def play(self, call: Call[Any], policy: RetryPolicy, outcomes: list[Outcome]) -> Any:
        """Drive a flow with these outcomes, one for each request."""
        left = iter(outcomes)
        steps = perform(call, lambda _, left: request(left), policy, self.chance(), self.observer)
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
        self.lefts.append(step.request.left_seconds)
        self.now += self.seconds_per_send
        return next(left)

    @property
    def sends(self) -> int:
        return len(self.lefts)


def request(left_seconds: float | None = None) -> Request:
    return Request(method="GET", url="http://localhost/v1/x", headers={}, left_seconds=left_seconds)


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


def test_a_server_that_says_at_once_still_gets_a_pause() -> None:
    """Retry-After of zero, or a date gone by, never makes a herd: the back-off holds."""
    world = World()
    world.play(call(), POLICY, [failing(503, retry_after="0"), OK])
    assert world.waits == [1.0]


@pytest.mark.parametrize(("asked", "sends"), [("9", 2), ("11", 1), ("9" * 400, 1)])
def test_what_a_server_may_ask_for_is_capped(asked: str, sends: int) -> None:
    """A wait beyond the policy's is not begun, though the total time would allow it."""
    world = World()
    policy = attrs.evolve(POLICY, retry_after_max_seconds=10, total_seconds=1000)
    with pytest.raises(ApiError):
        world.play(call(), policy, [failing(429, retry_after=asked), failing(400)])
    assert world.sends == sends


def test_a_date_is_read_by_the_servers_own_clock() -> None:
    """Where the answer tells the server's time, this machine's wrong clock doesn't matter."""
    world = World(now=5.0, spread=0.0)
    told = {
        "retry-after": "Sun, 09 Sep 2001 01:46:45 GMT",
        "date": "Sun, 09 Sep 2001 01:46:42 GMT",
    }
    world.play(call(), POLICY, [Answer(status=503, headers=told, content=b""), OK])
    assert world.waits == [3.0]


def test_total_time_bounds_slow_attempts() -> None:
    """No attempt starts when the total time is up, and none gets more time than is left."""
    world = World(seconds_per_send=25.0, spread=0.0)
    with pytest.raises(TransportError):
        world.play(call(), POLICY, [BROKEN, BROKEN, BROKEN, OK])
    assert world.lefts == [60.0, 35.0, 10.0]


def test_each_attempt_is_prepared_anew() -> None:
    """A token that changes between attempts is asked for again."""
    made = 0

    def prepare(_: Call[Any], left_seconds: float | None) -> Request:
        nonlocal made
        made += 1
        return request()

    steps = perform(call(), prepare, POLICY, World(spread=0.0).chance(), Observer())
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


def test_test_mode_holds_in_other_threads() -> None:
    """A client in a thread of the test doesn't wait either; afterwards it does again."""
    world = World()
    with without_backoff():
        thread = Thread(target=world.play, args=(call(), POLICY, [BROKEN, OK]))
        thread.start()
        thread.join()
    assert (world.sends, world.waits) == (2, [])


def test_each_attempt_is_told() -> None:
    """The hooks hear of every request, what came of it and every repetition, in order."""
    heard: list[AttemptStarted] = []
    observer = Observer(on_request=heard.append, on_response=heard.append, on_retry=heard.append)
    world = World(observer=observer, seconds_per_send=0.5)
    world.play(call(), POLICY, [BROKEN, failing(503, x_request_id="req_1"), OK])
    assert [(type(each), each.attempt) for each in heard] == [
        (AttemptStarted, 1),
        (AttemptEnded, 1),
        (RetryPlanned, 1),
        (AttemptStarted, 2),
        (AttemptEnded, 2),
        (RetryPlanned, 2),
        (AttemptStarted, 3),
        (AttemptEnded, 3),
    ]
    assert len({each.call_id for each in heard}) == 1
    ended = [each for each in heard if isinstance(each, AttemptEnded)]
    assert [each.status for each in ended] == [None, 503, 200]
    assert [each.error for each in ended] == [BROKEN, None, None]
    assert ended[1].request_id == "req_1"
    assert {each.elapsed_seconds for each in ended} == {0.5}
    planned = [each for each in heard if isinstance(each, RetryPlanned)]
    assert [each.wait_seconds for each in planned] == world.waits


def test_calls_are_told_apart() -> None:
    """Each call has an id of its own, the same in all its events."""
    heard: list[AttemptStarted] = []
    world = World(observer=Observer(on_request=heard.append))
    world.play(call(), POLICY, [OK])
    world.play(call(), POLICY, [OK])
    assert len({each.call_id for each in heard}) == 2


def test_a_hook_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The call goes on to its result, and a warning with the traceback says which hook failed."""

    def broken(_: object) -> None:
        raise ZeroDivisionError

    observer = Observer(on_request=broken, on_response=broken, on_retry=broken)
    assert World(observer=observer).play(call(), POLICY, [BROKEN, OK]) == b"fine"
    warned = [record for record in caplog.records if record.levelname == "WARNING"]
    assert [record.args for record in warned] == [
        (name,) for name in ("on_request", "on_response", "on_retry", "on_request", "on_response")
    ]
    assert all(record.name == "settlekit" and record.exc_info for record in warned)


def test_a_call_that_is_cancelled_is_told_of() -> None:
    """Who counts requests under way hears of the end of each, whatever ended it."""
    heard: list[AttemptEnded] = []
    observer = Observer(on_response=heard.append)
    steps = perform(call(), lambda _, left: request(left), POLICY, World().chance(), observer)
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())
    assert [type(each.error) for each in heard] == [KeyboardInterrupt]


async def _awaited(_: object) -> None: ...


@pytest.mark.parametrize("wrong", [_awaited, 5], ids=["coroutine", "number"])
def test_a_hook_is_a_plain_function(wrong: Any) -> None:
    """What nobody would await or could call is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="on_retry must be a plain function"):
        Observer(on_retry=wrong)


def test_the_log_tells_of_attempts(caplog: pytest.LogCaptureFixture) -> None:
    """Answers at DEBUG, repetitions at INFO, on the logger of the library."""
    with caplog.at_level("DEBUG", "settlekit"):
        World().play(call(), POLICY, [failing(503), OK])
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "GET /x: 503 in 0.000 s (request None)"),
        ("INFO", "GET /x failed in attempt 1 (503 HTTP_503: Service Unavailable), again in 1.00 s"),
        ("DEBUG", "GET /x: 200 in 0.000 s (request None)"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"total_seconds": 0},
        {"total_seconds": float("nan")},
        {"backoff_seconds": -1},
        {"backoff_max_seconds": -0.1},
        {"retry_after_max_seconds": float("nan")},
        {"attempts": True},
        {"attempts": 1.5},
        {"total_seconds": "60"},
    ],
)
def test_a_senseless_policy_is_refused(wrong: dict[str, float]) -> None:
    """No attempts, no time or negative waits are refused by the field's name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


@attrs.frozen
class Made:
    """What a call makes, and a token that the first answer alone has."""

    token: str | None


@pytest.mark.parametrize("told", ["tok_1", None])
def test_what_is_shown_once_may_be_missing_at_a_first_attempt(told: str | None) -> None:
    """Where nothing was lost the answer is as it is: the caller asked for it before."""
    call = making(told)
    assert World().play(call, RetryPolicy(attempts=2), [OK]) == Made(told)


def test_what_is_shown_once_is_never_lost_unseen() -> None:
    """A repeat that comes without it raises, with what was made and why its token is gone."""
    world = World()
    assert world.play(making("tok_1"), RetryPolicy(attempts=2), [BROKEN, OK]) == Made("tok_1")
    with pytest.raises(SetUpIncomplete, match="the token was in an answer") as caught:
        world.play(making(None), RetryPolicy(attempts=2), [BROKEN, OK])
    assert (caught.value.done, caught.value.__cause__) == (Made(None), BROKEN)


def making(token: str | None) -> Call[Made]:
    return Call(
        method="POST", path="/x", read=lambda _: Made(token), repeatable=True, shown_once="token"
    )
