"""Every open period, the one that closes first coming first."""

from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import asdict
from sqlalchemy import select

from settlekit_mock.console.pages import PartiesQuery, between
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.settlement.batches import MATCHING
from settlekit_mock.settlement.statements.rows import open_period
from settlekit_mock.settlement.statements.shapes import OpenPeriod
from settlekit_mock.settlement.tables import BUYERS, PERIODS, PROVIDERS, SCOPES


class ControlPeriodsQuery(PartiesQuery, frozen=True, kw_only=True):
    """Which open periods."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class ControlPeriod(OpenPeriod, frozen=True, kw_only=True):
    """An open period as its parties see it, with who they are."""

    period_id: str
    buyer: str
    provider: str
    usage_count: Annotated[int, Meta(ge=0)]


class ControlPeriods(Answer, frozen=True, kw_only=True):
    """Open periods, the one that closes first coming first."""

    items: list[ControlPeriod]


def list_periods(request: Request) -> ControlPeriods:
    """Answer open periods."""
    asked: ControlPeriodsQuery = request.query
    with request.world.snapshot() as connection:
        query = between(connection, _PERIODS, asked, PERIODS).limit(asked.limit)
        return ControlPeriods(items=[_shaped(row) for row in connection.execute(query)])


def _shaped(row: AnyRow) -> ControlPeriod:
    as_its_parties: dict[str, Any] = asdict(open_period(row))
    return ControlPeriod(
        **as_its_parties,
        period_id=row.period_id,
        buyer=row.buyer_id,
        provider=row.provider_id,
        usage_count=row.usage_count,
    )


# A scope names its open period, so that no closed one is read.
_PERIODS = (
    select(*PERIODS.c, *MATCHING, SCOPES.c.exposure, BUYERS.c.buyer_id, PROVIDERS.c.provider_id)
    .select_from(SCOPES)
    .join(PERIODS, PERIODS.c.period_number == SCOPES.c.open_period)
    .join(BUYERS, BUYERS.c.buyer_number == PERIODS.c.buyer_number)
    .join(PROVIDERS, PROVIDERS.c.provider_number == PERIODS.c.provider_number)
    .order_by(PERIODS.c.close_at, PERIODS.c.period_number)
)
