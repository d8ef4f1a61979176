"""The kernel's own rows are guarded, and each guard that is gone is named."""

import pytest

from settlekit_mock.kernel.own_invariants import INVARIANTS
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.breaking import break_it

TABLES = {"journal_never_changes": "events", "first_answers_never_change": "idempotency"}


def objections(world: World) -> dict[str, list[str]]:
    with world.snapshot() as connection:
        found = {check.__name__: check(connection) for check in INVARIANTS}
    return {name: [one.subject for one in many] for name, many in found.items() if many}


@pytest.mark.parametrize("verb", ["update", "delete"])
@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_a_guard_that_is_gone_is_named(world: World, name: str, table: str, verb: str) -> None:
    """Without its trigger a table can be changed, and one invariant says so."""
    assert objections(world) == {}
    break_it(world, lambda run: run(f"DROP TRIGGER {table}_no_{verb}"))
    assert objections(world) == {name: [table]}
