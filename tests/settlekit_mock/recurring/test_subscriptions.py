import pytest
from sqlalchemy import text

from settlekit.challenge import challenge_hash
from settlekit.webhooks import classify
from settlekit.webhooks.events import read_event
from settlekit_mock.kernel.times import DAY, from_text, to_text
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.tables import merchant_named
from tests.settlekit_mock.payments.conftest import SHOP, data, refused
from tests.settlekit_mock.recurring.conftest import BUYER, NOW, Shop, event_of

YEN = 10**8
APRIL = "2026-04-02T09:30:15.250Z"
MAY = "2026-05-02T09:30:15.250Z"


def balances(shop: Shop) -> tuple[int, int, int]:
    """What the buyer, the shop and the platform hold, in yen."""
    with shop.world.transaction() as tx:
        owner = merchant_named(tx.connection, SHOP).merchant_user_id
        accounts = (
            ledger.chain_account(tx, BUYER, "JPY"),
            ledger.wallet(tx, owner_scope="developer", owner_id=owner, currency="JPY"),
            ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency="JPY"),
        )
        return tuple(ledger.balance(tx.connection, one.number) // YEN for one in accounts)


# -- the first month -----------------------------------------------------------------------


def test_every_field(shop: Shop) -> None:
    """A subscription is answered with its mandate, its first charge and the receipt of that."""
    challenge = shop.recurring("monthly")
    made = data(shop.subscribe(cadence="monthly"), 201)
    first, receipt = made["initial_charge"], made["receipt"]
    common = {"amount_minor": 980, "currency": "JPY", "token_symbol": "JPYC", "fee_bps": 180}
    assert made == {
        "subscription_id": made["subscription_id"],
        "subscription_status": "created",
        "mode": "external_402",
        "merchant": SHOP,
        "merchant_display_name": SHOP,
        "challenge_hash": challenge_hash(challenge),
        "mandate": {
            "mandate_id": made["mandate"]["mandate_id"],
            "status": "active",
            "cadence": "monthly",
            "max_amount_minor": 980,
            "currency": "JPY",
            "token_symbol": "JPYC",
        },
        "receipt": receipt,
        "initial_charge": first,
        "idempotent_replay": False,
        **common,
        "cadence": "monthly",
        "next_charge_at": APRIL,
        "created_at": to_text(NOW),
    }
    assert first == {
        "charge_id": first["charge_id"],
        "charge_number": 1,
        "charged_at": to_text(NOW),
        "id": first["requirement_id"],
        "requirement_id": first["requirement_id"],
        "direct_payment_requirement_id": first["requirement_id"],
        "mode": "external_402",
        "merchant": SHOP,
        "listing_id": first["listing_id"],
        "capability_key": f"external_402.{SHOP}",
        "challenge_hash": challenge_hash(challenge),
        **common,
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
    assert receipt["chain_receipt_id"].startswith("chain_")


def test_the_first_month_is_paid_at_once(shop: Shop) -> None:
    """The buyer pays the first month as it subscribes; shop and platform share it by the plan."""
    data(shop.subscribe(), 201)
    # 180 bps of 980 are 18, less than the minimum of 30.
    assert balances(shop) == (999_020, 950, 30)


def test_the_merchant_is_told(shop: Shop) -> None:
    """The merchant hears of the payment as of any other, and of the subscription, never of the buyer."""
    made = data(shop.subscribe(), 201)
    (confirmed,) = shop.told("direct_payment.confirmed")
    assert classify(read_event(event_of(confirmed))).kind == "standard_settled"
    assert confirmed["subscription_id"] == made["subscription_id"]
    assert confirmed["challenge_hash"] == made["challenge_hash"]
    assert len(shop.told("direct_payment.spent")) == 1
    (created,) = shop.told("subscription.created")
    assert created == {
        "subscription_id": made["subscription_id"],
        "merchant": SHOP,
        "listing_id": made["initial_charge"]["listing_id"],
        "challenge_hash": made["challenge_hash"],
        "amount_minor": 980,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "cadence": "monthly",
        "status": "active",
        "charge_count": 1,
        "failed_tries": 0,
        "next_charge_at": APRIL,
        "cancelled_at": None,
        "requirement_id": made["initial_charge"]["requirement_id"],
        "environment": "sandbox",
    }
    assert BUYER not in str(shop.receiver.got)


@pytest.mark.parametrize(
    ("amount_minor", "band", "cadence", "fee"),
    [(500, "micro", "weekly", "2"), (49, "nano", "monthly", "0.2")],
)
def test_metered_amounts(shop: Shop, amount_minor: int, band: str, cadence: str, fee: str) -> None:
    """A small subscription is metered: its months are accepted usage, its receipt one of acceptance."""
    made = data(shop.subscribe(amount_minor=amount_minor), 201)
    first, receipt = made["initial_charge"], made["receipt"]
    assert (first["pricing_band"], first["settlement_cadence"]) == (band, cadence)
    assert (first["settlement_status"], first["finality"]) == (
        "pending_settlement",
        "aggregated_onchain_settlement",
    )
    assert (first["protocol_fee_minor"], first["fee_bps"], made["fee_bps"]) == (fee, None, None)
    assert first["metered_usage_id"].startswith("mu_")
    assert (receipt["status"], receipt["chain_receipt_id"]) == ("accepted", None)
    assert (receipt["finalized_at"], first["chain_receipt_id"]) == (None, None)
    (confirmed,) = shop.told("direct_payment.confirmed")
    assert classify(read_event(event_of(confirmed))).kind == "metered_usage_accepted"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("amount_minor", "band", "cadence", "fee_minor", "debit"),
    [
        (301, "standard", "per_payment", None, 301),
        (300, "micro", "weekly", "1", 0),
        (30, "nano", "monthly", "0.1", 0),
    ],
)
def test_a_subscription_in_dollars(
    shop: Shop, amount_minor: int, band: str, cadence: str, fee_minor: str | None, debit: int
) -> None:
    """In USD the bands end at 30 and 300 cents; a standard charge moves USDC at once, no JPYC."""
    made = data(shop.subscribe(amount_minor=amount_minor, currency="USD"), 201)
    charge = made["initial_charge"]
    assert (made["currency"], made["token_symbol"]) == ("USD", "USDC")
    assert (charge["pricing_band"], charge["settlement_cadence"]) == (band, cadence)
    assert charge["protocol_fee_minor"] == fee_minor
    query = text(
        "SELECT currency, balance FROM ledger_accounts WHERE kind = 'chain' AND owner_id = :owner"
    )
    with shop.world.snapshot() as connection:
        held = dict(connection.execute(query, {"owner": BUYER}).all())
    assert held == {"JPY": 1_000_000 * 10**8, "USD": (1_000_000 - debit) * 10**6}


@pytest.mark.both_databases
def test_the_same_challenge_answers_the_first(shop: Shop) -> None:
    """The buyer that asks again is told the same, marked as told before, and pays nothing."""
    first = data(shop.subscribe(), 201)
    shop.change_merchant(billing_status="past_due")
    shop.change_buyer(vault_active=False)
    again = data(shop.subscribe(), 200)
    assert again == {**first, "idempotent_replay": True}
    assert shop.payments() == 1


def test_beyond_the_budget(shop: Shop) -> None:
    """A first month that can't be paid begins nothing, and its challenge stays free."""
    shop.change_buyer(balances={"JPY": 979 * YEN})
    assert refused(shop.subscribe()) == (402, "BUDGET_EXCEEDED")
    assert shop.journal("subscription.") == []
    shop.change_buyer(balances={"JPY": 980 * YEN})
    assert data(shop.subscribe(token="other"), 201)


@pytest.mark.parametrize("cadence", ["daily", "weekly", "yearly"])
def test_only_monthly(shop: Shop, cadence: str) -> None:
    """A subscription is monthly, whatever else is asked for."""
    assert refused(shop.subscribe(cadence=cadence)) == (422, "INVALID_REQUEST")


# -- renewals ------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_renewals(shop: Shop) -> None:
    """Each month on the same day, at the same time, the buyer pays and the merchant is told."""
    made = data(shop.subscribe(), 201)
    shop.world.due.advance(from_text(APRIL) - 1)
    assert shop.payments() == 1
    shop.advance(APRIL)
    assert shop.payments() == 2
    shop.advance(MAY)
    assert balances(shop) == (1_000_000 - 3 * 980, 3 * 950, 3 * 30)
    assert [text for _, text in shop.journal("subscription.renewed")] == [APRIL, MAY]
    renewed = shop.told("subscription.renewed")
    assert [one["charge_count"] for one in renewed] == [2, 3]
    assert [one["next_charge_at"] for one in renewed] == [MAY, "2026-06-02T09:30:15.250Z"]
    confirmed = shop.told("direct_payment.confirmed")
    assert len({one["challenge_hash"] for one in confirmed}) == 3
    assert [one["subscription_charge_number"] for one in confirmed] == [1, 2, 3]
    assert {one["subscription_id"] for one in confirmed} == {made["subscription_id"]}
    assert {one["subscription_challenge_hash"] for one in confirmed} == {made["challenge_hash"]}


def test_the_thirty_first(shop: Shop) -> None:
    """A subscription of the 31st renews on the last day of shorter months, and on the 31st again."""
    shop.advance("2026-12-31T22:00:00Z")
    data(shop.subscribe(), 201)
    shop.advance("2027-05-31T22:00:00Z")
    renewed = [text[:10] for _, text in shop.journal("subscription.renewed")]
    assert renewed == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]


def test_small_steps_equal_a_large_one(shop: Shop) -> None:
    """Ten years in one step renew a hundred and twenty times."""
    shop.change_buyer(balances={"JPY": 10**6 * YEN}, allowances={"JPY": 10**6 * YEN})
    data(shop.subscribe(), 201)
    shop.advance("2036-03-02T09:30:15.250Z")
    assert shop.payments() == 121


def test_a_metered_subscription_renews(shop: Shop) -> None:
    """A small subscription's months accrue as usage of its own."""
    data(shop.subscribe(amount_minor=49), 201)
    shop.advance(APRIL)
    usage = [
        one["metered_usage_id"]
        for one in shop.told("direct_payment.confirmed")
        if one["mode"] == "external_402"
    ]
    assert len(set(usage)) == 2


def test_the_fee_is_that_of_the_start(shop: Shop) -> None:
    """A merchant that changes its plan pays the old plan's fee on what was subscribed before."""
    data(shop.subscribe(amount_minor=10_000), 201)
    shop.change_merchant(billing_plan="pro")
    with shop.world.transaction() as tx:
        tx.cancel("billing.collect", SHOP)
    shop.advance(APRIL)
    assert balances(shop) == (980_000, 2 * (10_000 - 180), 2 * 180)


def test_renewals_outlive_a_rotation(shop: Shop) -> None:
    """A month is charged without a challenge of the merchant's: a new secret stops nothing."""
    data(shop.subscribe(), 201)
    with shop.world.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE merchants SET challenge_secret = 'another'")
    shop.advance(APRIL)
    assert shop.payments() == 2


# -- renewals that can't be paid -----------------------------------------------------------


def days_after(text: str, days: int) -> str:
    return to_text(from_text(text) + days * DAY)


def test_an_unpaid_renewal_is_cancelled_after_three_more_tries(shop: Shop) -> None:
    """A month that can't be paid is tried again daily, three times; then it is all over."""
    made = data(shop.subscribe(), 201)
    shop.change_buyer(balances={"JPY": 979 * YEN})
    shop.advance("2027-03-02T00:00:00Z")
    tries = [days_after(APRIL, day) for day in range(4)]
    assert shop.journal("subscription.") == [
        ("subscription.created", to_text(NOW)),
        *[("subscription.charge_failed", at) for at in tries],
        ("subscription.cancelled", tries[-1]),
    ]
    failed = shop.told("payment.failed")
    assert [(one["will_retry"], one["final_failure"]) for one in failed] == [
        (True, False),
        (True, False),
        (True, False),
        (False, True),
    ]
    assert [one["next_charge_at"] for one in failed] == [*tries[1:], None]
    assert [one["status"] for one in failed] == ["past_due"] * 3 + ["cancelled"]
    assert {one["reason_code"] for one in failed} == {"BUDGET_EXCEEDED"}
    (cancelled,) = shop.told("subscription.cancelled")
    assert cancelled["subscription_id"] == made["subscription_id"]
    assert (cancelled["status"], cancelled["cancelled_at"]) == ("cancelled", tries[-1])
    assert (shop.payments(), shop.world.due.next_due_at()) == (1, None)
    assert [kind for kind, _ in shop.journal("payment.refused")] == ["payment.refused"] * 4


def test_refusals_are_told_once_each(shop: Shop) -> None:
    """Months that are refused one after the other are each told once, though nobody listens."""
    with shop.world.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE webhook_subscriptions SET status = 'paused'")
    data(shop.subscribe(), 201)
    shop.change_buyer(balances={"JPY": 0})
    shop.advance("2026-05-01T00:00:00Z")
    assert [text for _, text in shop.journal("payment.refused")] == [
        days_after(APRIL, day) for day in range(4)
    ]


@pytest.mark.parametrize("day", [1, 2, 3])
def test_a_later_try_pays(shop: Shop, day: int) -> None:
    """Funds that come before one of the later tries pay the month; the next is on its own day."""
    data(shop.subscribe(), 201)
    shop.change_buyer(vault_active=False)
    shop.world.due.advance(from_text(days_after(APRIL, day)) - 1)
    shop.change_buyer(vault_active=True)
    shop.advance(days_after(APRIL, day))
    (renewed,) = shop.told("subscription.renewed")
    assert (renewed["status"], renewed["failed_tries"]) == ("active", 0)
    assert renewed["next_charge_at"] == MAY
    shop.advance(MAY)
    assert [text for _, text in shop.journal("subscription.renewed")] == [
        days_after(APRIL, day),
        MAY,
    ]


def test_each_month_has_its_own_tries(shop: Shop) -> None:
    """A month that was paid late leaves the next one all its tries."""
    data(shop.subscribe(), 201)
    for month in (APRIL, MAY):
        shop.change_buyer(vault_active=False)
        shop.world.due.advance(from_text(days_after(month, 3)) - 1)
        shop.change_buyer(vault_active=True)
        shop.advance(days_after(month, 3))
    assert shop.payments() == 3


@pytest.mark.parametrize(
    ("merchant", "code"),
    [
        ({"billing_status": "suspended"}, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
        ({"billing_status": "past_due"}, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
    ],
)
def test_a_merchant_that_may_not_sell(shop: Shop, merchant: dict, code: str) -> None:
    """While a merchant's billing isn't in order its renewals fail, and say so."""
    data(shop.subscribe(), 201)
    shop.change_merchant(**merchant)
    shop.advance(APRIL)
    (failed,) = shop.told("payment.failed")
    assert failed["reason_code"] == code


def test_a_paused_scope(shop: Shop) -> None:
    """A small subscription in a scope that is past due isn't charged, and says so."""
    data(shop.subscribe(amount_minor=500), 201)
    shop.change_buyer(balances={"JPY": 0})
    shop.advance(APRIL)
    (failed,) = shop.told("payment.failed")
    assert failed["reason_code"] == "METERED_SETTLEMENT_PAST_DUE"
