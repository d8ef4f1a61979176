"""A year of the clock over a world in which nothing is due."""

import time
from collections.abc import Iterator

from figures import Figure, Unit, at_most
from measuring import Scale, medians

from settlekit_mock import MockServer


def measure(scale: Scale) -> Iterator[Figure]:
    (ours,) = medians(scale.pick(9, 41), _year)
    yield Figure(
        work="advance an idle world by a year",
        ours=ours,
        unit=Unit.SECONDS,
        target=at_most(0.050),
    )


def _year() -> float:
    with MockServer() as mock:
        started = time.perf_counter()
        mock.clock.advance(days=365)
        return time.perf_counter() - started
