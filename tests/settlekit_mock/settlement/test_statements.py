"""Statements narrowed, paged and added up."""

from decimal import Decimal
from typing import Any

import pytest

from settlekit_mock import MockServer
from tests.settlekit_mock.settlement.conftest import PROVIDER, Buyer, Provider, Shop

BUCKETS = ("settled", "unsettled", "past_due", "uncollectible", "written_off")


def stock(shop: Shop) -> None:
    """Sell in both tokens and bands, of two listings with two capabilities."""
    shop.buyer("b2", weekly_slot={"weekday": 4, "hour": 1, "minute": 0})
    for amount_minor, currency in ((100, "JPY"), (5, "JPY"), (200, "USD"), (7, "USD")):
        for listing_id, capability_key in (("l1", "c1"), ("l2", "c1"), ("l2", "c2")):
            for buyer in ("b1", "b2"):
                shop.sell(
                    amount_minor,
                    2,
                    currency=currency,
                    listing_id=listing_id,
                    capability_key=capability_key,
                    buyer=buyer,
                )


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ({}, 48),
        ({"plan_type": "micro"}, 24),
        ({"plan_type": "nano"}, 24),
        ({"token_symbol": "JPYC"}, 24),
        ({"listing_id": "l1"}, 16),
        ({"listing_id": "l2"}, 32),
        ({"capability_key": "c1"}, 32),
        ({"listing_id": "l2", "capability_key": "c1"}, 16),
        ({"plan_type": "nano", "token_symbol": "USDC", "listing_id": "l1"}, 4),
        ({"listing_id": "l1", "capability_key": "c2"}, 0),
        ({"status": "pending_settlement"}, 48),
        ({"status": "settled"}, 0),
        ({"listing_id": "' OR 1=1"}, 0),
    ],
)
def test_usage_events_are_narrowed(
    shop: Shop, buyer: Buyer, provider: Provider, query: dict[str, str], events: int
) -> None:
    """Each filter leaves the matching events, together they leave those that match all."""
    stock(shop)
    found = provider.usage(limit=7, **query)
    assert len(found) == events
    plain = {name: value for name, value in query.items() if name != "status"}
    assert all(event[name] == value for event in found for name, value in plain.items())


@pytest.mark.parametrize(
    ("query", "batches"),
    [
        ({}, 8),
        ({"plan_type": "micro"}, 4),
        ({"token_symbol": "USDC", "plan_type": "nano"}, 2),
        ({"listing_id": "l1"}, 8),
        ({"listing_id": "none"}, 0),
        ({"status": "settled"}, 8),
        ({"status": "ready"}, 0),
    ],
)
def test_batches_are_narrowed(
    shop: Shop, buyer: Buyer, provider: Provider, query: dict[str, str], batches: int
) -> None:
    """Filters of batches are those of their periods and of what was sold in them."""
    stock(shop)
    shop.settle()
    assert len(provider.batches(limit=3, **query)) == batches


@pytest.mark.both_databases
def test_narrowed_amounts_count_the_matching_rows_alone(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """With a listing or capability, sums are of what matches; the whole batch says the whole."""
    stock(shop)
    shop.settle()
    narrow = {"plan_type": "micro", "token_symbol": "JPYC", "listing_id": "l2"}
    (batch, _) = provider.batches(capability_key="c2", **narrow)
    whole = provider.batches(plan_type="micro", token_symbol="JPYC")[0]
    assert (batch["provider_gross_amount_minor"], whole["provider_gross_amount_minor"]) == (
        "200",
        "600",
    )
    assert batch["settled_provider_receivable_minor"] == "196"
    summary = provider.summary(**narrow)
    assert summary["totals"]["settled_provider_receivable_minor"] == str(98 * 8)
    assert summary["filters"] == narrow | {"capability_key": None}


@pytest.mark.both_databases
def test_one_batch_is_narrowed_as_in_the_list(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """A batch that is looked at by listing or capability counts the matching rows, or isn't there."""
    stock(shop)
    shop.settle()
    narrow = {"listing_id": "l2", "capability_key": "c2"}
    for listed in provider.batches(**narrow):
        one = f"{PROVIDER}/settlement-batches/{listed['settlement_batch_id']}"
        assert provider.read(one, **narrow) == listed != provider.read(one)
        refusal = provider.refused(one, listing_id="l1", capability_key="c2")
        assert refusal == (404, "SETTLEMENT_BATCH_NOT_FOUND")


def test_totals_are_of_the_billing_currency_unless_asked(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Without a token totals are in the provider's own currency, and each token has its own."""
    shop.sell(100)
    shop.sell(200, currency="USD")
    summary = provider.summary()
    assert summary["totals"] == summary["totals_by_token"]["JPYC"]
    assert provider.summary(token_symbol="USDC")["totals"] == summary["totals_by_token"]["USDC"]
    assert summary["totals_by_token"]["USDC"]["unsettled_provider_receivable_minor"] == "199"


def accrue(shop: Shop) -> None:
    shop.sell(100, 5)
    shop.sell(9, 5)


def settle(shop: Shop) -> None:
    accrue(shop)
    shop.settle()


def fail(shop: Shop) -> None:
    shop.mock.simulate.debit_failure(times=28)
    settle(shop)


def give_up(shop: Shop, status: str) -> None:
    """Let a micro and a nano batch fall past due, and end the first of them."""
    shop.mock.simulate.debit_failure(times=2 * 28)
    settle(shop)
    batch = next(iter(shop.mock.events(kind="batch.past_due"))).subject
    shop.mock.batches.give_up(batch, status=status, reason_code="lost")
    shop.sell(100)


def uncollectible(shop: Shop) -> None:
    give_up(shop, "uncollectible")


def written_off(shop: Shop) -> None:
    give_up(shop, "written_off")


STORIES = [accrue, settle, fail, uncollectible, written_off]


@pytest.mark.both_databases
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize(
    "query", [{}, {"plan_type": "nano"}, {"capability_key": "external_402.sandbox_merchant"}]
)
def test_the_buckets_add_up_to_all_that_was_accepted(
    shop: Shop, buyer: Buyer, provider: Provider, story: Any, query: dict[str, str]
) -> None:
    """Whatever becomes of batches, the summary's buckets hold every receivable once."""
    story(shop)
    accepted = sum(Decimal(event["provider_receivable_minor"]) for event in provider.usage(**query))
    totals = provider.summary(**query)["totals"]
    by_bucket = {name: Decimal(totals[f"{name}_provider_receivable_minor"]) for name in BUCKETS}
    assert sum(by_bucket.values()) == accepted
    assert Decimal(totals["terminal_provider_receivable_minor"]) == (
        by_bucket["uncollectible"] + by_bucket["written_off"]
    )


@pytest.mark.parametrize("story", STORIES)
def test_events_added_up_by_status_are_the_buckets(
    shop: Shop, buyer: Buyer, provider: Provider, story: Any
) -> None:
    """A usage event's status says which bucket it counts in."""
    story(shop)
    totals = provider.summary()["totals"]
    statuses = {name: name for name in BUCKETS} | {"unsettled": "pending_settlement"}
    for bucket, status in statuses.items():
        rows = provider.usage(status=status)
        added = sum(Decimal(row["provider_receivable_minor"]) for row in rows)
        assert Decimal(totals[f"{bucket}_provider_receivable_minor"]) == added


def test_a_summary_carries_the_newest_twenty_batches(
    shop: Shop, buyer: Buyer, provider: Provider, mock: MockServer
) -> None:
    """Summaries stop at twenty batches, newest first; the lists have all."""
    for _ in range(22):
        shop.sell(100)
        mock.clock.advance(weeks=1)
    every = provider.batches()
    assert (len(every), provider.summary()["periods"]) == (22, every[:20])
    assert buyer.summary()["settlement_batches"] == buyer.batches()[:20]


def test_one_batch_is_as_the_list_has_it(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """A batch by its id is the list's; an unknown id and another provider's are 404."""
    shop.sell(100)
    shop.settle()
    batch = provider.batch()
    path = f"{PROVIDER}/settlement-batches/{batch['settlement_batch_id']}"
    other = shop.mock.merchants.create("other")
    assert other.token is not None
    assert provider.read(path) == batch
    assert provider.refused(f"{PROVIDER}/settlement-batches/msb_1") == (
        404,
        "SETTLEMENT_BATCH_NOT_FOUND",
    )
    stranger = Provider(shop.mock, other.token)
    assert stranger.refused(path) == (404, "SETTLEMENT_BATCH_NOT_FOUND")
    assert stranger.refused(f"{path}/usage-events.csv")[0] == 404
    assert (stranger.usage(), stranger.batches()) == ([], [])
