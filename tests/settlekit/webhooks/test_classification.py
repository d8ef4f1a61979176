from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import webhooks
from settlekit._codec import structure
from settlekit.webhooks import Event, UnknownReason

STANDARD = {
    "mode": "external_402",
    "pricing_band": "standard",
    "settlement_cadence": "per_payment",
    "finality": "per_payment_onchain",
    "settlement_status": "settled",
    "requirement_id": "dpr_1",
    "challenge_hash": "sha256:c",
    "chain_receipt_id": "chain_1",
    "request_hash_v2": "sha256:r",
    "merchant": "shop",
    "amount_minor": 1200,
    "currency": "JPY",
    "token_symbol": "JPYC",
}
USAGE = {
    **STANDARD,
    "pricing_band": "micro",
    "settlement_cadence": "weekly",
    "finality": "aggregated_onchain_settlement",
    "settlement_status": "pending_settlement",
    "chain_receipt_id": None,
    "amount_minor": 100,
}
BATCH = {
    "mode": "metered_settlement_batch",
    "pricing_band": "nano",
    "settlement_cadence": "monthly",
    "finality": "aggregated_onchain_settlement",
    "settlement_status": "settled",
    "settlement_batch_id": "msb_1",
    "chain_receipt_id": "chain_2",
    "usage_event_digest": "sha256:d",
    "settled_at": "2026-03-11T00:00:30.000Z",
}
SHAPES = {"standard": STANDARD, "usage": USAGE, "batch": BATCH}


def event(data: dict[str, Any], kind: str = "direct_payment.confirmed") -> Event:
    wire = {
        "id": "evt_1",
        "type": kind,
        "api_version": "2026-06-20",
        "occurred_at": "2026-03-01T00:00:00.000Z",
        "data": data,
    }
    return structure(Event, wire)


def reason(data: dict[str, Any], kind: str = "direct_payment.confirmed") -> str:
    classified = webhooks.classify(event(data, kind))
    assert isinstance(classified, webhooks.Unknown)
    return classified.reason


def test_a_standard_payment_is_told_by_its_fields() -> None:
    """It carries what an order is matched by."""
    match webhooks.classify(event(STANDARD)):
        case webhooks.StandardSettled(challenge_hash=h, chain_receipt_id=r) as settled:
            assert (h, r, settled.requirement_id) == ("sha256:c", "chain_1", "dpr_1")
            assert (settled.merchant, settled.amount_minor) == ("shop", 1200)
            assert (settled.currency, settled.token_symbol) == ("JPY", "JPYC")
            assert settled.request_hash_v2 == "sha256:r"
        case other:
            pytest.fail(f"{other}")


@pytest.mark.parametrize(("band", "cadence"), [("micro", "weekly"), ("nano", "monthly")])
def test_accepted_usage_is_told_by_its_fields(band: str, cadence: str) -> None:
    """Band and cadence go together."""
    shape = {**USAGE, "pricing_band": band, "settlement_cadence": cadence}
    match webhooks.classify(event(shape)):
        case webhooks.MeteredUsageAccepted(challenge_hash=h, pricing_band=b) as accepted:
            assert (h, b, accepted.settlement_cadence) == ("sha256:c", band, cadence)
            assert accepted.pricing_band.known
        case other:
            pytest.fail(f"{other}")


def test_a_settled_batch_is_told_by_its_fields() -> None:
    """It needs no challenge and no settled_at, and reads the latter where it is there."""
    match webhooks.classify(event(BATCH)):
        case webhooks.MeteredBatchSettled(settlement_batch_id=i) as settled:
            assert i == "msb_1"
            assert settled.settled_at == datetime(2026, 3, 11, 0, 0, 30, tzinfo=UTC)
            assert settled.usage_event_digest == "sha256:d"
        case other:
            pytest.fail(f"{other}")
    for odd in (None, "soon", 5):
        settled_oddly = webhooks.classify(event({**BATCH, "settled_at": odd}))
        assert isinstance(settled_oddly, webhooks.MeteredBatchSettled)
        assert settled_oddly.settled_at is None


@pytest.mark.parametrize("shape", ["standard", "usage"])
def test_a_requirement_has_two_names(shape: str) -> None:
    """Either is enough; the first counts where both are there."""
    data = {**SHAPES[shape], "direct_payment_requirement_id": "dpr_2"}
    assert getattr(webhooks.classify(event(data)), "requirement_id") == "dpr_1"  # noqa: B009
    data["requirement_id"] = " "
    assert getattr(webhooks.classify(event(data)), "requirement_id") == "dpr_2"  # noqa: B009


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        (STANDARD, "direct_payment.spent", UnknownReason.NOT_DIRECT_PAYMENT_CONFIRMED),
        ({}, "direct_payment.spent", UnknownReason.NOT_DIRECT_PAYMENT_CONFIRMED),
        ({**STANDARD, "mode": "x"}, None, UnknownReason.UNSUPPORTED_CONFIRMATION_MODE),
        ({}, None, UnknownReason.UNSUPPORTED_CONFIRMATION_MODE),
        ({"mode": BATCH["mode"]}, None, UnknownReason.INVALID_METERED_SETTLEMENT_CONFIRMATION),
        (
            {"mode": "external_402", "pricing_band": "standard"},
            None,
            UnknownReason.MISSING_STANDARD_SETTLEMENT_FIELDS,
        ),
        (
            {"mode": "external_402", "pricing_band": "nano"},
            None,
            UnknownReason.MISSING_METERED_USAGE_FIELDS,
        ),
        ({"mode": "external_402"}, None, UnknownReason.UNKNOWN_CONFIRMATION_SHAPE),
        ({**STANDARD, "pricing_band": "mega"}, None, UnknownReason.UNKNOWN_CONFIRMATION_SHAPE),
    ],
)
def test_reasons_come_in_the_order_of_the_checks(
    data: dict[str, Any], kind: str | None, why: str
) -> None:
    """The first check that fails is the reason."""
    assert reason(data, kind or "direct_payment.confirmed") == why


NEEDED = {
    "standard": (
        "missing_standard_settlement_fields",
        ["finality", "settlement_status", "requirement_id", "challenge_hash", "chain_receipt_id"],
    ),
    "usage": (
        "missing_metered_usage_fields",
        [
            "finality",
            "settlement_status",
            "settlement_cadence",
            "requirement_id",
            "challenge_hash",
        ],
    ),
    "batch": (
        "invalid_metered_settlement_confirmation",
        [
            "finality",
            "settlement_status",
            "settlement_cadence",
            "pricing_band",
            "settlement_batch_id",
            "chain_receipt_id",
            "usage_event_digest",
        ],
    ),
}


@pytest.mark.parametrize("broken", [None, "", " ", 5, True, [], "other"], ids=repr)
@pytest.mark.parametrize(
    ("shape", "field"),
    [(shape, field) for shape, (_, fields) in NEEDED.items() for field in fields],
)
def test_every_needed_field_is_needed(shape: str, field: str, broken: object) -> None:
    """Absent, empty or of another type, a field isn't there; ids may be any text."""
    free = {"requirement_id", "challenge_hash", "chain_receipt_id"}
    free |= {"settlement_batch_id", "usage_event_digest"}
    data = {**SHAPES[shape], field: broken}
    if broken == "other" and field in free:
        assert webhooks.classify(event(data)).kind != "unknown"
    else:
        assert reason(data) == NEEDED[shape][0]


@pytest.mark.parametrize("shape", ["usage", "batch"])
@pytest.mark.parametrize(("band", "cadence"), [("micro", "monthly"), ("nano", "weekly")])
def test_band_and_cadence_must_go_together(shape: str, band: str, cadence: str) -> None:
    """Micro is weekly and nano monthly, never crosswise."""
    data = {**SHAPES[shape], "pricing_band": band, "settlement_cadence": cadence}
    assert reason(data) == NEEDED[shape][0]


def test_an_unknown_keeps_what_could_be_read() -> None:
    """An operator sees what it was about."""
    data = {**BATCH, "chain_receipt_id": None, "requirement_id": "dpr_1"}
    unknown = webhooks.classify(event(data))
    assert isinstance(unknown, webhooks.Unknown)
    kept = attrs.asdict(unknown, filter=lambda a, _: a.name not in {"event", "reason"})
    assert kept == {
        "requirement_id": "dpr_1",
        "settlement_batch_id": "msb_1",
        "pricing_band": "nano",
        "settlement_cadence": "monthly",
        "settlement_status": "settled",
        "finality": "aggregated_onchain_settlement",
    }


values = st.sampled_from(
    [
        *sorted({str(v) for shape in SHAPES.values() for v in shape.values()}),
        None,
        "",
        5,
        [],
    ]
)
fields = sorted({name for shape in SHAPES.values() for name in shape})


@given(
    base=st.sampled_from(sorted(SHAPES)), changes=st.dictionaries(st.sampled_from(fields), values)
)
def test_classification_is_a_function_of_the_data(base: str, changes: dict[str, Any]) -> None:
    """Any data gives one of the four kinds, the same each time."""
    data = {**SHAPES[base], **changes}
    first, second = webhooks.classify(event(data)), webhooks.classify(event(dict(data)))
    assert first == second
    assert first.kind in {
        "standard_settled",
        "metered_usage_accepted",
        "metered_batch_settled",
        "unknown",
    }
