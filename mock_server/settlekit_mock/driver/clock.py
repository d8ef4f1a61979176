"""Drive the clock."""

from datetime import datetime, timedelta

from settlekit_mock.control.clock import Advanced, Clock
from settlekit_mock.driver.calls import Calls, duration_text, time_text
from settlekit_mock.kernel.times import from_text, to_moment


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
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
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
        parts = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if by is None and to is None and until is None:
            by = parts
        elif parts:
            raise ValueError("give weeks … seconds, or one of by, to and until")
        body = {
            "by": duration_text(by),
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
