"""An agent that pays: it signs challenges as the shop would, and calls as the buyer."""

from typing import Any

from werkzeug.test import TestResponse

from settlekit.challenge import sign
from settlekit_mock import seeding
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.buyers import NewBuyer, create_buyer
from tests.settlekit_mock.payments.conftest import NOW, SHOP, Api, data

BUYER_TOKEN = seeding.BUYER_TOKEN
TERMS = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY"}


def secret_of(world: World) -> str:
    with world.snapshot() as connection:
        return merchant_named(connection, SHOP).challenge_secret


class Agent:
    """One buyer's agent."""

    def __init__(self, api: Api, world: World, token: str = BUYER_TOKEN) -> None:
        self.api = api
        self.world = world
        self.token = token

    def challenge(self, nonce: str = "order-1", **terms: Any) -> str:
        return sign(secret=secret_of(self.world), nonce=nonce, **{**TERMS, **terms})

    def request(self, nonce: str = "order-1", **changes: Any) -> TestResponse:
        """Ask, the challenge signed for the terms unless another is given."""
        terms = {name: changes[name] for name in TERMS if name in changes}
        body = {**TERMS, "mode": "external_402", **changes}
        if "challenge" not in changes:
            body["challenge"] = self.challenge(nonce, **terms)
        return self.api.post("requirements", self.token, **body)

    def ask(self, nonce: str = "order-1", **changes: Any) -> dict[str, Any]:
        return data(self.request(nonce, **changes), 201)

    def get(self, requirement: dict[str, Any]) -> dict[str, Any]:
        return data(self.api.get(f"requirements/{requirement['id']}", self.token))

    def verify(self, requirement: dict[str, Any], **body: Any) -> TestResponse:
        return self.api.post(f"requirements/{requirement['id']}/verify", self.token, **body)

    def execute(
        self,
        requirement: dict[str, Any],
        receipt_kind: str = "sdrp_direct_payment",
        **changes: Any,
    ) -> TestResponse:
        """Send a prepared transaction back as the platform's own client does."""
        allowance = receipt_kind == "sdrp_direct_payment_allowance"
        own = requirement["approve_transaction_request" if allowance else "transaction_request"]
        body = {
            "transaction_request": own,
            "receipt_kind": receipt_kind,
            "reference_type": "sdrp_direct_payment_requirement",
            "reference_id": requirement["id"],
            "metadata": own["metadata_jsonb"] if own else {},
            "await_finality": True,
            **changes,
        }
        path = "/v1/market/web3/transactions/execute-prepared"
        return self.api.call("POST", path, self.token, json=body)

    def pay(self, requirement: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return data(self.execute(requirement, **changes))["receipt"]

    def allow(self, requirement: dict[str, Any]) -> dict[str, Any]:
        return data(self.execute(requirement, "sdrp_direct_payment_allowance"))["receipt"]


def stranger_of(api: Api, world: World) -> Agent:
    """Return the agent of a new buyer, who has paid nothing."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="stranger"))
        add_token(tx.connection, token="strange", role="buyer", subject="stranger", created_at=NOW)
    return Agent(api, world, "strange")
