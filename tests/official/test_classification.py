"""What the mock delivers, and what becomes of it on the way: both sides say the same of it."""

import json
from functools import cache
from itertools import product
from typing import Any

import pytest
import siglume_direct_request_payment as official
from hypothesis import given
from hypothesis import strategies as st

from settlekit import webhooks
from settlekit_mock import MockServer
from tests.official.conftest import Platform
from tests.official.test_story import pay

pytestmark = pytest.mark.official

KEPT_BY_UNKNOWN = (
    "requirement_id",
    "settlement_batch_id",
    "pricing_band",
    "settlement_cadence",
    "settlement_status",
    "finality",
)
WORDS = (
    "external_402",
    "metered_settlement_batch",
    "standard",
    "micro",
    "nano",
    "per_payment",
    "weekly",
    "monthly",
    "per_payment_onchain",
    "aggregated_onchain_settlement",
    "settled",
    "pending_settlement",
    "dpr_1",
    "",
    " ",
    " settled ",
    "SETTLED",
)
FIELDS = (
    "mode",
    "pricing_band",
    "settlement_cadence",
    "finality",
    "settlement_status",
    "requirement_id",
    "direct_payment_requirement_id",
    "challenge_hash",
    "chain_receipt_id",
    "settlement_batch_id",
    "usage_event_digest",
    "settled_at",
    "request_hash_v2",
)
GONE = object()
VALUES = (*WORDS, None, True, 1, 0.5, [], {}, GONE)
changes = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=4)


def both(event: dict[str, Any]) -> tuple[Any, Any]:
    """Classify an event by our library and by the official one."""
    body = json.dumps(event).encode()
    ours = webhooks.classify(
        webhooks.verify(body, webhooks.sign(body, "s", timestamp=1), "s", now=lambda: 1)
    )
    return ours, official.classify_direct_payment_confirmation(json.loads(body))


def assert_agree(event: dict[str, Any]) -> str:
    ours, theirs = both(event)
    assert ours.kind == theirs["kind"]
    assert getattr(ours, "reason", None) == theirs.get("reason")
    if ours.kind == "unknown":
        for name in KEPT_BY_UNKNOWN:
            # The official client leaves some of them out, depending on the reason.
            assert name not in theirs or getattr(ours, name) == theirs[name]
    return str(ours.kind)


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """Return one event of each kind and band, as a mock in this process makes them."""
    found: dict[str, dict[str, Any]] = {}
    with MockServer() as mock:
        client = mock.client("merchant")
        for amount_minor in (1200, 100, 20):
            opened = client.checkout_sessions.create(
                merchant="sandbox_merchant",
                amount_minor=amount_minor,
                currency="JPY",
                nonce=f"n-{amount_minor}",
                success_url="http://localhost:3000/done",
                cancel_url="http://localhost:3000/cancelled",
            )
            client.request("POST", f"/sandbox/checkout-sessions/{opened.session_id}/confirm")
        mock.clock.advance(weeks=7)
        for event in _events_of(mock):
            data = event["data"]
            found[f"{event['type']} {data['mode']} {data['pricing_band']}"] = event
    return found


def _events_of(mock: MockServer) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from settlekit_mock.webhooks.tables import EVENTS

    with mock.world.snapshot() as connection:
        return [json.loads(row.body) for row in connection.execute(select(EVENTS.c.body))]


NAMES = (
    "direct_payment.confirmed external_402 standard",
    "direct_payment.confirmed external_402 micro",
    "direct_payment.confirmed external_402 nano",
    "direct_payment.confirmed metered_settlement_batch micro",
    "direct_payment.confirmed metered_settlement_batch nano",
    "direct_payment.spent external_402 standard",
    "direct_payment.spent external_402 micro",
    "direct_payment.spent external_402 nano",
)


@pytest.fixture(scope="module", autouse=True)
def _recorded_before() -> None:
    # Else the first example of a property would pay for it, and miss its deadline.
    recorded()


def test_there_is_an_event_of_each_kind() -> None:
    """The mock makes all three kinds, metered ones in both bands, and none of another shape."""
    assert {name: assert_agree(event) for name, event in recorded().items()} == dict(
        zip(
            NAMES,
            [
                "standard_settled",
                *["metered_usage_accepted"] * 2,
                *["metered_batch_settled"] * 2,
                *["unknown"] * 3,
            ],
            strict=True,
        )
    )


def changed(event: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Return an event with other values in its data, or without some of them."""
    data = {**event["data"], **fields}
    kept = {name: value for name, value in data.items() if value is not GONE}
    return {**event, "data": kept}


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_field_is_classified_alike(name: str) -> None:
    """Each field of each event in each other word or type, or left out: both say the same."""
    for field, value in product(FIELDS, VALUES):
        assert_agree(changed(recorded()[name], {field: value}))


@given(name=st.sampled_from(NAMES), fields=changes)
def test_several_changed_fields_are_classified_alike(name: str, fields: dict[str, Any]) -> None:
    """Several fields at once too."""
    assert_agree(changed(recorded()[name], fields))


@given(kind=st.text(st.characters(codec="utf-8"), min_size=1) | st.just("direct_payment.spent"))
def test_other_types_are_classified_alike(kind: str) -> None:
    """Another type is no confirmation, whatever its data say."""
    ours, theirs = both({**recorded()[NAMES[0]], "type": kind})
    assert (ours.kind, theirs["kind"]) == ("unknown", "unknown")
    assert ours.reason == theirs["reason"] == "not_direct_payment_confirmed"


@pytest.mark.parametrize(("amount_minor", "kind"), [(1200, "standard_settled"), (50, "metered")])
def test_deliveries_over_sockets_are_classified_alike(
    platform: Platform, amount_minor: int, kind: str
) -> None:
    """What really arrives is the same to both, and its times are those of the clock."""
    pay(platform, amount_minor)
    (delivery,) = platform.receiver.got
    assert assert_agree(delivery.event).startswith(kind)
    assert delivery.event["occurred_at"] == "2026-03-02T00:00:00.000Z"
    assert delivery.event["data"]["environment"] == "sandbox"


def test_a_test_delivery_is_a_settled_payment(platform: Platform) -> None:
    """A test event is whole unless the caller says otherwise, and the caller's data wins."""
    merchant = platform.merchant()
    merchant.queue_webhook_test_delivery(event_type="direct_payment.confirmed")
    merchant.queue_webhook_test_delivery(
        event_type="direct_payment.confirmed",
        data={"chain_receipt_id": None, "readiness_probe": True},
    )
    whole, probe = platform.receiver.got
    assert assert_agree(whole.event) == "standard_settled"
    assert assert_agree(probe.event) == "unknown"
    assert webhooks.verify(probe.body, probe.signature, platform.secret).readiness_probe
