"""A provider's statements: revenue by bucket, usage, batches, and a batch's rows as CSV."""

import attrs

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, get, stated
from settlekit._calls.download import Download, download
from settlekit._codec import Listing
from settlekit._csv import USAGE_ROWS
from settlekit.models import ProviderSummary, SettlementBatch, UsageEvent, UsageRow

PATH = "/sdrp/metered/provider"


def summary(
    *,
    plan_type: str | None = None,
    token_symbol: str | None = None,
    listing_id: str | None = None,
    capability_key: str | None = None,
) -> Call[ProviderSummary]:
    """Ask for open periods, the newest batches and revenue by bucket."""
    return get(
        f"{PATH}/summary",
        _codec.one(ProviderSummary),
        plan_type=arguments.plan_type(plan_type),
        token_symbol=arguments.token_symbol(token_symbol),
        listing_id=arguments.optional(listing_id, "listing_id"),
        capability_key=arguments.optional(capability_key, "capability_key"),
    )


def usage_events(
    *,
    plan_type: str | None = None,
    token_symbol: str | None = None,
    listing_id: str | None = None,
    capability_key: str | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[Listing[UsageEvent]]:
    """Ask for accepted payments, newest first."""
    return get(
        f"{PATH}/usage-events",
        _codec.listing(UsageEvent),
        plan_type=arguments.plan_type(plan_type),
        token_symbol=arguments.token_symbol(token_symbol),
        listing_id=arguments.optional(listing_id, "listing_id"),
        capability_key=arguments.optional(capability_key, "capability_key"),
        status=arguments.status(status),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_USAGE_EVENTS),
    )


def settlement_batches(
    *,
    plan_type: str | None = None,
    token_symbol: str | None = None,
    listing_id: str | None = None,
    capability_key: str | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[Listing[SettlementBatch]]:
    """Ask for closed periods, newest first."""
    return get(
        f"{PATH}/settlement-batches",
        _codec.listing(SettlementBatch),
        plan_type=arguments.plan_type(plan_type),
        token_symbol=arguments.token_symbol(token_symbol),
        listing_id=arguments.optional(listing_id, "listing_id"),
        capability_key=arguments.optional(capability_key, "capability_key"),
        status=arguments.status(status),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )


def settlement_batch(
    settlement_batch_id: str, *, listing_id: str | None = None, capability_key: str | None = None
) -> Call[SettlementBatch]:
    """Ask for one batch."""
    return get(
        _batch_path(settlement_batch_id),
        _codec.one(SettlementBatch),
        listing_id=arguments.optional(listing_id, "listing_id"),
        capability_key=arguments.optional(capability_key, "capability_key"),
    )


def usage_csv(
    settlement_batch_id: str, *, listing_id: str | None = None, capability_key: str | None = None
) -> Download[UsageRow]:
    """Ask for a batch's rows, in the order of acceptance."""
    path = f"{_batch_path(settlement_batch_id)}/usage-events.csv"
    labels = {
        "listing_id": arguments.optional(listing_id, "listing_id"),
        "capability_key": arguments.optional(capability_key, "capability_key"),
    }
    asked = download(path, USAGE_ROWS, stated(labels))
    if asked.call.query:  # a part of the rows has no digest to compare with
        return asked
    return attrs.evolve(asked, batch=settlement_batch(settlement_batch_id))


def _batch_path(settlement_batch_id: str) -> str:
    segment = arguments.path_segment(settlement_batch_id, "settlement_batch_id")
    return f"{PATH}/settlement-batches/{segment}"
