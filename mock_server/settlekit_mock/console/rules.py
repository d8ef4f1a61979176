"""Steps of a chart: minutes, hours, days, weeks from Monday, and months, all in UTC.

Sources: docs/decisions.md, "The control surface".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from settlekit_mock.kernel.times import DAY, HOUR, MINUTE, to_instant, to_moment

By = Literal["minute", "hour", "day", "week", "month"]
FINEST_FIRST: Final[tuple[By, ...]] = ("minute", "hour", "day", "week", "month")
WEEK: Final = 7 * DAY
MOST_BY_DEFAULT: Final = 120
MOST_POINTS: Final = 10_000

_WIDTH: Final[Mapping[By, int]] = MappingProxyType(
    {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
)
_SHORTEST: Final[Mapping[By, int]] = MappingProxyType({**_WIDTH, "month": 28 * DAY})
_MONDAY: Final = 4 * DAY
"""1970 began on a Thursday."""
GRAIN: Final[Mapping[By, int]] = MappingProxyType(
    {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": DAY, "month": DAY}
)
"""Milliseconds by which rows are grouped: every step's end is the end of one."""


def step_for(first: int, now: int) -> By:
    """Return the finest step that makes no more than 120 points, or a month."""
    for by in FINEST_FIRST:
        if _most_points(first, now, by) <= MOST_BY_DEFAULT:
            return by
    return "month"


def too_many(first: int, now: int, by: By) -> bool:
    """Say whether a step may make more points than one answer should hold."""
    return _most_points(first, now, by) > MOST_POINTS


def _most_points(first: int, now: int, by: By) -> int:
    return (now - first) // _SHORTEST[by] + 2


def ends(first: int, now: int, by: By) -> list[int]:
    """Return where each step ends, from that in which ``first`` lies; the last ends now."""
    found: list[int] = []
    end = end_of(first, by)
    while end < now:
        found.append(end)
        end = end_of(end + 1, by)
    return [*found, now]


def end_of(at: int, by: By) -> int:
    """Return the end of the step in which an instant lies; an end is its own step's."""
    if by == "month":
        return _end_of_month(at)
    since = _MONDAY if by == "week" else 0
    return since - (since - at) // _WIDTH[by] * _WIDTH[by]


def _end_of_month(at: int) -> int:
    moment = to_moment(at)
    start = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if start == moment:
        return at
    year, month = divmod(start.year * 12 + start.month, 12)
    return to_instant(start.replace(year=year, month=month + 1))
