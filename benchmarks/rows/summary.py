"""The provider's summary over HTTP, by the number of events."""

from collections.abc import Callable, Iterator
from uuid import uuid4

from figures import Figure, Target, Unit, ratio_at_least
from measuring import Scale
from samples import MERCHANT
from serving import Caller, bare_server, mock_server, rate

CONNECTIONS = 4
PATH = "/v1/sdrp/metered/provider/summary"
TOKEN = "sandbox_merchant_token"
RECORDED = {200: 2_620.0, 2_000: 302.0, 10_000: 21.0}
"""Summaries a second of the platform's own sandbox, on two cores, on another day."""
BARE = 1_565.0
"""Calls a second of our HTTP server around nothing, on that day: how fast the machine was."""
NOTE = (
    "the platform's own Node sandbox isn't to be had from the package registries: its figures "
    "were recorded on two cores on another day, when our HTTP server around nothing did "
    f"{BARE:,.0f} calls a second; measure one of yours with --official-sandbox URL"
)
TARGETS: dict[int, Target | None] = {
    200: None,
    2_000: ratio_at_least(3),
    10_000: ratio_at_least(50),
}


def measure(scale: Scale) -> Iterator[Figure]:
    seconds = 1.5 if scale.quick else 10.0
    paid = 0
    with bare_server() as url:
        yield Figure(
            work="the HTTP server around nothing",
            ours=_rate(url, seconds),
            theirs=BARE,
            against="when the sandbox was recorded",
            unit=Unit.RATE,
        )
    for events, target in TARGETS.items():
        theirs = RECORDED[events]
        if scale.official_sandbox is not None:
            _check_out(scale.official_sandbox, events - paid)
            paid = events
            theirs = _rate(scale.official_sandbox, seconds)
        yield Figure(
            work=f"provider summary over HTTP at {events:,} events",
            ours=_ours(events, seconds),
            theirs=theirs,
            against="official sandbox" + ("" if scale.official_sandbox else ", recorded"),
            unit=Unit.RATE,
            target=target,
            note=NOTE if scale.official_sandbox is None else "",
        )


def _ours(events: int, seconds: float) -> float:
    with mock_server() as url:
        call = Caller(url)
        for _ in range(2):
            buyer = call("POST", "/_mock/buyers", {})["buyer_id"]
            usage = {"buyer": buyer, "merchant": MERCHANT, "amount_minor": 1, "currency": "JPY"}
            call("POST", "/_mock/usage", {**usage, "count": events // 2})
        call.close()
        return _rate(url, seconds)


def _rate(url: str, seconds: float) -> float:
    def make_call(_: int) -> Callable[[], object]:
        call = Caller(url, TOKEN)
        return lambda: call("GET", PATH)

    return rate(make_call, CONNECTIONS, seconds)


def _check_out(url: str, events: int) -> None:
    """Make accepted usage in any sandbox, by paying checkouts."""
    call = Caller(url, TOKEN)
    for _ in range(events):
        pay_checkout(call, amount_minor=1)
    call.close()


def pay_checkout(call: Caller, amount_minor: int) -> None:
    """Open a checkout and pay it; the webhook is delivered on the way."""
    opened = call(
        "POST",
        "/v1/sdrp/direct-payments/checkout-sessions",
        {
            "merchant": MERCHANT,
            "amount_minor": amount_minor,
            "currency": "JPY",
            "nonce": uuid4().hex,
            "success_url": "http://localhost:3000/ok",
            "cancel_url": "http://localhost:3000/no",
        },
    )
    call("POST", f"/sandbox/checkout-sessions/{opened['session_id']}/confirm", {})
