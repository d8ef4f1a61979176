"""Reports as CSV, streamed: each chunk is read in a transaction of its own.

A chunk begins behind the last row of the one before, so memory doesn't grow with rows and
no reader holds the database while a slow client reads.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Select, select, tuple_

from settlekit_mock.http.csv import guarded, lines
from settlekit_mock.kernel.money import PLACES
from settlekit_mock.kernel.times import SECOND, to_text
from settlekit_mock.kernel.world import World
from settlekit_mock.operations.tables import PAYOUTS
from settlekit_mock.operations.usage_tables import USAGE_RECORDS

ROWS_AT_ONCE = 2_000
Cells = Sequence[str]
Query = Select[*tuple[Any, ...]]


class Span(NamedTuple):
    """Which rows to report: a currency and a half-open span of time."""

    currency: str
    since: int | None = None
    until: int | None = None

    @property
    def suffix(self) -> str:
        """What the names of columns of money end in."""
        return "_usd" if self.currency == "USD" else ""

    def within(self, query: Query, column: Column[int]) -> Query:
        """Narrow a query to the span."""
        if self.since is not None:
            query = query.where(column >= self.since)
        if self.until is not None:
            query = query.where(column < self.until)
        return query


def developer_email(developer_id: str) -> str:
    """Return the address a developer is shown with; the mock keeps none, so it makes one."""
    return f"{developer_id}@developers.example"


def payouts_csv(world: World, span: Span) -> Iterator[bytes]:
    """Write the payouts of a currency, newest first."""
    money = (*currency_column(span), f"amount{span.suffix}")
    named = ("payout_id", "developer_id", "developer_email")
    header = ("created_at", "updated_at", *named, *money, *_PAYOUT_END)
    currency = currency_cell(span)

    def cells(row: Any) -> Cells:
        developer_id = row[4]
        return (
            _time(row[0]),
            _time(row[2]),
            row[3],
            guarded(developer_id),
            guarded(developer_email(developer_id)),
            *currency,
            _amount(row[5]),
            row[6],
            "mock",
            row[7] or "",
        )

    return _newest_first(world, span, header, _PAYOUTS, cells)


def usage_csv(world: World, span: Span) -> Iterator[bytes]:
    """Write the uses of models that were charged in a currency, newest first."""
    money = (*currency_column(span), *(f"{name}{span.suffix}" for name in AMOUNT_COLUMNS))
    currency = currency_cell(span)

    def cells(row: Any) -> Cells:
        said = map(guarded, row[2:8])
        tokens = map(str, row[8:10])
        return (_time(row[0]), *said, *tokens, *currency, *map(_amount, row[10:14]))

    return _newest_first(world, span, (*_USAGE_COLUMNS, *money), _USAGE, cells)


def currency_column(span: Span) -> Cells:
    """Name the column that says the currency, where the others don't."""
    return () if span.currency == "USD" else ("currency",)


def currency_cell(span: Span) -> Cells:
    """Return the cell of that column."""
    return () if span.currency == "USD" else (span.currency,)


def _newest_first(
    world: World,
    span: Span,
    header: Cells,
    columns: Sequence[Column[Any]],
    cells: Callable[[Any], Cells],
) -> Iterator[bytes]:
    """Write a header and then chunks of rows; the first columns are instant and number."""
    yield lines([header])
    behind = query = _query(span, columns)
    while True:
        with world.snapshot() as connection:
            rows = connection.execute(behind).all()
        if not rows:
            return
        yield lines(map(cells, rows))
        behind = query.where(tuple_(rows[-1][0], rows[-1][1]) > tuple_(*columns[:2]))


def _query(span: Span, columns: Sequence[Column[Any]]) -> Query:
    at, number, *_ = columns
    query: Query = select(*columns).order_by(at.desc(), number.desc()).limit(ROWS_AT_ONCE)
    return span.within(query.where(at.table.c.currency == span.currency), at)


def _time(instant: int) -> str:
    seconds, milliseconds = divmod(instant, SECOND)
    return f"{_whole_seconds(seconds)}{milliseconds:03d}Z"


@lru_cache(maxsize=4096)
def _whole_seconds(seconds: int) -> str:
    # Rows come in the order of time, and many in one second.
    return to_text(seconds * SECOND)[:-4]


def _amount(units: int) -> str:
    # As ``major_text`` writes it, in half the time: no amount in a report is below zero.
    digits = str(units).zfill(PLACES + 1)
    return f"{digits[:-PLACES]}.{digits[-PLACES:]}"


AMOUNT_COLUMNS: Final = (
    "upstream_cost",
    "retail_price",
    "channel_revenue",
    "platform_revenue",
)
_USAGE_COLUMNS: Final = (
    "created_at",
    "request_id",
    "public_app_id",
    "feature_key",
    "route_mode",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
)
_PAYOUT_END: Final = ("status", "provider", "provider_payout_id")


_PAYOUTS: Final = (
    PAYOUTS.c.created_at,
    PAYOUTS.c.payout_number,
    PAYOUTS.c.updated_at,
    PAYOUTS.c.payout_id,
    PAYOUTS.c.developer_id,
    PAYOUTS.c.amount,
    PAYOUTS.c.status,
    PAYOUTS.c.provider_payout_id,
)
_USAGE: Final = (
    USAGE_RECORDS.c.created_at,
    USAGE_RECORDS.c.record_number,
    USAGE_RECORDS.c.request_id,
    USAGE_RECORDS.c.public_app_id,
    USAGE_RECORDS.c.feature_key,
    USAGE_RECORDS.c.route_mode,
    USAGE_RECORDS.c.provider,
    USAGE_RECORDS.c.model,
    USAGE_RECORDS.c.input_tokens,
    USAGE_RECORDS.c.output_tokens,
    USAGE_RECORDS.c.upstream,
    USAGE_RECORDS.c.retail,
    USAGE_RECORDS.c.channel,
    USAGE_RECORDS.c.platform,
)
