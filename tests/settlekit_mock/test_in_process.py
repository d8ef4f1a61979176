"""A mock in process delivers webhooks to collectors and applications, without a socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from flask import Flask, request
from werkzeug.test import Client

from settlekit import webhooks
from settlekit_mock import MockServer

SECRET = "whsec_sandbox_local"
URL = "https://shop.localhost/webhooks"


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7) as made:
        yield made


def settle(mock: MockServer) -> None:
    mock.usage(mock.buyers.create(), merchant="sandbox_merchant", amount_minor=100, currency="JPY")
    mock.clock.advance(days=14)


def test_waiting_lets_time_pass(mock: MockServer) -> None:
    """Whoever waits for a settled batch gets it weeks later, at once."""
    inbox = mock.webhooks.collect()
    mock.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
    start = mock.clock.now
    event = inbox.wait_for(kind="metered_batch_settled")
    assert (event.occurred_at - start).days >= 3
    assert event.occurred_at == mock.clock.now


def test_waiting_in_vain_ends(mock: MockServer) -> None:
    """Nothing to come within 45 days is a TimeoutError."""
    with pytest.raises(TimeoutError, match="no metered_batch_settled arrived"):
        mock.webhooks.collect().wait_for(kind="metered_batch_settled")


def test_the_mocks_clock_may_sign(mock: MockServer) -> None:
    """An inbox goes by the clock that signs: the machine's, or the mock's."""
    mock.clock.freeze(sign_with_clock=True)
    inbox = mock.webhooks.collect()
    settle(mock)
    assert [event.type for event in inbox.events] == ["direct_payment.confirmed"]


def test_a_flask_app_takes_deliveries(mock: MockServer) -> None:
    """A WSGI application gets the raw body and the signature."""
    app, seen = Flask(__name__), list[str]()

    @app.post("/webhooks")
    def receive() -> tuple[str, int]:
        header = request.headers.get(webhooks.SIGNATURE_HEADER)
        seen.append(webhooks.verify(request.get_data(), header, SECRET).type)
        return "", 204

    mock.webhooks.deliver_to(app, url=URL)
    settle(mock)
    assert seen == ["direct_payment.confirmed"]


def test_a_fastapi_app_takes_deliveries(mock: MockServer) -> None:
    """An ASGI application gets the raw body and the signature."""
    app, seen = FastAPI(), list[str]()

    @app.post("/webhooks", status_code=204)
    async def receive(given: Request) -> None:
        header = given.headers.get(webhooks.SIGNATURE_HEADER)
        seen.append(webhooks.verify(await given.body(), header, SECRET).type)

    mock.webhooks.deliver_to(app, url=URL)
    settle(mock)
    assert seen == ["direct_payment.confirmed"]


def test_an_app_that_fails_is_asked_again(mock: MockServer) -> None:
    """A receiver's defect is a failed delivery, retried by the clock."""
    calls: list[str] = []

    def broken(environ: dict[str, Any], _start: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        raise RuntimeError("a defect of the shop")

    mock.webhooks.deliver_to(broken, url=URL)
    settle(mock)
    assert calls == ["/webhooks"] * 9


def delivered_to(mock: MockServer, url: str) -> str | None:
    """Have the merchant's webhooks sent to a URL, and return what the log says of a try."""
    mock.merchants.update("sandbox_merchant", webhook_url=url)
    sent = Client(mock.app).post(
        "/v1/market/webhooks/test-deliveries",
        json={"event_type": "direct_payment.confirmed"},
        headers={"Authorization": f"Bearer {mock.token('merchant')}"},
    )
    assert sent.json is not None
    assert sent.json["data"]["response_status"] is None
    return next(iter(mock.events(kind="webhook.failed"))).data["error"]


def test_a_server_on_a_socket_delivers_nothing_to_itself(mock: MockServer) -> None:
    """A merchant can't have the server call its own routes, and the journal says so."""
    with mock.serve() as server:
        error = delivered_to(mock, f"{server.url}/_mock/reset")
    assert error is not None
    assert "is this server itself" in error


def test_an_application_learns_where_another_server_has_it_listen(mock: MockServer) -> None:
    """Behind another WSGI server the first call tells which port is the server's own."""
    environ = {"SERVER_SOFTWARE": "another", "SERVER_PORT": "8123"}
    Client(mock.app).get("/v1/sdrp/direct-payments/status", environ_overrides=environ)
    error = delivered_to(mock, "http://localhost:8123/_mock/reset")
    assert error is not None
    assert "is this server itself" in error


@pytest.mark.parametrize("make", ["token", "client", "async_client"])
def test_a_role_that_is_none_is_answered_with_those_there_are(mock: MockServer, make: str) -> None:
    """A mistyped role is named, beside the roles that can be had."""
    with pytest.raises(ValueError, match="'typo' is none of merchant, provider, buyer, admin"):
        getattr(mock, make)("typo")


def test_tokens_and_secrets_stay_out_of_what_is_printed(mock: MockServer) -> None:
    """A buyer, a merchant and the mock can be printed in a test's output."""
    buyer = mock.buyers.create(buyer_id="alice", token="tok_canary")
    shop = mock.merchants.create(
        "corner", token="tok_canary_2", webhook_url=URL, webhook_secret="whsec_canary"
    )
    assert repr(buyer).startswith("BuyerAnswer(buyer_id='alice', timezone='UTC', ")
    assert (buyer.token, shop.webhook_secret) == ("tok_canary", "whsec_canary")
    assert "canary" not in repr((mock, buyer, shop, mock.buyers.all(), mock.merchants.all()))
    assert shop.challenge_secret not in repr(shop)
