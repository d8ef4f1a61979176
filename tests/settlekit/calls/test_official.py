"""What leaves for an argument is what the platform's own client sends, or nothing at all."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import siglume_direct_request_payment as official

from settlekit import Client, InvalidArgument
from settlekit.testing import golden
from tests.settlekit.golden.calling import ORIGIN, bound, positional

pytestmark = pytest.mark.official

#: Our method, theirs, and our arguments that theirs doesn't take.
SAME: list[tuple[str, str, set[str]]] = [
    ("merchants.set_up", "setup_merchant", set()),
    ("merchants.get", "get_merchant", set()),
    ("merchants.readiness", "get_merchant_readiness", set()),
    ("merchants.prepare_billing_mandate", "prepare_billing_mandate", set()),
    ("checkout_sessions.create", "create_checkout_session", set()),
    ("checkout_sessions.get", "get_checkout_session", set()),
    ("webhook_endpoints.create", "create_webhook_subscription", set()),
    ("webhook_endpoints.list", "list_webhook_subscriptions", set()),
    ("webhook_endpoints.send_test", "queue_webhook_test_delivery", set()),
    ("webhook_endpoints.deliveries", "list_webhook_deliveries", set()),
    ("payment_requirements.create", "create_payment_requirement", set()),
    ("payment_requirements.get", "get_payment_requirement", set()),
    ("payment_requirements.verify", "verify_payment_requirement", set()),
    ("payment_requirements.execute", "execute_payment_transaction", set()),
    ("payment_requirements.execute_allowance", "execute_allowance_transaction", set()),
    ("subscriptions.create", "create_subscription", {"token_symbol"}),
    ("scheduled_payments.revoke", "revoke_scheduled_auto_pay_authorization", set()),
    ("buyer_statements.summary", "get_buyer_metered_summary", set()),
    ("buyer_statements.usage_events", "list_buyer_usage_events", set()),
    ("buyer_statements.settlement_batches", "list_buyer_settlement_batches", set()),
    ("provider_statements.summary", "get_provider_metered_summary", set()),
    ("provider_statements.usage_events", "list_provider_usage_events", set()),
    ("provider_statements.settlement_batches", "list_provider_settlement_batches", set()),
    ("provider_statements.settlement_batch", "get_provider_settlement_batch", set()),
]


class Kept(Exception):
    """A request left."""

    def __init__(self, request: httpx.Request) -> None:
        super().__init__(request)
        body = json.loads(request.content or b"{}")
        query = sorted(request.url.params.multi_items())
        self.sent = (request.method, request.url.path, query, body)


def keep(request: httpx.Request) -> httpx.Response:
    raise Kept(request)


def ours(call: Callable[[Client], Any]) -> Any:
    """Return what a method of ours sends."""
    with (
        httpx.Client(transport=httpx.MockTransport(keep)) as http,
        Client(token="tok", base_url=f"{ORIGIN}/v1", http=http) as client,
        pytest.raises(Kept) as kept,
    ):
        call(client)
    return kept.value.sent


def theirs(method: str, *args: Any, **kwargs: Any) -> Any:
    """Return what a method of theirs sends."""
    merchant = hasattr(official.DirectRequestPaymentMerchantClient, method)
    kind: Any = (
        official.DirectRequestPaymentMerchantClient
        if merchant
        else official.DirectRequestPaymentClient
    )
    with httpx.Client(transport=httpx.MockTransport(keep)) as http:
        made = kind(auth_token="tok", base_url=f"{ORIGIN}/v1", client=http)
        with pytest.raises(Kept) as kept:
            getattr(made, method)(*args, **kwargs)
    return kept.value.sent


@pytest.mark.parametrize(("name", "method", "beside"), SAME)
def test_the_same_leaves(name: str, method: str, beside: set[str]) -> None:
    """For the same arguments both clients send the same request."""
    file = golden.load(name)
    shared = {key: value for key, value in file.call.kwargs.items() if key not in beside}
    args = positional(file)
    plain = [value.to_dict() if hasattr(value, "to_dict") else value for value in args]
    assert ours(lambda client: bound(client, name)(*args, **shared)) == theirs(
        method, *plain, **shared
    )


def test_the_same_authorization_leaves() -> None:
    """Scheduled payments too, whose cadences and limits are objects."""
    kwargs = golden.load("scheduled_payments.authorize").call.kwargs
    sent = ours(lambda client: client.scheduled_payments.authorize(**kwargs))
    method = "create_scheduled_auto_pay_authorization"
    assert sent == theirs(method, mode="external_402", **kwargs)


def test_the_same_order_leaves() -> None:
    """A run's order, with its slot and input."""
    file = golden.load("scheduled_payments.execute")
    sent = ours(
        lambda client: client.scheduled_payments.execute(*file.call.args, **file.call.kwargs)
    )
    [slot_id] = file.call.args
    assert sent == theirs("execute_scheduled_auto_pay", slot_id=slot_id, **file.call.kwargs)


def test_the_same_labels_leave() -> None:
    """One batch too may be asked for under a listing and a capability."""
    labels = {"listing_id": "lst_1", "capability_key": "weather"}
    sent = ours(lambda client: client.provider_statements.settlement_batch("msb_1", **labels))
    assert sent == theirs("get_provider_settlement_batch", "msb_1", **labels)


def parameters(method: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(method).parameters) - {"self"}


@pytest.mark.parametrize(("name", "method", "beside"), SAME)
def test_every_argument_of_theirs_is_taken(name: str, method: str, beside: set[str]) -> None:
    """What their method takes, ours takes under the same name."""
    kinds = (official.DirectRequestPaymentClient, official.DirectRequestPaymentMerchantClient)
    [their] = [getattr(kind, method) for kind in kinds if hasattr(kind, method)]
    with Client(token="tok", base_url=ORIGIN) as client:
        assert parameters(their) - parameters(bound(client, name)) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"checkout_allowed_origins": ["https://Shop.Example:443/", "https://shop.example"]},
        {"checkout_allowed_origins": ["http://LOCALHOST:80", "http://[::1]:3000"]},
        {"allowed_currencies": ["jpy", "USD "]},
        {"allowed_currencies": {"jpy": "jpyc"}},
        {"merchant": " Paper_Shop "},
        {"billing_plan": " Free "},
        {"billing_currency": "usd"},
    ],
)
def test_normal_forms_are_the_same(changes: dict[str, Any]) -> None:
    """Origins, currencies, keys and plans are brought to the same form."""
    asked = {"merchant": "paper_shop", **changes}
    assert ours(lambda client: client.merchants.set_up(**asked)) == theirs(
        "setup_merchant", **asked
    )


@pytest.mark.parametrize(
    ("method", "name", "asked"),
    [
        ("setup_merchant", "set_up", {"merchant": merchant})
        for merchant in ("ab", "x" * 65, "paper.shop", "-shop", "shop!", "")
    ]
    + [
        ("setup_merchant", "set_up", {"merchant": "paper_shop", field: value})
        for field, value in [
            ("billing_plan", "gold"),
            ("billing_currency", "EUR"),
            ("allowed_currencies", []),
            ("webhook_callback_url", "http://shop.example"),
            ("webhook_callback_url", "https://u:p@shop.example"),
            ("max_amount_minor", 0),
            ("max_amount_minor", True),
            ("max_amount_minor", 2**53),
            ("checkout_allowed_origins", ["http://shop.example"]),
            ("checkout_allowed_origins", ["https://u@shop.example"]),
            ("checkout_allowed_origins", ["https://shop.example:port"]),
            ("checkout_allowed_origins", "https://shop.example"),
            ("terms_version", " "),
        ]
    ],
)
def test_what_they_refuse_is_refused(method: str, name: str, asked: dict[str, Any]) -> None:
    """Nothing leaves for what the platform's own client doesn't send."""
    merchant = official.DirectRequestPaymentMerchantClient(auth_token="tok", base_url=ORIGIN)
    with pytest.raises(official.DirectRequestPaymentError):
        getattr(merchant, method)(**asked)
    with Client(token="tok", base_url=ORIGIN) as client, pytest.raises(InvalidArgument):
        getattr(client.merchants, name)(**asked)
