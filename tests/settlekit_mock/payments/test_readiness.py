"""A merchant's billing mandate, and what it still lacks to be ready."""

import pytest

from settlekit_mock.kernel.world import World
from settlekit_mock.payments.merchants import change_merchant, create_merchant
from tests.settlekit_mock.payments.conftest import SHOP, Api, data, refused
from tests.settlekit_mock.payments.test_merchants import READY, open_session, readiness, set_up


def test_billing_mandate(api: Api) -> None:
    """A mandate is active at once, and made only once."""
    set_up(api)
    made = data(api.post("merchants/new_shop/billing-mandate", "new", max_amount_minor=5000), 201)
    assert (made["mandate"]["status"], made["mandate"]["max_amount_minor"], made["created"]) == (
        "active",
        5000,
        True,
    )
    assert made["merchant_account"]["billing_mandate_id"] == made["mandate"]["mandate_id"]
    assert made["merchant_account"]["billing_status"] == "active"
    again = data(api.post("merchants/new_shop/billing-mandate", "new", currency="JPY"), 200)
    assert (again["mandate"], again["created"]) == (made["mandate"], False)


def test_mandate_in_another_currency(api: Api) -> None:
    """A mandate is in the billing currency."""
    set_up(api)
    answer = api.post("merchants/new_shop/billing-mandate", "new", billing_currency="USD")
    assert refused(answer) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "currencies",
    [
        {"currency": "USD", "billing_currency": "JPY"},
        {"currency": "JPY", "billing_currency": "USD"},
        {"currency": "EUR", "billing_currency": "JPY"},
        {"currency": "EUR"},
    ],
    ids=str,
)
def test_a_mandate_has_one_currency(api: Api, world: World, currencies: dict[str, str]) -> None:
    """Two currencies at once, or one that there is not, make no mandate."""
    set_up(api)
    answer = api.post("merchants/new_shop/billing-mandate", "new", **currencies)
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert (
        data(api.get("merchants/new_shop", "new"))["merchant_account"]["billing_mandate_id"] is None
    )


def test_a_mandates_currency_may_be_named_twice(api: Api) -> None:
    """Both names together are fine where they say the same."""
    set_up(api)
    both = {"currency": "JPY", "billing_currency": "jpy"}
    assert data(api.post("merchants/new_shop/billing-mandate", "new", **both), 201)["created"]


def test_held_mandate(api: Api, world: World) -> None:
    """A mandate that is held waits for approval, and billing isn't set up until then."""
    set_up(api)
    with world.transaction() as tx:
        change_merchant(tx, "new_shop", {"mandate_status": "approval_required"})
    made = data(api.post("merchants/new_shop/billing-mandate", "new"), 201)
    assert made["mandate"]["status"] == "approval_required"
    assert made["merchant_account"]["billing_status"] == "setup_required"
    with world.transaction() as tx:
        change_merchant(tx, "new_shop", {"mandate_status": "active"})
    found = data(api.get("merchants/new_shop", "new"))
    assert found["mandate"] == {**made["mandate"], "status": "active"}
    assert found["merchant_account"]["billing_status"] == "active"


def test_readiness_of_a_new_account(api: Api) -> None:
    """A bare account lacks all but its registration and wallet, each named with what to do."""
    set_up(api)
    found = readiness(api)
    missing = [
        "active_mandate",
        "https_webhook",
        "terms",
        "sandbox_confirmation",
        "responsibility_attestation",
        "live_mode",
    ]
    assert (found["ready"], found["status"]) == (False, "action_required")
    assert found["missing_requirements"] == missing
    assert [check["name"] for check in found["checks"] if not check["passed"]] == missing
    assert list(data(api.get("merchants/new_shop", "new"))["next_steps"]) == missing


def test_readiness_of_a_ready_account(api: Api) -> None:
    """With everything in place an account is ready, and opens a session."""
    set_up(api, **READY)
    api.post("merchants/new_shop/billing-mandate", "new")
    found = readiness(api)
    assert (found["ready"], found["status"], found["missing_requirements"]) == (True, "ready", [])
    assert (found["live_mode_requested"], found["live_mode_enabled"]) == (True, True)
    assert found["business_verification_required"] is False
    assert (
        found["responsibility_attestation_version"]
        == "sdrp_standard_hosted_checkout_responsibility_v1"
    )
    assert open_session(api).status_code == 201


@pytest.mark.parametrize(
    ("withdrawn", "missing"),
    [
        ({"standard_terms_accepted": False}, "terms"),
        ({"sandbox_confirmed": False}, "sandbox_confirmation"),
        ({"merchant_responsibility_attested": False}, "responsibility_attestation"),
        ({"live_mode_requested": False}, "live_mode"),
    ],
)
def test_each_requirement_is_needed(api: Api, withdrawn: dict, missing: str) -> None:
    """Without any one of what a merchant declares, checkout is refused and names it."""
    set_up(api, **READY)
    api.post("merchants/new_shop/billing-mandate", "new")
    set_up(api, **withdrawn)
    answer = open_session(api)
    assert refused(answer) == (409, "HOSTED_CHECKOUT_READINESS_REQUIRED")
    assert answer.json["error"]["missing_requirements"] == [missing]
    assert missing in answer.json["error"]["message"]


def test_a_mandate_is_needed(api: Api) -> None:
    """Without a mandate checkout is refused and names it."""
    set_up(api, **READY)
    assert open_session(api).json["error"]["missing_requirements"] == ["active_mandate"]


def test_a_webhook_is_needed(api: Api) -> None:
    """Without a webhook checkout is refused and names it; a subscription is one too."""
    set_up(api, **{**READY, "webhook_callback_url": None})
    api.post("merchants/new_shop/billing-mandate", "new")
    assert open_session(api).json["error"]["missing_requirements"] == ["https_webhook"]
    body = {"callback_url": "https://new.example/hook"}
    path = "/v1/market/webhooks/subscriptions"
    made = data(api.call("POST", path, "new", json=body), 201)
    api.call("POST", f"{path}/{made['id']}/pause", "new")
    assert open_session(api).json["error"]["missing_requirements"] == ["https_webhook"]
    api.call("POST", f"{path}/{made['id']}/resume", "new")
    assert open_session(api).status_code == 201


def test_blocked_billing_shows_in_readiness(api: Api, world: World) -> None:
    """Billing that is past due blocks, though every requirement is met."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"billing_status": "past_due"})
    found = data(api.get(f"merchants/{SHOP}/readiness"))["standard_hosted_checkout_readiness"]
    assert (found["ready"], found["blockers"]) == (True, ["EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"])


def test_the_sandbox_merchant_is_ready_without_a_webhook(world: World) -> None:
    """A merchant made for tests is ready at once, though nobody listens yet."""
    with world.transaction() as tx:
        made = create_merchant(tx, "made_shop")
    assert (made.mandate_status, made.billing_status, made.currencies) == (
        "active",
        "active",
        ("JPY", "USD"),
    )
