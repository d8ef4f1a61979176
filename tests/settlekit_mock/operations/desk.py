"""An operator at work: a call of each route that is right, and what the calls name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import SECRET, Operator, credit, plant


class Case(NamedTuple):
    """A call that is right: where it goes, what it says, and what it is answered."""

    path: str
    body: dict[str, Any]
    status: int = 200


ADJUSTED: Final = {"kind": "refund", "direction": "credit"}
USE: Final = {
    "request_id": "req_1",
    "public_app_id": "app_1",
    "buyer_id": "buyer_1",
    "feature_key": "chat",
    "provider": "a_provider",
    "model": "a_model",
}
PRICES: Final = {
    "input_price_per_million_usd": "1.5",
    "output_price_per_million_usd": "2",
    "cached_price_per_million_usd": "0",
    "markup_percent": "10",
}
TOKENS: Final = {"input_tokens": 100, "output_tokens": 10, "cached_tokens": 0, "share_bps": 100}
GIVEN: Final = {
    "upstream_cost_usd": "1",
    "retail_price_usd": "2.5",
    "channel_revenue_usd": "1",
    "platform_revenue_usd": "0.5",
}
PAGES: Final = {"success_url": "https://a.example/", "cancel_url": "http://localhost/no"}
_WALLETS: Final = "/v1/admin/wallets/{wallet}"
CASES: Final[Mapping[str, Case]] = MappingProxyType(
    {
        "test credit": Case(f"{_WALLETS}/credit-test-balance", {"amount_usd": "1"}),
        "test credit in yen": Case(
            "/v1/admin/wallets/{yen}/credit-test-balance", {"amount": "1", "currency": "JPY"}
        ),
        "adjustment": Case(
            f"{_WALLETS}/adjustments",
            {**ADJUSTED, "amount_usd": "1", "reason": "late", "idempotency_key": "k1"},
            201,
        ),
        "adjustment in yen": Case(
            "/v1/admin/wallets/{yen}/adjustments",
            {**ADJUSTED, "amount": "1", "currency": "JPY"},
            201,
        ),
        "run": Case("/v1/admin/payouts/run-mock", {"threshold_usd": "1"}),
        "run in yen": Case("/v1/admin/payouts/run-mock", {"threshold": "1", "currency": "JPY"}),
        "approve": Case("/v1/admin/payouts/{payout}/approve", {"operator_note": "fine"}),
        "cancel": Case("/v1/admin/payouts/{payout}/cancel", {"reason": "wrong"}),
        "fail": Case("/v1/admin/payouts/{approved}/fail", {"reason": "bounced"}),
        "release": Case("/v1/admin/reconciliation/holds/{hold}/release", {"note": "seen"}),
        "balance": Case("/admin/balance-adjust", {"sid": "buyer_1", "balance_cents": 700}),
        "use by tokens": Case(
            "/v1/admin/usage", {**USE, "route_mode": "platform", **TOKENS, **PRICES}, 201
        ),
        "use by a fee": Case(
            "/v1/admin/usage",
            {**USE, "route_mode": "byok", "fee_usd": "1", "developer_id": "{developer}"},
            201,
        ),
        "use as priced": Case("/v1/admin/usage", {**USE, "route_mode": "local", **GIVEN}, 201),
        "top-up": Case("/v1/user/stripe/checkout-sessions", {"amount_usd": "5", **PAGES}, 201),
    }
)


class Desk:
    """An operator and a buyer, and everything that the calls name."""

    def __init__(self, world: World, buyer: Operator, customer: Account, shop: Merchant) -> None:
        self.world = world
        self._buyer = buyer
        self._operator = Operator(world)
        yen = credit(world, shop.merchant_user_id, 9 * MAJOR, "JPY")
        for number in (1, 2):
            credit(world, f"usr_{number}", 5 * MAJOR)
        opened = self._operator.post("/v1/admin/payouts/run-mock")["items"]
        self._operator.post(f"/v1/admin/payouts/{opened[1]['id']}/approve")
        misstated = credit(world, "usr_3", 3 * MAJOR)
        plant(world, misstated, 1)
        self._operator.get("/v1/admin/reconciliation/ledger")
        plant(world, misstated, -1)
        (hold,) = self._operator.get("/v1/admin/reconciliation/holds")["items"]
        self.known = {
            "wallet": customer.account_id,
            "yen": yen.account_id,
            "payout": opened[0]["id"],
            "approved": opened[1]["id"],
            "hold": hold["id"],
            "developer": shop.merchant_user_id,
        }

    def send(self, case: Case, **changes: Any) -> Any:
        """Make a call, some of it changed."""
        body = {
            name: value.format(**self.known) if isinstance(value, str) else value
            for name, value in case.body.items()
        } | changes
        return self._called(case, json=body)

    def send_raw(self, case: Case, body: bytes, media_type: str) -> Any:
        """Make a call with any body at all."""
        return self._called(case, data=body, content_type=media_type)

    def _called(self, case: Case, **given: Any) -> Any:
        path = case.path.format(**self.known)
        caller = self._buyer if path.startswith("/v1/user/") else self._operator
        return caller.call("POST", path, headers=SECRET, **given)


def is_of(case: Case, route: Route) -> bool:
    """Say whether a call is one of this route."""
    mine, others = case.path.split("/"), route.path.split("/")
    return len(mine) == len(others) and all(
        a == b or b.startswith("<") for a, b in zip(mine, others, strict=True)
    )
