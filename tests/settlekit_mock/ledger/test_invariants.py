"""Each invariant of the ledger objects to what breaks it, and no other does."""

import pytest
from sqlalchemy import Connection

from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.invariants import INVARIANTS
from settlekit_mock.ledger.service import Leg, chain_account, outside, post, wallet
from tests.settlekit_mock.breaking import Breaking, Run, break_it

pytestmark = pytest.mark.both_databases


def build(world: World) -> None:
    """Write a small ledger: accounts 1 to 4, transactions 1 to 4, two currencies."""
    with world.transaction() as tx:
        buyer, away = chain_account(tx, "buyer_1", "JPY"), outside(tx, "JPY")
        mine = wallet(tx, owner_scope="developer", owner_id="usr_1", currency="JPY")
        ours = wallet(tx, owner_scope="platform", owner_id="platform", currency="JPY")
        post(tx, "seed", [Leg(buyer, 1000), Leg(away, -1000)], subject="buyer_1")
        for number in range(3):
            legs = [Leg(buyer, -100), Leg(mine, 98), Leg(ours, 2)]
            post(tx, "settlement", legs, subject=f"msb_{number}")


def objections(connection: Connection) -> dict[str, list[str]]:
    found = {check.__name__: check(connection) for check in INVARIANTS}
    assert all(one.name == name for name, many in found.items() for one in many)
    return {name: sorted(one.subject for one in many) for name, many in found.items() if many}


def unbalanced_transactions(run: Run) -> None:
    # One has too much of what the other has too little; balances and chains are right.
    for transaction, amount in ((5, 5), (6, -5)):
        run(_TRANSACTION.format(transaction))
        before = 700 if amount > 0 else 705
        run(_ENTRY.format(transaction, 1, "JPY", amount, before, before + amount))


def currencies_mixed_up(run: Run) -> None:
    run("UPDATE ledger_accounts SET currency = 'USD' WHERE account_number = 1")


def balances_moved_without_entries(run: Run) -> None:
    run("UPDATE ledger_accounts SET balance = balance + 5 WHERE account_number = 1")
    run("UPDATE ledger_accounts SET balance = balance - 5 WHERE account_number = 2")


def a_gap_in_the_chain(run: Run) -> None:
    run(
        "UPDATE ledger_entries SET balance_before = balance_before + 9,"
        " balance_after = balance_after + 9 WHERE entry_number = 3"
    )


def an_entry_that_carries_a_wrong_balance(run: Run) -> None:
    run("UPDATE ledger_entries SET balance_after = balance_after + 1 WHERE entry_number = 11")


def an_empty_transaction(run: Run) -> None:
    run(_TRANSACTION.format(5))


def a_debt_nobody_allowed(run: Run) -> None:
    run(_TRANSACTION.format(5))
    run(_ENTRY.format(5, 3, "JPY", -300, 294, -6))
    run(_ENTRY.format(5, 2, "JPY", 300, -1000, -700))
    run("UPDATE ledger_accounts SET balance = -6 WHERE account_number = 3")
    run("UPDATE ledger_accounts SET balance = -700 WHERE account_number = 2")


def a_guard_taken_off(run: Run) -> None:
    run("DROP TRIGGER ledger_entries_no_delete")


_TRANSACTION = (
    "INSERT INTO ledger_transactions VALUES ({0}, 'ltx_{0}', 'r', 's', NULL, '{{}}', 0, 0)"
)
_ENTRY = (
    "INSERT INTO ledger_entries (transaction_number, account_number, currency, amount,"
    " balance_before, balance_after) VALUES ({}, {}, '{}', {}, {}, {})"
)


def test_a_sound_ledger_has_no_violation(world: World) -> None:
    """No invariant objects to what postings wrote."""
    build(world)
    with world.snapshot() as connection:
        assert objections(connection) == {}


@pytest.mark.parametrize(
    ("breaking", "expected"),
    [
        (
            unbalanced_transactions,
            {"transactions_sum_to_zero": ["transaction 5 JPY", "transaction 6 JPY"]},
        ),
        (currencies_mixed_up, {"accounts_sum_to_zero": ["JPY", "USD"]}),
        (balances_moved_without_entries, {"balances_fold_entries": ["acc_1", "acc_2"]}),
        (a_gap_in_the_chain, {"entries_chain": ["entry 3", "entry 6"]}),
        (an_entry_that_carries_a_wrong_balance, {"entries_chain": ["entry 11"]}),
        (an_empty_transaction, {"transactions_have_entries": ["ltx_5"]}),
        (a_debt_nobody_allowed, {"debts_are_allowed": ["wal_3 entry 12"]}),
        (a_guard_taken_off, {"ledger_never_changes": ["ledger_entries"]}),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_only_the_invariant_that_was_broken_objects(
    world: World, breaking: Breaking, expected: dict[str, list[str]]
) -> None:
    """A database broken in one way is named by one invariant, with the rows concerned."""
    build(world)
    assert broken_by(world, breaking) == expected


@pytest.mark.sqlite
def test_an_amount_that_is_no_integer_is_named(world: World) -> None:
    """SQLite keeps anything in a column of integers; what isn't one is told."""
    build(world)
    found = broken_by(
        world, lambda run: run("UPDATE ledger_entries SET amount = X'3938' WHERE entry_number = 4")
    )
    assert found == {"amounts_are_canonical": ["ledger_entries.amount 4"]}


def broken_by(world: World, breaking: Breaking) -> dict[str, list[str]]:
    """Break a world, and return what is told; accounts are called by their numbers."""
    with world.snapshot() as connection:
        rows = connection.exec_driver_sql(
            "SELECT account_id, substr(account_id, 1, 4) || account_number FROM ledger_accounts"
        )
        short = {row[0]: row[1] for row in rows}
    break_it(world, breaking)
    with world.snapshot() as connection:
        found = objections(connection)
    return {
        name: sorted(
            " ".join(short.get(word, word) for word in subject.split()) for subject in subjects
        )
        for name, subjects in found.items()
    }


def test_unbalanced_pairs_beyond_one_half_of_a_sum_are_seen(world: World) -> None:
    """A difference of a multiple of 2³² is a difference."""
    build(world)

    def breaking(run: Run) -> None:
        run(_TRANSACTION.format(5))
        run(_ENTRY.format(5, 1, "JPY", 2**32, 700, 700 + 2**32))
        run(_ENTRY.format(5, 2, "JPY", -1, -1000, -1001))
        run(_TRANSACTION.format(6))
        run(_ENTRY.format(6, 2, "JPY", 1, -1001, -1000))
        run(_ENTRY.format(6, 1, "JPY", -(2**32), 700 + 2**32, 700))

    break_it(world, breaking)
    with world.snapshot() as connection:
        assert objections(connection) == {
            "transactions_sum_to_zero": ["transaction 5 JPY", "transaction 6 JPY"]
        }
