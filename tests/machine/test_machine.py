"""Whatever is done to a mock, in whatever order: it does what the model foretells."""

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import settings

from tests.machine.machine import Machine
from tests.machine.runs import (
    FEW_RUNS,
    RUNS,
    SAME_RUNS,
    SOAK_POSTGRESQL_RUNS,
    SOAK_RUNS,
    run,
)
from tests.machine.seen import MUST_BE_SEEN


class FirstFifty(Machine):
    """Half of the runs; its name alone makes them others than the second half's."""

    seen_by_all: ClassVar[Counter[str]] = Counter()


class SecondFifty(Machine):
    """The other half, so that two processes share them."""

    seen_by_all: ClassVar[Counter[str]] = Counter()


class OnPostgresql(Machine):
    """The same, elsewhere."""

    seen_by_all: ClassVar[Counter[str]] = Counter()


@pytest.mark.parametrize("machine", [FirstFifty, SecondFifty])
def test_the_mock_does_what_the_model_foretells(machine: type[Machine]) -> None:
    """Fifty runs of fifty steps: no refusal, amount, time or state is another's; none is missed."""
    run(machine, settings(SAME_RUNS, max_examples=50, stateful_step_count=50))
    missed = sorted(MUST_BE_SEEN - machine.seen_by_all.keys())
    assert not missed, machine.seen_by_all


def test_the_mock_does_what_the_model_foretells_on_postgresql(postgresql_url: str) -> None:
    """A few runs of fifty steps on a real PostgreSQL, where batches settle and fail, too."""
    run(
        OnPostgresql,
        settings(SAME_RUNS, max_examples=FEW_RUNS, stateful_step_count=50),
        postgresql_url,
    )
    assert OnPostgresql.seen_by_all.keys() >= {"journal batch.settled", "journal debit.failed"}


@pytest.mark.soak
def test_the_mock_does_what_the_model_foretells_at_length() -> None:
    """Five thousand runs of a hundred steps."""
    run(Machine, settings(RUNS, max_examples=SOAK_RUNS, stateful_step_count=100))


@pytest.mark.soak
def test_the_mock_does_what_the_model_foretells_on_postgresql_at_length(
    postgresql_url: str,
) -> None:
    """Runs of a hundred steps, some minutes of them."""
    run(
        Machine,
        settings(RUNS, max_examples=SOAK_POSTGRESQL_RUNS, stateful_step_count=100),
        postgresql_url,
    )
