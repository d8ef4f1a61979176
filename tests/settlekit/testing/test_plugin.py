import pytest

from settlekit import Client

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
