"""Checkouts over HTTP: created, confirmed, the webhook delivered, every step in a file."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from figures import Figure, Unit, ratio_at_least
from measuring import Scale
from serving import Caller, fixed_server, mock_server, rate

from rows.summary import NOTE, TOKEN, pay_checkout

CONNECTIONS = 4
RECORDED = 529.0
"""Pairs a second of the platform's own sandbox; it did 529 to 929, in memory."""


def measure(scale: Scale) -> Iterator[Figure]:
    seconds = 3.0 if scale.quick else 15.0
    theirs = RECORDED
    if scale.official_sandbox is not None:
        theirs = _rate(scale.official_sandbox, seconds)
    with tempfile.TemporaryDirectory() as folder, fixed_server(b"{}") as shop:
        options = ("--db", str(Path(folder, "mock.db")), "--webhook-url", f"{shop}/webhook")
        with mock_server(*options) as url:
            _fund(url)
            ours = _rate(url, seconds)
    yield Figure(
        work="checkout created, confirmed, webhook delivered; on disk",
        ours=ours,
        theirs=theirs,
        against="official sandbox, in memory" + ("" if scale.official_sandbox else ", recorded"),
        unit=Unit.RATE,
        target=ratio_at_least(0.5),
        note=NOTE if scale.official_sandbox is None else "",
    )


def _fund(url: str) -> None:
    call = Caller(url)
    plenty = {"JPYC": "90000000000"}
    call("PATCH", "/_mock/buyers/sandbox_buyer", {"balances": plenty, "allowances": plenty})
    call.close()


def _rate(url: str, seconds: float) -> float:
    def make_call(_: int) -> Callable[[], object]:
        call = Caller(url, TOKEN)
        return lambda: pay_checkout(call, amount_minor=600)

    return rate(make_call, CONNECTIONS, seconds)
