import pytest

from settlekit.challenge import challenge_hash, request_hash_v2, sign
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments import checkout
from settlekit_mock.payments.merchants import change_merchant
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.buyers import NewBuyer, change_buyer, create_buyer
from settlekit_mock.settlement.rules.acceptance import Caps
from settlekit_mock.webhooks.sender import Outcome
from tests.settlekit_mock.payments.conftest import (
    NOW,
    ORIGIN,
    SHOP,
    Api,
    Receiver,
    data,
    form_of,
    journal,
    refused,
)

YEN = 10**8


def balances(world: World) -> tuple[int, int, int]:
    """What the buyer, the shop and the platform hold, in yen."""
    with world.transaction() as tx:
        shop = merchant_named(tx.connection, SHOP)
        accounts = (
            ledger.chain_account(tx, "sandbox_buyer", "JPY"),
            ledger.wallet(
                tx, owner_scope="developer", owner_id=shop.merchant_user_id, currency="JPY"
            ),
            ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency="JPY"),
        )
        return tuple(ledger.balance(tx.connection, one.number) // YEN for one in accounts)


def challenge_of(world: World, **changes: object) -> str:
    with world.snapshot() as connection:
        secret = merchant_named(connection, SHOP).challenge_secret
    terms = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY", "nonce": "order-1"}
    return sign(secret=secret, **{**terms, **changes})


# -- opening -----------------------------------------------------------------------------


def test_open(api: Api, world: World) -> None:
    """A new session says where to send the buyer, for 30 minutes, and proves its challenge."""
    made = data(api.open_session(), 201)
    assert made["session_id"].startswith("chk_")
    assert made == {
        "checkout_url": f"http://localhost/pay/{made['session_id']}",
        "session_id": made["session_id"],
        "challenge_hash": challenge_hash(challenge_of(world)),
        "status": "open",
        "expires_at": "2026-03-02T09:30:00.000Z",
    }


def test_get_shows_every_field(api: Api) -> None:
    """An open session shows its terms and what it waits for, never its challenge or a buyer."""
    made = data(api.open_session(metadata={"order": 1}), 201)
    assert api.session(made["session_id"]) == {
        "session_id": made["session_id"],
        "merchant": SHOP,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "amount_minor": 1200,
        "status": "open",
        "challenge_hash": made["challenge_hash"],
        "requirement_id": None,
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "protocol_fee_minor": None,
        "settlement_status": "pending_payment",
        "chain_receipt_id": None,
        "success_url": f"{ORIGIN}/done",
        "cancel_url": f"{ORIGIN}/cart",
        "checkout_url": made["checkout_url"],
        "expires_at": "2026-03-02T09:30:00.000Z",
        "authenticated_at": None,
        "paid_at": None,
        "cancelled_at": None,
        "created_at": "2026-03-02T09:00:00.000Z",
        "metadata_jsonb": {"order": 1},
    }


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (49, "JPY", ("nano", "monthly", "0.2")),
        (50, "JPY", ("micro", "weekly", "2")),
        (500, "JPY", ("micro", "weekly", "2")),
        (501, "JPY", ("standard", "per_payment", None)),
        (30, "USD", ("nano", "monthly", "0.1")),
        (31, "USD", ("micro", "weekly", "1")),
        (301, "USD", ("standard", "per_payment", None)),
    ],
)
def test_bands(
    api: Api, amount_minor: int, currency: str, expected: tuple[str, str, str | None]
) -> None:
    """The amount alone chooses a session's band, cadence and fee."""
    found = api.session(api.session_id(amount_minor=amount_minor, currency=currency))
    assert (
        found["pricing_band"],
        found["settlement_cadence"],
        found["protocol_fee_minor"],
    ) == expected


def test_terms_are_normalised(api: Api, world: World) -> None:
    """White space and case of merchant, currency and nonce don't count."""
    made = data(
        api.open_session(merchant=" Sandbox_Merchant ", currency=" jpy ", nonce=" order-1 "), 201
    )
    assert made["challenge_hash"] == challenge_hash(challenge_of(world))


@pytest.mark.both_databases
def test_same_nonce_same_input(api: Api) -> None:
    """The same nonce with the same input answers the same session."""
    assert data(api.open_session(), 201) == data(api.open_session(), 201)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 1201},
        {"currency": "USD"},
        {"success_url": f"{ORIGIN}/other"},
        {"cancel_url": f"{ORIGIN}/other"},
        {"metadata": {"order": 2}},
    ],
)
def test_same_nonce_other_input(api: Api, change: dict) -> None:
    """The same nonce with other input is a conflict, and the first session stays as it was."""
    first = api.session_id()
    before = api.session(first)
    assert refused(api.open_session(**change)) == (409, "CHECKOUT_NONCE_REUSED")
    assert api.session(first) == before


INVALID = [
    {"amount_minor": 0},
    {"amount_minor": -1},
    {"amount_minor": 1.5},
    {"amount_minor": "1200"},
    {"amount_minor": True},
    {"amount_minor": None},
    {"amount_minor": 92_233_720_369},
    {"amount_minor": 9_223_372_036_801, "currency": "USD"},
    {"amount_minor": 2**53},
    {"amount_minor": 10**400},
    {"currency": "EUR"},
    {"currency": ""},
    {"currency": "JPＹ"},
    {"nonce": ""},
    {"nonce": "   "},
    {"nonce": "a:b"},
    {"nonce": "a" * 256},
    {"nonce": 7},
    {"success_url": "https://elsewhere.example/done"},
    {"success_url": "http://localhost:3001/done"},
    {"success_url": "https://localhost:3000/done"},
    {"success_url": "http://localhost:3000@elsewhere.example/"},
    {"success_url": "javascript:alert(1)"},
    {"success_url": "/done"},
    {"cancel_url": "http://localhost:3000.elsewhere.example/"},
    {"cancel_url": "http://localhost:3000/" + "a" * 2048},
    {"metadata": []},
    {"metadata": "text"},
    {"merchant": ""},
]


@pytest.mark.parametrize("change", INVALID)
def test_invalid_input(api: Api, world: World, change: dict) -> None:
    """Invalid input is 422 with the checkout's own code, and nothing is written."""
    assert refused(api.open_session(**change)) == (422, "INVALID_CHECKOUT_SESSION_REQUEST")
    assert journal(world, "checkout") == []


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[1]",
        b'{"amount_minor": NaN}',
        b'{"nonce": "a", "nonce": "b"}',
        b"\xff",
        b'{"a": "\\u0000"}',
    ],
)
def test_malformed_input(api: Api, raw: bytes) -> None:
    """A body that isn't one JSON object is 400."""
    assert refused(api.raw("checkout-sessions", raw)) == (400, "MALFORMED_REQUEST")


@pytest.mark.both_databases
def test_largest_amount(api: Api) -> None:
    """The largest amount the mock takes is 92,233,720,368 major units."""
    assert (
        api.session(api.session_id(amount_minor=92_233_720_368))["amount_minor"] == 92_233_720_368
    )


def test_currency_the_merchant_does_not_take(api: Api, world: World) -> None:
    """A merchant is paid in the currencies it settles in alone."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"allowed_currencies": ["JPY"]})
    assert refused(api.open_session(currency="USD")) == (422, "INVALID_CHECKOUT_SESSION_REQUEST")


@pytest.mark.parametrize("merchant", ["nobody", "sandbox_merchant\x7f", "支払"])
def test_unknown_merchant(api: Api, merchant: str) -> None:
    """An unknown merchant is 404."""
    assert refused(api.open_session(merchant=merchant)) == (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hosted_checkout": "off"}, (409, "HOSTED_CHECKOUT_NOT_ENABLED")),
        ({"hosted_checkout": "gone"}, (404, "FEATURE_DISABLED")),
        ({"billing_status": "past_due"}, (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE")),
        ({"billing_status": "suspended"}, (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED")),
        ({"mandate_status": "approval_required"}, (409, "HOSTED_CHECKOUT_READINESS_REQUIRED")),
    ],
)
def test_checkout_unavailable(
    api: Api, world: World, change: dict, expected: tuple[int, str]
) -> None:
    """Where hosted checkout isn't to be had, the code says why, and no session is opened."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, change)
    assert refused(api.open_session()) == expected
    assert journal(world, "checkout") == []


def test_usd_needs_agreed_terms(api: Api, world: World) -> None:
    """Without agreed terms for USD a merchant is paid in yen alone."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"usd_terms_agreed": 0})
    assert refused(api.open_session(currency="USD")) == (409, "USD_TERMS_REQUIRED")
    assert api.open_session().status_code == 201


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (None, 401),
        ("unknown", 401),
        ("cli_x", 401),
        ("sandbox_buyer_token", 403),
        ("sandbox_provider_token", 403),
    ],
)
def test_only_merchants_open_sessions(api: Api, token: str | None, status: int) -> None:
    """Sessions are opened and read with a merchant's token alone."""
    session_id = api.session_id()
    assert api.post("checkout-sessions", token).status_code == status
    assert api.get(f"checkout-sessions/{session_id}", token).status_code == status


def test_anothers_session_does_not_exist(api: Api) -> None:
    """Another person's session is answered as if there were none, as is its merchant."""
    theirs = api.get(f"checkout-sessions/{api.session_id()}", "new")
    nobodys = api.get("checkout-sessions/chk_none", "new")
    assert refused(theirs) == refused(nobodys) == (404, "CHECKOUT_SESSION_NOT_FOUND")
    body = {
        "amount_minor": 1200,
        "currency": "JPY",
        "nonce": "n",
        "success_url": ORIGIN,
        "cancel_url": ORIGIN,
    }
    opened = api.post("checkout-sessions", "new", merchant=SHOP, **body)
    assert refused(opened) == (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")


# -- paying ------------------------------------------------------------------------------


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
