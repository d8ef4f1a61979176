"""The shop books money by signed webhooks alone, each event once."""

import json
import time
from typing import Any

import pytest

from examples.flask_shop import store as store_module
from settlekit import challenge, webhooks


def test_catalogue_leads_to_a_form_to_buy(shop):
    """Each product has a page with its price and a form that brings its own order number."""
    assert "/products/piano-album" in shop.page("/")
    page = shop.page("/products/piano-album")
    assert "Buy for ¥2,400" in page
    assert page.count('name="order_id"') == 1
    assert shop.page("/products/piano-album") != page


@pytest.mark.parametrize(
    "path", ["/nowhere", "/products/none", "/success?session_id=none", "/cancel?order_id=none"]
)
def test_page_that_is_not_there_leads_back(shop, path):
    """A person who comes to a page that isn't there reads so in plain words, with a way on."""
    page = shop.browser.get(path)
    assert page.status_code == 404
    assert "We don&#39;t have that" in page.text
    assert '<a href="/">Go to the catalogue</a>' in page.text
    assert "URL" not in page.text


def test_success_page_books_nothing(shop):
    """Whoever opens the success page without having paid has an order that is still open."""
    session_id = shop.buy("piano-album")
    assert "waiting for the payment" in shop.page(f"/success?session_id={session_id}")
    assert shop.order().status == "open"


def test_cancel_page_books_nothing(shop):
    """Whoever comes back by the cancel address is told that nothing was charged."""
    shop.buy("piano-album")
    assert "Nothing was charged" in shop.page("/cancel?order_id=order-1")
    assert shop.order().status == "open"


def test_standard_payment_is_booked_by_its_webhook(shop):
    """A confirmed standard payment makes the order paid, with the receipt of the platform."""
    session_id = shop.buy("piano-album")
    shop.sandbox(session_id, "confirm")
    with shop.mock.client("merchant") as client:
        session = client.checkout_sessions.get(session_id)
    assert (shop.order().status, shop.order().chain_receipt_id) == (
        "paid",
        session.chain_receipt_id,
    )
    assert "on its way" in shop.page(f"/success?session_id={session_id}")


def test_metered_payment_is_accepted_and_settles_later(shop):
    """A micro payment delivers the order, and the shop knows that its money comes later."""
    session_id = shop.buy("page-scan")
    shop.sandbox(session_id, "confirm")
    assert shop.order().status == "accepted"
    assert shop.order().metered_usage_id.startswith("mu_")
    assert "next bill" in shop.page(f"/success?session_id={session_id}")


def test_settled_batch_is_noted(shop):
    """The webhook of a settled batch is kept with its digest, which the statements repeat."""
    shop.sandbox(shop.buy("page-scan"), "confirm")
    shop.mock.clock.advance(days=11)
    with shop.mock.client("provider") as client:
        (batch,) = client.provider_statements.settlement_batches().items
    noted = shop.store.read("select * from settled_batches")
    assert noted == [(batch.settlement_batch_id, batch.chain_receipt_id, batch.usage_event_digest)]


def test_event_delivered_again_changes_nothing(shop):
    """A repeated delivery of the same event is received and has no effect."""
    session_id = shop.buy("piano-album")
    shop.sandbox(session_id, "confirm")
    before = shop.order()
    assert shop.sandbox(session_id, "redeliver") == 200
    assert shop.order() == before
    assert shop.store.read("select deliveries from events") == [(2,)]


def test_event_that_could_not_be_taken_is_taken_when_it_comes_again(shop, monkeypatch):
    """An event that fails halfway leaves no trace, so that the next delivery takes effect."""
    session_id = shop.buy("piano-album")
    effect = store_module._effect

    def crash(*given: Any) -> str:
        effect(*given)
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_effect", crash)
        shop.sandbox(session_id, "confirm")
    assert shop.order().status == "open"
    shop.mock.clock.advance(minutes=1)
    assert shop.order().status == "paid"


def paid_event(shop, order_id: str) -> bytes:
    """Make the event that would pay an open order, out of one that paid another."""
    shop.sandbox(shop.buy("piano-album", "another"), "confirm")
    event = json.loads(shop.delivered[-1][1])
    shop.buy("piano-album", order_id)
    event["id"] = f"evt_{order_id}"
    event["data"]["challenge_hash"] = shop.order(order_id).challenge_hash
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("secret", "age_seconds", "tail", "status"),
    [
        (None, 0, b"", "paid"),
        ("whsec_other", 0, b"", "open"),
        (None, 400, b"", "open"),
        (None, -400, b"", "open"),
        (None, 0, b" ", "open"),
    ],
    ids=["proven", "other secret", "too old", "from the future", "changed body"],
)
def test_webhook_pays_an_order_only_when_it_is_proven(shop, secret, age_seconds, tail, status):
    """A webhook of another sender, another time or with another body is 400 and pays nothing."""
    body = paid_event(shop, "order-1")
    timestamp = int(time.time()) - age_seconds
    header = webhooks.sign(body, secret or shop.webhook_secret, timestamp=timestamp)
    answer = shop.post_webhook(body + tail, {webhooks.SIGNATURE_HEADER: header})
    assert (answer, shop.order().status) == (204 if status == "paid" else 400, status)


def test_webhook_without_signature_is_refused(shop):
    """A webhook without a signature is 400, whatever it says."""
    assert shop.post_webhook(b'{"id": "evt_1"}', {}) == 400
    assert shop.store.read("select * from events") == []


def test_event_of_another_amount_moves_no_order(shop):
    """An event whose amount isn't the order's is kept, and the order stays open."""
    shop.sandbox(shop.buy("piano-album"), "confirm")
    event = json.loads(shop.delivered[0][1])
    shop.buy("drum-loops", "order-2")
    event["id"] = "evt_other"
    event["data"]["challenge_hash"] = shop.order("order-2").challenge_hash
    assert post_signed(shop, event) == 204
    assert shop.order("order-2").status == "open"
    effects = shop.store.read("select effect from events where event_id = 'evt_other'")
    assert effects == [("nothing: no open order fits",)]


def test_readiness_probe_is_skipped(shop):
    """A probe that only tests the endpoint is received and kept nowhere."""
    shop.sandbox(shop.buy("piano-album"), "confirm")
    event = json.loads(shop.delivered[0][1])
    probe = {**event, "id": "evt_probe", "data": {**event["data"], "readiness_probe": True}}
    assert post_signed(shop, probe) == 204
    assert shop.store.read("select * from events where event_id = 'evt_probe'") == []


def post_signed(shop, event: dict[str, object]) -> int:
    body = json.dumps(event).encode()
    header = webhooks.sign(body, shop.webhook_secret, timestamp=int(time.time()))
    return int(shop.post_webhook(body, {webhooks.SIGNATURE_HEADER: header}))


def test_form_sent_twice_is_one_order(shop):
    """The same form sent twice leads to the same checkout."""
    assert shop.buy("piano-album") == shop.buy("piano-album")
    assert len(shop.store.orders()) == 1


def test_order_number_of_another_product_is_refused(shop):
    """An order number can't be used again for something else."""
    shop.buy("piano-album")
    again = shop.browser.post("/checkout", data={"product_id": "drum-loops", "order_id": "order-1"})
    assert again.status_code == 409
    assert shop.order().product_id == "piano-album"


@pytest.mark.parametrize("order_id", ["", "with:colon", "x" * 101], ids=["none", "colon", "long"])
def test_order_number_that_is_no_nonce_is_refused(shop, order_id):
    """An order number that the platform wouldn't take is 400."""
    form = {"product_id": "piano-album", "order_id": order_id}
    assert shop.browser.post("/checkout", data=form).status_code == 400


def test_shop_says_so_when_there_is_no_checkout(shop):
    """While the platform offers no checkout, buyers are told that nothing was charged."""
    with shop.mock.client("merchant") as client:
        client.request(
            "PATCH", "/../_mock/merchants/sandbox_merchant", json={"hosted_checkout": "off"}
        )
    answer = shop.browser.post("/checkout", data={"product_id": "piano-album", "order_id": "o"})
    assert answer.status_code == 503
    assert "Nothing was charged" in answer.get_data(as_text=True)


def test_agent_is_asked_to_pay_and_served_once_it_has(shop):
    """A use of the API costs a signed challenge; the goods come once it is accepted."""
    asked = shop.browser.get("/api/products/melody-look-up")
    terms = asked.get_json()
    assert asked.status_code == 402
    use = f"/api/products/melody-look-up?order_id={terms['order_id']}"
    assert shop.browser.get(use).get_json()["challenge"] == terms["challenge"]
    data = accepted(terms, challenge.challenge_hash(terms["challenge"]))
    with shop.mock.client("merchant") as client:
        body = {"event_type": "direct_payment.confirmed", "data": data}
        client.request("POST", "/market/webhooks/test-deliveries", json=body)
    served = shop.browser.get(use)
    assert (served.status_code, served.get_json()["product"]) == (200, "Melody look-up")


def accepted(terms: dict[str, object], challenge_hash: str) -> dict[str, object]:
    return {
        "amount_minor": terms["amount_minor"],
        "currency": terms["currency"],
        "challenge_hash": challenge_hash,
        "pricing_band": "nano",
        "settlement_cadence": "monthly",
        "finality": "aggregated_onchain_settlement",
        "settlement_status": "pending_settlement",
    }


def test_agent_can_not_pay_for_one_thing_and_take_another(shop):
    """An order number of one product doesn't open another."""
    first = shop.browser.get("/api/products/melody-look-up").get_json()["order_id"]
    assert shop.browser.get(f"/api/products/page-scan?order_id={first}").status_code == 400


def test_challenge_of_the_api_is_the_merchants(shop):
    """The platform can verify the challenge that the shop signs, for these terms alone."""
    terms = shop.browser.get("/api/products/page-scan").get_json()
    with shop.mock.client("merchant") as client:
        path = "/sdrp/direct-payments/merchants/sandbox_merchant/challenge-secret/rotate"
        other = client.request("POST", path).data["challenge_secret"]
    fields = {name: terms[name] for name in ("merchant", "amount_minor", "currency")}
    assert not challenge.verify(terms["challenge"], secret=other, **fields)
    assert terms["challenge"].startswith(f"siglume-external-402-v1:{terms['order_id']}:")
