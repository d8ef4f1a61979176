"""How long Hypothesis searches: the same runs every time, and others at length in a soak."""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from settlekit_mock.kernel.database import MEMORY_URL
from tests.machine.opening import opened
from tests.machine.world import World

SOAK_RUNS: Final = int(os.environ.get("SOAK_RUNS", "5000"))
"""Runs of the machine in a soak; fewer for a trial."""
SOAK_POSTGRESQL_RUNS: Final = int(os.environ.get("SOAK_POSTGRESQL_RUNS", "40"))
"""Runs of each machine on PostgreSQL in a soak: some minutes."""
FEW_RUNS: Final = 5
"""Runs where each step costs four times what it does in memory."""
RUNS: Final = settings(
    deadline=None,
    print_blob=True,
    # Explaining a failure by coverage takes minutes on worlds like these.
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
"""Other runs each time; a failure prints its steps, and the blob that repeats it."""
SAME_RUNS: Final = settings(
    RUNS, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
"""The same runs each time, so that what they come across can be counted on.

A failure is told as it was found: to look for the shortest may take as long as all tests
together, and a soak does it.
"""


def run(machine: type[World], given: settings, url: str = MEMORY_URL) -> None:
    """Run a machine on a database: every step does what the model foretells, or it raises."""
    with opened(url) as machine.opened:
        run_state_machine_as_test(machine, settings=given)
