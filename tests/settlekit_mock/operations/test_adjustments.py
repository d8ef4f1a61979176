"""Operators adjust wallets, refund and charge back: once for a key, and never beyond the balance."""

from typing import Any

import pytest

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.history import newest_lines
from settlekit_mock.ledger.service import Account, chain_account
from tests.settlekit_mock.operations.conftest import (
    Operator,
    credit,
    held,
    reasons,
    rows_of,
    sound,
)

pytestmark = pytest.mark.both_databases

KINDS = ("adjustment", "refund", "chargeback")
REFUND = {"kind": "refund", "direction": "credit", "amount_usd": "2.5"}


def path_of(account: Account) -> str:
    return f"/v1/admin/wallets/{account.account_id}/adjustments"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("direction", "left"), [("credit", "12.50000000"), ("debit", "7.50000000")]
)
def test_each_kind_moves_money_both_ways(
    operator: Operator, world: World, customer: Account, kind: str, direction: str, left: str
) -> None:
    """An adjustment is one entry under its kind's reason, and its answer tells all of it."""
    body = {"kind": kind, "direction": direction, "amount_usd": "2.5", "reason": "a complaint"}
    answer = operator.make(path_of(customer), **body, idempotency_key="k-1")
    assert answer == {
        "id": answer["id"],
        "wallet_id": customer.account_id,
        "kind": kind,
        "direction": direction,
        "amount_usd": "2.50000000",
        "status": "applied",
        "reason": "a complaint",
        "idempotency_key": "k-1",
        "wallet_balance_usd": left,
    }
    with world.snapshot() as connection:
        line, _ = newest_lines(connection, customer.number, limit=5)
    assert (line.reason, line.subject) == (f"wallet_{kind}", answer["id"])
    assert abs(line.amount) == 25 * MAJOR // 10
    assert (line.amount > 0) == (direction == "credit")
    assert line.metadata == {"adjustment_id": answer["id"], "reason": "a complaint"}
    assert sound(world)


def test_a_wallet_of_yen_is_adjusted_in_yen(operator: Operator, world: World) -> None:
    """Another currency's adjustment takes and answers the amount beside its currency."""
    account = credit(world, "usr_1", 100 * MAJOR, "JPY")
    body = {"kind": "chargeback", "direction": "debit", "amount": "40", "currency": "JPY"}
    answer = operator.make(path_of(account), **body)
    told = {name: answer[name] for name in ("currency", "amount", "wallet_balance")}
    assert told == {"currency": "JPY", "amount": "40.00000000", "wallet_balance": "60.00000000"}
    assert not [name for name in answer if name.endswith("_usd")]


def test_a_key_applies_once(operator: Operator, world: World, customer: Account) -> None:
    """The same key and payload answer the first bytes, whatever happened since, and move nothing."""
    first = operator.call("POST", path_of(customer), json={**REFUND, "idempotency_key": "k"})
    operator.make(path_of(customer), **REFUND)
    before = rows_of(world)
    again = {"amount_usd": "2.50000000", "kind": "refund", "direction": "credit"}
    second = operator.call("POST", path_of(customer), json={**again, "idempotency_key": "k"})
    assert (second.status_code, second.data) == (first.status_code, first.data) == (201, first.data)
    assert rows_of(world) == before


@pytest.mark.parametrize(
    "other",
    [
        {"amount_usd": "2.50000001"},
        {"direction": "debit"},
        {"kind": "adjustment"},
        {"reason": "another"},
    ],
    ids=str,
)
def test_a_key_with_another_payload_is_refused(
    operator: Operator, world: World, customer: Account, other: dict[str, str]
) -> None:
    """A key that came with another payload is 409 and changes nothing."""
    operator.make(path_of(customer), **REFUND, idempotency_key="k")
    before = rows_of(world)
    body = {**REFUND, "idempotency_key": "k", **other}
    refused = operator.refused("POST", path_of(customer), json=body)
    assert refused[:2] == (409, "idempotency_key_reused")
    assert rows_of(world) == before


def test_a_key_belongs_to_one_wallet(operator: Operator, world: World, customer: Account) -> None:
    """The same key for another wallet is another payload."""
    other = credit(world, "usr_1", MAJOR)
    operator.make(path_of(customer), **REFUND, idempotency_key="k")
    refused = operator.refused("POST", path_of(other), json={**REFUND, "idempotency_key": "k"})
    assert refused[:2] == (409, "idempotency_key_reused")
    assert held(world, other) == MAJOR


def test_without_a_key_each_call_applies(
    operator: Operator, world: World, customer: Account
) -> None:
    """Calls without a key are different operations, however alike."""
    first, second = (operator.make(path_of(customer), **REFUND) for _ in range(2))
    assert first["id"] != second["id"]
    assert first["idempotency_key"] is None
    assert held(world, customer) == 15 * MAJOR


def test_a_debit_beyond_the_balance_is_refused(
    operator: Operator, world: World, customer: Account
) -> None:
    """A debit beyond the balance is 402, writes nothing, and leaves its key unused."""
    body = {"kind": "adjustment", "direction": "debit", "amount_usd": "10.00000001"}
    before = rows_of(world)
    refused = operator.refused("POST", path_of(customer), json={**body, "idempotency_key": "k"})
    assert refused[:2] == (402, "insufficient_balance")
    assert rows_of(world) == before
    body["amount_usd"] = "10"
    assert operator.make(path_of(customer), **body, idempotency_key="k")["wallet_balance_usd"] == (
        "0.00000000"
    )


def test_only_wallets_are_adjusted(operator: Operator, world: World, customer: Account) -> None:
    """An unknown wallet is 404, and so is a buyer's account of tokens, which is no wallet."""
    with world.transaction() as tx:
        chain = chain_account(tx, "buyer_1", "USD")
    before = rows_of(world)
    for name in ("wal_none", chain.account_id):
        path = f"/v1/admin/wallets/{name}/adjustments"
        refused = operator.refused("POST", path, json=REFUND)
        assert refused[:2] == (404, "invalid_request")
    assert rows_of(world) == before


def test_an_adjustment_is_journalled_and_audited(
    operator: Operator, world: World, customer: Account
) -> None:
    """One journal entry and one audit entry tell who moved what, why, and under which key."""
    body: dict[str, Any] = {**REFUND, "reason": "late parcel", "idempotency_key": "k"}
    made = [operator.make(path_of(customer), **body) for _ in range(2)]
    (entry,) = operator.get("/v1/admin/audit", action="wallet.adjusted")["items"]
    assert (entry["resource"], entry["actor"]) == (made[0]["id"], "operator")
    assert entry["details"] == {
        "wallet_id": customer.account_id,
        "adjustment": "refund",
        "direction": "credit",
        "currency": "USD",
        "amount": "2.50000000",
        "reason": "late parcel",
        "idempotency_key": "k",
    }
    with world.snapshot() as connection:
        (told,) = entries(connection, kind="wallet.adjusted")
    assert told.subject == made[0]["id"]
    assert reasons(world).count("wallet_refund") == 1
