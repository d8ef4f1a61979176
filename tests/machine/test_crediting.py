"""Settlement, payouts, adjustments, balances, top-ups and usage, in any order: nothing drifts."""

import pytest
from hypothesis import settings

from tests.machine.buying import Buying
from tests.machine.crediting import Crediting
from tests.machine.operating import Operating
from tests.machine.runs import RUNS, SAME_RUNS, SOAK_RUNS, run


class Operators(Buying, Operating, Crediting):
    """Everything that can be done to money, in any order."""


def test_wallets_hold_what_the_model_foretells() -> None:
    """Twenty runs of forty steps: no refusal and no balance is another's."""
    run(Operators, settings(SAME_RUNS, max_examples=20, stateful_step_count=40))


@pytest.mark.soak
def test_wallets_hold_what_the_model_foretells_at_length() -> None:
    """A fifth as many runs as the whole machine has, of a hundred steps."""
    run(
        Operators,
        settings(RUNS, max_examples=max(SOAK_RUNS // 5, 1), stateful_step_count=100),
    )
