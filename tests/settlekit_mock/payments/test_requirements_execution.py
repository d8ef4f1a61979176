"""What an agent executes: its allowance, then its payment, each once."""

from typing import Any

import pytest

from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.merchants import change_merchant
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.buyers import change_buyer
from settlekit_mock.settlement.operator import give_up
from settlekit_mock.settlement.rules.acceptance import Caps
from settlekit_mock.webhooks.service import subscribe_endpoint
from tests.settlekit_mock.payments.agent import Agent
from tests.settlekit_mock.payments.conftest import (
    NOW,
    ORIGIN,
    SHOP,
    YEN,
    Api,
    Receiver,
    balances,
    data,
    journal,
    refused,
)

ALLOWANCE = "sdrp_direct_payment_allowance"


@pytest.fixture
def agent(api: Api, world: World) -> Agent:
    return Agent(api, world)


@pytest.fixture
def spent_told(world: World) -> None:
    with world.transaction() as tx:
        owner = merchant_named(tx.connection, SHOP).merchant_user_id
        subscribe_endpoint(
            tx,
            owner=owner,
            callback_url=f"{ORIGIN}/spent",
            event_types=["direct_payment.spent"],
        )


def buyer_has(world: World, **changes: Any) -> None:
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", changes)


def allowance(world: World) -> int:
    with world.snapshot() as connection:
        query = "SELECT allowance FROM funds WHERE currency = 'JPY'"
        return connection.exec_driver_sql(query).scalar_one() // YEN


# -- standard ----------------------------------------------------------------------------


def test_a_standard_payment_settles_within_the_call(agent: Agent, world: World) -> None:
    """Executed, the money has moved: the buyer's, less the fee, is the shop's."""
    made = agent.ask()
    done = data(agent.execute(made, metadata={"note": "x"}))
    receipt, finalization = done["receipt"], done["finalization"]
    assert receipt == {
        "receipt_id": receipt["receipt_id"],
        "chain_receipt_id": receipt["chain_receipt_id"],
        "receipt_kind": "sdrp_direct_payment",
        "reference_type": "sdrp_direct_payment_requirement",
        "reference_id": made["id"],
        "status": "confirmed",
        "network": "polygon",
        "chain_id": 137,
        "metadata_jsonb": {"note": "x"},
        "created_at": "2026-03-02T09:00:00.000Z",
    }
    assert receipt["chain_receipt_id"].startswith("chain_")
    assert finalization == {
        "status": "finalized",
        "finality": "per_payment_onchain",
        "finalized_at": "2026-03-02T09:00:00.000Z",
    }
    assert balances(world) == (1_000_000 - 1200, 1170, 30)
    paid = agent.get(made)
    assert (paid["status"], paid["settlement_status"]) == ("confirmed", "settled")
    assert paid["chain_receipt_id"] == receipt["chain_receipt_id"]
    assert paid["buyer_confirmation"] == {
        "confirmed_at": receipt["created_at"],
        "receipt_id": receipt["receipt_id"],
    }


def test_executed_twice_is_executed_once(agent: Agent, world: World, receiver: Receiver) -> None:
    """The same transaction again answers the same receipt, and nothing else happens."""
    made = agent.ask()
    first = agent.execute(made).json["data"]
    told, moved, kinds = list(receiver.got), balances(world), journal(world, "")
    assert data(agent.execute(made, metadata={"another": "try"})) == first
    assert (receiver.got, balances(world), journal(world, "")) == (told, moved, kinds)
    data(agent.verify(made))
    assert data(agent.execute(made)) == first


@pytest.mark.usefixtures("spent_told")
def test_confirmed_is_told_first_and_spent_when_it_is(agent: Agent, receiver: Receiver) -> None:
    """The merchant is told of the payment when it settles, and of its use when it is verified."""
    made = agent.ask(metadata={"order": 7})
    receipt = agent.pay(made)
    (confirmed,) = receiver.got
    assert confirmed["type"] == "direct_payment.confirmed"
    told: Any = confirmed["data"]
    same = ("requirement_id", "challenge_hash", "request_hash_v2", "amount_minor", "merchant")
    assert {name: told[name] for name in same} == {name: made[name] for name in same}
    assert (told["mode"], told["pricing_band"]) == ("external_402", "standard")
    assert (told["status"], told["settlement_status"]) == ("confirmed", "settled")
    assert told["chain_receipt_id"] == receipt["chain_receipt_id"]
    assert told["metadata_jsonb"] == {"order": 7}
    data(agent.verify(made))
    spent: Any = receiver.got[1]
    assert spent["type"] == "direct_payment.spent"
    also = {"status": "spent", "spent_at": "2026-03-02T09:00:00.000Z"}
    assert spent["data"] == {**told, **also}
    data(agent.verify(made))
    assert len(receiver.got) == 2


def test_the_fee_is_that_of_the_plan_at_payment(agent: Agent, world: World) -> None:
    """A plan changed between asking and paying counts as it is when the money moves."""
    made = agent.ask(amount_minor=10_000)
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"billing_plan": "pro"})
    agent.pay(made)
    assert agent.get(made)["fee_bps"] == 50
    assert balances(world)[1:] == (9950, 50)


# -- metered -----------------------------------------------------------------------------


@pytest.mark.usefixtures("spent_told")
@pytest.mark.parametrize("amount_minor", [20, 100])
def test_a_metered_payment_is_accepted(
    agent: Agent, world: World, receiver: Receiver, amount_minor: int
) -> None:
    """Executed, a metered payment is accepted usage: nothing is sent, the receipt says so."""
    made = agent.ask(amount_minor=amount_minor)
    done = data(agent.execute(made))
    assert (done["receipt"]["status"], done["receipt"]["chain_receipt_id"]) == ("accepted", None)
    assert done["finalization"] == {
        "status": "accepted",
        "finality": "aggregated_onchain_settlement",
        "finalized_at": None,
    }
    assert balances(world) == (1_000_000, 0, 0)
    assert journal(world, "payment.") == ["payment.accepted"]
    paid = agent.get(made)
    assert (paid["status"], paid["settlement_status"]) == ("spent", "pending_settlement")
    assert paid["confirmed_at"] == paid["spent_at"] == "2026-03-02T09:00:00.000Z"
    assert [told["type"] for told in receiver.got] == [
        "direct_payment.confirmed",
        "direct_payment.spent",
    ]
    told: Any = receiver.got[0]["data"]
    assert told["requirement_id"] == made["id"]
    assert told["settlement_status"] == "pending_settlement"


def test_a_metered_payment_is_accepted_once(agent: Agent, world: World) -> None:
    """Executed or verified again, accepted usage is as it was: one row, no second event."""
    made = agent.ask(amount_minor=100)
    first = data(agent.execute(made))
    before = journal(world, "")
    assert data(agent.execute(made)) == first
    paid = agent.get(made)
    given = {"receipt_id": first["receipt"]["receipt_id"], "await_finality": True}
    assert data(agent.verify(made, **given)) == paid
    assert journal(world, "") == before


def test_a_metered_payment_settles_with_its_batch(agent: Agent, world: World) -> None:
    """Once its batch is settled, so is the payment, with the batch's own chain receipt."""
    made = agent.ask(amount_minor=100)
    agent.pay(made)
    world.due.advance(NOW + 30 * DAY, until="batch.settled")
    with world.snapshot() as connection:
        query = "SELECT chain_receipt_id FROM batches"
        receipt = connection.exec_driver_sql(query).scalar_one()
    settled = agent.get(made)
    assert (settled["settlement_status"], settled["chain_receipt_id"]) == ("settled", receipt)
    assert data(agent.verify(made, chain_receipt_id=receipt)) == settled


# -- allowance ---------------------------------------------------------------------------


def test_an_allowance_is_raised_where_it_is_short(agent: Agent, world: World) -> None:
    """Short of allowance a payment is refused, and fits once its own grant was executed."""
    buyer_has(world, allowances={"JPY": 1199 * YEN})
    made = agent.ask()
    assert refused(agent.execute(made)) == (402, "BUDGET_EXCEEDED")
    receipt = agent.allow(made)
    assert (receipt["receipt_kind"], receipt["status"]) == (ALLOWANCE, "confirmed")
    assert receipt["chain_receipt_id"].startswith("chain_")
    assert allowance(world) == 1199 + 1200
    assert agent.get(made)["approve_transaction_request"] is None
    assert agent.pay(made)["status"] == "confirmed"
    assert allowance(world) == 1199


def test_an_allowance_is_raised_once(agent: Agent, world: World) -> None:
    """The same approval again answers the same receipt and grants nothing more."""
    buyer_has(world, allowances={"JPY": 0})
    made = agent.ask(allowance_amount_minor=5000)
    first = agent.allow(made)
    assert agent.allow(made) == first
    assert allowance(world) == 5000


def test_a_grant_fits_beside_what_is_reserved(agent: Agent, world: World) -> None:
    """What metered usage has reserved isn't granted away from it."""
    agent.pay(agent.ask(amount_minor=500))
    buyer_has(world, allowances={"JPY": 0})
    made = agent.ask("order-2")
    agent.allow(made)
    assert allowance(world) == 500 + 1200
    assert agent.pay(made)["status"] == "confirmed"


def test_grants_of_two_requirements_add_up(agent: Agent, world: World) -> None:
    """Each approval grants its own amount, so both payments go through."""
    buyer_has(world, allowances={"JPY": 0})
    both = [agent.ask("order-1"), agent.ask("order-2")]
    for made in both:
        agent.allow(made)
    assert [agent.pay(made)["status"] for made in both] == ["confirmed"] * 2


def test_a_metered_payment_may_need_an_allowance(agent: Agent, world: World) -> None:
    """A metered amount too must fit the allowance, less what is reserved."""
    buyer_has(world, allowances={"JPY": 99 * YEN})
    made = agent.ask(amount_minor=100)
    agent.allow(made)
    assert agent.pay(made)["status"] == "accepted"


def test_the_largest_grant_stays_within_bounds(agent: Agent, world: World) -> None:
    """A grant beside an allowance never makes more than the mock's largest amount."""
    largest = 92_233_720_368
    buyer_has(world, allowances={"JPY": 1000 * YEN})
    made = agent.ask(allowance_amount_minor=largest)
    agent.allow(made)
    assert allowance(world) == largest


# -- what isn't the requirement's own ------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"network": "ethereum"},
        {"chain_id": 1},
        {"from": "0x" + "0" * 40},
        {"to": "0x" + "0" * 40},
        {"data": "0x"},
        {"value": "1"},
    ],
    ids=str,
)
def test_another_transaction_is_refused(agent: Agent, world: World, change: Any) -> None:
    """A transaction that differs in any part from the prepared one isn't executed."""
    made = agent.ask()
    given = {**made["transaction_request"], **change}
    answer = agent.execute(made, transaction_request=given)
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert balances(world)[0] == 1_000_000


def test_the_transaction_of_another_requirement_is_refused(agent: Agent, world: World) -> None:
    """Requirements of the same terms prepare different transactions, approvals too."""
    buyer_has(world, allowances={"JPY": 0})
    one, other = agent.ask("order-1"), agent.ask("order-2")
    for name, kind in (
        ("transaction_request", "sdrp_direct_payment"),
        ("approve_transaction_request", ALLOWANCE),
    ):
        answer = agent.execute(one, kind, transaction_request=other[name])
        assert refused(answer) == (422, "INVALID_REQUEST")
    swapped = one["approve_transaction_request"]
    answer = agent.execute(one, transaction_request=swapped)
    assert refused(answer) == (422, "INVALID_REQUEST")


def test_case_of_hex_digits_does_not_count(agent: Agent) -> None:
    """Wallets write addresses in mixed case: that is the same transaction."""
    made = agent.ask()
    own = made["transaction_request"]
    upper = {name: "0x" + own[name][2:].upper() for name in ("from", "to", "data")}
    assert agent.pay(made, transaction_request={**own, **upper})["status"] == "confirmed"


@pytest.mark.parametrize(
    "change",
    [
        {"receipt_kind": "sdrp_refund"},
        {"reference_type": "order"},
        {"transaction_request": None},
        {"transaction_request": {"network": "polygon"}},
        {"metadata": "x"},
    ],
    ids=str,
)
def test_an_execution_is_read_strictly(agent: Agent, change: dict[str, object]) -> None:
    """An execution of an unknown kind, or of no transaction, is 422."""
    assert refused(agent.execute(agent.ask(), **change)) == (422, "INVALID_REQUEST")


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize("amount_minor", [100, 1200])
@pytest.mark.parametrize(
    "changes",
    [
        {"balances": {"JPY": 50 * YEN}},
        {"vault_active": False},
        {"caps": Caps(per_payment_minor=99)},
        {"caps": Caps(day_minor=99)},
        {"caps": Caps(month_minor=99)},
    ],
    ids=str,
)
def test_a_payment_beyond_the_budget(
    agent: Agent, world: World, receiver: Receiver, changes: Any, amount_minor: int
) -> None:
    """Beyond balance, vault or caps nothing is executed; the journal alone knows."""
    made = agent.ask(amount_minor=amount_minor)
    buyer_has(world, **changes)
    assert refused(agent.execute(made)) == (402, "BUDGET_EXCEEDED")
    assert agent.get(made) == made
    assert receiver.got == []
    assert journal(world, "payment.") == ["payment.refused"]
    assert journal(world, "requirement.") == ["requirement.created"]


def test_a_paused_scope_takes_nothing(agent: Agent, world: World) -> None:
    """Where exposure has reached the threshold a metered payment is refused, a standard not."""
    for number in range(20):
        agent.pay(agent.ask(f"n-{number}", amount_minor=500))
    made = agent.ask(amount_minor=100)
    assert refused(agent.execute(made)) == (409, "METERED_SETTLEMENT_PAST_DUE")
    assert agent.get(made)["status"] == "requires_payment"
    assert agent.pay(agent.ask("standard"))["status"] == "confirmed"


# -- one challenge, two ways to pay ----------------------------------------------------------


def test_a_checkout_cannot_pay_an_agents_challenge(agent: Agent, api: Api, world: World) -> None:
    """A challenge that an agent has used isn't paid a second time by hosted checkout."""
    session_id = api.session_id(nonce="order-1")
    agent.pay(agent.ask())
    before = balances(world)
    assert refused(api.confirm(session_id)) == (409, "EXTERNAL_402_CHALLENGE_ALREADY_USED")
    assert balances(world) == before
    assert api.session(session_id)["status"] == "open"


# -- checkout sessions -------------------------------------------------------------------------


def pay_by_checkout(api: Api) -> str:
    session_id = api.session_id(amount_minor=100)
    data(api.confirm(session_id))
    return session_id


def test_a_metered_session_settles_with_its_batch(api: Api, world: World) -> None:
    """A metered session is pending until its batch is settled, and has that batch's receipt."""
    session_id = pay_by_checkout(api)
    found = api.session(session_id)
    assert (found["settlement_status"], found["chain_receipt_id"]) == ("pending_settlement", None)
    world.due.advance(NOW + 30 * DAY, until="debit.submitted")
    assert api.session(session_id) == found
    world.due.advance(NOW + 30 * DAY, until="batch.settled")
    with world.snapshot() as connection:
        query = "SELECT chain_receipt_id FROM batches"
        receipt = connection.exec_driver_sql(query).scalar_one()
    settled = {**found, "settlement_status": "settled", "chain_receipt_id": receipt}
    assert api.session(session_id) == settled


def test_a_session_whose_batch_is_given_up_never_settles(api: Api, world: World) -> None:
    """A batch that is written off settles no session: statements tell what became of it."""
    session_id = pay_by_checkout(api)
    buyer_has(world, balances={"JPY": 0})
    world.due.advance(NOW + 60 * DAY, until="batch.past_due")
    with world.transaction() as tx:
        query = "SELECT settlement_batch_id FROM batches"
        batch_id = tx.connection.exec_driver_sql(query).scalar_one()
        give_up(tx, batch_id, "written_off", "test")
    assert api.session(session_id)["settlement_status"] == "pending_settlement"
    assert api.session(session_id)["chain_receipt_id"] is None
