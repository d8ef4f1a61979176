"""Answers are of the types that the official client declares, field by field."""

from collections.abc import Callable
from typing import Any, TypedDict, get_type_hints

import msgspec
import pytest
import siglume_direct_request_payment as official

from tests.official.conftest import Platform
from tests.official.test_methods import CALLS, SHOP, session

pytestmark = pytest.mark.official

Execution: Any = TypedDict(
    "Execution",
    {
        **get_type_hints(official.ScheduledAutoPayExecutionResponse),
        "authorization": official.ScheduledAutoPayAuthorizationResponse,  # declared or any object
    },
)


def settle(platform: Platform) -> None:
    for amount_minor in (100, 20):
        platform.driver.usage(
            "sandbox_buyer",
            merchant="sandbox_merchant",
            amount_minor=amount_minor,
            currency="JPY",
            count=3,
        )
        platform.driver.clock.advance(until="batch.settled")


def block(platform: Platform) -> None:
    platform.driver.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY"
    )
    platform.driver.buyers.update("sandbox_buyer", allowances={"JPYC": "0"})
    platform.driver.clock.advance(until="debit.failed")


def accrue(platform: Platform) -> None:
    platform.driver.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=30, currency="USD"
    )


def whole_summary(platform: Platform, role: str) -> Any:
    settle(platform)
    block(platform)
    accrue(platform)
    person = platform.person(role)
    return (
        person.get_buyer_metered_summary()
        if role == "buyer"
        else person.get_provider_metered_summary()
    )


def delivered(platform: Platform) -> Any:
    merchant = platform.merchant()
    merchant.queue_webhook_test_delivery(event_type="direct_payment.confirmed")
    return merchant.list_webhook_deliveries()[0]


def batches(platform: Platform) -> Any:
    settle(platform)
    block(platform)
    return platform.person("provider").list_provider_settlement_batches()


ANSWERS: dict[str, tuple[Any, Callable[[Platform], Any]]] = {
    "checkout session": (
        official.HostedCheckoutSession,
        lambda mock: mock.merchant().get_checkout_session(session(mock)["session_id"]),
    ),
    "merchant": (
        official.DirectRequestPaymentMerchantResponse,
        lambda mock: mock.merchant().setup_merchant(**SHOP),
    ),
    "subscription": (
        official.DirectRequestPaymentWebhookSubscription,
        lambda mock: mock.merchant().create_webhook_subscription(
            callback_url="https://shop.example/webhooks"
        ),
    ),
    "renewed subscription": (
        official.DirectPaymentSubscriptionResponse,
        CALLS["create_subscription"],
    ),
    "scheduled authorization": (
        official.ScheduledAutoPayAuthorizationResponse,
        CALLS["create_scheduled_auto_pay_authorization"],
    ),
    "scheduled execution": (
        Execution,
        CALLS["execute_scheduled_auto_pay"],
    ),
    "delivery": (official.DirectRequestPaymentWebhookDelivery, delivered),
    "batch": (
        official.DirectRequestPaymentSettlementBatch,
        lambda mock: batches(mock)["items"][0],
    ),
    "list": (official.DirectRequestPaymentListResponse, batches),
    "buyer summary": (
        official.DirectRequestPaymentBuyerMeteredSummary,
        lambda mock: whole_summary(mock, "buyer"),
    ),
    "provider summary": (
        official.DirectRequestPaymentProviderMeteredSummary,
        lambda mock: whole_summary(mock, "provider"),
    ),
    "open period": (
        official.DirectRequestPaymentMeteredOpenPeriod,
        lambda mock: whole_summary(mock, "provider")["open_periods"][0],
    ),
    "past-due block": (
        official.DirectRequestPaymentPastDueBlock,
        lambda mock: whole_summary(mock, "buyer")["past_due_blocks"][0],
    ),
    "totals": (
        official.DirectRequestPaymentProviderMeteredTotals,
        lambda mock: whole_summary(mock, "provider")["totals"],
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_of_its_declared_type(platform: Platform, name: str) -> None:
    """Every declared field is there, and everything in it is of the declared type."""
    declared, ask = ANSWERS[name]
    answer = ask(platform)
    assert set(get_type_hints(declared)) <= set(answer)
    msgspec.convert(answer, declared)
