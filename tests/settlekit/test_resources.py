"""Every method against a mock in process, sync and async: one story a resource."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from settlekit import (
    AuthenticationError,
    Conflict,
    IdempotencyConflict,
    InsufficientBalance,
    ServerError,
    SetUpIncomplete,
    challenge,
)
from settlekit.models import (
    AuthorizationStatus,
    DeliveryStatus,
    EndpointStatus,
    ExecutionOutcome,
    HoldStatus,
    PaymentSettlementStatus,
    PayoutStatus,
    RequirementStatus,
)
from settlekit.models.base import Model, field_names
from settlekit_mock import MockServer
from tests.settlekit.golden.calling import COMPOSED, methods

TERMS: dict[str, Any] = {"merchant": "sandbox_merchant", "amount_minor": 1200, "currency": "JPY"}
RETURN_TO = {
    "success_url": "http://localhost:3000/ok",
    "cancel_url": "http://localhost:3000/no",
}
SHOP: dict[str, Any] = {
    "merchant": "paper_shop",
    "billing_plan": "growth",
    "allowed_currencies": ["JPY", "USD"],
    "webhook_callback_url": "https://shop.localhost/webhooks",
    "billing_mandate_cap_minor": 50_000,
    "checkout_allowed_origins": ["https://Shop.localhost:443"],
    "standard_terms_accepted": True,
    "sandbox_confirmed": True,
    "merchant_responsibility_attested": True,
    "live_mode_requested": True,
}


class World:
    """A mock, and its clients of one shell, whose methods are awaited in either."""

    def __init__(self, mock: MockServer, shell: str) -> None:
        self.mock = mock
        self.results: list[Any] = []
        self._clients = mock.client if shell == "sync" else mock.async_client

    def of(self, role: Any, **options: Any) -> "Resources":
        return Resources(self._clients(role, **options), self.results)

    async def challenge(self, cadence: str | None = None, **changes: Any) -> str:
        """Sign a challenge with a new secret of the sandbox's merchant."""
        rotated = await self.of("merchant").merchants.rotate_challenge_secret("sandbox_merchant")
        terms = {**TERMS, **changes, "secret": rotated.challenge_secret}
        if cadence is None:
            return challenge.sign(**terms)
        return challenge.sign_recurring(**terms, cadence=cadence)


class Resources:
    """A client whose resources' methods are all coroutines."""

    def __init__(self, client: Any, results: list[Any]) -> None:
        self.client = client
        self._results = results

    def __getattr__(self, name: str) -> "Methods":
        return Methods(getattr(self.client, name), self._results)


class Methods:
    def __init__(self, resource: Any, results: list[Any]) -> None:
        self._resource = resource
        self._results = results

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self._resource, name)(*args, **kwargs)
            result = await result if inspect.isawaitable(result) else result
            self._results.append(result)
            return result

        return call


async def rows_of(rows: Any) -> list[Any]:
    if hasattr(rows, "__aenter__"):
        async with rows:
            return [row async for row in rows]
    with rows:
        return list(rows)


async def checkout(world: World) -> None:
    """A session is opened once for a nonce, and waited for until it is paid."""
    sessions = world.of("merchant").checkout_sessions
    session = await sessions.create(**TERMS, **RETURN_TO, nonce="n-1")
    again = await sessions.create(**TERMS, **RETURN_TO, nonce="n-1")
    assert again.session_id == session.session_id
    with pytest.raises(IdempotencyConflict):
        await sessions.create(**{**TERMS, "amount_minor": 5}, **RETURN_TO, nonce="n-1")
    path = f"/sandbox/checkout-sessions/{session.session_id}/confirm"
    world.mock.client().request("POST", path, json={})
    paid = await sessions.wait(session.session_id)
    assert paid.is_settled
    assert (await sessions.get(session.session_id)).paid_at == paid.paid_at


async def merchants(world: World) -> None:
    """An account is set up in steps until it is ready, and shows its secret once."""
    shop = world.of("merchant").merchants
    made = await shop.set_up(**SHOP)
    assert made.created
    assert made.challenge_secret
    readiness = await shop.readiness("paper_shop")
    assert (readiness.ready, readiness.missing_requirements) == (False, ("active_mandate",))
    mandate = await shop.prepare_billing_mandate("paper_shop", max_amount_minor=9000)
    assert mandate.mandate.max_amount_minor == 9000
    assert (await shop.readiness("paper_shop")).ready
    assert (await shop.get("paper_shop")).challenge_secret is None
    rotated = await shop.rotate_challenge_secret("paper_shop")
    assert rotated.challenge_secret not in {None, made.challenge_secret}
    account = (await shop.set_up(**{**SHOP, "billing_plan": "pro"})).merchant_account
    assert account.settlement_fee_bps == 50
    assert account.metadata_jsonb.checkout_allowed_origins == ("https://shop.localhost",)


async def set_up_checkout(world: World) -> None:
    """Account, mandate and webhook in one give a shop that is ready, and its environment."""
    client = world.of("merchant")
    made = await client.merchants.set_up_checkout(**SHOP)
    assert made.env == {
        "SIGLUME_DIRECT_PAYMENT_MERCHANT": "paper_shop",
        "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET": made.merchant.challenge_secret,
        "SIGLUME_WEBHOOK_SECRET": made.webhook_endpoint.signing_secret,
    }
    assert not [secret for secret in list(made.env.values())[1:] if secret in repr(made)]
    assert made.billing_mandate.mandate.max_amount_minor == 50_000
    assert (await client.merchants.readiness("paper_shop")).ready
    again = await client.merchants.set_up_checkout(
        **SHOP, create_webhook_endpoint=False, prepare_billing_mandate=False
    )
    assert (again.env, again.webhook_endpoint, again.billing_mandate) == (
        {"SIGLUME_DIRECT_PAYMENT_MERCHANT": "paper_shop"},
        None,
        None,
    )


async def set_up_checkout_that_fails(world: World) -> None:
    """What was set up before a call failed is kept, its secret too."""
    client = world.of("merchant")
    world.mock.faults.create("POST /v1/market/webhooks/subscriptions", "status", status=503)
    with pytest.raises(SetUpIncomplete, match="503") as caught:
        await client.merchants.set_up_checkout(**SHOP)
    done = caught.value.done
    assert done.env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"] == done.merchant.challenge_secret
    assert done.billing_mandate is not None
    assert done.webhook_endpoint is None
    assert isinstance(caught.value.__cause__, ServerError)
    assert done.merchant.challenge_secret not in repr(caught.value)


async def webhook_endpoints(world: World) -> None:
    """An endpoint is subscribed, tested, paused, resumed and given a new secret."""
    world.mock.webhooks.collect()
    hooks = world.of("merchant").webhook_endpoints
    [old] = (await hooks.list()).items
    made = await hooks.create(callback_url="https://shop.localhost/hooks", description="orders")
    assert [each.id for each in (await hooks.list()).items] == [made.id, old.id]
    assert made.signing_secret.endswith(made.signing_secret_hint)
    assert (await hooks.rotate_secret(made.id)).signing_secret != made.signing_secret
    assert (await hooks.pause(made.id)).status is EndpointStatus.PAUSED
    assert (await hooks.resume(made.id)).status is EndpointStatus.ACTIVE
    tested = await hooks.send_test(
        event_type="direct_payment.confirmed",
        data={"readiness_probe": True},
        subscription_ids=[old.id],
    )
    assert (tested.delivery_status, tested.queued) == (DeliveryStatus.DELIVERED, 1)
    [delivery] = (await hooks.deliveries(subscription_id=old.id, status="delivered")).items
    assert delivery.event_id == tested.event.id
    assert (await hooks.redeliver(delivery.id)).event_id == tested.event.id
    assert len((await hooks.deliveries(limit=1)).items) == 1


async def payment_requirements(world: World) -> None:
    """An agent asks, allows, pays and proves; the same challenge is the same requirement."""
    world.mock.buyers.update("sandbox_buyer", allowances={"JPYC": "0"})
    buyer = world.of("buyer").payment_requirements
    asked = {**TERMS, "challenge": await world.challenge()}
    requirement = await buyer.create(**asked)
    assert (await buyer.create(**asked)).requirement_id == requirement.requirement_id
    await buyer.execute_allowance(requirement)
    paid = await buyer.execute(requirement, metadata={"note": "x"})
    proven = await buyer.verify(requirement.requirement_id, receipt_id=paid.receipt.receipt_id)
    assert (proven.status, proven.is_settled) == (RequirementStatus.SPENT, True)
    assert await buyer.get(requirement.requirement_id) == proven
    other = world.of("buyer", buyer=world.mock.buyers.create(buyer_id="other"))
    with pytest.raises(Conflict, match="EXTERNAL_402_CHALLENGE_ALREADY_USED"):
        await other.payment_requirements.create(**asked)


async def capabilities(world: World) -> None:
    """A capability runs and charges once for a key; another payload under it is refused."""
    listing = (await world.of("merchant").merchants.get("sandbox_merchant")).listing_id
    run = world.of("buyer").capabilities.execute
    asked = {
        "listing_id": listing,
        "operation_key": "read",
        "amount_minor": 100,
        "currency": "JPY",
        "idempotency_key": "k-1",
    }
    first = await run("weather", **asked, input={"city": "Kyoto"})
    assert (first.outcome, first.charged) == (ExecutionOutcome.SUCCESS, True)
    assert first.usage_event.protocol_fee_minor == Decimal(2)
    assert await run("weather", **asked, input={"city": "Kyoto"}) == first
    with pytest.raises(IdempotencyConflict):
        await run("weather", **asked, input={"city": "Osaka"})


async def subscriptions(world: World) -> None:
    """A subscription charges its first month at once, and once for a challenge."""
    asked = {**TERMS, "challenge": await world.challenge("monthly")}
    subscribe = world.of("buyer").subscriptions.create
    made = await subscribe(**asked, cadence="monthly")
    assert (made.idempotent_replay, made.initial_charge.is_settled) == (False, True)
    again = await subscribe(**asked)
    assert (again.idempotent_replay, again.subscription_id) == (True, made.subscription_id)


async def scheduled_payments(world: World) -> None:
    """A schedule's token charges a slot once, until it is revoked."""
    payments = world.of("buyer").scheduled_payments
    asked = {**TERMS, "challenge": await world.challenge("daily")}
    asked |= {"max_runs": 3, "cadence_limit": {"max_runs_per_day": 2}}
    made = await payments.authorize(**asked)
    assert (await payments.authorize(**asked)).schedule_token is None
    token = made.schedule_token
    run = await payments.execute("monday", schedule_token=token, arguments={"x": 1})
    assert run.charge_status is PaymentSettlementStatus.SETTLED
    again = await payments.execute("monday", schedule_token=token, arguments={"x": 1})
    assert again.direct_payment_requirement_id == run.direct_payment_requirement_id
    revoked = await payments.revoke(made.authorization_id)
    assert revoked.status is AuthorizationStatus.REVOKED
    with pytest.raises(AuthenticationError):
        await payments.execute("tuesday", schedule_token=token)


async def wallets(world: World) -> None:
    """A buyer's wallet is credited and adjusted, once for a key, and never below zero."""
    operator = world.of("admin").operations
    wallet = await world.of("buyer").operations.wallet()
    credited = await operator.credit_test_balance(wallet.wallet_id, amount_usd=20)
    assert credited.wallet_balance_usd == wallet.wallet_balance_usd + 20
    refund = {"kind": "refund", "direction": "credit", "amount_usd": Decimal("2.5")}
    first = await operator.adjust_wallet(wallet.wallet_id, **refund, idempotency_key="r-1")
    again = await operator.adjust_wallet(wallet.wallet_id, **refund, idempotency_key="r-1")
    assert again == first
    with pytest.raises(IdempotencyConflict):
        await operator.adjust_wallet(
            wallet.wallet_id, **{**refund, "amount_usd": 3}, idempotency_key="r-1"
        )
    with pytest.raises(InsufficientBalance):
        await operator.adjust_wallet(
            wallet.wallet_id, kind="chargeback", direction="debit", amount_usd=1000
        )
    seen = await world.of("buyer").operations.wallet()
    assert seen.wallet_balance_usd == wallet.wallet_balance_usd + Decimal("22.5")
    assert seen.entries[0].reason == "wallet_refund"


async def balances(world: World) -> None:
    """A balance is set outright with the admin secret, given here or to the client."""
    secret = "sandbox_admin_secret"
    operator = world.of("admin").operations
    changed = await operator.set_balance("sandbox_buyer", balance_cents=-250, admin_secret=secret)
    assert (changed.prev_balance, changed.new_balance) == (1000, -250)
    own = world.of("admin", admin_secret=secret).operations
    billing = await own.billing("sandbox_buyer")
    assert billing.credit_balance_cents == -250
    with pytest.raises(AuthenticationError):
        await operator.billing("sandbox_buyer", admin_secret="wrong")


async def usage(world: World) -> None:
    """A use is recorded once for a request, priced, listed, earned and reported."""
    operator = world.of("admin").operations
    use = {
        "public_app_id": "app_forecast",
        "feature_key": "forecast",
        "route_mode": "platform",
        "provider": "acme",
        "model": "small",
        "request_id": "use-1",
        "input_tokens": 1_000_000,
        "input_price_per_million_usd": "2",
    }
    recorded = await operator.record_usage(**use)
    assert await operator.record_usage(**use) == recorded
    assert (recorded.upstream_cost_usd, recorded.retail_price_usd) == (Decimal(2), Decimal("2.6"))
    assert (await operator.app_usage("app_forecast")).items == (recorded,)
    revenue = await operator.developer_revenue(recorded.developer_id)
    assert revenue.lifetime_revenue_usd == recorded.channel_revenue_usd == Decimal("0.24")
    [row] = await rows_of(await operator.usage_report(currency="USD"))
    assert (row.request_id, row.retail_price_usd) == ("use-1", Decimal("2.6"))
    [sold, *_] = await rows_of(await operator.revenue_report())
    assert (sold.public_app_id, sold.total_calls) == ("app_forecast", 1)
    assert await rows_of(await operator.usage_report(currency="JPY")) == []


async def payouts(world: World) -> None:
    """Payouts are run, cancelled, failed, paid, read, listed and reported."""
    world.mock.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=3
    )
    world.mock.clock.advance(days=14)
    operator = world.of("admin").operations
    [first] = (await operator.run_payouts(threshold="1", currency="JPY")).items
    cancelled = await operator.cancel_payout(first.id, reason="wrong account")
    assert (cancelled.status, cancelled.reason) == (PayoutStatus.CANCELLED, "wrong account")
    [second] = (await operator.run_payouts(threshold="1", currency="JPY")).items
    await operator.approve_payout(second.id, operator_note="checked")
    assert (await operator.fail_payout(second.id)).status is PayoutStatus.FAILED
    [third] = (await operator.run_payouts(threshold="1", currency="JPY")).items
    await operator.approve_payout(third.id)
    paid = await operator.mark_payout_paid(third.id)
    assert await operator.payout(third.id) == paid
    assert (await operator.payouts(status="paid", limit=5)).items == (paid,)
    rows = await rows_of(await operator.payouts_report(currency="JPY"))
    assert [row.status for row in rows] == ["paid", "failed", "cancelled"]
    [newest] = (await operator.audit(resource=third.id, action="payout.paid")).items
    assert newest.actor


async def holds(world: World) -> None:
    """A wallet that doesn't add up is found and held, until an operator lets it go."""
    await world.of("buyer").operations.wallet()
    with world.mock.world.transaction() as tx:
        spoil = "UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'wallet'"
        tx.connection.execute(text(spoil))
    operator = world.of("admin").operations
    assert (await operator.reconcile_ledger()).summary.mismatch_count > 0
    hold = (await operator.holds(status="active")).items[0]
    released = await operator.release_hold(hold.id, note="counted by hand")
    assert (released.status, released.note) == (HoldStatus.RELEASED, "counted by hand")


async def top_ups(world: World) -> None:
    """A top-up is opened in whole cents, to be paid by card."""
    made = await world.of("buyer").top_ups.create(amount_usd="5.25", **RETURN_TO)
    assert (made.amount_usd, made.status) == (Decimal("5.25"), "pending")


async def statements(world: World) -> None:
    """Buyer and provider read one story, each from their side."""
    world.mock.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=3
    )
    world.mock.clock.advance(days=14)
    mine, theirs = world.of("buyer").buyer_statements, world.of("provider").provider_statements
    [batch] = (await theirs.settlement_batches(status="settled")).items
    assert batch.is_settled
    assert await theirs.settlement_batch(batch.settlement_batch_id) == batch
    assert len((await theirs.usage_events(plan_type="micro")).items) == 3
    assert len((await mine.usage_events(token_symbol="JPYC")).items) == 3
    assert len((await mine.settlement_batches()).items) == 1
    assert (await mine.summary()).past_due_blocks == ()
    settled = (await theirs.summary()).totals.settled_provider_receivable_minor
    rows = await rows_of(await theirs.usage_csv(batch.settlement_batch_id))
    assert sum(row.provider_receivable_minor for row in rows) == settled == Decimal(294)


async def platform(world: World) -> None:
    """The platform says that it works."""
    assert (await world.of("merchant").platform.status()).status == "operational"


STORIES: list[Callable[[World], Awaitable[None]]] = [
    balances,
    capabilities,
    checkout,
    holds,
    merchants,
    payment_requirements,
    payouts,
    platform,
    scheduled_payments,
    set_up_checkout,
    set_up_checkout_that_fails,
    statements,
    subscriptions,
    top_ups,
    usage,
    wallets,
    webhook_endpoints,
]


def unknown_fields(result: Any) -> set[tuple[str, str]]:
    """Return what a result and all in it leave in ``extra``."""
    if isinstance(result, tuple):
        return {each for item in result for each in unknown_fields(item)}
    if hasattr(result, "next_cursor"):
        return unknown_fields(result.items)
    if not isinstance(result, Model):
        return set()
    inner = [getattr(result, name, None) for name in field_names(type(result))]
    found = {each for value in inner for each in unknown_fields(value)}
    return found | {(type(result).__name__, name) for name in result.extra}


@pytest.mark.parametrize("shell", ["sync", "async"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_resource_does_what_it_says(
    story: Callable[[World], Awaitable[None]], shell: str
) -> None:
    """The story comes out the same in both shells, and the models know all that is said."""
    with MockServer(seed=7, freeze_at="2026-03-02T00:00:00Z") as mock:
        world = World(mock, shell)
        asyncio.run(story(world))
    assert unknown_fields(tuple(world.results)) == set()


def test_no_method_is_without_a_story() -> None:
    """Each method of the client is called by name in a story."""
    source = "".join(inspect.getsource(story) for story in STORIES)
    with MockServer() as mock:
        named = methods(mock.client())
    told = {name for name in named if f".{name.partition('.')[2]}" in source}
    assert named - told - COMPOSED == set()
