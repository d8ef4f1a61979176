"""When a slot closes, found by looking at a wall clock every minute.

The clock's highest reading so far is kept. A slot comes at the first minute at which that
reading reaches it: that is right across gaps, which jump over local times, and across
repeated hours, which reach nothing new.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from settlekit_mock.settlement.rules.local_time import zone_named
from settlekit_mock.settlement.rules.slots import Slot, WeeklySlot

MINUTE_MS = 60_000
#: Longer than any clock was ever put back or forward.
LOOK_BACK_MINUTES = 26 * 60


def highest_readings(start: int, timezone: str) -> Iterator[tuple[int, datetime]]:
    """Yield each minute from an instant on with the highest reading since then."""
    zone, minute, highest = zone_named(timezone), start // MINUTE_MS, datetime.min  # noqa: DTZ901
    while True:
        reading = datetime.fromtimestamp(minute * 60, zone).replace(tzinfo=None, fold=0)
        highest = max(highest, reading)
        yield minute * MINUTE_MS, highest
        minute += 1


def comes_between(slot: Slot, earlier: datetime, later: datetime) -> bool:
    """Say whether a slot's local time lies after one reading and not after another."""
    day = earlier.replace(hour=slot.hour, minute=slot.minute, second=0)
    while day <= later:
        on_day = (
            day.weekday() == slot.weekday if isinstance(slot, WeeklySlot) else day.day == slot.day
        )
        if on_day and earlier < day:
            return True
        day += timedelta(days=1)
    return False


def scanned_close(after: int, slot: Slot, timezone: str) -> int:
    """Return the first instant after another at which a slot comes."""
    readings = highest_readings(after - LOOK_BACK_MINUTES * MINUTE_MS, timezone)
    return next(
        at
        for (_, earlier), (at, later) in pairwise(readings)
        if later > earlier and at > after and comes_between(slot, earlier, later)
    )
