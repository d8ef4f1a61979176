"""Uses of models are recorded once, charged to the buyer and shared out to the last unit."""

from typing import Any
from urllib.parse import quote

import pytest

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.history import newest_lines
from settlekit_mock.ledger.service import Account, find_wallet
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import (
    Operator,
    credit,
    held,
    reasons,
    rows_of,
    sound,
)

USAGE = "/v1/admin/usage"
USE = {
    "request_id": "req_1",
    "public_app_id": "app_1",
    "feature_key": "chat",
    "route_mode": "platform",
    "provider": "a_provider",
    "model": "a-model",
    "input_tokens": 1000,
    "output_tokens": 500,
    "cached_tokens": 200,
    "input_price_per_million_usd": "2",
    "output_price_per_million_usd": "10",
    "cached_price_per_million_usd": "0.5",
}
AMOUNTS = {
    "upstream_cost_usd": "0.5",
    "retail_price_usd": "1",
    "channel_revenue_usd": "0.2",
    "platform_revenue_usd": "0.3",
}
PRICED = {name: value for name, value in USE.items() if "price" not in name} | AMOUNTS
UPSTREAM = "0.00710000"


@pytest.fixture(autouse=True)
def parties(customer: Account, merchant: Merchant) -> None:
    """Somebody who uses, and somebody whose app it is."""


def balances(world: World, merchant: Merchant) -> list[str]:
    """Return what the buyer, the provider of the model, the developer and the platform hold."""
    owners = (
        ("end_user", "buyer_1"),
        ("provider_cost", "a_provider"),
        ("developer", merchant.merchant_user_id),
        ("platform", "platform"),
    )
    found: list[str] = []
    for scope, owner_id in owners:
        with world.snapshot() as connection:
            account = find_wallet(connection, owner_scope=scope, owner_id=owner_id, currency="USD")
        assert account is not None
        found.append(f"{held(world, account) / MAJOR:.8f}")
    return found


@pytest.mark.parametrize("route_mode", ["platform", "developer_key"])
def test_tokens_are_rated_and_shared(
    operator: Operator, world: World, merchant: Merchant, route_mode: str
) -> None:
    """Cost, 30 % on it, 40 % of that to the developer: four entries, one answer."""
    answer = operator.make(USAGE, **USE | {"route_mode": route_mode})
    assert answer == {
        "request_id": "req_1",
        "public_app_id": "app_1",
        "developer_id": merchant.merchant_user_id,
        "buyer_id": "buyer_1",
        "feature_key": "chat",
        "route_mode": route_mode,
        "provider": "a_provider",
        "model": "a-model",
        "input_tokens": 1000,
        "output_tokens": 500,
        "cached_tokens": 200,
        "upstream_cost_usd": UPSTREAM,
        "retail_price_usd": "0.00923000",
        "channel_revenue_usd": "0.00085200",
        "platform_revenue_usd": "0.00127800",
        "created_at": "2026-03-01T00:00:00.000Z",
    }
    assert balances(world, merchant) == ["9.99077000", UPSTREAM, "0.00085200", "0.00127800"]
    assert reasons(world)[-4:] == [
        "usage_retail_price",
        "usage_provider_cost",
        "usage_channel_revenue",
        "usage_platform_revenue",
    ]
    assert sound(world)


@pytest.mark.parametrize("route_mode", ["byok", "local"])
@pytest.mark.parametrize(
    ("fee", "shares"),
    [
        ({"fee_usd": "0.00000007"}, ["0.00000007", "0.00000002", "0.00000005"]),
        ({"fee_usd": "2"}, ["2.00000000", "0.80000000", "1.20000000"]),
        ({}, ["0.00000000"] * 3),
    ],
)
def test_a_users_own_key_bears_no_hidden_markup(
    operator: Operator, world: World, route_mode: str, fee: dict[str, str], shares: list[str]
) -> None:
    """By one's own key or machine the price is the explicit fee, whatever the tokens and prices."""
    answer = operator.make(USAGE, **USE | {"route_mode": route_mode, **fee})
    assert answer["upstream_cost_usd"] == "0.00000000"
    names = ("retail_price_usd", "channel_revenue_usd", "platform_revenue_usd")
    assert [answer[name] for name in names] == shares
    assert "usage_provider_cost" not in reasons(world)
    assert sound(world)


def test_a_priced_use_is_taken_as_it_is(
    operator: Operator, world: World, merchant: Merchant
) -> None:
    """Amounts that add up are posted as they were given."""
    answer = operator.make(USAGE, **PRICED)
    assert {name: answer[name] for name in AMOUNTS} == {
        "upstream_cost_usd": "0.50000000",
        "retail_price_usd": "1.00000000",
        "channel_revenue_usd": "0.20000000",
        "platform_revenue_usd": "0.30000000",
    }
    assert balances(world, merchant) == ["9.00000000", "0.50000000", "0.20000000", "0.30000000"]


@pytest.mark.parametrize(
    ("said", "shares"),
    [
        ({"markup_percent": "0"}, [UPSTREAM, "0.00000000", "0.00000000"]),
        ({"markup_percent": "12.5"}, ["0.00798750", "0.00035500", "0.00053250"]),
        ({"share_bps": 0}, ["0.00923000", "0.00000000", "0.00213000"]),
        ({"share_bps": 10_000}, ["0.00923000", "0.00213000", "0.00000000"]),
        ({"share_bps": 3_333}, ["0.00923000", "0.00070992", "0.00142008"]),
    ],
    ids=str,
)
def test_markup_and_share_may_be_said(
    operator: Operator, world: World, said: dict[str, Any], shares: list[str]
) -> None:
    """Another markup or share is taken, and the parts still add up."""
    answer = operator.make(USAGE, **USE | said)
    names = ("retail_price_usd", "channel_revenue_usd", "platform_revenue_usd")
    assert [answer[name] for name in names] == shares
    assert sound(world)


@pytest.mark.parametrize("other", [{}, {"input_tokens": 9}, {"public_app_id": "app_2"}], ids=str)
def test_a_request_is_recorded_once(
    operator: Operator, world: World, other: dict[str, Any]
) -> None:
    """The same request id answers the first record to the byte, and charges nothing."""
    first = operator.call("POST", USAGE, json=USE)
    before = rows_of(world)
    again = operator.call("POST", USAGE, json=USE | other)
    assert (again.status_code, again.data) == (201, first.data)
    assert rows_of(world) == before


def test_an_app_keeps_its_developer(operator: Operator, world: World, merchant: Merchant) -> None:
    """An app is its first developer's; a listing is its merchant's; a stranger's is refused."""
    with world.transaction() as tx:
        other = create_merchant(tx, "other_shop")
    mine, theirs = merchant.merchant_user_id, other.merchant_user_id
    listed = USE | {"request_id": "req_2", "public_app_id": other.listing_id}
    assert operator.make(USAGE, **USE | {"developer_id": theirs})["developer_id"] == theirs
    assert operator.make(USAGE, **USE | {"request_id": "req_3"})["developer_id"] == theirs
    assert operator.make(USAGE, **listed)["developer_id"] == theirs
    body = USE | {"request_id": "req_4", "developer_id": mine}
    refused = operator.refused("POST", USAGE, json=body)
    assert refused == (400, "invalid_request", "public_app_id: this app is another developer's")


@pytest.mark.parametrize(
    "changes",
    [
        {"input_price_per_million_usd": "8000"},
        {"input_tokens": 10**12, "input_price_per_million_usd": "92233720368"},
        {"route_mode": "byok", "fee_usd": "10.00000001"},
    ],
    ids=str,
)
def test_a_price_beyond_the_credits_is_refused(
    operator: Operator, world: World, changes: dict[str, Any]
) -> None:
    """What the buyer's credits don't hold is 402, and no record, app or wallet is left behind."""
    before = rows_of(world)
    body = USE | changes
    assert operator.refused("POST", USAGE, json=body)[:2] == (402, "insufficient_balance")
    assert rows_of(world) == before


WRONG: list[tuple[dict[str, Any], int]] = [
    ({"developer_id": "nobody"}, 404),
    ({"buyer_id": "nobody"}, 404),
    ({"route_mode": "other"}, 400),
    ({"request_id": ""}, 400),
    ({"request_id": "r" * 256}, 400),
    ({"request_id": None}, 400),
    ({"input_tokens": -1}, 400),
    ({"input_tokens": 1.0}, 400),
    ({"input_tokens": True}, 400),
    ({"input_tokens": "5"}, 400),
    ({"output_tokens": 10**12 + 1}, 400),
    ({"input_price_per_million_usd": "1.123456789"}, 400),
    ({"input_price_per_million_usd": "1e3"}, 400),
    ({"input_price_per_million_usd": "NaN"}, 400),
    ({"input_price_per_million_usd": "-1"}, 400),
    ({"input_price_per_million_usd": "２"}, 400),
    ({"input_price_per_million_usd": 2}, 400),
    ({"input_price_per_million_usd": 2.5}, 400),
    ({"input_price_per_million_usd": True}, 400),
    ({"output_price_per_million_usd": "0."}, 400),
    ({"output_price_per_million_usd": "00"}, 400),
    ({"output_price_per_million_usd": "0.000000000"}, 400),
    ({"output_price_per_million_usd": "-0"}, 400),
    ({"markup_percent": "30%"}, 400),
    ({"markup_percent": 30}, 400),
    ({"markup_percent": "10001"}, 400),
    ({"share_bps": 10_001}, 400),
    ({"share_bps": -1}, 400),
    ({"share_bps": 4000.0}, 400),
    ({"fee_usd": "1"}, 400),
    ({"retail_price_usd": "1"}, 400),
    (AMOUNTS, 400),
    ({"api_key": "sk-1"}, 400),
]


@pytest.mark.parametrize(("changes", "status"), WRONG, ids=lambda given: str(given)[:60])
def test_a_use_that_is_none_is_refused(
    operator: Operator, world: World, changes: dict[str, Any], status: int
) -> None:
    """Unknown owners are 404, wrong amounts, counts and fields 400, and nothing is written."""
    before = rows_of(world)
    refused = operator.refused("POST", USAGE, json=USE | changes)
    assert refused[:2] == (status, "invalid_request")
    assert rows_of(world) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"retail_price_usd": "1.00000001"},
        {"channel_revenue_usd": "0.3"},
        {"upstream_cost_usd": None},
        {"platform_revenue_usd": None},
        {"fee_usd": "1"},
        {"input_price_per_million_usd": "1"},
    ],
    ids=str,
)
def test_amounts_that_dont_add_up_are_refused(
    operator: Operator, world: World, changes: dict[str, Any]
) -> None:
    """All four amounts, alone, the price the sum of the others: else 400."""
    before = rows_of(world)
    assert operator.refused("POST", USAGE, json=PRICED | changes)[:2] == (400, "invalid_request")
    assert rows_of(world) == before


def test_an_apps_uses_are_listed(operator: Operator, merchant: Merchant) -> None:
    """Newest first, in pages, this app's alone; a listing that was never used is empty."""
    made = [operator.make(USAGE, **USE | {"request_id": f"req_{n}"}) for n in range(3)]
    operator.make(USAGE, **USE | {"request_id": "other", "public_app_id": "app_2"})
    first = operator.get("/v1/apps/app_1/usage", limit=2)
    second = operator.get("/v1/apps/app_1/usage", limit=2, cursor=first["next_cursor"])
    assert first["items"] + second["items"] == made[::-1]
    assert second["next_cursor"] is None
    assert operator.get(f"/v1/apps/{merchant.listing_id}/usage")["items"] == []
    assert operator.refused("GET", "/v1/apps/nothing/usage")[:2] == (404, "invalid_request")
    query = {"cursor": first["next_cursor"]}
    refused = operator.refused("GET", "/v1/apps/app_2/usage", query_string=query)
    assert refused[:2] == (400, "invalid_request")


@pytest.mark.parametrize("named", ["an/app", "/", ".", ".."])
def test_an_app_that_no_path_can_name_is_refused(
    operator: Operator, world: World, named: str
) -> None:
    """What ``/v1/apps/{id}/usage`` could never list isn't recorded."""
    before = rows_of(world)
    body = USE | {"public_app_id": named}
    assert operator.refused("POST", USAGE, json=body)[:2] == (400, "invalid_request")
    assert rows_of(world) == before


@pytest.mark.parametrize("named", ["an app", "a?b#c", "a%2Fb", "アプリ", "...", ".a"])
def test_an_app_of_any_other_name_is_listed(operator: Operator, named: str) -> None:
    """A name may hold whatever can be written in a path."""
    made = operator.make(USAGE, **USE | {"public_app_id": named})
    assert operator.get(f"/v1/apps/{quote(named, safe='')}/usage")["items"] == [made]


def test_a_developers_revenue_is_told(operator: Operator, world: World, merchant: Merchant) -> None:
    """Balance, open payouts and what was ever earned: credits of other kinds aren't earned."""
    owner = merchant.merchant_user_id
    path = f"/v1/developers/{owner}/revenue"
    nothing = {"wallet_balance_usd": "0.00000000", "pending_payout_usd": "0.00000000"}
    assert operator.get(path) == nothing | {
        "developer_id": owner,
        "lifetime_revenue_usd": "0.00000000",
    }
    for number in range(4):
        operator.make(USAGE, **PRICED | {"request_id": f"req_{number}"})
    credit(world, owner, 5 * MAJOR)
    credit(world, owner, 7 * MAJOR, "JPY")
    (payout,) = operator.post("/v1/admin/payouts/run-mock")["items"]
    assert operator.get(path) == {
        "developer_id": owner,
        "wallet_balance_usd": "5.80000000",
        "pending_payout_usd": "5.80000000",
        "lifetime_revenue_usd": "0.80000000",
    }
    operator.post(f"/v1/admin/payouts/{payout['id']}/approve")
    assert operator.get(path)["pending_payout_usd"] == "5.80000000"
    operator.post(f"/v1/admin/payouts/{payout['id']}/mark-paid")
    assert operator.get(path) == nothing | {
        "developer_id": owner,
        "lifetime_revenue_usd": "0.80000000",
    }
    assert operator.get(path, currency="JPY") == {
        "developer_id": owner,
        "currency": "JPY",
        "wallet_balance": "7.00000000",
        "pending_payout": "0.00000000",
        "lifetime_revenue": "0.00000000",
    }
    assert operator.refused("GET", "/v1/developers/nobody/revenue")[:2] == (404, "invalid_request")


def test_a_use_is_audited(operator: Operator, world: World) -> None:
    """Each record leaves one audit entry, and none where it was a repeat."""
    for _ in range(2):
        operator.make(USAGE, **USE)
    (entry,) = operator.get("/v1/admin/audit", action="usage.recorded")["items"]
    assert (entry["resource"], entry["details"]["retail_price"]) == ("req_1", "0.00923000")


def test_entries_carry_their_request(operator: Operator, world: World, customer: Account) -> None:
    """The buyer sees a charge by its reason, its request and its app."""
    operator.make(USAGE, **USE)
    world.due.advance(world.now() + DAY)
    with world.snapshot() as connection:
        line, _ = newest_lines(connection, customer.number, limit=5)
    assert (line.reason, line.subject, line.amount) == ("usage_retail_price", "req_1", -923_000)
    assert line.metadata == {"request_id": "req_1", "public_app_id": "app_1"}
