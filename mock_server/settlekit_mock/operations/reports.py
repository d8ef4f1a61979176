"""Reports as CSV, streamed: each chunk is read in a transaction of its own.

A chunk begins behind the last row of the one before, so memory doesn't grow with rows and
no reader holds the database while a slow client reads.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, tuple_

from settlekit_mock.http.csv import guarded, lines
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.world import World
from settlekit_mock.operations.payouts import Payout, read_payout
from settlekit_mock.operations.tables import PAYOUTS

ROWS_AT_ONCE = 2_000


class Span(NamedTuple):
    """Which rows to report: a currency and a half-open span of time."""

    currency: str
    since: int | None = None
    until: int | None = None


def developer_email(developer_id: str) -> str:
    """Return the address a developer is shown with; the mock keeps none, so it makes one."""
    return f"{developer_id}@developers.example"


def payouts_csv(world: World, span: Span) -> Iterator[bytes]:
    """Write the payouts of a currency, newest first."""
    yield lines([_payout_columns(span.currency)])
    last: Payout | None = None
    while True:
        with world.snapshot() as connection:
            rows = _payouts_behind(connection, span, last)
        if not rows:
            return
        yield lines(_payout_cells(row, span.currency) for row in rows)
        last = rows[-1]


def _payouts_behind(connection: Connection, span: Span, last: Payout | None) -> list[Payout]:
    query = _NEWEST_PAYOUTS.where(PAYOUTS.c.currency == span.currency)
    if span.since is not None:
        query = query.where(PAYOUTS.c.created_at >= span.since)
    if span.until is not None:
        query = query.where(PAYOUTS.c.created_at < span.until)
    if last is not None:
        query = query.where(tuple_(last.created_at, last.number) > _PLACE)
    return [read_payout(row) for row in connection.execute(query)]


def _payout_columns(currency: str) -> Sequence[str]:
    return (
        "created_at",
        "updated_at",
        "payout_id",
        "developer_id",
        "developer_email",
        *(("amount_usd",) if currency == "USD" else ("currency", "amount")),
        "status",
        "provider",
        "provider_payout_id",
    )


def _payout_cells(row: Payout, currency: str) -> Sequence[str]:
    amount = major_text(row.amount)
    return (
        to_text(row.created_at),
        to_text(row.updated_at),
        row.payout_id,
        guarded(row.developer_id),
        guarded(developer_email(row.developer_id)),
        *((amount,) if currency == "USD" else (currency, amount)),
        row.status,
        "mock",
        row.provider_payout_id or "",
    )


_PLACE = tuple_(PAYOUTS.c.created_at, PAYOUTS.c.payout_number)
_NEWEST_PAYOUTS = (
    select(*PAYOUTS.c)
    .order_by(PAYOUTS.c.created_at.desc(), PAYOUTS.c.payout_number.desc())
    .limit(ROWS_AT_ONCE)
)
