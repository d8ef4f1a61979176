"""The queries behind statements.

Who reads is a column and a number: ``provider_number`` or ``buyer_number``. A filter on
what was sold takes a period's sums from ``period_labels``; no query adds up usage.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    cast,
    func,
    or_,
    select,
)

from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.settlement.batches import BATCH_QUERY, MATCHING
from settlekit_mock.settlement.rules.amounts import CURRENCIES_BY_TOKEN
from settlekit_mock.settlement.rules.standing import UsageStatus, batch_statuses_showing
from settlekit_mock.settlement.tables import BATCHES, LABELS, PERIOD_LABELS, PERIODS, SCOPES, USAGE

STATEMENTS = 64
"""Statements kept by what they are narrowed to: building one costs more than running it."""
FAILED_CHARGEABLE = UsageStatus.FAILED_CHARGEABLE.value
"""The outcome that marks a usage row: work was accepted and charged, then seen to fail."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose statement it is."""

    side: Literal["provider", "buyer"]
    number: int

    @property
    def column(self) -> str:
        """The column that says whose a row is."""
        return f"{self.side}_number"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a statement is narrowed to."""

    plan_type: str | None = None
    token_symbol: str | None = None
    listing_id: str | None = None
    capability_key: str | None = None
    status: str | None = None

    @property
    def currency(self) -> str | None:
        """The currency of the token, if one is asked for."""
        return None if self.token_symbol is None else CURRENCIES_BY_TOKEN[self.token_symbol]

    @property
    def by_label(self) -> bool:
        """Whether it narrows to some of what was sold."""
        return self.listing_id is not None or self.capability_key is not None


def _of_label(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.listing_id is not None:
        conditions.append(LABELS.c.listing_id == wanted.listing_id)
    if wanted.capability_key is not None:
        conditions.append(LABELS.c.capability_key == wanted.capability_key)
    return conditions


def _of_period(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.plan_type is not None:
        conditions.append(PERIODS.c.band == wanted.plan_type)
    if wanted.currency is not None:
        conditions.append(PERIODS.c.currency == wanted.currency)
    return conditions


def _narrowed(query: Any, wanted: Filter) -> Any:
    """Take the sums of matching rows only, and drop periods without any."""
    if not wanted.by_label:
        return query
    sums = (
        select(
            PERIOD_LABELS.c.period_number,
            _sum(PERIOD_LABELS.c.gross).label("matching_gross"),
            _sum(PERIOD_LABELS.c.fee).label("matching_fee"),
        )
        .join(LABELS, LABELS.c.label_number == PERIOD_LABELS.c.label_number)
        .where(*_of_label(wanted))
        .group_by(PERIOD_LABELS.c.period_number)
        .subquery()
    )
    others = [column for column in query.selected_columns if column.key not in sums.c]
    return query.with_only_columns(*others, sums.c.matching_gross, sums.c.matching_fee).join(
        sums, sums.c.period_number == PERIODS.c.period_number
    )


def _sum(amounts: ColumnElement[int]) -> ColumnElement[int]:
    # PostgreSQL's sums of 64 bits are decimals; a sum of accepted amounts is an integer.
    return cast(func.sum(amounts), BigInteger)


def _rows(connection: Connection, query: Any, **given: int) -> list[AnyRow]:
    found: list[AnyRow] = [*connection.execute(query, given)]
    return found


def _start(before: int | None) -> dict[str, int]:
    return {} if before is None else {"before": before}


def open_periods(connection: Connection, reader: Reader, wanted: Filter) -> list[AnyRow]:
    """Return open periods, the one that closes first coming first."""
    return _rows(connection, _open_periods(reader.column, wanted), reader_number=reader.number)


@lru_cache(maxsize=STATEMENTS)
def _open_periods(column: str, wanted: Filter) -> Any:
    query = (
        select(*PERIODS.c, *MATCHING, SCOPES.c.exposure)
        .join(SCOPES, SCOPES.c.scope_number == PERIODS.c.scope_number)
        .where(
            PERIODS.c[column] == bindparam("reader_number"),
            PERIODS.c.closed_at.is_(None),
            *_of_period(wanted),
        )
        .order_by(PERIODS.c.close_at, PERIODS.c.period_number)
    )
    return _narrowed(query, wanted)


def batches(
    connection: Connection, reader: Reader, wanted: Filter, *, before: int | None, limit: int
) -> list[AnyRow]:
    """Return up to ``limit`` batches made before a row, newest first."""
    query = _batches(reader.column, wanted, onwards=before is not None)
    given = {"reader_number": reader.number, "rows": limit}
    return _rows(connection, query, **given, **_start(before))


@lru_cache(maxsize=STATEMENTS)
def _batches(column: str, wanted: Filter, *, onwards: bool) -> Any:
    query = BATCH_QUERY.where(
        BATCHES.c[column] == bindparam("reader_number"), *_of_period(wanted)
    ).order_by(BATCHES.c.batch_number.desc())
    if wanted.status is not None:
        query = query.where(BATCHES.c.status == wanted.status)
    if onwards:
        query = query.where(BATCHES.c.batch_number < bindparam("before"))
    return _narrowed(query, wanted).limit(bindparam("rows"))


def batch(connection: Connection, reader: Reader, batch_id: str, wanted: Filter) -> AnyRow | None:
    """Return one batch of a reader's, if it is theirs and has any matching row."""
    query = BATCH_QUERY.where(
        BATCHES.c.settlement_batch_id == batch_id, BATCHES.c[reader.column] == reader.number
    )
    found: AnyRow | None = connection.execute(_narrowed(query, wanted)).first()
    return found


def paused_batches(connection: Connection, reader: Reader, wanted: Filter) -> list[AnyRow]:
    """Return the batches that keep a scope from accruing: failed, retrying and past due."""
    return _rows(connection, _paused_batches(reader.column, wanted), reader_number=reader.number)


@lru_cache(maxsize=STATEMENTS)
def _paused_batches(column: str, wanted: Filter) -> Any:
    return BATCH_QUERY.where(
        BATCHES.c[column] == bindparam("reader_number"),
        BATCHES.c.execution_status.in_(("failed_retryable", "retrying", "past_due")),
        *_of_period(wanted),
    ).order_by(BATCHES.c.batch_number.desc())


def usage_events(
    connection: Connection, reader: Reader, wanted: Filter, *, before: int | None, limit: int
) -> list[AnyRow]:
    """Return up to ``limit`` usage events accepted before a row, newest first."""
    query = _usage_events(reader.column, wanted, onwards=before is not None)
    given = {"reader_number": reader.number, "rows": limit}
    return _rows(connection, query, **given, **_start(before))


@lru_cache(maxsize=STATEMENTS)
def _usage_events(column: str, wanted: Filter, *, onwards: bool) -> Any:
    query = (
        select(
            *USAGE.c,
            PERIODS.c.currency,
            PERIODS.c.band,
            PERIODS.c.period_start,
            PERIODS.c.period_end,
            PERIODS.c.close_at,
            PERIODS.c.buyer_period_ref,
            LABELS.c.listing_id,
            LABELS.c.product_listing_id,
            LABELS.c.capability_key,
            LABELS.c.operation_key,
            BATCHES.c.settlement_batch_id,
            BATCHES.c.status.label("batch_status"),
            BATCHES.c.scheduled_debit_at,
        )
        .join(PERIODS, PERIODS.c.period_number == USAGE.c.period_number)
        .join(LABELS, LABELS.c.label_number == USAGE.c.label_number)
        .outerjoin(BATCHES, BATCHES.c.period_number == USAGE.c.period_number)
        .where(
            USAGE.c[column] == bindparam("reader_number"),
            *_of_period(wanted),
            *_of_label(wanted),
            *_of_status(wanted.status),
        )
        .order_by(USAGE.c.usage_number.desc())
        .limit(bindparam("rows"))
    )
    return query.where(USAGE.c.usage_number < bindparam("before")) if onwards else query


def _of_status(status: str | None) -> list[ColumnElement[bool]]:
    if status is None:
        return []
    wanted = UsageStatus(status)
    marked = USAGE.c.outcome == FAILED_CHARGEABLE
    shown = [
        condition & _batch_status_in(batch_statuses_showing(wanted, failed_chargeable=is_marked))
        for is_marked, condition in ((False, USAGE.c.outcome.is_(None)), (True, marked))
    ]
    return [or_(*shown)]


def _batch_status_in(statuses: frozenset[str | None]) -> ColumnElement[bool]:
    named = BATCHES.c.status.in_(sorted(name for name in statuses if name is not None))
    return named | BATCHES.c.status.is_(None) if None in statuses else named


def receivable_by_status(
    connection: Connection, reader: Reader, wanted: Filter
) -> list[tuple[str, str | None, int]]:
    """Return currency, batch status (None: open) and receivable, for narrowed totals."""
    query: Any = (
        select(PERIODS.c.currency, BATCHES.c.status)
        .select_from(PERIODS.outerjoin(BATCHES, BATCHES.c.period_number == PERIODS.c.period_number))
        .where(PERIODS.c[reader.column] == reader.number, *_of_period(wanted))
    )
    return [
        (row.currency, row.status, row.matching_gross - row.matching_fee)
        for row in connection.execute(_narrowed(query, wanted))
    ]
