"""Drive the clock."""

from datetime import datetime, timedelta
from typing import Final

from settlekit_mock.control.clock import Advanced, Clock
from settlekit_mock.driver.calls import Calls, duration_text, time_text
from settlekit_mock.kernel.times import from_text, to_moment

HOW_FAR: Final = (
    "say how far, in one way: advance(days=7), advance(by='P7D'), "
    "advance(to='2026-03-01T00:00:00Z') or advance(until='batch.settled')"
)


class ClockDriver:
    """The mock's clock."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def now(self) -> datetime:
        """The time it shows, in UTC."""
        return to_moment(from_text(self.read().now))

    def read(self) -> Clock:
        """Read the clock: its time, its mode, and when something is due next."""
        return self._calls.call(Clock, "GET", "clock")

    def advance(
        self,
        *,
        weeks: float | None = None,
        days: float | None = None,
        hours: float | None = None,
        minutes: float | None = None,
        seconds: float | None = None,
        by: timedelta | str | float | None = None,
        to: datetime | str | None = None,
        until: str | None = None,
        limit: timedelta | str | float | None = None,
    ) -> Advanced:
        """Advance the clock: by weeks … seconds, by a duration, to a time, or until a kind.

        Everything that falls due on the way happens, each at its own time, webhooks
        included. ``until`` is a journal kind such as ``batch.settled``, or ``next``; it looks
        ``limit`` ahead, 400 days unless given, and the answer's ``reached`` says whether it was met.
        """
        parts = _span(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if sum(goal is not None for goal in (parts, by, to, until)) != 1:
            raise ValueError(HOW_FAR)
        body = {
            "by": duration_text(by if parts is None else parts),
            "to": time_text(to),
            "until": until,
            "limit": duration_text(limit),
        }
        return self._calls.call(Advanced, "POST", "clock/advance", body)

    def freeze(
        self, *, at: datetime | str | None = None, sign_with_clock: bool | None = None
    ) -> Clock:
        """Stop the clock, now or at a later time."""
        body = {"at": time_text(at), "sign_with_clock": sign_with_clock}
        return self._calls.call(Clock, "POST", "clock/freeze", body)

    def resume(self) -> Clock:
        """Let the clock run on from the time it shows."""
        return self._calls.call(Clock, "POST", "clock/resume", {})


def _span(**parts: float | None) -> timedelta | None:
    given = {unit: number for unit, number in parts.items() if number is not None}
    return timedelta(**given) if given else None
