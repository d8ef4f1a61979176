"""Instants and durations.

An instant is an ``int``: milliseconds since the Unix epoch, in UTC. On the wire it is
RFC 3339 with three fraction digits and ``Z`` (docs/decisions.md, "Times").
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

EARLIEST: Final = 0
"""1970-01-01, the first instant a clock may show."""
LATEST: Final = 32_503_680_000_000 - 1
"""The last millisecond of the year 2999: beyond it calendars and time zones are guesswork."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE: Final = _EPOCH.replace(tzinfo=None)
_RFC_3339: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.(\d{1,3}))?S)?)?",
    re.ASCII,
)


def to_text(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC with three fraction digits and ``Z``."""
    # A moment without a zone: this runs for every row, and a zone would double what it takes.
    moment = _EPOCH_WITHOUT_ZONE + timedelta(milliseconds=instant)
    return moment.isoformat(timespec="milliseconds") + "Z"


def optional_text(instant: int | None) -> str | None:
    """Write an instant that may be absent."""
    return None if instant is None else to_text(instant)


def from_text(text: str) -> int:
    """Read an RFC 3339 time; digits beyond the millisecond are cut off.

    Raises ``ValueError`` with what was expected when the text is anything else, has no
    offset, or lies outside the years 1970 to 2999.
    """
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError("expected an RFC 3339 time such as 2026-03-01T00:00:00Z")
    *fields, fraction, offset = found.groups()
    try:
        moment = datetime(*(int(field) for field in fields), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise ValueError(f"not a time of the calendar: {error}") from error
    instant = to_instant(moment) + int((fraction or "0").ljust(3, "0")[:3])
    return checked(instant - _offset(offset))


def _offset(text: str) -> int:
    if text in "Zz":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError("an offset has at most 23 hours and 59 minutes")
    return (hours * HOUR + minutes * MINUTE) * (-1 if text[0] == "-" else 1)


def checked(instant: int) -> int:
    """Return the instant, or raise ``ValueError`` outside the years 1970 to 2999."""
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("a time must lie in the years 1970 to 2999")
    return instant


def to_instant(moment: datetime) -> int:
    """Turn an aware ``datetime`` into an instant, cutting off below the millisecond."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone: pass an aware datetime")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def to_moment(instant: int) -> datetime:
    """Turn an instant into an aware ``datetime`` in UTC."""
    return _EPOCH + timedelta(milliseconds=instant)


def duration_from_text(text: str) -> int:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds, in milliseconds.

    Years and months have no fixed length and are refused with ``ValueError``.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text in ("P", "PT") or text.endswith("T"):
        raise ValueError("expected an ISO 8601 duration such as P7D, PT6H or P1DT12H")
    weeks, days, hours, minutes, seconds, fraction = found.groups(default="0")
    whole = int(weeks) * 7 * DAY + int(days) * DAY + int(hours) * HOUR
    return whole + int(minutes) * MINUTE + int(seconds) * SECOND + int(fraction.ljust(3, "0"))
