"""Every write of the clients, cut wherever a connection breaks: one effect, or none and an error."""

import asyncio
import random
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from settlekit import AsyncClient, Client, SetUpIncomplete, TransportError
from settlekit.challenge import sign_recurring
from settlekit.testing import without_backoff
from settlekit.testing.crash_points import (
    READING,
    CrashPoint,
    Cut,
    must_not_repeat,
    must_take_effect_once,
)
from settlekit_mock import MockServer
from tests.settlekit import test_resources as resources
from tests.settlekit_mock.control.conftest import rows_of

REPEATED = re.compile(
    r"POST /v1/("
    r"admin/(usage|wallets/[^/]+/adjustments)"
    r"|market/capabilities/[^/]+/execute"
    r"|sdrp/direct-payments/(checkout-sessions|requirements|subscriptions)"
    r"|account/auto-pay/scheduled-authorizations"
    r"|market/api-store/scheduled-auto-pay/execute"
    r")"
)
"""Writes with a key or a nonce. All others are left alone, so that nothing is done twice unseen."""
SHOWN_ONCE = "scheduled-authorizations"
"""Its token comes once: where that was lost, the repeat that took no second effect says so."""


async def authorizing(world: resources.World) -> None:
    """A schedule is authorized."""
    challenge = await world.challenge("daily")
    await world.of("buyer").scheduled_payments.authorize(**resources.TERMS, challenge=challenge)


async def executing(world: resources.World) -> None:
    """A slot is run, and the schedule revoked."""
    with world.mock.client("merchant") as merchant, world.mock.client("buyer") as buyer:
        rotated = merchant.merchants.rotate_challenge_secret("sandbox_merchant")
        signed = sign_recurring(
            **resources.TERMS, secret=rotated.challenge_secret or "", cadence="daily"
        )
        made = buyer.scheduled_payments.authorize(**resources.TERMS, challenge=signed)
    payments = world.of("buyer").scheduled_payments
    await payments.execute("monday", schedule_token=made.schedule_token)
    await payments.revoke(made.authorization_id)


async def subscribing(world: resources.World) -> None:
    """A subscription charges its first month."""
    challenge = await world.challenge("monthly")
    await world.of("buyer").subscriptions.create(**resources.TERMS, challenge=challenge)


# In place of stories that tell a first answer from a repeated one.
REPLACED = {
    resources.scheduled_payments,
    resources.subscriptions,
    resources.set_up_checkout_that_fails,
}
STORIES = [story for story in resources.STORIES if story not in REPLACED]
STORIES += [authorizing, executing, subscribing]


class Watched(httpx.BaseTransport):
    """Tells of each writing call, before it is sent and after it was answered."""

    def __init__(self, inner: httpx.BaseTransport, told: Callable[[str], None]) -> None:
        self._inner = inner
        self._told = told

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        writes = request.method not in READING
        if writes:
            self._told(f"{request.method} {request.url.path}")
        answer = self._inner.handle_request(request)
        answer.read()
        if writes:
            self._told("")
        return answer


class CutWorld(resources.World):
    """A mock whose clients' calls all go one way, on which one of them is broken."""

    def __init__(self, mock: MockServer, shell: str, way: Any) -> None:
        super().__init__(mock, shell)
        self._kind = Client if shell == "sync" else AsyncClient
        http = httpx.Client if shell == "sync" else httpx.AsyncClient
        self._http = http(transport=way, trust_env=False)

    def of(self, role: Any, *, buyer: Any = None, **options: Any) -> resources.Resources:
        token = self.mock.token(role, buyer)
        client = self._kind(token=token, base_url="http://localhost/v1", http=self._http, **options)
        return resources.Resources(client, self.results)


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with without_backoff():
        yield


def tell(story: Any, world: CutWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Play a story with the keys and nonces it always has."""
    drawn = random.Random(7)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=drawn.getrandbits(128), version=4))
    asyncio.run(story(world))


def uncut(story: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Return a story's writes, each with the rows before and after it, and the rows at the end."""
    with MockServer(seed=7, freeze_at="2026-03-02T00:00:00Z") as mock:
        told: list[tuple[str, Any]] = []
        transport = Cut(CrashPoint.IN_ANSWER, nth=0).transport(mock.app)
        way = Watched(transport, lambda name: told.append((name, rows_of(mock.world))))
        tell(story, CutWorld(mock, "sync", way), monkeypatch)
        return [*told, ("", rows_of(mock.world))]


def cut_at(story: Any, cut: Cut, shell: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Play a story of which one call is broken; return the error that ended it, and the rows."""
    with MockServer(seed=7, freeze_at="2026-03-02T00:00:00Z") as mock:
        way = cut.transport(mock.app) if shell == "sync" else cut.async_transport(mock.app)
        error = None
        try:
            tell(story, CutWorld(mock, shell, way), monkeypatch)
        except (TransportError, SetUpIncomplete) as caught:
            error = caught
        return error, rows_of(mock.world)


def must_end_well(story: Any, point: CrashPoint, shell: str, monkeypatch: Any) -> None:
    """Cut each write of a story: it is repeated to the same rows, or left alone with an error."""
    *told, (_, at_the_end) = uncut(story, monkeypatch)
    for number in range(len(told) // 2):
        (write, before), (_, after) = told[2 * number : 2 * number + 2]
        cut = Cut(point, nth=number + 1)
        error, rows = cut_at(story, cut, shell, monkeypatch)
        if REPEATED.fullmatch(write):
            lost = SHOWN_ONCE in write and point is not CrashPoint.BEFORE_RECEIPT
            expected: Any = (lost, len(told) // 2 + 1, at_the_end)
            assert (isinstance(error, SetUpIncomplete), cut.sent, rows) == expected, write
            assert lost or error is None, write
        else:
            assert error is not None, write
            left = before if point is CrashPoint.BEFORE_RECEIPT else after
            assert (cut.sent, rows) == (number + 1, left), write


@pytest.mark.parametrize("point", CrashPoint, ids=lambda point: point.name.lower())
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_write_takes_effect_once_or_raises(story, point, monkeypatch):
    """Wherever a write is cut, no row of the platform differs from one write, or there is an error."""
    must_end_well(story, point, "sync", monkeypatch)


@pytest.mark.parametrize(
    "story", [resources.checkout, resources.wallets], ids=lambda story: story.__name__
)
def test_tasks_do_so_too(story, monkeypatch):
    """The asynchronous client repeats, and leaves alone, what the other does."""
    must_end_well(story, CrashPoint.BEFORE_ANSWER, "async", monkeypatch)


# The same for an application of one's own


class Till:
    """A WSGI application that books a payment for each key, or whatever it is broken into."""

    def __init__(self) -> None:
        self.booked: list[str] = []

    def books(self, key: str) -> bool:
        return key not in self.booked

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        key = environ["HTTP_IDEMPOTENCY_KEY"]
        if self.books(key):
            self.booked.append(key)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def effects(self) -> int:
        return len(self.booked)


class TillWithoutKeys(Till):
    """Books every call."""

    def books(self, key: str) -> bool:
        return True


class DeafTill(Till):
    """Answers, and books nothing."""

    def books(self, key: str) -> bool:
        return False


def pay(attempts: int) -> Callable[[httpx.Client], None]:
    """Return what pays once, with a key of its own, in so many attempts."""

    def send(http: httpx.Client) -> None:
        key = uuid.uuid4().hex
        for attempt in range(1, attempts + 1):
            try:
                http.post("/payments", headers={"Idempotency-Key": key})
                return
            except httpx.TransportError:
                if attempt == attempts:
                    raise

    return send


def asgi(till: Till) -> Any:
    """Return the till as an ASGI application."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        key = dict(scope["headers"])[b"idempotency-key"].decode()
        if till.books(key):
            till.booked.append(key)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    return application


@pytest.mark.parametrize("kind", [lambda till: till, asgi], ids=["wsgi", "asgi"])
def test_application_of_ones_own_is_proven(kind):
    """A WSGI or ASGI application with keys takes effect once, at each of the three points."""
    till = Till()
    seen = must_take_effect_once(kind(till), pay(attempts=2), till.effects)
    assert [trial.point for trial in seen] == list(CrashPoint)


@pytest.mark.parametrize(
    ("till", "attempts", "told"),
    [
        (TillWithoutKeys(), 2, "2 effects"),
        (DeafTill(), 2, "0 effects"),
        (Till(), 1, "ReadError"),
    ],
    ids=["doubled", "lost", "not repeated"],
)
def test_application_that_is_wrong_is_found(till, attempts, told):
    """An effect that comes twice or never, and a call that isn't repeated, are named."""
    with pytest.raises(AssertionError, match=told):
        must_take_effect_once(till, pay(attempts), till.effects)


def test_call_that_must_not_be_repeated_is_proven():
    """A call without a key is sent once and ends with an error; a repeated one is named."""
    till = TillWithoutKeys()
    must_not_repeat(till, pay(attempts=1), till.effects)
    with pytest.raises(AssertionError, match="2 effects, 2 calls sent"):
        must_not_repeat(till, pay(attempts=2), till.effects)


def test_nothing_sent_proves_nothing():
    """Code that sends no writing call is no proof."""
    with pytest.raises(AssertionError, match="nothing was proven"):
        must_take_effect_once(Till(), lambda http: None, lambda: 0)
    with pytest.raises(AssertionError, match="nothing was proven"):
        must_not_repeat(Till(), lambda http: None, lambda: 0)
