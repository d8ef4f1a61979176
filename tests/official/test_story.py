"""One payment's life end to end, driven by the platform's own client over sockets."""

from typing import Any

import pytest
import siglume_direct_request_payment as official

from settlekit import digest
from tests.official.conftest import Platform
from tests.settlekit_mock.cli.serving import Delivery

pytestmark = pytest.mark.official

AMOUNTS = (
    "provider_gross_amount_minor",
    "provider_usage_amount_minor",
    "gross_buyer_debit_minor",
    "buyer_debit_minor",
    "protocol_fee_minor",
    "provider_receivable_minor",
    "rounding_delta_minor",
)


def open_session(platform: Platform, amount_minor: int, currency: str = "JPY", **more: Any) -> Any:
    origin = platform.env["SHOP_PUBLIC_ORIGIN"]
    return platform.merchant().create_checkout_session(
        merchant=platform.merchant_key,
        amount_minor=amount_minor,
        currency=currency,
        nonce=f"order-{amount_minor}-{currency}",
        success_url=f"{origin}/done",
        cancel_url=f"{origin}/cancelled",
        **more,
    )


def pay(platform: Platform, amount_minor: int, currency: str = "JPY") -> dict[str, Any]:
    session = open_session(platform, amount_minor, currency)
    platform.confirm(session["session_id"]).raise_for_status()
    return dict(platform.merchant().get_checkout_session(session["session_id"]))


def told(platform: Platform, delivery: Delivery) -> Any:
    """Verify a delivery with the official client, as a shop does, and classify it."""
    verified = official.verify_direct_request_payment_webhook(
        platform.secret, delivery.body, delivery.signature
    )
    return official.classify_direct_payment_confirmation(verified["event"])


def test_a_standard_payment_settles_and_says_so(platform: Platform) -> None:
    """A checkout goes from open to paid, and its webhook is a settled standard payment."""
    opened = open_session(platform, 1200, metadata={"order": "A-1"})
    assert opened["status"] == "open"
    before = platform.merchant().get_checkout_session(opened["session_id"])
    assert (before["status"], before["settlement_status"]) == ("open", "pending_payment")

    answer = platform.confirm(opened["session_id"]).json()["data"]
    (delivery,) = platform.receiver.got  # delivered before the answer
    assert answer["event"]["id"] == delivery.event["id"]
    assert answer["redirect_url"].endswith(f"/done?session_id={opened['session_id']}")
    assert delivery.headers["x-siglume-environment"] == "sandbox"

    paid = platform.merchant().get_checkout_session(opened["session_id"])
    assert (paid["status"], paid["settlement_status"]) == ("paid", "settled")
    assert paid["metadata_jsonb"] == {"order": "A-1"}
    found = told(platform, delivery)
    assert found["kind"] == "standard_settled"
    for name in ("requirement_id", "challenge_hash", "chain_receipt_id"):
        assert found[name] == paid[name]
    assert found["challenge_hash"] == opened["challenge_hash"]


def test_the_challenge_is_the_one_the_merchant_would_sign(platform: Platform) -> None:
    """The server's challenge is what the official client signs with the secret it printed."""
    opened = open_session(platform, 1200)
    signed = official.create_direct_request_payment_challenge(
        merchant=platform.merchant_key,
        amount_minor=1200,
        currency="JPY",
        nonce="order-1200-JPY",
        secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"],
    )
    assert opened["challenge_hash"] == signed["challenge_hash"]
    platform.confirm(opened["session_id"])
    hashed = official.direct_request_payment_request_hash_v2(
        merchant=platform.merchant_key,
        amount_minor=1200,
        currency="JPY",
        challenge=str(signed["challenge"]),
    )
    assert told(platform, platform.receiver.got[0])["request_hash_v2"] == hashed


@pytest.mark.parametrize(
    ("amount_minor", "currency", "band", "cadence", "fee"),
    [
        (100, "JPY", "micro", "weekly", "2"),
        (20, "JPY", "nano", "monthly", "0.2"),
        (300, "USD", "micro", "weekly", "1"),
        (30, "USD", "nano", "monthly", "0.1"),
    ],
)
def test_a_metered_payment_is_accepted(
    platform: Platform, amount_minor: int, currency: str, band: str, cadence: str, fee: str
) -> None:
    """A checkout below the standard band is accepted usage, of its band, cadence and fee."""
    paid = pay(platform, amount_minor, currency)
    found = told(platform, platform.receiver.got[0])
    assert found["kind"] == "metered_usage_accepted"
    assert (found["pricing_band"], found["settlement_cadence"]) == (band, cadence)
    assert found["requirement_id"] == paid["requirement_id"]
    assert found["challenge_hash"] == paid["challenge_hash"]
    assert found["data"]["protocol_fee_minor"] == fee
    assert paid["settlement_status"] == "pending_settlement"


def test_a_confirmation_asked_twice_tells_once(platform: Platform) -> None:
    """The second confirmation answers the same, and sends no second webhook."""
    opened = open_session(platform, 1200)
    first = platform.confirm(opened["session_id"]).json()["data"]
    assert platform.confirm(opened["session_id"]).json()["data"] == first
    assert len(platform.receiver.got) == 1


def test_a_redelivery_is_the_same_event(platform: Platform) -> None:
    """Delivered again, an event keeps its id and body, and verifies."""
    opened = open_session(platform, 1200)
    assert platform.sandbox(opened["session_id"], "redeliver").status_code == 409
    platform.confirm(opened["session_id"])
    again = platform.sandbox(opened["session_id"], "redeliver").json()["data"]
    assert again["redelivered"] is True
    first, second = platform.receiver.got
    assert second.body == first.body
    assert told(platform, second)["kind"] == "standard_settled"


def test_usage_settles_with_its_period(platform: Platform) -> None:
    """Usage accrues, its period closes, 72 hours pass, the debit settles: all sides say so."""
    usage = platform.driver.usage(
        "sandbox_buyer",
        merchant=platform.merchant_key,
        amount_minor=100,
        currency="JPY",
        count=25,
        over="PT6H",
    )
    assert usage.accepted == 25
    provider, buyer = platform.person("provider"), platform.person("buyer")

    (period,) = provider.get_provider_metered_summary(plan_type="micro")["open_periods"]
    assert [period[name] for name in AMOUNTS] == ["2500"] * 4 + ["50", "2450", "0"]
    assert buyer.get_buyer_metered_summary()["open_periods"] == [period]
    totals = provider.get_provider_metered_summary()["totals"]
    assert totals["unsettled_provider_receivable_minor"] == "2450"

    platform.driver.clock.advance(to=period["close_at"])
    (closed,) = provider.list_provider_settlement_batches()["items"]
    assert (closed["status"], closed["settlement_trigger"]) == ("ready", "scheduled_close")
    assert closed["chain_receipt_id"] is None
    assert platform.receiver.got == []

    reached = platform.driver.clock.advance(until="batch.settled")
    assert reached.reached
    (settled,) = provider.list_provider_settlement_batches(status="settled")["items"]
    batch_id = closed["settlement_batch_id"]
    assert settled["settlement_batch_id"] == batch_id
    assert settled["settled_at"] > settled["not_before_attempt_at"] > closed["close_at"]
    assert provider.get_provider_settlement_batch(batch_id) == settled
    (owed,) = buyer.list_buyer_settlement_batches(plan_type="micro")["items"]
    assert (owed["status"], owed["chain_receipt_id"]) == ("settled", settled["chain_receipt_id"])

    (delivery,) = platform.receiver.got
    found = told(platform, delivery)
    assert found["kind"] == "metered_batch_settled"
    for name in ("settlement_batch_id", "chain_receipt_id", "usage_event_digest", "settled_at"):
        assert found[name] == settled[name]
    totals = provider.get_provider_metered_summary(token_symbol="JPYC")["totals"]
    assert totals["settled_provider_receivable_minor"] == "2450"
    assert totals["unsettled_provider_receivable_minor"] == "0"


def test_usage_is_listed_page_by_page(platform: Platform) -> None:
    """Cursors walk through all usage once, newest first, while more of it comes in."""

    def accept(count: int) -> None:
        platform.driver.usage(
            "sandbox_buyer",
            merchant=platform.merchant_key,
            amount_minor=60,
            currency="JPY",
            count=count,
            over="PT1H",
        )

    accept(23)
    provider = platform.person("provider")
    first = provider.list_provider_usage_events(plan_type="micro", limit=10)
    accept(5)
    found = list(first["items"])
    cursor = first["next_cursor"]
    pages = 1
    while cursor:
        page = provider.list_provider_usage_events(plan_type="micro", limit=10, cursor=cursor)
        found += page["items"]
        cursor = page["next_cursor"]
        pages += 1
    assert pages == 3
    assert len({row["metered_usage_id"] for row in found}) == len(found) == 23
    assert [row["created_at"] for row in found] == sorted(
        (row["created_at"] for row in found), reverse=True
    )
    bought = platform.person("buyer").list_buyer_usage_events(limit=500)["items"]
    assert {row["metered_usage_id"] for row in found} < {row["metered_usage_id"] for row in bought}
    assert len(bought) == 28
    assert "buyer_period_ref" not in bought[0]


def test_the_digest_of_a_batch_is_that_of_its_events(platform: Platform) -> None:
    """Anyone can work a batch's digest out from the events it lists."""
    for amount_minor in (60, 100, 500):
        platform.driver.usage(
            "sandbox_buyer",
            merchant=platform.merchant_key,
            amount_minor=amount_minor,
            currency="JPY",
            count=3,
        )
    platform.driver.clock.advance(until="batch.settled")
    provider = platform.person("provider")
    (batch,) = provider.list_provider_settlement_batches()["items"]
    state = digest.SEED
    for row in reversed(provider.list_provider_usage_events(status="settled")["items"]):
        assert row["settlement_batch_id"] == batch["settlement_batch_id"]
        state = digest.extend(
            state,
            metered_usage_id=row["metered_usage_id"],
            created_at=row["created_at"],
            provider_gross_amount_minor=row["provider_gross_amount_minor"],
            protocol_fee_minor=row["protocol_fee_minor"],
        )
    assert batch["usage_event_digest"] == digest.render(state)


def test_a_threshold_closes_at_once(platform: Platform) -> None:
    """A scope that reaches 10000 closes for settlement by itself, and says why."""
    answer = platform.driver.usage(
        "sandbox_buyer",
        merchant=platform.merchant_key,
        amount_minor=500,
        currency="JPY",
        count=21,
    )
    assert (answer.accepted, answer.refused) == (20, {"METERED_SETTLEMENT_PAST_DUE": 1})
    (batch,) = platform.person("provider").list_provider_settlement_batches()["items"]
    assert batch["settlement_trigger"] == "amount_threshold"
    assert batch["threshold_reached_at"] == batch["period_end"]


def test_failed_debits_are_tried_again_and_settle(platform: Platform) -> None:
    """A debit that fails twice shows as past due, retries, and settles in the end."""
    platform.driver.usage(
        "sandbox_buyer", merchant=platform.merchant_key, amount_minor=50, currency="JPY"
    )
    refused = platform.driver.buyers.update("sandbox_buyer", balances={"JPYC": "0"})
    assert refused.balances.JPYC == "0"
    platform.driver.clock.advance(until="debit.failed")
    buyer, provider = platform.person("buyer"), platform.person("provider")
    (failed,) = provider.list_provider_settlement_batches()["items"]
    assert failed["failure_reason_code"] == "INSUFFICIENT_BALANCE"
    (block,) = buyer.get_buyer_metered_summary()["past_due_blocks"]
    assert block["settlement_batch_id"] == failed["settlement_batch_id"]
    totals = provider.get_provider_metered_summary()["totals"]
    assert totals["past_due_provider_receivable_minor"] == "48"

    platform.driver.buyers.update("sandbox_buyer", balances={"JPYC": "1000"})
    platform.driver.clock.advance(until="batch.settled")
    (settled,) = provider.list_provider_settlement_batches()["items"]
    assert (settled["status"], settled["attempt_count"]) == ("settled", 2)
    assert settled["failure_reason_code"] is None
    assert buyer.get_buyer_metered_summary()["past_due_blocks"] == []
