"""Steps of a chart."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.console.rules import (
    FINEST_FIRST,
    GRAIN,
    By,
    end_of,
    ends,
    step_for,
    too_many,
)
from settlekit_mock.kernel.times import DAY, HOUR, LATEST, from_text, to_moment, to_text

INSTANTS = st.integers(0, LATEST)
STEPS = st.sampled_from(FINEST_FIRST)


@pytest.mark.parametrize(
    ("at", "by", "end"),
    [
        ("2026-03-04T10:30:00.001Z", "minute", "2026-03-04T10:31:00.000Z"),
        ("2026-03-04T10:30:00.000Z", "minute", "2026-03-04T10:30:00.000Z"),
        ("2026-03-04T10:30:00.000Z", "hour", "2026-03-04T11:00:00.000Z"),
        ("2026-03-04T10:30:00.000Z", "day", "2026-03-05T00:00:00.000Z"),
        ("2026-03-05T00:00:00.000Z", "day", "2026-03-05T00:00:00.000Z"),
        ("2026-03-04T10:30:00.000Z", "week", "2026-03-09T00:00:00.000Z"),
        ("2026-03-09T00:00:00.000Z", "week", "2026-03-09T00:00:00.000Z"),
        ("2026-03-09T00:00:00.001Z", "week", "2026-03-16T00:00:00.000Z"),
        ("1970-01-01T00:00:00.000Z", "week", "1970-01-05T00:00:00.000Z"),
        ("2026-03-04T10:30:00.000Z", "month", "2026-04-01T00:00:00.000Z"),
        ("2026-04-01T00:00:00.000Z", "month", "2026-04-01T00:00:00.000Z"),
        ("2026-12-31T23:59:59.999Z", "month", "2027-01-01T00:00:00.000Z"),
    ],
)
def test_a_step_ends_in_utc(at: str, by: By, end: str) -> None:
    """A week ends on Monday, a month on the first; an end is its own step's."""
    assert to_text(end_of(from_text(at), by)) == end


@given(at=INSTANTS, by=STEPS)
def test_an_end_is_the_next_boundary(at: int, by: By) -> None:
    """No end lies before its instant, a step away, or off the boundaries of its kind."""
    end = end_of(at, by)
    assert at <= end < at + {"month": 31 * DAY, "week": 7 * DAY}.get(by, GRAIN[by])
    moment = to_moment(end)
    assert end % GRAIN[by] == 0
    assert by != "week" or moment.weekday() == 0
    assert by != "month" or moment.day == 1
    assert end_of(end, by) == end


@given(first=INSTANTS, lasted=st.integers(0, 400 * DAY), by=STEPS.filter(lambda by: by != "minute"))
def test_the_ends_go_on_to_now(first: int, lasted: int, by: By) -> None:
    """Ends follow each other, a step apart, from the first instant's to now."""
    now = min(first + lasted, LATEST)
    found = ends(first, now, by)
    assert found == sorted(set(found))
    assert found[-1] == now
    assert found[:-1] == [end_of(end, by) for end in found[:-1]]
    assert found[0] == min(end_of(first, by), now)
    assert [end_of(end + 1, by) for end in found[:-1]][:-1] == found[1:-1]


@given(first=INSTANTS, lasted=st.integers(0, 9 * 365 * DAY))
def test_a_step_is_chosen_by_the_span(first: int, lasted: int) -> None:
    """Up to nine years make no more than 120 points, by the finest step that does it."""
    now = min(first + lasted, LATEST)
    by = step_for(first, now)
    assert len(ends(first, now, by)) <= 120
    if by != "minute":
        finer = FINEST_FIRST[FINEST_FIRST.index(by) - 1]
        assert len(ends(first, now, finer)) > 100


@pytest.mark.parametrize(
    ("hours", "by"), [(1, "minute"), (118, "hour"), (121, "day"), (118 * 24, "day")]
)
def test_a_chart_is_as_fine_as_it_may_be(hours: int, by: By) -> None:
    """Five days are shown by the hour, four months by the day."""
    start = from_text("2026-03-02T00:00:00Z")
    assert step_for(start, start + hours * HOUR) == by


def test_too_many_points_are_known_beforehand() -> None:
    """A day has few minutes enough, a fortnight hasn't, and a year has few hours enough."""
    start = from_text("2026-03-02T00:00:00Z")
    assert not too_many(start, start + DAY, "minute")
    assert too_many(start, start + 14 * DAY, "minute")
    assert not too_many(start, start + 365 * DAY, "hour")
    assert too_many(start, start + 10_000 * HOUR, "hour")
    assert datetime.fromtimestamp(start / 1000, UTC).weekday() == 0
