"""A buyer's statements: what was used, what is due, what is past due."""

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, get
from settlekit._codec import Listing
from settlekit.models import BuyerSummary, SettlementBatch, UsageEvent

PATH = "/sdrp/metered"


def summary(*, plan_type: str | None = None, token_symbol: str | None = None) -> Call[BuyerSummary]:
    """Ask for open periods, the newest batches and what is past due."""
    return get(
        f"{PATH}/my-summary",
        _codec.one(BuyerSummary),
        plan_type=arguments.plan_type(plan_type),
        token_symbol=arguments.token_symbol(token_symbol),
    )


def usage_events(
    *,
    plan_type: str | None = None,
    token_symbol: str | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[Listing[UsageEvent]]:
    """Ask for accepted payments, newest first."""
    return get(
        f"{PATH}/my-usage-events",
        _codec.listing(UsageEvent),
        plan_type=arguments.plan_type(plan_type),
        token_symbol=arguments.token_symbol(token_symbol),
        status=arguments.status(status),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_USAGE_EVENTS),
    )


def settlement_batches(
    *,
    plan_type: str | None = None,
    token_symbol: str | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[Listing[SettlementBatch]]:
    """Ask for closed periods, newest first."""
    return get(
        f"{PATH}/my-settlement-batches",
        _codec.listing(SettlementBatch),
        plan_type=arguments.plan_type(plan_type),
        token_symbol=arguments.token_symbol(token_symbol),
        status=arguments.status(status),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )
