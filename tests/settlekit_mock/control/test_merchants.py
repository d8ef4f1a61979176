"""Merchants by control: made ready at once, read with their secrets, changed in every state."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from settlekit import CheckoutNotReady, CheckoutUnavailable
from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError

SHOP = "sandbox_merchant"
CHECKOUT = {
    "amount_minor": 1200,
    "currency": "JPY",
    "nonce": "n-1",
    "success_url": "http://localhost:3000/done",
    "cancel_url": "http://localhost:3000/cancelled",
}


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A fresh mock."""
    with MockServer() as made:
        yield made


def post(mock: MockServer, path: str, body: Any, method: str = "POST") -> TestResponse:
    client = Client(mock.app)
    return client.open(
        f"/_mock/{path}",
        method=method,
        json=body,
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
        base_url="http://localhost",
    )


def journal(mock: MockServer) -> list[str]:
    return [f"{entry.kind} {entry.subject}" for entry in mock.events()]


def test_a_new_merchant_is_as_the_sandboxs_own(mock: MockServer) -> None:
    """What isn't said is as with the merchant that a fresh server has, but for its webhook."""
    made, own = mock.merchants.create("shop"), mock.merchants.get("sandbox_merchant")
    assert made.standard_hosted_checkout_readiness.ready
    assert made.merchant_account.metadata_jsonb.allowed_currencies == ["JPY", "USD"]
    for name in ("billing_plan", "billing_currency", "billing_status", "status"):
        assert getattr(made.merchant_account, name) == getattr(own.merchant_account, name)
    assert made.merchant_account.metadata_jsonb.checkout_allowed_origins == [
        "http://localhost:3000"
    ]
    assert made.mandate is not None
    assert (made.mandate.status, made.hosted_checkout, made.usd_terms_agreed) == (
        "active",
        "on",
        True,
    )
    assert (made.webhook_url, made.webhook_secret) == (None, None)


def test_ids_and_secrets_are_its_own(mock: MockServer) -> None:
    """Listing, token, secret and person are nobody else's."""
    made, own = mock.merchants.create("shop"), mock.merchants.get("sandbox_merchant")
    assert made.listing_id != own.listing_id
    assert made.token != own.token
    assert made.challenge_secret != own.challenge_secret
    assert made.merchant_account.merchant_user_id != own.merchant_account.merchant_user_id


def test_its_token_sells(mock: MockServer) -> None:
    """With its token a session is opened at once; the sandbox merchant's token doesn't do."""
    made = mock.merchants.create("shop", token="tok_shop")
    assert made.token == "tok_shop"
    opened = mock.client(token="tok_shop").checkout_sessions.create(merchant="shop", **CHECKOUT)
    assert opened.status == "open"
    usage = mock.usage("sandbox_buyer", merchant="shop", amount_minor=100, currency="JPY", count=3)
    assert usage.accepted == 3
    events = mock.client("provider", token="tok_shop").provider_statements.usage_events()
    assert {event.listing_id for event in events} == {made.listing_id}
    assert mock.client("provider").provider_statements.usage_events().items == ()


def test_every_field_is_taken(mock: MockServer) -> None:
    """What is said of a new merchant is so, and is read back the same."""
    made = mock.merchants.create(
        "Corner_Shop",
        token="tok_corner",
        display_name="Corner shop",
        billing_plan="Pro",
        billing_currency="USD",
        allowed_currencies=["USD"],
        checkout_allowed_origins=["https://Shop.example:443/"],
        webhook_url="https://hooks.shop.example/x",
        webhook_secret="whsec_corner",
        billing_status="past_due",
        mandate_status="approval_required",
        usd_terms_agreed=False,
        hosted_checkout="gone",
        billing_mandate_cap_minor=9_000,
        terms_version="2026-01",
        sandbox_session_id="chk_1",
        responsibility_attestation_version="v2",
    )
    account = made.merchant_account
    assert (made.merchant, account.display_name) == ("corner_shop", "Corner shop")
    assert (account.billing_plan, account.billing_currency, account.token_symbol) == (
        "pro",
        "USD",
        "USDC",
    )
    assert (account.monthly_fee_minor, account.settlement_fee_min_minor) == (6_000, 20)
    metadata = account.metadata_jsonb
    assert metadata.allowed_currencies == ["USD"]
    assert metadata.checkout_allowed_origins == [
        "https://shop.example",
        "https://hooks.shop.example",
    ]
    assert (made.webhook_url, made.webhook_secret) == (
        "https://hooks.shop.example/x",
        "whsec_corner",
    )
    assert made.mandate is not None
    assert (made.mandate.status, made.mandate.max_amount_minor) == ("approval_required", 9_000)
    assert (account.billing_status, made.usd_terms_agreed, made.hosted_checkout) == (
        "past_due",
        False,
        "gone",
    )
    assert metadata.metered_risk_acceptance is not None
    assert metadata.metered_risk_acceptance.terms_version == "2026-01"
    assert metadata.sandbox_session_id == "chk_1"
    assert metadata.responsibility_attestation_version == "v2"
    assert mock.merchants.get("corner_shop") == made
    assert mock.merchants.get("CORNER_SHOP") == made


def test_all_are_listed_oldest_first(mock: MockServer) -> None:
    """The list has every merchant as it is read alone."""
    made = [mock.merchants.create(key) for key in ("zebra", "apple")]
    assert mock.merchants.all() == [mock.merchants.get("sandbox_merchant"), *made]


def test_one_person_may_own_several(mock: MockServer) -> None:
    """A merchant under a person who has a token gets no second one, and is opened by theirs."""
    first = mock.merchants.create("first_shop")
    owner = first.merchant_account.merchant_user_id
    second = mock.merchants.create("second_shop", merchant_user_id=owner)
    assert second.token == first.token
    client = mock.client(token=first.token)
    assert client.checkout_sessions.create(merchant="second_shop", **CHECKOUT).status == "open"


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"registered": False}, ["registration"]),
        ({"settlement_wallet": False}, ["settlement_wallet"]),
        ({"mandate_status": "approval_required"}, ["active_mandate"]),
        ({"terms_accepted": False}, ["terms"]),
        ({"sandbox_confirmed": False}, ["sandbox_confirmation"]),
        ({"merchant_responsibility_attested": False}, ["responsibility_attestation"]),
        ({"live_mode_requested": False}, ["live_mode"]),
    ],
    ids=str,
)
def test_readiness_is_taken_away_and_given_back(
    mock: MockServer, change: dict[str, Any], missing: list[str]
) -> None:
    """Each change makes exactly its own requirement missing, and undone makes ready again."""
    changed = mock.merchants.update("sandbox_merchant", **change)
    assert changed.standard_hosted_checkout_readiness.missing_requirements == missing
    with pytest.raises(CheckoutNotReady):
        mock.client().checkout_sessions.create(merchant="sandbox_merchant", **CHECKOUT)
    back = {
        name: "active" if value == "approval_required" else True for name, value in change.items()
    }
    assert mock.merchants.update(
        "sandbox_merchant", **back
    ).standard_hosted_checkout_readiness.ready


@pytest.mark.parametrize(("switch", "status"), [("off", 409), ("gone", 404)])
def test_hosted_checkout_is_switched(mock: MockServer, switch: str, status: int) -> None:
    """Off is 409 and gone is 404, until it is on again."""
    mock.merchants.update("sandbox_merchant", hosted_checkout=switch)
    with pytest.raises(CheckoutUnavailable) as refused:
        mock.client().checkout_sessions.create(merchant="sandbox_merchant", **CHECKOUT)
    assert refused.value.status == status
    mock.merchants.update("sandbox_merchant", hosted_checkout="on")
    mock.client().checkout_sessions.create(merchant="sandbox_merchant", **CHECKOUT)


def test_a_webhook_is_made_and_replaced(mock: MockServer) -> None:
    """One subscription is made, then moved: it keeps its id and secret unless one is given."""

    def endpoints() -> list[Any]:
        answer = mock.client().request("GET", "/market/webhooks/subscriptions")
        return list(answer.data)

    made = mock.merchants.update("sandbox_merchant", webhook_url="https://a.example/x")
    (first,) = endpoints()
    assert first["event_types"] == ["direct_payment.confirmed"]
    moved = mock.merchants.update("sandbox_merchant", webhook_url="https://b.example/x")
    assert moved.webhook_secret == made.webhook_secret
    renewed = mock.merchants.update("sandbox_merchant", webhook_secret="whsec_new")
    assert (renewed.webhook_url, renewed.webhook_secret) == ("https://b.example/x", "whsec_new")
    (last,) = endpoints()
    assert (last["id"], last["callback_url"]) == (first["id"], "https://b.example/x")


def test_a_paused_webhook_is_not_the_one(mock: MockServer) -> None:
    """A subscription the merchant paused is left alone; a new address makes a new one."""
    mock.merchants.update("sandbox_merchant", webhook_url="https://a.example/x")
    client = mock.client()
    (first,) = client.request("GET", "/market/webhooks/subscriptions").data
    client.request("POST", f"/market/webhooks/subscriptions/{first['id']}/pause")
    assert mock.merchants.get("sandbox_merchant").webhook_url is None
    mock.merchants.update("sandbox_merchant", webhook_url="https://b.example/x")
    newest, oldest = client.request("GET", "/market/webhooks/subscriptions").data
    assert (oldest["callback_url"], oldest["status"]) == ("https://a.example/x", "paused")
    assert (newest["callback_url"], newest["status"]) == ("https://b.example/x", "active")


def test_a_change_leaves_the_rest(mock: MockServer) -> None:
    """A change of nothing changes nothing; one field changes alone."""
    before = mock.merchants.get("sandbox_merchant")
    assert mock.merchants.update("sandbox_merchant") == before
    after = mock.merchants.update("sandbox_merchant", display_name="Shop")
    assert after.merchant_account.display_name == "Shop"
    assert after.challenge_secret == before.challenge_secret
    assert after.merchant_account.billing_plan == before.merchant_account.billing_plan


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "merchant"),
        ({"merchant": "ab"}, "merchant"),
        ({"merchant": "a b c"}, "merchant"),
        ({"merchant": "shöp"}, "merchant"),
        ({"merchant": 7}, "merchant"),
        ({"merchant": "shop", "colour": "red"}, "colour"),
        ({"merchant": "shop", "billing_plan": "gold"}, "billing_plan"),
        ({"merchant": "shop", "billing_currency": "EUR"}, "billing_currency"),
        ({"merchant": "shop", "allowed_currencies": ["EUR"]}, "allowed_currencies"),
        ({"merchant": "shop", "allowed_currencies": []}, "allowed_currencies"),
        ({"merchant": "shop", "checkout_allowed_origins": ["nope"]}, "checkout_allowed_origins"),
        ({"merchant": "shop", "webhook_url": "http://shop.example/x"}, "webhook_url"),
        ({"merchant": "shop", "webhook_secret": "alone"}, "webhook_secret"),
        ({"merchant": "shop", "webhook_url": "https://a.example", "webhook_secret": " "}, "secret"),
        ({"merchant": "shop", "billing_status": "fine"}, "billing_status"),
        ({"merchant": "shop", "mandate_status": None}, "mandate_status"),
        ({"merchant": "shop", "usd_terms_agreed": "yes"}, "usd_terms_agreed"),
        ({"merchant": "shop", "hosted_checkout": "maybe"}, "hosted_checkout"),
        ({"merchant": "shop", "billing_mandate_cap_minor": 0}, "billing_mandate_cap_minor"),
        ({"merchant": "shop", "token": ""}, "token"),
        ({"merchant": "shop", "token": "cli_x"}, "token"),
        ({"merchant": "shop", "merchant_user_id": "../x"}, "merchant_user_id"),
    ],
    ids=str,
)
def test_bad_input_writes_nothing(mock: MockServer, body: dict[str, Any], field: str) -> None:
    """Each is 422, names the field, and leaves no merchant, token or journal entry."""
    before = journal(mock)
    refused = post(mock, "merchants", body)
    assert refused.status_code == 422
    assert field in refused.get_json()["error"]["message"]
    assert [one.merchant for one in mock.merchants.all()] == ["sandbox_merchant"]
    assert journal(mock) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"merchant": "sandbox_merchant"}, "MERCHANT_EXISTS"),
        ({"merchant": "Sandbox_Merchant"}, "MERCHANT_EXISTS"),
        ({"merchant": "shop", "token": "sandbox_buyer_token"}, "TOKEN_EXISTS"),
        ({"merchant": "shop", "token": "sandbox_admin_token"}, "TOKEN_EXISTS"),
    ],
    ids=str,
)
def test_what_is_taken_is_a_conflict(mock: MockServer, body: dict[str, Any], code: str) -> None:
    """A taken key or token is 409, and nothing is written."""
    before = journal(mock)
    refused = post(mock, "merchants", body)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, code)
    assert [one.merchant for one in mock.merchants.all()] == ["sandbox_merchant"]
    assert journal(mock) == before


@pytest.mark.parametrize("change", [{"token": "x"}, {"merchant": "x"}, {"colour": "red"}], ids=str)
def test_a_change_of_what_stays_is_refused(mock: MockServer, change: dict[str, str]) -> None:
    """Key and token stay what they are; unknown fields are refused."""
    assert post(mock, "merchants/sandbox_merchant", change, "PATCH").status_code == 422


def test_an_unknown_merchant_is_not_found(mock: MockServer) -> None:
    """Reading or changing a merchant that isn't there is 404 with its code."""
    for ask in (mock.merchants.get, mock.merchants.update):
        with pytest.raises(ControlError, match="404 EXTERNAL_402_MERCHANT_NOT_FOUND"):
            ask("nobody")


def test_another_billing_currency_has_its_own_wallet(mock: MockServer) -> None:
    """The account settles into the wallet of the new currency, and back into the old one's."""
    yen = mock.merchants.get(SHOP).merchant_account
    dollars = mock.merchants.update(SHOP, billing_currency="USD").merchant_account
    assert (dollars.billing_currency, dollars.token_symbol) == ("USD", "USDC")
    wallets = {
        item.wallet_id: (item.owner_id, item.currency)
        for item in mock.client("admin").operations.reconcile_ledger().items
        if item.owner_scope == "developer"
    }
    owner = yen.merchant_user_id
    # A wallet in dollars says so by its fields' names, and names no currency.
    assert wallets == {yen.user_wallet_id: (owner, "JPY"), dollars.user_wallet_id: (owner, None)}
    again = mock.merchants.update(SHOP, billing_currency="JPY").merchant_account
    assert again.user_wallet_id == yen.user_wallet_id


def test_totals_follow_the_billing_currency_of_the_first_merchant(mock: MockServer) -> None:
    """Statements without a token are in the new currency; a second merchant's change moves nothing."""
    owner = mock.merchants.get(SHOP).merchant_account.merchant_user_id
    mock.merchants.create("second_shop", merchant_user_id=owner)
    for currency, amount_minor in (("JPY", 100), ("USD", 200)):
        mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=amount_minor, currency=currency)
    provider = mock.client("provider").provider_statements

    def unsettled() -> str:
        return str(provider.summary().totals.unsettled_provider_receivable_minor)

    assert unsettled() == "98"
    mock.merchants.update("second_shop", billing_currency="USD")
    assert unsettled() == "98"
    mock.merchants.update(SHOP, billing_currency="USD")
    assert unsettled() == "199"


def test_a_wallet_that_was_taken_away_stays_so_in_another_currency(mock: MockServer) -> None:
    """A change of the billing currency connects no wallet; given back, it is of that currency."""
    mock.merchants.update("sandbox_merchant", settlement_wallet=False)
    changed = mock.merchants.update("sandbox_merchant", billing_currency="USD")
    assert changed.merchant_account.user_wallet_id is None
    back = mock.merchants.update("sandbox_merchant", settlement_wallet=True).merchant_account
    of_yen = mock.merchants.update("sandbox_merchant", billing_currency="JPY").merchant_account
    assert None not in (back.user_wallet_id, of_yen.user_wallet_id)
    assert back.user_wallet_id != of_yen.user_wallet_id


def told(mock: MockServer, kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.subject, entry.data) for entry in mock.events(kind=kind)]


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"display_name": "Shop"}, ["display_name"]),
    ({"billing_plan": "pro"}, ["billing_plan"]),
    ({"billing_currency": "USD"}, ["billing_currency", "settlement_wallet"]),
    ({"allowed_currencies": ["JPY"]}, ["allowed_currencies"]),
    ({"checkout_allowed_origins": ["https://a.example"]}, ["checkout_allowed_origins"]),
    ({"billing_mandate_cap_minor": 9}, ["billing_mandate_cap_minor"]),
    ({"terms_accepted": False}, ["terms_accepted"]),
    ({"terms_version": "v2"}, ["terms_accepted", "terms_version"]),
    ({"sandbox_confirmed": False}, ["sandbox_confirmed"]),
    ({"sandbox_session_id": "chk_1"}, ["sandbox_session_id"]),
    ({"merchant_responsibility_attested": False}, ["merchant_responsibility_attested"]),
    ({"responsibility_attestation_version": "v2"}, ["responsibility_attestation_version"]),
    ({"live_mode_requested": False}, ["live_mode_requested"]),
    ({"billing_status": "past_due"}, ["billing_status"]),
    ({"mandate_status": "approval_required"}, ["mandate_status"]),
    ({"usd_terms_agreed": False}, ["usd_terms_agreed"]),
    ({"hosted_checkout": "off"}, ["hosted_checkout"]),
    ({"registered": False}, ["registered"]),
    ({"settlement_wallet": False}, ["settlement_wallet"]),
    ({"registered": False, "display_name": "Shop"}, ["display_name", "registered"]),
]


@pytest.mark.both_databases
@pytest.mark.parametrize(("change", "fields"), CHANGES, ids=str)
def test_a_change_is_told_once(mock: MockServer, change: dict[str, Any], fields: list[str]) -> None:
    """The journal names what is another now, as it was asked for; the same again tells nothing."""
    mock.merchants.update(SHOP, **change)
    mock.clock.advance(seconds=1)
    mock.merchants.update(SHOP, **change)
    mock.merchants.update(SHOP)
    assert told(mock, "merchant.changed") == [(SHOP, {"fields": fields})]


def test_a_refused_change_is_not_told(mock: MockServer) -> None:
    """A change that is refused for one of its fields leaves the journal as it was."""
    before = journal(mock)
    for change in ({"billing_plan": "gold"}, {"webhook_url": "http://shop.example/x"}):
        body = {"display_name": "Shop", **change}
        assert post(mock, f"merchants/{SHOP}", body, "PATCH").status_code == 422
    assert journal(mock) == before


def test_a_new_merchant_is_told_once(mock: MockServer) -> None:
    """Whatever it is made with is in its creation; its webhook has an entry of its own."""
    before = len(journal(mock))
    made = mock.merchants.create(
        "shop", billing_status="past_due", hosted_checkout="off", webhook_url="https://a.example/x"
    )
    (endpoint,) = mock.client(token=made.token).webhook_endpoints.list().items
    assert journal(mock)[before:] == [
        "merchant.created shop",
        f"webhook_subscription.created {endpoint.webhook_subscription_id}",
    ]


def test_a_webhook_that_is_replaced_is_told(mock: MockServer) -> None:
    """A new address and a new secret are named, neither is shown, and a repeat tells nothing."""
    for change in (
        {"webhook_url": "https://a.example/path-of-a-secret"},
        {"webhook_url": "https://b.example/path-of-a-secret"},
        {"webhook_url": "https://b.example/path-of-a-secret"},
        {"webhook_secret": "whsec_given"},
        {"webhook_secret": "whsec_given"},
    ):
        mock.merchants.update(SHOP, **change)
    (endpoint,) = mock.client().webhook_endpoints.list().items
    changed = [{"fields": ["callback_url"]}, {"fields": ["signing_secret"]}]
    assert told(mock, "webhook_subscription.changed") == [
        (endpoint.webhook_subscription_id, data) for data in changed
    ]
    assert told(mock, "merchant.changed") == [(SHOP, {"fields": ["webhook_callback_url"]})] * 2
    shown = repr(list(mock.events()))
    assert "path-of-a-secret" not in shown
    assert "whsec_given" not in shown


def test_an_old_secret_that_is_ended_is_told(mock: MockServer) -> None:
    """To set the same address again ends an old secret that still signs, which is a change."""
    mock.merchants.update(SHOP, webhook_url="https://a.example/x")
    (endpoint,) = mock.client().webhook_endpoints.list().items
    for age_hours, told_in_all in ((23, 1), (25, 1)):
        mock.client().webhook_endpoints.rotate_secret(endpoint.webhook_subscription_id)
        mock.clock.advance(hours=age_hours)
        mock.merchants.update(SHOP, webhook_url="https://a.example/x")
        assert len(told(mock, "webhook_subscription.changed")) == told_in_all
