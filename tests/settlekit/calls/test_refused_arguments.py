"""Arguments of every method, refused before anything is sent."""

import inspect
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from settlekit import Client, InvalidArgument, challenge
from settlekit.testing import golden
from tests.settlekit.golden.calling import ORIGIN, bound, positional, requirement

NOBODY: Any = object()
ONE_TIME = challenge.sign(
    secret="s", merchant="paper_shop", amount_minor=5, currency="JPY", nonce="n"
)
RECURRING = challenge.sign_recurring(
    secret="s", merchant="paper_shop", amount_minor=5, currency="JPY", cadence="daily", nonce="n"
)

#: A method, the argument that is wrong, and its value; ids are positional.
WRONG: list[tuple[str, str, Any]] = [
    *(
        ("merchants.set_up", field, value)
        for field, values in {
            "merchant": ["", "ab", "paper.shop", "Päper", "-shop", "x" * 65, None, 5],
            "billing_plan": ["", "gold", None],
            "billing_currency": ["EUR", "", None],
            "display_name": [""],
            "allowed_currencies": [[], {}, "JPY", ["EUR"], {"JPY": "USDC"}, {"JPY": ""}],
            "webhook_callback_url": ["http://shop.example/x", "shop", "https://u:p@shop.example/"],
            "billing_mandate_cap_minor": [0, -1, True, "5", 2**53, 1.0],
            "max_amount_minor": [0, True, 2**53],
            "checkout_allowed_origins": [
                "https://shop.example",
                ["shop.example"],
                ["http://shop.example"],
                ["https://shop.example/path"],
                ["https://shop.example/?q"],
                ["https://shop.example#f"],
                ["https://u@shop.example"],
                ["https://shop.example:port"],
                [""],
                [None],
            ],
            "standard_terms_accepted": ["yes", 1],
            "terms_version": [" "],
            "sandbox_confirmed": [0],
            "sandbox_session_id": [""],
            "merchant_responsibility_attested": ["true"],
            "responsibility_attestation_version": [""],
            "live_mode_requested": [1],
        }.items()
        for value in values
    ),
    ("merchants.get", "merchant", "no/shop"),
    ("merchants.readiness", "merchant", ""),
    ("merchants.rotate_challenge_secret", "merchant", ".."),
    ("merchants.prepare_billing_mandate", "merchant", "?"),
    ("merchants.prepare_billing_mandate", "billing_currency", "GBP"),
    ("merchants.prepare_billing_mandate", "max_amount_minor", 0),
    ("checkout_sessions.create", "merchant", "paper.shop"),
    ("checkout_sessions.create", "nonce", "a:b"),
    ("payment_requirements.create", "merchant", "Päper"),
    ("payment_requirements.create", "amount_minor", 0),
    ("payment_requirements.create", "currency", "EUR"),
    ("payment_requirements.create", "challenge", " "),
    ("payment_requirements.create", "challenge", RECURRING),
    ("payment_requirements.create", "token_symbol", "BTC"),
    ("payment_requirements.create", "allowance_amount_minor", -5),
    ("payment_requirements.create", "metadata", {"x": float("nan")}),
    ("payment_requirements.get", "requirement_id", ""),
    ("payment_requirements.verify", "requirement_id", "."),
    ("payment_requirements.verify", "await_timeout_seconds", 0),
    ("payment_requirements.verify", "await_poll_seconds", True),
    ("payment_requirements.verify", "await_required_status", "Done!"),
    ("payment_requirements.verify", "await_finality", "yes"),
    ("payment_requirements.verify", "receipt_id", ""),
    ("payment_requirements.execute", "metadata", [1]),
    ("payment_requirements.execute", "await_finality", "no"),
    ("payment_requirements.execute", "requirement", requirement(transaction_request=None)),
    (
        "payment_requirements.execute_allowance",
        "requirement",
        requirement(approve_transaction_request=None),
    ),
    ("capabilities.execute", "capability_key", ""),
    ("capabilities.execute", "listing_id", ""),
    ("capabilities.execute", "operation_key", " "),
    ("capabilities.execute", "amount_minor", 1.5),
    ("capabilities.execute", "currency", "usd!"),
    ("capabilities.execute", "idempotency_key", "x" * 129),
    ("capabilities.execute", "idempotency_key", ""),
    ("capabilities.execute", "input", "text"),
    ("subscriptions.create", "challenge", ONE_TIME),
    ("subscriptions.create", "cadence", "daily"),
    ("subscriptions.create", "amount_minor", None),
    ("subscriptions.create", "user_signing", "no"),
    ("scheduled_payments.authorize", "challenge", ONE_TIME),
    ("scheduled_payments.authorize", "max_runs", 0),
    ("scheduled_payments.authorize", "max_amount_minor", "5"),
    ("scheduled_payments.authorize", "cadence", ""),
    ("scheduled_payments.authorize", "cadence", {"unit": NOBODY}),
    ("scheduled_payments.authorize", "cadence_limit", {"max_runs_per_year": 1}),
    ("scheduled_payments.authorize", "cadence_limit", {"max_runs_per_day": 0}),
    ("scheduled_payments.authorize", "cadence_limit", {5: 1}),
    ("scheduled_payments.authorize", "cadence_limit", "daily"),
    ("scheduled_payments.authorize", "cadence_limit", 5),
    ("scheduled_payments.authorize", "expires_at", "tomorrow"),
    ("scheduled_payments.authorize", "buyer_token", "EUR"),
    ("scheduled_payments.execute", "slot_id", ""),
    ("scheduled_payments.execute", "schedule_token", ""),
    ("scheduled_payments.execute", "schedule_token", "cli_x"),
    ("scheduled_payments.execute", "schedule_token", "a\nb"),
    ("scheduled_payments.execute", "scheduled_for", "2026-01-01"),
    ("scheduled_payments.execute", "arguments", "text"),
    ("scheduled_payments.revoke", "authorization_id", ""),
    ("webhook_endpoints.create", "callback_url", "http://shop.example/"),
    ("webhook_endpoints.create", "event_types", "direct_payment.confirmed"),
    ("webhook_endpoints.create", "event_types", []),
    ("webhook_endpoints.create", "event_types", [""]),
    ("webhook_endpoints.rotate_secret", "subscription_id", ""),
    ("webhook_endpoints.send_test", "event_type", ""),
    ("webhook_endpoints.send_test", "subscription_ids", [" "]),
    ("webhook_endpoints.deliveries", "limit", 101),
    ("webhook_endpoints.deliveries", "status", "Not a state"),
    ("webhook_endpoints.redeliver", "delivery_id", ".."),
    ("buyer_statements.usage_events", "plan_type", "standard"),
    ("buyer_statements.usage_events", "limit", 501),
    ("provider_statements.settlement_batches", "limit", 201),
    ("provider_statements.settlement_batches", "status", ""),
    ("operations.adjust_wallet", "kind", "gift"),
    ("operations.adjust_wallet", "kind", None),
    ("operations.adjust_wallet", "direction", None),
    ("operations.adjust_wallet", "direction", "up"),
    ("operations.adjust_wallet", "amount_usd", "0"),
    ("operations.adjust_wallet", "amount_usd", "0.000000001"),
    ("operations.adjust_wallet", "amount_usd", None),
    ("operations.adjust_wallet", "currency", "USD"),
    ("operations.adjust_wallet", "reason", "x" * 1001),
    ("operations.adjust_wallet", "idempotency_key", "x" * 129),
    ("operations.credit_test_balance", "wallet_id", ""),
    ("operations.set_balance", "balance_cents", 1.5),
    ("operations.set_balance", "balance_cents", True),
    ("operations.set_balance", "admin_secret", " "),
    ("operations.billing", "sid", ".."),
    ("operations.record_usage", "route_mode", "cloud"),
    ("operations.record_usage", "route_mode", None),
    ("operations.record_usage", "input_tokens", -1),
    ("operations.record_usage", "share_bps", 10_001),
    ("operations.record_usage", "markup_percent", "-1"),
    ("operations.record_usage", "request_id", ""),
    ("operations.release_hold", "note", " "),
    ("operations.cancel_payout", "reason", "x" * 1001),
    ("operations.payouts", "limit", 0),
    ("operations.usage_report", "from_", "yesterday"),
    ("operations.revenue_report", "currency", "EUR"),
    ("top_ups.create", "amount_usd", "5.001"),
    ("top_ups.create", "amount_usd", None),
    ("top_ups.create", "success_url", "/ok"),
]


def refuse(_: httpx.Request) -> httpx.Response:
    raise AssertionError("it left")


@contextmanager
def asking_nobody() -> Generator[Client, None, None]:
    with (
        httpx.Client(transport=httpx.MockTransport(refuse)) as http,
        Client(token="tok", base_url=f"{ORIGIN}/v1", http=http) as client,
    ):
        yield client


def ask(name: str, field: str, value: Any) -> None:
    """Call a method as its golden file says, but for one argument."""
    file = golden.load(name)
    with asking_nobody() as client:
        method = bound(client, name)
        given = inspect.signature(method).bind(*positional(file), **file.call.kwargs)
        given.arguments[field] = value
        method(*given.args, **given.kwargs)


@pytest.mark.parametrize(("name", "field", "value"), WRONG)
def test_nothing_leaves_with_a_bad_argument(name: str, field: str, value: Any) -> None:
    """A ValueError names the argument, and no request is made."""
    with pytest.raises(InvalidArgument) as caught:
        ask(name, field, value)
    assert caught.value.field.partition(".")[0] == field


@pytest.mark.parametrize(
    ("name", "given", "refused"),
    [
        (
            "merchants.set_up",
            {"merchant": "shop", "standard_terms_accepted": True, "terms_accepted": False},
            "terms_accepted contradicts standard_terms_accepted",
        ),
        (
            "merchants.set_up_checkout",
            {"merchant": "shop", "max_amount_minor": 5, "billing_mandate_cap_minor": 6},
            "billing_mandate_cap_minor contradicts max_amount_minor",
        ),
        (
            "merchants.prepare_billing_mandate",
            {"merchant": "shop", "currency": "JPY", "billing_currency": "USD"},
            "billing_currency contradicts currency",
        ),
    ],
)
def test_two_names_of_one_thing_must_agree(name: str, given: dict[str, Any], refused: str) -> None:
    """Neither wins over the other: what contradicts itself is refused by both names."""
    with asking_nobody() as client, pytest.raises(InvalidArgument, match=refused):
        bound(client, name)(**given)


def test_two_names_that_say_the_same_are_sent() -> None:
    """Once normalised: who gives both, as other clients do, is understood."""
    asked = {"merchant": "shop", "terms_accepted": True, "standard_terms_accepted": True}
    with asking_nobody() as client, pytest.raises(AssertionError, match="it left"):
        client.merchants.set_up(**asked, max_amount_minor=5, billing_mandate_cap_minor=5)
    with asking_nobody() as client, pytest.raises(AssertionError, match="it left"):
        client.merchants.prepare_billing_mandate("shop", currency="jpy", billing_currency="JPY")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("currency", {"threshold": "1"}),
        ("threshold_usd", {"threshold_usd": "1", "currency": "USD"}),
        ("threshold_usd", {"threshold_usd": "1", "threshold": "1", "currency": "USD"}),
    ],
)
def test_a_threshold_says_its_currency_once(field: str, given: dict[str, Any]) -> None:
    """A bare threshold needs its currency, and one in US dollars takes none."""
    with asking_nobody() as client, pytest.raises(InvalidArgument) as caught:
        client.operations.run_payouts(**given)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("path", {"path": "/\ud800"}),
        ("query", {"query": {"a": "\ud800"}}),
        ("query", {"query": {"\ud800": "a"}}),
        ("headers", {"headers": {"X-Shop": "a\r\nX-Evil: b"}}),
        ("headers", {"headers": {"X-Shop\r\nX-Evil": "a"}}),
        ("headers", {"headers": {"X-Shop": None}}),
        ("url", {"query": {"a": "x" * 70_000}}),
    ],
)
def test_a_call_of_ones_own_is_refused_before_it_leaves(field: str, given: dict[str, Any]) -> None:
    """What can't be a request to a path raises InvalidArgument, and not what the network raises."""
    asked: dict[str, Any] = {"path": "/things", **given}
    with asking_nobody() as client, pytest.raises(InvalidArgument) as caught:
        client.request("GET", **asked)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "instant",
    [
        5,
        True,
        date(2026, 1, 1),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=23))),
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
    ],
)
def test_an_instant_is_one_of_utc(instant: Any) -> None:
    """What is no instant, or none that UTC can write, is refused by the name of its field."""
    with asking_nobody() as client, pytest.raises(InvalidArgument) as caught:
        client.operations.audit(from_=instant)
    assert caught.value.field == "from_"
