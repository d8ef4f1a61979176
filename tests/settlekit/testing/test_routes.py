"""Canned answers: a merchant's unit test in one line, from the golden files."""

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest

from settlekit import (
    AsyncClient,
    CheckoutNotReady,
    Client,
    InvalidArgument,
    RateLimited,
    TransportError,
)
from settlekit.models import CheckoutStatus
from settlekit.testing import golden, routes, without_backoff
from settlekit.testing.routes import CannedAnswers

CHECKOUT = {
    "merchant": "sandbox_merchant",
    "amount_minor": 1200,
    "currency": "JPY",
    "success_url": "https://shop.example/ok",
    "cancel_url": "https://shop.example/no",
}


@pytest.fixture
def client() -> Client:
    return Client(token="tok", base_url="http://localhost:8787/v1", admin_secret="sec")


PLAIN = [name for name in golden.names() if "answer_of" not in repr(golden.load(name).call)]


@pytest.mark.parametrize("name", PLAIN)
def test_every_golden_route_answers(
    settlekit_routes: CannedAnswers, client: Client, name: str
) -> None:
    """Each method that has a golden file reaches its own canned answer, and no other's."""
    resource, method = name.split(".")
    asked = golden.load(name).call
    result = getattr(getattr(client, resource), method)(*asked.args, **asked.kwargs)
    if hasattr(result, "digest") or hasattr(result, "row_count"):
        with result as rows:
            list(rows)
    assert len(settlekit_routes.requests(name)) == 1


def test_an_answer_can_be_changed(settlekit_routes: CannedAnswers, client: Client) -> None:
    """Only what the test is about is said; the rest stays as the platform answers."""
    settlekit_routes.answer("checkout_sessions.get", status="paid", amount_minor=7)
    session = client.checkout_sessions.get("chk_1")
    assert (session.status, session.amount_minor) == (CheckoutStatus.PAID, 7)
    assert (
        session.merchant == golden.load("checkout_sessions.get").response.body["data"]["merchant"]
    )


def test_changes_last_no_longer_than_their_block(client: Client) -> None:
    """The golden files themselves stay as they are."""
    with routes.canned() as platform:
        platform.answer("checkout_sessions.get", amount_minor=7)
    with routes.canned():
        assert client.checkout_sessions.get("chk_1").amount_minor != 7


def test_a_list_can_be_changed(settlekit_routes: CannedAnswers, client: Client) -> None:
    """As many items as the test needs, each with its own change; or its first one alone."""
    name = "provider_statements.usage_events"
    settlekit_routes.answer_items(name, {"status": "settled"}, {"currency": "USD"})
    first, second = client.provider_statements.usage_events()
    assert (first.status, second.currency) == ("settled", "USD")
    settlekit_routes.answer_items(name)
    assert client.provider_statements.usage_events().all() == []
    settlekit_routes.answer(name, status="written_off", currency="USD")
    assert client.provider_statements.usage_events().items[0].status == "written_off"


def test_a_refusal_is_the_platforms(settlekit_routes: CannedAnswers, client: Client) -> None:
    """Its error class follows from status and code, as always."""
    create = "checkout_sessions.create"
    settlekit_routes.refuse(create, 409, "HOSTED_CHECKOUT_READINESS_REQUIRED")
    with pytest.raises(CheckoutNotReady):
        client.checkout_sessions.create(**CHECKOUT)
    settlekit_routes.refuse(create, 429, "RATE_LIMITED", retry_after=9)
    with pytest.raises(RateLimited) as caught, without_backoff():
        client.checkout_sessions.create(**CHECKOUT)
    assert caught.value.retry_after == 9.0


def test_a_connection_can_break(settlekit_routes: CannedAnswers, client: Client) -> None:
    """And every attempt of the call is seen, with one nonce."""
    settlekit_routes.disconnect("checkout_sessions.create")
    with pytest.raises(TransportError), without_backoff():
        client.checkout_sessions.create(**CHECKOUT)
    bodies = {each.content for each in settlekit_routes.requests("checkout_sessions.create")}
    assert len(bodies) == 1
    assert len(settlekit_routes.requests("checkout_sessions.create")) == 3


def test_async_clients_are_answered_too(settlekit_routes: CannedAnswers) -> None:
    """The same answers, whatever the client and its base URL."""

    async def ask() -> Any:
        async with AsyncClient(token="t", base_url="https://siglume.com/v1") as client:
            return await client.checkout_sessions.create(**CHECKOUT)

    assert asyncio.run(ask()).status == "open"


def test_nothing_else_gets_out(settlekit_routes: CannedAnswers) -> None:
    """A request that no canned answer is for raises; it never leaves the process."""
    with pytest.raises(AssertionError, match="not mocked"):
        httpx.get("https://shop.example/")


def test_mistakes_in_a_test_are_named(settlekit_routes: CannedAnswers) -> None:
    """Unknown methods, unknown fields, and a list where there is none."""
    with pytest.raises(InvalidArgument, match=r"checkout_sessions\.open"):
        settlekit_routes.answer("checkout_sessions.open")
    with pytest.raises(InvalidArgument, match="colour is no field of the answer"):
        settlekit_routes.answer("checkout_sessions.get", colour="red")
    with pytest.raises(InvalidArgument, match="doesn't answer a list"):
        settlekit_routes.answer_items("checkout_sessions.get", {})


def test_without_respx_it_says_what_to_install() -> None:
    """The rest of settlekit.testing works without it."""
    script = (
        "import sys; sys.modules['respx'] = None\n"
        "import settlekit.testing\n"
        "try:\n    import settlekit.testing.routes\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    assert (
        done.stdout.strip() == "settlekit.testing.routes needs respx: pip install settlekit[respx]"
    )
