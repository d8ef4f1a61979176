"""Slots: when the periods of a buyer's scopes open and close.

A slot is a time on the wall clocks of the buyer's settlement time zone, once a week or
once a month, and becomes an instant only through :mod:`local_time`. So a slot comes
exactly once in each week or month, whatever the clocks do.

Sources: docs/platform.md, "Slots and closing"; docs/decisions.md, "Slots and periods".
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from settlekit_mock.settlement.rules.local_time import first_instant, local_time, zone_named

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MINUTES_A_DAY = 24 * 60


def _check_range(name: str, value: int, first: int, last: int) -> None:
    if type(value) is not int or not first <= value <= last:
        raise ValueError(f"{name} is a whole number from {first} to {last}")


@dataclass(frozen=True, slots=True)
class WeeklySlot:
    """A time of the week, ``weekday`` 0 being Monday; ``ValueError`` out of range."""

    weekday: int
    hour: int
    minute: int

    def __post_init__(self) -> None:
        _check_range("weekday", self.weekday, 0, 6)
        _check_range("hour", self.hour, 0, 23)
        _check_range("minute", self.minute, 0, 59)

    def on_or_after(self, day: date) -> datetime:
        """Return the slot's first local time on a day or later."""
        ahead = (self.weekday - day.weekday()) % 7
        return datetime(day.year, day.month, day.day, self.hour, self.minute) + ahead * _DAY  # noqa: DTZ001

    def later(self, local: datetime) -> datetime:
        """Return the slot's local time a week later."""
        return local + _WEEK

    def earlier(self, local: datetime) -> datetime:
        """Return the slot's local time a week earlier."""
        return local - _WEEK


@dataclass(frozen=True, slots=True)
class MonthlySlot:
    """A time of the month, ``day`` 1 to 28, which every month has; ``ValueError`` out of range."""

    day: int
    hour: int
    minute: int

    def __post_init__(self) -> None:
        _check_range("day", self.day, 1, 28)
        _check_range("hour", self.hour, 0, 23)
        _check_range("minute", self.minute, 0, 59)

    def on_or_after(self, day: date) -> datetime:
        """Return the slot's first local time on a day or later."""
        local = datetime(day.year, day.month, self.day, self.hour, self.minute)  # noqa: DTZ001
        return local if day.day <= self.day else self.later(local)

    def later(self, local: datetime) -> datetime:
        """Return the slot's local time a month later."""
        year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
        return local.replace(year=year, month=month)

    def earlier(self, local: datetime) -> datetime:
        """Return the slot's local time a month earlier."""
        year, month = (local.year - 1, 12) if local.month == 1 else (local.year, local.month - 1)
        return local.replace(year=year, month=month)


Slot = WeeklySlot | MonthlySlot


def draw_weekly_slot(account_id: str, seed: int) -> WeeklySlot:
    """Draw an account's weekly slot from its id and the server's seed, always the same."""
    days, minutes = divmod(_draw("weekly", account_id, seed, 7 * _MINUTES_A_DAY), _MINUTES_A_DAY)
    return WeeklySlot(days, *divmod(minutes, 60))


def draw_monthly_slot(account_id: str, seed: int) -> MonthlySlot:
    """Draw an account's monthly slot from its id and the server's seed, always the same."""
    days, minutes = divmod(_draw("monthly", account_id, seed, 28 * _MINUTES_A_DAY), _MINUTES_A_DAY)
    return MonthlySlot(days + 1, *divmod(minutes, 60))


def _draw(kind: str, account_id: str, seed: int, count: int) -> int:
    # Not hash(): that differs from process to process.
    drawn = sha256(f"slot:{kind}:{seed}:{account_id}".encode()).digest()
    return int.from_bytes(drawn[:8]) % count


def next_close(after: int, slot: Slot, timezone: str) -> int:
    """Return the slot's first instant strictly after an instant.

    Raises ``ValueError`` for an unknown time zone.
    """
    zone = zone_named(timezone)
    # A slot that hasn't come yet lies ahead on the wall clock too, so today is early enough.
    local = slot.on_or_after(local_time(after, zone).date())
    while (close := first_instant(local, zone)) <= after:
        local = slot.later(local)
    return close


def previous_close(at: int, slot: Slot, timezone: str) -> int:
    """Return the slot's last instant at or before an instant.

    Raises ``ValueError`` for an unknown time zone.
    """
    zone = zone_named(timezone)
    # Clocks put back show a day at most too early; the slot after this one is a week away.
    local = slot.on_or_after(local_time(at, zone).date())
    while (close := first_instant(local, zone)) > at:
        local = slot.earlier(local)
    return close


class PeriodBounds(NamedTuple):
    """The bounds of a period: it takes usage from its start on, until just before its end."""

    period_start: int
    period_end: int


def period_bounds(at: int, slot: Slot, timezone: str, not_before: int | None) -> PeriodBounds:
    """Return the bounds of the period that usage at an instant opens.

    The bounds are the slot's own, not the first usage's. ``not_before`` is the end of the
    scope's period before, or None: after a threshold close, or a change of slot, the next
    period starts there and still ends at its slot.
    """
    start = previous_close(at, slot, timezone)
    if not_before is not None:
        start = max(start, not_before)
    return PeriodBounds(start, next_close(at, slot, timezone))
