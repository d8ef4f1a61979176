"""The example month is what its script makes, and looks like a shop's."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scripts.make_orders import CUSTOMERS, EVENINGS, Order, as_csv, make_orders
from settlekit.money import Band, band_of

DATA = Path(__file__).parents[2] / "examples" / "data"
SETTLES_WITHIN = timedelta(days=10, hours=1)  # a week's period, 72 hours, finality
ORDERS = make_orders()
HEAVY = {name for name, *_ in EVENINGS}


def placed_at(order: Order) -> datetime:
    return datetime.fromisoformat(order.placed_at)


def band(order: Order) -> Band:
    return band_of(order.amount_minor, order.currency)


def scopes() -> dict[tuple[str, Band], list[Order]]:
    """Group the metered orders by what accrues and settles together."""
    grouped = defaultdict(list)
    for order in ORDERS:
        if band(order) is not Band.STANDARD:
            grouped[order.customer, band(order)].append(order)
    return grouped


def unsettled_before(order: Order, scope: list[Order]) -> int:
    """Add up what can still be unsettled when an order is placed, whatever the customer's slot."""
    earliest = placed_at(order) - SETTLES_WITHIN
    return sum(
        other.amount_minor for other in scope if earliest <= placed_at(other) < placed_at(order)
    )


@pytest.mark.parametrize(
    ("name", "rows"),
    [("orders.csv", ORDERS), ("customers.csv", CUSTOMERS)],
    ids=["orders", "customers"],
)
def test_checked_in_file_is_what_the_script_makes(name, rows):
    """The checked-in files equal what the script makes from its seed, to the byte."""
    assert (DATA / name).read_bytes() == as_csv(rows).encode()


def test_another_seed_makes_another_month():
    """The seed decides the month."""
    assert make_orders(8) != ORDERS


def test_about_five_hundred_orders_of_one_month_in_order():
    """About 500 orders, numbered by time, no two at one instant, all in January 2026."""
    instants = [placed_at(order) for order in ORDERS]
    assert 480 <= len(ORDERS) <= 520
    assert [order.order_id for order in ORDERS] == sorted({order.order_id for order in ORDERS})
    assert all(earlier < later for earlier, later in pairwise(instants))
    assert datetime(2026, 1, 1, tzinfo=UTC) <= instants[0]
    assert instants[-1] < datetime(2026, 2, 1, tzinfo=UTC)


def test_each_currency_has_every_band_and_jpy_leads_seventy_to_thirty():
    """Both currencies come in all three bands, about seven orders in ten in JPY."""
    kinds = {(order.currency, band(order)) for order in ORDERS}
    jpy_share = sum(order.currency == "JPY" for order in ORDERS) / len(ORDERS)
    assert kinds == {(currency, each) for currency in ("JPY", "USD") for each in Band}
    assert 0.66 <= jpy_share <= 0.76


def test_customers_return_and_pay_in_one_currency():
    """Every customer is known, buys at least twice, and pays in one currency."""
    currency_of = {each.customer: each.currency for each in CUSTOMERS}
    counts = defaultdict(int)
    for order in ORDERS:
        assert currency_of[order.customer] == order.currency
        counts[order.customer] += 1
    assert set(counts) == set(currency_of)
    assert min(counts.values()) >= 2


def test_few_customers_place_most_orders():
    """The busiest fifth of the customers place more than half of the orders."""
    counts = defaultdict(int)
    for order in ORDERS:
        counts[order.customer] += 1
    busiest = sorted(counts.values(), reverse=True)[: len(counts) // 5]
    assert sum(busiest) > len(ORDERS) / 2


def test_evenings_are_busy_where_the_customer_lives():
    """An hour from 19 to 22 local time sees at least four times the orders of one from 0 to 5."""
    zone_of = {each.customer: ZoneInfo(each.timezone) for each in CUSTOMERS}
    hours = [placed_at(order).astimezone(zone_of[order.customer]).hour for order in ORDERS]
    evening = sum(19 <= hour < 22 for hour in hours) / 3
    night = sum(hour < 5 for hour in hours) / 5
    assert evening >= 4 * night


def test_agents_buy_metered_and_people_buy_packs_on_the_page():
    """A standard order goes through the page, a nano order through an agent."""
    assert {order.channel for order in ORDERS if band(order) is Band.STANDARD} == {"web"}
    assert {order.channel for order in ORDERS if band(order) is Band.NANO} == {"agent"}
    assert {order.channel for order in ORDERS if band(order) is Band.MICRO} == {"web", "agent"}


def test_no_order_meets_a_paused_scope():
    """Whatever a customer's slot, no order finds 10,000 minor units of its scope unsettled."""
    for (_, each), scope in scopes().items():
        for order in scope:
            before = (
                sum(other.amount_minor for other in scope if other.order_id < order.order_id)
                if each is Band.NANO
                else unsettled_before(order, scope)
            )
            assert before < 10_000, order


def test_only_the_heavy_customers_reach_the_threshold():
    """Two customers reach 10,000 yen in micro, each within one evening, and then rest five days."""
    reached = {}
    for (customer, each), scope in scopes().items():
        if each is Band.MICRO:
            for order in scope:
                if unsettled_before(order, scope) + order.amount_minor >= 10_000:
                    reached[customer] = order
    assert set(reached) == HEAVY
    for customer, crossing in reached.items():
        scope = scopes()[customer, Band.MICRO]
        evening = [
            order
            for order in scope
            if timedelta() <= placed_at(crossing) - placed_at(order) <= timedelta(hours=4)
        ]
        after = [
            order
            for order in scope
            if timedelta() < placed_at(order) - placed_at(crossing) < timedelta(days=5)
        ]
        assert crossing.currency == "JPY"
        assert sum(order.amount_minor for order in evening) >= 10_000
        assert after == []
