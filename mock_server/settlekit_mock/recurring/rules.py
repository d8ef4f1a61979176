"""When subscriptions renew and are tried again, and what a scheduled run must stay within.

Sources: docs/platform.md, "Recurring payments"; docs/decisions.md, "Subscriptions" and
"Scheduled authorizations".
"""

from calendar import monthrange
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from settlekit_mock.kernel.times import DAY, to_instant, to_moment

RETRY_AFTER: Final = DAY
TRIES: Final = 4
"""A renewal's own day, and three more; then the subscription is cancelled."""


class SubscriptionStatus(StrEnum):
    """What became of a subscription; past due while a renewal is being tried again."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"


class AuthorizationStatus(StrEnum):
    """What became of a scheduled authorization."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


MOVES: Final[Mapping[AuthorizationStatus, frozenset[AuthorizationStatus]]] = MappingProxyType(
    {
        AuthorizationStatus.REVOKED: frozenset({AuthorizationStatus.ACTIVE}),
        AuthorizationStatus.EXPIRED: frozenset({AuthorizationStatus.ACTIVE}),
        AuthorizationStatus.EXHAUSTED: frozenset({AuthorizationStatus.ACTIVE}),
    }
)
"""Each status, and those from which it is reached; what isn't here is refused."""


def renewal_at(started_at: int, month: int) -> int:
    """Return when a subscription renews so many months after its start.

    It is the same day of the month and the same time, in UTC; a month without that day
    renews on its last, and the next month has the day again.
    """
    start = to_moment(started_at)
    year, index = divmod(start.year * 12 + start.month - 1 + month, 12)
    day = min(start.day, monthrange(year, index + 1)[1])
    return to_instant(start.replace(year=year, month=index + 1, day=day))


def next_try_at(failed_tries: int, failed_at: int) -> int | None:
    """Return when a renewal is tried again, or None once its four tries have failed."""
    return None if failed_tries >= TRIES else failed_at + RETRY_AFTER


def authorization_status_at(
    status: AuthorizationStatus, expires_at: int | None, now: int
) -> AuthorizationStatus:
    """Return the status at an instant: an active authorization is over at its expiry."""
    over = expires_at is not None and now >= expires_at
    return AuthorizationStatus.EXPIRED if over and status is AuthorizationStatus.ACTIVE else status


class Limits(NamedTuple):
    """What a buyer approved, in runs and minor units; None is no limit."""

    max_runs: int | None = None
    max_runs_per_day: int | None = None
    max_runs_per_month: int | None = None
    max_amount_minor_per_day: int | None = None
    max_amount_minor_per_month: int | None = None


class Runs(NamedTuple):
    """How often an authorization ran: in all, and in the buyer's own day and month."""

    in_all: int = 0
    in_day: int = 0
    in_month: int = 0

    def on(self, day: str, counted_day: str) -> "Runs":
        """Return the counts on a day: a new day or month begins at nothing."""
        if day == counted_day:
            return self
        same_month = day[:7] == counted_day[:7]
        return Runs(self.in_all, 0, self.in_month if same_month else 0)

    def and_one(self) -> "Runs":
        """Count one run more."""
        return Runs(self.in_all + 1, self.in_day + 1, self.in_month + 1)


class RunRefused(NamedTuple):
    """Why a run isn't made."""

    code: str
    status: int
    reason_code: str
    message: str


def _limited(reason_code: str, message: str) -> RunRefused:
    return RunRefused("SCHEDULED_CADENCE_LIMIT_REACHED", 409, reason_code, message)


def _over_budget(reason_code: str, message: str) -> RunRefused:
    return RunRefused("BUDGET_EXCEEDED", 402, reason_code, message)


EXHAUSTED: Final = RunRefused(
    "SCHEDULED_AUTHORIZATION_EXHAUSTED", 409, "MAX_RUNS_REACHED", "every approved run was made"
)
DAY_LIMIT: Final = _limited("DAILY_RUNS_REACHED", "the runs approved for the day were made")
MONTH_LIMIT: Final = _limited("MONTHLY_RUNS_REACHED", "the runs approved for the month were made")
DAY_BUDGET: Final = _over_budget(
    "DAILY_BUDGET_EXCEEDED", "the run doesn't fit the amount approved for the day"
)
MONTH_BUDGET: Final = _over_budget(
    "MONTHLY_BUDGET_EXCEEDED", "the run doesn't fit the amount approved for the month"
)


def run_refusal(limits: Limits, runs: Runs, amount_minor: int) -> RunRefused | None:
    """Return why one more run isn't within what was approved, or None where it is.

    Every run of an authorization costs the same, so amounts are counted by runs.
    """
    one_more = runs.and_one()
    over = (
        (EXHAUSTED, one_more.in_all, limits.max_runs),
        (DAY_LIMIT, one_more.in_day, limits.max_runs_per_day),
        (MONTH_LIMIT, one_more.in_month, limits.max_runs_per_month),
        (DAY_BUDGET, one_more.in_day * amount_minor, limits.max_amount_minor_per_day),
        (MONTH_BUDGET, one_more.in_month * amount_minor, limits.max_amount_minor_per_month),
    )
    return next(
        (refused for refused, count, most in over if most is not None and count > most), None
    )
