import calendar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel.times import DAY, from_text, to_moment, to_text
from settlekit_mock.recurring.rules import (
    DAY_BUDGET,
    DAY_LIMIT,
    EXHAUSTED,
    MONTH_BUDGET,
    MONTH_LIMIT,
    MOVES,
    TRIES,
    AuthorizationStatus,
    Limits,
    Runs,
    authorization_status_at,
    next_try_at,
    renewal_at,
    run_refusal,
)

STARTS = st.integers(from_text("1990-01-01T00:00:00Z"), from_text("2400-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("start", "renewals"),
    [
        ("2026-01-31T23:59:59.999Z", ["02-28", "03-31", "04-30", "05-31"]),
        ("2028-01-30T00:00:00.000Z", ["02-29", "03-30", "04-30", "05-30"]),
        ("2028-02-29T12:00:00.000Z", ["03-29", "04-29", "05-29", "06-29"]),
        ("2026-11-30T08:00:00.001Z", ["12-30", "01-30", "02-28", "03-30"]),
        ("2026-12-01T00:00:00.000Z", ["01-01", "02-01", "03-01", "04-01"]),
    ],
)
def test_the_same_day_or_the_last(start: str, renewals: list[str]) -> None:
    """A subscription renews on its day; where a month lacks it on the last, and then on its day again."""
    at = [to_text(renewal_at(from_text(start), month)) for month in (1, 2, 3, 4)]
    assert [text[5:10] for text in at] == renewals
    assert {text[10:] for text in at} == {start[10:]}


@given(STARTS, st.integers(0, 600))
def test_every_month_has_one_renewal(started_at: int, month: int) -> None:
    """Each month has exactly one renewal, at the time of the start, as late in it as the start at most."""
    at = to_moment(renewal_at(started_at, month))
    begun = to_moment(started_at)
    assert (at.year * 12 + at.month) - (begun.year * 12 + begun.month) == month
    assert at.time() == begun.time()
    assert at.day == min(begun.day, calendar.monthrange(at.year, at.month)[1])


def test_tries() -> None:
    """A refused renewal is tried again a day later, three times, and no more."""
    assert [next_try_at(failed, 5) for failed in range(1, 6)] == [5 + DAY] * 3 + [None, None]
    assert TRIES == 4


def test_retries_end_before_the_next_renewal() -> None:
    """The last try of a month lies before the next month begins, whatever its length."""
    assert (TRIES - 1) * DAY < 28 * DAY


@pytest.mark.parametrize(
    ("status", "expires_at", "expected"),
    [
        ("active", None, "active"),
        ("active", 11, "active"),
        ("active", 10, "expired"),
        ("active", 9, "expired"),
        ("revoked", 9, "revoked"),
        ("exhausted", 9, "exhausted"),
    ],
)
def test_expiry(status: str, expires_at: int | None, expected: str) -> None:
    """At its expiry an active authorization is over; one that ended before keeps its end."""
    assert authorization_status_at(AuthorizationStatus(status), expires_at, 10) == expected


def test_ends_are_final() -> None:
    """Every end is reached from active alone."""
    ends = set(AuthorizationStatus) - {AuthorizationStatus.ACTIVE}
    assert {end: {AuthorizationStatus.ACTIVE} for end in ends} == MOVES


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-03-31", Runs(9, 2, 5)),
        ("2026-04-01", Runs(9, 0, 0)),
        ("2026-03-30", Runs(9, 0, 5)),
        ("2027-03-31", Runs(9, 0, 0)),
    ],
)
def test_days_and_months_begin_at_nothing(today: str, expected: Runs) -> None:
    """Another day counts from nothing; another month, of any year, does too."""
    assert Runs(9, 2, 5).on(today, "2026-03-31") == expected


def test_a_run_counts_everywhere() -> None:
    """A run is one of all, one of its day and one of its month."""
    assert Runs(9, 2, 5).and_one() == Runs(10, 3, 6)


LIMITS = [
    (Limits(max_runs=10), Runs(9), EXHAUSTED),
    (Limits(max_runs_per_day=3), Runs(9, 2), DAY_LIMIT),
    (Limits(max_runs_per_month=6), Runs(9, 2, 5), MONTH_LIMIT),
    (Limits(max_amount_minor_per_day=300), Runs(9, 2, 5), DAY_BUDGET),
    (Limits(max_amount_minor_per_month=600), Runs(9, 2, 5), MONTH_BUDGET),
]


@pytest.mark.parametrize(
    ("limits", "runs", "refused"), LIMITS, ids=[refused.reason_code for _, _, refused in LIMITS]
)
def test_each_limit(limits: Limits, runs: Runs, refused: object) -> None:
    """A limit takes the run that just fits it, and refuses the next."""
    assert run_refusal(limits, runs, 100) is None
    assert run_refusal(limits, runs.and_one(), 100) == refused


def test_no_limit() -> None:
    """Without limits every run fits."""
    assert run_refusal(Limits(), Runs(10**9, 10**9, 10**9), 2**53) is None


def test_what_is_used_up_is_told_first() -> None:
    """Of several reasons the one that no waiting mends is told first."""
    limits = Limits(1, 1, 1, 1, 1)
    assert run_refusal(limits, Runs(1, 1, 1), 100) == EXHAUSTED
