"""Wall clocks: zones by name, local times as instants, days and months."""

from datetime import datetime

import pytest

from settlekit_mock.settlement.rules.local_time import (
    first_instant,
    local_day,
    local_month,
    local_time,
    zone_named,
    zone_names,
)
from tests.settlekit_mock.settlement.rules.instants import instant


@pytest.mark.parametrize(
    "timezone",
    [
        "",
        "Mars/Olympus",
        "asia/tokyo",
        "America",
        "../UTC",
        "/etc/passwd",
        "Asia/Tokyo\0",
        "Asia/Tōkyō",
        "zone.tab",
        "localtime",
    ],
)
def test_an_unknown_time_zone_is_refused(timezone: str) -> None:
    """Only names of the calendar are time zones: no paths, no folders, no other spelling."""
    with pytest.raises(ValueError, match="is no time zone"):
        zone_named(timezone)


def test_every_name_of_the_calendar_is_a_time_zone() -> None:
    """Each listed name can be loaded under its own name."""
    assert all(zone_named(name).key == name for name in zone_names())
    assert len(zone_names()) > 400


@pytest.mark.parametrize(
    ("local", "timezone", "at"),
    [
        ("2026-03-08 02:30", "America/New_York", "2026-03-08 07:00"),
        ("2026-03-08 03:00", "America/New_York", "2026-03-08 07:00"),
        ("2026-10-04 02:10", "Australia/Lord_Howe", "2026-10-03 15:30"),
        ("2026-03-29 01:00", "Antarctica/Troll", "2026-03-29 01:00"),
        ("2026-03-29 02:59", "Antarctica/Troll", "2026-03-29 01:00"),
        ("2026-09-06 00:00", "America/Santiago", "2026-09-06 04:00"),
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 10:00"),
    ],
)
def test_a_skipped_local_time_is_the_first_instant_after_the_gap(
    local: str, timezone: str, at: str
) -> None:
    """A local time that doesn't exist stands for the end of the gap it lies in."""
    assert first_instant(datetime.fromisoformat(local), zone_named(timezone)) == instant(at)


@pytest.mark.parametrize(
    ("local", "timezone", "at"),
    [
        ("2026-11-01 01:30", "America/New_York", "2026-11-01 05:30"),
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04 14:45"),
        ("2026-10-25 01:30", "Antarctica/Troll", "2026-10-24 23:30"),
        ("2026-04-04 23:30", "America/Santiago", "2026-04-05 02:30"),
    ],
)
def test_a_repeated_local_time_is_its_first_instant(local: str, timezone: str, at: str) -> None:
    """A local time that comes twice stands for the first time it comes."""
    assert first_instant(datetime.fromisoformat(local), zone_named(timezone)) == instant(at)


def test_a_plain_local_time_is_its_only_instant() -> None:
    """Away from changes a local time is its instant, and back."""
    tokyo, noon = zone_named("Asia/Tokyo"), datetime.fromisoformat("2026-06-20 12:00")
    assert first_instant(noon, tokyo) == instant("2026-06-20 03:00")
    assert local_time(instant("2026-06-20 03:00") + 999, tokyo) == noon


def test_days_and_months_are_the_buyers_own() -> None:
    """The last hour of a month in UTC is the next month in Tokyo already."""
    at = instant("2026-06-30 15:00")
    assert (local_day(at, "UTC"), local_month(at, "UTC")) == ("2026-06-30", "2026-06")
    assert (local_day(at, "Asia/Tokyo"), local_month(at, "Asia/Tokyo")) == ("2026-07-01", "2026-07")
    assert local_day(at - 1, "Asia/Tokyo") == "2026-06-30"
