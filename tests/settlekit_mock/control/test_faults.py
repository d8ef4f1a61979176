"""Ask for faults by control routes and from Python, and meet them with a real client."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from settlekit import RateLimited, RetryPolicy, ServerError, SettlekitError, TransportError
from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError

PATIENT = RetryPolicy(attempts=3, backoff_seconds=0)
ONCE = RetryPolicy(attempts=1)
HOOKS = "/market/webhooks/subscriptions"


@pytest.fixture
def mock() -> Any:
    with MockServer(seed=7) as made:
        yield made


def subscriptions(mock: MockServer) -> int:
    with mock.client("merchant") as client:
        return len(client.request("GET", HOOKS).data)


# -- asking ------------------------------------------------------------------------------


def test_a_fault_is_shown_as_it_was_asked_for(mock: MockServer) -> None:
    """A fault answers with all it was asked with, what was left out as null, and its counts."""
    made = mock.faults.create("GET /v1/*", "latency", ms=5, times=3)
    assert (made.match, made.kind, made.ms, made.times) == ("GET /v1/*", "latency", 5, 3)
    assert (made.status, made.retry_after, made.rate, made.seen, made.applied) == (
        None,
        None,
        None,
        0,
        0,
    )
    assert mock.faults.get(made.fault_id) == made
    assert mock.faults.all() == [made]


def test_a_webhook_fault_is_shown_as_it_was_asked_for(mock: MockServer) -> None:
    """A fault of deliveries answers its duration in seconds, whatever form it was given in."""
    made = mock.webhook_faults.create("delay", duration="PT2H", rate=0.5)
    assert (made.kind, made.duration, made.rate) == ("delay", 7200, 0.5)
    assert mock.webhook_faults.create("delay", duration=timedelta(hours=2)).duration == 7200
    assert mock.webhook_faults.get(made.fault_id) == made
    assert mock.webhook_faults.all()[0] == made


def test_a_429_says_when_to_come_back(mock: MockServer) -> None:
    """A fault with status 429 waits a second unless told otherwise."""
    assert mock.faults.create("* /*", "status", status=429).retry_after == 1
    assert mock.faults.create("* /*", "status", status=429, retry_after=9).retry_after == 9
    assert mock.faults.create("* /*", "status", status=503).retry_after is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "latency"}, "ms: the kind latency needs it"),
        ({"kind": "status"}, "status: the kind status needs it"),
        ({"kind": "status", "status": 418}, "status"),
        ({"kind": "malformed", "ms": 5}, "ms: goes with the kind latency alone"),
        ({"kind": "malformed", "status": 500}, "status: goes with the kind status alone"),
        ({"kind": "latency", "ms": 5, "retry_after": 1}, "retry_after: goes with the kind status"),
        ({"kind": "status", "status": 500, "retry_after": 1}, "the statuses 429 and 503"),
        ({"kind": "latency", "ms": -1}, "ms"),
        ({"kind": "latency", "ms": 60_001}, "ms"),
        ({"kind": "malformed", "times": 0}, "times"),
        ({"kind": "malformed", "rate": 0}, "rate"),
        ({"kind": "malformed", "rate": 1.5}, "rate"),
        ({"kind": "malformed", "times": 1, "rate": 0.5}, "times or rate, not both"),
        ({"kind": "explode"}, "kind"),
        ({"kind": "malformed", "match": "GET /_mock/clock"}, "never touch the control routes"),
        ({"kind": "malformed", "match": "/v1"}, "match: must be"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    mock: MockServer, body: dict[str, Any], told: str
) -> None:
    """What can't be asked for is 422, names the field, and leaves nothing behind."""
    with pytest.raises(ControlError, match=told) as refused:
        mock.faults.create(**{"match": "GET /v1/*", **body})
    assert refused.value.status == 422
    assert mock.faults.all() == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "delay"}, "duration: the kind delay needs it"),
        ({"kind": "drop", "duration": 5}, "duration: goes with the kind delay alone"),
        ({"kind": "delay", "duration": "soon"}, "duration"),
        ({"kind": "drop", "times": 1, "rate": 0.5}, "times or rate, not both"),
        ({"kind": "latency"}, "kind"),
    ],
)
def test_a_webhook_fault_that_makes_no_sense_is_refused(
    mock: MockServer, body: dict[str, Any], told: str
) -> None:
    """What can't be asked of deliveries is 422, names the field, and leaves nothing behind."""
    with pytest.raises(ControlError, match=told) as refused:
        mock.webhook_faults.create(**body)
    assert refused.value.status == 422
    assert mock.webhook_faults.all() == []


# -- taking away -------------------------------------------------------------------------


def test_one_fault_is_taken_away_or_all(mock: MockServer) -> None:
    """One fault goes by its id, all go together, and their number is told."""
    first, *_ = [mock.faults.create("* /*", "malformed") for _ in range(3)]
    mock.faults.remove(first)
    assert len(mock.faults.all()) == 2
    assert mock.faults.clear() == 2
    assert mock.faults.all() == []
    assert mock.faults.clear() == 0


def test_a_reordering_taken_away_lets_its_delivery_go(mock: MockServer) -> None:
    """What a fault of deliveries held has gone when the call that took it away answers."""
    mock.merchants.update("sandbox_merchant", webhook_url="http://localhost:9/hook")
    fault = mock.webhook_faults.create("reorder")
    with mock.client("merchant") as client:
        client.request(
            "POST",
            "/market/webhooks/test-deliveries",
            json={"event_type": "direct_payment.confirmed"},
        )
    assert list(mock.events(kind="webhook.failed")) == []
    mock.webhook_faults.remove(fault)
    assert mock.webhook_faults.all() == []
    assert len(list(mock.events(kind="webhook.failed"))) == 1


def test_the_two_doors_are_apart(mock: MockServer) -> None:
    """Faults of calls and of deliveries don't know each other's ids, nor clear each other."""
    call = mock.faults.create("* /*", "latency", ms=0)
    delivery = mock.webhook_faults.create("drop")
    with pytest.raises(ControlError, match="FAULT_NOT_FOUND"):
        mock.faults.get(delivery.fault_id)
    with pytest.raises(ControlError, match="FAULT_NOT_FOUND"):
        mock.webhook_faults.remove(call.fault_id)
    mock.faults.clear()
    assert mock.webhook_faults.all() == [delivery]


def test_a_fault_of_everything_can_be_taken_away(mock: MockServer) -> None:
    """Control routes answer under a fault for every path."""
    fault = mock.faults.create("* /*", "cut_before_effect")
    assert mock.clock.read().mode == "frozen"
    mock.faults.remove(fault)
    assert subscriptions(mock) == 0


# -- meeting them ------------------------------------------------------------------------


def test_a_client_gets_through_what_passes(mock: MockServer) -> None:
    """A client that tries three times gets through two failures."""
    mock.faults.create("GET /v1/*", "status", status=503, times=2)
    with mock.client("merchant", retries=PATIENT) as client:
        assert client.request("GET", HOOKS).data == []
    assert mock.faults.all() == []


def test_a_client_reports_what_stays(mock: MockServer) -> None:
    """A client that gives up raises the error of the status, with what the server said."""
    mock.faults.create("GET /v1/*", "status", status=429, retry_after=30)
    with (
        mock.client("merchant", retries=ONCE) as client,
        pytest.raises(RateLimited) as refused,
    ):
        client.request("GET", HOOKS)
    assert refused.value.retry_after == 30


def test_a_server_error_is_one(mock: MockServer) -> None:
    """A 502 that a fault asked for is the client's ``ServerError``."""
    mock.faults.create("GET /v1/*", "status", status=502)
    with mock.client("merchant", retries=ONCE) as client, pytest.raises(ServerError):
        client.request("GET", HOOKS)


@pytest.mark.parametrize(("kind", "effects"), [("cut_before_effect", 0), ("cut_after_effect", 1)])
def test_a_cut_leaves_what_its_name_says(mock: MockServer, kind: Any, effects: int) -> None:
    """A client's unrepeatable call that was cut did nothing, or all, as the fault is named."""
    mock.faults.create(f"POST /v1{HOOKS}", kind, times=1)
    with (
        mock.client("merchant", retries=PATIENT) as client,
        pytest.raises(TransportError),
    ):
        client.request("POST", HOOKS, json={"callback_url": "https://shop.example/hook"})
    assert subscriptions(mock) == effects


def shop(mock: MockServer, orders: int) -> None:
    """Take orders as a shop does that gives an order up when it can't be paid."""
    with mock.client("merchant", retries=PATIENT) as client:
        for number in range(orders):
            with suppress(SettlekitError):
                session = client.checkout_sessions.create(
                    merchant="sandbox_merchant",
                    amount_minor=100 * (number % 2) + 200,
                    currency="JPY",
                    nonce=f"order-{number:04}-of-the-day",
                    success_url="http://localhost:3000/done",
                    cancel_url="http://localhost:3000/cart",
                )
                client.request("POST", f"/sandbox/checkout-sessions/{session.session_id}/confirm")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("latency", {"ms": 0}),
        ("status", {"status": 503}),
        ("malformed", {}),
        ("cut_before_effect", {}),
        ("cut_after_effect", {}),
    ],
)
def test_a_shop_under_faults_leaves_the_books_whole(
    mock: MockServer, kind: Any, options: dict[str, Any]
) -> None:
    """Whatever goes wrong with a shop's calls, some are paid and every invariant holds."""
    mock.faults.create("POST /v1/*", kind, rate=0.4, **options)
    shop(mock, orders=12)
    mock.clock.advance(days=12)
    assert 0 < len(list(mock.events(kind="payment.accepted"))) <= 12
    assert mock.faults.all()[0].applied > 0
    assert mock.check().ok
