"""Side by side, callers still move money once."""

import threading
from collections.abc import Callable
from typing import Any

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import balance
from tests.settlekit_mock.operations.conftest import Operator, credit, plant
from tests.settlekit_mock.operations.test_payouts import sound

PATH = "/v1/admin/payouts"


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do the same in several threads that start at one moment, and return what each got."""
    gate = threading.Barrier(count)
    found: list[Any] = []

    def run() -> None:
        gate.wait()
        found.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def count(world: World, query: str) -> int:
    with world.snapshot() as connection:
        found: int = connection.exec_driver_sql(query).scalar_one()
    return found


def test_eight_callers_mark_one_payout_paid(world_on_file: World) -> None:
    """All eight are answered alike, and the wallet is debited once."""
    operator = Operator(world_on_file)
    account = credit(world_on_file, "usr_1", 40 * MAJOR)
    (payout,) = operator.post(f"{PATH}/run-mock")["items"]
    operator.post(f"{PATH}/{payout['id']}/approve")
    answers = together(8, lambda: operator.call("POST", f"{PATH}/{payout['id']}/mark-paid").data)
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert (
        count(
            world_on_file,
            "SELECT count(*) FROM ledger_transactions WHERE reason = 'mock_payout_paid'",
        )
        == 1
    )
    with world_on_file.snapshot() as connection:
        assert balance(connection, account.number) == 0
    assert sound(world_on_file)


def test_two_runs_at_once_open_one_payout_for_each(world_on_file: World) -> None:
    """Whichever run comes first opens all, and the other none."""
    operator = Operator(world_on_file)
    for number in range(10):
        credit(world_on_file, f"usr_{number}", 2 * MAJOR)
    answers = together(2, lambda: operator.post(f"{PATH}/run-mock")["items"])
    assert sorted(len(items) for items in answers) == [0, 10]
    assert count(world_on_file, "SELECT count(*) FROM payouts") == 10
    assert sound(world_on_file)


def test_a_mismatch_seen_by_many_puts_on_one_hold(world_on_file: World) -> None:
    """However many reconcile at once, a wallet that doesn't match has one hold."""
    operator = Operator(world_on_file)
    plant(world_on_file, credit(world_on_file, "usr_1", 5), -1)
    together(6, lambda: operator.get("/v1/admin/reconciliation/ledger"))
    assert count(world_on_file, "SELECT count(*) FROM reconciliation_holds") == 1
    assert count(world_on_file, "SELECT count(*) FROM audit") == 1
