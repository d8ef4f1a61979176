"""Which calls are safe to repeat, and what makes them so."""

import json
from typing import Any

import attrs
import httpx
import pytest

from settlekit import Client, RetryPolicy, TransportError
from settlekit.testing import golden, without_backoff
from tests.settlekit.golden.calling import ORIGIN, bound, call_of, positional

#: What names the one effect of a call that isn't a GET.
KEYED = {
    "checkout_sessions.create": "nonce",
    "payment_requirements.create": "challenge",
    "capabilities.execute": "idempotency_key",
    "subscriptions.create": "challenge",
    "scheduled_payments.authorize": "challenge",
    "scheduled_payments.execute": "slot_id",
    "operations.adjust_wallet": "idempotency_key",
    "operations.record_usage": "request_id",
}
#: Keys that are drawn where none is given.
DRAWN = {
    "checkout_sessions.create": "nonce",
    "capabilities.execute": "idempotency_key",
    "operations.adjust_wallet": "idempotency_key",
    "operations.record_usage": "request_id",
}


class Flaky:
    """Loses the answer to the first request, and answers the second."""

    def __init__(self, name: str) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._response = golden.load(name).response

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content or b"{}"))
        if len(self.bodies) == 1:
            raise httpx.ReadError("the answer was lost")
        return httpx.Response(self._response.status, content=self._response.content)


def called(name: str, server: Flaky, **without: None) -> None:
    """Call a method as its golden file says, but without some arguments."""
    file = golden.load(name)
    kwargs = {key: value for key, value in file.call.kwargs.items() if key not in without}
    with (
        without_backoff(),
        httpx.Client(transport=httpx.MockTransport(server)) as http,
        Client(
            token="tok", base_url=f"{ORIGIN}/v1", http=http, retries=RetryPolicy(attempts=2)
        ) as client,
    ):
        bound(client, name)(*positional(file), **kwargs)


@pytest.mark.parametrize("name", golden.names())
def test_what_may_be_repeated(name: str) -> None:
    """GETs, and calls whose key makes the second one the first: nothing else."""
    is_get = golden.load(name).request.method == "GET"
    call: Any = call_of(name)
    assert call.repeatable is (is_get or name in KEYED)


@pytest.mark.parametrize(("name", "key"), sorted(KEYED.items()))
def test_a_repeat_has_the_same_key(name: str, key: str) -> None:
    """After a lost answer the same body goes out again, key and all."""
    server = Flaky(name)
    called(name, server)
    first, second = server.bodies
    assert first == second
    assert first[key]


@pytest.mark.parametrize(("name", "key"), sorted(DRAWN.items()))
def test_a_key_is_drawn_once_for_a_logical_call(name: str, key: str) -> None:
    """Without a key of the caller's one is drawn: the same for all repeats, new for each call."""
    one, other = Flaky(name), Flaky(name)
    called(name, one, **{key: None})
    called(name, other, **{key: None})
    keys = [body[key] for body in (*one.bodies, *other.bodies)]
    assert keys[0] == keys[1] != keys[2] == keys[3]
    assert {len(each) for each in keys} == {36}


@pytest.mark.parametrize("name", ["payment_requirements.execute", "merchants.set_up"])
def test_what_has_no_key_is_sent_once(name: str) -> None:
    """What moves money or shows a secret once isn't sent again behind the caller's back."""
    server = Flaky(name)
    with pytest.raises(TransportError):
        called(name, server)
    assert len(server.bodies) == 1


def test_a_schedules_token_travels_alone() -> None:
    """A run's bearer is the schedule's: the client's own token doesn't go with it."""
    call: Any = call_of("scheduled_payments.execute")
    token = golden.load("scheduled_payments.execute").call.kwargs["schedule_token"]
    assert call.headers == {"authorization": f"Bearer {token}"}
    assert "tok" not in call.headers["authorization"].split()
    assert token not in repr(call)


def test_a_call_does_nothing_by_itself() -> None:
    """A call is a value: frozen, and equal calls differ in nothing but their keys."""
    call: Any = call_of("operations.payouts")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        call.path = "/elsewhere"
