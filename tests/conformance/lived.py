"""A world in which something of each kind is there, for calls that name it."""

from typing import Any, Final

from werkzeug.test import Client

from settlekit.challenge import sign, sign_recurring
from settlekit_mock import MockServer

START: Final = "2026-03-02T00:00:00.000Z"
SHOP: Final = "sandbox_merchant"
BUYER: Final = "sandbox_buyer"
PAYMENTS: Final = "/v1/sdrp/direct-payments"
TOKENS: Final = {
    "merchantToken": "sandbox_merchant_token",
    "providerToken": "sandbox_provider_token",
    "buyerToken": "sandbox_buyer_token",
    "adminToken": "sandbox_admin_token",
}
PAGES: Final = {"success_url": "http://localhost:3000/ok", "cancel_url": "http://localhost:3000/no"}


class Lived:
    """A mock with a past; ``known`` names what is there, by the parameter that asks for it."""

    def __init__(self, **options: Any) -> None:
        self.mock = MockServer(seed=7, freeze_at=START, **options)
        self.client = Client(self.mock.app)
        self.secret = self.post(
            f"{PAYMENTS}/merchants/{SHOP}/challenge-secret/rotate", "merchantToken"
        )["challenge_secret"]
        self.mock.buyers.create(buyer_id="b1")
        self.known: dict[str, str] = {"merchant": SHOP, "buyer_id": "b1", "buyer": "b1"}
        self._subscribe()
        self._settle()
        self._pay()
        self._recur()
        self._operate()

    def post(self, path: str, scheme: str, **body: object) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKENS[scheme]}"} if scheme in TOKENS else {}
        answer = self.client.post(path, json=body, headers=headers)
        assert answer.status_code < 300, (path, answer.text)
        assert answer.json is not None
        found: dict[str, Any] = answer.json.get("data", answer.json)
        return found

    def _subscribe(self) -> None:
        self.known["subscription_id"] = self.post(
            "/v1/market/webhooks/subscriptions",
            "merchantToken",
            callback_url="https://shop.example/hooks",
        )["id"]

    def _settle(self) -> None:
        """Leave one batch settled, one past due, one failed, and usage in an open period."""
        self.mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY", count=3)
        self.mock.clock.advance(days=11)
        self.mock.simulate.debit_failure(buyer="b1", times=60, reason="ONCHAIN_FAILURE")
        self.mock.usage("b1", merchant=SHOP, amount_minor=100, currency="USD", count=3)
        self.mock.clock.advance(days=18)
        self.mock.usage(BUYER, merchant=SHOP, amount_minor=20, currency="JPY", count=3)
        (batch,) = {event.subject for event in self.mock.events(kind="batch.past_due")}
        self.known["settlement_batch_id"] = self.known["id"] = batch
        self.known["usage_id"] = next(iter(self.mock.events(kind="payment.accepted"))).subject

    def _pay(self) -> None:
        """Leave a paid and an open session, and a requirement that waits."""
        for nonce in ("paid", "open"):
            session = self.post(
                f"{PAYMENTS}/checkout-sessions",
                "merchantToken",
                merchant=SHOP,
                amount_minor=1200,
                currency="JPY",
                nonce=nonce,
                **PAGES,
            )["session_id"]
            self.known["session_id"] = session
            if nonce == "paid":
                self.post(f"/v1/sandbox/checkout-sessions/{session}/confirm", "")
        given: dict[str, Any] = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY"}
        challenge = sign(secret=self.secret, nonce="one", **given)
        self.known["requirement_id"] = self.post(
            f"{PAYMENTS}/requirements",
            "buyerToken",
            mode="external_402",
            challenge=challenge,
            **given,
        )["requirement_id"]
        deliveries = self.client.get(
            "/v1/market/webhooks/deliveries",
            headers={"Authorization": f"Bearer {TOKENS['merchantToken']}"},
        ).json
        assert deliveries is not None
        self.known["delivery_id"] = deliveries["data"][0]["id"]

    def _recur(self) -> None:
        given: dict[str, Any] = {"merchant": SHOP, "amount_minor": 700, "currency": "JPY"}
        self.known["challenge"] = sign_recurring(
            secret=self.secret, cadence="daily", nonce="two", **given
        )
        made = self.post(
            "/v1/account/auto-pay/scheduled-authorizations",
            "buyerToken",
            mode="external_402",
            challenge=self.known["challenge"],
            **given,
        )
        self.known["authorization_id"] = made["authorization_id"]
        self.schedule_token: str = made["schedule_token"]

    def _operate(self) -> None:
        opened = self.post(
            "/v1/admin/payouts/run-mock", "adminToken", threshold="0.01", currency="JPY"
        )
        self.known["payout_id"] = opened["items"][0]["id"]
        self.known["developer_id"] = opened["items"][0]["developer_id"]
        with self.mock.world.snapshot() as connection:
            wallets = "SELECT account_id FROM ledger_accounts WHERE kind = 'wallet' ORDER BY 1"
            self.known["wallet_id"] = connection.exec_driver_sql(wallets).scalars().first() or ""
        self.known["account_id"] = self.known["wallet_id"]
        if self.mock.world.database.in_memory:
            self.mock.snapshots.take("kept")
        self.known["name"] = "kept"
        self.known["capability_key"] = "search"

    def headers_for(self, operation: dict[str, Any]) -> dict[str, str]:
        """Return what opens a route, by what its description asks for."""
        schemes = [scheme for one in operation.get("security", []) for scheme in one]
        if not schemes:
            return {}
        if schemes[0] == "adminSecret":
            return {"X-Admin-Secret": "sandbox_admin_secret"}
        token = TOKENS.get(schemes[0], self.schedule_token)
        return {"Authorization": f"Bearer {token}"}
