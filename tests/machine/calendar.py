"""When a slot next comes, by trying one day after another: the model's own calendar."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def wall(at: int, zone: str) -> datetime:
    """Return what a wall clock shows, naive."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(tzinfo=None)


def local_day(at: int, zone: str) -> str:
    return wall(at, zone).strftime("%Y-%m-%d")


def next_slot(after: int, zone: str, *, hour: int, minute: int, **day: int) -> int:
    """Return the first instant behind another at which a slot comes.

    ``weekday`` names a weekly slot's day, 0 being Monday, ``day`` a monthly one's.
    """
    date = wall(after, zone).date() - timedelta(days=1)
    while True:
        date += timedelta(days=1)
        if day not in ({"weekday": date.weekday()}, {"day": date.day}):
            continue
        at = instant_of(datetime.combine(date, time(hour, minute)), zone)
        if at > after:
            return at


def instant_of(local: datetime, zone: str) -> int:
    """Return when wall clocks first show a time, or the first minute behind it if they never do."""
    aware = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    at = int(aware.astimezone(UTC).timestamp()) * 1000
    if wall(at, zone) == local:
        return at
    # Clocks were put forward over it: look for the minute at which they were.
    at -= 2 * DAY
    while wall(at, zone) < local:
        at += MINUTE
    return at


def next_midnight(after: int, zone: str) -> int:
    """Return the next midnight that is a minute away or more."""
    day = wall(after, zone).date() + timedelta(days=1)
    at = instant_of(datetime.combine(day, time()), zone)
    return at if at - after >= MINUTE else at + DAY
