"""When a plan's base fee is due, and when it is tried again.

Sources: docs/platform.md, "Standard plans"; docs/decisions.md, "Money and plans".
"""

from typing import Final

from settlekit_mock.kernel.times import DAY, to_instant, to_moment

RETRY_AFTER: Final = DAY
TRIES: Final = 4
"""The first of the month, and three more; then billing is suspended."""


def first_of_next_month(instant: int) -> int:
    """Return the first instant of the next month, in UTC."""
    moment = to_moment(instant)
    year, month = divmod(moment.year * 12 + moment.month, 12)
    start = moment.replace(
        year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return to_instant(start)


def month_of(instant: int) -> str:
    """Return the month of an instant in UTC, ``2026-06``."""
    return f"{to_moment(instant):%Y-%m}"


def next_try_at(failed_tries: int, failed_at: int) -> int | None:
    """Return when an unpaid fee is tried again, or None once its four tries have failed."""
    return None if failed_tries >= TRIES else failed_at + RETRY_AFTER
