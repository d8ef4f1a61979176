"""What every shop does: pages, checkout, webhooks, uses, revenue; the same in each framework."""

import json
import time

import pytest

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
    assert "We don&#" in page.text
    assert '<a href="/">Go to the catalogue</a>' in page.text


def test_success_and_cancel_pages_book_nothing(shop):
    """Whoever comes back without having paid has an order that is still open."""
    session_id = shop.buy("piano-album")
    assert "waiting for the payment" in shop.page(f"/success?session_id={session_id}")
    assert "Nothing was charged" in shop.page("/cancel?order_id=order-1")
    assert shop.status() == "open"


def test_standard_payment_is_booked_by_its_webhook(shop):
    """A confirmed standard payment makes the order paid, with the receipt of the platform."""
    session_id = shop.buy("piano-album")
    shop.sandbox(session_id, "confirm")
    with shop.mock.client("merchant") as client:
        receipt = client.checkout_sessions.get(session_id).chain_receipt_id
    assert (shop.status(), shop.order()["chain_receipt_id"]) == ("paid", receipt)
    assert "on its way" in shop.page(f"/success?session_id={session_id}")


def test_metered_payment_is_accepted_and_settles_later(shop):
    """A micro payment delivers the order; its batch is noted, and its money is in the statements."""
    session_id = shop.buy("page-scan")
    shop.sandbox(session_id, "confirm")
    assert shop.status() == "accepted"
    assert shop.order()["metered_usage_id"].startswith("mu_")
    assert "next bill" in shop.page(f"/success?session_id={session_id}")
    shop.mock.clock.advance(days=11)
    with shop.mock.client("provider") as client:
        (batch,) = client.provider_statements.settlement_batches().items
    (noted,) = shop.rows("settled_batches")
    assert (noted["settlement_batch_id"], noted["chain_receipt_id"]) == (
        batch.settlement_batch_id,
        batch.chain_receipt_id,
    )


def test_revenue_page_keeps_apart_what_is_settled_and_what_is_not(shop):
    """Settled, unsettled, past-due and terminal revenue stand apart, from the statements."""
    shop.sandbox(shop.buy("page-scan"), "confirm")
    shop.mock.clock.advance(days=11)
    shop.sandbox(shop.buy("melody-look-up", "order-2"), "confirm")
    page = shop.page("/revenue")
    shown = [page.split(f"<dt>{name}</dt><dd>")[1].split("<")[0] for name in BUCKETS]
    assert shown == ["¥78", "¥4.8", "¥0", "¥0"]
    assert "settled</span>" in page


def test_revenue_page_shows_what_is_past_due_and_what_will_not_come(shop):
    """A buyer who can't pay makes revenue past due; written off, it is terminal."""
    shop.sandbox(shop.buy("page-scan"), "confirm")
    shop.mock.buyers.update("sandbox_buyer", balances={"JPYC": "0"})
    shop.mock.clock.advance(days=18)
    page = shop.page("/revenue")
    shown = [page.split(f"<dt>{name}</dt><dd>")[1].split("<")[0] for name in BUCKETS]
    assert shown == ["¥0", "¥0", "¥78", "¥0"]


BUCKETS = ("Settled", "Not settled yet", "Past due", "Will not come")


def test_event_delivered_again_changes_nothing(shop):
    """A repeated delivery of the same event is received and has no effect."""
    session_id = shop.buy("piano-album")
    shop.sandbox(session_id, "confirm")
    before = shop.order()
    assert shop.sandbox(session_id, "redeliver") == 200
    assert shop.order() == before
    assert len(shop.rows("settlekit_webhook_events")) == 1


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
    body = json.dumps(paid_event(shop, "order-1")).encode()
    timestamp = int(time.time()) - age_seconds
    header = webhooks.sign(body, secret or shop.account.webhook_secret, timestamp=timestamp)
    answer = shop.post_webhook(body + tail, {webhooks.SIGNATURE_HEADER: header})
    expected = (204 if status == "paid" else 400, b"", status)
    assert (answer.status_code, answer.content, shop.status()) == expected


def paid_event(shop, order_id: str, product_id: str = "piano-album") -> dict:
    """Make the event that would pay an open order, out of one that paid another."""
    shop.sandbox(shop.buy("piano-album", "another"), "confirm")
    event = json.loads(shop.delivered[-1][1])
    with shop.mock.client("merchant") as client:
        session = client.checkout_sessions.get(shop.buy(product_id, order_id))
    event["id"] = f"evt_{order_id}"
    event["data"]["challenge_hash"] = session.challenge_hash
    return event


def post_signed(shop, event: dict) -> int:
    body = json.dumps(event).encode()
    header = webhooks.sign(body, shop.account.webhook_secret, timestamp=int(time.time()))
    return int(shop.post_webhook(body, {webhooks.SIGNATURE_HEADER: header}).status_code)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount_minor": 2399}, "the amount isn't the order's"),
        ({"currency": "USD"}, "the amount isn't the order's"),
        ({"challenge_hash": "sha256:none"}, "no order has this challenge"),
    ],
    ids=["amount", "currency", "order"],
)
def test_payment_that_fits_no_order_is_kept_for_review(shop, changed, reason):
    """A payment of another amount or of no order moves nothing, and a person will see it."""
    event = paid_event(shop, "order-2")
    event["data"] |= changed
    assert post_signed(shop, event) == 204
    assert shop.status("order-2") == "open"
    assert shop.reviews() == [("evt_order-2", reason)]


def test_second_payment_of_an_order_is_kept_for_review(shop):
    """A second payment of one order, by another event, is money that a person must look at."""
    event = paid_event(shop, "order-2")
    assert post_signed(shop, event) == 204
    assert post_signed(shop, event | {"id": "evt_second"}) == 204
    assert shop.reviews() == [("evt_second", "the order is paid already")]


def test_event_of_another_merchant_is_kept_for_review(shop):
    """Another merchant's payment doesn't reach the handlers, and isn't dropped."""
    event = paid_event(shop, "order-2")
    event["data"]["merchant"] = "somebody_else"
    assert post_signed(shop, event) == 204
    assert shop.status("order-2") == "open"
    assert shop.reviews() == [("evt_order-2", "merchant_differs")]


def test_readiness_probe_is_skipped(shop):
    """A probe that only tests the endpoint is received and kept nowhere."""
    probe = paid_event(shop, "order-2")
    probe["data"]["readiness_probe"] = True
    assert post_signed(shop, probe) == 204
    assert [row["event_id"] for row in shop.rows("settlekit_webhook_events")] != ["evt_order-2"]
    assert shop.status("order-2") == "open"


def test_button_pressed_twice_is_one_order_and_one_checkout(shop):
    """The same form sent twice leads to the same checkout."""
    assert shop.buy("piano-album") == shop.buy("piano-album")
    assert len(shop.rows("orders")) == len(shop.rows("settlekit_checkout_attempts")) == 1


def test_checkout_that_expired_is_begun_anew_and_both_pay_the_order(shop):
    """After half an hour the button opens another checkout; a late payment of the first counts."""
    first = shop.buy("piano-album")
    hashed = shop.rows("settlekit_checkout_attempts")[0]["challenge_hash"]
    shop.mock.clock.advance(minutes=31)
    second = shop.buy("piano-album")
    assert first != second
    event = paid_event(shop, "order-2")
    event["data"]["challenge_hash"] = hashed
    assert post_signed(shop, event) == 204
    assert shop.status() == "paid"


def test_order_number_of_another_product_is_refused(shop):
    """An order number can't be used again for something else."""
    shop.buy("piano-album")
    assert shop.press_buy("drum-loops").status_code == 409
    assert shop.order()["product_id"] == "piano-album"


@pytest.mark.parametrize("order_id", ["", " ", "x" * 101], ids=["none", "blank", "long"])
def test_order_without_a_number_is_refused(shop, order_id):
    """A form without an order number, or with a strange one, is 400."""
    assert shop.press_buy("piano-album", order_id).status_code == 400
    assert shop.rows("orders") == []


def test_shop_says_so_when_there_is_no_checkout(shop):
    """While the platform offers no checkout, buyers are told that nothing was charged."""
    shop.mock.merchants.update("sandbox_merchant", hosted_checkout="off")
    answer = shop.press_buy("piano-album")
    assert answer.status_code == 503
    assert "Nothing was charged" in answer.text


def test_agent_is_asked_to_pay_and_served_once_it_has(shop):
    """A use costs a signed challenge; an agent that pays it through the platform is served."""
    asked = shop.browser.get("/api/products/melody-look-up")
    terms = asked.json()
    assert asked.status_code == 402
    use = f"/api/products/melody-look-up?order_id={terms['order_id']}"
    assert shop.browser.get(use).json()["challenge"] == terms["challenge"]
    with shop.mock.client("buyer") as agent:
        requirement = agent.payment_requirements.create(
            merchant=terms["merchant"],
            amount_minor=terms["amount_minor"],
            currency=terms["currency"],
            challenge=terms["challenge"],
        )
        agent.payment_requirements.execute(requirement)
    served = shop.browser.get(use)
    assert (served.status_code, served.json()["product"]) == (200, "Melody look-up")
    assert shop.status(terms["order_id"]) == "accepted"


def test_agent_can_not_pay_for_one_thing_and_take_another(shop):
    """An order number of one product doesn't open another."""
    first = shop.browser.get("/api/products/melody-look-up").json()["order_id"]
    assert shop.browser.get(f"/api/products/page-scan?order_id={first}").status_code == 400


@pytest.mark.parametrize("order_id", ["with:colon", "x" * 101], ids=["colon", "long"])
def test_use_whose_number_is_no_nonce_is_refused(shop, order_id):
    """A number that can't be signed is 400, and no order."""
    path = f"/api/products/page-scan?order_id={order_id}"
    assert shop.browser.get(path).status_code == 400
    assert shop.rows("orders") == []


def test_challenge_of_a_use_is_the_merchants(shop):
    """The challenge holds for the merchant's secret, amount and currency."""
    terms = shop.browser.get("/api/products/page-scan").json()
    assert challenge.verify(
        terms["challenge"],
        secret=shop.account.challenge_secret,
        merchant=terms["merchant"],
        amount_minor=80,
        currency="JPY",
    )
