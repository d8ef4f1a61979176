"""An agent pays a requirement with the platform's own client: challenge, execution, proof."""

from typing import Any

import pytest
import siglume_direct_request_payment as official

from tests.official.conftest import Platform
from tests.official.test_methods import (
    TERMS,
    authorization,
    recurring,
    requirement,
    short_of_allowance,
)
from tests.official.test_story import told

pytestmark = pytest.mark.official


@pytest.mark.parametrize(
    ("amount_minor", "kind", "settlement_status"),
    [
        (1200, "standard_settled", "settled"),
        (100, "metered_usage_accepted", "pending_settlement"),
        (20, "metered_usage_accepted", "pending_settlement"),
    ],
)
def test_a_requirement_is_paid(
    platform: Platform, amount_minor: int, kind: str, settlement_status: str
) -> None:
    """In every band: asked for, executed, verified; and the merchant is told the same."""
    buyer = platform.person("buyer")
    asked = requirement(platform, amount_minor=amount_minor)
    assert (asked["status"], asked["settlement_status"]) == (
        "requires_payment",
        "pending_payment",
    )
    done = buyer.execute_payment_transaction(asked, await_finality=True)
    proven = buyer.verify_payment_requirement(
        asked["requirement_id"], receipt_id=done["receipt"]["receipt_id"]
    )
    assert proven["settlement_status"] == settlement_status
    assert buyer.get_payment_requirement(asked["requirement_id"]) == proven

    found = told(platform, platform.receiver.got[0])
    assert found["kind"] == kind
    for name in ("requirement_id", "challenge_hash", "request_hash_v2"):
        assert found[name] == asked[name]


def test_hashes_are_those_of_the_official_client(platform: Platform) -> None:
    """The requirement's hashes are what the official client works out from its challenge."""
    challenge = str(
        official.create_direct_request_payment_challenge(
            **TERMS, secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]
        )["challenge"]
    )
    asked = platform.person("buyer").create_payment_requirement(**TERMS, challenge=challenge)
    terms: Any = {**TERMS, "challenge": challenge}
    hashed = official.direct_request_payment_challenge_hash(challenge)
    assert asked["challenge_hash"] == hashed
    assert asked["request_hash"] == official.direct_request_payment_request_hash(**terms)
    assert asked["request_hash_v2"] == official.direct_request_payment_request_hash_v2(**terms)


def test_an_allowance_comes_first_where_it_is_short(platform: Platform) -> None:
    """Short of allowance the payment is refused, and goes through once it was approved."""
    buyer = platform.person("buyer")
    asked = short_of_allowance(platform)
    with pytest.raises(official.SiglumeApiError) as refused:
        buyer.execute_payment_transaction(asked)
    assert (refused.value.status, refused.value.code) == (402, "BUDGET_EXCEEDED")
    buyer.execute_allowance_transaction(asked)
    done = buyer.execute_payment_transaction(asked)
    assert done["receipt"]["chain_receipt_id"].startswith("chain_")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        (
            {"challenge": "siglume-external-402-v1:n:" + "0" * 64},
            422,
            "INVALID_EXTERNAL_402_CHALLENGE",
        ),
        ({"amount_minor": 1300}, 422, "INVALID_EXTERNAL_402_CHALLENGE"),
        ({"merchant": "nobody"}, 404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
    ],
)
def test_a_challenge_that_proves_nothing_is_refused(
    platform: Platform, changes: dict[str, Any], status: int, code: str
) -> None:
    """A forged challenge, one for another amount, an unknown merchant: each has its code."""
    signed = official.create_direct_request_payment_challenge(
        **TERMS, secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]
    )
    asked = {**TERMS, "challenge": signed["challenge"], **changes}
    with pytest.raises(official.SiglumeApiError) as refused:
        platform.person("buyer").create_payment_requirement(**asked)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert platform.receiver.got == []


def test_a_recurring_challenge_is_no_payment(platform: Platform) -> None:
    """A challenge of the recurring scheme never passes for a one-time one."""
    signed = official.create_direct_request_payment_recurring_challenge(
        **TERMS,
        cadence="monthly",
        secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"],
    )
    with pytest.raises(official.SiglumeApiError) as refused:
        platform.person("buyer").create_payment_requirement(
            **TERMS, challenge=str(signed["challenge"])
        )
    assert refused.value.code == "INVALID_EXTERNAL_402_CHALLENGE"


def test_a_challenge_is_one_buyers(platform: Platform) -> None:
    """The same buyer gets the same requirement again; another buyer's use is refused."""
    challenge = str(
        official.create_direct_request_payment_challenge(
            **TERMS, secret=platform.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]
        )["challenge"]
    )
    first = platform.person("buyer").create_payment_requirement(**TERMS, challenge=challenge)
    again = platform.person("buyer").create_payment_requirement(**TERMS, challenge=challenge)
    assert again["requirement_id"] == first["requirement_id"]
    other = platform.driver.buyers.create(buyer_id="other", token="tok_other")
    assert other.token is not None
    stranger = official.DirectRequestPaymentClient(
        auth_token=other.token, base_url=platform.env["SIGLUME_API_BASE"]
    )
    with pytest.raises(official.SiglumeApiError) as refused:
        stranger.create_payment_requirement(**TERMS, challenge=challenge)
    assert refused.value.code == "EXTERNAL_402_CHALLENGE_ALREADY_USED"


def test_a_subscription_renews_by_the_clock(platform: Platform) -> None:
    """One approval charges at once and on the same day each month, each time told."""
    buyer = platform.person("buyer")
    challenge = recurring(platform, "monthly")
    made = buyer.create_subscription(**TERMS, challenge=challenge)
    assert (made["subscription_status"], made["idempotent_replay"]) == ("created", False)
    again = buyer.create_subscription(**TERMS, challenge=challenge)
    assert (again["idempotent_replay"], again["mandate"]) == (True, made["mandate"])
    platform.driver.clock.advance(to="2026-05-02T00:00:00Z")
    charges = [told(platform, delivery) for delivery in platform.receiver.got]
    assert [charge["kind"] for charge in charges] == ["standard_settled"] * 3
    assert [delivery.event["occurred_at"][:10] for delivery in platform.receiver.got] == [
        "2026-03-02",
        "2026-04-02",
        "2026-05-02",
    ]
    assert len({charge["requirement_id"] for charge in charges}) == 3


def test_a_slot_charges_once_until_it_is_revoked(platform: Platform) -> None:
    """A schedule's token charges each slot once, is shown once, and ends with the revocation."""
    buyer = platform.person("buyer")
    made = authorization(platform)
    token = made["schedule_token"]
    assert token.endswith(made["token_hint"])
    first = buyer.execute_scheduled_auto_pay(schedule_token=token, slot_id="monday")
    assert (first["status"], first["charge_status"]) == ("executed", "settled")
    again = buyer.execute_scheduled_auto_pay(schedule_token=token, slot_id="monday")
    assert again["direct_payment_requirement_id"] == first["direct_payment_requirement_id"]
    (delivery,) = platform.receiver.got
    assert told(platform, delivery)["requirement_id"] == first["direct_payment_requirement_id"]
    revoked = buyer.revoke_scheduled_auto_pay_authorization(made["authorization_id"])
    assert (revoked["status"], revoked["schedule_token"]) == ("revoked", None)
    with pytest.raises(official.SiglumeApiError) as refused:
        buyer.execute_scheduled_auto_pay(schedule_token=token, slot_id="tuesday")
    assert refused.value.status == 401
