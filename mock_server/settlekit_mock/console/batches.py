"""Every batch, with who pays whom and each attempt at its debit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import asdict
from sqlalchemy import Connection, bindparam, select

from settlekit_mock.console.pages import PartiesQuery, between, cut
from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Listing, ShortText, Timestamp
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.settlement.batches import BATCH_QUERY, batch_with_id
from settlekit_mock.settlement.statements.rows import settlement_batch
from settlekit_mock.settlement.statements.shapes import BatchStatusText, SettlementBatch
from settlekit_mock.settlement.tables import ATTEMPTS, BATCHES


class ControlBatchesQuery(PartiesQuery, frozen=True, kw_only=True):
    """Which batches."""

    status: BatchStatusText | None = None
    cursor: ShortText | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class DebitAttempt(Answer, frozen=True, kw_only=True):
    """One attempt at a debit; without an outcome it is under way."""

    attempt: Annotated[int, Meta(ge=1)]
    submitted_at: Timestamp
    resolved_at: Timestamp | None
    outcome: Literal["succeeded", "failed", "unknown"] | None


class ControlBatch(SettlementBatch, frozen=True, kw_only=True):
    """A batch as its provider sees it, with its buyer, its provider and each attempt."""

    buyer: str
    provider: str
    noticed_at: Timestamp | None
    attempts: list[DebitAttempt]
    usage_count: Annotated[int, Meta(ge=0)]


class ControlBatches(Listing, frozen=True, kw_only=True):
    """A page of all batches, newest first."""

    items: list[ControlBatch]


def list_batches(request: Request) -> ControlBatches:
    """Answer a page of all batches."""
    asked: ControlBatchesQuery = request.query
    listing = f"all-batches:{(asked.status, asked.buyer, asked.merchant, asked.currency)}"
    before = read_cursor(listing, asked.cursor)
    with request.world.snapshot() as connection:
        query = between(connection, _BATCHES, asked, BATCHES).limit(asked.limit + 1)
        if asked.status is not None:
            query = query.where(BATCHES.c.status == asked.status)
        if before is not None:
            query = query.where(BATCHES.c.batch_number < before)
        rows, cursor = cut(
            connection.execute(query).all(), asked.limit, listing, BATCHES.c.batch_number.name
        )
        attempts = _attempts(connection, rows)
    return ControlBatches(items=[_shaped(row, attempts) for row in rows], next_cursor=cursor)


def get_batch(request: Request) -> ControlBatch:
    """Answer one batch."""
    with request.world.snapshot() as connection:
        row = batch_with_id(connection, request.path["settlement_batch_id"])
        return _shaped(row, _attempts(connection, [row]))


Attempts = Mapping[int, list[DebitAttempt]]
"""Attempts by the number of their batch, the first one first."""


def _attempts(connection: Connection, batches: Sequence[AnyRow]) -> Attempts:
    found: dict[int, list[DebitAttempt]] = defaultdict(list)
    for row in connection.execute(_ATTEMPTS, {"of": [batch.batch_number for batch in batches]}):
        found[row.batch_number].append(
            DebitAttempt(
                attempt=row.ordinal,
                submitted_at=to_text(row.submitted_at),
                resolved_at=optional_text(row.resolved_at),
                outcome=row.outcome,
            )
        )
    return found


def _shaped(row: AnyRow, attempts: Attempts) -> ControlBatch:
    as_provider: dict[str, Any] = asdict(settlement_batch(row))
    return ControlBatch(
        **as_provider,
        buyer=row.buyer_id,
        provider=row.provider_id,
        noticed_at=optional_text(row.noticed_at),
        attempts=attempts.get(row.batch_number, []),
        usage_count=row.usage_count,
    )


_BATCHES = BATCH_QUERY.order_by(BATCHES.c.batch_number.desc())
_ATTEMPTS = (
    select(ATTEMPTS)
    .where(ATTEMPTS.c.batch_number.in_(bindparam("of", expanding=True)))
    .order_by(ATTEMPTS.c.batch_number, ATTEMPTS.c.ordinal)
)
