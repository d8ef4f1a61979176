import pytest

from settlekit_mock.recurring.invariants import INVARIANTS
from tests.settlekit_mock.payments.conftest import data
from tests.settlekit_mock.recurring.conftest import Shop

BROKEN = {
    "subscriptions_equal_their_charges": "UPDATE payment_subscriptions SET charge_count = 2",
    "authorizations_equal_their_runs": (
        "UPDATE scheduled_authorizations SET run_count = 3, max_runs = 4"
    ),
    "runs_stay_within_their_number": "UPDATE scheduled_authorizations SET max_runs = 1",
    "recurring_charges_are_payments": "UPDATE requirements SET buyer_id = 'other_buyer'",
    "recurring_charges_never_change": "DROP TRIGGER scheduled_runs_no_update",
}


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """A shop with a subscription and two runs, in a copy of its world that a test may break."""
    data(shop.subscribe(), 201)
    token = data(shop.authorize(max_runs=5), 201)["schedule_token"]
    for slot_id in "12":
        data(shop.run(token, slot_id))
    return shop


def found(shop: Shop) -> set[str]:
    with shop.world.snapshot() as connection:
        return {one.name for invariant in INVARIANTS for one in invariant(connection)}


def test_all_are_broken_here() -> None:
    """Every invariant has its broken database."""
    assert [invariant.__name__ for invariant in INVARIANTS] == list(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_only_it_objects(lived: Shop, name: str) -> None:
    """A sound database is sound to all; a broken one only the invariant that it breaks objects to."""
    image = lived.world.image()
    assert found(lived) == set()
    with lived.world.transaction() as tx:
        tx.connection.exec_driver_sql(BROKEN[name])
    assert found(lived) == {name}
    lived.world.restore(image)
