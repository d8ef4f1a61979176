"""How long Hypothesis searches: bounded here, at length in a soak, the same again in CI."""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

RUNS: Final = settings(
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    # Explaining a failure by coverage takes minutes on worlds like these.
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
"""The settings that the others are made from: ``settings(RUNS, max_examples=…)``."""
