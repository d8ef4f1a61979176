"""Text, order, nothing, and the largest numbers mean the same on both databases."""

from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from tests.settlekit_mock.settlement.conftest import PROVIDER, SHOP, Buyer, Provider, Shop

pytestmark = pytest.mark.both_databases

ALIKE = ["sku_1", "SKU_1", "sku%1", "sku-1", "sku_1 ", "škü_1", "s\u030cku\u0308_1", "sku_1\t"]
"""What another collation, or a pattern, would take for the same."""
HOSTILE = "%s %(x)s ? :name {0} \\ \\' \" '; -- \u2028 納品 🎌 \x7f\t\r\n\\u0000"
META: dict[str, Any] = {
    "none": None,
    "empty": "",
    "zero": 0,
    "false": False,
    "deep": [{"text": HOSTILE}, [], {}],
    "most": 2**53,
    "least": -0.25,
}
PAGES = {"success_url": "http://localhost:3000/ok", "cancel_url": "http://localhost:3000/no"}


def test_a_filter_knows_every_character(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """No listing is taken for another that differs by case, accent, blank or a pattern's sign."""
    for listing_id in ALIKE:
        shop.sell(listing_id=listing_id)
    found = {
        one: [event["listing_id"] for event in provider.usage(listing_id=one)] for one in ALIKE
    }
    assert found == {one: [one] for one in ALIKE}
    assert provider.usage(listing_id="sku_") == []


def test_a_buyer_is_found_by_its_own_id_alone(mock: MockServer, shop: Shop) -> None:
    """Ids that differ by case are two buyers, and a pattern is nobody."""
    for buyer_id in ("bob", "Bob"):
        shop.buyer(buyer_id)
    shop.sell(buyer="Bob")
    reserved = [mock.buyers.get(buyer_id).reserved.JPYC for buyer_id in ("bob", "Bob")]
    assert reserved == ["0", "100"]
    with pytest.raises(ControlError, match="BUYER_NOT_FOUND"):
        mock.buyers.get("b_b")


def test_text_comes_back_as_it_was_sent(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Signs that SQL, a driver or CSV would read otherwise are answered as they came."""
    shop.sell(listing_id=HOSTILE, capability_key=HOSTILE)
    shop.settle()
    (event,) = provider.usage(capability_key=HOSTILE)
    (row,) = provider.rows(provider.batch()["settlement_batch_id"], listing_id=HOSTILE)
    assert (event["listing_id"], event["capability_key"]) == (HOSTILE, HOSTILE)
    assert (row["listing_id"], row["capability_key"]) == (HOSTILE, HOSTILE)


def test_metadata_comes_back_as_it_was_sent(mock: MockServer) -> None:
    """Nulls, empty texts, zeros and nests of them are answered as they came."""
    client = mock.client("merchant")
    asked = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY", "nonce": "n", **PAGES}
    made = client.checkout_sessions.create(**asked, metadata=META)
    assert client.checkout_sessions.get(made.session_id).metadata_jsonb == META


def test_what_came_at_one_instant_is_listed_backwards(
    mock: MockServer, shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Rows of one instant are told newest first, by pages as in one, and none twice."""
    for number in range(12):
        shop.sell(5 + number, 2)
    accepted = [entry.subject for entry in mock.events(kind="payment.accepted")]
    for limit in (100, 5):
        told = [event["metered_usage_id"] for event in provider.usage(limit=limit)]
        assert told == accepted[::-1]


def test_a_sum_is_told_to_the_last_unit(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Many small fees add up to what they are, narrowed or not, and not to a float of it."""
    shop.sell(7, 999, currency="USD", listing_id="one")
    shop.sell(11, 1, currency="USD", listing_id="two")
    summary = provider.summary(token_symbol="USDC")
    (period,) = summary["open_periods"]
    (one,) = provider.summary(token_symbol="USDC", listing_id="one")["open_periods"]
    assert period["provider_gross_amount_minor"] == "7004"
    assert one["provider_gross_amount_minor"] == "6993"


def test_a_cursor_of_another_list_is_refused(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """A mark that isn't this list's is a refusal on both, and no error of the database."""
    shop.sell(5, 3)
    cursor = provider.read(f"{PROVIDER}/usage-events", limit=1)["next_cursor"]
    status, _ = provider.refused(f"{PROVIDER}/settlement-batches", cursor=cursor)
    assert status == 422
