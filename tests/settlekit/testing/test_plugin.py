from typing import Any

import pytest

from settlekit import Client, webhooks

pytest_plugins = ["pytester"]


def test_the_mock_is_fresh_and_frozen(settlekit_mock, settlekit_client: Client) -> None:
    """Its clock stands, and nothing was used yet."""
    first = settlekit_mock.clock.now
    assert settlekit_mock.clock.now == first
    assert settlekit_client.provider_statements.usage_events().items == ()
    buyer = settlekit_mock.buyers.create()
    settlekit_mock.usage(buyer, merchant="sandbox_merchant", amount_minor=100, currency="JPY")
    assert len(settlekit_client.provider_statements.usage_events().items) == 1


def test_the_next_test_has_another_mock(settlekit_client: Client) -> None:
    """What a test before it used isn't there."""
    assert settlekit_client.provider_statements.usage_events().items == ()


def test_the_client_is_a_merchants_and_a_providers(settlekit_client: Client) -> None:
    """One client opens checkouts and reads statements."""
    session = settlekit_client.checkout_sessions.create(
        merchant="sandbox_merchant",
        amount_minor=1200,
        currency="JPY",
        success_url="http://localhost:3000/ok",
        cancel_url="http://localhost:3000/no",
    )
    assert settlekit_client.checkout_sessions.get(session.session_id).amount_minor == 1200
    assert settlekit_client.provider_statements.summary().role == "provider"


def test_webhooks_are_collected(settlekit_mock, settlekit_client, settlekit_webhooks) -> None:
    """A confirmed checkout arrives proven, typed and once."""
    session = settlekit_client.checkout_sessions.create(
        merchant="sandbox_merchant",
        amount_minor=1200,
        currency="JPY",
        success_url="http://localhost:3000/ok",
        cancel_url="http://localhost:3000/no",
    )
    path = f"/sandbox/checkout-sessions/{session.session_id}/confirm"
    settlekit_client.request("POST", path, json={})
    event = settlekit_webhooks.wait_for(event_type="direct_payment.confirmed")
    match webhooks.classify(event):
        case webhooks.StandardSettled(challenge_hash=challenge_hash):
            assert challenge_hash == session.challenge_hash
        case other:
            pytest.fail(f"{other}")
    assert settlekit_webhooks.events == [event]


def test_a_settled_batch_arrives(settlekit_mock, settlekit_client, settlekit_webhooks) -> None:
    """Weeks of the clock end in one webhook, whose digest is the batch's."""
    buyer = settlekit_mock.buyers.create()
    settlekit_mock.usage(
        buyer, merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=5
    )
    settlekit_mock.clock.advance(days=12)
    settled = webhooks.classify(settlekit_webhooks.wait_for(kind="metered_batch_settled"))
    [batch] = settlekit_client.provider_statements.settlement_batches()
    assert settled.usage_event_digest == batch.usage_event_digest


def wsgi_shop(heard: list[bytes]) -> Any:
    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        heard.append(environ["wsgi.input"].read())
        start("204 No Content", [])
        return []

    return application


def asgi_shop(heard: list[bytes]) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return application


@pytest.mark.parametrize("shop_of", [wsgi_shop, asgi_shop])
def test_a_shop_takes_what_is_collected(settlekit_mock, settlekit_webhooks, shop_of) -> None:
    """An application in this process gets each delivery, and the fixture has it too."""
    heard: list[bytes] = []
    settlekit_webhooks.deliver_to(shop_of(heard), url="https://shop.localhost/webhooks")
    settlekit_mock.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY"
    )
    settlekit_webhooks.wait_for(kind="metered_batch_settled")
    assert heard == [delivery.body for delivery in settlekit_webhooks.deliveries] != []


def test_having_the_plugin_loads_no_mock(pytester: pytest.Pytester) -> None:
    """A project that only installed it pays nothing."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            assert "settlekit_mock" not in sys.modules
            assert "httpx" not in sys.modules
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:respx", "-p", "no:schemathesis")
    result.assert_outcomes(passed=1)
