"""Wallets are rebuilt from their entries."""

import pytest
from sqlalchemy import text

from settlekit_mock.kernel.money import LIMIT
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.rebuild import Rebuilt, rebuild_wallet, rebuild_wallets
from settlekit_mock.ledger.service import (
    Leg,
    chain_account,
    clearing_account,
    outside,
    post,
    wallet,
)

pytestmark = pytest.mark.both_databases


def test_wallets_alone_are_rebuilt_in_the_order_of_their_opening(world: World) -> None:
    """Every wallet has its stored and rebuilt balance, one without entries too; others have none."""
    with world.transaction() as tx:
        mine = wallet(tx, owner_scope="developer", owner_id="usr_1", currency="JPY")
        idle = wallet(tx, owner_scope="end_user", owner_id="buyer_1", currency="USD")
        buyer = chain_account(tx, "buyer_1", "JPY")
        post(tx, "seed", [Leg(buyer, 100), Leg(outside(tx, "JPY"), -100)], subject="x")
        post(tx, "pay", [Leg(buyer, -100), Leg(mine, 100)], subject="x")
    with world.snapshot() as connection:
        rebuilt = rebuild_wallets(connection)
        assert [rebuild_wallet(connection, found.number) for found in rebuilt] == rebuilt
    assert rebuilt == [
        Rebuilt(mine.number, mine.account_id, "developer", "usr_1", "JPY", 100, 100),
        Rebuilt(idle.number, idle.account_id, "end_user", "buyer_1", "USD", 0, 0),
    ]


def test_a_balance_without_an_entry_is_the_delta(world: World) -> None:
    """What is stored beyond the entries is told, with its sign."""
    with world.transaction() as tx:
        mine = wallet(tx, owner_scope="developer", owner_id="usr_1", currency="JPY")
        post(tx, "seed", [Leg(mine, 5), Leg(outside(tx, "JPY"), -5)], subject="x")
        tx.connection.execute(
            text("UPDATE ledger_accounts SET balance = 2 WHERE account_number = :number"),
            {"number": mine.number},
        )
    with world.snapshot() as connection:
        (found,) = rebuild_wallets(connection)
    assert (found.stored, found.rebuilt, found.delta) == (2, 5, -3)


def test_a_rebuild_of_the_largest_amounts_is_exact(world: World) -> None:
    """What passed through a wallet may exceed 63 bits; its sum doesn't, and is exact."""
    with world.transaction() as tx:
        mine = wallet(tx, owner_scope="developer", owner_id="usr_1", currency="JPY")
        away = outside(tx, "JPY")
        other = clearing_account(tx, "x", "JPY")
        for _ in range(3):
            post(tx, "in", [Leg(mine, LIMIT), Leg(away, -LIMIT)], subject="x")
            post(tx, "out", [Leg(mine, 1 - LIMIT), Leg(away, LIMIT - 1)], subject="x")
            post(tx, "rest", [Leg(mine, -1), Leg(other, 1)], subject="x")
            post(tx, "back", [Leg(away, 1), Leg(other, -1)], subject="x")
        post(tx, "in", [Leg(mine, LIMIT), Leg(away, -LIMIT)], subject="x")
    with world.snapshot() as connection:
        (found,) = rebuild_wallets(connection)
    assert (found.stored, found.rebuilt) == (LIMIT, LIMIT)
