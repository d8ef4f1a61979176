"""A requirement after it was asked for: read back, verified, and over."""

import pytest

from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.requirements import fail
from settlekit_mock.settlement.buyers import change_buyer
from tests.settlekit_mock.payments.agent import Agent, stranger_of
from tests.settlekit_mock.payments.conftest import NOW, Api, Receiver, data, journal, refused


@pytest.fixture
def agent(api: Api, world: World) -> Agent:
    return Agent(api, world)


@pytest.fixture
def stranger(api: Api, world: World) -> Agent:
    return stranger_of(api, world)


# -- reading -----------------------------------------------------------------------------


def test_a_requirement_is_its_buyers_alone(agent: Agent, stranger: Agent) -> None:
    """Somebody else's requirement is as if there were none, to read, verify and execute."""
    made = agent.ask()
    unknown = {**made, "id": "dpr_unknown"}
    missing = (404, "REQUIREMENT_NOT_FOUND")
    for who, what in ((stranger, made), (agent, unknown)):
        assert refused(who.api.get(f"requirements/{what['id']}", who.token)) == missing
        assert refused(who.verify(what)) == missing
        assert refused(who.execute(what)) == missing


def test_a_checkout_shows_its_requirement_to_who_paid(
    agent: Agent, stranger: Agent, api: Api
) -> None:
    """Whoever pays by hosted checkout can read that payment's requirement; verifying changes
    nothing."""
    session_id = api.session_id(nonce="order-1")
    data(api.confirm(session_id))
    found = agent.get({"id": api.session(session_id)["requirement_id"]})
    assert (found["status"], found["settlement_status"]) == ("spent", "settled")
    assert found["buyer_confirmation"] is None
    assert data(agent.verify(found)) == found
    assert refused(stranger.verify(found)) == (404, "REQUIREMENT_NOT_FOUND")


# -- verifying ---------------------------------------------------------------------------


def test_verify_before_the_payment_changes_nothing(agent: Agent, receiver: Receiver) -> None:
    """There is nothing to verify of what nobody has paid, and nothing is waited for."""
    made = agent.ask()
    awaited = {
        "await_finality": True,
        "await_required_status": "confirmed",
        "await_timeout_seconds": 86_400,
        "await_poll_seconds": 1,
    }
    assert data(agent.verify(made, **awaited)) == made
    assert receiver.got == []


@pytest.mark.both_databases
def test_verify_consumes_a_standard_payment_once(agent: Agent, world: World) -> None:
    """Verified, a confirmed payment is spent; verified again, it is as it was."""
    made = agent.ask()
    receipt = agent.pay(made)
    assert agent.get(made)["status"] == "confirmed"
    world.due.advance(NOW + MINUTE)
    given = {name: receipt[name] for name in ("receipt_id", "chain_receipt_id")}
    spent = data(agent.verify(made, **given))
    assert (spent["status"], spent["spent_at"]) == ("spent", "2026-03-02T09:01:00.000Z")
    assert spent["confirmed_at"] == "2026-03-02T09:00:00.000Z"
    assert data(agent.verify(made)) == spent == agent.get(made)
    steps = ["requirement.created", "requirement.confirmed", "requirement.spent"]
    assert journal(world, "requirement.") == steps


@pytest.mark.parametrize("field", ["receipt_id", "chain_receipt_id"])
def test_verify_takes_its_own_receipt_only(agent: Agent, field: str) -> None:
    """Another payment's receipt verifies nothing, before the payment and after it."""
    made, other = agent.ask(), agent.ask("order-2")
    foreign = agent.pay(other)[field]
    assert refused(agent.verify(made, **{field: foreign})) == (422, "INVALID_REQUEST")
    agent.pay(made)
    assert refused(agent.verify(made, **{field: foreign})) == (422, "INVALID_REQUEST")
    assert agent.get(made)["status"] == "confirmed"


@pytest.mark.parametrize(
    "change",
    [{"await_timeout_seconds": -1}, {"await_finality": "yes"}, {"receipt_id": 7}],
    ids=str,
)
def test_verify_is_read_strictly(agent: Agent, change: dict[str, object]) -> None:
    """What verify can't take for what it is called is 422."""
    assert refused(agent.verify(agent.ask(), **change)) == (422, "INVALID_REQUEST")


# -- ending ------------------------------------------------------------------------------


def test_expiry_by_the_clock(agent: Agent, world: World) -> None:
    """Unpaid for 30 minutes a requirement is over: nothing more is executed for it."""
    made = agent.ask()
    world.due.advance(NOW + 30 * MINUTE - 1)
    assert agent.get(made)["status"] == "requires_payment"
    world.due.advance(NOW + 30 * MINUTE)
    over = agent.get(made)
    assert (over["status"], over["updated_at"]) == ("expired", made["expires_at"])
    assert over["settlement_status"] == "pending_payment"
    assert refused(agent.execute(made)) == (409, "REQUIREMENT_NOT_OPEN")
    assert data(agent.verify(made)) == over
    assert journal(world, "requirement.") == ["requirement.created", "requirement.expired"]


def test_a_paid_requirement_does_not_expire(agent: Agent, world: World) -> None:
    """Once it is paid a requirement has no end to come."""
    made = agent.ask()
    agent.pay(made)
    assert world.due.next_due_at() is None
    world.due.advance(NOW + 90 * MINUTE)
    assert agent.get(made)["status"] == "confirmed"


def test_a_failed_requirement_is_over(agent: Agent, world: World) -> None:
    """A requirement that has failed takes no payment, and doesn't expire either."""
    made = agent.ask()
    with world.transaction() as tx:
        fail(tx, made["id"])
    assert agent.get(made)["status"] == "failed"
    assert refused(agent.execute(made)) == (409, "REQUIREMENT_NOT_OPEN")
    assert world.due.next_due_at() is None


def test_a_late_reader_sees_the_expiry(agent: Agent, world: World) -> None:
    """A reader sees a requirement as over at its expiry, though nobody has written it yet."""
    made = agent.ask()
    with world.transaction() as tx:
        tx.state = tx.state.moved_to(NOW + 30 * MINUTE)
    assert agent.get(made)["status"] == "expired"
    assert refused(agent.execute(made)) == (409, "REQUIREMENT_NOT_OPEN")


def test_change_of_funds_shows_at_once(agent: Agent, world: World) -> None:
    """Whether an allowance is needed is read when it is asked, not kept."""
    made = agent.ask()
    assert made["approve_transaction_request"] is None
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", {"allowances": {"JPY": 0}})
    assert agent.get(made)["approve_transaction_request"]["network"] == "polygon"


@pytest.mark.parametrize(("allowance", "short"), [(1699, True), (1700, False)])
def test_an_allowance_is_short_less_what_is_reserved(
    agent: Agent, world: World, allowance: int, short: bool
) -> None:
    """An approval is asked for where the allowance, less what is reserved, is below the amount."""
    agent.execute(agent.ask(amount_minor=500))
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", {"allowances": {"JPY": allowance * 10**8}})
    made = agent.ask("order-2")
    assert (made["approve_transaction_request"] is not None) == short
