"""Answers as the platform gives them, for the tests of those who read them."""

import json
from typing import Any

AMOUNTS = {
    "provider_gross_amount_minor": "100",
    "provider_usage_amount_minor": "100",
    "gross_buyer_debit_minor": "100",
    "buyer_debit_minor": "100",
    "protocol_fee_minor": "2",
    "provider_receivable_minor": "98",
    "rounding_delta_minor": "0",
}

BUCKETS = {
    "settled_provider_receivable_minor": "98",
    "unsettled_provider_receivable_minor": "0",
    "past_due_provider_receivable_minor": "0",
    "terminal_provider_receivable_minor": "0",
    "uncollectible_provider_receivable_minor": "0",
    "written_off_provider_receivable_minor": "0",
}


def usage_event(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "metered_usage_id": f"mu_{number:012d}",
        "created_at": "2026-03-01T00:00:00.123Z",
        "plan_type": "micro",
        "settlement_cadence": "weekly",
        "period_start": "2026-03-01T00:00:00.000Z",
        "period_end": "2026-03-08T00:00:00.000Z",
        "listing_id": "lst_1",
        "product_listing_id": "lst_1",
        "capability_key": "external_402.sandbox_merchant",
        "operation_key": "pay",
        "currency": "JPY",
        "token_symbol": "JPYC",
        **AMOUNTS,
        "status": "pending_settlement",
        "settlement_batch_id": None,
        "expected_scheduled_debit_at": "2026-03-11T00:00:00.000Z",
        "buyer_period_ref": "bpr_1",
        **changes,
    }


def settlement_batch(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "settlement_batch_id": f"msb_{number:012d}",
        "plan_type": "micro",
        "settlement_cadence": "weekly",
        "currency": "JPY",
        "token_symbol": "JPYC",
        "status": "settled",
        "notice_status": "delivered",
        "period_start": "2026-03-01T00:00:00.000Z",
        "period_end": "2026-03-08T00:00:00.000Z",
        "close_at": "2026-03-08T00:00:00.000Z",
        "settlement_trigger": "scheduled_close",
        "settlement_threshold_minor": "10000",
        "threshold_reached_at": None,
        "total_unsettled_exposure_minor": "0",
        "expected_scheduled_debit_at": "2026-03-11T00:00:00.000Z",
        "scheduled_debit_at": "2026-03-11T00:00:00.000Z",
        "not_before_attempt_at": "2026-03-11T00:00:00.000Z",
        "execution_status": "settled",
        "latest_execution_attempt_status": "succeeded",
        "attempt_count": 1,
        "next_attempt_at": None,
        "chain_receipt_id": "chain_1",
        "settled_at": "2026-03-11T00:00:30.000Z",
        "usage_event_digest": "sha256:" + "0" * 64,
        **AMOUNTS,
        **BUCKETS,
        "terminal_status": None,
        "terminal_marked_at": None,
        "terminal_reason_code": None,
        "failure_reason_code": None,
        "failure_reason_label": None,
        "failure_reason_help": None,
        "support_reference": None,
        "buyer_period_ref": "bpr_1",
        **changes,
    }


def provider_summary(**changes: Any) -> dict[str, Any]:
    return {
        "role": "provider",
        "timezone": "UTC",
        "filters": {"plan_type": None},
        "open_periods": [],
        "periods": [settlement_batch()],
        "totals": dict(BUCKETS),
        "totals_by_token": {"JPYC": dict(BUCKETS)},
        **changes,
    }


def checkout_session(**changes: Any) -> dict[str, Any]:
    return {
        "session_id": "chk_1",
        "merchant": "sandbox_merchant",
        "currency": "JPY",
        "token_symbol": "JPYC",
        "amount_minor": 1200,
        "status": "open",
        "challenge_hash": "sha256:" + "1" * 64,
        "requirement_id": None,
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "protocol_fee_minor": None,
        "settlement_status": "pending_payment",
        "chain_receipt_id": None,
        "success_url": "https://shop.example/ok",
        "cancel_url": "https://shop.example/no",
        "checkout_url": "https://siglume.com/pay/chk_1",
        "expires_at": "2026-03-01T00:30:00.000Z",
        "authenticated_at": None,
        "paid_at": None,
        "cancelled_at": None,
        "created_at": "2026-03-01T00:00:00.000Z",
        "metadata_jsonb": {"order": 1},
        **changes,
    }


def enveloped(data: object, request_id: str = "req_1") -> bytes:
    meta = {"request_id": request_id, "trace_id": "trace_1"}
    return json.dumps({"data": data, "meta": meta}).encode()


def page(items: list[dict[str, Any]], next_cursor: str | None = None) -> bytes:
    return enveloped({"items": items, "next_cursor": next_cursor})


def refusal(code: str, message: str = "no", request_id: str = "req_9") -> bytes:
    body = {"error": {"code": code, "message": message}, "meta": {"request_id": request_id}}
    return json.dumps(body).encode()
