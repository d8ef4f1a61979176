"""Settlement, payouts, adjustments, balances, top-ups and usage, in any order: nothing drifts."""

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import settings

from tests.machine.buying import Buying
from tests.machine.crediting import Crediting
from tests.machine.runs import (
    FEW_RUNS,
    RUNS,
    SAME_RUNS,
    SOAK_POSTGRESQL_RUNS,
    SOAK_RUNS,
    run,
)
from tests.machine.seen import SEEN_OF_OPERATORS


class Operators(Buying, Crediting):
    """Everything that can be done to money, in any order."""

    seen_by_all: ClassVar[Counter[str]] = Counter()


class OnPostgresql(Operators):
    """The same, elsewhere."""

    seen_by_all: ClassVar[Counter[str]] = Counter()


def test_wallets_hold_what_the_model_foretells() -> None:
    """Twenty runs of forty steps: no refusal and no balance is another's."""
    run(Operators, settings(SAME_RUNS, max_examples=20, stateful_step_count=40))
    assert not SEEN_OF_OPERATORS - Operators.seen_by_all.keys()


def test_wallets_hold_what_the_model_foretells_on_postgresql(postgresql_url: str) -> None:
    """A few runs of fifty steps on a real PostgreSQL: every act of operators among settlements."""
    run(
        OnPostgresql,
        settings(SAME_RUNS, max_examples=FEW_RUNS, stateful_step_count=50),
        postgresql_url,
    )
    assert not SEEN_OF_OPERATORS - OnPostgresql.seen_by_all.keys()


@pytest.mark.soak
def test_wallets_hold_what_the_model_foretells_at_length() -> None:
    """A fifth as many runs as the whole machine has, of a hundred steps."""
    run(
        Operators,
        settings(RUNS, max_examples=max(SOAK_RUNS // 5, 1), stateful_step_count=100),
    )


@pytest.mark.soak
def test_wallets_hold_what_the_model_foretells_on_postgresql_at_length(postgresql_url: str) -> None:
    """Runs of a hundred steps, some minutes of them."""
    run(
        Operators,
        settings(RUNS, max_examples=SOAK_POSTGRESQL_RUNS, stateful_step_count=100),
        postgresql_url,
    )
