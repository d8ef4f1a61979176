"""The provider's summary in process, at a thousand events and at a million."""

from collections.abc import Iterator

from figures import Figure, Unit, ratio_at_most
from measuring import Scale, medians, timed
from samples import ORIGIN, world_with

from settlekit.testing.transports import sync_http
from settlekit_mock import MockServer

BUYERS = 101
"""As many open periods in both worlds: a scope pauses at 10,000 yen."""


def measure(scale: Scale) -> Iterator[Figure]:
    much = scale.pick(50_500, 999_900)
    small, _ = world_with(1_010, BUYERS)
    large, _ = world_with(much, BUYERS)
    with small, large:
        samples = (timed(lambda mock=mock: _summary(mock), 3) for mock in (large, small))
        ours, theirs = medians(scale.pick(9, 41), *samples)
    yield Figure(
        work=f"provider summary at {much:,} events",
        ours=ours,
        theirs=theirs,
        against="at 1,010 events",
        unit=Unit.SECONDS,
        target=ratio_at_most(1.5),
    )


def _summary(mock: MockServer) -> None:
    headers = {"Authorization": f"Bearer {mock.token('provider')}"}
    with sync_http(mock.app) as http:
        http.get(f"{ORIGIN}/v1/sdrp/metered/provider/summary", headers=headers).raise_for_status()
