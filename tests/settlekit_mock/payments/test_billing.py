import json

import pytest

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.times import DAY, from_text, to_text
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.billing import set_chain_balance
from settlekit_mock.payments.merchants import SetUp, change_merchant, create_merchant, set_up
from settlekit_mock.payments.rules.billing import first_of_next_month
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.rules.amounts import PLANS, units_of
from tests.settlekit_mock.payments.conftest import SHOP, Api, data, refused

APRIL = from_text("2026-04-01T00:00:00Z")
MAY = from_text("2026-05-01T00:00:00Z")
JUNE = from_text("2026-06-01T00:00:00Z")
PAID_PLANS = [(name, currency) for name in PLANS for currency in ("JPY", "USD") if name != "launch"]


def shop_on(world: World, plan: str, **terms: object) -> None:
    with world.transaction() as tx:
        create_merchant(tx, "paid_shop", billing_plan=plan, **terms)


def change(world: World, **changes: object) -> None:
    with world.transaction() as tx:
        change_merchant(tx, "paid_shop", changes)


def hold(world: World, amount_minor: int, currency: str = "JPY") -> None:
    """Leave the shop's owner with so many tokens."""
    with world.transaction() as tx:
        shop = merchant_named(tx.connection, "paid_shop")
        set_chain_balance(tx, shop, currency, units_of(amount_minor, currency))


def status(world: World) -> str:
    with world.snapshot() as connection:
        return merchant_named(connection, "paid_shop").billing_status


def balances(world: World, currency: str = "JPY") -> tuple[int, int]:
    """What the shop's owner and the platform hold, in units."""
    with world.transaction() as tx:
        owner = merchant_named(tx.connection, "paid_shop").merchant_user_id
        accounts = (
            ledger.chain_account(tx, owner, currency),
            ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency=currency),
        )
        return tuple(ledger.balance(tx.connection, one.number) for one in accounts)


def billed(world: World) -> list[tuple[str, str]]:
    """What billing did, and when."""
    with world.snapshot() as connection:
        return [
            (entry.kind.removeprefix("billing."), to_text(entry.at))
            for entry in entries(connection)
            if entry.kind.startswith("billing.")
        ]


# -- collecting ----------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "currency"), PAID_PLANS)
def test_the_fee_is_collected_on_the_first(world: World, plan: str, currency: str) -> None:
    """On the first of each month the plan's fee goes from the merchant's tokens to the platform."""
    shop_on(world, plan, billing_currency=currency)
    before, platform = balances(world, currency)
    fee = units_of(PLANS[plan].monthly_fee_minor[currency], currency)
    world.due.advance(APRIL - 1)
    assert balances(world, currency) == (before, platform)
    world.due.advance(APRIL)
    assert balances(world, currency) == (before - fee, platform + fee)
    world.due.advance(JUNE - 1)
    assert balances(world, currency) == (before - 2 * fee, platform + 2 * fee)
    assert billed(world) == [("fee_collected", to_text(APRIL)), ("fee_collected", to_text(MAY))]
    assert status(world) == "active"


def test_launch_costs_nothing(world: World) -> None:
    """A merchant on the launch plan owes nothing, and leaves nothing due."""
    shop_on(world, "launch")
    assert world.due.next_due_at() is None


@pytest.mark.parametrize(
    ("instant", "first"),
    [
        ("2026-03-02T09:00:00Z", "2026-04-01T00:00:00.000Z"),
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00.000Z"),
        ("2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00.000Z"),
        ("2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"),
        ("2028-02-29T12:00:00Z", "2028-03-01T00:00:00.000Z"),
    ],
)
def test_first_of_next_month(instant: str, first: str) -> None:
    """The next collection is on the first of the next month, never today."""
    assert to_text(first_of_next_month(from_text(instant))) == first


def test_a_plan_taken_later_is_paid_from_the_next_month(world: World) -> None:
    """A merchant that takes a paid plan by itself pays from the next first on, and stops with launch."""
    with world.transaction() as tx:
        set_up(tx, "usr_new", SetUp("paid_shop", billing_currency="JPY"))
        set_up(tx, "usr_new", SetUp("paid_shop", billing_plan="starter"))
    change(world, mandate_status="active")
    world.due.advance(APRIL)
    change(world, billing_plan="growth")
    before, _ = balances(world)
    world.due.advance(MAY)
    assert before - balances(world)[0] == units_of(2980, "JPY")
    change(world, billing_plan="launch")
    assert world.due.next_due_at() is None


def test_setting_up_again_collects_once(world: World) -> None:
    """A set-up that names the same plan again doesn't bill it twice."""
    shop_on(world, "starter")
    change(world, billing_plan="starter")
    world.due.advance(APRIL)
    assert billed(world) == [("fee_collected", to_text(APRIL))]


def test_tokens_that_are_known_stay(world: World) -> None:
    """A merchant's first paid plan gives it tokens once: taking another doesn't fill them up."""
    shop_on(world, "starter")
    assert balances(world)[0] == units_of(1_000_000, "JPY")
    hold(world, 5)
    change(world, billing_plan="launch")
    change(world, billing_plan="pro")
    assert balances(world)[0] == units_of(5, "JPY")


@pytest.mark.parametrize("billing_status", ["setup_required", "suspended"])
def test_who_is_not_billed(world: World, billing_status: str) -> None:
    """A merchant that can't sell yet, or no more, owes no fee; once it can, it does."""
    shop_on(world, "starter")
    change(world, billing_status=billing_status)
    world.due.advance(APRIL)
    assert (billed(world), status(world)) == ([], billing_status)
    change(world, billing_status="active")
    world.due.advance(MAY)
    assert billed(world) == [("fee_collected", to_text(MAY))]


# -- unpaid --------------------------------------------------------------------------------

OBSTACLES = {
    "INSUFFICIENT_BALANCE": {},
    "MANDATE_INACTIVE": {"mandate_status": "approval_required"},
    "MANDATE_CAP_EXCEEDED": {"mandate_cap_minor": 979},
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_an_unpaid_fee_suspends_after_three_more_tries(world: World, reason: str) -> None:
    """What can't be collected makes billing past due at once; three more days, and it is suspended."""
    shop_on(world, "starter")
    if reason == "INSUFFICIENT_BALANCE":
        hold(world, 979)
    else:
        change(world, **OBSTACLES[reason])
    before = balances(world)
    world.due.advance(APRIL)
    assert status(world) == "past_due"
    world.due.advance(APRIL + 3 * DAY - 1)
    assert status(world) == "past_due"
    world.due.advance(MAY)
    assert status(world) == "suspended"
    tries = [to_text(APRIL + day * DAY) for day in range(4)]
    assert billed(world) == [
        ("fee_failed", tries[0]),
        ("past_due", tries[0]),
        ("fee_failed", tries[1]),
        ("fee_failed", tries[2]),
        ("fee_failed", tries[3]),
        ("suspended", tries[3]),
    ]
    with world.snapshot() as connection:
        (told, *_) = [one for one in entries(connection) if one.kind == "billing.fee_failed"]
    assert json.loads(told.data) == {
        "merchant": "paid_shop",
        "month": "2026-04",
        "currency": "JPY",
        "amount_minor": "980",
        "reason": reason,
        "failed_tries": 1,
    }
    assert balances(world) == before


@pytest.mark.parametrize("day", [1, 2, 3])
def test_a_later_try_makes_it_good(world: World, day: int) -> None:
    """Tokens that arrive before one of the later tries pay the fee, and billing is active again."""
    shop_on(world, "starter")
    hold(world, 979)
    world.due.advance(APRIL + day * DAY - 1)
    hold(world, 980)
    world.due.advance(APRIL + day * DAY)
    assert (status(world), balances(world)[0]) == ("active", 0)
    assert [kind for kind, _ in billed(world)][-2:] == ["fee_collected", "active"]
    world.due.advance(MAY - 1)
    assert status(world) == "active"


def test_a_cap_that_is_enough(world: World) -> None:
    """A mandate up to exactly the fee collects it."""
    shop_on(world, "starter")
    change(world, mandate_cap_minor=980)
    world.due.advance(APRIL)
    assert billed(world) == [("fee_collected", to_text(APRIL))]


def test_what_control_put_past_due_stays(world: World) -> None:
    """A fee that is paid at once doesn't undo a state that somebody chose."""
    shop_on(world, "starter")
    change(world, billing_status="past_due")
    world.due.advance(APRIL)
    assert (billed(world), status(world)) == ([("fee_collected", to_text(APRIL))], "past_due")


@pytest.mark.parametrize(("day", "state"), [(0, "PAST_DUE"), (3, "SUSPENDED")])
def test_a_merchant_that_does_not_pay_sells_nothing(
    api: Api, world: World, day: int, state: str
) -> None:
    """While its billing is past due or suspended a merchant's checkout says so, by code."""
    with world.transaction() as tx:
        shop = merchant_named(tx.connection, SHOP)
        change_merchant(tx, SHOP, {"billing_plan": "starter"})
        set_chain_balance(tx, shop, "JPY", 0)
    data(api.open_session(), 201)
    world.due.advance(APRIL + day * DAY)
    answer = api.open_session(nonce="order-2")
    assert refused(answer) == (409, f"EXTERNAL_402_MERCHANT_BILLING_{state}")
