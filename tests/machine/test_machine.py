"""Whatever is done to a mock, in whatever order: it does what the model foretells."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.runs import RUNS


def test_the_mock_does_what_the_model_foretells() -> None:
    """A hundred runs of fifty steps: no refusal, amount, time or state is another's."""
    run_state_machine_as_test(
        Machine, settings=settings(RUNS, max_examples=100, stateful_step_count=50)
    )


@pytest.mark.soak
def test_the_mock_does_what_the_model_foretells_at_length() -> None:
    """Five thousand runs of a hundred steps."""
    run_state_machine_as_test(
        Machine, settings=settings(RUNS, max_examples=5_000, stateful_step_count=100)
    )
