"""Calls that are safe to repeat, one for each of the mock's keys, and what is there when one held."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import text
from werkzeug.test import Client, TestResponse

from settlekit.challenge import sign, sign_recurring
from settlekit_mock import MockServer
from settlekit_mock.seeding import BUYER, BUYER_TOKEN, MERCHANT_TOKEN
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome

SHOP = "sandbox_merchant"
ADMIN_TOKEN = "sandbox_admin_token"
PAYMENTS = "/v1/sdrp/direct-payments"
TERMS: dict[str, Any] = {"merchant": SHOP, "amount_minor": 600, "currency": "JPY"}
PAGES = {"success_url": "http://localhost:3000/ok", "cancel_url": "http://localhost:3000/no"}
ENDPOINT = "https://shop.localhost/webhooks"
Call = Callable[[], TestResponse]


class Site:
    """A mock with a shop that is told of everything, and callers of each role."""

    def __init__(self, mock: MockServer) -> None:
        self.mock = mock
        self.http = Client(mock.app)
        self.arrived: list[str] = []
        mounts_of(mock.world).mount(ENDPOINT, self._receive)
        mock.merchants.update(SHOP, webhook_url=ENDPOINT)
        path = f"{PAYMENTS}/merchants/{SHOP}/challenge-secret/rotate"
        self.secret: str = self.data(self.post(path, MERCHANT_TOKEN))["challenge_secret"]
        self.listing_id = mock.merchants.get(SHOP).listing_id
        self.schedule_token: str = ""
        self.customer = self.wallet("end_user")

    def _receive(self, _url: str, _headers: object, body: bytes) -> Outcome:
        self.arrived.append(json.loads(body)["id"])
        return Outcome(204)

    def post(self, path: str, token: str, **body: object) -> TestResponse:
        return self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, token: str) -> TestResponse:
        return self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    def data(self, answer: TestResponse) -> Any:
        assert answer.status_code < 300, answer.text
        assert answer.json is not None
        return answer.json.get("data", answer.json)

    def count(self, rows: str) -> int:
        """Count rows: a table's, or of those where something holds."""
        with self.mock.world.snapshot() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {rows}")).scalar_one()
        return found

    def wallet(self, scope: str) -> str:
        items = self.data(self.get("/v1/admin/reconciliation/ledger", ADMIN_TOKEN))["items"]
        return str(next(one for one in items if one["owner_scope"] == scope)["wallet_id"])

    def balanced(self) -> bool:
        """Say whether every wallet is the sum of its entries."""
        told = self.data(self.get("/v1/admin/reconciliation/ledger", ADMIN_TOKEN))["summary"]
        return bool(told["mismatch_count"] == 0 < told["balanced_count"])

    def told_once(self) -> bool:
        """Say whether each event has arrived, and was written down as delivered once."""
        delivered = [entry.data["event_id"] for entry in self.mock.events(kind="webhook.delivered")]
        waiting = self.count("webhook_deliveries WHERE delivery_status <> 'delivered'")
        once = len(delivered) == len(set(delivered)) and set(delivered) == set(self.arrived)
        return once and waiting == 0


class Deed(NamedTuple):
    """A call with a key of its own: what leads to it, and where its effect is counted."""

    name: str
    prepare: Callable[[Site, int], Call]
    effects: str


def _adjust(site: Site, number: int) -> Call:
    path = f"/v1/admin/wallets/{site.customer}/adjustments"
    body = {"kind": "refund", "direction": "debit", "amount_usd": "0.01"}
    return lambda: site.post(path, ADMIN_TOKEN, **body, idempotency_key=f"k-{number}")


def _open(site: Site, number: int) -> Call:
    body = {**TERMS, **PAGES, "nonce": f"order-{number}"}
    return lambda: site.post(f"{PAYMENTS}/checkout-sessions", MERCHANT_TOKEN, **body)


def _confirm(site: Site, number: int) -> Call:
    session = site.data(_open(site, number)())["session_id"]
    return lambda: site.post(f"/sandbox/checkout-sessions/{session}/confirm", "nobody")


def _require(site: Site, number: int) -> Call:
    challenge = sign(secret=site.secret, nonce=f"order-{number}", **TERMS)
    body = {**TERMS, "mode": "external_402", "challenge": challenge}
    return lambda: site.post(f"{PAYMENTS}/requirements", BUYER_TOKEN, **body)


def _run_capability(site: Site, number: int) -> Call:
    body = {
        "listing_id": site.listing_id,
        "operation_key": "forecast",
        "amount_minor": 60,
        "currency": "JPY",
        "idempotency_key": f"job-{number}",
        "input": {},
    }
    return lambda: site.post("/v1/market/capabilities/weather/execute", BUYER_TOKEN, **body)


def _subscribe(site: Site, number: int) -> Call:
    challenge = sign_recurring(
        secret=site.secret, cadence="monthly", nonce=f"plan-{number}", **TERMS
    )
    body = {**TERMS, "challenge": challenge}
    return lambda: site.post(f"{PAYMENTS}/subscriptions", BUYER_TOKEN, **body)


def _run_slot(site: Site, number: int) -> Call:
    if not site.schedule_token:
        challenge = sign_recurring(secret=site.secret, cadence="daily", nonce="plan", **TERMS)
        path = "/v1/account/auto-pay/scheduled-authorizations"
        body = {**TERMS, "mode": "external_402", "challenge": challenge}
        site.schedule_token = site.data(site.post(path, BUYER_TOKEN, **body))["schedule_token"]
    path = "/v1/market/api-store/scheduled-auto-pay/execute"
    return lambda: site.post(path, site.schedule_token, slot_id=f"slot-{number}")


def _record_use(site: Site, number: int) -> Call:
    body = {
        "request_id": f"req_{number}",
        "public_app_id": "app_1",
        "feature_key": "chat",
        "route_mode": "byok",
        "provider": "a_provider",
        "model": "a-model",
        "fee_usd": "0.01",
        "buyer_id": BUYER,
    }
    return lambda: site.post("/v1/admin/usage", ADMIN_TOKEN, **body)


def _mark_paid(site: Site, _number: int) -> Call:
    path = f"/v1/admin/wallets/{site.wallet('developer')}/adjustments"
    body = {"kind": "adjustment", "direction": "credit", "amount": "5", "currency": "JPY"}
    site.data(site.post(path, ADMIN_TOKEN, **body))
    path = "/v1/admin/payouts/run-mock"
    run = site.data(site.post(path, ADMIN_TOKEN, threshold="1", currency="JPY"))
    path = f"/v1/admin/payouts/{run['items'][0]['id']}"
    site.data(site.post(f"{path}/approve", ADMIN_TOKEN))
    return lambda: site.post(f"{path}/mark-paid", ADMIN_TOKEN)


def _top_up(site: Site, number: int) -> Call:
    pages = {"success_url": "https://a.example/", "cancel_url": "https://a.example/"}
    path = "/v1/user/stripe/checkout-sessions"
    begun = site.data(site.post(path, BUYER_TOKEN, amount_usd="5", **pages))
    session = {"id": begun["checkout_session_id"], "currency": "usd", "amount_total": 500}
    body = {
        "id": f"evt_{number}",
        "type": "checkout.session.completed",
        "data": {"object": session},
    }
    return lambda: site.post("/v1/stripe/webhook", "nobody", **body)


DEEDS = (
    Deed("adjust a wallet", _adjust, "wallet_adjustments WHERE kind = 'refund'"),
    Deed("open a checkout", _open, "checkout_sessions"),
    Deed(
        "pay a checkout", _confirm, "webhook_events WHERE event_type = 'direct_payment.confirmed'"
    ),
    Deed("require a payment", _require, "requirements"),
    Deed("run a capability", _run_capability, "usage"),
    Deed("subscribe", _subscribe, "subscription_charges"),
    Deed("run a slot", _run_slot, "scheduled_runs"),
    Deed("record a use", _record_use, "usage_records"),
    Deed("mark a payout paid", _mark_paid, "ledger_transactions WHERE reason = 'mock_payout_paid'"),
    Deed("credit a top-up", _top_up, "payment_events"),
)
