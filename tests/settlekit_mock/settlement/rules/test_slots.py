"""Slots: when periods open and close, across the hard zones of the calendar."""

import subprocess
import sys
from datetime import datetime
from functools import lru_cache
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlekit_mock.settlement.rules.local_time import local_time, zone_named
from settlekit_mock.settlement.rules.slots import (
    MonthlySlot,
    PeriodBounds,
    Slot,
    WeeklySlot,
    draw_monthly_slot,
    draw_weekly_slot,
    next_close,
    period_bounds,
    previous_close,
)
from tests.settlekit_mock.settlement.rules.instants import instant
from tests.settlekit_mock.settlement.rules.minute_scan import scanned_close

HOUR, DAY = 3_600_000, 86_400_000
ZONES = [
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/Santiago",
    "America/St_Johns",  # until 2011 its clocks went back at 00:01, into the day before
    "Pacific/Apia",
    "Asia/Tokyo",
    "UTC",
]
FIRST_DAY, LAST_DAY = instant("2005-01-01") // DAY, instant("2040-01-01") // DAY


@lru_cache
def changes(timezone: str) -> list[int]:
    """Return the days on which a zone's clocks change."""
    zone = zone_named(timezone)
    offsets = [
        (day, datetime.fromtimestamp(day * DAY // 1_000, zone).utcoffset())
        for day in range(FIRST_DAY, LAST_DAY)
    ]
    return [day * DAY for (day, one), (_, other) in pairwise(offsets) if one != other] or [
        FIRST_DAY * DAY
    ]


@st.composite
def moments(draw: st.DrawFn, timezone: str) -> int:
    """Draw an instant, mostly within two days of a change of the clocks."""
    anywhere = st.integers(FIRST_DAY * DAY, LAST_DAY * DAY)
    near = st.tuples(st.sampled_from(changes(timezone)), st.integers(-2 * DAY, 3 * DAY)).map(sum)
    return draw(st.one_of(near, near, anywhere))


@st.composite
def closings(draw: st.DrawFn) -> tuple[int, Slot, str]:
    """Draw an instant, a slot that often lies among changing clocks, and a zone."""
    timezone = draw(st.sampled_from(ZONES))
    after = draw(moments(timezone))
    aimed = local_time(draw(moments(timezone)), zone_named(timezone))
    hour, minute = draw(
        st.one_of(
            st.just((aimed.hour, aimed.minute)),
            st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 29, 30, 31, 59])),
            st.tuples(st.integers(0, 23), st.integers(0, 59)),
        )
    )
    weekly = WeeklySlot(aimed.weekday(), hour, minute)
    monthly = MonthlySlot(min(aimed.day, 28), hour, minute)
    return after, draw(st.sampled_from([weekly, weekly, monthly])), timezone


@given(closings())
@settings(max_examples=150, deadline=None)
def test_a_slot_closes_where_a_scan_of_every_minute_finds_it(
    closing: tuple[int, Slot, str],
) -> None:
    """The next close is the one found by reading the zone's clock each minute."""
    after, slot, timezone = closing
    assert next_close(after, slot, timezone) == scanned_close(after, slot, timezone)


@given(closings())
def test_the_next_close_is_later_and_nothing_closes_between(
    closing: tuple[int, Slot, str],
) -> None:
    """A close lies strictly after; from any time up to it, the same close is next."""
    after, slot, timezone = closing
    close = next_close(after, slot, timezone)
    assert after < close
    assert next_close(close - 1, slot, timezone) == close
    assert next_close((after + close) // 2, slot, timezone) == close


@given(closings())
def test_each_close_is_a_week_or_a_month_after_the_one_before(
    closing: tuple[int, Slot, str],
) -> None:
    """A slot never fires twice in a repeated hour: closes lie six days apart or more."""
    after, slot, timezone = closing
    close = next_close(after, slot, timezone)
    longest = 8 * DAY if isinstance(slot, WeeklySlot) else 33 * DAY
    assert 6 * DAY <= next_close(close, slot, timezone) - close <= longest


@given(closings(), st.integers(0, 40 * DAY))
def test_a_later_time_never_has_an_earlier_close(
    closing: tuple[int, Slot, str], later: int
) -> None:
    """The next close is monotone."""
    after, slot, timezone = closing
    assert next_close(after, slot, timezone) <= next_close(after + later, slot, timezone)


@given(closings())
def test_the_previous_close_is_the_last_one_at_or_before(
    closing: tuple[int, Slot, str],
) -> None:
    """Between the previous close and the next there is none, and a close is its own previous."""
    at, slot, timezone = closing
    before = previous_close(at, slot, timezone)
    assert before <= at < next_close(before, slot, timezone)
    assert previous_close(before, slot, timezone) == before


def test_clocks_put_back_into_the_day_before_leave_a_close_where_it_was() -> None:
    """A slot that came just before the clocks went back past midnight stays the previous one."""
    midnight, timezone = WeeklySlot(6, 0, 0), "America/St_Johns"
    at = instant("2010-11-07 03:00")
    assert local_time(at, zone_named(timezone)).isoformat() == "2010-11-06T23:30:00"
    assert previous_close(at, midnight, timezone) == instant("2010-11-07 02:30")
    assert next_close(at, midnight, timezone) == instant("2010-11-14 03:30")


SUNDAY_HALF_PAST_TWO = WeeklySlot(6, 2, 30)
SUNDAY_HALF_PAST_ONE = WeeklySlot(6, 1, 30)


@pytest.mark.parametrize(
    ("after", "slot", "timezone", "close"),
    [
        ("2026-06-20 00:00", WeeklySlot(0, 9, 0), "UTC", "2026-06-22 09:00"),
        ("2026-06-22 09:00", WeeklySlot(0, 9, 0), "UTC", "2026-06-29 09:00"),
        ("2026-06-22 00:00", WeeklySlot(0, 9, 0), "Asia/Tokyo", "2026-06-29 00:00"),
        ("2026-01-31 00:00", MonthlySlot(28, 0, 0), "UTC", "2026-02-28 00:00"),
        ("2026-12-31 00:00", MonthlySlot(1, 0, 0), "UTC", "2027-01-01 00:00"),
        ("2026-03-07 00:00", SUNDAY_HALF_PAST_TWO, "America/New_York", "2026-03-08 07:00"),
        ("2026-10-31 00:00", SUNDAY_HALF_PAST_ONE, "America/New_York", "2026-11-01 05:30"),
        ("2026-11-01 05:30", SUNDAY_HALF_PAST_ONE, "America/New_York", "2026-11-08 06:30"),
        ("2011-12-29 00:00", WeeklySlot(4, 18, 0), "Pacific/Apia", "2011-12-30 10:00"),
    ],
)
def test_a_slot_closes_at_its_local_time(after: str, slot: Slot, timezone: str, close: str) -> None:
    """Closes known by hand: weeks, months, the end of a year, gaps, a fold, a missing day."""
    assert next_close(instant(after), slot, timezone) == instant(close)


MONDAY_NINE = WeeklySlot(0, 9, 0)


def test_a_period_has_the_slots_own_bounds() -> None:
    """A scope's first period starts at the slot before its first usage, and ends at the next."""
    bounds = period_bounds(instant("2026-06-24 12:34"), MONDAY_NINE, "UTC", None)
    assert bounds == PeriodBounds(instant("2026-06-22 09:00"), instant("2026-06-29 09:00"))


def test_usage_at_the_slot_itself_is_the_next_periods() -> None:
    """A period ends just before its slot: usage at that instant opens the next."""
    at_slot = instant("2026-06-22 09:00")
    assert period_bounds(at_slot, MONDAY_NINE, "UTC", None).period_start == at_slot
    assert period_bounds(at_slot - 1, MONDAY_NINE, "UTC", None).period_end == at_slot


def test_after_a_threshold_close_the_period_starts_there_and_ends_at_the_slot() -> None:
    """The period after a threshold close starts where that one ended; the slot stays."""
    reached_at = instant("2026-06-24 12:34")
    bounds = period_bounds(reached_at + 5 * HOUR, MONDAY_NINE, "UTC", reached_at)
    assert bounds == PeriodBounds(reached_at, instant("2026-06-29 09:00"))


def test_an_old_period_leaves_the_next_its_slots_bounds() -> None:
    """Where the period before ended before the slot, the slot alone is the start."""
    bounds = period_bounds(
        instant("2026-06-24 12:34"), MONDAY_NINE, "UTC", instant("2026-06-20 00:00")
    )
    assert bounds.period_start == instant("2026-06-22 09:00")


@given(closings(), st.integers(0, 10 * DAY))
def test_periods_never_overlap_and_hold_their_usage(
    closing: tuple[int, Slot, str], earlier: int
) -> None:
    """A period starts no sooner than the one before ended, and holds the usage that opens it."""
    at, slot, timezone = closing
    start, end = period_bounds(at, slot, timezone, at - earlier)
    assert at - earlier <= start <= at < end


@pytest.mark.parametrize(
    ("build", "values", "message"),
    [
        (WeeklySlot, (7, 0, 0), "weekday is a whole number from 0 to 6"),
        (WeeklySlot, (-1, 0, 0), "weekday"),
        (WeeklySlot, (0, 24, 0), "hour is a whole number from 0 to 23"),
        (WeeklySlot, (0, 0, 60), "minute is a whole number from 0 to 59"),
        (WeeklySlot, (True, 0, 0), "weekday"),
        (WeeklySlot, (0, 1.0, 0), "hour"),
        (WeeklySlot, ("0", 1, 0), "weekday"),
        (MonthlySlot, (0, 0, 0), "day is a whole number from 1 to 28"),
        (MonthlySlot, (29, 0, 0), "day is a whole number from 1 to 28"),
        (MonthlySlot, (1, -1, 0), "hour"),
        (MonthlySlot, (1, 0, 60), "minute"),
    ],
)
def test_a_slot_out_of_range_cannot_be_made(
    build: type[Slot], values: tuple[int, int, int], message: str
) -> None:
    """A slot has a weekday or a day that every month has, and a time of the day."""
    with pytest.raises(ValueError, match=message):
        build(*values)


def test_an_unknown_zone_has_no_closes() -> None:
    """A slot without a time zone of the calendar is a ValueError."""
    with pytest.raises(ValueError, match="is no time zone"):
        next_close(0, MONDAY_NINE, "Mars/Olympus")


DRAWN = (
    "from settlekit_mock.settlement.rules.slots import draw_monthly_slot, draw_weekly_slot;"
    "print([draw('buyer_1', 7) for draw in (draw_weekly_slot, draw_monthly_slot)])"
)


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_drawn_slots_are_the_same_in_every_process(hash_seed: str) -> None:
    """An account's slots depend on its id and the server's seed, and on nothing else."""
    answer = subprocess.run(
        [sys.executable, "-c", DRAWN],
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str(
        [draw_weekly_slot("buyer_1", 7), draw_monthly_slot("buyer_1", 7)]
    )


def test_drawn_slots_differ_by_account_and_by_seed() -> None:
    """Another account or another seed draws anew, and slots spread over week and month."""
    weekly = [draw_weekly_slot(f"buyer_{n}", seed) for n, seed in product(range(200), range(5))]
    monthly = [draw_monthly_slot(f"buyer_{n}", seed) for n, seed in product(range(200), range(5))]
    assert len(set(weekly)) > 900
    assert len(set(monthly)) > 900
    assert {slot.weekday for slot in weekly} == set(range(7))
    assert {slot.day for slot in monthly} == set(range(1, 29))
