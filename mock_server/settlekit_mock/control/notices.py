"""The inbox: notices as their readers got them, newest first."""

from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import select

from settlekit_mock.http.cursors import read_cursor, write_cursor
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Listing, ShortText, StrictBody, Timestamp
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.times import to_text
from settlekit_mock.settlement.tables import BATCHES, BUYERS, NOTICES, PERIODS, PROVIDERS

AudienceText = Literal["buyer", "provider"]
KindText = Literal[
    "estimate", "final_debit", "period_summary", "debit_succeeded", "debit_failed", "past_due"
]


class NoticeQuery(StrictBody, frozen=True, kw_only=True):
    """Which notices."""

    audience: AudienceText | None = None
    kind: KindText | None = None
    buyer: ShortText | None = None
    settlement_batch_id: ShortText | None = None
    cursor: ShortText | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class NoticeAnswer(Answer, frozen=True, kw_only=True):
    """One notice; ``reader`` is the buyer's or the provider's id."""

    notice_id: str
    audience: AudienceText
    kind: KindText
    reader: str
    sent_at: Timestamp
    plan_type: Literal["micro", "nano"]
    settlement_batch_id: str | None
    subject: str
    text: str


class Notices(Listing, frozen=True, kw_only=True):
    """A page of notices, newest first."""

    items: list[NoticeAnswer]


def list_notices(request: Request) -> Notices:
    """Answer a page of the notices that were sent."""
    asked = request.query
    narrowed = (asked.audience, asked.kind, asked.buyer, asked.settlement_batch_id)
    listing = f"notices:{narrowed}"
    query = _NOTICES.limit(asked.limit + 1)
    columns = (NOTICES.c.audience, NOTICES.c.kind, BUYERS.c.buyer_id, BATCHES.c.settlement_batch_id)
    for column, wanted in zip(columns, narrowed, strict=True):
        if wanted is not None:
            query = query.where(column == wanted)
    before = read_cursor(listing, asked.cursor)
    if before is not None:
        query = query.where(NOTICES.c.notice_number < before)
    with request.world.snapshot() as connection:
        rows = connection.execute(query).all()
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return Notices(
        items=[_shaped(row) for row in page],
        next_cursor=write_cursor(listing, page[-1].notice_number) if more else None,
    )


def _shaped(row: AnyRow) -> NoticeAnswer:
    return NoticeAnswer(
        notice_id=row.notice_id,
        audience=row.audience,
        kind=row.kind,
        reader=row.buyer_id if row.audience == "buyer" else row.provider_id,
        sent_at=to_text(row.sent_at),
        plan_type=row.band,
        settlement_batch_id=row.settlement_batch_id,
        subject=row.subject,
        text=row.text,
    )


_NOTICES = (
    select(
        *NOTICES.c,
        PERIODS.c.band,
        BUYERS.c.buyer_id,
        PROVIDERS.c.provider_id,
        BATCHES.c.settlement_batch_id,
    )
    .join(PERIODS, PERIODS.c.period_number == NOTICES.c.period_number)
    .join(BUYERS, BUYERS.c.buyer_number == NOTICES.c.buyer_number)
    .join(PROVIDERS, PROVIDERS.c.provider_number == NOTICES.c.provider_number)
    .outerjoin(BATCHES, BATCHES.c.period_number == NOTICES.c.period_number)
    .order_by(NOTICES.c.notice_number.desc())
)
