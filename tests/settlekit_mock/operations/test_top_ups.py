"""Credits bought by card are credited once, when the processor's own signature says so."""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import stripe

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.ledger.service import Account
from settlekit_mock.operations import top_up_routes
from settlekit_mock.operations.routes import ROUTES
from tests.settlekit_mock.conftest import MakeWorld
from tests.settlekit_mock.operations.conftest import (
    SECRET,
    Operator,
    answered,
    held,
    reasons,
    rows_of,
    sound,
)

SESSIONS = "/v1/user/stripe/checkout-sessions"
WEBHOOK = "/v1/stripe/webhook"
KEY = "whsec_of_the_card_processor"
URLS = {"success_url": "https://shop.example/done", "cancel_url": "http://localhost:3000/no"}


@pytest.fixture
def world(make_world: MakeWorld) -> Iterator[World]:
    """A world whose server knows the processor's secret."""
    found = make_world("sqlite://")
    found.settings = Settings(freeze_at=found.settings.freeze_at, stripe_webhook_secret=KEY)
    yield found
    assert sound(found)


def begin(buyer: Operator, amount_usd: str = "5") -> Any:
    return buyer.make(SESSIONS, amount_usd=amount_usd, **URLS)


def body_of(session_id: str, event_id: str = "evt_1", **changes: Any) -> str:
    session = {"id": session_id, "currency": "usd", "amount_total": 500, **changes}
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": "checkout.session.completed",
            "livemode": False,
            "data": {"object": {"object": "checkout.session", "payment_status": "paid", **session}},
        },
        indent=2,
    )


def signed(body: str, key: str = KEY, at: float | None = None) -> str:
    """Sign a body as the processor's own library says."""
    moment = int(time.time() if at is None else at)
    signature = stripe.WebhookSignature._compute_signature(f"{moment}.{body}", key)
    return f"t={moment},v1={signature}"


def send(operator: Operator, body: str, header: str | None) -> Any:
    headers = {} if header is None else {"stripe-signature": header}
    return operator.call("POST", WEBHOOK, data=body, headers=headers)


def told(operator: Operator, body: str) -> Any:
    return answered(send(operator, body, signed(body)))


def refused(operator: Operator, body: str, header: str | None) -> tuple[int, str]:
    headers = {} if header is None else {"stripe-signature": header}
    return operator.refused("POST", WEBHOOK, data=body, headers=headers)[:2]


def test_a_buyer_begins_a_top_up(buyer: Operator, world: World, customer: Account) -> None:
    """A session is opened for the buyer's own wallet, and nothing is credited yet."""
    begun = begin(buyer, "12.30")
    assert begun == {
        "checkout_session_id": begun["checkout_session_id"],
        "checkout_url": f"https://checkout.stripe.example/c/pay/{begun['checkout_session_id']}",
        "wallet_id": customer.account_id,
        "amount_usd": "12.30000000",
        "status": "pending",
    }
    assert begun["checkout_session_id"].startswith("cs_test_")
    assert held(world, customer) == 10 * MAJOR


def test_a_paid_session_is_credited(buyer: Operator, world: World, customer: Account) -> None:
    """The processor's event credits the wallet, counts as a payment, and is journalled."""
    begun = begin(buyer)
    session_id = begun["checkout_session_id"]
    answer = told(buyer, body_of(session_id))
    assert answer == {
        "received": True,
        "topup": {
            "id": answer["topup"]["id"],
            "wallet_id": customer.account_id,
            "provider": "stripe",
            "provider_checkout_session_id": session_id,
            "provider_event_id": "evt_1",
            "amount_usd": "5.00000000",
            "checkout_url": begun["checkout_url"],
            "status": "credited",
            "credited_wallet_balance_usd": "15.00000000",
        },
    }
    assert reasons(world)[-1] == "stripe_checkout_topup"
    billing = answered(buyer.call("GET", "/admin/billing/buyer_1", headers=SECRET))
    assert (billing["credit_balance_cents"], billing["lifetime_paid_cents"]) == (1500, 500)
    assert [event["external_ref"] for event in billing["payment_events"]] == [session_id]
    with world.snapshot() as connection:
        (entry,) = entries(connection, kind="topup.credited")
    assert entry.subject == answer["topup"]["id"]


@pytest.mark.parametrize("event_id", ["evt_1", "evt_2"])
def test_a_top_up_is_credited_once(
    buyer: Operator, world: World, customer: Account, event_id: str
) -> None:
    """The same event again, or another event of the session, answers the top-up and moves nothing."""
    session_id = begin(buyer)["checkout_session_id"]
    first = told(buyer, body_of(session_id))["topup"]
    before = rows_of(world)
    again = told(buyer, body_of(session_id, event_id))
    first.pop("credited_wallet_balance_usd")
    assert again == {"received": True, "topup": first}
    assert rows_of(world) == before
    assert held(world, customer) == 15 * MAJOR


def test_an_event_credits_one_session(buyer: Operator, world: World, customer: Account) -> None:
    """An event that credited one session credits no other."""
    first, second = (begin(buyer)["checkout_session_id"] for _ in range(2))
    told(buyer, body_of(first))
    before = rows_of(world)
    answer = told(buyer, body_of(second))["topup"]
    assert answer["provider_checkout_session_id"] == first
    assert rows_of(world) == before
    assert told(buyer, body_of(second, "evt_2"))["topup"]["credited_wallet_balance_usd"] == (
        "20.00000000"
    )
    assert held(world, customer) == 20 * MAJOR


@pytest.mark.parametrize(
    "changes",
    [{"payment_status": "unpaid"}, {"payment_status": "no_payment_required"}],
    ids=str,
)
def test_what_isnt_paid_is_ignored(
    buyer: Operator, world: World, customer: Account, changes: dict[str, str]
) -> None:
    """A session that is completed but not paid credits nothing."""
    body = body_of(begin(buyer)["checkout_session_id"], **changes)
    before = rows_of(world)
    assert told(buyer, body) == {"received": True, "ignored": True}
    assert rows_of(world) == before


def test_other_events_are_ignored(buyer: Operator, world: World, customer: Account) -> None:
    """Events of other types are received, and nothing more."""
    before = rows_of(world)
    body = json.dumps({"id": "evt_9", "type": "invoice.paid", "data": {"object": {}}})
    assert told(buyer, body) == {"received": True, "ignored": True}
    assert rows_of(world) == before


def test_an_unknown_session_is_not_found(buyer: Operator, world: World, customer: Account) -> None:
    """A session that nobody opened here is 404, in these words."""
    begin(buyer)
    body = body_of("cs_test_replay")
    found = buyer.refused("POST", WEBHOOK, data=body, headers={"stripe-signature": signed(body)})
    assert found == (404, "invalid_request", "Stripe checkout top-up was not found")


@pytest.mark.parametrize(
    "changes", [{"amount_total": 499}, {"amount_total": 501}, {"currency": "eur"}], ids=str
)
def test_another_amount_is_refused(
    buyer: Operator, world: World, customer: Account, changes: dict[str, Any]
) -> None:
    """An event must say what the session asked for, to the cent, in dollars."""
    body = body_of(begin(buyer)["checkout_session_id"], **changes)
    before = rows_of(world)
    assert refused(buyer, body, signed(body)) == (400, "invalid_request")
    assert rows_of(world) == before


def test_the_processors_own_library_takes_the_signatures(buyer: Operator) -> None:
    """What these tests send is what the processor's library verifies."""
    body = body_of("cs_1")
    event = stripe.Webhook.construct_event(body, signed(body), KEY)
    assert event["data"]["object"]["id"] == "cs_1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_signature_of_just_now_holds(
    buyer: Operator, customer: Account, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature's time may differ from the machine's by five minutes, either way."""
    body = body_of(begin(buyer)["checkout_session_id"])
    now = int(time.time())
    monkeypatch.setattr(top_up_routes, "time", SimpleNamespace(time=lambda: now))
    header = signed(body, at=now + seconds)
    assert answered(send(buyer, body, header))["topup"]["status"] == "credited"


def test_one_of_several_signatures_is_enough(buyer: Operator, customer: Account) -> None:
    """While the processor rotates its secret it sends two signatures: either may match."""
    body = body_of(begin(buyer)["checkout_session_id"])
    header = signed(body)
    other = signed(body, "whsec_other").partition(",")[2]
    both = header.replace(",", f",{other},") + ",v0=" + "0" * 64
    assert answered(send(buyer, body, both))["topup"]["status"] == "credited"


def wrong_headers(body: str) -> dict[str, str | None]:
    moment, _, signature = signed(body).partition(",")
    return {
        "none": None,
        "empty": "",
        "stale": signed(body, at=time.time() - 302),
        "early": signed(body, at=time.time() + 302),
        "forged": signed(body, "whsec_of_somebody_else"),
        "of another body": signed(body + " "),
        "of another time": f"t={int(time.time()) - 5},{signature}",
        "without a time": signature,
        "without a signature": moment,
        "twice timed": f"{moment},{moment},{signature}",
        "old scheme": f"{moment},{signature.replace('v1', 'v0')}",
        "words": "t=now,v1=yes",
        "latin": "t=1,v1=é",
    }


@pytest.mark.parametrize("wrong", list(wrong_headers("")))
def test_a_signature_that_doesnt_hold_is_refused(
    buyer: Operator, world: World, customer: Account, wrong: str
) -> None:
    """Missing, stale, forged and garbled signatures are 400, and nothing is credited."""
    body = body_of(begin(buyer)["checkout_session_id"])
    before = rows_of(world)
    assert refused(buyer, body, wrong_headers(body)[wrong]) == (400, "invalid_request")
    assert rows_of(world) == before


def test_a_refusal_never_tells_the_secret(buyer: Operator) -> None:
    """Whatever is wrong with a signature, the answer holds neither secret nor the right one."""
    body = body_of("cs_1")
    right = signed(body).rpartition("=")[2]
    for header in wrong_headers(body).values():
        answer = send(buyer, body, header).text
        assert KEY not in answer
        assert right not in answer


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", '{"type": NaN}', '{"type": "x", "type": "y"}', '{"type": "\\ud800"}'],
)
def test_a_signed_body_that_is_no_event_is_refused(
    buyer: Operator, world: World, body: str
) -> None:
    """A signature doesn't make an event of what isn't one."""
    before = rows_of(world)
    assert refused(buyer, body, signed(body)) == (400, "invalid_request")
    assert rows_of(world) == before


def test_without_a_secret_nothing_is_checked(
    buyer: Operator, world: World, customer: Account
) -> None:
    """A server that knows no secret takes any event, as for a first trial."""
    world.settings = Settings()
    body = body_of(begin(buyer)["checkout_session_id"])
    assert answered(send(buyer, body, None))["topup"]["status"] == "credited"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_usd": "0.001"},
        {"amount_usd": "1.00000001"},
        {"amount_usd": "0"},
        {"amount_usd": "-1"},
        {"amount_usd": "1e2"},
        {"amount_usd": "NaN"},
        {"amount_usd": "５"},
        {"amount_usd": 5},
        {"amount_usd": 5.0},
        {"amount_usd": True},
        {"amount_usd": None},
        {"success_url": "/done"},
        {"success_url": "ftp://shop.example/"},
        {"success_url": "http://shop.example/"},
        {"cancel_url": "https://me:secret@shop.example/"},
        {"cancel_url": "javascript:alert(1)"},
        {"wallet_id": "wal_1"},
    ],
    ids=str,
)
def test_a_top_up_that_is_none_is_refused(
    buyer: Operator, world: World, customer: Account, changes: dict[str, object]
) -> None:
    """Amounts that aren't positive whole cents, and addresses that aren't safe, are 400."""
    before = rows_of(world)
    body = {"amount_usd": "5", **URLS, **changes}
    assert buyer.refused("POST", SESSIONS, json=body)[:2] == (400, "invalid_request")
    assert rows_of(world) == before


def test_an_operator_buys_nothing(operator: Operator) -> None:
    """A top-up is the buyer's own: an operator's token doesn't open the route."""
    body = {"amount_usd": "5", **URLS}
    assert operator.refused("POST", SESSIONS, json=body)[:2] == (403, "forbidden")
    assert [route.path for route in ROUTES if route.role == "anyone"] == [WEBHOOK]
