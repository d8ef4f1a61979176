"""What users see of types: checked by mypy and pyright, never run."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_type

import settlekit
import settlekit_mock
from settlekit import AsyncClient, AsyncPage, Client, Page, Response, Result, webhooks
from settlekit.models import (
    AppUsage,
    AuditEntry,
    BalanceChange,
    BatchStatus,
    BillingMandate,
    BillingPlan,
    BuyerSummary,
    CapabilityExecution,
    ChargedUsage,
    CheckoutSession,
    CheckoutSetUp,
    CheckoutStatus,
    DeveloperRevenue,
    EndpointStatus,
    ExecutedTransaction,
    Hold,
    LedgerReconciliation,
    Merchant,
    PaymentEvent,
    PaymentRequirement,
    PaymentSettlementStatus,
    Payout,
    PayoutRow,
    PayoutRun,
    PlatformStatus,
    ProviderSummary,
    RequirementStatus,
    RevenueReportRow,
    ScheduledAuthorization,
    ScheduledExecution,
    SettlementBatch,
    Subscription,
    TopUp,
    UsageEvent,
    UsageReportRow,
    UsageRow,
    Wallet,
    WalletAdjustment,
    WalletEntry,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTest,
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
    with client.operations.usage_report() as uses:
        assert_type(list(uses), list[UsageReportRow])
    with client.operations.revenue_report() as apps:
        assert_type(list(apps), list[RevenueReportRow])
    assert_type(client.operations.wallet(), Wallet)
    assert_type(client.operations.wallet().entries, tuple[WalletEntry, ...])
    adjusted = client.operations.adjust_wallet(
        "wal_1", kind="refund", direction="credit", amount_usd=Decimal("2.5")
    )
    assert_type(adjusted, WalletAdjustment)
    assert_type(client.operations.set_balance("b", balance_cents=-5), BalanceChange)
    assert_type(client.operations.billing("b").payment_events, tuple[PaymentEvent, ...])
    assert_type(client.operations.app_usage("app_1"), Page[AppUsage])
    assert_type(client.operations.developer_revenue("usr_1"), DeveloperRevenue)
    assert_type(client.operations.audit(), Page[AuditEntry])
    assert_type(client.operations.holds(), Page[Hold])
    assert_type(client.operations.release_hold("hold_1", note="x"), Hold)


def merchant_results(client: Client) -> None:
    made = client.merchants.set_up(merchant="paper_shop")
    assert_type(made, Merchant)
    assert_type(made.challenge_secret, str | None)
    assert_type(made.merchant_account.billing_plan, BillingPlan | None)
    assert_type(made.merchant_account.metadata_jsonb.checkout_allowed_origins, tuple[str, ...])
    assert_type(client.merchants.get("paper_shop"), Merchant)
    assert_type(client.merchants.readiness("paper_shop").ready, bool)
    assert_type(client.merchants.rotate_challenge_secret("paper_shop"), Merchant)
    assert_type(client.merchants.prepare_billing_mandate("paper_shop"), BillingMandate)
    whole = client.merchants.set_up_checkout(merchant="paper_shop")
    assert_type(whole, CheckoutSetUp)
    assert_type(whole.env, Mapping[str, str])
    assert_type(whole.webhook_endpoint, WebhookEndpoint | None)
    endpoints = client.webhook_endpoints.list()
    assert_type(endpoints, Page[WebhookEndpoint])
    assert_type(client.webhook_endpoints.pause("whsub_1").status, EndpointStatus | None)
    assert_type(client.webhook_endpoints.deliveries(limit=5), Page[WebhookDelivery])
    assert_type(client.webhook_endpoints.redeliver("whdel_1"), WebhookDelivery)
    assert_type(client.webhook_endpoints.send_test(event_type="x"), WebhookTest)


def agent_results(client: Client, challenge: str) -> None:
    requirement = client.payment_requirements.create(
        merchant="paper_shop", amount_minor=5, currency="JPY", challenge=challenge
    )
    assert_type(requirement, PaymentRequirement)
    assert_type(requirement.status, RequirementStatus)
    assert_type(requirement.protocol_fee_minor, Decimal | None)
    assert_type(requirement.is_settled, bool)
    executed = client.payment_requirements.execute(requirement)
    assert_type(executed, ExecutedTransaction)
    assert_type(executed.receipt.receipt_id, str)
    run = client.capabilities.execute(
        "weather", listing_id="lst_1", operation_key="read", amount_minor=5, currency="JPY"
    )
    assert_type(run, CapabilityExecution)
    assert_type(run.usage_event, ChargedUsage | None)
    subscription = client.subscriptions.create(
        merchant="paper_shop", amount_minor=5, currency="JPY", challenge=challenge
    )
    assert_type(subscription, Subscription)
    assert_type(subscription.next_charge_at, datetime | None)
    approved = client.scheduled_payments.authorize(
        merchant="paper_shop", amount_minor=5, currency="JPY", challenge=challenge
    )
    assert_type(approved, ScheduledAuthorization)
    assert_type(approved.schedule_token, str | None)
    order = client.scheduled_payments.execute("monday", schedule_token="t")
    assert_type(order, ScheduledExecution)
    assert_type(order.charge_status, PaymentSettlementStatus | None)
    assert_type(client.scheduled_payments.revoke("saa_1"), ScheduledAuthorization)
    top_up = client.top_ups.create(amount_usd="5", success_url="x", cancel_url="y")
    assert_type(top_up, TopUp)
    assert_type(top_up.amount_usd, Decimal)


async def async_results(client: AsyncClient) -> None:
    async with client as same:
        assert_type(same, AsyncClient)
    assert_type(await client.checkout_sessions.get("chk_1"), CheckoutSession)
    assert_type(await client.merchants.set_up_checkout(merchant="paper_shop"), CheckoutSetUp)
    assert_type(await client.webhook_endpoints.list(), AsyncPage[WebhookEndpoint])
    assert_type(await client.operations.wallet(), Wallet)
    async with client.operations.usage_report() as uses:
        assert_type([use async for use in uses], list[UsageReportRow])
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


def adapters() -> None:
    handlers = webhooks.Handlers[str]()
    _ = webhooks.django.webhook_view(handlers, secrets="s")


def slips_of_the_pen() -> None:
    # Each must be an error: mypy says so where one of these comments is needless.
    _ = settlekit.Klient  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    _ = settlekit_mock.Mock  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    _ = webhooks.verfy  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
