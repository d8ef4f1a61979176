"""What becomes of an open checkout session: paid, told of again, or ended otherwise."""

import pytest

from settlekit.challenge import request_hash_v2
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.kernel.world import World
from settlekit_mock.payments import checkout
from settlekit_mock.settlement.buyers import NewBuyer, change_buyer, create_buyer
from settlekit_mock.settlement.rules.acceptance import Caps
from settlekit_mock.webhooks.sender import Outcome
from tests.settlekit_mock.payments.conftest import (
    NOW,
    ORIGIN,
    SHOP,
    YEN,
    Api,
    Receiver,
    balances,
    challenge_of,
    data,
    form_of,
    journal,
    refused,
)


def test_confirm_pays(api: Api) -> None:
    """A confirmation pays the session and says where its buyer goes."""
    session_id = api.session_id(success_url=f"{ORIGIN}/done?order=7#top")
    answer = data(api.confirm(session_id))
    assert answer["status"] == "paid"
    assert answer["redirect_url"] == f"{ORIGIN}/done?order=7&session_id={session_id}#top"
    assert answer["event"]["type"] == "direct_payment.confirmed"
    paid = api.session(session_id)
    assert (paid["status"], paid["settlement_status"]) == ("paid", "settled")
    assert paid["requirement_id"].startswith("dpr_")
    assert paid["chain_receipt_id"].startswith("chain_")
    assert paid["paid_at"] == paid["authenticated_at"] == "2026-03-02T09:00:00.000Z"


def test_money_moves(api: Api, world: World) -> None:
    """A standard payment debits the buyer its amount, and credits the shop that less the fee."""
    before = balances(world)
    api.confirm(api.session_id(amount_minor=10_000))
    moved = [after - was for after, was in zip(balances(world), before, strict=True)]
    assert moved == [-10_000, 9_820, 180]


def test_minimum_fee(api: Api, world: World) -> None:
    """The fee of a small standard payment is the minimum, 30 yen."""
    before = balances(world)
    api.confirm(api.session_id(amount_minor=501))
    moved = [after - was for after, was in zip(balances(world), before, strict=True)]
    assert moved == [-501, 471, 30]


def test_standard_webhook(api: Api, world: World, receiver: Receiver) -> None:
    """The shop is told of a settled payment before the answer, with every field of its kind."""
    session_id = api.session_id(metadata={"order": 1})
    answer = data(api.confirm(session_id))
    paid = api.session(session_id)
    (event,) = receiver.got
    assert (event["id"], event["type"]) == (answer["event"]["id"], answer["event"]["type"])
    found = event["data"]
    expected = {
        "mode": "external_402",
        "merchant": SHOP,
        "requirement_id": paid["requirement_id"],
        "direct_payment_requirement_id": paid["requirement_id"],
        "checkout_session_id": session_id,
        "challenge_hash": paid["challenge_hash"],
        "request_hash_v2": request_hash_v2(
            merchant=SHOP, amount_minor=1200, currency="JPY", challenge=challenge_of(world)
        ),
        "amount_minor": 1200,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "status": "confirmed",
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "settlement_status": "settled",
        "chain_receipt_id": paid["chain_receipt_id"],
        "metadata_jsonb": {"order": 1},
        "environment": "sandbox",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_no_secret_and_no_buyer_in_a_webhook(api: Api, world: World, receiver: Receiver) -> None:
    """An event tells neither the challenge nor who paid."""
    api.confirm(api.session_id())
    text = repr(receiver.got)
    assert "sandbox_buyer" not in text
    assert challenge_of(world) not in text


def test_spent_follows(api: Api, receiver: Receiver) -> None:
    """Who listens to both events is told that the requirement was confirmed, then spent."""
    api.call("POST", "/v1/market/webhooks/subscriptions", json={"callback_url": f"{ORIGIN}/both"})
    api.confirm(api.session_id())
    told = [(event["type"], event["data"]["status"]) for event in receiver.got]
    assert told == [
        ("direct_payment.confirmed", "confirmed"),
        ("direct_payment.confirmed", "confirmed"),
        ("direct_payment.spent", "spent"),
    ]


@pytest.mark.both_databases
def test_confirm_twice(api: Api, world: World, receiver: Receiver) -> None:
    """A second confirmation answers the same; nothing moves, and nothing is told again."""
    session_id = api.session_id()
    first = data(api.confirm(session_id))
    before = balances(world)
    assert data(api.confirm(session_id, buyer="nobody")) == first
    assert balances(world) == before
    assert len(receiver.got) == 1


def test_micro_accrues(api: Api, world: World, receiver: Receiver) -> None:
    """A micro payment moves no money now: it is accepted usage, and the webhook says so."""
    before = balances(world)
    session_id = api.session_id(amount_minor=100)
    api.confirm(session_id)
    assert balances(world) == before
    paid = api.session(session_id)
    assert (paid["status"], paid["settlement_status"]) == ("paid", "pending_settlement")
    assert (paid["finality"], paid["chain_receipt_id"]) == ("aggregated_onchain_settlement", None)
    found = receiver.got[0]["data"]
    expected = {
        "mode": "external_402",
        "pricing_band": "micro",
        "settlement_cadence": "weekly",
        "finality": "aggregated_onchain_settlement",
        "settlement_status": "pending_settlement",
        "requirement_id": paid["requirement_id"],
        "challenge_hash": paid["challenge_hash"],
        "provider_gross_amount_minor": "100",
        "provider_usage_amount_minor": "100",
        "gross_buyer_debit_minor": "100",
        "buyer_debit_minor": "100",
        "protocol_fee_minor": "2",
        "provider_receivable_minor": "98",
        "rounding_delta_minor": "0",
        "settlement_trigger": "scheduled_close",
        "settlement_threshold_minor": "10000",
        "threshold_reached_at": None,
        "total_unsettled_exposure_minor": "100",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_nano_accrues(api: Api, receiver: Receiver) -> None:
    """A nano payment accrues monthly for a fee of a fifth of a yen."""
    api.confirm(api.session_id(amount_minor=49))
    found = receiver.got[0]["data"]
    assert (found["pricing_band"], found["settlement_cadence"]) == ("nano", "monthly")
    assert (found["protocol_fee_minor"], found["provider_receivable_minor"]) == ("0.2", "48.8")


@pytest.mark.parametrize("amount_minor", [1200, 100])
def test_over_budget(api: Api, world: World, receiver: Receiver, amount_minor: int) -> None:
    """A payment over the buyer's budget is 402; the session stays open and nothing is told."""
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", {"caps": Caps(per_payment_minor=99)})
    session_id = api.session_id(amount_minor=amount_minor)
    before = balances(world)
    assert refused(api.confirm(session_id)) == (402, "BUDGET_EXCEEDED")
    assert api.session(session_id)["status"] == "open"
    assert (balances(world), receiver.got) == (before, [])
    assert journal(world, "payment") == ["payment.refused"]


def test_a_budget_that_fits_later(api: Api, world: World) -> None:
    """A session that was refused can be paid once the budget allows it."""
    session_id = api.session_id()
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", {"balances": {"JPY": 0}})
    assert api.confirm(session_id).status_code == 402
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", {"balances": {"JPY": 1200 * YEN}})
    assert data(api.confirm(session_id))["status"] == "paid"


def test_paused_scope(api: Api, receiver: Receiver) -> None:
    """At the threshold of what is unsettled further metered payments are 409, and stay open."""
    for number in range(20):
        api.confirm(api.session_id(amount_minor=500, nonce=f"n{number}"))
    session_id = api.session_id(amount_minor=500, nonce="last")
    assert refused(api.confirm(session_id)) == (409, "METERED_SETTLEMENT_PAST_DUE")
    assert api.session(session_id)["status"] == "open"
    reached = receiver.got[-1]["data"]
    assert (reached["settlement_trigger"], reached["total_unsettled_exposure_minor"]) == (
        "amount_threshold",
        "10000",
    )
    assert reached["threshold_reached_at"] == "2026-03-02T09:00:00.000Z"


def test_who_pays(api: Api, world: World) -> None:
    """A confirmation can name its buyer; an unknown one is 404 and pays nothing."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="alice"))
    session_id = api.session_id()
    assert refused(api.confirm(session_id, buyer="nobody")) == (404, "BUYER_NOT_FOUND")
    before = balances(world)
    api.confirm(session_id, buyer="alice")
    assert balances(world)[0] == before[0]


def test_confirm_without_v1(api: Api) -> None:
    """The sandbox's helpers answer with and without /v1."""
    path = f"/sandbox/checkout-sessions/{api.session_id()}"
    assert data(api.call("POST", f"{path}/confirm", None))["status"] == "paid"
    assert data(api.call("POST", f"{path}/redeliver", None))["redelivered"] is True


@pytest.mark.parametrize("verb", ["confirm", "redeliver"])
def test_unknown_session(api: Api, verb: str) -> None:
    """The helpers answer 404 for a session that doesn't exist."""
    answer = api.call("POST", f"/v1/sandbox/checkout-sessions/chk_none/{verb}", None)
    assert refused(answer) == (404, "CHECKOUT_SESSION_NOT_FOUND")


# -- delivering again --------------------------------------------------------------------


def test_redeliver(api: Api, receiver: Receiver) -> None:
    """A redelivery sends the same event again and says how it went."""
    session_id = api.session_id()
    event = data(api.confirm(session_id))["event"]
    answer = data(api.redeliver(session_id))
    assert answer == {
        "redelivered": True,
        "event": event,
        "delivery_status": "delivered",
        "response_status": 200,
    }
    assert receiver.got[0] == receiver.got[1]


def test_redeliver_that_fails(api: Api, receiver: Receiver) -> None:
    """A redelivery that doesn't arrive is 502, with the same body."""
    session_id = api.session_id()
    event = data(api.confirm(session_id))["event"]
    receiver.answers = [Outcome(500)]
    assert data(api.redeliver(session_id), 502) == {
        "redelivered": False,
        "event": event,
        "delivery_status": "failed",
        "response_status": 500,
    }


def test_redeliver_before_confirm(api: Api, receiver: Receiver) -> None:
    """What wasn't confirmed can't be told again."""
    answer = api.redeliver(api.session_id())
    assert refused(answer) == (409, "CHECKOUT_SESSION_NOT_CONFIRMED")
    assert receiver.got == []


# -- ending otherwise --------------------------------------------------------------------


@pytest.mark.both_databases
def test_expiry(api: Api, world: World, receiver: Receiver) -> None:
    """After 30 minutes of the clock a session is over: nobody can pay it."""
    session_id = api.session_id()
    world.due.advance(NOW + 30 * MINUTE - 1)
    assert api.session(session_id)["status"] == "open"
    world.due.advance(NOW + 30 * MINUTE)
    assert api.session(session_id)["status"] == "expired"
    assert refused(api.confirm(session_id)) == (409, "CHECKOUT_SESSION_NOT_OPEN")
    assert (receiver.got, journal(world, "checkout")) == (
        [],
        ["checkout.opened", "checkout.expired"],
    )


def test_expiry_waits_for_nobody(api: Api, world: World) -> None:
    """A session is over at its expiry, even before the work that says so was done."""
    session_id = api.session_id()

    def approve_late() -> None:
        with world.transaction() as tx:
            tx.now = NOW + 30 * MINUTE
            checkout.approve(tx, session_id)

    with pytest.raises(Conflict, match="expired"):
        approve_late()


def test_cancelled_twice(api: Api, world: World) -> None:
    """A form that is sent twice leaves the session as the first left it, and leads back."""
    session_id = api.session_id()
    token = form_of(api.page(session_id))["form_token"]
    form = {"form_token": token, "action": "cancel"}
    answers = [api.call("POST", f"/pay/{session_id}", None, data=form) for _ in range(2)]
    assert [(one.status_code, one.location) for one in answers] == [(303, f"{ORIGIN}/cart")] * 2
    assert journal(world, "checkout.cancelled") == ["checkout.cancelled"]


def test_a_paid_session_does_not_expire(api: Api, world: World) -> None:
    """Payment ends the waiting: nothing is due for the session any more."""
    session_id = api.session_id()
    api.confirm(session_id)
    assert world.due.next_due_at() is None
    world.due.advance(NOW + 60 * MINUTE)
    assert api.session(session_id)["status"] == "paid"


@pytest.mark.parametrize(
    ("act", "status"), [(checkout.cancel, "cancelled"), (checkout.fail, "failed")]
)
def test_ended_sessions(api: Api, world: World, act: object, status: str) -> None:
    """A cancelled or failed session is over, and can't be paid."""
    session_id = api.session_id()
    with world.transaction() as tx:
        act(tx, session_id)
    found = api.session(session_id)
    assert found["status"] == status
    assert (found["cancelled_at"] is not None) is (status == "cancelled")
    assert refused(api.confirm(session_id)) == (409, "CHECKOUT_SESSION_NOT_OPEN")


def test_authenticate(api: Api, world: World) -> None:
    """A session shows when its buyer signed in, and that buyer pays it."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="alice"))
    session_id = api.session_id()
    with world.transaction() as tx:
        checkout.authenticate(tx, session_id, "alice")
    found = api.session(session_id)
    assert (found["status"], found["authenticated_at"]) == (
        "authenticated",
        "2026-03-02T09:00:00.000Z",
    )
    before = balances(world)
    api.confirm(session_id)
    assert balances(world)[0] == before[0]


def test_status_is_open_to_all(api: Api) -> None:
    """Anyone can ask whether the platform works."""
    assert data(api.get("status", None)) == {"status": "operational"}
