"""Measure things side by side: samples take turns, and the median speaks for each.

Machines are noisy. Turns spread the noise over all contestants, so the ratio of their
medians holds where the medians themselves don't.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Sample = Callable[[], float]
"""Does some work and returns what was measured."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much to measure."""

    quick: bool = False
    official_sandbox: str | None = None

    def pick(self, quick: int, full: int) -> int:
        return quick if self.quick else full


def timed(work: Callable[[], object], times: int = 1) -> Sample:
    """Return a sample of the seconds that one call of ``work`` takes."""

    def sample() -> float:
        started = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - started) / times

    return sample


def medians(rounds: int, *samples: Sample) -> list[float]:
    """Take each sample once a round, another one first each time, and return their medians."""
    found: list[list[float]] = [[] for _ in samples]
    for index in range(rounds):
        for turn in range(len(samples)):
            which = (index + turn) % len(samples)
            found[which].append(samples[which]())
    return [median(values) for values in found]
