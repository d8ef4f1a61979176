"""A fresh mock in this process, after the first."""

from collections.abc import Iterator

from figures import Figure, Unit, at_most
from measuring import Scale, medians, timed

from settlekit_mock import MockServer


def measure(scale: Scale) -> Iterator[Figure]:
    _fresh()
    (ours,) = medians(scale.pick(9, 41), timed(_fresh, 5))
    yield Figure(
        work="a fresh in-process mock, after the first",
        ours=ours,
        unit=Unit.SECONDS,
        target=at_most(0.010),
    )


def _fresh() -> None:
    MockServer().close()
