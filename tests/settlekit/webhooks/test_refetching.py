"""The present behind an event, read from the platform with both clients."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from settlekit import InvalidArgument, webhooks
from settlekit.webhooks.classification import interpret
from settlekit.webhooks.events import read_event
from settlekit_mock import MockServer
from tests.settlekit.webhooks.deliveries import SPENT, STANDARD, USAGE, body_of


def refetched(mock, asynchronous, told, **options):
    """Ask by one of the two clients."""
    if not asynchronous:
        with mock.client("merchant") as client:
            return webhooks.refetch(client, told, **options)

    async def ask():
        async with mock.async_client("merchant") as client:
            return await webhooks.refetch(client, told, **options)

    return asyncio.run(ask())


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request):
    return request.param


@pytest.fixture
def mock():
    with MockServer() as made:
        yield made


def test_a_settled_batch_is_read_from_the_statements(mock, asynchronous):
    """What an event says of its batch can be held against the batch itself."""
    inbox = mock.webhooks.collect()
    mock.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
    told = webhooks.classify(inbox.wait_for(kind="metered_batch_settled"))
    batch = refetched(mock, asynchronous, told)
    assert (batch.settlement_batch_id, batch.status) == (told.settlement_batch_id, "settled")
    assert batch.chain_receipt_id == told.chain_receipt_id
    assert batch.usage_event_digest == told.usage_event_digest


def test_a_batch_that_is_not_settled_yet_is_seen(mock, asynchronous):
    """An event that runs ahead of the books, or lies, isn't believed."""
    mock.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
    mock.clock.advance(until="period.closed")
    with mock.client("merchant") as client:
        (open_batch,) = client.provider_statements.settlement_batches()
    event = json.loads(body_of({**STANDARD, "settlement_batch_id": open_batch.settlement_batch_id}))
    event["data"] |= {
        "mode": "metered_settlement_batch",
        "pricing_band": "micro",
        "settlement_cadence": "weekly",
        "finality": "aggregated_onchain_settlement",
        "usage_event_digest": open_batch.usage_event_digest,
    }
    told = interpret(read_event(json.dumps(event)))
    assert isinstance(told, webhooks.MeteredBatchSettled)
    assert refetched(mock, asynchronous, told).status == "ready"


@pytest.mark.parametrize("data", [STANDARD, USAGE], ids=["standard", "usage"])
def test_a_payment_is_read_by_its_orders_session(mock, asynchronous, data):
    """A payment's event leads to an order, and the order's session says how it stands now."""
    with mock.client("merchant") as client:
        session = client.checkout_sessions.create(
            merchant="sandbox_merchant",
            amount_minor=1200,
            currency="JPY",
            success_url="http://localhost:3000/ok",
            cancel_url="http://localhost:3000/no",
        )
    told = interpret(read_event(body_of(data)))
    found = refetched(mock, asynchronous, told, session_id=session.session_id)
    assert (found.session_id, found.status) == (session.session_id, "open")


@pytest.mark.parametrize(
    ("data", "event_type", "kind"),
    [
        (STANDARD, "direct_payment.confirmed", "standard_settled"),
        (SPENT, "direct_payment.spent", "spent"),
        ({}, "direct_payment.confirmed", "unknown"),
    ],
)
def test_without_a_session_nothing_is_asked(data, event_type, kind):
    """The error names what is missing, before a request leaves."""
    told = interpret(read_event(body_of(data, event_type=event_type)))
    nobody = SimpleNamespace()
    with pytest.raises(InvalidArgument, match=f"is needed for {kind}: the order has it") as caught:
        webhooks.refetch(nobody, told)
    assert caught.value.field == "session_id"
