"""Subscriptions and scheduled payments, bought and run with the official client, unmodified."""

import pytest
import siglume_direct_request_payment as official

from tests.official.conftest import Platform

pytestmark = pytest.mark.official

TERMS = {"merchant": "sandbox_merchant", "amount_minor": 1200, "currency": "JPY"}


def challenge(platform: Platform, cadence: str, **changes: object) -> str:
    made = official.create_direct_request_payment_recurring_challenge(
        **{**TERMS, **changes},
        cadence=cadence,
        nonce=f"{cadence}-1",
        secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"],
    )
    return str(made["challenge"])


def authorize(platform: Platform, **changes: object) -> dict[str, object]:
    return platform.person("buyer").create_scheduled_auto_pay_authorization(
        **TERMS, mode="external_402", challenge=challenge(platform, "daily"), **changes
    )


def kinds(platform: Platform) -> list[str]:
    """What the official classifier makes of each confirmation that arrived."""
    found = []
    for delivery in platform.receiver.got:
        event = official.verify_direct_request_payment_webhook(
            platform.secret, delivery.body, delivery.signature
        )["event"]
        found.append(official.classify_direct_payment_confirmation(event)["kind"])
    return found


def test_a_subscription_is_paid_each_month(platform: Platform) -> None:
    """The client subscribes, is answered every field it knows, and each month is a settled payment."""
    buyer = platform.person("buyer")
    signed = challenge(platform, "monthly")
    made = buyer.create_subscription(
        **TERMS, challenge=signed, cadence="monthly", user_signing=True
    )
    known = official.DirectPaymentSubscriptionResponse.__annotations__
    assert set(known) <= set(made)
    assert (made["subscription_status"], made["idempotent_replay"]) == ("created", False)
    hashed = official.direct_request_payment_challenge_hash(signed)
    assert made["challenge_hash"] == hashed
    again = buyer.create_subscription(**TERMS, challenge=signed)
    assert (again["idempotent_replay"], again["receipt"]) == (True, made["receipt"])
    platform.driver.clock.advance(to="2026-05-02T00:00:00Z")
    assert kinds(platform) == ["standard_settled"] * 3


def test_a_scheduled_payment_runs_within_its_approval(platform: Platform) -> None:
    """The client approves, runs a slot once, is refused beyond the approval, and revokes."""
    buyer = platform.person("buyer")
    made = authorize(
        platform,
        max_runs=2,
        max_amount_minor_per_run=1500,
        cadence={"unit": "day"},
        cadence_limit={"max_runs_per_day": 1},
        valid_until="2026-12-31T00:00:00Z",
        token_symbol="JPYC",
        metadata={"order": "A-1"},
    )
    known = set(official.ScheduledAutoPayAuthorizationResponse.__annotations__)
    assert known <= set(made)
    token = str(made["schedule_token"])
    order = {
        "schedule_token": token,
        "slot_id": "2026-03-02",
        "scheduled_for": "2026-03-02T00:00:00Z",
        "input": {"topic": "weather"},
        "await_finality": True,
        "await_required_status": "finalized",
        "await_timeout_seconds": 30,
        "await_poll_seconds": 1,
    }
    ran = buyer.execute_scheduled_auto_pay(**order)
    assert set(official.ScheduledAutoPayExecutionResponse.__annotations__) <= set(ran)
    assert (ran["status"], ran["charge_status"]) == ("executed", "settled")
    assert buyer.execute_scheduled_auto_pay(**order) == ran
    with pytest.raises(official.SiglumeApiError) as refused:
        buyer.execute_scheduled_auto_pay(schedule_token=token, slot_id="2026-03-02-b")
    assert (refused.value.status, refused.value.code) == (409, "SCHEDULED_CADENCE_LIMIT_REACHED")
    assert kinds(platform) == ["standard_settled"]

    revoked = buyer.revoke_scheduled_auto_pay_authorization(str(made["authorization_id"]))
    assert (revoked["status"], revoked["schedule_token"]) == ("revoked", None)
    with pytest.raises(official.SiglumeApiError) as unknown:
        buyer.execute_scheduled_auto_pay(schedule_token=token, slot_id="2026-03-03")
    assert (unknown.value.status, unknown.value.code) == (401, "UNAUTHORIZED")


def test_a_challenge_for_another_cadence(platform: Platform) -> None:
    """A challenge signed for the other purpose is refused with the code the client branches on."""
    with pytest.raises(official.SiglumeApiError) as refused:
        platform.person("buyer").create_subscription(
            **TERMS, challenge=challenge(platform, "daily")
        )
    assert (refused.value.status, refused.value.code) == (422, "INVALID_EXTERNAL_402_CHALLENGE")
