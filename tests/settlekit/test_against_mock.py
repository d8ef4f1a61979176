"""Every resource against a mock in process: what one side writes, the other reads."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from settlekit import (
    AuthenticationError,
    Client,
    InvalidRequest,
    NotFound,
    PermissionDenied,
)
from settlekit.models import BatchStatus, CheckoutStatus, PayoutStatus, UsageStatus
from settlekit.models.base import Model, field_names
from settlekit_mock import MockServer

CHECKOUT = {
    "merchant": "sandbox_merchant",
    "amount_minor": 1200,
    "currency": "JPY",
    "success_url": "http://localhost:3000/ok",
    "cancel_url": "http://localhost:3000/no",
}


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7, freeze_at="2026-03-01T00:00:00Z") as made:
        yield made


@pytest.fixture
def settled(mock: MockServer) -> MockServer:
    """A mock in which forty payments settled, and three more accrue."""
    buyer = mock.buyers.create(buyer_id="tanaka", timezone="Asia/Tokyo")
    mock.usage(buyer, merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=40)
    mock.clock.advance(days=12)
    mock.usage(buyer, merchant="sandbox_merchant", amount_minor=20, currency="JPY", count=3)
    return mock


def models_in(value: Any) -> Iterator[Model]:
    if isinstance(value, Model):
        yield value
        for name in field_names(type(value)):
            yield from models_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from models_in(item)


def read_everything(mock: MockServer) -> list[Any]:
    provider, admin = mock.client("provider"), mock.client("admin")
    buyer = mock.client(buyer="tanaka")
    batches = provider.provider_statements.settlement_batches().items
    return [
        provider.platform.status(),
        provider.provider_statements.summary(),
        *provider.provider_statements.usage_events(),
        *batches,
        provider.provider_statements.settlement_batch(batches[0].settlement_batch_id),
        buyer.buyer_statements.summary(),
        *buyer.buyer_statements.usage_events(),
        *buyer.buyer_statements.settlement_batches(),
        admin.operations.run_payouts(threshold="1", currency="JPY"),
        *admin.operations.payouts(),
        admin.operations.reconcile_ledger(),
        mock.client().checkout_sessions.create(**CHECKOUT),
    ]


def test_the_models_know_every_field(settled: MockServer) -> None:
    """Nothing that the mock says is left in ``extra``, at any depth."""
    unknown = {
        (type(model).__name__, name)
        for result in read_everything(settled)
        for model in models_in(result)
        for name in model.extra
    }
    assert unknown == set()


def test_results_carry_their_request(settled: MockServer) -> None:
    """Each has an id to quote; a page carries it for its items."""
    page = settled.client("provider").provider_statements.usage_events()
    summary = settled.client("provider").provider_statements.summary()
    assert page.response.request_id
    assert summary.response is not None
    assert summary.response.request_id != page.response.request_id


def test_statements_follow_the_money(settled: MockServer) -> None:
    """Summary, events, batch and CSV tell one story, and its digest checks."""
    statements = settled.client("provider").provider_statements
    summary = statements.summary()
    [batch] = statements.settlement_batches(status="settled")
    assert batch.status is BatchStatus.SETTLED
    assert summary.totals.settled_provider_receivable_minor == Decimal(3920)
    assert summary.totals.unsettled_provider_receivable_minor == Decimal("59.4")
    assert len(statements.usage_events(limit=7).all()) == 43
    with statements.usage_csv(batch.settlement_batch_id) as rows:
        receivable = [row.provider_receivable_minor for row in rows]
        assert rows.digest() == batch.usage_event_digest
    assert sum(receivable) == batch.provider_receivable_minor == Decimal(3920)
    [last] = statements.usage_events(plan_type="nano", limit=1).items
    assert last.status is UsageStatus.PENDING_SETTLEMENT


def test_both_shells_read_the_same(settled: MockServer, tmp_path: Path) -> None:
    """The async half and the sync half give equal results."""
    sync = settled.client("provider").provider_statements

    async def read_async() -> tuple[Any, ...]:
        async with settled.async_client("provider") as client:
            statements = client.provider_statements
            events = [event async for event in statements.usage_events(limit=9)]
            batches = await statements.settlement_batches().all()
            rows = statements.usage_csv(batches[0].settlement_batch_id)
            await rows.save(tmp_path / "async.csv")
            return await statements.summary(), events, batches, await rows.digest()

    summary, events, batches, digest = asyncio.run(read_async())
    assert summary == sync.summary()
    assert events == sync.usage_events().all()
    assert batches == sync.settlement_batches().all()
    rows = sync.usage_csv(batches[0].settlement_batch_id)
    rows.save(tmp_path / "sync.csv")
    assert rows.digest() == digest
    assert (tmp_path / "async.csv").read_bytes() == (tmp_path / "sync.csv").read_bytes()


def test_a_payout_goes_its_way(settled: MockServer) -> None:
    """Run, approve, mark paid, report; and the books balance."""
    operations = settled.client("admin").operations
    [payout] = operations.run_payouts(threshold="1", currency="JPY").items
    assert (payout.status, payout.amount) == (PayoutStatus.PENDING, Decimal(3920))
    assert operations.run_payouts(threshold="1", currency="JPY").items == ()
    assert operations.approve_payout(payout.id, operator_note="fine").operator_note == "fine"
    paid = operations.mark_payout_paid(payout.id)
    assert operations.mark_payout_paid(payout.id) == paid == operations.payout(payout.id)
    assert paid.status is PayoutStatus.PAID
    assert operations.payouts(status="paid").items == (paid,)
    with operations.payouts_report(currency="JPY") as rows:
        [row] = list(rows)
    assert (row.payout_id, row.amount) == (payout.id, paid.amount)
    assert operations.reconcile_ledger().summary.mismatch_count == 0


def test_a_checkout_is_waited_for(mock: MockServer) -> None:
    """Open, then paid by the sandbox's helper, and the same nonce is the same session."""
    client = mock.client()
    session = client.checkout_sessions.create(**CHECKOUT, nonce="n-1")
    assert client.checkout_sessions.create(**CHECKOUT, nonce="n-1").session_id == session.session_id
    client.request("POST", f"/sandbox/checkout-sessions/{session.session_id}/confirm", json={})
    paid = client.checkout_sessions.wait(session.session_id)
    assert paid.status is CheckoutStatus.PAID
    assert paid.chain_receipt_id


def test_refusals_have_their_class(mock: MockServer) -> None:
    """Unknown tokens, other roles, other people's ids, broken cursors."""
    provider = mock.client("provider")
    with pytest.raises(AuthenticationError):
        Client(
            token="unknown",
            base_url="http://localhost/v1",
            http=provider._core.transport._http,
        ).provider_statements.summary()
    with pytest.raises(PermissionDenied):
        mock.client("buyer").provider_statements.summary()
    with pytest.raises(NotFound):
        provider.provider_statements.settlement_batch("msb_nobody")
    with pytest.raises(InvalidRequest):
        provider.provider_statements.usage_events(cursor="broken")
    payout_id = _pending_payout(mock)
    with pytest.raises(InvalidRequest, match="must be approved"):
        mock.client("admin").operations.mark_payout_paid(payout_id)


def _pending_payout(mock: MockServer) -> str:
    session = mock.client().checkout_sessions.create(**CHECKOUT)
    mock.client().request(
        "POST", f"/sandbox/checkout-sessions/{session.session_id}/confirm", json={}
    )
    run = mock.client("admin").operations.run_payouts(threshold="1", currency="JPY")
    return run.items[0].id


def test_a_hand_made_model_is_written_as_the_mock_writes(settled: MockServer) -> None:
    """Without a source the wire form is the same but for nulls."""
    [event] = settled.client("provider").provider_statements.usage_events(limit=1).items
    received = {name: value for name, value in event.to_dict().items() if value is not None}
    assert attrs.evolve(event).to_dict() == received
