"""Revenue over time: how all that closed stood at the end of each step.

Moves of batches are grouped by the database, a sum for each step and bucket, so that an
answer costs by what closed and was paid, and never reads usage.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    and_,
    bindparam,
    func,
    not_,
    select,
)

from settlekit_mock.console.rules import GRAIN, MOST_POINTS, By, end_of, ends, step_for, too_many
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Currency, MinorText, StrictBody, Timestamp
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import to_text
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS, exact_sum, joined
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.batch_life import INITIAL
from settlekit_mock.settlement.rules.standing import BUCKETS_BY_STATUS, Bucket, bucket_of
from settlekit_mock.settlement.tables import BATCHES, MOVES, PERIODS

STANDARD: Final = "standard"


class RevenueOverTimeQuery(StrictBody, frozen=True, kw_only=True):
    """In which currency, and by which step; unless said, the finest with up to 120 points."""

    currency: Currency = "JPY"
    by: By | None = None


class RevenuePoint(Answer, frozen=True, kw_only=True):
    """What developers had coming at the end of a step, of all periods closed by then.

    ``standard_minor`` is what they got from standard payments so far.
    """

    at: Timestamp
    unsettled_minor: MinorText
    past_due_minor: MinorText
    settled_minor: MinorText
    uncollectible_minor: MinorText
    written_off_minor: MinorText
    standard_minor: MinorText


class RevenueOverTime(Answer, frozen=True, kw_only=True):
    """Revenue by bucket at the end of each step, oldest first; the last point is now."""

    currency: Currency
    by: By
    points: list[RevenuePoint]


class _Change(NamedTuple):
    """So many units came into a bucket, or left it, in the step that ends at an instant."""

    at: int
    bucket: str
    units: int


def get_revenue(request: Request) -> RevenueOverTime:
    """Answer revenue over time."""
    asked: RevenueOverTimeQuery = request.query
    with request.world.snapshot() as connection:
        now = load_state(connection).now
        first = connection.execute(_FIRST, {"in_currency": asked.currency}).scalar()
        if first is None:
            return RevenueOverTime(currency=asked.currency, by=asked.by or "minute", points=[])
        by = asked.by or step_for(first, now)
        if asked.by is not None and too_many(first, now, by):
            raise Invalid(
                f"by: {by} would make more than {MOST_POINTS} points since {to_text(first)}; "
                "take a longer step"
            )
        changes = list(_changes(connection, asked.currency, first, by))
    points = _points(changes, ends(first, now, by), asked.currency)
    return RevenueOverTime(currency=asked.currency, by=by, points=points)


def _changes(connection: Connection, currency: str, first: int, by: By) -> Iterator[_Change]:
    grain = GRAIN[by]
    base = end_of(first, "day" if by in ("week", "month") else by)
    given = {"in_currency": currency, "base": base, "grain": grain}
    for step, high, low in connection.execute(_CLOSED, given):
        yield _Change(base + step * grain, bucket_of(INITIAL.status), joined(high, low))
    for step, left, entered, high, low in connection.execute(_MOVED, given):
        yield _Change(base + step * grain, bucket_of(left), -joined(high, low))
        yield _Change(base + step * grain, bucket_of(entered), joined(high, low))
    for step, high, low in connection.execute(_PAID, given):
        yield _Change(base + step * grain, STANDARD, joined(high, low))


def _points(changes: list[_Change], at_ends: list[int], currency: str) -> list[RevenuePoint]:
    within: dict[str, list[int]] = defaultdict(lambda: [0] * len(at_ends))
    for at, bucket, units in changes:
        within[bucket][bisect_left(at_ends, min(at, at_ends[-1]))] += units
    stood = {f"{bucket}_minor": list(accumulate(within[bucket])) for bucket in (*Bucket, STANDARD)}
    return [
        RevenuePoint(
            at=to_text(at),
            **{name: wire_minor(units[number], currency) for name, units in stood.items()},
        )
        for number, at in enumerate(at_ends)
    ]


def _step(at: ColumnElement[int]) -> Any:
    """Return the number of the grain in which an instant lies; an end is its own grain's."""
    base, grain = bindparam("base", type_=BigInteger), bindparam("grain", type_=BigInteger)
    return ((at - base + grain - 1) // grain).label("step")


_IN_CURRENCY: Final = bindparam("in_currency", type_=Text)
_RECEIVABLE: Final = PERIODS.c.gross - PERIODS.c.fee
_STATUSES: Final = {
    bucket: sorted(status for status, its in BUCKETS_BY_STATUS.items() if its is bucket)
    for bucket in Bucket
}
_STAYS: Final = [
    and_(MOVES.c.from_status.in_(statuses), MOVES.c.to_status.in_(statuses))
    for statuses in _STATUSES.values()
]
_OF_DIRECT_PAYMENTS: Final = (
    ACCOUNTS.c.kind == "wallet",
    ACCOUNTS.c.owner_scope == "developer",
    ACCOUNTS.c.currency == _IN_CURRENCY,
    TRANSACTIONS.c.reason == "direct_payment",
)
_ENTRIES: Final = ACCOUNTS.join(
    ENTRIES, ENTRIES.c.account_number == ACCOUNTS.c.account_number
).join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
_FIRST_CLOSED = select(PERIODS.c.closed_at).where(
    PERIODS.c.closed_at.is_not(None), PERIODS.c.currency == _IN_CURRENCY
)
_FIRST_PAID = select(TRANSACTIONS.c.created_at).select_from(_ENTRIES).where(*_OF_DIRECT_PAYMENTS)
_EARLIEST = _FIRST_CLOSED.union_all(_FIRST_PAID).subquery()
_FIRST = select(func.min(_EARLIEST.c.closed_at))
_CLOSED = (
    select(_step(PERIODS.c.closed_at), *exact_sum(_RECEIVABLE))
    .where(PERIODS.c.closed_at.is_not(None), PERIODS.c.currency == _IN_CURRENCY)
    .group_by("step")
)
_MOVED = (
    select(
        _step(MOVES.c.moved_at),
        MOVES.c.from_status,
        MOVES.c.to_status,
        *exact_sum(_RECEIVABLE),
    )
    .join(BATCHES, BATCHES.c.batch_number == MOVES.c.batch_number)
    .join(PERIODS, PERIODS.c.period_number == BATCHES.c.period_number)
    .where(PERIODS.c.currency == _IN_CURRENCY, *(not_(stays) for stays in _STAYS))
    .group_by("step", MOVES.c.from_status, MOVES.c.to_status)
)
_PAID = (
    select(_step(TRANSACTIONS.c.created_at), *exact_sum(ENTRIES.c.amount))
    .select_from(_ENTRIES)
    .where(*_OF_DIRECT_PAYMENTS)
    .group_by("step")
)
