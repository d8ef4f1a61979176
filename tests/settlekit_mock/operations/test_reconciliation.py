"""Wallets are compared with their entries; what differs is told and held, never repaired."""

import pytest

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Leg, balance, chain_account, outside, post
from settlekit_mock.operations.holds import hold_if_mismatched, holds
from tests.settlekit_mock.operations.conftest import Operator, credit, plant, rows_of

LEDGER = "/v1/admin/reconciliation/ledger"
HOLDS = "/v1/admin/reconciliation/holds"


@pytest.mark.both_databases
def test_a_sound_ledger_reconciles(operator: Operator, world: World) -> None:
    """Every wallet is listed as balanced, in the shape of its currency; nothing is written."""
    dollars = credit(world, "usr_1", 25 * MAJOR // 10)
    yen = credit(world, "usr_1", 98 * MAJOR, "JPY")
    with world.transaction() as tx:
        buyer = chain_account(tx, "buyer_1", "JPY")
        post(tx, "seed", [Leg(buyer, 5), Leg(outside(tx, "JPY"), -5)], subject="x")
    before = rows_of(world)
    assert operator.get(LEDGER) == {
        "generated_at": "2026-03-01T00:00:00.000Z",
        "summary": {"wallet_count": 2, "balanced_count": 2, "mismatch_count": 0},
        "items": [
            {
                "wallet_id": dollars.account_id,
                "owner_scope": "developer",
                "owner_id": "usr_1",
                "wallet_balance_usd": "2.50000000",
                "ledger_balance_usd": "2.50000000",
                "delta_usd": "0.00000000",
                "status": "balanced",
            },
            {
                "wallet_id": yen.account_id,
                "owner_scope": "developer",
                "owner_id": "usr_1",
                "currency": "JPY",
                "wallet_balance": "98.00000000",
                "ledger_balance": "98.00000000",
                "delta": "0.00000000",
                "status": "balanced",
            },
        ],
    }
    assert rows_of(world) == before


def test_an_empty_ledger_reconciles(operator: Operator) -> None:
    """Where there is no wallet, there is no mismatch."""
    assert operator.get(LEDGER)["summary"] == {
        "wallet_count": 0,
        "balanced_count": 0,
        "mismatch_count": 0,
    }


@pytest.mark.both_databases
def test_a_mismatch_is_told_and_not_repaired(operator: Operator, world: World) -> None:
    """A balance that isn't its entries' sum is named with the difference, again and again."""
    good, bad = credit(world, "usr_1", 5 * MAJOR), credit(world, "usr_2", 5 * MAJOR)
    plant(world, bad, -MAJOR // 4)
    for _ in range(2):
        report = operator.get(LEDGER)
        assert report["summary"] == {"wallet_count": 2, "balanced_count": 1, "mismatch_count": 1}
        status = {item["wallet_id"]: item["status"] for item in report["items"]}
        assert status == {good.account_id: "balanced", bad.account_id: "mismatch"}
        found = report["items"][1]
        assert (found["wallet_balance_usd"], found["ledger_balance_usd"], found["delta_usd"]) == (
            "4.75000000",
            "5.00000000",
            "-0.25000000",
        )
    with world.snapshot() as connection:
        assert balance(connection, bad.number) == 475 * MAJOR // 100


def test_a_mismatch_puts_on_one_hold(operator: Operator, world: World) -> None:
    """The wallet is held once, as it was found, and the hold is journalled and audited."""
    account = credit(world, "usr_1", 5 * MAJOR, "JPY")
    plant(world, account, 3)
    operator.get(LEDGER)
    operator.get(LEDGER)
    listed = operator.get(HOLDS)
    (hold,) = listed["items"]
    assert listed["next_cursor"] is None
    assert hold == {
        "id": hold["id"],
        "wallet_id": account.account_id,
        "owner_scope": "developer",
        "owner_id": "usr_1",
        "status": "active",
        "currency": "JPY",
        "wallet_balance": "5.00000003",
        "ledger_balance": "5.00000000",
        "delta": "0.00000003",
        "created_at": "2026-03-01T00:00:00.000Z",
        "released_at": None,
        "released_by": None,
        "note": None,
    }
    (entry,) = operator.get("/v1/admin/audit", resource=hold["id"])["items"]
    assert (entry["action"], entry["details"]["delta"]) == ("hold.placed", "0.00000003")
    with world.snapshot() as connection:
        assert [e.subject for e in entries(connection, kind="hold.placed")] == [hold["id"]]


def test_a_wallet_that_matches_by_now_is_not_held(world: World) -> None:
    """A hold is put on what is wrong when it is written, not on what a report once saw."""
    account = credit(world, "usr_1", 5)
    with world.transaction() as tx:
        hold_if_mismatched(tx, account.number, actor="operator")
        assert holds(tx.connection, active=None, before=None, limit=9) == []


def test_a_hold_is_released_with_a_note(operator: Operator, world: World) -> None:
    """A release keeps who and why; asked again, it answers the same and writes nothing."""
    plant(world, credit(world, "usr_1", 5), 3)
    operator.get(LEDGER)
    (hold,) = operator.get(HOLDS)["items"]
    released = operator.post(f"{HOLDS}/{hold['id']}/release", note="a known import")
    assert released == hold | {
        "status": "released",
        "released_at": "2026-03-01T00:00:00.000Z",
        "released_by": "operator",
        "note": "a known import",
    }
    before = rows_of(world)
    assert operator.post(f"{HOLDS}/{hold['id']}/release", note="another") == released
    assert rows_of(world) == before
    (entry, _) = operator.get("/v1/admin/audit", resource=hold["id"])["items"]
    assert (entry["action"], entry["details"]["note"]) == ("hold.released", "a known import")


def test_a_wallet_that_still_differs_is_held_again(operator: Operator, world: World) -> None:
    """A release isn't a pardon: the next reconciliation holds what still doesn't match."""
    plant(world, credit(world, "usr_1", 5), 3)
    operator.get(LEDGER)
    (hold,) = operator.get(HOLDS)["items"]
    operator.post(f"{HOLDS}/{hold['id']}/release", note="looked at")
    operator.get(LEDGER)
    assert [item["status"] for item in operator.get(HOLDS)["items"]] == ["active", "released"]
    assert len(operator.get(HOLDS, status="active")["items"]) == 1
    (old,) = operator.get(HOLDS, status="released")["items"]
    assert old["id"] == hold["id"]


def test_holds_are_listed_in_pages(operator: Operator, world: World) -> None:
    """Pages of holds follow each other, newest first."""
    for number in range(3):
        plant(world, credit(world, f"usr_{number}", 5), 1)
    operator.get(LEDGER)
    first = operator.get(HOLDS, limit=2)
    second = operator.get(HOLDS, limit=2, cursor=first["next_cursor"])
    owners = [item["owner_id"] for item in first["items"] + second["items"]]
    assert owners == ["usr_2", "usr_1", "usr_0"]
    assert second["next_cursor"] is None


def test_an_unknown_hold_is_not_found(operator: Operator) -> None:
    """Releasing a hold that isn't there is 404."""
    refused = operator.refused("POST", f"{HOLDS}/hold_none/release", json={"note": "x"})
    assert refused[:2] == (404, "invalid_request")
