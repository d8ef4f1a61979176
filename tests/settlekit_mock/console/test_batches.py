"""Every batch: as its provider sees it, with its parties and its attempts."""

from typing import Any

import pytest

from settlekit_mock import MockServer
from tests.settlekit_mock.console.conftest import Eventful
from tests.settlekit_mock.control.conftest import SHOP, Control
from tests.settlekit_mock.settlement.conftest import PROVIDER, Provider

OWN = {"buyer", "provider", "noticed_at", "attempts", "usage_count"}


def provider_of(mock: MockServer, provider_id: str) -> Provider:
    return Provider(mock, mock.tokens.create(role="provider", subject=provider_id))


def without(item: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in fields}


def test_a_batch_is_what_its_provider_sees(eventful: Eventful) -> None:
    """The list has what the providers' lists have, in their words, and the parties beside it."""
    found = eventful.walk("batches")
    (provider,) = {item["provider"] for item in found}
    statements = provider_of(eventful.mock, provider).batches()
    assert [without(item, *OWN) for item in found] == statements
    assert {"b1"} < {item["buyer"] for item in found}
    for item in found[:3]:
        assert eventful.get(f"batches/{item['settlement_batch_id']}") == item


def test_a_batch_counts_its_payments(town: Eventful) -> None:
    """``usage_count`` is how many rows its CSV has, and its notice has its time."""
    for item in town.walk("batches"):
        provider = provider_of(town.mock, item["provider"])
        assert item["usage_count"] == len(provider.rows(item["settlement_batch_id"]))
        (noticed,) = town.mock.events(kind="notice.recorded", subject=item["settlement_batch_id"])
        assert item["noticed_at"] == noticed.at


def test_each_attempt_is_told(mock: MockServer, control: Control) -> None:
    """Two debits fail, the third is under way without an outcome, and then succeeds."""
    mock.buyers.create(buyer_id="b1")
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.simulate.debit_failure(times=2)
    told = [entry.at for _ in range(3) for entry in _submitted(mock)]
    (item,) = control.get("batches")[1]["items"]
    assert [one["attempt"] for one in item["attempts"]] == [1, 2, 3]
    assert [one["outcome"] for one in item["attempts"]] == ["failed", "failed", None]
    assert [one["submitted_at"] for one in item["attempts"]] == told
    assert item["attempts"][2]["resolved_at"] is None
    mock.clock.advance(until="batch.settled")
    (item,) = control.get("batches")[1]["items"]
    assert item["attempts"][2]["outcome"] == "succeeded"
    assert item["attempts"][2]["resolved_at"] == item["settled_at"]


def _submitted(mock: MockServer) -> list[Any]:
    return [
        entry
        for entry in mock.clock.advance(until="debit.submitted").events
        if entry.kind == "debit.submitted"
    ]


def test_an_unknown_outcome_is_told(mock: MockServer) -> None:
    """An attempt whose outcome nobody knows says so, until it is resolved."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.simulate.unknown_outcome()
    mock.clock.advance(until="debit.unknown")
    (batch,) = mock.batches.all()
    assert [(one.outcome, one.resolved_at) for one in batch.attempts] == [("unknown", None)]
    mock.batches.resolve(batch.settlement_batch_id, outcome="failed")
    (attempt,) = mock.batches.get(batch.settlement_batch_id).attempts
    assert (attempt.outcome, attempt.resolved_at) == ("failed", mock.clock.read().now)


@pytest.mark.parametrize(
    ("asked", "field"), [("status", "status"), ("buyer", "buyer"), ("currency", "currency")]
)
def test_batches_are_narrowed(town: Eventful, asked: str, field: str) -> None:
    """A filter leaves the batches that are so, in the same order, on pages of any size."""
    whole = town.walk("batches")
    for value in {item[field] for item in whole}:
        wanted = [item for item in whole if item[field] == value]
        assert town.walk("batches", limit=2, **{asked: value}) == wanted != whole


def test_a_merchant_is_its_key_or_its_provider(mock: MockServer) -> None:
    """A key stands for its owner, in whose name all their merchants sell; who sold nothing has none."""
    owner = mock.merchants.get(SHOP).merchant_account.merchant_user_id
    mock.merchants.create("second", merchant_user_id=owner)
    other = mock.merchants.create("other").merchant_account.merchant_user_id
    mock.merchants.create("idle")
    for shop in (SHOP, "second", "other"):
        mock.usage("sandbox_buyer", merchant=shop, amount_minor=100, currency="JPY")
    assert len(mock.periods()) == 2
    assert [one.provider for one in mock.periods(merchant="second")] == [owner]
    mock.clock.advance(days=14)
    both = [one.provider for one in mock.batches.all()]
    assert sorted(both) == sorted([owner, other])
    for name in (SHOP, "second", owner):
        assert [one.provider for one in mock.batches.all(merchant=name)] == [owner]
    assert mock.batches.all(merchant="idle") == []


def test_the_newest_batches_alone(town: Eventful) -> None:
    """A limit of the method's own leaves the newest, however many pages that takes."""
    whole = town.mock.batches.all()
    assert town.mock.batches.all(limit=3) == whole[:3]
    assert town.mock.batches.all(limit=len(whole)) == whole


def test_a_provider_does_not_see_its_buyers(eventful: Eventful) -> None:
    """What control adds to a batch stays with control."""
    (shown, *_) = eventful.walk("batches")
    provider = provider_of(eventful.mock, shown["provider"])
    batch = provider.read(f"{PROVIDER}/settlement-batches/{shown['settlement_batch_id']}")
    assert set(shown) - set(batch) == OWN
