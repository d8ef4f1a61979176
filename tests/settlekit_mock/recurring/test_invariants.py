from collections.abc import Iterator

import pytest

from settlekit_mock.recurring.invariants import INVARIANTS
from tests.settlekit_mock.breaking import break_it
from tests.settlekit_mock.payments.conftest import data
from tests.settlekit_mock.recurring.conftest import Shop, opened_shop

BROKEN = {
    "subscriptions_equal_their_charges": "UPDATE payment_subscriptions SET charge_count = 2",
    "authorizations_equal_their_runs": (
        "UPDATE scheduled_authorizations SET run_count = 3, max_runs = 4"
    ),
    "runs_stay_within_their_number": "UPDATE scheduled_authorizations SET max_runs = 1",
    "recurring_charges_are_payments": "UPDATE requirements SET buyer_id = 'other_buyer'",
    "what_recurs_is_due": "DELETE FROM due WHERE kind = 'authorization.expire'",
    "recurring_charges_never_change": "DROP TRIGGER scheduled_runs_no_update",
    "redeemed_challenges_have_one_effect": (
        "INSERT INTO idempotency SELECT scope, 'another', payload_hash, answer, created_at "
        "FROM idempotency WHERE scope = 'recurring_challenge' LIMIT 1"
    ),
    "slots_have_one_effect": (
        "INSERT INTO idempotency SELECT scope, 'another', payload_hash, answer, created_at "
        "FROM idempotency WHERE scope <> 'recurring_challenge' LIMIT 1"
    ),
    "effects_keep_their_answer": "DELETE FROM idempotency WHERE key = '2'",
}
KEPT_OTHERWISE = {
    "redeemed_challenges_have_one_effect": (
        "UPDATE idempotency SET answer = CAST('{}' AS BLOB) WHERE scope = 'recurring_challenge'",
        "UPDATE idempotency SET payload_hash = answer WHERE length(answer) > 100",
    ),
    "slots_have_one_effect": (
        "UPDATE idempotency SET answer = CAST('{}' AS BLOB) WHERE key = '1'",
    ),
}
"""An answer of something else, and a payload of somebody else."""


@pytest.fixture
def lived() -> Iterator[Shop]:
    """A shop with a subscription and two runs, which a test may break."""
    with opened_shop() as shop:
        live(shop)
        yield shop


def live(shop: Shop) -> None:
    data(shop.subscribe(), 201)
    made = data(shop.authorize(max_runs=5, expires_at="2027-01-01T00:00:00Z"), 201)
    for slot_id in "12":
        data(shop.run(made["schedule_token"], slot_id))


def found(shop: Shop) -> set[str]:
    with shop.world.snapshot() as connection:
        return {one.name for invariant in INVARIANTS for one in invariant(connection)}


def test_all_are_broken_here() -> None:
    """Every invariant has its broken database."""
    assert [invariant.__name__ for invariant in INVARIANTS] == list(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_only_it_objects(lived: Shop, name: str) -> None:
    """A sound database is sound to all; a broken one only the invariant that it breaks objects to."""
    assert found(lived) == set()
    break_it(lived.world, lambda run: run(BROKEN[name]))
    assert found(lived) == {name}


@pytest.mark.parametrize(
    ("name", "statement"),
    [(name, statement) for name, several in KEPT_OTHERWISE.items() for statement in several],
)
def test_an_answer_that_was_changed_is_noticed(lived: Shop, name: str, statement: str) -> None:
    """A key's answer or payload that isn't its effect's is told by the invariant of keys."""
    break_it(lived.world, lambda run: run(statement))
    assert found(lived) == {name}


def test_a_renewal_that_is_lost(lived: Shop) -> None:
    """A subscription whose next charge isn't due any more is told."""
    with lived.world.transaction() as tx:
        tx.connection.exec_driver_sql("DELETE FROM due WHERE kind = 'subscription.renew'")
    assert found(lived) == {"what_recurs_is_due"}
