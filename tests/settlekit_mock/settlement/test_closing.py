"""Periods close at their slot or at the threshold; exposure pauses a scope and no other."""

import pytest

from settlekit_mock import MockServer
from settlekit_mock.kernel.times import HOUR, MINUTE, SECOND, from_text
from tests.settlekit_mock.settlement.conftest import (
    MICRO_CLOSE,
    START,
    Buyer,
    Provider,
    Shop,
    after,
)

PAUSED = {"METERED_SETTLEMENT_PAST_DUE": 1}
FIRST_ATTEMPT = 72 * HOUR


@pytest.mark.parametrize(
    ("currency", "amount_minor", "count"),
    [("JPY", 500, 20), ("JPY", 40, 250), ("USD", 250, 40), ("USD", 25, 400), ("JPY", 300, 34)],
)
def test_a_period_closes_at_once_when_its_gross_reaches_the_threshold(
    shop: Shop, buyer: Buyer, provider: Provider, currency: str, amount_minor: int, count: int
) -> None:
    """The event that reaches 10,000 minor units belongs to the batch that it closes."""
    sold = shop.sell(amount_minor, count, currency=currency)
    batch = provider.batch()
    assert (sold.accepted, sold.refused) == (count, {})
    assert batch["settlement_trigger"] == "amount_threshold"
    assert batch["provider_gross_amount_minor"] == str(amount_minor * count)
    assert batch["threshold_reached_at"] == batch["period_end"] == batch["close_at"] == START
    assert batch["status"] == "ready"
    assert batch["scheduled_debit_at"] == after(START, FIRST_ATTEMPT)
    assert provider.summary()["open_periods"] == []


def test_below_the_threshold_a_period_stays_open(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """A single minor unit below the threshold closes nothing."""
    shop.sell(100, 99)
    shop.sell(99)
    assert (provider.batches(), len(provider.summary()["open_periods"])) == ([], 1)


def test_the_next_period_starts_where_the_threshold_was_reached(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """After a threshold close the next period begins there and ends at the slot."""
    shop.mock.clock.advance(hours=5)
    shop.sell(500, 20)
    shop.mock.clock.advance(until="batch.settled")
    shop.sell(100)
    (period,) = provider.summary()["open_periods"]
    assert period["period_start"] == MICRO_CLOSE
    assert period["period_end"] == after(MICRO_CLOSE, 7 * 24 * HOUR)


def test_a_period_that_begins_before_its_slot_starts_at_the_threshold(
    shop: Shop, buyer: Buyer, provider: Provider, mock: MockServer
) -> None:
    """Where the slot hasn't come since, the next period starts where the last one ended."""
    mock.simulate.finality(seconds=0)
    mock.buyers.update("b1", weekly_slot={"weekday": 0, "hour": 0, "minute": 1})
    mock.clock.advance(minutes=5)
    shop.sell(500, 20)
    mock.clock.advance(until="batch.settled")
    shop.sell(100)
    (period,) = provider.summary()["open_periods"]
    assert period["period_start"] == after(START, 5 * MINUTE)
    assert period["period_end"] == after(START, 7 * 24 * HOUR + MINUTE)


def test_usage_after_the_threshold_is_refused_until_the_batch_settles(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """At 10,000 of exposure nothing more accrues: 409, journalled, and nothing recorded."""
    assert shop.sell(500, 21).refused == PAUSED
    shop.mock.clock.advance(hours=72, seconds=29)
    assert shop.sell(500).refused == PAUSED
    shop.mock.clock.advance(seconds=1)
    assert shop.sell(500).refused == {}
    assert len(provider.usage()) == 21


def test_a_refusal_says_why_in_the_journal_alone(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """A refused payment leaves a journal entry, no usage row and no reservation."""
    shop.sell(500, 20)
    before = shop.mock.buyers.get("b1")
    shop.sell(500)
    (refused,) = shop.mock.events(kind="payment.refused")
    assert (refused.data["code"], refused.data["reason"]) == (
        "METERED_SETTLEMENT_PAST_DUE",
        "exposure",
    )
    assert shop.mock.buyers.get("b1") == before


def test_exposure_counts_unsettled_batches_and_the_open_period(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """A closed, unsettled 6,000 and an open 4,000 pause the scope without closing the period."""
    shop.sell(500, 12)
    shop.mock.clock.advance(to=MICRO_CLOSE)
    assert shop.sell(500, 9).refused == PAUSED
    (period,) = provider.summary()["open_periods"]
    assert (period["provider_gross_amount_minor"], period["total_unsettled_exposure_minor"]) == (
        "4000",
        "10000",
    )
    shop.mock.clock.advance(until="batch.settled")
    assert shop.sell(500).accepted == 1
    assert provider.summary()["open_periods"][0]["total_unsettled_exposure_minor"] == "4500"


OTHERS = [
    {"buyer": "b2"},
    {"merchant": "other"},
    {"currency": "USD"},
    {"amount_minor": 49},
]


@pytest.mark.parametrize("other", OTHERS, ids=["buyer", "provider", "token", "band"])
def test_other_scopes_go_on(shop: Shop, buyer: Buyer, other: dict[str, str]) -> None:
    """A pause holds for one buyer, provider, token and band; change one and it doesn't."""
    shop.buyer("b2")
    shop.mock.merchants.create("other")
    assert shop.sell(500, 21).refused == PAUSED
    assert shop.sell(**{"amount_minor": 100, **other}).refused == {}


def test_a_merchant_of_the_same_person_shares_the_scope(shop: Shop, buyer: Buyer) -> None:
    """The provider is the person: two of its merchants accrue and pause together."""
    owner = shop.mock.merchants.get("sandbox_merchant").merchant_account.merchant_user_id
    shop.mock.merchants.create("second", merchant_user_id=owner)
    shop.sell(500, 20)
    assert shop.sell(500, merchant="second").refused == PAUSED


@pytest.mark.parametrize(
    ("timezone", "weekly_slot", "closes"),
    [
        ("Asia/Tokyo", {"weekday": 2, "hour": 10, "minute": 30}, "2026-03-04T01:30:00.000Z"),
        ("America/New_York", {"weekday": 6, "hour": 2, "minute": 30}, "2026-03-08T07:00:00.000Z"),
        ("Europe/Berlin", {"weekday": 6, "hour": 2, "minute": 30}, "2026-03-08T01:30:00.000Z"),
        ("Asia/Kathmandu", {"weekday": 0, "hour": 12, "minute": 0}, "2026-03-02T06:15:00.000Z"),
    ],
)
def test_a_slot_closes_by_the_buyers_wall_clock(
    shop: Shop, provider: Provider, timezone: str, weekly_slot: dict[str, int], closes: str
) -> None:
    """The slot is local time; one that daylight saving skips closes at the first one after."""
    shop.buyer(timezone=timezone, weekly_slot=weekly_slot)
    shop.sell(100)
    shop.settle()
    batch = provider.batch()
    assert (batch["close_at"], batch["settled_at"]) == (
        closes,
        after(closes, FIRST_ATTEMPT + 30 * SECOND),
    )


@pytest.mark.parametrize(
    ("freeze_at", "closes"),
    [
        ("2026-10-26T00:00:00.000Z", "2026-11-01T05:30:00.000Z"),
        ("2026-11-01T05:30:00.000Z", "2026-11-08T06:30:00.000Z"),
    ],
)
def test_a_slot_that_comes_twice_closes_at_the_first(
    shop: Shop, provider: Provider, freeze_at: str, closes: str
) -> None:
    """Where clocks go back over the slot, the period closes at the first of both, once."""
    slot = {"weekday": 6, "hour": 1, "minute": 30}
    shop.buyer(timezone="America/New_York", weekly_slot=slot)
    shop.mock.clock.advance(to=freeze_at)
    shop.sell(100)
    shop.settle()
    assert provider.batch()["close_at"] == closes


def test_usage_at_the_slot_itself_belongs_to_the_next_period(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """A period takes usage up to just before its end."""
    shop.sell(100)
    shop.mock.clock.advance(to=MICRO_CLOSE)
    shop.sell(200)
    assert [event["period_start"] == MICRO_CLOSE for event in provider.usage()] == [True, False]


def test_usage_behind_an_overdue_slot_belongs_to_the_next_period(
    shop: Shop, buyer: Buyer, provider: Provider, mock: MockServer
) -> None:
    """A real clock can be ahead of its due work: the period closes at its slot all the same."""
    shop.sell(100)
    with mock.world.transaction() as tx:
        tx.state = tx.state.moved_to(from_text(MICRO_CLOSE) + MINUTE)
    shop.sell(200)
    batch, (period,) = provider.batch(), provider.summary()["open_periods"]
    assert (batch["close_at"], batch["buyer_debit_minor"]) == (MICRO_CLOSE, "100")
    assert (period["period_start"], period["buyer_debit_minor"]) == (MICRO_CLOSE, "200")
    shop.settle()
    assert [found["buyer_debit_minor"] for found in provider.batches(status="settled")] == [
        "200",
        "100",
    ]
