import pytest
from werkzeug.test import Client

from settlekit_mock.app import build, open_world
from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.payments.billing import set_chain_balance
from settlekit_mock.payments.capabilities_invariants import INVARIANTS
from settlekit_mock.payments.merchants import create_merchant
from tests.settlekit_mock.payments.conftest import NOW, Api, data
from tests.settlekit_mock.payments.test_capabilities import Agent

BROKEN = {
    "charged_keys_keep_their_answer": (
        "UPDATE capability_executions SET answer = NULL WHERE requirement_id IS NOT NULL"
    ),
    "executions_are_paid_once": (
        "UPDATE capability_executions SET buyer_id = 'other_buyer' WHERE requirement_id IS NOT NULL"
    ),
    "base_fees_are_posted_once": "UPDATE base_fees SET amount_minor = 1 WHERE status = 'paid'",
    "unpaid_base_fees_are_due": "DELETE FROM due WHERE kind = 'billing.retry'",
}


@pytest.fixture
def lived() -> World:
    """A world with a key that charged and one that didn't, a fee that was paid and one that wasn't."""
    world = open_world(settings=Settings(seed=7, freeze_at=NOW))
    with world.transaction() as tx:
        create_merchant(tx, "paid_shop", billing_plan="starter")
        set_chain_balance(tx, create_merchant(tx, "poor_shop", billing_plan="pro"), "JPY", 0)
    world.due.advance(from_text("2026-04-02T00:00:00Z"))
    agent = Agent(Api(Client(build(world))), world)
    agent.provider_will("5xx")
    assert not data(agent.run(idempotency_key="failed"))["charged"]
    assert data(agent.run())["charged"]
    yield world
    world.close()


def found(world: World) -> set[str]:
    with world.snapshot() as connection:
        return {one.name for invariant in INVARIANTS for one in invariant(connection)}


def test_all_are_broken_here() -> None:
    """Every invariant has its broken database."""
    assert [invariant.__name__ for invariant in INVARIANTS] == list(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_only_it_objects(lived: World, name: str) -> None:
    """A sound database is sound to all; a broken one only the invariant that it breaks objects to."""
    assert found(lived) == set()
    with lived.transaction() as tx:
        tx.connection.exec_driver_sql(BROKEN[name])
    assert found(lived) == {name}
