"""Hypothesis strategies: events, orders in which they arrive, and deliveries that were tampered with.

Needs Hypothesis, which you have where you write property tests.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "settlekit.testing.strategies needs Hypothesis: pip install hypothesis", name=error.name
    ) from error

from settlekit import webhooks
from settlekit.money import BAND_LIMITS_MINOR

Kind = Literal["standard_settled", "metered_usage_accepted", "metered_batch_settled", "spent"]
KINDS: Final[tuple[Kind, ...]] = (
    "standard_settled",
    "metered_usage_accepted",
    "metered_batch_settled",
    "spent",
)
_METERED: Final = {"finality": "aggregated_onchain_settlement"}
_NANO_LAST, _MICRO_LAST = BAND_LIMITS_MINOR["JPY"]
_BANDS: Final = (("micro", "weekly"), ("nano", "monthly"))
_AMOUNTS: Final = {
    "nano": st.integers(1, _NANO_LAST),
    "micro": st.integers(_NANO_LAST + 1, _MICRO_LAST),
    "standard": st.integers(_MICRO_LAST + 1, 10**6),
}
_HEX = st.text("0123456789abcdef", min_size=8, max_size=8)
Delivery = tuple[bytes, str]
"""A raw body and its header."""


@st.composite
def events(
    draw: st.DrawFn, /, *, kinds: Sequence[Kind] = KINDS, merchant: str = "sandbox_merchant"
) -> dict[str, Any]:
    """Draw an event of one of the kinds, as it is on the wire."""
    kind = draw(st.sampled_from(kinds))
    at = draw(st.integers(0, 28 * 24 * 3600 - 1))
    day, second = divmod(at, 24 * 3600)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return {
        "id": f"evt_{draw(_HEX)}",
        "type": "direct_payment.spent" if kind == "spent" else "direct_payment.confirmed",
        "api_version": "2026-06-20",
        "occurred_at": f"2026-02-{day + 1:02}T{clock}.000Z",
        "data": {"merchant": merchant, "environment": "sandbox", **draw(_data(kind))},
    }


def bodies(**options: Any) -> st.SearchStrategy[bytes]:
    """Draw the raw body of an event; ``options`` are those of ``events``."""
    return events(**options).map(lambda event: json.dumps(event, separators=(",", ":")).encode())


@st.composite
def deliveries(draw: st.DrawFn, /, secret: str, timestamp: int, **options: Any) -> Delivery:
    """Draw a delivery that is signed well; ``timestamp`` is in Unix seconds."""
    body = draw(bodies(**options))
    return body, webhooks.sign(body, secret, timestamp=timestamp)


@st.composite
def schedules(draw: st.DrawFn, count: int, *, most_times: int = 3) -> list[int]:
    """Draw an order in which ``count`` events arrive, each at least once: their numbers from 0."""
    times = [draw(st.integers(1, most_times)) for _ in range(count)]
    arrivals = [number for number in range(count) for _ in range(times[number])]
    return draw(st.permutations(arrivals))


@st.composite
def tampered(draw: st.DrawFn, /, secret: str, timestamp: int, **options: Any) -> Delivery:
    """Draw a delivery in which something was changed after it was signed: never to be taken."""
    body, header = draw(deliveries(secret, timestamp, **options))
    how = draw(st.sampled_from(["body", "insert", "cut", "secret", "time", "header"]))
    at = draw(st.integers(0, len(body) - 1))
    if how == "body":
        changed = body[at] ^ draw(st.integers(1, 255))
        return body[:at] + bytes([changed]) + body[at + 1 :], header
    if how == "insert":
        return body[:at] + draw(st.binary(min_size=1, max_size=4)) + body[at:], header
    if how == "cut":
        return body[:at], header
    if how == "secret":
        return body, webhooks.sign(body, f"not {secret}", timestamp=timestamp)
    if how == "time":
        away = draw(st.integers(1, 200)) * draw(st.sampled_from([-1, 1]))
        return body, header.replace(f"t={timestamp}", f"t={timestamp + away}")
    return body, header[: draw(st.integers(0, len(header) - 1))]


@st.composite
def _data(draw: st.DrawFn, kind: Kind) -> dict[str, Any]:
    payment = {
        "requirement_id": f"dpr_{draw(_HEX)}",
        "challenge_hash": f"sha256:{draw(_HEX)}",
    }
    if kind == "spent":
        return payment
    receipt = f"chain_{draw(_HEX)}"
    if kind == "standard_settled":
        return {
            "mode": "external_402",
            "pricing_band": "standard",
            "settlement_cadence": "per_payment",
            "finality": "per_payment_onchain",
            "settlement_status": "settled",
            "chain_receipt_id": receipt,
            "amount_minor": draw(_AMOUNTS["standard"]),
            "currency": "JPY",
            **payment,
        }
    band, cadence = draw(st.sampled_from(_BANDS))
    metered = {**_METERED, "pricing_band": band, "settlement_cadence": cadence, "currency": "JPY"}
    if kind == "metered_usage_accepted":
        pending = {"mode": "external_402", "settlement_status": "pending_settlement"}
        return {**metered, **pending, **payment, "amount_minor": draw(_AMOUNTS[band])}
    return {
        **metered,
        "mode": "metered_settlement_batch",
        "settlement_status": "settled",
        "settlement_batch_id": f"msb_{draw(_HEX)}",
        "chain_receipt_id": receipt,
        "usage_event_digest": f"sha256:{draw(_HEX)}",
    }
