"""Usage in bulk, on a database in a file."""

import time
from collections.abc import Iterator

from figures import Figure, Unit, at_least
from measuring import Scale, medians
from samples import pay, world_on_file

BUYERS = 20


def measure(scale: Scale) -> Iterator[Figure]:
    payments = scale.pick(20_000, 100_000)
    (seconds,) = medians(3, lambda: _seconds(payments))
    yield Figure(
        work=f"usage in bulk, {payments:,} payments on disk",
        ours=payments / seconds,
        unit=Unit.RATE,
        target=at_least(20_000),
    )


def _seconds(payments: int) -> float:
    with world_on_file() as mock:
        buyers = [mock.buyers.create() for _ in range(BUYERS)]
        started = time.perf_counter()
        for buyer in buyers:
            pay(mock, buyer, payments // BUYERS)
        return time.perf_counter() - started
