"""Reviews, holds and keys: each invariant of theirs objects to what breaks it, and no other does."""

from typing import NamedTuple

import pytest

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.operations.key_invariants import INVARIANTS as OF_KEYS
from settlekit_mock.operations.operator_invariants import INVARIANTS as OF_OPERATORS
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.settlement.buyers import NewBuyer, create_buyer
from tests.settlekit_mock.breaking import Run, break_it
from tests.settlekit_mock.operations.conftest import SECRET, Operator, credit, plant
from tests.settlekit_mock.operations.test_invariants import PATH, objections

Named = dict[str, str]


def lived(world: World) -> Named:
    """Pay out, hold and release, adjust by key, set a balance, credit for a test, and use."""
    operator = Operator(world)
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="buyer_1"))
        create_merchant(tx, "a_shop")
    first, second = (credit(world, f"usr_{number}", 5 * MAJOR) for number in (1, 2))
    made = [item["id"] for item in operator.post(f"{PATH}/run-mock")["items"]]
    for step in ("approve", "mark-paid"):
        operator.post(f"{PATH}/{made[0]}/{step}")
    plant(world, second, 7)
    operator.get("/v1/admin/reconciliation/ledger")
    plant(world, second, -7)
    (hold,) = operator.get("/v1/admin/reconciliation/holds")["items"]
    operator.post(f"/v1/admin/reconciliation/holds/{hold['id']}/release", note="looked at")
    operator.post(f"{PATH}/{made[1]}/approve")
    path = f"/v1/admin/wallets/{first.account_id}"
    keyed = {"kind": "refund", "direction": "credit", "amount_usd": "2", "reason": "late"}
    adjusted = operator.make(f"{path}/adjustments", **keyed, idempotency_key="k1")
    operator.call("POST", f"{path}/credit-test-balance", json={"amount_usd": "3"})
    override = {"sid": "buyer_1", "balance_cents": 500}
    operator.call("POST", "/admin/balance-adjust", json=override, headers=SECRET)
    use = {"public_app_id": "app_1", "feature_key": "f", "provider": "p", "model": "m"}
    fee = {"route_mode": "byok", "fee_usd": "2", "buyer_id": "buyer_1"}
    operator.make("/v1/admin/usage", request_id="req_1", **use, **fee)
    return {
        "paid": made[0],
        "approved": made[1],
        "hold": hold["id"],
        "held": second.account_id,
        "adjusted": adjusted["id"],
        "wallet": first.account_id,
    }


class Break(NamedTuple):
    """What a statement breaks: the invariant that objects, and the subject it names."""

    name: str
    subject: str
    statements: tuple[str, ...]


_KEPT = "INSERT INTO idempotency SELECT {}, payload_hash, answer, created_at FROM idempotency"
_HELD = (
    "INSERT INTO reconciliation_holds SELECT {0}, 'hold_{0}', wallet_number, 1, 2, 3, "
    "NULL, NULL, NULL FROM reconciliation_holds LIMIT 1"
)
_TOLD = (
    "INSERT INTO audit SELECT {0}, 'aud_{0}', actor, '{1}', '{2}', details, created_at "
    "FROM audit LIMIT 1"
)
_PAYOUT = "UPDATE payouts SET {} WHERE payout_number = {}"
_UNSEEN = "UPDATE audit SET action = 'seen' WHERE action = '{}'"


def broken(name: str, subject: str, *statements: str) -> Break:
    return Break(name, subject, statements)


BREAKS = [
    broken(
        "adjustment_keys_have_one_effect",
        "adjustment k1",
        "UPDATE idempotency SET payload_hash = CAST('another' AS BLOB)",
    ),
    broken(
        "adjustment_keys_have_one_effect",
        "adjustment k1",
        "UPDATE idempotency SET answer = CAST('[]' AS BLOB)",
    ),
    broken("adjustment_keys_have_one_effect", "adjustment k2", _KEPT.format("'adjustment', 'k2'")),
    broken("adjustment_keys_have_one_effect", "nobody k1", _KEPT.format("'nobody', 'k1'")),
    broken(
        "keyed_adjustments_keep_their_answer",
        "adjusted",
        "DELETE FROM idempotency",
    ),
    broken("payouts_keep_step", "paid", _PAYOUT.format("paid_at = NULL", 1)),
    broken("payouts_keep_step", "paid", _PAYOUT.format("provider_payout_id = NULL", 1)),
    broken("payouts_keep_step", "paid", _PAYOUT.format("paid_at = paid_at + 1", 1)),
    broken("payouts_keep_step", "approved", _PAYOUT.format("provider_payout_id = 'po_9'", 2)),
    broken("payouts_keep_step", "approved", _PAYOUT.format("created_at = updated_at + 1", 2)),
    broken("payouts_leave_their_own_wallet", "approved", _PAYOUT.format("wallet_number = 1", 2)),
    broken("payouts_leave_their_own_wallet", "approved", _PAYOUT.format("currency = 'JPY'", 2)),
    broken("payouts_leave_their_own_wallet", "approved", _PAYOUT.format("developer_id = 'u'", 2)),
    broken(
        "holds_stop_payouts",
        "approved",
        "UPDATE audit SET audit_number = 99 WHERE action = 'hold.released'",
    ),
    broken("holds_are_audited", "hold", _UNSEEN.format("hold.placed")),
    broken("holds_are_audited", "hold", _UNSEEN.format("hold.released")),
    broken(
        "holds_are_active_once",
        "held",
        "DROP INDEX reconciliation_holds_one_active",
        *(_HELD.format(number) for number in (8, 9)),
        *(_TOLD.format(90 + number, "hold.placed", f"hold_{number}") for number in (8, 9)),
    ),
    broken(
        "credits_and_overrides_are_audited",
        "wallet",
        _UNSEEN.format("wallet.test_balance_credited"),
    ),
    broken(
        "credits_and_overrides_are_audited",
        "wallet",
        _TOLD.format(99, "wallet.test_balance_credited", "{wallet}"),
    ),
    broken("credits_and_overrides_are_audited", "buyer_1", _UNSEEN.format("balance.adjusted")),
    broken("uses_are_audited", "req_1", _UNSEEN.format("usage.recorded")),
]
NO_AMOUNTS = [
    broken(
        "amounts_of_acts_are_canonical",
        "payouts.amount 2",
        _PAYOUT.format("amount = X'31'", 2),
    ),
    broken(
        "amounts_of_acts_are_canonical",
        "reconciliation_holds.wallet_balance 1",
        "UPDATE reconciliation_holds SET wallet_balance = 9.5",
    ),
]
"""What SQLite alone would keep in a column of integers."""


def test_every_invariant_is_broken_here() -> None:
    """Each invariant of reviews and keys has its broken database."""
    assert {one.name for one in (*BREAKS, *NO_AMOUNTS)} == {
        check.__name__ for check in (*OF_KEYS, *OF_OPERATORS)
    }


@pytest.mark.both_databases
def test_what_operators_did_has_no_violation(world: World) -> None:
    """No invariant objects to what operators did by the routes."""
    lived(world)
    with world.snapshot() as connection:
        assert objections(connection) == {}


@pytest.mark.parametrize("broke", BREAKS, ids=lambda broke: broke.statements[0])
def test_only_the_invariant_that_was_broken_objects(world: World, broke: Break) -> None:
    """A database broken in one way is named by one invariant, with the row concerned."""
    is_named(world, broke)


@pytest.mark.sqlite
@pytest.mark.parametrize("broke", NO_AMOUNTS, ids=lambda broke: broke.statements[0])
def test_what_is_no_amount_is_named(world: World, broke: Break) -> None:
    """What is no integer where an amount must be is named, with its row."""
    is_named(world, broke)


def is_named(world: World, broke: Break) -> None:
    named = lived(world)

    def breaking(run: Run) -> None:
        for statement in broke.statements:
            run(statement.format(**named))

    break_it(world, breaking)
    with world.snapshot() as connection:
        assert objections(connection) == {broke.name: [named.get(broke.subject, broke.subject)]}


def test_a_status_that_there_is_not_is_named(world: World) -> None:
    """Where the database's own check is off, an unknown status is told, and nothing fails."""
    made = lived(world)
    break_it(world, lambda run: run(_PAYOUT.format("status = 'lost', approved_at = NULL", 2)))
    with world.snapshot() as connection:
        found = objections(connection)
    subject = made["approved"]
    assert found == {"payouts_keep_step": [subject], "payout_steps_are_audited": [subject]}
