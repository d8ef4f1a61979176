"""Opening a checkout session: what it says, what it takes, and who may."""

import pytest

from settlekit.challenge import challenge_hash
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.merchants import change_merchant
from tests.settlekit_mock.payments.conftest import (
    ORIGIN,
    SHOP,
    Api,
    challenge_of,
    data,
    journal,
    refused,
)


def test_open(api: Api, world: World) -> None:
    """A new session says where to send the buyer, for 30 minutes, and proves its challenge."""
    made = data(api.open_session(), 201)
    assert made["session_id"].startswith("chk_")
    assert made == {
        "checkout_url": f"http://localhost/pay/{made['session_id']}",
        "session_id": made["session_id"],
        "challenge_hash": challenge_hash(challenge_of(world)),
        "status": "open",
        "expires_at": "2026-03-02T09:30:00.000Z",
    }


def test_get_shows_every_field(api: Api) -> None:
    """An open session shows its terms and what it waits for, never its challenge or a buyer."""
    made = data(api.open_session(metadata={"order": 1}), 201)
    assert api.session(made["session_id"]) == {
        "session_id": made["session_id"],
        "merchant": SHOP,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "amount_minor": 1200,
        "status": "open",
        "challenge_hash": made["challenge_hash"],
        "requirement_id": None,
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "protocol_fee_minor": None,
        "settlement_status": "pending_payment",
        "chain_receipt_id": None,
        "success_url": f"{ORIGIN}/done",
        "cancel_url": f"{ORIGIN}/cart",
        "checkout_url": made["checkout_url"],
        "expires_at": "2026-03-02T09:30:00.000Z",
        "authenticated_at": None,
        "paid_at": None,
        "cancelled_at": None,
        "created_at": "2026-03-02T09:00:00.000Z",
        "metadata_jsonb": {"order": 1},
    }


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (49, "JPY", ("nano", "monthly", "0.2")),
        (50, "JPY", ("micro", "weekly", "2")),
        (500, "JPY", ("micro", "weekly", "2")),
        (501, "JPY", ("standard", "per_payment", None)),
        (30, "USD", ("nano", "monthly", "0.1")),
        (31, "USD", ("micro", "weekly", "1")),
        (301, "USD", ("standard", "per_payment", None)),
    ],
)
def test_bands(
    api: Api, amount_minor: int, currency: str, expected: tuple[str, str, str | None]
) -> None:
    """The amount alone chooses a session's band, cadence and fee."""
    found = api.session(api.session_id(amount_minor=amount_minor, currency=currency))
    assert (
        found["pricing_band"],
        found["settlement_cadence"],
        found["protocol_fee_minor"],
    ) == expected


def test_terms_are_normalised(api: Api, world: World) -> None:
    """White space and case of merchant, currency and nonce don't count."""
    made = data(
        api.open_session(merchant=" Sandbox_Merchant ", currency=" jpy ", nonce=" order-1 "), 201
    )
    assert made["challenge_hash"] == challenge_hash(challenge_of(world))


@pytest.mark.both_databases
def test_same_nonce_same_input(api: Api) -> None:
    """The same nonce with the same input answers the same session."""
    assert data(api.open_session(), 201) == data(api.open_session(), 201)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 1201},
        {"currency": "USD"},
        {"success_url": f"{ORIGIN}/other"},
        {"cancel_url": f"{ORIGIN}/other"},
        {"metadata": {"order": 2}},
    ],
)
def test_same_nonce_other_input(api: Api, change: dict) -> None:
    """The same nonce with other input is a conflict, and the first session stays as it was."""
    first = api.session_id()
    before = api.session(first)
    assert refused(api.open_session(**change)) == (409, "CHECKOUT_NONCE_REUSED")
    assert api.session(first) == before


INVALID = [
    {"amount_minor": 0},
    {"amount_minor": -1},
    {"amount_minor": 1.5},
    {"amount_minor": "1200"},
    {"amount_minor": True},
    {"amount_minor": None},
    {"amount_minor": 92_233_720_369},
    {"amount_minor": 9_223_372_036_801, "currency": "USD"},
    {"amount_minor": 2**53},
    {"amount_minor": 10**400},
    {"currency": "EUR"},
    {"currency": ""},
    {"currency": "JPＹ"},
    {"nonce": ""},
    {"nonce": "   "},
    {"nonce": "a:b"},
    {"nonce": "a" * 256},
    {"nonce": 7},
    {"success_url": "https://elsewhere.example/done"},
    {"success_url": "http://localhost:3001/done"},
    {"success_url": "https://localhost:3000/done"},
    {"success_url": "http://localhost:3000@elsewhere.example/"},
    {"success_url": "javascript:alert(1)"},
    {"success_url": "/done"},
    {"cancel_url": "http://localhost:3000.elsewhere.example/"},
    {"cancel_url": "http://localhost:3000/" + "a" * 2048},
    {"metadata": []},
    {"metadata": "text"},
    {"merchant": ""},
]


@pytest.mark.parametrize("change", INVALID)
def test_invalid_input(api: Api, world: World, change: dict) -> None:
    """Invalid input is 422 with the checkout's own code, and nothing is written."""
    assert refused(api.open_session(**change)) == (422, "INVALID_CHECKOUT_SESSION_REQUEST")
    assert journal(world, "checkout") == []


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[1]",
        b'{"amount_minor": NaN}',
        b'{"nonce": "a", "nonce": "b"}',
        b"\xff",
        b'{"a": "\\u0000"}',
    ],
)
def test_malformed_input(api: Api, raw: bytes) -> None:
    """A body that isn't one JSON object is 400."""
    assert refused(api.raw("checkout-sessions", raw)) == (400, "MALFORMED_REQUEST")


@pytest.mark.both_databases
def test_largest_amount(api: Api) -> None:
    """The largest amount the mock takes is 92,233,720,368 major units."""
    assert (
        api.session(api.session_id(amount_minor=92_233_720_368))["amount_minor"] == 92_233_720_368
    )


def test_currency_the_merchant_does_not_take(api: Api, world: World) -> None:
    """A merchant is paid in the currencies it settles in alone."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"allowed_currencies": ["JPY"]})
    assert refused(api.open_session(currency="USD")) == (422, "INVALID_CHECKOUT_SESSION_REQUEST")


@pytest.mark.parametrize("merchant", ["nobody", "sandbox_merchant\x7f", "支払"])
def test_unknown_merchant(api: Api, merchant: str) -> None:
    """An unknown merchant is 404."""
    assert refused(api.open_session(merchant=merchant)) == (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hosted_checkout": "off"}, (409, "HOSTED_CHECKOUT_NOT_ENABLED")),
        ({"hosted_checkout": "gone"}, (404, "FEATURE_DISABLED")),
        ({"billing_status": "past_due"}, (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE")),
        ({"billing_status": "suspended"}, (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED")),
        ({"mandate_status": "approval_required"}, (409, "HOSTED_CHECKOUT_READINESS_REQUIRED")),
    ],
)
def test_checkout_unavailable(
    api: Api, world: World, change: dict, expected: tuple[int, str]
) -> None:
    """Where hosted checkout isn't to be had, the code says why, and no session is opened."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, change)
    assert refused(api.open_session()) == expected
    assert journal(world, "checkout") == []


def test_usd_needs_agreed_terms(api: Api, world: World) -> None:
    """Without agreed terms for USD a merchant is paid in yen alone."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"usd_terms_agreed": 0})
    assert refused(api.open_session(currency="USD")) == (409, "USD_TERMS_REQUIRED")
    assert api.open_session().status_code == 201


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (None, 401),
        ("unknown", 401),
        ("cli_x", 401),
        ("sandbox_buyer_token", 403),
        ("sandbox_provider_token", 403),
    ],
)
def test_only_merchants_open_sessions(api: Api, token: str | None, status: int) -> None:
    """Sessions are opened and read with a merchant's token alone."""
    session_id = api.session_id()
    assert api.post("checkout-sessions", token).status_code == status
    assert api.get(f"checkout-sessions/{session_id}", token).status_code == status


def test_anothers_session_does_not_exist(api: Api) -> None:
    """Another person's session is answered as if there were none, as is its merchant."""
    theirs = api.get(f"checkout-sessions/{api.session_id()}", "new")
    nobodys = api.get("checkout-sessions/chk_none", "new")
    assert refused(theirs) == refused(nobodys) == (404, "CHECKOUT_SESSION_NOT_FOUND")
    body = {
        "amount_minor": 1200,
        "currency": "JPY",
        "nonce": "n",
        "success_url": ORIGIN,
        "cancel_url": ORIGIN,
    }
    opened = api.post("checkout-sessions", "new", merchant=SHOP, **body)
    assert refused(opened) == (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")
