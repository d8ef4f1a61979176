"""The audit log is read by filter, and nobody rewrites it."""

import pytest
from sqlalchemy.exc import IntegrityError

from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account
from settlekit_mock.operations.routes import ROUTES
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import SECRET, Operator, credit, plant

AUDIT = "/v1/admin/audit"
ONE = {"amount_usd": "1"}
PRICED = {
    "request_id": "req_1",
    "public_app_id": "app_1",
    "feature_key": "chat",
    "route_mode": "platform",
    "provider": "a_provider",
    "model": "a-model",
    "input_tokens": 1000,
    "output_tokens": 500,
    "cached_tokens": 200,
    "upstream_cost_usd": "0.5",
    "retail_price_usd": "1",
    "channel_revenue_usd": "0.2",
    "platform_revenue_usd": "0.3",
}


@pytest.fixture
def log(world: World, operator: Operator) -> list[str]:
    """Five entries: one a day, the last two by another operator; newest first."""
    with world.transaction() as tx:
        add_token(tx.connection, token="t", role="admin", subject="ann", created_at=tx.now)
    ann = Operator(world, "t")
    wallets = [credit(world, name, 1, scope="end_user").account_id for name in ("a", "b")]
    for day in range(5):
        who = operator if day < 3 else ann
        path = f"/v1/admin/wallets/{wallets[day % 2]}/credit-test-balance"
        who.post(path, amount_usd=str(day + 1))
        world.due.advance(world.now() + DAY)
    return wallets


def amounts(operator: Operator, **query: object) -> str:
    """Name the entries found by the amounts they credited."""
    items = operator.get(AUDIT, **query)["items"]
    return "".join(item["details"]["amount"][0] for item in items)


def test_entries_are_listed_newest_first(operator: Operator, log: list[str]) -> None:
    """Each entry tells who did what to what, and when."""
    items = operator.get(AUDIT)["items"]
    assert items[0] == {
        "id": items[0]["id"],
        "actor": "ann",
        "action": "wallet.test_balance_credited",
        "resource": log[0],
        "details": {"amount": "5.00000000", "currency": "USD"},
        "created_at": "2026-03-05T00:00:00.000Z",
    }
    assert amounts(operator) == "54321"


@pytest.mark.both_databases
def test_entries_are_filtered(operator: Operator, log: list[str]) -> None:
    """Actor, action, resource and a half-open span each narrow the list, and together."""
    assert amounts(operator, actor="ann") == "54"
    assert amounts(operator, resource=log[1]) == "42"
    assert amounts(operator, actor="ann", resource=log[1]) == "4"
    assert amounts(operator, action="wallet.test_balance_credited") == "54321"
    assert amounts(operator, action="payout.paid") == ""
    span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-04T00:00:00Z"}
    assert amounts(operator, **span) == "32"


@pytest.mark.usefixtures("log")
def test_pages_keep_their_filter(operator: Operator) -> None:
    """A cursor goes on within its filter, and is refused by another."""
    first = operator.get(AUDIT, actor="operator", limit=2)
    cursor = first["next_cursor"]
    assert amounts(operator, actor="operator", limit=2, cursor=cursor) == "1"
    refused = operator.refused("GET", AUDIT, query_string={"actor": "ann", "cursor": cursor})
    assert refused[:2] == (400, "invalid_request")


@pytest.mark.both_databases
@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_the_log(world: World, statement: str) -> None:
    """Rows of the audit log never change, whoever asks."""
    with pytest.raises(IntegrityError, match="never change"), world.transaction() as tx:
        tx.connection.exec_driver_sql(statement)


def acted(operator: Operator, world: World, merchant: Merchant) -> dict[str, tuple[str, ...]]:
    """Take each of the operator's actions once; return the entries that each left, by its route."""
    left: dict[str, tuple[str, ...]] = {}

    def act(route: str, path: str, status: int = 200, **given: object) -> dict[str, str]:
        before = len(operator.get(AUDIT, limit=100)["items"])
        answer = operator.call("POST", path, **given)
        assert answer.status_code == status, answer.text
        entries = operator.get(AUDIT, limit=100)["items"]
        left[route] = tuple(entry["action"] for entry in entries[: len(entries) - before])
        return answer.json

    customer = credit(world, "buyer_1", 100 * MAJOR, scope="end_user").account_id
    developer = credit(world, merchant.merchant_user_id, 5 * MAJOR)
    adjusted = {"kind": "adjustment", "direction": "credit", "amount_usd": "1"}
    money = f"/v1/admin/wallets/{customer}"
    act("wallets/<wallet_id>/credit-test-balance", f"{money}/credit-test-balance", json=ONE)
    act("wallets/<wallet_id>/adjustments", f"{money}/adjustments", 201, json=adjusted)
    act("usage", "/v1/admin/usage", 201, json=PRICED)
    sid = {"sid": "buyer_1", "balance_cents": 5}
    act("balance-adjust", "/admin/balance-adjust", json=sid, headers=SECRET)
    for step in ("cancel", "fail", "mark-paid"):
        opened = act("payouts/run-mock", "/v1/admin/payouts/run-mock", json={})["items"]
        payout = f"/v1/admin/payouts/{opened[0]['id']}"
        if step != "cancel":
            act("payouts/<payout_id>/approve", f"{payout}/approve", json={})
        act(f"payouts/<payout_id>/{step}", f"{payout}/{step}", json={})
    plant(world, developer, 3)
    operator.get("/v1/admin/reconciliation/ledger")
    hold = operator.get("/v1/admin/reconciliation/holds")["items"][0]["id"]
    release = f"/v1/admin/reconciliation/holds/{hold}/release"
    act("reconciliation/holds/<hold_id>/release", release, json={"note": "looked at"})
    return left


def test_every_action_of_an_operator_leaves_its_entry(
    operator: Operator, world: World, customer: Account, merchant: Merchant
) -> None:
    """Each route that an operator changes something by, and there is none beside these."""
    left = acted(operator, world, merchant)
    routes = {
        route.path.removeprefix("/v1").removeprefix("/admin/")
        for route in ROUTES
        if route.method != "GET" and route.role in {"admin", "admin_secret"}
    }
    assert left.keys() == routes
    assert left == {
        "wallets/<wallet_id>/credit-test-balance": ("wallet.test_balance_credited",),
        "wallets/<wallet_id>/adjustments": ("wallet.adjusted",),
        "usage": ("usage.recorded",),
        "balance-adjust": ("balance.adjusted",),
        "payouts/run-mock": ("payout.created",),
        "payouts/<payout_id>/approve": ("payout.processing",),
        "payouts/<payout_id>/mark-paid": ("payout.paid",),
        "payouts/<payout_id>/cancel": ("payout.cancelled",),
        "payouts/<payout_id>/fail": ("payout.failed",),
        "reconciliation/holds/<hold_id>/release": ("hold.released",),
    }
