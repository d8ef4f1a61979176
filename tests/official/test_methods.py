"""Every method of the official client's two classes, against the routes there are."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import siglume_direct_request_payment as official

from tests.official.conftest import Platform

pytestmark = pytest.mark.official

TERMS = {"merchant": "sandbox_merchant", "amount_minor": 1200, "currency": "JPY"}
RETURN_TO = {
    "success_url": "http://localhost:3000/done",
    "cancel_url": "http://localhost:3000/cancelled",
}
SHOP = {
    "merchant": "second_shop",
    "display_name": "Second shop",
    "billing_plan": "growth",
    "billing_currency": "USD",
    "allowed_currencies": ["USD", "JPY"],
    "webhook_callback_url": "https://shop.example/webhooks",
    "billing_mandate_cap_minor": 50_000,
    "checkout_allowed_origins": ["https://Shop.example:443", "http://localhost:3000"],
    "standard_terms_accepted": True,
    "terms_version": "2026-01",
    "sandbox_confirmed": True,
    "sandbox_session_id": "chk_1",
    "merchant_responsibility_attested": True,
    "live_mode_requested": True,
}
Call = Callable[[Platform], Any]


def one_time(platform: Platform, **terms: Any) -> str:
    signed = official.create_direct_request_payment_challenge(
        **{**TERMS, **terms}, secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]
    )
    return str(signed["challenge"])


def recurring(platform: Platform, cadence: str) -> str:
    signed = official.create_direct_request_payment_recurring_challenge(
        **TERMS, cadence=cadence, secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]
    )
    return str(signed["challenge"])


def requirement(platform: Platform, **terms: Any) -> Any:
    return platform.person("buyer").create_payment_requirement(
        **{**TERMS, **terms}, challenge=one_time(platform, **terms), metadata={"order": "A-1"}
    )


def short_of_allowance(platform: Platform) -> Any:
    platform.driver.buyers.update("sandbox_buyer", allowances={"JPYC": "0"})
    return requirement(platform)


def authorization(platform: Platform) -> Any:
    return platform.person("buyer").create_scheduled_auto_pay_authorization(
        **TERMS, mode="external_402", challenge=recurring(platform, "daily"), max_runs=3
    )


def session(platform: Platform) -> Any:
    return platform.merchant().create_checkout_session(**TERMS, nonce="n-1", **RETURN_TO)


def batch_id(platform: Platform) -> str:
    platform.driver.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=3
    )
    platform.driver.clock.advance(until="batch.settled")
    (batch,) = platform.person("provider").list_provider_settlement_batches()["items"]
    return str(batch["settlement_batch_id"])


BUYER_CALLS: dict[str, Call] = {
    "create_payment_requirement": requirement,
    "get_payment_requirement": lambda mock: mock.person("buyer").get_payment_requirement(
        requirement(mock)["requirement_id"]
    ),
    "verify_payment_requirement": lambda mock: mock.person("buyer").verify_payment_requirement(
        requirement(mock)["requirement_id"], await_finality=True
    ),
    "execute_prepared_transaction": lambda mock: mock.person("buyer").execute_prepared_transaction(
        official.build_payment_execution_payload(requirement(mock))
    ),
    "execute_payment_transaction": lambda mock: mock.person("buyer").execute_payment_transaction(
        requirement(mock), await_finality=True, metadata={"note": "x"}
    ),
    "execute_allowance_transaction": lambda mock: mock.person(
        "buyer"
    ).execute_allowance_transaction(short_of_allowance(mock)),
    "create_subscription": lambda mock: mock.person("buyer").create_subscription(
        **TERMS, challenge=recurring(mock, "monthly"), cadence="monthly"
    ),
    "create_scheduled_auto_pay_authorization": authorization,
    "revoke_scheduled_auto_pay_authorization": lambda mock: mock.person(
        "buyer"
    ).revoke_scheduled_auto_pay_authorization(authorization(mock)["authorization_id"]),
    "execute_scheduled_auto_pay": lambda mock: mock.person("buyer").execute_scheduled_auto_pay(
        schedule_token=authorization(mock)["schedule_token"], slot_id="2026-03-02"
    ),
    "get_buyer_metered_summary": lambda mock: mock.person("buyer").get_buyer_metered_summary(
        plan_type="micro", token_symbol="JPYC"
    ),
    "list_buyer_usage_events": lambda mock: mock.person("buyer").list_buyer_usage_events(
        plan_type="nano", token_symbol="USDC", status="pending_settlement", limit=500
    ),
    "list_buyer_settlement_batches": lambda mock: mock.person(
        "buyer"
    ).list_buyer_settlement_batches(plan_type="micro", status="settled", limit=200),
    "get_provider_metered_summary": lambda mock: mock.person(
        "provider"
    ).get_provider_metered_summary(
        plan_type="micro", token_symbol="JPYC", listing_id="lst_1", capability_key="weather"
    ),
    "list_provider_usage_events": lambda mock: mock.person("provider").list_provider_usage_events(
        listing_id="lst_1", capability_key="weather", status="settled", limit=1
    ),
    "list_provider_settlement_batches": lambda mock: mock.person(
        "provider"
    ).list_provider_settlement_batches(listing_id="lst_1", capability_key="weather", limit=1),
    "get_provider_settlement_batch": lambda mock: mock.person(
        "provider"
    ).get_provider_settlement_batch(batch_id(mock)),
}
MERCHANT_CALLS: dict[str, Call] = {
    "setup_merchant": lambda mock: mock.merchant().setup_merchant(**SHOP),
    "create_checkout_session": session,
    "get_checkout_session": lambda mock: mock.merchant().get_checkout_session(
        session(mock)["session_id"]
    ),
    "get_merchant": lambda mock: mock.merchant().get_merchant("sandbox_merchant"),
    "get_merchant_readiness": lambda mock: mock.merchant().get_merchant_readiness(
        "sandbox_merchant"
    ),
    "rotate_challenge_secret": lambda mock: mock.merchant().rotate_challenge_secret(
        "sandbox_merchant"
    ),
    "prepare_billing_mandate": lambda mock: mock.merchant().prepare_billing_mandate(
        "sandbox_merchant", billing_currency="JPY", max_amount_minor=9_000
    ),
    "create_webhook_subscription": lambda mock: mock.merchant().create_webhook_subscription(
        callback_url="https://shop.example/webhooks", description="orders", metadata={"a": 1}
    ),
    "list_webhook_subscriptions": lambda mock: mock.merchant().list_webhook_subscriptions(),
    "queue_webhook_test_delivery": lambda mock: mock.merchant().queue_webhook_test_delivery(
        event_type="direct_payment.confirmed", data={"readiness_probe": True}
    ),
    "list_webhook_deliveries": lambda mock: mock.merchant().list_webhook_deliveries(
        event_type="direct_payment.confirmed", status="delivered", limit=100
    ),
    "setup_checkout": lambda mock: mock.merchant().setup_checkout(**SHOP),
}
CALLS = BUYER_CALLS | MERCHANT_CALLS


def methods(owner: type) -> set[str]:
    return {
        name
        for name, _ in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_")
    }


def test_no_method_is_forgotten() -> None:
    """Each public method of both classes has its call here, and no call is of another name."""
    assert methods(official.DirectRequestPaymentClient) == set(BUYER_CALLS)
    assert methods(official.DirectRequestPaymentMerchantClient) == set(MERCHANT_CALLS)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_method_works(platform: Platform, name: str) -> None:
    """The method is answered as the official client expects."""
    assert isinstance(CALLS[name](platform), dict | list)


def test_a_shop_is_set_up_whole(platform: Platform) -> None:
    """Account, mandate and webhook in one: the shop is ready, and has its environment."""
    made = platform.merchant().setup_checkout(**SHOP)
    account = made["merchant"]["merchant_account"]
    assert made["merchant"]["created"]
    assert (account["merchant"], account["billing_plan"]) == ("second_shop", "growth")
    assert (account["token_symbol"], account["monthly_fee_minor"]) == ("USDC", 1800)
    assert made["billing_mandate"]["mandate"]["status"] == "active"
    webhook = made["webhook_subscription"]
    assert webhook["event_types"] == ["direct_payment.confirmed", "direct_payment.spent"]
    assert webhook["signing_secret"].endswith(webhook["signing_secret_hint"])
    assert made["env"] == {
        "SIGLUME_DIRECT_PAYMENT_MERCHANT": "second_shop",
        "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET": made["merchant"]["challenge_secret"],
        "SIGLUME_WEBHOOK_SECRET": webhook["signing_secret"],
    }
    readiness = platform.merchant().get_merchant_readiness("second_shop")
    assert (readiness["ready"], readiness["missing_requirements"]) == (True, [])
    origins = account["metadata_jsonb"]["checkout_allowed_origins"]
    assert origins == ["https://shop.example", "http://localhost:3000"]


def test_setting_a_shop_up_again_updates_it(platform: Platform) -> None:
    """The second time nothing is created, and no secret is shown."""
    first = platform.merchant().setup_merchant(**SHOP)
    again = platform.merchant().setup_merchant(**{**SHOP, "billing_plan": "starter"})
    assert (again["created"], again["challenge_secret"]) == (False, None)
    account = again["merchant_account"]
    assert account["merchant_account_id"] == first["merchant_account"]["merchant_account_id"]
    assert account["billing_plan"] == "starter"
    assert "challenge_secret" not in platform.merchant().get_merchant("second_shop")


def test_a_rotated_secret_signs_from_then_on(platform: Platform) -> None:
    """After a rotation the server's challenges are those that the new secret signs."""
    new = platform.merchant().rotate_challenge_secret("sandbox_merchant")["challenge_secret"]
    old = platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]

    def signed(secret: str) -> str:
        made = official.create_direct_request_payment_challenge(**TERMS, nonce="n-1", secret=secret)
        return str(made["challenge_hash"])

    assert session(platform)["challenge_hash"] == signed(new) != signed(old)


def test_deliveries_are_listed(platform: Platform) -> None:
    """What was delivered is listed newest first, and filtered as asked."""
    merchant = platform.merchant()
    (subscription,) = merchant.list_webhook_subscriptions()
    assert "signing_secret" not in subscription
    for number in (1, 2):
        queued = merchant.queue_webhook_test_delivery(
            event_type="direct_payment.confirmed",
            data={"number": number},
            subscription_ids=[subscription["subscription_id"]],
        )
        assert (queued["delivery_status"], queued["response_status"]) == ("delivered", 200)
    platform.receiver.status = 500
    failed = merchant.queue_webhook_test_delivery(event_type="direct_payment.confirmed")
    assert (failed["delivery_status"], failed["response_status"]) == ("failed", 500)

    newest = merchant.list_webhook_deliveries(limit=1)
    assert [one["event_id"] for one in newest] == [failed["event"]["id"]]
    delivered = merchant.list_webhook_deliveries(
        subscription_id=subscription["subscription_id"], status="delivered"
    )
    sent = [one.event for one in platform.receiver.got]
    assert [one["event_id"] for one in delivered] == [sent[1]["id"], sent[0]["id"]]
    assert [one["data"]["number"] for one in sent[:2]] == [1, 2]
    assert merchant.list_webhook_deliveries(event_type="direct_payment.spent") == []
