from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from settlekit.webhooks import classify
from settlekit.webhooks.events import read_event
from settlekit_mock import seeding
from settlekit_mock.app import open_world, openapi
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.world import Settings
from settlekit_mock.settlement.rules.acceptance import Caps
from tests.settlekit_mock.payments.conftest import SHOP, Receiver, data, refused
from tests.settlekit_mock.recurring.conftest import BUYER, NOW, Shop, event_of

YEN = 10**8


def token_of(shop: Shop, **changes: object) -> str:
    return data(shop.authorize(**changes), 201)["schedule_token"]


def whole(answer: TestResponse) -> bytes:
    """The bytes of an answer, but for the ids of the call."""
    assert answer.status_code == 200, answer.text
    return answer.data.partition(b',"meta":')[0]


# -- a run ---------------------------------------------------------------------------------


def test_every_field(shop: Shop) -> None:
    """A run is answered with its charge, its slot and the authorization as it stands after it."""
    made = data(shop.authorize(max_runs=2), 201)
    ran = data(
        shop.run(
            made["schedule_token"],
            scheduled_for="2026-03-02T18:00:00+09:00",
            input={"topic": "weather"},
            await_finality=True,
        )
    )
    requirement, receipt = ran["direct_payment_requirement"], ran["direct_payment_execution"]
    assert ran == {
        "status": "executed",
        "charge_status": "settled",
        "authorization": {**made, "schedule_token": None, "run_count": 1},
        "slot": {
            "slot_id": "slot-1",
            "run_id": ran["slot"]["run_id"],
            "run_number": 1,
            "scheduled_for": "2026-03-02T09:00:00.000Z",
            "executed_at": to_text(NOW),
        },
        "reason_code": None,
        "reason": None,
        "retryable": False,
        "manual_reconciliation_required": False,
        "direct_payment_requirement_id": requirement["id"],
        "direct_payment_requirement": requirement,
        "direct_payment_execution": receipt,
        "capability_result": None,
    }
    assert requirement == {
        "id": requirement["id"],
        "requirement_id": requirement["id"],
        "direct_payment_requirement_id": requirement["id"],
        "mode": "external_402",
        "merchant": SHOP,
        "listing_id": made["listing_id"],
        "capability_key": made["capability_key"],
        "challenge_hash": requirement["challenge_hash"],
        "amount_minor": 980,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "fee_bps": 180,
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "protocol_fee_minor": None,
        "settlement_status": "settled",
        "status": "spent",
        "metered_usage_id": None,
        "chain_receipt_id": receipt["chain_receipt_id"],
        "confirmed_at": to_text(NOW),
        "spent_at": to_text(NOW),
    }
    assert receipt == {
        "receipt_id": receipt["receipt_id"],
        "chain_receipt_id": receipt["chain_receipt_id"],
        "status": "settled",
        "finality": "per_payment_onchain",
        "finalized_at": to_text(NOW),
        "created_at": to_text(NOW),
    }


def test_the_merchant_is_told(shop: Shop) -> None:
    """Each run is told as any payment is, with its slot and what both sides said of it."""
    made = data(shop.authorize(metadata={"plan": "a", "order": 1}), 201)
    token = made["schedule_token"]
    ran = data(shop.run(token, scheduled_for="2026-03-02T09:00:00Z", metadata={"order": 2}))
    (confirmed,) = shop.told("direct_payment.confirmed")
    assert classify(read_event(event_of(confirmed))).kind == "standard_settled"
    assert confirmed["requirement_id"] == ran["direct_payment_requirement_id"]
    assert confirmed["scheduled_authorization_id"] == made["id"]
    assert confirmed["authorization_challenge_hash"] == made["challenge_hash"]
    assert (confirmed["slot_id"], confirmed["scheduled_for"]) == (
        "slot-1",
        "2026-03-02T09:00:00.000Z",
    )
    assert confirmed["metadata_jsonb"] == {"plan": "a", "order": 2}
    assert len(shop.told("direct_payment.spent")) == 1
    assert token not in str(shop.receiver.got)
    assert BUYER not in str(shop.receiver.got)


def test_a_metered_run(shop: Shop) -> None:
    """A small run accrues: it is accepted, its receipt one of acceptance, its labels the approval's."""
    token = token_of(shop, amount_minor=100, capability_key="digest", operation_key="daily")
    ran = data(shop.run(token))
    assert (ran["charge_status"], ran["direct_payment_execution"]["status"]) == (
        "pending_settlement",
        "accepted",
    )
    requirement = ran["direct_payment_requirement"]
    assert (requirement["pricing_band"], requirement["protocol_fee_minor"]) == ("micro", "2")
    (confirmed,) = shop.told("direct_payment.confirmed")
    assert classify(read_event(event_of(confirmed))).kind == "metered_usage_accepted"
    rows = shop.call("GET", "/sdrp/metered/provider/usage-events", seeding.MERCHANT_TOKEN)
    (row,) = data(rows)["items"]
    assert row["metered_usage_id"] == requirement["metered_usage_id"]
    assert (row["capability_key"], row["operation_key"]) == ("digest", "daily")


def test_the_fee_is_that_of_the_start(shop: Shop) -> None:
    """A run costs the merchant the fee of the plan it had when the buyer approved."""
    token = token_of(shop, amount_minor=10_000)
    shop.change_merchant(billing_plan="pro")
    assert data(shop.run(token))["direct_payment_requirement"]["fee_bps"] == 180


def test_runs_outlive_a_rotation(shop: Shop) -> None:
    """A run needs no challenge of the merchant's: a new secret stops nothing."""
    token = token_of(shop)
    with shop.world.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE merchants SET challenge_secret = 'another'")
    assert data(shop.run(token))["status"] == "executed"


# -- one slot ------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_slot_is_charged_once(shop: Shop) -> None:
    """A slot that is ordered again is answered in the same bytes, whatever became of the rest."""
    token = token_of(shop, max_runs=1)
    first = shop.run(token, input={"a": 1, "b": 2})
    shop.change_buyer(vault_active=False)
    shop.change_merchant(billing_status="suspended")
    shop.advance("2026-03-04T00:00:00Z")
    again = shop.run(token, input={"b": 2, "a": 1}, await_finality=False)
    assert whole(again) == whole(first)
    assert shop.payments() == 1


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "changes",
    [
        {"input": {"a": 2}},
        {"input": None},
        {"arguments": {"a": 1}},
        {"scheduled_for": "2026-03-02T09:00:01Z"},
        {"metadata": {"a": 1}},
    ],
    ids=str,
)
def test_a_slot_has_one_payload(shop: Shop, changes: dict) -> None:
    """A slot ordered with anything else than before is refused and charges nothing."""
    token = token_of(shop)
    order = {"input": {"a": 1}, "scheduled_for": "2026-03-02T09:00:00Z"}
    data(shop.run(token, **order))
    answer = shop.run(token, **{**order, **changes})
    assert refused(answer) == (409, "IDEMPOTENCY_KEY_REUSED_WITH_DIFFERENT_PAYLOAD")
    assert shop.payments() == 1


def test_slots_are_of_one_authorization(shop: Shop) -> None:
    """The same slot of another authorization is another slot."""
    first = token_of(shop)
    second = token_of(shop, challenge=shop.recurring("daily", nonce="setup-2"))
    data(shop.run(first))
    data(shop.run(second))
    assert shop.payments() == 2


@pytest.mark.both_databases
def test_a_refused_slot_may_be_ordered_again(shop: Shop) -> None:
    """A slot that couldn't be paid stands for nothing: later, ordered anew, it is charged."""
    token = token_of(shop)
    shop.change_buyer(vault_active=False)
    assert refused(shop.run(token)) == (402, "BUDGET_EXCEEDED")
    shop.change_buyer(vault_active=True)
    ran = data(shop.run(token, input={"other": True}))
    assert (ran["slot"]["run_number"], shop.payments()) == (1, 1)


# -- within what was approved ----------------------------------------------------------------


@pytest.mark.both_databases
def test_max_runs(shop: Shop) -> None:
    """The last approved run uses the authorization up; one more is refused."""
    token = token_of(shop, max_runs=2)
    assert data(shop.run(token, "1"))["authorization"]["status"] == "active"
    last = data(shop.run(token, "2"))["authorization"]
    assert (last["status"], last["run_count"]) == ("exhausted", 2)
    assert last["mandate"]["status"] == "cancelled"
    answer = shop.run(token, "3")
    assert refused(answer) == (409, "SCHEDULED_AUTHORIZATION_EXHAUSTED")
    assert answer.json["error"]["retryable"] is False
    assert shop.payments() == 2
    assert [kind for kind, _ in shop.journal("authorization.")] == [
        "authorization.created",
        "authorization.executed",
        "authorization.executed",
        "authorization.exhausted",
        "authorization.run_refused",
    ]


LIMITS = [
    ({"max_runs_per_day": 2}, (409, "SCHEDULED_CADENCE_LIMIT_REACHED"), "DAILY_RUNS_REACHED"),
    (
        {"max_amount_minor_per_day": 2 * 980 + 979},
        (402, "BUDGET_EXCEEDED"),
        "DAILY_BUDGET_EXCEEDED",
    ),
    ({"max_runs_per_month": 2}, (409, "SCHEDULED_CADENCE_LIMIT_REACHED"), "MONTHLY_RUNS_REACHED"),
    (
        {"max_amount_minor_per_month": 2 * 980 + 979},
        (402, "BUDGET_EXCEEDED"),
        "MONTHLY_BUDGET_EXCEEDED",
    ),
]


@pytest.mark.parametrize(("limit", "expected", "reason_code"), LIMITS, ids=str)
def test_days_and_months(
    shop: Shop, limit: dict, expected: tuple[int, str], reason_code: str
) -> None:
    """Runs and amounts of a day and a month are limited in the buyer's own days and months."""
    shop.change_buyer(timezone="Asia/Tokyo")
    # In Tokyo it is the evening of the 31st of March when it is 14:59 UTC.
    shop.advance("2026-03-31T14:50:00Z")
    token = token_of(shop, cadence_limit=limit)
    data(shop.run(token, "1"))
    data(shop.run(token, "2"))
    shop.advance("2026-03-31T14:59:59.999Z")
    answer = shop.run(token, "3")
    assert refused(answer) == expected
    assert answer.json["error"]["reason_code"] == reason_code
    assert answer.json["error"]["retryable"] is True
    assert answer.json["error"]["slot_id"] == "3"
    shop.advance("2026-03-31T15:00:00Z")
    assert data(shop.run(token, "3"))["authorization"]["run_count"] == 3
    assert shop.payments() == 3


def test_a_new_day_of_the_same_month(shop: Shop) -> None:
    """A new day gives a day's runs anew, and takes them of the month's."""
    limit = {"max_runs_per_day": 1, "max_runs_per_month": 2}
    token = token_of(shop, cadence_limit=limit)
    data(shop.run(token, "1"))
    assert shop.run(token, "2").json["error"]["reason_code"] == "DAILY_RUNS_REACHED"
    shop.advance("2026-03-03T00:00:00Z")
    data(shop.run(token, "2"))
    shop.advance("2026-03-04T00:00:00Z")
    assert shop.run(token, "3").json["error"]["reason_code"] == "MONTHLY_RUNS_REACHED"


CAPS = [Caps(per_payment_minor=979), Caps(day_minor=1959), Caps(month_minor=1959)]


@pytest.mark.parametrize("caps", CAPS, ids=str)
def test_the_buyers_own_budget(shop: Shop, caps: Caps) -> None:
    """A run stays within the buyer's caps for a payment, a day and a month, whatever was approved."""
    token = token_of(shop)
    shop.change_buyer(caps=caps)
    if caps.per_payment_minor is None:
        data(shop.run(token, "1"))
    before = shop.payments()
    answer = shop.run(token, "2")
    assert refused(answer) == (402, "BUDGET_EXCEEDED")
    assert answer.json["error"]["manual_reconciliation_required"] is False
    assert shop.payments() == before


def test_a_refused_run_does_not_count(shop: Shop) -> None:
    """Runs that couldn't be paid use nothing up."""
    token = token_of(shop, max_runs=1, cadence_limit={"max_runs_per_day": 1})
    shop.change_buyer(balances={"JPY": 0})
    for slot_id in "123":
        assert refused(shop.run(token, slot_id)) == (402, "BUDGET_EXCEEDED")
    shop.change_buyer(balances={"JPY": 980 * YEN})
    assert data(shop.run(token, "4"))["slot"]["run_number"] == 1


@pytest.mark.parametrize("status", ["past_due", "suspended"])
def test_merchant_billing(shop: Shop, status: str) -> None:
    """A merchant whose billing isn't in order gets no run paid."""
    token = token_of(shop)
    shop.change_merchant(billing_status=status)
    expected = f"EXTERNAL_402_MERCHANT_BILLING_{status.upper()}"
    assert refused(shop.run(token)) == (409, expected)


@pytest.mark.parametrize(
    ("amount_minor", "charge_status", "band", "fee_minor"),
    [
        (301, "settled", "standard", None),
        (300, "pending_settlement", "micro", "1"),
        (31, "pending_settlement", "micro", "1"),
        (30, "pending_settlement", "nano", "0.1"),
        (1, "pending_settlement", "nano", "0.1"),
    ],
)
def test_runs_in_dollars(
    shop: Shop, amount_minor: int, charge_status: str, band: str, fee_minor: str | None
) -> None:
    """In USD the bands end at 30 and 300 cents, and a run is paid in USDC."""
    challenge = shop.recurring("daily", amount_minor=amount_minor, currency="USD")
    terms = {"amount_minor": amount_minor, "currency": None, "token_symbol": "USDC"}
    token = token_of(shop, challenge=challenge, **terms)
    ran = data(shop.run(token))
    requirement = ran["direct_payment_requirement"]
    assert (ran["charge_status"], requirement["pricing_band"]) == (charge_status, band)
    assert (requirement["token_symbol"], requirement["protocol_fee_minor"]) == ("USDC", fee_minor)


# -- who may order -------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "token",
    [None, "nobody", "cli_key", seeding.BUYER_TOKEN, seeding.MERCHANT_TOKEN, "sandbox_admin_token"],
)
def test_only_its_own_token(shop: Shop, token: str | None) -> None:
    """Only the schedule token orders a run: nobody's else, the buyer's own neither."""
    token_of(shop)
    assert refused(shop.run(token)) == (401, "UNAUTHORIZED")


def test_a_schedule_token_opens_nothing_else(shop: Shop) -> None:
    """A schedule token orders runs, and is unknown everywhere else."""
    token = token_of(shop)
    assert refused(shop.subscribe(token=token)) == (401, "UNAUTHORIZED")
    assert refused(shop.revoke("saa_1", token=token)) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("token", [None, "nobody", "cli_key"])
def test_who_orders_is_asked_before_what(shop: Shop, token: str | None) -> None:
    """An order that isn't valid either is 401 without a token that holds: it tells strangers nothing."""
    assert refused(shop.run(token, slot_id=7)) == (401, "UNAUTHORIZED")
    assert refused(shop.run(token, slot_id="")) == (401, "UNAUTHORIZED")


def test_the_schedule_token_is_described() -> None:
    """The OpenAPI document says that an execution asks for a schedule token, and nothing of roles."""
    path = "/v1/market/api-store/scheduled-auto-pay/execute"
    execution = openapi()["paths"][path]["post"]
    assert execution["security"] == [{"scheduleToken": []}]
    assert "scheduleToken" in openapi()["components"]["securitySchemes"]
    assert ("401" in execution["responses"], "403" in execution["responses"]) == (True, False)


@pytest.mark.parametrize(
    "body",
    [
        {"slot_id": ""},
        {"slot_id": "s" * 256},
        {"slot_id": 7},
        {"scheduled_for": "soon"},
        {"input": "text"},
        {"metadata": []},
    ],
    ids=str,
)
def test_bad_orders(shop: Shop, body: dict) -> None:
    """An order that isn't valid is refused by name, and charges nothing."""
    token = token_of(shop)
    answer = shop.run(token, **{"slot_id": "slot-1", **body})
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert shop.payments() == 0


def test_sixteen_threads_with_one_slot_charge_once(url_on_file: str) -> None:
    """Sixteen schedulers that order one slot at the same moment are told the same run."""
    world = open_world(url_on_file, Settings(freeze_at=NOW))
    shop = Shop(world, Receiver())
    token = token_of(shop, max_runs=5)
    ready = Barrier(16)

    def order() -> bytes:
        mine = Shop(world, shop.receiver)
        ready.wait(10)
        return whole(mine.run(token))

    with ThreadPoolExecutor(16) as pool:
        answers = {one.result() for one in [pool.submit(order) for _ in range(16)]}
    assert (len(answers), shop.payments()) == (1, 1)
    world.close()
