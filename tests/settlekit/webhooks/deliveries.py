"""Signed deliveries for tests."""

import json
import time
from typing import Any

from settlekit import webhooks

SECRET = "whsec_of_this_shop"
STANDARD = {
    "mode": "external_402",
    "pricing_band": "standard",
    "settlement_cadence": "per_payment",
    "finality": "per_payment_onchain",
    "settlement_status": "settled",
    "requirement_id": "dpr_1",
    "challenge_hash": "sha256:c",
    "chain_receipt_id": "chain_1",
    "merchant": "shop",
    "amount_minor": 1200,
    "currency": "JPY",
}
USAGE = {
    **STANDARD,
    "pricing_band": "micro",
    "settlement_cadence": "weekly",
    "finality": "aggregated_onchain_settlement",
    "settlement_status": "pending_settlement",
    "chain_receipt_id": None,
}
BATCH = {
    "mode": "metered_settlement_batch",
    "pricing_band": "micro",
    "settlement_cadence": "weekly",
    "finality": "aggregated_onchain_settlement",
    "settlement_status": "settled",
    "settlement_batch_id": "msb_1",
    "chain_receipt_id": "chain_2",
    "usage_event_digest": "sha256:d",
}
SPENT = {"requirement_id": "dpr_1", "challenge_hash": "sha256:c", "merchant": "shop"}


def body_of(
    data: dict[str, Any] = STANDARD,
    *,
    event_id: str = "evt_1",
    event_type: str = "direct_payment.confirmed",
) -> bytes:
    event = {
        "id": event_id,
        "type": event_type,
        "api_version": "2026-06-20",
        "occurred_at": "2026-03-01T00:00:00.000Z",
        "data": data,
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def signed(body: bytes, secret: str = SECRET, *, age_seconds: int = 0) -> str:
    return webhooks.sign(body, secret, timestamp=int(time.time()) - age_seconds)
