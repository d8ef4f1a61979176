"""The routes of statements."""

from typing import Any

from sqlalchemy import Connection

from settlekit_mock.http.csv import MEDIA_TYPE
from settlekit_mock.http.cursors import read_cursor, write_cursor
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route, Stream
from settlekit_mock.kernel.problems import Forbidden, NotFound
from settlekit_mock.settlement.buyers import Buyer, find_buyer
from settlekit_mock.settlement.providers import Provider, find_provider
from settlekit_mock.settlement.statements import queries, shapes
from settlekit_mock.settlement.statements.queries import Filter, Reader
from settlekit_mock.settlement.statements.rows import (
    buyer_settlement_batch,
    provider_usage_event,
    settlement_batch,
    usage_event,
)
from settlekit_mock.settlement.statements.summaries import buyer_summary, provider_summary
from settlekit_mock.settlement.statements.usage_csv import usage_csv

NOBODY_YET = 0
"""The number of a provider who hasn't sold anything: no row has it."""


def _provider(connection: Connection, request: Request) -> Provider:
    subject = request.caller.subject
    return find_provider(connection, subject) or Provider(NOBODY_YET, subject, "JPY")


def _buyer(connection: Connection, request: Request) -> Buyer:
    buyer = find_buyer(connection, request.caller.subject)
    if buyer is None:
        raise Forbidden("this token's buyer account is gone")
    return buyer


def _filter(query: Any) -> Filter:
    return Filter(
        plan_type=query.plan_type,
        token_symbol=query.token_symbol,
        listing_id=getattr(query, "listing_id", None),
        capability_key=getattr(query, "capability_key", None),
        status=getattr(query, "status", None),
    )


def _page(rows: list[Any], limit: int, listing: str, number: str) -> tuple[list[Any], str | None]:
    """Cut the row beyond the page off again, and say where the next page begins."""
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, write_cursor(listing, getattr(rows[-1], number)) if more else None


def _usage_page(connection: Connection, reader: Reader, query: Any) -> tuple[list[Any], str | None]:
    wanted = _filter(query)
    listing = f"usage:{reader}:{wanted}"
    rows = queries.usage_events(
        connection,
        reader,
        wanted,
        before=read_cursor(listing, query.cursor),
        limit=query.limit + 1,
    )
    return _page(rows, query.limit, listing, "usage_number")


def _batch_page(connection: Connection, reader: Reader, query: Any) -> tuple[list[Any], str | None]:
    wanted = _filter(query)
    listing = f"batches:{reader}:{wanted}"
    rows = queries.batches(
        connection,
        reader,
        wanted,
        before=read_cursor(listing, query.cursor),
        limit=query.limit + 1,
    )
    return _page(rows, query.limit, listing, "batch_number")


def get_provider_summary(request: Request) -> shapes.ProviderSummary:
    """Answer a provider's summary."""
    with request.world.snapshot() as connection:
        return provider_summary(connection, _provider(connection, request), _filter(request.query))


def list_provider_usage(request: Request) -> shapes.ProviderUsageEvents:
    """Answer a page of a provider's usage events."""
    with request.world.snapshot() as connection:
        reader = Reader("provider", _provider(connection, request).provider_number)
        rows, cursor = _usage_page(connection, reader, request.query)
    return shapes.ProviderUsageEvents(
        items=[provider_usage_event(row) for row in rows], next_cursor=cursor
    )


def list_provider_batches(request: Request) -> shapes.SettlementBatches:
    """Answer a page of a provider's batches."""
    with request.world.snapshot() as connection:
        reader = Reader("provider", _provider(connection, request).provider_number)
        rows, cursor = _batch_page(connection, reader, request.query)
    return shapes.SettlementBatches(
        items=[settlement_batch(row) for row in rows], next_cursor=cursor
    )


def _own_batch(connection: Connection, request: Request, wanted: Filter) -> Any:
    reader = Reader("provider", _provider(connection, request).provider_number)
    row = queries.batch(connection, reader, request.path["settlement_batch_id"], wanted)
    if row is None:
        raise NotFound("no such settlement batch", code="SETTLEMENT_BATCH_NOT_FOUND")
    return row


def get_provider_batch(request: Request) -> shapes.SettlementBatch:
    """Answer one batch of a provider's."""
    query: shapes.LabelQuery = request.query
    wanted = Filter(listing_id=query.listing_id, capability_key=query.capability_key)
    with request.world.snapshot() as connection:
        return settlement_batch(_own_batch(connection, request, wanted))


def get_usage_csv(request: Request) -> Stream:
    """Stream the usage events of a provider's batch."""
    with request.world.snapshot() as connection:
        batch = _own_batch(connection, request, Filter())
    chunks = usage_csv(
        request.world,
        batch,
        listing_id=request.query.listing_id,
        capability_key=request.query.capability_key,
    )
    return Stream(chunks, MEDIA_TYPE, f"{batch.settlement_batch_id}-usage-events.csv")


def get_buyer_summary(request: Request) -> shapes.BuyerSummary:
    """Answer a buyer's summary."""
    with request.world.snapshot() as connection:
        return buyer_summary(connection, _buyer(connection, request), _filter(request.query))


def list_buyer_usage(request: Request) -> shapes.UsageEvents:
    """Answer a page of a buyer's usage events."""
    with request.world.snapshot() as connection:
        reader = Reader("buyer", _buyer(connection, request).buyer_number)
        rows, cursor = _usage_page(connection, reader, request.query)
    return shapes.UsageEvents(items=[usage_event(row) for row in rows], next_cursor=cursor)


def list_buyer_batches(request: Request) -> shapes.BuyerSettlementBatches:
    """Answer a page of a buyer's batches."""
    with request.world.snapshot() as connection:
        reader = Reader("buyer", _buyer(connection, request).buyer_number)
        rows, cursor = _batch_page(connection, reader, request.query)
    return shapes.BuyerSettlementBatches(
        items=[buyer_settlement_batch(row) for row in rows], next_cursor=cursor
    )


_BASE = "/v1/sdrp/metered"


def _get(
    path: str, role: Role, run: Any, answers: Any, *, summary: str, query: Any = None
) -> Route:
    # Only a batch has an id in its path.
    errors = ((404, "SETTLEMENT_BATCH_NOT_FOUND"),) if "<" in path else ()
    return Route(
        "GET",
        f"{_BASE}/{path}",
        role,
        run,
        answers,
        summary,
        query=query,
        errors=errors,
        tag="statements",
    )


ROUTES = (
    _get(
        "my-summary",
        Role.BUYER,
        get_buyer_summary,
        shapes.BuyerSummary,
        summary="A buyer's summary",
        query=shapes.SummaryQuery,
    ),
    _get(
        "my-usage-events",
        Role.BUYER,
        list_buyer_usage,
        shapes.UsageEvents,
        summary="A buyer's usage events",
        query=shapes.UsageQuery,
    ),
    _get(
        "my-settlement-batches",
        Role.BUYER,
        list_buyer_batches,
        shapes.BuyerSettlementBatches,
        summary="A buyer's batches",
        query=shapes.BatchQuery,
    ),
    _get(
        "provider/summary",
        Role.PROVIDER,
        get_provider_summary,
        shapes.ProviderSummary,
        summary="A provider's summary",
        query=shapes.ProviderSummaryQuery,
    ),
    _get(
        "provider/usage-events",
        Role.PROVIDER,
        list_provider_usage,
        shapes.ProviderUsageEvents,
        summary="A provider's usage events",
        query=shapes.ProviderUsageQuery,
    ),
    _get(
        "provider/settlement-batches",
        Role.PROVIDER,
        list_provider_batches,
        shapes.SettlementBatches,
        summary="A provider's batches",
        query=shapes.ProviderBatchQuery,
    ),
    _get(
        "provider/settlement-batches/<settlement_batch_id>",
        Role.PROVIDER,
        get_provider_batch,
        shapes.SettlementBatch,
        summary="One batch",
        query=shapes.LabelQuery,
    ),
    _get(
        "provider/settlement-batches/<settlement_batch_id>/usage-events.csv",
        Role.PROVIDER,
        get_usage_csv,
        "text/csv",
        summary="One batch's usage events as CSV",
        query=shapes.LabelQuery,
    ),
)
