"""What users see of types: checked by mypy and pyright, never run."""

from datetime import datetime
from decimal import Decimal
from typing import Any, assert_type

from settlekit import AsyncClient, AsyncPage, Client, Page, Response, Result, webhooks
from settlekit.models import (
    BatchStatus,
    BuyerSummary,
    CheckoutSession,
    CheckoutStatus,
    LedgerReconciliation,
    Payout,
    PayoutRow,
    PayoutRun,
    PlatformStatus,
    ProviderSummary,
    SettlementBatch,
    UsageEvent,
    UsageRow,
)


def sync_results(client: Client) -> None:
    with client as same:
        assert_type(same, Client)
    assert_type(client.with_options(timeout=1.0), Client)
    assert_type(client.request("GET", "/x"), Result)
    assert_type(client.platform.status(), PlatformStatus)
    assert_type(client.checkout_sessions.get("chk_1"), CheckoutSession)
    assert_type(client.checkout_sessions.wait("chk_1").status, CheckoutStatus)
    assert_type(client.buyer_statements.summary(), BuyerSummary)
    assert_type(client.buyer_statements.settlement_batches(), Page[SettlementBatch])
    summary = client.provider_statements.summary()
    assert_type(summary, ProviderSummary)
    assert_type(summary.totals.settled_provider_receivable_minor, Decimal)
    assert_type(summary.response, Response | None)
    events = client.provider_statements.usage_events()
    assert_type(events, Page[UsageEvent])
    assert_type(events.items, tuple[UsageEvent, ...])
    assert_type(events.all(), list[UsageEvent])
    for event in events:
        assert_type(event.created_at, datetime)
        assert_type(event.provider_receivable_minor, Decimal)
        assert_type(event.extra, dict[str, Any])
    batch = client.provider_statements.settlement_batch("msb_1")
    assert_type(batch.status, BatchStatus)
    assert_type(batch.status.known, bool)
    assert_type(batch.settled_at, datetime | None)
    with client.provider_statements.usage_csv("msb_1") as rows:
        for row in rows:
            assert_type(row, UsageRow)
        assert_type(rows.digest(), str)


def operator_results(client: Client) -> None:
    assert_type(client.operations.run_payouts(threshold_usd="1"), PayoutRun)
    assert_type(client.operations.approve_payout("po_1"), Payout)
    assert_type(client.operations.payouts(), Page[Payout])
    assert_type(client.operations.reconcile_ledger(), LedgerReconciliation)
    with client.operations.payouts_report() as rows:
        for row in rows:
            assert_type(row, PayoutRow)


async def async_results(client: AsyncClient) -> None:
    async with client as same:
        assert_type(same, AsyncClient)
    assert_type(await client.checkout_sessions.get("chk_1"), CheckoutSession)
    events = client.provider_statements.usage_events()
    assert_type(await events, AsyncPage[UsageEvent])
    assert_type(await events.all(), list[UsageEvent])
    async for event in events:
        assert_type(event, UsageEvent)
    async for page in events.pages():
        assert_type(page, AsyncPage[UsageEvent])
    async with client.provider_statements.usage_csv("msb_1") as rows:
        async for row in rows:
            assert_type(row, UsageRow)
        assert_type(await rows.digest(), str)


def webhook_results(body: bytes, header: str) -> None:
    event = webhooks.verify(body, header, "whsec")
    assert_type(event, webhooks.Event)
    match webhooks.classify(event):
        case webhooks.StandardSettled(challenge_hash=h, chain_receipt_id=r):
            assert_type((h, r), tuple[str, str])
        case webhooks.MeteredUsageAccepted(settlement_cadence=cadence):
            assert_type(cadence.known, bool)
        case webhooks.MeteredBatchSettled(settlement_batch_id=i, settled_at=at):
            assert_type((i, at), tuple[str, datetime | None])
        case webhooks.Unknown(reason=why):
            assert_type(why, webhooks.UnknownReason)
