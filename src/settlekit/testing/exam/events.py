"""The events of the exam: whole, as the platform sends them, each about one order."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from settlekit.testing.exam.orders import Order

Data = dict[str, Any]

METERED: Data = {
    "pricing_band": "micro",
    "settlement_cadence": "weekly",
    "finality": "aggregated_onchain_settlement",
}
TOKENS = {"JPY": "JPYC", "USD": "USDC"}


def new_id(prefix: str) -> str:
    """Return an id that no shop has seen."""
    return f"{prefix}_exam{uuid.uuid4().hex[:16]}"


def now() -> datetime:
    """Return this instant."""
    return datetime.now(UTC)


def event(
    data: Data, *, kind: str = "direct_payment.confirmed", occurred: timedelta = timedelta()
) -> Data:
    """Return an event with an id of its own around its data."""
    return {
        "id": new_id("evt"),
        "type": kind,
        "api_version": "2026-06-20",
        "occurred_at": _instant(now() + occurred),
        "data": {**data, "environment": "sandbox"},
    }


def body_of(told: Data) -> bytes:
    """Return the bytes of an event, as compact as the platform's."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def standard_settled(order: Order, **changed: Any) -> Data:
    """Return the data of a standard payment that settled."""
    return {**_payment(order), **_settled(), **changed}


def usage_accepted(order: Order, **changed: Any) -> Data:
    """Return the data of a metered payment that was accepted, and settles later."""
    amounts = {
        "provider_gross_amount_minor": str(order.amount_minor),
        "protocol_fee_minor": "2",
        "provider_receivable_minor": str(max(order.amount_minor - 2, 0)),
    }
    accepted = {"settlement_status": "pending_settlement", "metered_usage_id": new_id("mu")}
    return {**_payment(order), **METERED, **amounts, **accepted, **changed}


def batch_settled(merchant: str, **changed: Any) -> Data:
    """Return the data of a batch that settled; it names no order and no challenge."""
    return {
        **METERED,
        "mode": "metered_settlement_batch",
        "merchant": merchant,
        "settlement_batch_id": new_id("msb"),
        "settlement_status": "settled",
        "chain_receipt_id": new_id("chain"),
        "usage_event_digest": f"sha256:{uuid.uuid4().hex * 2}",
        "settled_at": _instant(now()),
        "currency": "JPY",
        "token_symbol": "JPYC",
        "amount_minor": BATCH_PRICE,
        "provider_gross_amount_minor": "5000",
        "protocol_fee_minor": "100",
        "provider_receivable_minor": BATCH_RECEIVABLE,
        "buyer_debit_minor": "5000",
        **changed,
    }


BATCH_PRICE = 100
BATCH_RECEIVABLE = "4900"


def spent(order: Order) -> Data:
    """Return the event that follows when a payment's requirement is consumed."""
    data = {**standard_settled(order), "status": "spent"}
    return event(data, kind="direct_payment.spent")


def _payment(order: Order) -> Data:
    requirement_id = new_id("dpr")
    return {
        "mode": "external_402",
        "merchant": order.merchant,
        "requirement_id": requirement_id,
        "direct_payment_requirement_id": requirement_id,
        "challenge_hash": order.challenge_hash,
        "request_hash_v2": f"sha256:{uuid.uuid4().hex * 2}",
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        "token_symbol": TOKENS.get(order.currency, "JPYC"),
        "status": "confirmed",
    }


def _settled() -> Data:
    return {
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "settlement_status": "settled",
        "chain_receipt_id": new_id("chain"),
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
