"""The routes that write money, each with a call that can be sent again: it has one effect."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import httpx

from settlekit.challenge import sign, sign_recurring
from settlekit.testing.transports import WsgiTransport
from settlekit_mock import MockServer
from settlekit_mock.payments.tables import merchant_named
from tests.settlekit_mock.control.conftest import SHOP

PAYMENTS: Final = "/v1/sdrp/direct-payments"
EXECUTE: Final = "/v1/market/api-store/scheduled-auto-pay/execute"
_FIRST: Final = b'"idempotent_replay":false'
TERMS: Final[dict[str, Any]] = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY"}


class Call(NamedTuple):
    """One call of a route."""

    path: str
    token: str
    body: dict[str, Any]


def send(mock: MockServer, call: Call) -> httpx.Response:
    """Send a call to a mock in process."""
    with httpx.Client(transport=WsgiTransport(mock.app), base_url="http://localhost") as http:
        bearer = {"Authorization": f"Bearer {call.token}"}
        return http.post(call.path, json=call.body, headers=bearer)


def said(answer: httpx.Response) -> bytes:
    """Return the bytes of an answer, without its call's ids and whether it is a replay."""
    assert answer.status_code in (200, 201), answer.text
    whole = answer.content.split(b'"meta"')[0]
    return whole.replace(b'"idempotent_replay":true', _FIRST)


def asked(mock: MockServer, call: Call) -> dict[str, Any]:
    """Send a call that must be answered, and return its data."""
    answer = send(mock, call)
    assert answer.status_code in (200, 201), answer.text
    body: dict[str, Any] = answer.json()
    return body.get("data", body)


def _secret(mock: MockServer) -> str:
    with mock.world.snapshot() as connection:
        found = merchant_named(connection, SHOP)
    assert found is not None
    return found.challenge_secret


def open_session(mock: MockServer) -> Call:
    """Open a checkout session; its nonce is its key."""
    urls = {"success_url": "http://localhost:3000/ok", "cancel_url": "http://localhost:3000/no"}
    body = {**TERMS, "nonce": "n1", **urls}
    return Call(f"{PAYMENTS}/checkout-sessions", mock.token("merchant"), body)


def confirm_session(mock: MockServer) -> Call:
    """Pay a session; the session is its key."""
    session_id = asked(mock, open_session(mock))["session_id"]
    return Call(f"/v1/sandbox/checkout-sessions/{session_id}/confirm", "none", {})


def ask_requirement(mock: MockServer) -> Call:
    """Ask for a requirement; its challenge is its key."""
    challenge = sign(secret=_secret(mock), nonce="n2", **TERMS)
    body = {**TERMS, "mode": "external_402", "challenge": challenge}
    return Call(f"{PAYMENTS}/requirements", mock.token("buyer"), body)


def pay_requirement(mock: MockServer) -> Call:
    """Pay a requirement; the requirement is its key."""
    made = asked(mock, ask_requirement(mock))
    body = {
        "transaction_request": made["transaction_request"],
        "receipt_kind": "sdrp_direct_payment",
        "reference_type": "sdrp_direct_payment_requirement",
        "reference_id": made["id"],
        "metadata": made["transaction_request"]["metadata_jsonb"],
        "await_finality": True,
    }
    return Call("/v1/market/web3/transactions/execute-prepared", mock.token("buyer"), body)


def run_capability(mock: MockServer) -> Call:
    """Run a paid capability under an idempotency key."""
    body = {
        "listing_id": mock.merchants.get(SHOP).listing_id,
        "operation_key": "draw",
        "amount_minor": 100,
        "currency": "JPY",
        "idempotency_key": "k1",
        "input": {"of": "a cat"},
    }
    return Call("/v1/market/capabilities/pictures/execute", mock.token("buyer"), body)


def subscribe(mock: MockServer) -> Call:
    """Begin a subscription; its challenge is its key."""
    challenge = sign_recurring(secret=_secret(mock), nonce="n3", cadence="monthly", **TERMS)
    body = {**TERMS, "challenge": challenge}
    return Call(f"{PAYMENTS}/subscriptions", mock.token("buyer"), body)


def authorize(mock: MockServer, **approved: Any) -> dict[str, Any]:
    """Approve runs ahead, and return the authorization with its token."""
    challenge = sign_recurring(secret=_secret(mock), nonce="n4", cadence="daily", **TERMS)
    body = {**TERMS, "mode": "external_402", "challenge": challenge, **approved}
    path = "/v1/account/auto-pay/scheduled-authorizations"
    return asked(mock, Call(path, mock.token("buyer"), body))


def run_slot(mock: MockServer) -> Call:
    """Charge a slot of a scheduled authorization; the slot is its key."""
    return Call(EXECUTE, authorize(mock)["schedule_token"], {"slot_id": "s1"})


def adjust_wallet(mock: MockServer) -> Call:
    """Credit a wallet under an idempotency key."""
    with mock.world.snapshot() as connection:
        wallet = connection.exec_driver_sql(
            "SELECT account_id FROM ledger_accounts WHERE kind = 'wallet' "
            "AND currency = 'USD' ORDER BY 1"
        ).scalar()
    body = {
        "kind": "adjustment",
        "direction": "credit",
        "amount": "1.5",
        "currency": "USD",
        "idempotency_key": "k2",
    }
    return Call(f"/v1/admin/wallets/{wallet}/adjustments", mock.token("admin"), body)


def record_use(mock: MockServer) -> Call:
    """Record the use of a model; its request id is its key."""
    body = {
        "request_id": "req_1",
        "public_app_id": "app_1",
        "developer_id": mock.merchants.get(SHOP).merchant_account.merchant_user_id,
        "buyer_id": "sandbox_buyer",
        "feature_key": "chat",
        "route_mode": "byok",
        "provider": "a_provider",
        "model": "a_model",
        "fee_usd": "0.07",
    }
    return Call("/v1/admin/usage", mock.token("admin"), body)


WRITES: Final[Mapping[str, Callable[[MockServer], Call]]] = MappingProxyType(
    {
        prepare.__name__: prepare
        for prepare in (
            open_session,
            confirm_session,
            ask_requirement,
            pay_requirement,
            run_capability,
            subscribe,
            run_slot,
            adjust_wallet,
            record_use,
        )
    }
)
"""What makes the call of a route, and what must be there before it."""
