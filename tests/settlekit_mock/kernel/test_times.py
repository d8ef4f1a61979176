"""Instants and durations: what is read, what is refused, and that nothing is lost."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel.times import (
    DAY,
    EARLIEST,
    HOUR,
    LATEST,
    MINUTE,
    SECOND,
    duration_from_text,
    from_text,
    optional_text,
    to_instant,
    to_moment,
    to_text,
)

NOON = 1_772_366_400_000


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01t12:00:00z", NOON),
        ("2026-03-01T12:00:00.5Z", NOON + 500),
        ("2026-03-01T12:00:00.123456789Z", NOON + 123),
        ("2026-03-01T12:00:00.0009Z", NOON),
        ("2026-03-01T21:00:00+09:00", NOON),
        ("2026-03-01T06:30:00-05:30", NOON),
        ("2026-03-01T12:00:00-00:00", NOON),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2999-12-31T23:59:59.999Z", LATEST),
    ],
)
def test_rfc_3339_is_read(text: str, instant: int) -> None:
    """A time with an offset is one instant, cut off below the millisecond."""
    assert from_text(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00Z",
        "2026-3-1T12:00:00Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00,5Z",
        "2026-03-01T12:00:00.1234567890Z",
        "2026-03-01T12:00:00+0900",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+09:60",
        " 2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n",
        "２026-03-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:60Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "3000-01-01T00:00:00Z",
        "2999-12-31T23:59:59-00:01",
        "1772366400",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """What isn't a whole RFC 3339 time of the years 1970 to 2999 is a ``ValueError``."""
    with pytest.raises(ValueError, match=r"expected|calendar|offset|years"):
        from_text(text)


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_survives_the_wire(instant: int) -> None:
    """Every instant is read back as it was written."""
    assert from_text(to_text(instant)) == instant


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_is_the_moment_that_datetime_says(instant: int) -> None:
    """Instants agree with ``datetime``, and their texts with ``isoformat``."""
    moment = to_moment(instant)
    assert to_instant(moment) == instant
    assert to_text(instant) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(st.integers(EARLIEST + DAY, LATEST - DAY), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_an_offset_changes_no_instant(instant: int, minutes: int) -> None:
    """The same instant, written at any offset, is read as the same."""
    zone = timezone(timedelta(minutes=minutes))
    assert from_text(to_moment(instant).astimezone(zone).isoformat()) == instant


@given(st.integers(EARLIEST, LATEST), st.integers(EARLIEST, LATEST))
def test_texts_sort_as_instants_do(one: int, other: int) -> None:
    """Texts of instants compare as the instants do."""
    assert (to_text(one) < to_text(other)) == (one < other)


def test_an_absent_instant_stays_absent() -> None:
    """``None`` is written as null, an instant as its text."""
    assert (optional_text(None), optional_text(0)) == (None, "1970-01-01T00:00:00.000Z")


def test_a_naive_datetime_is_refused() -> None:
    """A ``datetime`` without a zone is no instant."""
    with pytest.raises(ValueError, match="aware"):
        to_instant(datetime(2026, 3, 1))  # noqa: DTZ001


def test_microseconds_are_cut_off() -> None:
    """A moment between two milliseconds is the earlier instant."""
    assert to_instant(datetime(2026, 3, 1, 12, 0, 0, 1999, UTC)) == NOON + 1


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("P7D", 7 * DAY),
        ("P2W", 14 * DAY),
        ("P1W2D", 9 * DAY),
        ("PT6H", 6 * HOUR),
        ("P1DT12H", 36 * HOUR),
        ("PT90M", 90 * MINUTE),
        ("PT0S", 0),
        ("PT0.5S", 500),
        ("PT1.25S", 1250),
        ("P1DT2H3M4.005S", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5),
    ],
)
def test_iso_8601_durations_are_read(text: str, milliseconds: int) -> None:
    """A duration of weeks to seconds is so many milliseconds."""
    assert duration_from_text(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P1M",
        "7D",
        "p7d",
        "P-7D",
        "-P7D",
        "P7D ",
        "P７D",
        "P1.5D",
        "PT1.2345S",
        "PT6H30",
        "P1D2H",
        "PT1S1M",
    ],
)
def test_durations_without_a_fixed_length_are_refused(text: str) -> None:
    """Years, months, signs, fractions but of seconds and all else is a ``ValueError``."""
    with pytest.raises(ValueError, match="expected an ISO 8601 duration"):
        duration_from_text(text)
