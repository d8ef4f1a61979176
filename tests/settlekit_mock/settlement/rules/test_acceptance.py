"""Whether a metered payment is accepted, and whether it closes its period."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.settlement.rules.acceptance import (
    Accepted,
    BuyerFunds,
    Caps,
    Reason,
    Refused,
    ScopeState,
    budget_refusal,
    decide,
)
from settlekit_mock.settlement.rules.amounts import units_of

LIMIT = {"JPY": units_of(10_000, "JPY"), "USD": units_of(10_000, "USD")}
RICH = BuyerFunds(balance=10**17, allowance=10**17)
OPEN = ScopeState()
CURRENCIES = st.sampled_from(["JPY", "USD"])


def yen(amount_minor: int) -> int:
    """Write yen as units."""
    return units_of(amount_minor, "JPY")


def refused(scope: ScopeState, funds: BuyerFunds, gross: int, currency: str = "JPY") -> Refused:
    """Return the refusal of a payment."""
    decision = decide(scope, funds, gross, currency)
    assert isinstance(decision, Refused)
    return decision


def test_a_payment_within_everything_is_accepted() -> None:
    """An open scope and a funded buyer take a payment, and the period stays open."""
    assert decide(OPEN, RICH, yen(100), "JPY") == Accepted(closes_period=False)


@pytest.mark.parametrize("currency", ["JPY", "USD"])
@pytest.mark.parametrize(("short_by", "closes"), [(1, False), (0, True), (-1, True)])
def test_the_event_that_reaches_the_threshold_closes_its_period(
    currency: str, short_by: int, closes: bool
) -> None:
    """At 10,000 yen or 100.00 dollars of open usage the period closes, with that event in it."""
    gross = units_of(100, currency)
    scope = ScopeState(open_gross=LIMIT[currency] - gross - short_by)
    assert decide(scope, RICH, gross, currency) == Accepted(closes_period=closes)


def test_only_open_usage_closes_a_period() -> None:
    """Exposure of earlier batches doesn't bring the threshold of the open period closer."""
    scope = ScopeState(exposure=yen(9_999), open_gross=yen(10))
    assert decide(scope, RICH, yen(500), "JPY") == Accepted(closes_period=False)


@pytest.mark.parametrize("currency", ["JPY", "USD"])
def test_a_scope_at_its_exposure_limit_accrues_nothing(currency: str) -> None:
    """At 10,000 minor units of exposure new usage is refused; below it is not."""
    gross = units_of(1, currency)
    refusal = refused(ScopeState(exposure=LIMIT[currency]), RICH, gross, currency)
    assert (refusal.code, refusal.status) == ("METERED_SETTLEMENT_PAST_DUE", 409)
    assert refusal.reason is Reason.EXPOSURE
    below = ScopeState(exposure=LIMIT[currency] - 1)
    assert decide(below, RICH, gross, currency) == Accepted(closes_period=False)


def test_a_failed_retrying_or_past_due_batch_pauses_its_scope() -> None:
    """One such batch refuses all new usage, however little is owed."""
    refusal = refused(ScopeState(paused_batches=1), RICH, yen(1))
    assert (refusal.code, refusal.status) == ("METERED_SETTLEMENT_PAST_DUE", 409)
    assert refusal.reason is Reason.BATCH_PAST_DUE


BROKE = BuyerFunds(
    balance=0,
    allowance=0,
    vault_active=False,
    caps=Caps(per_payment_minor=0, day_minor=0, month_minor=0),
)
PAUSED = ScopeState(exposure=LIMIT["JPY"], paused_batches=1)


@pytest.mark.parametrize(
    ("scope", "funds", "reason"),
    [
        (PAUSED, BROKE, Reason.BATCH_PAST_DUE),
        (PAUSED._replace(paused_batches=0), BROKE, Reason.EXPOSURE),
        (OPEN, BROKE, Reason.VAULT_INACTIVE),
        (OPEN, BROKE._replace(vault_active=True), Reason.PER_PAYMENT_CAP),
        (OPEN, BROKE._replace(vault_active=True, caps=Caps(None, 0, 0)), Reason.DAY_CAP),
        (OPEN, BROKE._replace(vault_active=True, caps=Caps(None, None, 0)), Reason.MONTH_CAP),
        (OPEN, BuyerFunds(0, 0), Reason.BALANCE),
        (OPEN, BuyerFunds(yen(1), 0), Reason.ALLOWANCE),
    ],
    ids=[reason.value for reason in Reason],
)
def test_reasons_are_looked_for_in_one_order(
    scope: ScopeState, funds: BuyerFunds, reason: Reason
) -> None:
    """With everything wrong, a pause comes before the budget, and each part in its turn."""
    assert refused(scope, funds, yen(1)).reason is reason


@pytest.mark.parametrize(
    "funds",
    [
        RICH._replace(vault_active=False),
        RICH._replace(caps=Caps(per_payment_minor=99)),
        RICH._replace(caps=Caps(day_minor=100), spent_today=1),
        RICH._replace(caps=Caps(month_minor=100), spent_this_month=1),
        RICH._replace(balance=yen(100) - 1),
        RICH._replace(allowance=yen(100) - 1),
    ],
)
def test_what_does_not_fit_the_budget_is_refused_with_402(funds: BuyerFunds) -> None:
    """A vault, a cap, a balance or an allowance short by the least amount refuses."""
    refusal = refused(OPEN, funds, yen(100))
    assert (refusal.code, refusal.status) == ("BUDGET_EXCEEDED", 402)


@pytest.mark.parametrize(
    "funds",
    [
        RICH._replace(caps=Caps(100, 100, 100)),
        RICH._replace(caps=Caps(day_minor=150), spent_today=yen(50)),
        RICH._replace(caps=Caps(month_minor=150), spent_this_month=yen(50)),
        BuyerFunds(balance=yen(100), allowance=yen(100)),
    ],
)
def test_what_just_fits_is_accepted(funds: BuyerFunds) -> None:
    """Caps, balance and allowance can be used up to the last unit."""
    assert decide(OPEN, funds, yen(100), "JPY") == Accepted(closes_period=False)


@pytest.mark.parametrize(
    ("funds", "reason"),
    [
        (BuyerFunds(yen(150), yen(1_000), reserved=yen(51)), Reason.BALANCE),
        (BuyerFunds(yen(1_000), yen(150), reserved=yen(51)), Reason.ALLOWANCE),
    ],
)
def test_what_is_reserved_is_not_there_to_spend(funds: BuyerFunds, reason: Reason) -> None:
    """Usage that isn't settled yet takes from balance and allowance alike."""
    assert refused(OPEN, funds, yen(100)).reason is reason


def test_a_cap_counts_minor_units_of_the_payments_currency() -> None:
    """A cap of 100 is 100 yen for a payment in yen and one dollar for one in cents."""
    funds = RICH._replace(caps=Caps(per_payment_minor=100))
    assert decide(OPEN, funds, units_of(100, "USD"), "USD") == Accepted(closes_period=False)
    assert refused(OPEN, funds, units_of(101, "USD"), "USD").reason is Reason.PER_PAYMENT_CAP


@given(st.lists(st.integers(1, 500), max_size=200), st.integers(0, 30_000))
def test_no_run_of_payments_outspends_its_buyer(prices: list[int], balance: int) -> None:
    """Whatever is tried, what is reserved fits the balance and exposure stays below 10,500."""
    reserved = exposure = 0
    for price in prices:
        funds = BuyerFunds(yen(balance), yen(balance), reserved)
        decision = decide(ScopeState(exposure, exposure), funds, yen(price), "JPY")
        if isinstance(decision, Accepted):
            reserved, exposure = reserved + yen(price), exposure + yen(price)
            assert decision.closes_period == (exposure >= LIMIT["JPY"])
    assert reserved <= yen(balance)
    assert exposure < yen(10_500)


def test_no_cap_lets_more_through_in_a_month_than_can_be_counted() -> None:
    """What a buyer spends in a month is a number of 63 bits: the payment beyond it is refused."""
    largest = 2**63 - 1
    spent = BuyerFunds(balance=largest, allowance=largest, spent_this_month=largest - 1)
    assert budget_refusal(spent, 1, "JPY") is None
    beyond = budget_refusal(spent, 2, "JPY")
    assert beyond is not None
    assert (beyond.code, beyond.reason) == ("BUDGET_EXCEEDED", Reason.MONTH_CAP)
