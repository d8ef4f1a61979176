"""Side by side, callers still move money once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Leg, balance, post
from settlekit_mock.operations.top_ups import begin_top_up
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.settlement.buyers import NewBuyer, create_buyer
from tests.settlekit_mock.operations.conftest import Operator, credit, held, plant, sound

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


def test_32_callers_with_one_key_adjust_once(world_on_file: World) -> None:
    """However many send one key at once, all are answered the same bytes and money moves once."""
    operator = Operator(world_on_file)
    account = credit(world_on_file, "buyer_1", 10 * MAJOR, scope="end_user")
    body = {"kind": "refund", "direction": "debit", "amount_usd": "6", "idempotency_key": "k"}
    path = f"/v1/admin/wallets/{account.account_id}/adjustments"
    answers = together(32, lambda: operator.call("POST", path, json=body))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert held(world_on_file, account) == 4 * MAJOR
    for table in ("wallet_adjustments", "audit", "idempotency"):
        assert count(world_on_file, f"SELECT count(*) FROM {table}") == 1
    assert sound(world_on_file)


@pytest.mark.both_databases
def test_of_callers_with_one_key_and_other_payloads_one_is_served(world_on_file: World) -> None:
    """Eight amounts under one key at once: one is applied, the others conflict, again and again."""
    operator = Operator(world_on_file)
    account = credit(world_on_file, "usr_1", 40 * MAJOR)
    path = f"/v1/admin/wallets/{account.account_id}/adjustments"
    asked = {"kind": "refund", "direction": "credit", "idempotency_key": "k"}
    amounts = iter([f"0.{number}" for number in range(1, 9)] * 2)
    for _ in range(2):
        answers = together(
            8, lambda: operator.call("POST", path, json={**asked, "amount_usd": next(amounts)})
        )
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
        refused = [answer.json for answer in answers if answer.status_code == 409]
        assert {one["error"]["code"] for one in refused if one} == {"idempotency_key_reused"}
        (served,) = [answer.json for answer in answers if answer.status_code == 201]
        assert served is not None
        applied = count(world_on_file, "SELECT amount FROM wallet_adjustments")
        assert applied == int(served["amount_usd"].replace(".", ""))
        assert held(world_on_file, account) == 40 * MAJOR + applied
    assert sound(world_on_file)


@pytest.mark.both_databases
def test_a_use_sent_at_once_with_other_prices_is_charged_once(world_on_file: World) -> None:
    """Eight prices under one request id: all are answered the first, and one is charged."""
    with world_on_file.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="buyer_1"))
        create_merchant(tx, "a_shop")
    account = credit(world_on_file, "buyer_1", 40 * MAJOR, scope="end_user")
    operator = Operator(world_on_file)
    use = {"request_id": "r", "public_app_id": "a", "feature_key": "f", "provider": "p"}
    fees = iter([f"0.{number}" for number in range(1, 9)])
    answers = together(
        8,
        lambda: (
            operator.call(
                "POST",
                "/v1/admin/usage",
                json={**use, "model": "m", "route_mode": "byok", "fee_usd": next(fees)},
            ).data
        ),
    )
    assert len(answers) == 8
    assert len(set(answers)) == 1
    charged = count(world_on_file, "SELECT retail FROM usage_records")
    assert held(world_on_file, account) == 40 * MAJOR - charged
    assert sound(world_on_file)


def test_callers_race_for_the_last_money(world_on_file: World) -> None:
    """Of many debits without a key, as many apply as the balance holds, and no more."""
    operator = Operator(world_on_file)
    account = credit(world_on_file, "buyer_1", 10 * MAJOR, scope="end_user")
    body = {"kind": "adjustment", "direction": "debit", "amount_usd": "3"}
    path = f"/v1/admin/wallets/{account.account_id}/adjustments"
    statuses = together(8, lambda: operator.call("POST", path, json=body).status_code)
    assert sorted(statuses) == [201] * 3 + [402] * 5
    assert held(world_on_file, account) == MAJOR
    assert sound(world_on_file)


def test_postings_in_opposite_order_never_wait_for_each_other(world_on_file: World) -> None:
    """Two wallets that pay each other at once, again and again, end with every unit there."""
    first, second = (credit(world_on_file, f"usr_{n}", 1000) for n in range(2))
    turns = iter([(first, second), (second, first)] * 4)

    def pay_back_and_forth() -> None:
        source, taker = next(turns)
        for _ in range(10):
            with world_on_file.transaction() as tx:
                post(tx, "swap", [Leg(source, -7), Leg(taker, 7)], subject="x")

    together(8, pay_back_and_forth)
    assert [held(world_on_file, account) for account in (first, second)] == [1000, 1000]
    query = "SELECT count(*) FROM ledger_transactions WHERE reason = 'swap'"
    assert count(world_on_file, query) == 80
    assert sound(world_on_file)


def test_an_event_delivered_many_times_credits_once(world_on_file: World) -> None:
    """However often the processor repeats itself at once, a top-up is credited by one of them."""
    with world_on_file.transaction() as tx:
        urls = {"success_url": "https://a.example/", "cancel_url": "https://a.example/"}
        begun = begin_top_up(tx, "buyer_1", amount_cents=500, **urls)
    session = {"id": begun.session_id, "currency": "usd", "amount_total": 500}
    event = {
        "id": "evt_1",
        "type": "checkout.session.completed",
        "data": {"object": session},
    }
    operator = Operator(world_on_file, None)
    answers = together(8, lambda: operator.post("/v1/stripe/webhook", **event)["topup"])
    told = [answer for answer in answers if "credited_wallet_balance_usd" in answer]
    assert len(told) == 1
    assert count(world_on_file, "SELECT count(*) FROM payment_events") == 1
    assert sound(world_on_file)
