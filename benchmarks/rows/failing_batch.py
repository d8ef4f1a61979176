"""A batch's whole life with every automatic attempt failing, then written off, in process."""

import time
from collections.abc import Iterator

from figures import Figure, Unit, at_most
from measuring import Scale, medians

from settlekit_mock import MockServer

STORY = "past_due_then_written_off"


def measure(scale: Scale) -> Iterator[Figure]:
    (ours,) = medians(scale.pick(9, 41), _life)
    yield Figure(
        work="a batch's life: 28 failed attempts and a write-off",
        ours=ours,
        unit=Unit.SECONDS,
        target=at_most(0.050),
    )


def _life() -> float:
    with MockServer(freeze_at="2026-03-01T00:00:00Z") as mock:
        started = time.perf_counter()
        mock.scenarios.play(STORY)
        return time.perf_counter() - started
