"""Usage accepted one by one, by POST /_mock/usage."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

from figures import Figure, Unit, at_least, ratio_at_most
from measuring import Sample, Scale, medians, timed
from samples import MERCHANT, pay, world_with
from serving import Caller, mock_server, rate

CONNECTIONS = 2
BUYERS = 20
"""A scope pauses at 10,000 yen, and each payment is one."""


def measure(scale: Scale) -> Iterator[Figure]:
    early, late = 1_000, scale.pick(20_000, 100_000)
    samples = [_sample(late), _sample(early)]
    ours, theirs = medians(scale.pick(101, 301), *samples)
    yield Figure(
        work="usage one by one, in process",
        ours=1 / ours,
        unit=Unit.RATE,
        target=at_least(1_000),
    )
    yield Figure(
        work=f"one payment at the {late:,}th",
        ours=ours,
        theirs=theirs,
        against=f"at the {early:,}th",
        unit=Unit.SECONDS,
        target=ratio_at_most(1.1),
    )
    yield Figure(
        work="usage one by one, on a socket and on disk",
        ours=_on_a_socket(1.5 if scale.quick else 10.0),
        unit=Unit.RATE,
        target=at_least(1_000),
    )


def _sample(events: int) -> Sample:
    mock, buyers = world_with(events, BUYERS)
    turn = cycle(buyers)
    return timed(lambda: pay(mock, next(turn)), 5)


def _on_a_socket(seconds: float) -> float:
    with (
        tempfile.TemporaryDirectory() as folder,
        mock_server("--db", str(Path(folder, "mock.db"))) as url,
    ):

        def make_call(_: int) -> Callable[[], object]:
            call = Caller(url)
            buyers = [call("POST", "/_mock/buyers", {})["buyer_id"] for _ in range(BUYERS)]
            turn = cycle(buyers)
            given = {"merchant": MERCHANT, "amount_minor": 1, "currency": "JPY"}
            return lambda: call("POST", "/_mock/usage", {**given, "buyer": next(turn)})

        return rate(make_call, CONNECTIONS, seconds)
