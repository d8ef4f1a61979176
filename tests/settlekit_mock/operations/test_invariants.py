"""Each invariant of the operator's rows objects to what breaks it, and no other does."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.invariants import INVARIANTS as LEDGER_INVARIANTS
from settlekit_mock.operations.billing import Payment, receive_payment
from settlekit_mock.operations.invariants import INVARIANTS
from settlekit_mock.operations.rules.top_ups import Completed
from settlekit_mock.operations.top_ups import begin_top_up, credit_top_up
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.settlement.buyers import NewBuyer, create_buyer
from tests.settlekit_mock.breaking import Run, break_it
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


def act(world: World) -> list[str]:
    """Adjust, pay, top up and use: an act of each kind, and a top-up that is still pending."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="buyer_1"))
        create_merchant(tx, "a_shop")
        receive_payment(tx, Payment("buyer_1", "cp_1", 700, "TZS", "clickpesa"))
        urls = {"success_url": "https://a.example/", "cancel_url": "https://a.example/"}
        begun = [begin_top_up(tx, "buyer_1", amount_cents=500, **urls) for _ in range(2)]
        credit_top_up(tx, Completed("evt_1", begun[0].session_id, 500))
        wallet_id = begun[0].wallet_id
    operator = Operator(world)
    path = f"/v1/admin/wallets/{wallet_id}/adjustments"
    made = operator.make(path, kind="refund", direction="debit", amount_usd="2")
    use = {"public_app_id": "app_1", "feature_key": "f", "provider": "p", "model": "m"}
    fee = {"route_mode": "byok", "fee_usd": "2"}
    operator.make("/v1/admin/usage", request_id="req_1", **use, **fee)
    return [made["id"], begun[0].top_up_id, begun[1].top_up_id]


def an_adjustment_of_more(run: Run) -> None:
    run("UPDATE wallet_adjustments SET amount = amount - 1")


def an_adjustment_of_another_kind(run: Run) -> None:
    run("UPDATE wallet_adjustments SET kind = 'chargeback'")


def an_adjustment_without_a_trace(run: Run) -> None:
    run("UPDATE audit SET action = 'wallet.seen' WHERE action = 'wallet.adjusted'")


def a_payment_of_more(run: Run) -> None:
    run("UPDATE payment_events SET amount_cents = 701 WHERE external_ref = 'cp_1'")


def a_payment_of_somebody_else(run: Run) -> None:
    run("UPDATE payment_events SET buyer_id = 'buyer_2' WHERE external_ref = 'cp_1'")


def a_top_up_of_more(run: Run) -> None:
    run("UPDATE top_ups SET amount_cents = 501 WHERE event_id IS NOT NULL")


def a_top_up_that_was_never_paid(run: Run) -> None:
    run("UPDATE top_ups SET event_id = 'evt_2', credited_at = 1 WHERE event_id IS NULL")


def a_top_up_that_forgot(run: Run) -> None:
    run("UPDATE top_ups SET event_id = NULL, credited_at = NULL WHERE event_id IS NOT NULL")


def a_use_that_was_shared_otherwise(run: Run) -> None:
    run("UPDATE usage_records SET channel = channel + 1, platform = platform - 1")


def a_use_of_another_price(run: Run) -> None:
    run("UPDATE usage_records SET retail = retail + 1, upstream = upstream + 1")


def a_guard_of_acts_taken_off(run: Run) -> None:
    run("DROP TRIGGER payment_events_no_delete")


@pytest.mark.parametrize(
    ("breaking", "name", "subject"),
    [
        (an_adjustment_of_more, "adjustments_are_posted_once", 0),
        (an_adjustment_of_another_kind, "adjustments_are_posted_once", 0),
        (an_adjustment_without_a_trace, "adjustments_are_audited", 0),
        (a_payment_of_more, "payments_are_credited_once", "cp_1"),
        (a_payment_of_somebody_else, "payments_are_credited_once", "cp_1"),
        (a_top_up_of_more, "top_ups_are_credited_once", 1),
        (a_top_up_that_was_never_paid, "top_ups_are_credited_once", 2),
        (a_top_up_that_forgot, "top_ups_are_credited_once", 1),
        (a_use_that_was_shared_otherwise, "usage_is_shared_out_once", "req_1"),
        (a_use_of_another_price, "usage_is_shared_out_once", "req_1"),
        (a_guard_of_acts_taken_off, "acts_never_change", "payment_events"),
    ],
)
def test_only_the_invariant_of_the_act_objects(
    world: World, breaking: Callable[[Run], None], name: str, subject: int | str
) -> None:
    """An act that was broken in one way is named by one invariant."""
    made = act(world)
    break_it(world, breaking)
    expected = made[subject] if isinstance(subject, int) else subject
    with world.snapshot() as connection:
        assert objections(connection) == {name: [expected]}


def test_a_price_that_isnt_its_parts_is_noticed(world: World) -> None:
    """Where the database's own check is off, the sum is checked all the same."""
    act(world)
    break_it(world, lambda run: run("UPDATE usage_records SET upstream = 1"))
    with world.snapshot() as connection:
        assert set(objections(connection)) == {"usage_adds_up", "usage_is_shared_out_once"}


@pytest.mark.parametrize(
    "reason",
    ["wallet_refund", "payment_received", "stripe_checkout_topup", "usage_provider_cost"],
)
def test_a_posting_for_no_act_is_noticed(world: World, reason: str) -> None:
    """A posting that says it adjusted, paid or shared out, but for nothing, is named."""
    credit(world, "usr_1", MAJOR)
    act(world)
    seeded = "SELECT transaction_id FROM ledger_transactions WHERE reason = 'seed'"
    with world.snapshot() as connection:
        (transaction_id,) = connection.exec_driver_sql(seeded).scalars()
    renamed = f"UPDATE ledger_transactions SET reason = '{reason}' WHERE reason = 'seed'"
    break_it(world, lambda run: run(renamed))
    with world.snapshot() as connection:
        assert objections(connection) == {"postings_belong_to_an_act": [transaction_id]}


def test_acts_have_no_violation(world: World) -> None:
    """No invariant objects to adjustments, payments, top-ups and uses as they are made."""
    act(world)
    with world.snapshot() as connection:
        assert objections(connection) == {}


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
    run("UPDATE payouts SET developer_id = 'usr_0', wallet_number = 1 WHERE payout_number = 2")


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
