"""The open periods, as their parties see them."""

from settlekit_mock import MockServer
from tests.settlekit_mock.console.conftest import Eventful
from tests.settlekit_mock.console.test_batches import provider_of, without
from tests.settlekit_mock.control.conftest import SHOP

OWN = {"period_id", "buyer", "provider", "usage_count"}


def test_open_periods_are_those_of_the_summaries(eventful: Eventful) -> None:
    """The periods are what the provider's summary has, the one that closes first coming first."""
    for currency, amount_minor in (("USD", 20), ("JPY", 3), ("JPY", 100)):
        eventful.mock.usage("b1", merchant=SHOP, amount_minor=amount_minor, currency=currency)
    found = eventful.get("periods")["items"]
    (provider,) = {item["provider"] for item in found}
    summary = provider_of(eventful.mock, provider).summary()
    assert [without(item, *OWN) for item in found] == summary["open_periods"]
    assert [item["close_at"] for item in found] == sorted(item["close_at"] for item in found)
    assert len({item["period_id"] for item in found}) == len(found) > 1


def test_a_period_leaves_when_it_closes(mock: MockServer) -> None:
    """What has closed is a batch, of the same period, parties and payments."""
    mock.buyers.create(buyer_id="b1")
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY", count=3)
    mock.usage("b1", merchant=SHOP, amount_minor=3, currency="USD", count=2)
    assert [period.usage_count for period in mock.periods(currency="JPY")] == [3]
    assert {period.buyer for period in mock.periods(buyer="b1", merchant=SHOP)} == {"b1"}
    assert mock.periods(buyer="sandbox_buyer") == []
    (first, second) = mock.periods()
    assert mock.periods(limit=1) == [first]
    mock.clock.advance(to=first.close_at)
    assert mock.periods() == [second]
    (batch,) = mock.batches.all()
    assert (batch.buyer, batch.provider) == (first.buyer, first.provider)
    assert batch.usage_count == first.usage_count
