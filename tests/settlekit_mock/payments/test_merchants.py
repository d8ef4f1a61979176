import json

import pytest

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.merchants import change_merchant, create_merchant
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.providers import find_provider
from tests.settlekit_mock.payments.conftest import NOW, SHOP, Api, data, journal, refused

READY = {
    "standard_terms_accepted": True,
    "sandbox_confirmed": True,
    "merchant_responsibility_attested": True,
    "live_mode_requested": True,
    "webhook_callback_url": "https://new.example/hook",
    "checkout_allowed_origins": ["https://new.example"],
}


def set_up(api: Api, token: str = "new", **body: object) -> dict:
    answer = api.post(
        "merchants", token, **{"merchant": "new_shop", "billing_currency": "JPY", **body}
    )
    assert answer.status_code in {200, 201}, answer.text
    return answer.json["data"]


def readiness(api: Api) -> dict:
    return data(api.get("merchants/new_shop/readiness", "new"))[
        "standard_hosted_checkout_readiness"
    ]


def open_session(api: Api, **body: object) -> object:
    terms = {
        "merchant": "new_shop",
        "amount_minor": 1200,
        "currency": "JPY",
        "nonce": "n",
        "success_url": "https://new.example/done",
        "cancel_url": "https://new.example/cart",
    }
    return api.post("checkout-sessions", "new", **{**terms, **body})


def test_create(api: Api) -> None:
    """A new merchant account is 201 and shows its challenge secret this once."""
    answer = api.post(
        "merchants", "new", merchant=" New_Shop ", billing_currency="jpy", display_name="New"
    )
    made = data(answer, 201)
    account = made["merchant_account"]
    assert made["challenge_secret"].startswith("chsec_")
    assert (made["challenge_secret_created"], made["created"]) == (True, True)
    assert (account["merchant"], account["display_name"]) == ("new_shop", "New")
    assert (account["merchant_user_id"], account["status"]) == ("usr_new", "active")
    assert (account["billing_currency"], account["token_symbol"]) == ("JPY", "JPYC")
    assert (account["billing_plan"], account["billing_status"]) == ("launch", "setup_required")
    assert account["user_wallet_id"].startswith("wal_")
    assert account["billing_mandate_id"] is made["mandate"] is None
    assert made["listing_id"].startswith("lst_")


def test_update(api: Api) -> None:
    """An update is 200, changes what is given and nothing else, and shows no secret."""
    first = set_up(api, display_name="New")
    again = api.post("merchants", "new", merchant="new_shop", billing_plan="pro")
    found = data(again, 200)
    assert (found["created"], found["challenge_secret"]) == (False, None)
    assert found["merchant_account"]["display_name"] == "New"
    assert found["merchant_account"]["billing_plan"] == "pro"
    assert found["listing_id"] == first["listing_id"]
    assert first["challenge_secret"] not in again.text


def test_get_never_shows_the_secret(api: Api) -> None:
    """Reading an account shows all of it but the secret."""
    made = set_up(api)
    answer = api.get("merchants/new_shop", "new")
    found = data(answer)
    assert found["merchant_account"] == made["merchant_account"]
    assert "challenge_secret" not in found
    assert made["challenge_secret"] not in answer.text


@pytest.mark.parametrize(
    ("plan", "currency", "expected"),
    [
        ("launch", "JPY", ("launch", 180, 0, 30)),
        ("free", "JPY", ("launch", 180, 0, 30)),
        ("starter", "USD", ("starter", 100, 600, 20)),
        ("growth", "JPY", ("growth", 70, 2980, 30)),
        ("pro", "USD", ("pro", 50, 6000, 20)),
    ],
)
def test_plans(api: Api, plan: str, currency: str, expected: tuple[str, int, int, int]) -> None:
    """A plan brings its fee, its minimum and its base fee in the billing currency."""
    account = set_up(api, billing_plan=plan, billing_currency=currency)["merchant_account"]
    names = ("billing_plan", "settlement_fee_bps", "monthly_fee_minor", "settlement_fee_min_minor")
    assert tuple(account[name] for name in names) == expected


def test_risk_acceptance(api: Api, world: World) -> None:
    """Accepting the terms leaves a receipt that accepting them again keeps."""
    first = set_up(api, terms_accepted=True, terms_version="v2")["merchant_account"]
    receipt = first["metadata_jsonb"]["metered_risk_acceptance"]
    assert receipt["receipt_id"].startswith("mra_")
    assert {**receipt, "receipt_id": ""} == {
        "terms_version": "v2",
        "accepted_at": "2026-03-02T09:00:00.000Z",
        "principal_user_id": "usr_new",
        "receipt_id": "",
        "thresholds": {"JPY": 10000, "USD": 10000},
    }
    world.due.advance(NOW + DAY)
    again = set_up(api, standard_terms_accepted=True)["merchant_account"]
    assert again["metadata_jsonb"]["metered_risk_acceptance"] == receipt


def test_other_terms_are_accepted_anew(api: Api, world: World) -> None:
    """Another version has its own receipt and time; what was accepted before isn't rewritten."""
    first = set_up(api, terms_accepted=True, terms_version="v1")["merchant_account"]
    world.due.advance(NOW + DAY)
    later = set_up(api, terms_accepted=True, terms_version="v2")["merchant_account"]
    before, after = (one["metadata_jsonb"]["metered_risk_acceptance"] for one in (first, later))
    assert (after["terms_version"], after["accepted_at"]) == ("v2", "2026-03-03T09:00:00.000Z")
    assert after["receipt_id"] != before["receipt_id"]


def test_origins_are_normalised(api: Api) -> None:
    """Origins are lower case, without the default port, without repeats, the webhook's among them."""
    found = set_up(
        api,
        checkout_allowed_origins=[
            "HTTPS://New.Example:443/",
            "https://new.example",
            "http://[::1]:3000",
        ],
        webhook_callback_url="https://hooks.new.example/in",
    )
    assert found["merchant_account"]["metadata_jsonb"]["checkout_allowed_origins"] == [
        "https://new.example",
        "http://[::1]:3000",
        "https://hooks.new.example",
    ]


def test_currencies(api: Api) -> None:
    """A merchant takes its billing currency alone, unless it names both."""
    assert set_up(api)["merchant_account"]["metadata_jsonb"]["allowed_currencies"] == ["JPY"]
    both = set_up(api, allowed_currencies={"usd": "USDC", "JPY": "JPYC"})
    assert both["merchant_account"]["metadata_jsonb"]["allowed_currencies"] == ["JPY", "USD"]


def test_another_billing_currency_is_taken_alone(api: Api) -> None:
    """A merchant that named one currency settles in its billing currency, whichever that becomes."""
    set_up(api, allowed_currencies=["JPY"])
    account = set_up(api, billing_currency="USD")["merchant_account"]
    assert account["metadata_jsonb"]["allowed_currencies"] == ["USD"]


def test_statements_are_in_the_billing_currency(api: Api, world: World) -> None:
    """The billing currency of a person's first merchant is that of the statements' totals."""
    set_up(api, billing_currency="USD")
    set_up(api, merchant="second_shop", billing_currency="JPY")
    with world.snapshot() as connection:
        assert find_provider(connection, "usr_new").billing_currency == "USD"


INVALID = [
    {"merchant": "ab"},
    {"merchant": "a" * 65},
    {"merchant": "_shop"},
    {"merchant": "my.shop"},
    {"merchant": "店"},
    {"merchant": "\u212aeks"},
    {"merchant": 7},
    {"billing_currency": "EUR"},
    {"billing_currency": None},
    {"billing_plan": "gold"},
    {"display_name": ""},
    {"display_name": "a" * 256},
    {"allowed_currencies": []},
    {"allowed_currencies": ["EUR"]},
    {"allowed_currencies": ["USD"]},
    {"allowed_currencies": {"JPY": "USDC"}},
    {"allowed_currencies": "JPY"},
    {"webhook_callback_url": "http://new.example/hook"},
    {"webhook_callback_url": "https://user@new.example/hook"},
    {"checkout_allowed_origins": ["https://new.example/path"]},
    {"checkout_allowed_origins": ["https://new.example?x"]},
    {"checkout_allowed_origins": ["http://new.example"]},
    {"checkout_allowed_origins": ["*"]},
    {"max_amount_minor": 0},
    {"max_amount_minor": True},
    {"billing_mandate_cap_minor": 1.5},
    {"billing_mandate_cap_minor": 2**53},
    {"terms_accepted": "yes"},
    {"live_mode_requested": 1},
    {"terms_accepted": False, "standard_terms_accepted": True},
    {"max_amount_minor": 5, "billing_mandate_cap_minor": 6},
]


@pytest.mark.parametrize("change", INVALID)
def test_invalid_set_up(api: Api, world: World, change: dict) -> None:
    """An invalid set-up is 422, and no account is written."""
    body = {"merchant": "new_shop", "billing_currency": "JPY", **change}
    assert refused(api.post("merchants", "new", **body)) == (422, "INVALID_REQUEST")
    assert journal(world, "merchant") == ["merchant.created"]


def test_anothers_key(api: Api) -> None:
    """Another person's merchant can't be set up, read, rotated or billed."""
    assert refused(api.post("merchants", "new", merchant=SHOP, billing_currency="JPY")) == (
        403,
        "FORBIDDEN",
    )
    unknown = (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")
    assert refused(api.get(f"merchants/{SHOP}", "new")) == unknown
    assert refused(api.get(f"merchants/{SHOP}/readiness", "new")) == unknown
    assert refused(api.post(f"merchants/{SHOP}/challenge-secret/rotate", "new")) == unknown
    assert refused(api.post(f"merchants/{SHOP}/billing-mandate", "new")) == unknown
    assert refused(api.get("merchants/nobody", "new")) == unknown


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ("x", 401), ("sandbox_buyer_token", 403)]
)
def test_only_merchants(api: Api, token: str | None, status: int) -> None:
    """Merchant routes open to merchant tokens alone."""
    assert api.get(f"merchants/{SHOP}", token).status_code == status


def test_rotate_challenge_secret(api: Api) -> None:
    """A rotation shows a new challenge secret this once; new sessions are signed with it."""
    old = set_up(api)["challenge_secret"]
    rotated = data(api.post("merchants/new_shop/challenge-secret/rotate", "new"))
    assert rotated["challenge_secret"] != old
    assert (rotated["challenge_secret_created"], rotated["created"]) == (True, False)


def test_a_merchant_is_made_once(world: World) -> None:
    """A key that is taken is a conflict."""

    def make_again() -> None:
        with world.transaction() as tx:
            create_merchant(tx, SHOP)

    with pytest.raises(Conflict, match=SHOP):
        make_again()


def test_control_replaces_the_webhook(world: World, api: Api) -> None:
    """A new webhook URL replaces the active subscription and allows its origin."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"webhook_url": "https://hooks.example/in"})
    subscriptions = data(api.call("GET", "/v1/market/webhooks/subscriptions"))
    assert [one["callback_url"] for one in subscriptions] == ["https://hooks.example/in"]
    with world.snapshot() as connection:
        assert "https://hooks.example" in merchant_named(connection, SHOP).origins


def test_a_test_webhook_is_whole(api: Api, receiver: object) -> None:
    """A test event has every field of a settled standard payment to the caller's merchant."""
    body = {"event_type": "direct_payment.confirmed", "data": {"readiness_probe": True}}
    api.call("POST", "/v1/market/webhooks/test-deliveries", json=body)
    found = receiver.got[0]["data"]
    expected = {
        "mode": "external_402",
        "merchant": SHOP,
        "pricing_band": "standard",
        "finality": "per_payment_onchain",
        "settlement_status": "settled",
        "readiness_probe": True,
    }
    assert {name: found[name] for name in expected} == expected
    assert all(found[name] for name in ("requirement_id", "challenge_hash", "chain_receipt_id"))


def told(world: World) -> list[tuple[str, str]]:
    """Return what the journal tells of the new merchant: kind and data."""
    with world.snapshot() as connection:
        return [(entry.kind, entry.data) for entry in entries(connection, subject="new_shop")]


def changed(*fields: str) -> tuple[str, str]:
    return "merchant.changed", json.dumps({"fields": fields}, separators=(",", ":"))


def test_a_set_up_is_told_once(api: Api, world: World) -> None:
    """A new account is its creation alone, and an update that changes nothing isn't told."""
    set_up(api, **READY)
    set_up(api, **READY)
    assert [kind for kind, _ in told(world)] == ["merchant.created"]


@pytest.mark.both_databases
def test_what_a_merchant_changes_is_told(api: Api, world: World) -> None:
    """An update, the mandate and a rotated secret name their fields, each once, and no value."""
    set_up(api)
    set_up(api, display_name="New", terms_accepted=True, billing_plan="pro")
    path = "merchants/new_shop"
    for _ in range(2):
        api.post(f"{path}/billing-mandate", "new", max_amount_minor=9_000)
    rotated = data(api.post(f"{path}/challenge-secret/rotate", "new"))
    told_of_it = told(world)[1:]
    assert told_of_it == [
        changed("billing_plan", "display_name", "terms_accepted", "terms_version"),
        changed("billing_mandate_cap_minor", "billing_status", "mandate_status"),
        changed("challenge_secret"),
    ]
    assert rotated["challenge_secret"] not in repr(told_of_it)


def test_what_is_refused_is_not_told(api: Api, world: World) -> None:
    """Another person's call, a wrong plan and a wrong currency leave the journal as it was."""
    set_up(api)
    before = told(world)
    body = {"merchant": "new_shop", "display_name": "Mine"}
    assert api.post("merchants", **body).status_code == 403
    assert api.post("merchants", "new", **body, billing_plan="gold").status_code == 422
    path = "merchants/new_shop"
    assert api.post(f"{path}/billing-mandate", "new", currency="USD").status_code == 422
    assert api.post(f"{path}/challenge-secret/rotate").status_code == 404
    assert told(world) == before
