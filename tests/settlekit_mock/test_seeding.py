"""A fresh server: its merchant, its buyer, its tokens, ready for a shop that knows the defaults."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from settlekit import AuthenticationError, Client, PermissionDenied
from settlekit_mock import MockServer
from settlekit_mock.in_process import RoleName

ORIGIN = "http://localhost:3000"


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer() as made:
        yield made


def client(mock: MockServer, token: str) -> Client:
    return mock.client(token=token)


def test_the_merchant_is_ready_though_it_has_no_webhook(mock: MockServer) -> None:
    """The sandbox's merchant has an active mandate, live mode, both currencies, its origin."""
    shop = mock.merchants.get("sandbox_merchant")
    account, ready = shop.merchant_account, shop.standard_hosted_checkout_readiness
    assert (ready.ready, ready.live_mode_enabled, ready.missing_requirements) == (True, True, [])
    assert shop.mandate is not None
    assert (shop.mandate.status, account.billing_status) == ("active", "active")
    assert (account.status, account.billing_plan, shop.webhook_url) == ("active", "launch", None)
    assert account.metadata_jsonb.checkout_allowed_origins == [ORIGIN]
    assert mock.client().webhook_endpoints.list().items == ()


@pytest.mark.parametrize("currency", ["JPY", "USD"])
def test_it_sells_at_once_in_both_currencies(mock: MockServer, currency: str) -> None:
    """A session is opened with the defaults alone."""
    session = mock.client().checkout_sessions.create(
        merchant="sandbox_merchant",
        amount_minor=1200,
        currency=currency,
        nonce="order-1",
        success_url=f"{ORIGIN}/done",
        cancel_url=f"{ORIGIN}/cart",
    )
    assert session.status == "open"


def test_the_buyer_has_funds_and_no_caps(mock: MockServer) -> None:
    """JPYC 1,000,000 and USDC 10,000.00, in balance and allowance; the vault is active, in UTC."""
    buyer = mock.buyers.get("sandbox_buyer")
    for funds in (buyer.balances, buyer.allowances):
        assert (funds.JPYC, funds.USDC) == ("1000000", "1000000")
    assert (buyer.vault_active, buyer.timezone) == (True, "UTC")
    assert (buyer.caps.per_payment, buyer.caps.day, buyer.caps.month) == (None, None, None)


def test_the_buyer_has_ten_dollars_of_credits_with_an_entry(mock: MockServer) -> None:
    """The credits are in a wallet, and came there by an opening entry, which reconciles."""
    wallet = mock.client("buyer").operations.wallet()
    assert wallet.wallet_balance_usd == Decimal(10)
    (entry,) = wallet.entries
    assert (entry.reason, entry.direction) == ("seed_opening_balance", "credit")
    assert mock.client("admin").operations.reconcile_ledger().summary.mismatch_count == 0


def test_each_token_opens_its_own_routes(mock: MockServer) -> None:
    """The merchant's opens the provider's routes too; the provider's, of the same person, these alone."""
    for token in ("sandbox_merchant_token", "sandbox_provider_token"):
        assert client(mock, token).provider_statements.summary().role == "provider"
    assert client(mock, "sandbox_merchant_token").webhook_endpoints.list().items == ()
    with pytest.raises(PermissionDenied):
        client(mock, "sandbox_provider_token").webhook_endpoints.list()
    assert client(mock, "sandbox_buyer_token").buyer_statements.summary().role == "buyer"
    with pytest.raises(PermissionDenied):
        client(mock, "sandbox_buyer_token").provider_statements.summary()
    assert client(mock, "sandbox_admin_token").operations.payouts().items == ()
    with pytest.raises(AuthenticationError):
        client(mock, "sandbox_merchant_token").operations.payouts()


def test_a_webhook_url_is_one_subscription_with_the_known_secret() -> None:
    """Where an address is given, it listens to confirmed payments under ``whsec_sandbox_local``."""
    with MockServer(webhook_url="https://shop.localhost/hook") as mock:
        (endpoint,) = mock.client().webhook_endpoints.list().items
        shop = mock.merchants.get("sandbox_merchant")
    assert (endpoint.callback_url, endpoint.status) == ("https://shop.localhost/hook", "active")
    assert [str(one) for one in endpoint.event_types] == ["direct_payment.confirmed"]
    assert shop.webhook_secret == "whsec_sandbox_local"


@pytest.mark.parametrize("webhook_url", [None, "https://shop.localhost/hook"])
def test_the_journal_begins_with_who_there_is(webhook_url: str | None) -> None:
    """A fresh server's journal tells its merchant, its buyer and their money, whatever listens."""
    with MockServer(webhook_url=webhook_url) as mock:
        kinds = [entry.kind for entry in mock.events()]
    posted = "ledger.posted"
    assert kinds == ["merchant.created", posted, posted, "buyer.created", posted]


def test_another_origin_takes_the_place_of_the_default() -> None:
    """``origin`` is where the sandbox's merchant sends buyers back to."""
    with MockServer(origin="https://shop.example") as mock:
        account = mock.merchants.get("sandbox_merchant").merchant_account
    assert account.metadata_jsonb.checkout_allowed_origins == ["https://shop.example"]


@pytest.mark.parametrize("role", ["merchant", "provider", "buyer", "admin"])
def test_everything_a_fresh_server_has_is_sound(role: RoleName) -> None:
    """Every invariant holds of a fresh server, and each role finds the platform working."""
    with MockServer() as mock:
        assert mock.check().ok
        assert mock.client(role).platform.status().status == "operational"
