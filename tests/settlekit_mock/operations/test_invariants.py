"""Each invariant of the operator's rows objects to what breaks it, and no other does."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.invariants import INVARIANTS as LEDGER_INVARIANTS
from settlekit_mock.operations.invariants import INVARIANTS
from tests.settlekit_mock.ledger.test_invariants import Run, break_it
from tests.settlekit_mock.operations.conftest import Operator, credit

PATH = "/v1/admin/payouts"
EVERY = (*LEDGER_INVARIANTS, *INVARIANTS)


def build(world: World) -> list[str]:
    """Lead five payouts of a dollar to the five statuses; their numbers are 1 to 5."""
    operator = Operator(world)
    for number in range(5):
        credit(world, f"usr_{number}", MAJOR)
    made = [item["id"] for item in operator.post(f"{PATH}/run-mock")["items"]]
    steps = ((), ("approve",), ("approve", "mark-paid"), ("approve", "fail"), ("cancel",))
    for payout_id, taken in zip(made, steps, strict=True):
        for step in taken:
            operator.post(f"{PATH}/{payout_id}/{step}")
    return made


def objections(connection: Connection) -> dict[str, list[str]]:
    found = {check.__name__: check(connection) for check in EVERY}
    assert all(one.name == name for name, many in found.items() for one in many)
    return {name: [one.subject for one in many] for name, many in found.items() if many}


def another_amount(run: Run) -> None:
    run("UPDATE payouts SET amount = amount + 1 WHERE payout_number = 3")


def paid_without_a_debit(run: Run) -> None:
    run("UPDATE ledger_transactions SET reason = 'other' WHERE reason = 'mock_payout_paid'")


def a_debit_of_nobody(run: Run) -> None:
    run("UPDATE ledger_transactions SET reason = 'mock_payout_paid' WHERE transaction_number = 1")


def approved_by_nobody(run: Run) -> None:
    run("UPDATE payouts SET approved_at = NULL WHERE payout_number = 3")


def approved_afterwards(run: Run) -> None:
    run("UPDATE payouts SET approved_at = updated_at + 1 WHERE payout_number = 4")


def two_open(run: Run) -> None:
    run("DROP INDEX payouts_one_open")
    run("UPDATE payouts SET developer_id = 'usr_0' WHERE payout_number = 2")


def a_step_without_a_trace(run: Run) -> None:
    run(
        "UPDATE payouts SET status = 'processing', approved_at = updated_at WHERE payout_number = 1"
    )


def a_guard_taken_off(run: Run) -> None:
    run("DROP TRIGGER audit_no_delete")


def test_sound_rows_have_no_violation(world: World) -> None:
    """No invariant objects to what operators did by the routes."""
    build(world)
    with world.snapshot() as connection:
        assert objections(connection) == {}


@pytest.mark.parametrize(
    ("breaking", "name", "subject"),
    [
        (another_amount, "payouts_are_paid_once", 3),
        (paid_without_a_debit, "payouts_are_paid_once", 3),
        (approved_by_nobody, "payouts_are_approved_first", 3),
        (approved_afterwards, "payouts_are_approved_first", 4),
        (a_step_without_a_trace, "payout_steps_are_audited", 1),
    ],
)
def test_only_the_invariant_that_was_broken_objects(
    world: World, breaking: Callable[[Run], None], name: str, subject: int
) -> None:
    """A payout broken in one way is named by one invariant."""
    made = build(world)
    break_it(world, breaking)
    with world.snapshot() as connection:
        assert objections(connection) == {name: [made[subject - 1]]}


@pytest.mark.parametrize(
    ("breaking", "name", "subject"),
    [
        (two_open, "payouts_are_open_once", "usr_0 USD"),
        (a_guard_taken_off, "audit_never_changes", "audit"),
    ],
)
def test_what_the_database_guards_is_checked_too(
    world: World, breaking: Callable[[Run], None], name: str, subject: str
) -> None:
    """An index or trigger that is gone is noticed by the invariant that it kept."""
    build(world)
    break_it(world, breaking)
    with world.snapshot() as connection:
        assert objections(connection) == {name: [subject]}


def test_a_debit_for_no_payout_is_noticed(world: World) -> None:
    """A posting that says it paid a payout, but none that exists, is named."""
    build(world)
    break_it(world, a_debit_of_nobody)
    with world.snapshot() as connection:
        (transaction_id,) = connection.exec_driver_sql(
            "SELECT transaction_id FROM ledger_transactions WHERE transaction_number = 1"
        ).scalars()
        assert objections(connection) == {"payouts_are_payouts_of_someone": [transaction_id]}
