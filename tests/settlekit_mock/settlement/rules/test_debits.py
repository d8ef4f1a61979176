"""Whether a batch's debit goes through, and what a failed one is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.settlement.rules.acceptance import (
    Accepted,
    BuyerFunds,
    Caps,
    ScopeState,
    decide,
)
from settlekit_mock.settlement.rules.amounts import units_of
from settlekit_mock.settlement.rules.debits import (
    FAILURE_REASONS,
    Debit,
    FailureCode,
    debit_failure,
    debit_of,
)
from settlekit_mock.settlement.rules.local_time import local_day, local_month
from tests.settlekit_mock.settlement.rules.instants import instant


def yen(amount_minor: int) -> int:
    """Write yen as units."""
    return units_of(amount_minor, "JPY")


RICH = BuyerFunds(balance=yen(1_000_000), allowance=yen(1_000_000))
DEBIT = Debit(yen(2_000), largest_payment=yen(100), largest_day=yen(500), largest_month=yen(1_500))


def test_a_debit_that_the_buyer_can_pay_goes_through() -> None:
    """Balance and allowance of exactly the gross are enough."""
    funds = BuyerFunds(yen(2_000), yen(2_000))
    assert debit_failure(funds, DEBIT, "JPY") is None


@pytest.mark.parametrize(
    ("funds", "code"),
    [
        (RICH._replace(balance=yen(2_000) - 1), FailureCode.INSUFFICIENT_BALANCE),
        (RICH._replace(allowance=yen(2_000) - 1), FailureCode.INSUFFICIENT_ALLOWANCE),
        (RICH._replace(vault_active=False), FailureCode.BUDGET_VAULT_INACTIVE),
        (RICH._replace(caps=Caps(per_payment_minor=99)), FailureCode.PAYOUT_CAP_EXCEEDED),
        (RICH._replace(caps=Caps(day_minor=499)), FailureCode.PAYOUT_CAP_EXCEEDED),
        (RICH._replace(caps=Caps(month_minor=1_499)), FailureCode.PAYOUT_CAP_EXCEEDED),
    ],
)
def test_a_real_shortage_fails_the_debit(funds: BuyerFunds, code: FailureCode) -> None:
    """Balance, allowance, vault and each cap can stop a debit, and its code says which."""
    assert debit_failure(funds, DEBIT, "JPY") is code


def test_shortages_are_looked_for_in_the_order_of_their_codes() -> None:
    """With everything wrong the balance is named, then each next one as they are mended."""
    funds = BuyerFunds(0, 0, vault_active=False, caps=Caps(0, 0, 0))
    codes = [debit_failure(funds, DEBIT, "JPY")]
    for mended in (
        {"balance": DEBIT.gross},
        {"allowance": DEBIT.gross},
        {"vault_active": True},
        {"caps": Caps()},
    ):
        funds = funds._replace(**mended)
        codes.append(debit_failure(funds, DEBIT, "JPY"))
    assert codes == [*list(FailureCode)[:4], None]


def test_a_reservation_locks_no_tokens() -> None:
    """A debit looks at the tokens there are, not at what is reserved, its own gross included."""
    funds = BuyerFunds(yen(2_000), yen(2_000), reserved=yen(2_000))
    assert debit_failure(funds, DEBIT, "JPY") is None


def test_caps_look_at_what_the_batch_holds_and_not_at_its_sum() -> None:
    """Seven days within the day's cap settle in one debit above it."""
    assert debit_failure(RICH._replace(caps=Caps(100, 500, 1_500)), DEBIT, "JPY") is None


def test_a_debit_adds_up_payments_days_and_months_of_the_buyer() -> None:
    """Days and months are counted in the buyer's time zone."""
    usage = [
        (instant("2026-06-30 14:00"), 10),
        (instant("2026-06-30 15:00"), 20),
        (instant("2026-06-30 23:00"), 5),
    ]
    assert debit_of(usage, "Asia/Tokyo") == Debit(35, 20, 25, 25)
    assert debit_of(usage, "UTC") == Debit(35, 20, 35, 35)


def test_an_empty_debit_is_nothing() -> None:
    """Without usage all amounts are zero."""
    assert debit_of([], "UTC") == Debit(0)


USAGE = st.lists(st.tuples(st.integers(0, 40 * 86_400_000), st.integers(1, 500)), max_size=40).map(
    sorted
)


@given(USAGE, st.integers(1, 500), st.integers(1, 1_000), st.integers(1, 2_000))
def test_unchanged_caps_let_out_what_they_let_in(
    payments: list[tuple[int, int]], per_payment: int, day: int, month: int
) -> None:
    """A debit of payments that were each accepted under some caps isn't stopped by the same."""
    funds = RICH._replace(caps=Caps(per_payment, day, month))
    accepted: list[tuple[int, int]] = []
    for at, price in payments:
        spent = funds._replace(
            spent_today=sum(
                gross
                for then, gross in accepted
                if local_day(then, "Asia/Tokyo") == local_day(at, "Asia/Tokyo")
            ),
            spent_this_month=sum(
                gross
                for then, gross in accepted
                if local_month(then, "Asia/Tokyo") == local_month(at, "Asia/Tokyo")
            ),
        )
        if isinstance(decide(ScopeState(), spent, yen(price), "JPY"), Accepted):
            accepted.append((at, yen(price)))
    assert debit_failure(funds, debit_of(accepted, "Asia/Tokyo"), "JPY") is None


def test_each_failure_has_words_for_people() -> None:
    """Every public code has a label and a help, and no raw failure text is among them."""
    assert set(FAILURE_REASONS) == set(FailureCode)
    assert all(reason.label and reason.help_text for reason in FAILURE_REASONS.values())
    words = " ".join(part for reason in FAILURE_REASONS.values() for part in reason).lower()
    assert not any(word in words for word in ("relayer", "nonce", "gas", "revert", "0x"))


@pytest.mark.parametrize("code", FAILURE_REASONS)
def test_a_help_text_promises_no_further_attempt(code: str) -> None:
    """The same text stands on batches past due and given up, which nothing tries any more."""
    assert "tried" not in FAILURE_REASONS[code].help_text
