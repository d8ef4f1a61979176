"""Budgets: what fits is reserved until it settles, what doesn't is refused."""

from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.kernel.times import HOUR
from tests.settlekit_mock.settlement.conftest import Buyer, Provider, Shop

OVER = {"BUDGET_EXCEEDED": 1}
BUDGETS = [
    ({"balances": {"JPYC": "300"}}, "balance"),
    ({"allowances": {"JPYC": "300"}}, "allowance"),
    ({"caps": {"day": 300}}, "day_cap"),
    ({"caps": {"month": 300}}, "month_cap"),
]


def reason(mock: MockServer) -> str:
    """Return why the last refused payment was refused."""
    *_, refused = mock.events(kind="payment.refused")
    found: str = refused.data["reason"]
    return found


@pytest.mark.parametrize(("budget", "why"), BUDGETS, ids=[why for _, why in BUDGETS])
def test_a_budget_takes_what_fits_and_no_more(
    shop: Shop, provider: Provider, mock: MockServer, budget: dict[str, Any], why: str
) -> None:
    """Payments up to exactly the budget are accepted, the next minor unit isn't."""
    shop.buyer(**budget)
    assert shop.sell(100, 3).accepted == 3
    assert shop.sell(1).refused == OVER
    assert (reason(mock), len(provider.usage())) == (why, 3)


@pytest.mark.parametrize(
    ("budget", "amount_minor", "why"),
    [
        ({"vault_active": False}, 1, "vault_inactive"),
        ({"caps": {"per_payment": 99}}, 100, "per_payment_cap"),
        ({"caps": {"per_payment": 0}}, 1, "per_payment_cap"),
        ({"balances": {"JPYC": "0.99999999"}}, 1, "balance"),
    ],
)
def test_some_budgets_take_nothing(
    shop: Shop, mock: MockServer, budget: dict[str, Any], amount_minor: int, why: str
) -> None:
    """An inactive vault, a cap below the payment or less than the price let nothing through."""
    shop.buyer(**budget)
    assert (shop.sell(amount_minor).refused, reason(mock)) == (OVER, why)


def test_a_payment_at_its_cap_passes(shop: Shop) -> None:
    """A cap for one payment lets exactly that through."""
    shop.buyer(caps={"per_payment": 100})
    assert shop.sell(100).accepted == 1


def test_reservations_add_up_over_bands_and_providers(shop: Shop, mock: MockServer) -> None:
    """Micro, nano and other providers' usage draw on the same budget of one token."""
    shop.buyer(balances={"JPYC": "300"})
    mock.merchants.create("other")
    shop.sell(200)
    shop.sell(40)
    assert shop.sell(61, merchant="other").refused == OVER
    assert shop.sell(60, merchant="other").accepted == 1
    assert mock.buyers.get("b1").reserved.JPYC == "300"


def test_tokens_have_budgets_of_their_own(shop: Shop) -> None:
    """A buyer without yen can still pay in dollars."""
    shop.buyer(balances={"JPYC": "0"})
    assert shop.sell(100).refused == OVER
    assert shop.sell(100, currency="USD").accepted == 1


def test_a_reservation_ends_with_settlement(shop: Shop, mock: MockServer) -> None:
    """What settled is spent, and the balance that is left can be spent."""
    shop.buyer(balances={"JPYC": "300"})
    shop.sell(300)
    mock.clock.advance(until="batch.settled")
    assert mock.buyers.get("b1").reserved.JPYC == "0"
    assert shop.sell(1).refused == OVER
    mock.buyers.update("b1", balances={"JPYC": "100"})
    assert shop.sell(100).accepted == 1


def test_caps_count_the_buyers_own_days(shop: Shop, mock: MockServer) -> None:
    """A day's cap begins anew at midnight in the buyer's time zone, not at midnight UTC."""
    shop.buyer(timezone="Asia/Tokyo", caps={"day": 100})
    assert shop.sell(100).accepted == 1
    mock.clock.advance(to="2026-03-02T14:59:59.999Z")
    assert shop.sell(100).refused == OVER
    mock.clock.advance(to="2026-03-02T15:00:00.000Z")
    assert shop.sell(100).accepted == 1


@pytest.mark.both_databases
def test_caps_count_the_buyers_own_months(shop: Shop, mock: MockServer) -> None:
    """A month's cap begins anew on the first, in the buyer's time zone."""
    shop.buyer(timezone="America/New_York", caps={"month": 100})
    assert shop.sell(100).accepted == 1
    mock.clock.advance(to="2026-04-01T03:59:59.999Z")
    assert shop.sell(100).refused == OVER
    mock.clock.advance(to="2026-04-01T04:00:00.000Z")
    assert shop.sell(100).accepted == 1


def test_a_pause_is_looked_for_before_the_budget(
    shop: Shop, buyer: Buyer, mock: MockServer
) -> None:
    """A paused scope is refused as paused, even where the budget wouldn't do either."""
    shop.sell(500, 20)
    mock.buyers.update("b1", vault_active=False)
    assert shop.sell(100).refused == {"METERED_SETTLEMENT_PAST_DUE": 1}


@pytest.mark.parametrize(
    ("balance", "allowance", "available", "sufficient"),
    [("1000", "2000", "1000", True), ("2000", "300", "300", True), ("299", "2000", "299", False)],
)
def test_a_buyer_reads_whether_the_funds_cover_what_is_owed(
    shop: Shop, mock: MockServer, balance: str, allowance: str, available: str, sufficient: bool
) -> None:
    """Sufficiency sets what is reserved against the smaller of balance and allowance."""
    buyer = shop.buyer()
    shop.sell(300)
    mock.buyers.update("b1", balances={"JPYC": balance}, allowances={"JPYC": allowance})
    assert buyer.summary()["balance_sufficiency"] == {
        "sufficient": sufficient,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "required_minor": "300",
        "available_minor": available,
        "wallet_balance_checked": True,
        "allowance_checked": True,
    }


def test_an_estimate_comes_a_day_before_the_close(
    shop: Shop, buyer: Buyer, mock: MockServer
) -> None:
    """The buyer is told an estimate 24 h before the slot, once."""
    shop.sell(100, 2)
    mock.clock.advance(to="2026-03-03T10:29:59.999Z")
    assert mock.notices.all(kind="estimate") == []
    mock.clock.advance(hours=30)
    (notice,) = mock.notices.all(kind="estimate")
    assert (notice.audience, notice.sent_at) == ("buyer", "2026-03-03T10:30:00.000Z")
    assert "200 JPY" in notice.text


def test_an_estimate_that_comes_too_late_isnt_sent(
    shop: Shop, buyer: Buyer, mock: MockServer
) -> None:
    """Where usage begins within the last day, there is no estimate."""
    mock.clock.advance(to="2026-03-03T10:30:00.001Z")
    shop.sell(100)
    mock.clock.advance(hours=HOUR // 3_600_000 * 30)
    assert mock.notices.all(kind="estimate") == []
