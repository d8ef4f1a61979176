"""Wall clocks: time zones by name, local times as instants, a buyer's days and months.

The calendar is the installed tzdata package's, never the machine's own: with pinned
versions a slot closes at the same instant on every machine.

Sources: docs/platform.md, "Slots and closing"; docs/decisions.md, "Slots and periods".
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

SECOND_MS = 1_000
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's zero: offsets are taken off it


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the name of every time zone that an account may have."""
    return frozenset((files("tzdata") / "zones").read_text("ascii").split())


@lru_cache(maxsize=1_024)
def zone_named(timezone: str) -> ZoneInfo:
    """Return a time zone by its name, ``Asia/Tokyo``; raise ``ValueError`` for an unknown one."""
    if timezone not in zone_names():
        raise ValueError(f"{timezone[:64]!r} is no time zone: expected a name such as Asia/Tokyo")
    with files("tzdata.zoneinfo").joinpath(*timezone.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=timezone)


def local_time(instant: int, zone: ZoneInfo) -> datetime:
    """Return what a wall clock in the zone shows at an instant, cut off below the second."""
    return datetime.fromtimestamp(instant // SECOND_MS, zone).replace(tzinfo=None, fold=0)


def first_instant(local: datetime, zone: ZoneInfo) -> int:
    """Return the first instant at which the zone's wall clocks have come to a local time.

    One that comes twice counts at its first; one that is skipped counts at the first
    instant after the gap.
    """
    earlier = local.replace(tzinfo=zone)
    offset, offset_after = earlier.utcoffset(), earlier.replace(fold=1).utcoffset()
    assert offset is not None
    assert offset_after is not None
    seconds = (local - _EPOCH - offset) // _SECOND
    if offset < offset_after:
        seconds = _end_of_gap(seconds - (offset_after - offset) // _SECOND, seconds, zone)
    return seconds * SECOND_MS


def _end_of_gap(before: int, after: int, zone: ZoneInfo) -> int:
    """Find the second between two at which the zone's offset changes, by halving."""
    offset_before = _offset_at(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_at(middle, zone) == offset_before:
            before = middle
        else:
            after = middle
    return after


def _offset_at(seconds: int, zone: ZoneInfo) -> timedelta:
    offset = datetime.fromtimestamp(seconds, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def local_day(instant: int, timezone: str) -> str:
    """Return the day of an instant in a time zone, ``2026-06-20``: what a day's cap counts."""
    return local_time(instant, zone_named(timezone)).date().isoformat()


def local_month(instant: int, timezone: str) -> str:
    """Return the month of an instant in a time zone, ``2026-06``: what a month's cap counts."""
    return local_day(instant, timezone)[:7]
