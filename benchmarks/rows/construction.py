"""Building a client for an http:// URL."""

from collections.abc import Iterator

import httpx
from figures import Figure, Unit, at_most
from measuring import Scale, medians, timed

from settlekit import Client


def _ours() -> None:
    Client(token="token", base_url="http://127.0.0.1:8787/v1").close()


def _theirs() -> None:
    httpx.Client().close()


def measure(scale: Scale) -> Iterator[Figure]:
    _ours()
    ours, theirs = medians(scale.pick(5, 15), timed(_ours, 50), timed(_theirs, 2))
    yield Figure(
        work="build a client for an http:// URL",
        ours=ours,
        theirs=theirs,
        against="httpx.Client()",
        unit=Unit.SECONDS,
        target=at_most(0.001),
    )
